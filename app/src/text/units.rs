//! Amounts with their unit. Only integers are formatted: the float printer would
//! cost the browser 20 kB, and a figure on a screen has few digits anyway.

use super::Texts;
use padis_domain::quantity::{Dimension, Size};

/// `v` with at most `digits` decimals, trailing zeros cut: `0.5`, `1.45`, `12`.
pub fn fixed(v: f64, digits: u32) -> String {
    let scale = 10_i64.pow(digits);
    let n = (v * scale as f64).round() as i64;
    let (sign, n) = (if n < 0 { "-" } else { "" }, n.unsigned_abs());
    let (whole, frac) = (n / scale as u64, n % scale as u64);
    let frac = if digits == 0 { String::new() } else { format!("{frac:0w$}", w = digits as usize) };
    let frac = frac.trim_end_matches('0');
    if frac.is_empty() { format!("{sign}{whole}") } else { format!("{sign}{whole}.{frac}") }
}
/// Thousandths as a decimal number: 250 is `0.25`.
pub fn cores(milli: u64) -> String {
    fixed(milli as f64 / 1000.0, 2)
}
/// MiB as `512 MiB`, `2 GiB`, `1.5 GiB`.
pub fn mib(mib: u64) -> String {
    if mib < 1024 { format!("{mib} MiB") } else { format!("{} GiB", fixed(mib as f64 / 1024.0, 2)) }
}
/// Bytes in decimal units: `61.2 MB`.
pub fn bytes(b: u64) -> String {
    const UNITS: [(&str, f64); 4] = [("TB", 1e12), ("GB", 1e9), ("MB", 1e6), ("kB", 1e3)];
    for (unit, size) in UNITS {
        if b as f64 >= size {
            return format!("{} {unit}", fixed(b as f64 / size, 1));
        }
    }
    format!("{b} B")
}
/// A large count with thousands separated: `2,310,000`.
pub fn count(n: u64) -> String {
    let digits = n.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (i, c) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push(',');
        }
        out.push(c);
    }
    out
}

impl Texts {
    /// `0.5 CPU`, `3 CPUs`.
    pub fn cpu(&self, milli: u64) -> String {
        let n = cores(milli);
        let plural = milli > 1000;
        self.pick_with(|| format!("{n} CPU"), || format!("{n} CPU{}", if plural { "s" } else { "" }))
    }
    /// An amount in the unit of its dimension.
    pub fn amount(&self, d: Dimension, n: u64) -> String {
        match d {
            Dimension::Cpu => self.cpu(n),
            Dimension::Memory => mib(n),
            Dimension::Instances => self.instances(n),
            Dimension::Addresses => self.addresses(n),
        }
    }
    /// The dimension's name.
    pub fn dimension(&self, d: Dimension) -> &'static str {
        match d {
            Dimension::Cpu => "CPU",
            Dimension::Memory => self.pick("内存", "Memory"),
            Dimension::Instances => self.pick("实例", "Instances"),
            Dimension::Addresses => self.pick("地址", "Addresses"),
        }
    }
    /// `0.5 CPU · 512 MiB`.
    pub fn size(&self, s: Size) -> String {
        format!("{} · {}", self.cpu(u64::from(s.cpu_milli)), mib(u64::from(s.mem_mib)))
    }
    /// `M` or `0.3 CPU · 300 MiB`: the short form.
    pub fn size_short(&self, s: Size) -> String {
        s.preset().map_or_else(|| self.size(s), str::to_owned)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_cut_not_rounded_away() {
        assert_eq!(fixed(0.5, 2), "0.5");
        assert_eq!(fixed(-1.456, 2), "-1.46");
        assert_eq!(fixed(12.0, 1), "12");
        assert_eq!(cores(250), "0.25");
        assert_eq!(mib(1536), "1.5 GiB");
        assert_eq!(bytes(61_200_000), "61.2 MB");
        assert_eq!(bytes(999), "999 B");
        assert_eq!(count(2_310_000), "2,310,000");
        assert_eq!(count(999), "999");
    }
}
