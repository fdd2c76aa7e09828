//! Reading what people type: amounts with units, lines of pairs. One could get
//! it wrong by being strict where the meaning is plain: `0,5`, `2g` and `512`
//! are all understood.

use crate::text::units;
use padis_domain::Problem;
use padis_domain::app::{Env, EnvVar};
use padis_domain::name::check_env_name;
use padis_domain::problem::ValueFault;
use std::collections::BTreeMap;
use std::str::FromStr;

/// Collects what is wrong with a form, so that all of it is said at once.
#[derive(Debug, Default)]
pub struct Faults(Vec<Problem>);

impl Faults {
    /// Notes a fault of `field`.
    pub fn add(&mut self, field: &str, fault: ValueFault) {
        self.0.push(Problem::field(field, fault));
    }
    /// Takes the value, or notes the problem and takes the default.
    pub fn take<T: Default>(&mut self, got: Result<T, Problem>) -> T {
        got.unwrap_or_else(|p| {
            match p {
                Problem::Fields { problems } => self.0.extend(problems),
                p => self.0.push(p),
            }
            T::default()
        })
    }
    /// A number; empty is `empty`, or missing if there is none.
    pub fn number<T: FromStr + Default>(&mut self, field: &str, text: &str, empty: Option<T>) -> T {
        let text = text.trim();
        match (text.is_empty(), empty) {
            (true, Some(v)) => v,
            (true, None) => {
                self.add(field, ValueFault::Missing);
                T::default()
            }
            (false, _) => self.take(text.parse().map_err(|_| Problem::field(field, ValueFault::Malformed))),
        }
    }
    /// A word of a closed vocabulary.
    pub fn word<T>(&mut self, field: &str, text: &str, parse: impl Fn(&str) -> Option<T>, otherwise: T) -> T {
        let text = text.trim();
        parse(text).unwrap_or_else(|| {
            self.add(field, if text.is_empty() { ValueFault::Missing } else { ValueFault::Unknown });
            otherwise
        })
    }
    /// The value if nothing was wrong; one problem, or all of them together.
    pub fn done<T>(mut self, value: T) -> Result<T, Problem> {
        match self.0.len() {
            0 => Ok(value),
            1 => Err(self.0.remove(0)),
            _ => Err(Problem::Fields { problems: self.0 }),
        }
    }
}

/// A decimal number in thousandths: `0.5` → 500. Finer digits are refused.
fn thousandths(text: &str) -> Option<u64> {
    let text = text.replace(',', ".");
    let (whole, part) = text.split_once('.').unwrap_or((&text, ""));
    let digits = |s: &str| s.chars().all(|c| c.is_ascii_digit());
    if (whole.is_empty() && part.is_empty()) || !digits(whole) || !digits(part) || part.len() > 3 {
        return None;
    }
    let whole: u64 = if whole.is_empty() { 0 } else { whole.parse().ok()? };
    let part: u64 = format!("{part:0<3}").parse().ok()?;
    whole.checked_mul(1000)?.checked_add(part)
}

/// Cores in thousandths: `0.5`, `2`, `500m`.
pub fn cores(field: &str, text: &str) -> Result<u64, Problem> {
    let text = text.trim().to_ascii_lowercase();
    if text.is_empty() {
        return Err(Problem::missing(field));
    }
    let found = match text.strip_suffix('m') {
        Some(milli) => milli.trim().parse().ok(),
        None => thousandths(text.trim_end_matches("cpu").trim()),
    };
    found.ok_or_else(|| Problem::field(field, ValueFault::Malformed))
}

/// Memory in MiB: `512`, `512 MiB`, `2 GiB`, `1.5g`.
pub fn memory(field: &str, text: &str) -> Result<u64, Problem> {
    let text = text.trim().to_ascii_lowercase();
    if text.is_empty() {
        return Err(Problem::missing(field));
    }
    let split = text.find(|c: char| c.is_ascii_alphabetic()).unwrap_or(text.len());
    let (number, unit) = text.split_at(split);
    let factor: Option<u64> = match unit.trim() {
        "" | "m" | "mb" | "mib" => Some(1),
        "g" | "gb" | "gib" => Some(1024),
        "t" | "tb" | "tib" => Some(1024 * 1024),
        _ => None,
    };
    factor
        .zip(thousandths(number.trim()))
        .and_then(|(f, n)| n.checked_mul(f))
        .map(|n| n / 1000)
        .ok_or_else(|| Problem::field(field, ValueFault::Malformed))
}

/// Lines of `name=value`; empty lines and lines that start with `#` are left out.
pub fn pairs(field: &str, text: &str) -> Result<BTreeMap<String, String>, Problem> {
    let mut out = BTreeMap::new();
    for line in text.lines().map(str::trim).filter(|l| !l.is_empty() && !l.starts_with('#')) {
        let (k, v) = line.split_once('=').ok_or_else(|| Problem::field(field, ValueFault::Malformed))?;
        if k.trim().is_empty() {
            return Err(Problem::field(field, ValueFault::Malformed));
        }
        if out.insert(k.trim().to_owned(), v.trim().to_owned()).is_some() {
            return Err(Problem::field(field, ValueFault::Repeated));
        }
    }
    Ok(out)
}

/// The environment from two texts of `NAME=value` lines, plain and secret. A
/// secret without a value keeps the value that it has.
pub fn env_lines(plain: &str, secret: &str) -> Result<Env, Problem> {
    let mut out = Env::new();
    for (field, text, is_secret) in [("env", plain, false), ("secrets", secret, true)] {
        for line in text.lines().map(str::trim_end).filter(|l| !l.trim().is_empty()) {
            let (name, value) = match line.split_once('=') {
                Some((n, v)) => (n.trim(), v),
                None if is_secret => (line.trim(), ""),
                None => return Err(Problem::field(field, ValueFault::Malformed)),
            };
            check_env_name(name).map_err(|fault| Problem::field(field, ValueFault::Name { fault }))?;
            let var = EnvVar { secret: is_secret, value: value.to_owned() };
            if out.insert(name.to_owned(), var).is_some() {
                return Err(Problem::field(field, ValueFault::Repeated));
            }
        }
    }
    Ok(out)
}

/// Variables as lines, the plain or the secret ones; of those only the names.
pub fn env_text(env: &Env, secret: bool) -> String {
    env.iter()
        .filter(|(_, v)| v.secret == secret)
        .map(|(k, v)| if secret { format!("{k}=\n") } else { format!("{k}={}\n", v.value) })
        .collect()
}

/// Milliseconds as seconds with up to three decimals.
pub fn seconds_text(ms: u32) -> String {
    units::fixed(f64::from(ms) / 1000.0, 3)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_read_as_people_write_them() {
        assert_eq!(cores("cpu", "0.25"), Ok(250));
        assert_eq!(cores("cpu", " 2 "), Ok(2000));
        assert_eq!(cores("cpu", "1,5"), Ok(1500));
        assert_eq!(cores("cpu", "250m"), Ok(250));
        assert_eq!(memory("mem", "512"), Ok(512));
        assert_eq!(memory("mem", "1.5 GiB"), Ok(1536));
        assert_eq!(memory("mem", "2g"), Ok(2048));
        for bad in ["x", "-1", "1.2.3", "1e3", "99999999999999999999", "."] {
            assert_eq!(cores("cpu", bad), Err(Problem::field("cpu", ValueFault::Malformed)), "{bad}");
            assert_eq!(memory("mem", bad), Err(Problem::field("mem", ValueFault::Malformed)), "{bad}");
        }
        assert_eq!(cores("cpu", " "), Err(Problem::missing("cpu")));
    }

    #[test]
    fn lines_name_what_is_wrong() {
        assert_eq!(pairs("hosts", "zone = SF\n\n# why\nrack=a=1").map(|m| m.len()), Ok(2));
        assert_eq!(pairs("hosts", "zone"), Err(Problem::field("hosts", ValueFault::Malformed)));
        assert_eq!(pairs("hosts", "a=1\na=2"), Err(Problem::field("hosts", ValueFault::Repeated)));
    }

    #[test]
    fn an_empty_secret_keeps_its_value_and_a_doubled_name_is_refused() {
        let env = env_lines("A=1\nB= x y", "TOKEN\nKEY=a=b");
        let env = env.unwrap_or_default();
        assert_eq!(env.get("B").map(|v| v.value.as_str()), Some(" x y"));
        assert_eq!(env.get("TOKEN").map(|v| (v.secret, v.value.as_str())), Some((true, "")));
        assert_eq!(env.get("KEY").map(|v| v.value.as_str()), Some("a=b"));
        assert_eq!(env_lines("A=1", "A=2"), Err(Problem::field("secrets", ValueFault::Repeated)));
        assert!(env_lines("MESOS_X=1", "").is_err());
    }
}
