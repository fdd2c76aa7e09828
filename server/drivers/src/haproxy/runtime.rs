//! Members, changed by the runtime API: no reload, no file, half a millisecond a command.
//!
//! HAProxy's answers to these commands are sentences for people and differ between
//! versions, so success is not read from them: after a change the worker is asked
//! what it has, and that must be what was wanted.

use super::cli::Cli;
use super::render::{SHARE, backend, server_arguments, weight};
use padis_domain::ports::{Member, Service};
use std::io;
use std::time::Duration;

/// Bit of "maintenance forced from the command line" in `srv_admin_state`
/// (management manual, `show servers state`).
const MAINTENANCE: u32 = 1;

/// One line of `show servers state`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Slot {
    pub name: String,
    pub ip: String,
    pub port: u16,
    pub admin: u32,
    pub weight: u32,
    /// Down by its check.
    pub down: bool,
    /// The line itself, as HAProxy reads it back from a state file.
    pub line: String,
}

impl Slot {
    pub fn in_maintenance(&self) -> bool {
        self.admin & MAINTENANCE != 0
    }
}

pub(super) fn parse_slots(text: &str) -> Vec<Slot> {
    text.lines().filter(|l| !l.starts_with('#')).filter_map(slot).collect()
}

fn slot(line: &str) -> Option<Slot> {
    let f: Vec<&str> = line.split_whitespace().collect();
    Some(Slot {
        name: (*f.get(3)?).to_owned(),
        ip: (*f.get(4)?).to_owned(),
        port: f.get(18)?.parse().ok()?,
        admin: f.get(6)?.parse().ok()?,
        weight: f.get(7)?.parse().ok()?,
        down: *f.get(5)? == "0",
        line: line.to_owned(),
    })
}

/// What one worker has of a service; empty if it does not know the service.
pub(super) async fn slots(cli: &Cli, pid: u32, service: &str) -> io::Result<Vec<Slot>> {
    let answer = cli.worker(pid, &format!("show servers state {}", backend(service))).await?;
    Ok(parse_slots(&answer))
}

/// Makes one worker have the member as wanted.
pub(super) async fn put(cli: &Cli, pid: u32, service: &Service, member: &Member) -> io::Result<()> {
    let server = format!("{}/{}", backend(&service.key), member.key);
    let known = slots(cli, pid, &service.key).await?.into_iter().find(|s| s.name == member.key);
    let commands = match known {
        None => vec![
            format!("add server {server} {}", server_arguments(member, service)),
            format!("enable server {server}"),
            format!("enable health {server}"),
        ],
        Some(s) if s.ip == member.ip && s.port == member.port => vec![
            format!("set weight {server} {}", weight(member.state)),
            format!("set server {server} state ready"),
            format!("enable health {server}"),
        ],
        // Another instance under the same key: what the former one was doing is over.
        Some(_) => vec![
            format!("set server {server} state maint"),
            format!("shutdown sessions server {server}"),
            format!("set server {server} addr {} port {}", member.ip, member.port),
            format!("set weight {server} {}", weight(member.state)),
            format!("set server {server} state ready"),
            format!("enable health {server}"),
        ],
    };
    let said = cli.worker_all(pid, &commands).await?;
    let now = slots(cli, pid, &service.key).await?.into_iter().find(|s| s.name == member.key);
    let as_wanted = |s: &Slot| {
        s.ip == member.ip && s.port == member.port && !s.in_maintenance() && s.weight == weight(member.state)
    };
    match now {
        Some(s) if as_wanted(&s) => Ok(()),
        other => Err(io::Error::other(format!("HAProxy has {other:?} instead; it said: {said}"))),
    }
}

/// Takes the member out of one worker: no new requests, the present ones are cut,
/// the server removed. The first two take effect at once; the removal waits until
/// HAProxy has let go of the connections.
pub(super) async fn delete(cli: &Cli, pid: u32, service: &str, member: &str) -> io::Result<bool> {
    let said = cli.worker_all(pid, &delete_commands(service, member)).await?;
    let left = slots(cli, pid, service).await?.into_iter().find(|s| s.name == member);
    match left {
        None => Ok(true),
        Some(s) if s.in_maintenance() => Ok(false),
        Some(s) => Err(io::Error::other(format!("HAProxy still has {s:?}; it said: {said}"))),
    }
}

/// Cuts the member's requests on an old worker: it takes none of its own any more.
pub(super) async fn cut(cli: &Cli, pid: u32, service: &str, member: &str) -> io::Result<()> {
    cli.worker(pid, &format!("shutdown sessions server {}/{member}", backend(service))).await.map(drop)
}

/// Out of service, sessions cut, removed.
pub(super) fn delete_commands(service: &str, member: &str) -> Vec<String> {
    let server = format!("{}/{member}", backend(service));
    vec![
        format!("set server {server} state maint"),
        format!("shutdown sessions server {server}"),
        format!("del server {server}"),
    ]
}

/// Tries again to remove what could not be removed at once. It does no harm where it
/// is (in maintenance, hidden from `list`, gone with the next reload), so trying ends
/// after half a minute. A member that was put again meanwhile is not in maintenance,
/// and HAProxy refuses to remove it.
pub(super) async fn remove_later(cli: Cli, pid: u32, service: String, member: String) {
    let command = format!("del server {}/{member}", backend(&service));
    let mut pause = Duration::from_millis(20);
    while pause < Duration::from_secs(16) {
        tokio::time::sleep(pause).await;
        pause *= 2;
        if cli.worker(pid, &command).await.is_err() {
            return;
        }
        match slots(&cli, pid, &service).await {
            Ok(left) if left.iter().any(|s| s.name == member && s.in_maintenance()) => {}
            _ => return,
        }
    }
    tracing::debug!(balancer.service = %service, balancer.member = %member, "a removed member keeps its place in HAProxy until the next reload");
}

/// A server state file with the members that are down, so that the next worker
/// does not begin by sending requests to them.
pub(super) fn down_states(all: &str) -> String {
    let head = "1\n# be_id be_name srv_id srv_name srv_addr srv_op_state srv_admin_state srv_uweight srv_iweight \
srv_time_since_last_change srv_check_status srv_check_result srv_check_health srv_check_state srv_agent_state \
bk_f_forced_id srv_f_forced_id srv_fqdn srv_port srvrecord srv_use_ssl srv_check_port srv_check_addr \
srv_agent_addr srv_agent_port\n";
    let mut out = head.to_owned();
    for slot in parse_slots(all).iter().filter(|s| s.down && s.admin == 0 && s.weight == SHARE) {
        out.push_str(&slot.line);
        out.push('\n');
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    const ANSWER: &str = "1\n# be_id be_name srv_id srv_name srv_addr srv_op_state …\n\
3 s.t.a 1 m1 127.0.0.1 2 0 100 100 516 15 3 2 6 0 0 0 - 19001 - 0 0 - - 0\n\
3 s.t.a 2 d1 127.0.0.9 0 0 100 100 1 8 2 0 6 0 0 0 - 19001 - 0 0 - - 0\n\
3 s.t.a 3 x 127.0.0.9 0 1 100 100 1 8 2 0 6 0 0 0 - 19001 - 0 0 - - 0\n\n";

    #[test]
    fn only_members_that_are_down_by_their_check_are_carried_over() {
        let slots = parse_slots(ANSWER);
        assert_eq!(slots.len(), 3);
        assert!(slots[2].in_maintenance() && !slots[0].down);
        let file = down_states(ANSWER);
        assert_eq!(file.lines().count(), 3);
        assert!(file.contains(" d1 ") && file.starts_with("1\n"));
    }
}
