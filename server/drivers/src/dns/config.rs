//! How the server is set up, and the part of it that stands in SOA and NS records.

use super::names::{Unacceptable, check_name, reversed};
use hickory_proto::rr::Name;
use padis_domain::address::Subnet;
use serde::Deserialize;
use std::net::{IpAddr, SocketAddr};
use std::time::{SystemTime, UNIX_EPOCH};

/// Settings of the built-in name server.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct DnsConfig {
    /// Where it listens, UDP and TCP. Port 0 takes any free one (for tests).
    pub listen: SocketAddr,
    /// Forward zones, such as `padis.localhost`. More can be added while it runs.
    pub zones: Vec<String>,
    /// The server's own name, as it stands in NS and SOA records.
    pub ns_name: String,
    /// The server's own addresses, for its own name. Empty: the address it listens on.
    pub ns_addresses: Vec<IpAddr>,
    /// Mail address of who is responsible for the zones (`hostmaster@padis.localhost`).
    pub mail: String,
    /// Seconds for which resolvers may remember that something does *not* exist.
    /// Small, because a name is often asked for just before it is put.
    pub negative_ttl_s: u32,
    /// Time to live of NS records and of the server's own name, in seconds.
    pub ttl_s: u32,
    /// Subnets whose addresses point back to names. More can be added while it runs.
    pub reverse: Vec<Subnet>,
}

impl Default for DnsConfig {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 5353)),
            zones: vec!["padis.localhost".to_owned()],
            ns_name: "ns.padis.localhost".to_owned(),
            ns_addresses: Vec::new(),
            mail: "hostmaster@padis.localhost".to_owned(),
            negative_ttl_s: 5,
            ttl_s: 300,
            reverse: Vec::new(),
        }
    }
}

/// What every zone says about itself.
pub(super) struct Authority {
    pub ns_name: Name,
    pub ns_key: String,
    pub ns_addresses: Vec<IpAddr>,
    pub mail: Name,
    pub negative_ttl_s: u32,
    pub ttl_s: u32,
    /// Unix seconds at start, so that serials increase over restarts too.
    pub first_serial: u32,
}

impl DnsConfig {
    pub(super) fn authority(&self) -> Result<Authority, Unacceptable> {
        check_name(&self.ns_name)?;
        let name = |text: &str| {
            Name::from_ascii(format!("{text}.")).map_err(|e| Unacceptable(format!("“{text}” is not a name: {e}")))
        };
        let (user, domain) =
            self.mail.split_once('@').ok_or_else(|| Unacceptable(format!("“{}” is not a mail address", self.mail)))?;
        check_name(domain)?;
        let mail = name(domain)?
            .prepend_label(user)
            .map_err(|e| Unacceptable(format!("“{}” is not a mail address: {e}", self.mail)))?;
        let listen = Some(self.listen.ip()).filter(|ip| !ip.is_unspecified());
        let own = if self.ns_addresses.is_empty() { listen.into_iter().collect() } else { self.ns_addresses.clone() };
        let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(1, |d| d.as_secs());
        Ok(Authority {
            ns_name: name(&self.ns_name)?,
            ns_key: reversed(&self.ns_name),
            ns_addresses: own,
            mail,
            negative_ttl_s: self.negative_ttl_s,
            ttl_s: self.ttl_s,
            // Wraps in 2106, which serial arithmetic (RFC 1982) survives.
            first_serial: now as u32,
        })
    }
}
