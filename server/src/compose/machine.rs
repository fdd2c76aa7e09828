//! What this machine has: memory, cores, routes. Read from `/proc`.

use padis_domain::address::Subnet;
use std::path::Path;

/// MiB of memory; 1 GiB if the kernel does not say.
pub fn mem_mib() -> u64 {
    let text = std::fs::read_to_string("/proc/meminfo").unwrap_or_default();
    let line = text.lines().find_map(|l| l.strip_prefix("MemTotal:"));
    let kib: Option<u64> = line.and_then(|l| l.split_whitespace().next()).and_then(|n| n.parse().ok());
    kib.map_or(1024, |k| k / 1024)
}

/// Cores.
pub fn cores() -> f64 {
    std::thread::available_parallelism().map_or(1.0, |n| n.get() as f64)
}

/// The machine's name.
pub fn hostname() -> String {
    let name = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    let name: String = name.trim().chars().filter(|c| c.is_ascii_alphanumeric() || *c == '-').collect();
    if name.is_empty() { "localhost".to_owned() } else { name }
}

/// A route of the kernel's main table: interface, network, mask.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Route {
    /// Interface.
    pub interface: String,
    /// Network, numeric.
    pub base: u32,
    /// Mask, numeric.
    pub mask: u32,
}

impl Route {
    /// Whether the subnet shares an address with it. The default route does not count.
    pub fn overlaps(&self, s: Subnet) -> bool {
        self.mask != 0 && (self.base & s.mask() == s.base() || s.base() & self.mask == self.base)
    }
    /// Whether it is a Docker bridge for exactly this subnet: a network of ours from an earlier life.
    pub fn is_bridge_of(&self, s: Subnet) -> bool {
        self.interface.starts_with("br-") && self.base == s.base() && self.mask == s.mask()
    }
}

/// The IPv4 routes.
pub fn routes() -> Vec<Route> {
    parse_routes(&std::fs::read_to_string(Path::new("/proc/net/route")).unwrap_or_default())
}

/// Lines of `/proc/net/route`: interface, destination, …, mask as eighth field, numbers in hex and host order.
fn parse_routes(text: &str) -> Vec<Route> {
    let number = |s: &str| u32::from_str_radix(s, 16).ok().map(|n| u32::from_be_bytes(n.to_ne_bytes()));
    text.lines()
        .skip(1)
        .filter_map(|l| {
            let f: Vec<&str> = l.split_whitespace().collect();
            Some(Route { interface: (*f.first()?).to_owned(), base: number(f.get(1)?)?, mask: number(f.get(7)?)? })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn routes_are_read_and_compared() {
        let text = "Iface\tDestination\tGateway\tFlags\tRefCnt\tUse\tMetric\tMask\n\
                    eth0\t00000000\t0100000A\t0003\t0\t0\t0\t00000000\n\
                    br-1\t0010D20A\t00000000\t0001\t0\t0\t0\t00FFFFFF\n";
        let r = parse_routes(text);
        let s: Subnet = "10.210.16.0/24".parse().expect("subnet");
        let other: Subnet = "10.210.32.0/24".parse().expect("subnet");
        assert!(!r[0].overlaps(s), "the default route is everywhere");
        assert!(r[1].overlaps(s) && r[1].is_bridge_of(s) && !r[1].overlaps(other));
        let wide: Subnet = "10.210.0.0/16".parse().expect("subnet");
        assert!(r[1].overlaps(wide) && !r[1].is_bridge_of(wide));
    }
}
