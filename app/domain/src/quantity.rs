//! CPU, memory and counts, and the arithmetic of quotas.
//!
//! Units stand in names: CPU in thousandths of a core, memory in MiB. One could
//! get it wrong by subtracting past zero: everything here saturates, and what
//! does not fit is said, never clipped.

use serde::{Deserialize, Serialize};

/// What one instance gets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Size {
    /// Thousandths of a core; 250 is a quarter of a core.
    pub cpu_milli: u32,
    /// Memory in MiB.
    pub mem_mib: u32,
}

impl Size {
    /// The presets of the form: S, M, L.
    pub const PRESETS: [(&'static str, Size); 3] = [
        ("S", Size { cpu_milli: 250, mem_mib: 256 }),
        ("M", Size { cpu_milli: 500, mem_mib: 512 }),
        ("L", Size { cpu_milli: 1000, mem_mib: 1024 }),
    ];
    /// The smallest size that may be asked for.
    pub const MIN: Size = Size { cpu_milli: 50, mem_mib: 32 };
    /// The largest size that may be asked for.
    pub const MAX: Size = Size { cpu_milli: 64_000, mem_mib: 512 * 1024 };

    /// The preset's letter, if this is one.
    pub fn preset(self) -> Option<&'static str> {
        Self::PRESETS.iter().find(|(_, s)| *s == self).map(|(n, _)| *n)
    }
    /// What `instances` of this size need, one address each.
    pub fn times(self, instances: u32) -> Amount {
        Amount {
            cpu_milli: u64::from(self.cpu_milli) * u64::from(instances),
            mem_mib: u64::from(self.mem_mib) * u64::from(instances),
            instances: u64::from(instances),
            addresses: u64::from(instances),
        }
    }
}

/// An amount of everything that is counted: a quota, a use, a capacity.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Amount {
    /// Thousandths of a core.
    pub cpu_milli: u64,
    /// MiB.
    pub mem_mib: u64,
    /// Running or wanted instances.
    pub instances: u64,
    /// Addresses.
    pub addresses: u64,
}

/// Which of the four amounts is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Dimension {
    /// Thousandths of a core.
    Cpu,
    /// MiB.
    Memory,
    /// Count.
    Instances,
    /// Count.
    Addresses,
}

/// One dimension in which something does not fit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shortage {
    /// Which.
    pub dimension: Dimension,
    /// How much was wanted in addition, in the dimension's unit.
    pub wanted: u64,
    /// How much was left.
    pub left: u64,
}

impl Amount {
    /// The four dimensions with their values.
    pub fn each(self) -> [(Dimension, u64); 4] {
        [
            (Dimension::Cpu, self.cpu_milli),
            (Dimension::Memory, self.mem_mib),
            (Dimension::Instances, self.instances),
            (Dimension::Addresses, self.addresses),
        ]
    }
    fn zip(self, o: Self, f: impl Fn(u64, u64) -> u64) -> Self {
        Self {
            cpu_milli: f(self.cpu_milli, o.cpu_milli),
            mem_mib: f(self.mem_mib, o.mem_mib),
            instances: f(self.instances, o.instances),
            addresses: f(self.addresses, o.addresses),
        }
    }
    /// The sum, saturating.
    pub fn plus(self, o: Self) -> Self {
        self.zip(o, u64::saturating_add)
    }
    /// The difference, at least zero in each dimension.
    pub fn minus(self, o: Self) -> Self {
        self.zip(o, u64::saturating_sub)
    }
    /// The larger of the two in each dimension.
    pub fn max(self, o: Self) -> Self {
        self.zip(o, u64::max)
    }
    /// Whether `wanted` fits on top of `used` into this quota; the first
    /// dimension in which it does not, otherwise. A dimension of which nothing
    /// more is wanted never refuses, so that scaling down works over quota.
    pub fn admits(self, used: Self, wanted: Self) -> Result<(), Shortage> {
        let left = self.minus(used);
        for ((dimension, w), (_, l)) in wanted.each().into_iter().zip(left.each()) {
            if w > 0 && w > l {
                return Err(Shortage { dimension, wanted: w, left: l });
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn amount() -> impl Strategy<Value = Amount> {
        (0u64..1 << 40, 0u64..1 << 40, 0u64..1 << 20, 0u64..1 << 20)
            .prop_map(|(cpu_milli, mem_mib, instances, addresses)| Amount { cpu_milli, mem_mib, instances, addresses })
    }

    proptest! {
        #[test]
        fn what_is_admitted_fits(quota in amount(), used in amount(), wanted in amount()) {
            match quota.admits(used, wanted) {
                Ok(()) => for (((_, q), (_, u)), (_, w)) in quota.each().into_iter().zip(used.each()).zip(wanted.each()) {
                    prop_assert!(w == 0 || u + w <= q);
                },
                Err(s) => {
                    prop_assert!(s.wanted > s.left);
                    prop_assert!(s.wanted > 0);
                }
            }
        }

        #[test]
        fn nothing_wanted_is_always_admitted(quota in amount(), used in amount()) {
            prop_assert!(quota.admits(used, Amount::default()).is_ok());
        }

        #[test]
        fn minus_undoes_plus(a in amount(), b in amount()) {
            prop_assert_eq!(a.plus(b).minus(b), a);
        }
    }
}
