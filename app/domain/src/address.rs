//! IPv4 subnets and what state an address is in.
//!
//! An address is kept as a number, so that ranges are comparisons. One could get
//! it wrong at the edges: the network address, the broadcast address and the
//! gateway are never given out, and a /31 or /32 holds nothing to give.

use crate::words::words;
use serde::{Deserialize, Serialize};
use std::net::Ipv4Addr;

words! {
    /// The state of one address.
    AddressState {
        /// Can be given.
        Free = "free",
        /// Kept back by an operator, with a reason.
        Reserved = "reserved",
        /// Held by an instance.
        Allocated = "allocated",
        /// Was held a moment ago; not given until its time has passed, so that
        /// caches and connections of its former owner die first.
        Quarantined = "quarantined",
    }
}

/// A subnet such as `10.210.16.0/24`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct Subnet {
    base: u32,
    prefix: u8,
}

/// A text that is not a subnet that Padis can use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SubnetError {
    /// Not `a.b.c.d/n`.
    #[error("not of the form a.b.c.d/n")]
    Malformed,
    /// Bits are set behind the prefix.
    #[error("bits set behind the prefix")]
    HostBits,
    /// Larger than /16 or smaller than /29.
    #[error("the prefix must be 16 to 29")]
    Prefix,
}

impl Subnet {
    /// The largest subnet: /16, 65,536 addresses.
    pub const MIN_PREFIX: u8 = 16;
    /// The smallest subnet: /29, eight addresses.
    pub const MAX_PREFIX: u8 = 29;

    /// The network address as a number.
    pub fn base(self) -> u32 {
        self.base
    }
    /// The prefix length.
    pub fn prefix(self) -> u8 {
        self.prefix
    }
    /// How many addresses there are, network and broadcast included.
    pub fn count(self) -> u32 {
        1 << (32 - self.prefix)
    }
    /// The first address that can belong to a host.
    pub fn first(self) -> u32 {
        self.base + 1
    }
    /// The last address that can belong to a host.
    pub fn last(self) -> u32 {
        self.base + self.count() - 2
    }
    /// Whether `ip` is in it, edges included.
    pub fn contains(self, ip: u32) -> bool {
        ip & self.mask() == self.base
    }
    /// Whether the two share an address.
    pub fn overlaps(self, o: Self) -> bool {
        self.contains(o.base) || o.contains(self.base)
    }
    /// The netmask as a number.
    pub fn mask(self) -> u32 {
        u32::MAX << (32 - self.prefix)
    }
}

impl std::str::FromStr for Subnet {
    type Err = SubnetError;
    fn from_str(s: &str) -> Result<Self, SubnetError> {
        let (ip, prefix) = s.trim().split_once('/').ok_or(SubnetError::Malformed)?;
        let base = u32::from(ip.parse::<Ipv4Addr>().map_err(|_| SubnetError::Malformed)?);
        let prefix: u8 = prefix.parse().map_err(|_| SubnetError::Malformed)?;
        if !(Self::MIN_PREFIX..=Self::MAX_PREFIX).contains(&prefix) {
            return Err(SubnetError::Prefix);
        }
        let it = Self { base, prefix };
        if base & it.mask() != base {
            return Err(SubnetError::HostBits);
        }
        Ok(it)
    }
}
impl std::fmt::Display for Subnet {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}", Ipv4Addr::from(self.base), self.prefix)
    }
}
impl From<Subnet> for String {
    fn from(s: Subnet) -> Self {
        s.to_string()
    }
}
impl TryFrom<String> for Subnet {
    type Error = SubnetError;
    fn try_from(s: String) -> Result<Self, SubnetError> {
        s.parse()
    }
}

/// The dotted form of a numeric address.
pub fn dotted(ip: u32) -> String {
    Ipv4Addr::from(ip).to_string()
}

/// The numeric form of a dotted address.
pub fn parse_ip(s: &str) -> Option<u32> {
    s.trim().parse::<Ipv4Addr>().ok().map(u32::from)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn refuses_what_is_not_a_subnet() {
        assert_eq!("10.0.0.1/24".parse::<Subnet>(), Err(SubnetError::HostBits));
        assert_eq!("10.0.0.0/8".parse::<Subnet>(), Err(SubnetError::Prefix));
        assert_eq!("10.0.0.0/30".parse::<Subnet>(), Err(SubnetError::Prefix));
        assert_eq!("10.0.0/24".parse::<Subnet>(), Err(SubnetError::Malformed));
    }

    fn subnet() -> impl Strategy<Value = Subnet> {
        (any::<u32>(), Subnet::MIN_PREFIX..=Subnet::MAX_PREFIX)
            .prop_map(|(ip, prefix)| Subnet { base: ip & (u32::MAX << (32 - prefix)), prefix })
    }

    proptest! {
        #[test]
        fn text_round_trips(s in subnet()) {
            prop_assert_eq!(s.to_string().parse::<Subnet>(), Ok(s));
        }

        #[test]
        fn hosts_lie_strictly_inside(s in subnet()) {
            prop_assert!(s.first() > s.base() && s.contains(s.first()));
            prop_assert!(s.contains(s.last()) && s.contains(s.last() + 1));
            prop_assert_eq!(s.last() - s.first() + 3, s.count());
        }

        #[test]
        fn overlap_is_symmetric_and_true_to_its_members(a in subnet(), b in subnet()) {
            prop_assert_eq!(a.overlaps(b), b.overlaps(a));
            let share = a.base().max(b.base()) <= (a.base() + (a.count() - 1)).min(b.base() + (b.count() - 1));
            prop_assert_eq!(a.overlaps(b), share);
        }
    }
}
