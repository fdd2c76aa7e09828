//! The configuration as text.
//!
//! A user chooses a health path and an expected text, and both end up here. One
//! could get it wrong by quoting: HAProxy has three kinds of quotes, comments,
//! variables, and log formats in some arguments but not in others. So nothing is
//! quoted: every ASCII character outside a short list is written as `\xNN`, which
//! the configuration language knows outside quotes (configuration manual, section
//! 2.2), and which can end neither an argument nor a line.

use super::config::{HaproxyConfig, Paths};
use super::pages;
use padis_domain::ports::{Member, MemberState, Service};
use std::fmt::Write;

/// Weight of a member that takes its share; 0 is HAProxy's way to say "drain".
pub(super) const SHARE: u32 = 100;

/// Longest expected text, in bytes. The whole check must find it in HAProxy's
/// buffer of 16 KiB.
pub(super) const EXPECT_BYTES: usize = 1024;

/// What a service looks like that HAProxy can serve, or why it can't, in plain words.
pub(super) fn check_service(s: &Service) -> Result<(), String> {
    let word = |text: &str, most: usize| {
        (1..=most).contains(&text.len())
            && text.bytes().all(|b| matches!(b, b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.'))
            && !text.starts_with('.')
    };
    if !word(&s.key, 200) {
        return Err(format!("the service's key “{}” must consist of letters, digits, hyphens and dots", s.key));
    }
    if !word(&s.host, 253) || s.host.bytes().any(|b| b.is_ascii_uppercase()) {
        return Err(format!("“{}” is not a host name in lower case", s.host));
    }
    if !s.health_path.starts_with('/') || s.health_path.len() > 1024 {
        return Err("the health path must start with “/” and have at most 1,024 bytes".to_owned());
    }
    if s.health_path.chars().chain(s.expect.chars()).any(|c| c.is_control() && c != '\n' && c != '\t') {
        return Err("the health rule must not hold control characters".to_owned());
    }
    if s.expect.len() > EXPECT_BYTES {
        return Err(format!("the expected text is longer than {EXPECT_BYTES} bytes"));
    }
    Ok(())
}

/// The same for a member.
pub(super) fn check_member(m: &Member) -> Result<(), String> {
    let word = |b: u8| b.is_ascii_alphanumeric() || b == b'-';
    if m.key.is_empty() || m.key.len() > 200 || !m.key.bytes().all(word) {
        return Err(format!("the member's key “{}” must consist of letters, digits and hyphens", m.key));
    }
    if m.ip.parse::<std::net::IpAddr>().is_err() {
        return Err(format!("“{}” is not an IP address", m.ip));
    }
    if m.port == 0 {
        return Err(format!("member “{}” has no port", m.key));
    }
    Ok(())
}

/// The backend of a service.
pub(super) fn backend(key: &str) -> String {
    format!("s.{key}")
}

/// One argument, whatever it holds.
fn argument(text: &str) -> String {
    let mut out = String::with_capacity(text.len() * 2);
    for c in text.chars() {
        if c.is_ascii_alphanumeric() || matches!(c, '/' | '.' | '-' | '_') || !c.is_ascii() {
            out.push(c);
        } else {
            let _ = write!(out, "\\x{:02x}", u32::from(c));
        }
    }
    out
}

/// A path as it may stand in a request line: what RFC 3986 does not allow in a path
/// or query is percent-encoded; a `%` of the user's stays (it may be an escape).
fn uri(path: &str) -> String {
    let mut out = String::with_capacity(path.len());
    for b in path.bytes() {
        if b.is_ascii_alphanumeric() || b"-._~!$&'()*+,;=:@/?%".contains(&b) {
            out.push(char::from(b));
        } else {
            let _ = write!(out, "%{b:02X}");
        }
    }
    out
}

/// The arguments of a server, the same in the file and for `add server` (which
/// takes nothing from `default-server`).
///
/// * `fall 2`, `rise 1`: one lost check is noise; one good one is enough, because
///   Padis probes before it puts a member in.
/// * `observe layer4 error-limit 3 on-error mark-down`: a dead member is out after
///   three failed connections, long before its next check.
/// * `pool-purge-delay 2s`: idle connections to members are dropped before common
///   servers drop them (Node.js: 5 s), else a request could be sent into a closing one.
pub(super) fn server_arguments(m: &Member, s: &Service) -> String {
    let inter = s.interval_ms.clamp(100, 60_000);
    let address = if m.ip.contains(':') { format!("[{}]:{}", m.ip, m.port) } else { format!("{}:{}", m.ip, m.port) };
    format!(
        "{address} weight {} check inter {inter}ms fastinter {}ms downinter {}ms rise 1 fall 2 \
observe layer4 error-limit 3 on-error mark-down pool-purge-delay 2s",
        weight(m.state),
        inter.min(200),
        inter.min(500),
    )
}

/// The weight that a state means.
pub(super) fn weight(state: MemberState) -> u32 {
    match state {
        MemberState::Ready => SHARE,
        MemberState::Drain => 0,
    }
}

/// The file of one service. Its first line keeps the service as JSON, so that a
/// later run knows what it means without parsing configuration; a line of its own
/// does the same for each member. JSON has no raw line breaks, so it stays a comment.
pub(super) fn service<'a>(s: &Service, members: impl Iterator<Item = &'a Member>) -> Result<String, serde_json::Error> {
    let mut out = format!("{SERVICE_MARK}{}\n", serde_json::to_string(s)?);
    let _ = writeln!(out, "backend {}", backend(&s.key));
    // Not round robin: a member that is slow (cold, or stuck in one long request)
    // keeps its connections longer and so is given fewer new ones.
    out.push_str("  balance leastconn\n  option httpchk\n");
    let _ = writeln!(
        out,
        "  http-check send meth GET uri {} ver HTTP/1.1 hdr Host {}",
        argument(&uri(&s.health_path)),
        argument(&s.host)
    );
    out.push_str("  http-check expect status 200-399\n");
    if !s.expect.is_empty() {
        let _ = writeln!(out, "  http-check expect string {}", argument(&s.expect));
    }
    for m in members {
        let _ = writeln!(out, "{MEMBER_MARK}{}", serde_json::to_string(m)?);
        let _ = writeln!(out, "  server {} {}", m.key, server_arguments(m, s));
    }
    Ok(out)
}

pub(super) const SERVICE_MARK: &str = "# padis service ";
pub(super) const MEMBER_MARK: &str = "# padis member ";

/// Service and members as an earlier run wrote them; `None` if it is not such a file.
pub(super) fn read_service(text: &str) -> Option<(Service, Vec<Member>)> {
    let mut lines = text.lines();
    let service = serde_json::from_str(lines.next()?.strip_prefix(SERVICE_MARK)?).ok()?;
    let members: Result<Vec<Member>, _> =
        lines.filter_map(|l| l.strip_prefix(MEMBER_MARK)).map(serde_json::from_str).collect();
    Some((service, members.ok()?))
}

/// Everything that does not belong to one service.
pub(super) fn global(config: &HaproxyConfig, paths: &Paths, run_as: Option<&str>) -> String {
    let path = |p: std::path::PathBuf| argument(&p.display().to_string());
    let user = run_as.map_or(String::new(), |u| format!("  user {u}\n  group {u}\n"));
    let gate_user = run_as.map_or(String::new(), |u| format!(" user {u}"));
    // Who may drop privileges may also lock itself into our folder; paths used after
    // that are seen from there.
    let jail = run_as.map_or(String::new(), |_| format!("  chroot {}\n", path(paths.folder.clone())));
    let gate_inside = if run_as.is_some() { "/gate.sock".to_owned() } else { path(paths.gate()) };
    let files: String = pages::error_files()
        .iter()
        .map(|(name, status, _)| format!("  errorfile {status} {}\n", path(paths.page(name))))
        .collect();
    format!(
        "# Written by Padis at start; changes are lost.
global
{user}{jail}  maxconn {max}
  stats socket {worker} mode 600 level admin expose-fd listeners
  server-state-file {states}
  # An old worker (after a reload) that still serves a long connection ends after this time.
  hard-stop-after 5m
  mworker-max-reloads 20
  # A request head larger than this (less 1 KiB) or with more headers is answered with 400.
  tune.bufsize 16384
  tune.http.maxhdr 128

defaults
  mode http
  load-server-state-from-file global
  # Also the pause before a retry on the last member that is left: short, and rather more retries.
  timeout connect 300ms
  retries 5
  timeout check 3s
  timeout http-request 10s
  timeout http-keep-alive 15s
  timeout client 60s
  timeout server 60s
  timeout queue 5s
  timeout tunnel 1h
  timeout client-fin 5s
  timeout server-fin 5s
  option dontlognull
  # On a reload, idle connections are answered once more (with “Connection: close”) instead of
  # being cut: a client may be sending its next request at that very moment.
  option idle-close-on-response
  option redispatch 1
  retry-on conn-failure empty-response
  http-reuse safe
{files}
frontend www
  bind {listen}
  bind unix@{gate} accept-proxy mode 600{gate_user}
  # A request that still reaches an old worker (on a connection that the client kept open) is
  # passed on to the newest: only that one knows today's members and names.
  use_backend newest if {{ stopping }}
  http-request add-header X-Forwarded-For %[src] unless {{ stopping }}
  http-request set-header X-Forwarded-Proto http
  http-request set-header X-Forwarded-Host %[req.hdr(host)] if {{ req.hdr(host) -m found }}
  # A request that may have had an effect is not sent twice; failed connections are always retried.
  http-request disable-l7-retry unless {{ method GET HEAD OPTIONS }}
  http-request set-var(txn.backend) req.hdr(host),field(1,:),rtrim(.),lower,map({map})
  http-request return status 404 content-type text/html;\\ charset=utf-8 file {unknown} hdr Cache-Control no-store unless {{ var(txn.backend) -m found }} or {{ stopping }}
  use_backend %[var(txn.backend)]

backend newest
  http-reuse never
  server newest unix@{gate_inside} send-proxy-v2
",
        max = config.max_connections,
        worker = path(paths.worker()),
        states = path(paths.states()),
        listen = config.listen,
        map = paths.map().display(),
        gate = path(paths.gate()),
        unknown = path(paths.page("404.html")),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn a_service(path: &str, expect: &str) -> Service {
        Service {
            key: "team.shop".to_owned(),
            host: "shop.team.padis.localhost".to_owned(),
            health_path: path.to_owned(),
            expect: expect.to_owned(),
            interval_ms: 1000,
        }
    }

    proptest! {
        #[test]
        fn nothing_that_a_user_writes_leaves_its_argument(text in any::<String>()) {
            let arg = argument(&text);
            prop_assert!(arg.bytes().all(|b| b.is_ascii_alphanumeric() || b"/.-_\\".contains(&b) || b >= 0x80));
            // Every backslash starts a complete \xNN.
            for rest in arg.split('\\').skip(1) {
                prop_assert!(rest.starts_with('x') && rest[1..3].bytes().all(|b| b.is_ascii_hexdigit()));
            }
        }

        #[test]
        fn a_service_is_read_back_as_it_was_written(path in "/[ -~中\n]{0,30}", expect in any::<String>()) {
            let s = a_service(&path, &expect);
            let member = Member { key: "i-1".into(), ip: "10.0.0.1".into(), port: 80, state: MemberState::Drain };
            let text = service(&s, std::iter::once(&member)).unwrap();
            prop_assert_eq!(read_service(&text), Some((s, vec![member])));
            let lines = 8 + usize::from(!expect.is_empty());
            prop_assert_eq!(text.lines().count(), lines);
        }
    }

    #[test]
    fn what_haproxy_cannot_serve_is_refused() {
        assert!(check_service(&a_service("/", "a b\"'#中")).is_ok());
        assert!(check_service(&a_service("no-slash", "")).is_err());
        assert!(check_service(&a_service("/", "a\u{0}b")).is_err());
        let mut s = a_service("/", "");
        s.host = "a b".into();
        assert!(check_service(&s).is_err());
        s = a_service("/", "");
        s.key = "a\nbackend evil".into();
        assert!(check_service(&s).is_err());
        s.key = "../x".into();
        assert!(check_service(&s).is_err());
    }
}
