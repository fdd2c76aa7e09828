//! Docker Engines of other hosts.
//!
//! Whoever reaches an engine's port owns its host: one that is not on this machine is reached
//! over TLS, or somebody says in so many words that it is not.

use super::source::Reader;
use padis_drivers::docker_at::DockerAt;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use url::{Host, Url};

/// Another host's Docker Engine, on which workbenches run and images are built.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DockerHost {
    /// The agent's host name as the cluster tells it, unique.
    pub name: String,
    /// `unix:///…`, `tcp://host:port` or `https://host:port`.
    pub url: String,
    /// PEM file of the authorities that may sign its certificate; else those that the machine trusts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ca: Option<String>,
    /// PEM file of the certificate that Padis shows it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cert: Option<String>,
    /// PEM file of that certificate's key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// It is meant that there is no TLS.
    #[serde(default)]
    pub plain: bool,
}

/// The host of `host:port`, which a socket has none of.
fn reached(url: &str) -> Option<Host> {
    let (scheme, rest) = url.split_once("://")?;
    // The rules for http are those that know addresses and ports.
    let url = Url::parse(&format!("http://{rest}")).ok()?;
    let bare = url.username().is_empty() && url.password().is_none() && url.path() == "/";
    let whole = bare && url.query().is_none() && url.fragment().is_none();
    // A port that is http's own is not kept.
    let port = url.port().is_some() || rest.trim_end_matches('/').ends_with(":80");
    (whole && (port || scheme == "https")).then(|| url.host().map(|h| h.to_owned()))?
}

fn loopback(host: &Host) -> bool {
    match host {
        Host::Domain(name) => name == "localhost",
        Host::Ipv4(ip) => ip.is_loopback(),
        Host::Ipv6(ip) => ip.is_loopback(),
    }
}

impl DockerHost {
    pub(super) fn read(r: &mut Reader) -> Vec<Self> {
        let about = "other hosts' Docker Engines: name, url, ca, cert and key, or plain";
        let all: Vec<Self> = r.tables("docker.hosts", Vec::new(), about);
        let mut names = BTreeSet::new();
        for host in &all {
            let fits = |c: char| c.is_ascii_alphanumeric() || ".-_:".contains(c);
            if host.name.is_empty() || !host.name.chars().all(fits) {
                r.blame("docker.hosts", &format!("docker.hosts: {:?} is no host's name", host.name));
            } else if !names.insert(&host.name) {
                r.blame("docker.hosts", &format!("docker.hosts: {} is there twice", host.name));
            }
            if let Some(why) = host.wrong() {
                r.blame("docker.hosts", &format!("docker.hosts: {} {why}", host.name));
            }
        }
        all
    }

    /// What is wrong with it; an address is not repeated, it may hold a password.
    fn wrong(&self) -> Option<&'static str> {
        if self.cert.is_some() != self.key.is_some() {
            return Some("needs cert and key, or neither");
        }
        let files = self.ca.is_some() || self.cert.is_some();
        if let Some(path) = self.url.strip_prefix("unix://") {
            return match (path.starts_with('/'), files || self.plain) {
                (false, _) => Some("needs a whole path: unix:///…"),
                (true, true) => Some("is reached by a socket, which knows neither TLS (ca, cert, key) nor plain"),
                (true, false) => None,
            };
        }
        let https = self.url.starts_with("https://");
        let host = reached(&self.url).filter(|_| https || self.url.starts_with("tcp://"));
        let Some(host) = host else {
            return Some("needs an address of the form tcp://host:port, https://host:port or unix:///…");
        };
        match (https || files, self.plain) {
            (true, true) => Some("is reached over TLS (https, ca, cert or key): then it is not plain"),
            (false, false) if !loopback(&host) => Some(
                "would be reached without TLS, and whoever reaches that port owns the host: \
                 set ca, cert and key, or plain = true if that is meant",
            ),
            _ => None,
        }
    }

    /// The same for the driver.
    pub fn at(&self) -> DockerAt {
        let own = self.cert.as_ref().zip(self.key.as_ref()).map(|(cert, key)| (cert.into(), key.into()));
        DockerAt::known_by(&self.url, self.ca.as_ref().map(Into::into), own)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Config, ConfigError, from};

    fn read(file: &str) -> Result<Config, ConfigError> {
        from(Some(("padis.toml", file)), std::iter::empty(), None)
    }
    fn faults(host: &str) -> Vec<String> {
        let faults = read(&format!("[[docker.hosts]]\n{host}")).err().map(|e| e.faults).unwrap_or_default();
        faults.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn hosts_are_reached_over_tls_or_somebody_means_it() {
        let file = "[docker]\nsocket = \"unix:///run/a.sock\"\n[[docker.hosts]]\nname = \"node-1.bank\"\n\
                    url = \"tcp://node-1.bank:2376\"\nca = \"/c/ca.pem\"\ncert = \"/c/cert.pem\"\nkey = \"/c/key.pem\"\n";
        let c = read(file).expect("settings");
        let own = Some(("/c/cert.pem".into(), "/c/key.pem".into()));
        let at = DockerAt::known_by("tcp://node-1.bank:2376", Some("/c/ca.pem".into()), own);
        assert_eq!((c.docker.as_str(), c.docker_hosts[0].at()), ("unix:///run/a.sock", at));
        assert!(c.describe().contains("docker.hosts = { ") && c.describe().contains("key = \"/c/key.pem\""));
        for fine in [
            "url = \"https://a\"",
            "url = \"https://10.0.0.5:2376/\"\nca = \"ca.pem\"",
            "url = \"tcp://[2001:db8::1]:2376\"\nca = \"ca.pem\"",
            "url = \"tcp://127.0.0.1:2375\"",
            "url = \"tcp://[::1]:2375\"",
            "url = \"tcp://localhost:80\"",
            "url = \"tcp://10.0.0.5:2375\"\nplain = true",
            "url = \"unix:///run/docker.sock\"",
        ] {
            assert_eq!(faults(&format!("name = \"a\"\n{fine}\n")), [""; 0], "{fine}");
        }
    }

    #[test]
    fn what_gives_a_host_away_or_means_nothing_is_refused() {
        let owns = "whoever reaches that port owns the host";
        let form = "needs an address of the form";
        for (wrong, word) in [
            ("url = \"tcp://10.0.0.5:2375\"", owns),
            ("url = \"tcp://node-1.bank:2375\"", owns),
            ("url = \"tcp://127.0.0.1.bank:2375\"", owns),
            ("url = \"tcp://[2001:db8::1]:2375\"", owns),
            ("url = \"tcp://10.0.0.5:2376\"\ncert = \"c\"", "needs cert and key, or neither"),
            ("url = \"https://10.0.0.5:2376\"\nkey = \"k\"", "needs cert and key, or neither"),
            ("url = \"https://10.0.0.5:2376\"\nplain = true", "then it is not plain"),
            ("url = \"tcp://10.0.0.5:2376\"\nca = \"c\"\nplain = true", "then it is not plain"),
            ("url = \"unix:///a\"\nca = \"c\"", "by a socket"),
            ("url = \"unix://a\"", "whole path"),
            ("url = \"http://10.0.0.5:2375\"\nplain = true", form),
            ("url = \"tcp://10.0.0.5\"\nplain = true", form),
            ("url = \"tcp://10.0.0.5:2375/x\"\nplain = true", form),
            ("url = \"tcp://me:hunter2@10.0.0.5:2375\"\nplain = true", form),
            ("url = \"10.0.0.5:2375\"\nplain = true", form),
        ] {
            let said = faults(&format!("name = \"a\"\n{wrong}\n"));
            assert_eq!(said.len(), 1, "{wrong}: {said:?}");
            assert!(said[0].starts_with("padis.toml:1: docker.hosts: a "), "{said:?}");
            assert!(said[0].contains(word) && !said[0].contains("hunter2"), "{wrong}: {said:?}");
        }
        assert!(faults("name = \"a b\"\nurl = \"unix:///a\"\n")[0].contains("no host's name"));
        let twice = "name = \"a\"\nurl = \"unix:///a\"\n[[docker.hosts]]\nname = \"a\"\nurl = \"unix:///b\"\n";
        assert!(faults(twice)[0].contains("a is there twice"));
        assert!(faults("name = \"a\"\nurl = \"unix:///a\"\ncaa = \"x\"\n")[0].contains("unknown field"));
    }
}
