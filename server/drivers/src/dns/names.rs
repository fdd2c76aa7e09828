//! What the server knows: names, addresses and zones, in memory.
//!
//! Names are kept with their labels reversed (`localhost.padis.shop`), so that
//! everything below a name is one range of a sorted map. That range is what tells
//! "exists, but has no such record" (NODATA) from "does not exist" (NXDOMAIN): a
//! name with descendants exists even when it has no record of its own (an empty
//! non-terminal, RFC 8020). One could get it wrong by answering NXDOMAIN there:
//! resolvers then take the whole subtree for absent.
//!
//! A name costs its text in each map, its addresses once:
//! 100,000 names that point back take 35 MB (measured by the contract test).

use super::config::Authority;
use hickory_proto::rr::rdata::{A, AAAA, NS, PTR, SOA};
use hickory_proto::rr::{Name, RData, Record, RecordType};
use padis_domain::address::Subnet;
use padis_domain::ports::NameRecord;
use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr};
use std::ops::Bound;

/// A name's own data.
struct Entry {
    ttl_s: u32,
    ptr: bool,
    addresses: Box<[IpAddr]>,
}

/// What to say to one question.
pub(super) enum Answer {
    /// Not in one of our zones.
    Refused,
    /// Records of the wanted kind.
    Records(Vec<Record>),
    /// The name exists without such a record; the zone's SOA.
    NoData(Record),
    /// The name does not exist; the zone's SOA.
    NoName(Record),
}

/// Why a record is not accepted, in plain words.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(super) struct Unacceptable(pub String);

/// All names, addresses and zones.
pub(super) struct Names {
    authority: Authority,
    /// Reversed zone name to its serial number.
    zones: BTreeMap<Box<str>, u32>,
    forward: BTreeMap<Box<str>, Entry>,
    /// Which (reversed) names an address points back to.
    reverse: BTreeMap<u32, Vec<Box<str>>>,
}

/// `shop.padis.localhost` becomes `localhost.padis.shop`, and back.
pub(super) fn reversed(name: &str) -> String {
    name.rsplit('.').collect::<Vec<_>>().join(".")
}

/// The reversed, lower-case form of a name from the wire. Bytes that no name of
/// ours can hold (a dot inside a label among them) become `?`, which matches nothing.
fn from_wire(name: &Name) -> String {
    let mut labels: Vec<&[u8]> = name.iter().collect();
    labels.reverse();
    let plain = |b: &u8| match b.to_ascii_lowercase() {
        b @ (b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_') => char::from(b),
        _ => '?',
    };
    labels.iter().map(|label| label.iter().map(plain).collect::<String>()).collect::<Vec<_>>().join(".")
}

/// Whether the text is a host name that we can serve: RFC 1035 lengths, lower case.
pub(super) fn check_name(name: &str) -> Result<(), Unacceptable> {
    let good = |label: &str| {
        (1..=63).contains(&label.len())
            && label.bytes().all(|b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_'))
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    if name.len() > 253 || !name.split('.').all(good) {
        return Err(Unacceptable(format!(
            "“{name}” is not a host name: labels of 1 to 63 lower-case letters, digits and hyphens, joined by dots, 253 characters at most"
        )));
    }
    Ok(())
}

fn wire(reversed_name: &str) -> Name {
    // Only checked names are stored, so this can't fail; the root is never asked for.
    Name::from_ascii(format!("{}.", reversed(reversed_name))).unwrap_or_else(|_| Name::root())
}

impl Names {
    pub(super) fn new(authority: Authority) -> Self {
        Self { authority, zones: BTreeMap::new(), forward: BTreeMap::new(), reverse: BTreeMap::new() }
    }

    /// Serves a forward zone from now on; again is fine.
    pub(super) fn ensure_zone(&mut self, zone: &str) -> Result<(), Unacceptable> {
        check_name(zone)?;
        self.add_zone(reversed(zone));
        Ok(())
    }

    /// Serves the reverse zones of a subnet: one per /24, one alone for a /16. A
    /// subnet smaller than /24 gets the /24 that it lies in.
    pub(super) fn ensure_reverse(&mut self, subnet: Subnet) {
        let [a, b, ..] = Ipv4Addr::from(subnet.base()).octets();
        if subnet.prefix() == 16 {
            return self.add_zone(format!("arpa.in-addr.{a}.{b}"));
        }
        let first = subnet.base() >> 8;
        for net in first..=first + ((subnet.count() - 1) >> 8) {
            self.add_zone(format!("arpa.in-addr.{a}.{b}.{}", net & 0xff));
        }
    }

    fn add_zone(&mut self, zone: String) {
        let start = self.authority.first_serial;
        self.zones.entry(zone.into_boxed_str()).or_insert(start);
    }

    /// The zones, forward and reverse, in their usual spelling.
    pub(super) fn zones(&self) -> Vec<String> {
        self.zones.keys().map(|z| reversed(z)).collect()
    }

    /// The innermost zone that holds the (reversed) name.
    fn zone_of<'a>(&self, name: &'a str) -> Option<&'a str> {
        let mut at = name;
        loop {
            if self.zones.contains_key(at) {
                return Some(at);
            }
            at = &at[..at.rfind('.')?];
        }
    }

    fn bump(&mut self, name: &str) {
        if let Some(zone) = self.zone_of(name)
            && let Some(serial) = self.zones.get_mut(zone)
        {
            // Wraps after 2^32 changes, as RFC 1982 wants it.
            *serial = serial.wrapping_add(1);
        }
    }

    fn arpa(ip: u32) -> String {
        let [a, b, c, d] = Ipv4Addr::from(ip).octets();
        format!("arpa.in-addr.{a}.{b}.{c}.{d}")
    }

    /// Upsert.
    pub(super) fn put(&mut self, record: &NameRecord) -> Result<(), Unacceptable> {
        check_name(&record.name)?;
        let key = reversed(&record.name);
        let forward = |zone: &str| !zone.starts_with("arpa.in-addr.");
        if !self.zone_of(&key).is_some_and(forward) {
            let served: Vec<String> =
                self.zones.keys().filter(|z| forward(z)).map(|z| format!("“{}”", reversed(z))).collect();
            return Err(Unacceptable(format!(
                "“{}” lies outside the zones that this name server is responsible for ({})",
                record.name,
                if served.is_empty() { "none yet".to_owned() } else { served.join(", ") }
            )));
        }
        if key == self.authority.ns_key {
            return Err(Unacceptable(format!("“{}” is the name server's own name", record.name)));
        }
        if record.ttl_s > i32::MAX as u32 {
            return Err(Unacceptable(format!("a time to live of {} s is more than RFC 2181 allows", record.ttl_s)));
        }
        let mut addresses = Vec::with_capacity(record.addresses.len());
        for text in &record.addresses {
            let ip: IpAddr = text
                .parse()
                .map_err(|_| Unacceptable(format!("“{text}” of “{}” is not an IP address", record.name)))?;
            if !addresses.contains(&ip) {
                addresses.push(ip);
            }
        }
        if addresses.is_empty() {
            return Err(Unacceptable(format!("“{}” has no address", record.name)));
        }
        if let Some(old) = self.forward.get(key.as_str()) {
            if old.ttl_s == record.ttl_s && old.ptr == record.ptr && *old.addresses == *addresses {
                return Ok(());
            }
            self.unlink(&key);
        }
        if record.ptr {
            for ip in addresses.iter().filter_map(v4) {
                self.reverse.entry(ip).or_default().push(key.clone().into_boxed_str());
                self.bump(&Self::arpa(ip));
            }
        }
        self.bump(&key);
        let entry = Entry { ttl_s: record.ttl_s, ptr: record.ptr, addresses: addresses.into() };
        self.forward.insert(key.into_boxed_str(), entry);
        Ok(())
    }

    /// Absent is fine.
    pub(super) fn delete(&mut self, name: &str) {
        let key = reversed(name);
        if self.unlink(&key) {
            self.bump(&key);
        }
    }

    /// Takes the name and its way back out; false if it was absent.
    fn unlink(&mut self, key: &str) -> bool {
        let Some(old) = self.forward.remove(key) else { return false };
        for ip in old.addresses.iter().filter(|_| old.ptr).filter_map(v4) {
            if let Some(names) = self.reverse.get_mut(&ip) {
                names.retain(|n| &**n != key);
                if names.is_empty() {
                    self.reverse.remove(&ip);
                }
            }
            self.bump(&Self::arpa(ip));
        }
        true
    }

    pub(super) fn list(&self) -> Vec<NameRecord> {
        let record = |key: &str, e: &Entry| NameRecord {
            name: reversed(key),
            addresses: e.addresses.iter().map(ToString::to_string).collect(),
            ttl_s: e.ttl_s,
            ptr: e.ptr,
        };
        self.forward.iter().map(|(key, e)| record(key, e)).collect()
    }

    /// The answer for one question; `asked` is echoed with the asker's own spelling
    /// (some resolvers check that, draft-vixie-dnsext-dns0x20).
    pub(super) fn answer(&self, asked: &Name, kind: RecordType) -> Answer {
        let key = from_wire(asked);
        let Some(zone) = self.zone_of(&key) else { return Answer::Refused };
        let mut records = Vec::new();
        let wants = |k: RecordType| kind == k || kind == RecordType::ANY;
        if key == zone {
            if wants(RecordType::SOA) {
                records.push(self.soa(zone));
            }
            if wants(RecordType::NS) {
                let ns = RData::NS(NS(self.authority.ns_name.clone()));
                records.push(Record::from_rdata(asked.clone(), self.authority.ttl_s, ns));
            }
        }
        let own = (key == self.authority.ns_key).then_some((&self.authority.ns_addresses[..], self.authority.ttl_s));
        let put = self.forward.get(key.as_str()).map(|e| (&e.addresses[..], e.ttl_s));
        for (addresses, ttl_s) in own.into_iter().chain(put) {
            for ip in addresses {
                let data = match ip {
                    IpAddr::V4(ip) if wants(RecordType::A) => RData::A(A(*ip)),
                    IpAddr::V6(ip) if wants(RecordType::AAAA) => RData::AAAA(AAAA(*ip)),
                    _ => continue,
                };
                records.push(Record::from_rdata(asked.clone(), ttl_s, data));
            }
        }
        let pointers = address_of(&key).and_then(|ip| self.reverse.get(&ip));
        if wants(RecordType::PTR) {
            for name in pointers.into_iter().flatten() {
                let ttl_s = self.forward.get(name).map_or(self.authority.ttl_s, |e| e.ttl_s);
                records.push(Record::from_rdata(asked.clone(), ttl_s, RData::PTR(PTR(wire(name)))));
            }
        }
        if !records.is_empty() {
            return Answer::Records(records);
        }
        let exists = key == zone
            || own.is_some()
            || put.is_some()
            || pointers.is_some()
            || self.has_below(&key)
            || self.reverse_below(&key);
        if exists { Answer::NoData(self.soa(zone)) } else { Answer::NoName(self.soa(zone)) }
    }

    /// Whether a name or a zone lies below: then this one exists, too.
    fn has_below(&self, key: &str) -> bool {
        let below = format!("{key}.");
        let from = (Bound::Included(below.as_str()), Bound::Unbounded);
        let first = |next: Option<&Box<str>>| next.is_some_and(|n| n.starts_with(&below));
        first(self.forward.range::<str, _>(from).next().map(|(n, _)| n))
            || first(self.zones.range::<str, _>(from).next().map(|(n, _)| n))
            || self.authority.ns_key.starts_with(&below)
    }

    /// The same in `in-addr.arpa`, where names are numbers.
    fn reverse_below(&self, key: &str) -> bool {
        let Some(octets) = octets_of(key) else { return false };
        if octets.len() >= 4 {
            return false;
        }
        let bits = 32 - 8 * octets.len() as u32;
        let low = octets.iter().fold(0u32, |ip, o| ip << 8 | u32::from(*o)).checked_shl(bits).unwrap_or(0);
        let high = low | u32::MAX.checked_shr(32 - bits).unwrap_or(0);
        self.reverse.range(low..=high).next().is_some()
    }

    /// The SOA that stands in negative answers: cached for no longer than
    /// `negative_ttl_s` (RFC 2308 section 5 takes the lesser of TTL and minimum).
    fn soa(&self, zone: &str) -> Record {
        let a = &self.authority;
        let serial = self.zones.get(zone).copied().unwrap_or(a.first_serial);
        let soa = SOA::new(a.ns_name.clone(), a.mail.clone(), serial, 3600, 600, 604_800, a.negative_ttl_s);
        Record::from_rdata(wire(zone), a.negative_ttl_s, RData::SOA(soa))
    }
}

fn v4(ip: &IpAddr) -> Option<u32> {
    match ip {
        IpAddr::V4(ip) => Some(u32::from(*ip)),
        IpAddr::V6(_) => None,
    }
}

/// The octets of a reversed `in-addr.arpa` name, most significant first.
fn octets_of(key: &str) -> Option<Vec<u8>> {
    let numbers = key.strip_prefix("arpa.in-addr.")?;
    let one = |text: &str| text.parse::<u8>().ok().filter(|n| n.to_string() == text);
    numbers.split('.').map(one).collect()
}

fn address_of(key: &str) -> Option<u32> {
    let octets: [u8; 4] = octets_of(key)?.try_into().ok()?;
    Some(u32::from_be_bytes(octets))
}

#[cfg(test)]
mod tests;
