//! Resources as v0 answers and agents' flags write them: as text.
//!
//! `[31000-31499, 31502-31999]` is ranges, `{a, b}` a set, anything else a number;
//! a whole list is `cpus:4;mem:2048;ports:[31000-31999]`, with a role behind the
//! name if it is reserved (`cpus(infra):2`). A text that is not of this form gives
//! `None`; one could get it wrong by reading "no ports" into it.

use super::Resources;
use crate::mesos::v1::{ReservationInfo, ReservationType, Resource, Set, ValueType};
use serde_json::Value;

/// Ranges, each with both ends, of `[1-3, 5-5]`; `None` if it is no such text or an
/// end is before its beginning.
pub fn parse_ranges(text: &str) -> Option<Vec<(u64, u64)>> {
    let inner = text.trim().strip_prefix('[')?.strip_suffix(']')?;
    let range = |part: &str| {
        let (begin, end) = part.split_once('-')?;
        let (begin, end) = (number(begin)?, number(end)?);
        (begin <= end).then_some((begin, end))
    };
    if inner.trim().is_empty() { Some(Vec::new()) } else { inner.split(',').map(range).collect() }
}

/// The text of ranges, as Mesos writes it; touching ones are joined.
pub fn format_ranges(ranges: impl IntoIterator<Item = (u64, u64)>) -> String {
    let mut sorted: Vec<(u64, u64)> = ranges.into_iter().filter(|(b, e)| b <= e).collect();
    sorted.sort_unstable();
    let mut joined: Vec<(u64, u64)> = Vec::with_capacity(sorted.len());
    for (begin, end) in sorted {
        match joined.last_mut() {
            Some(last) if begin <= last.1.saturating_add(1) => last.1 = last.1.max(end),
            _ => joined.push((begin, end)),
        }
    }
    let parts: Vec<String> = joined.iter().map(|(b, e)| format!("{b}-{e}")).collect();
    format!("[{}]", parts.join(", "))
}

/// The words of `{a, b}`; `None` if it is no such text.
pub fn parse_set(text: &str) -> Option<Vec<String>> {
    let inner = text.trim().strip_prefix('{')?.strip_suffix('}')?;
    let words = inner.split(',').map(|w| w.trim().to_owned()).filter(|w| !w.is_empty());
    Some(words.collect())
}

/// The text of a set.
pub fn format_set<S: AsRef<str>>(words: &[S]) -> String {
    let words: Vec<&str> = words.iter().map(AsRef::as_ref).collect();
    format!("{{{}}}", words.join(", "))
}

/// The ranges of a resource of a v0 answer, `ports`; none if it is absent or has no ranges.
pub fn ranges(resources: &Resources, name: &str) -> Vec<(u64, u64)> {
    resources.get(name).and_then(Value::as_str).and_then(parse_ranges).unwrap_or_default()
}

/// How many numbers the ranges hold; saturates.
pub fn count(ranges: &[(u64, u64)]) -> u64 {
    ranges.iter().fold(0, |sum: u64, (b, e)| sum.saturating_add(e.saturating_sub(*b)).saturating_add(1))
}

/// A list as an agent's `--resources` has it; `None` if one entry is of another form.
pub fn parse_resources(text: &str) -> Option<Vec<Resource>> {
    text.split(';').map(str::trim).filter(|part| !part.is_empty()).map(parse_resource).collect()
}

fn parse_resource(part: &str) -> Option<Resource> {
    let (name, value) = part.split_once(':')?;
    let (name, role) = match name.trim().split_once('(') {
        Some((name, role)) => (name.trim(), Some(role.trim().strip_suffix(')')?)),
        None => (name.trim(), None),
    };
    let value = value.trim();
    let mut resource = if value.starts_with('[') {
        Resource::ranges(name, parse_ranges(value)?)
    } else if value.starts_with('{') {
        let set = Some(Set { item: parse_set(value)?, ..Set::default() });
        Resource { name: name.to_owned(), kind: ValueType::Set, set, ..Resource::default() }
    } else {
        Resource::scalar(name, value.parse::<f64>().ok().filter(|v| v.is_finite())?)
    };
    if let Some(role) = role.filter(|r| *r != "*") {
        let role = Some(role.to_owned());
        resource.reservations =
            vec![ReservationInfo { kind: ReservationType::Static, role, ..ReservationInfo::default() }];
    }
    (!resource.name.is_empty()).then_some(resource)
}

/// Digits only: `parse` alone would take `+5`.
fn number(text: &str) -> Option<u64> {
    let text = text.trim();
    text.bytes().all(|b| b.is_ascii_digit()).then(|| text.parse().ok())?
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn as_mesos_writes_them() {
        let text = "[31000-31499, 31502-33999]";
        assert_eq!(parse_ranges(text), Some(vec![(31000, 31499), (31502, 33999)]));
        assert_eq!(format_ranges([(31502, 33999), (31000, 31400), (31401, 31499)]), text);
        assert_eq!(parse_ranges("[]"), Some(Vec::new()));
        for bad in [
            "",
            "31000-31999",
            "[31000]",
            "[5-3]",
            "[1-+2]",
            "[-]",
            "[1-2",
            "[99999999999999999999-99999999999999999999]",
        ] {
            assert_eq!(parse_ranges(bad), None, "{bad}");
        }
        assert_eq!(parse_set("{a, b,}"), Some(vec!["a".to_owned(), "b".to_owned()]));
        assert_eq!(format_set(&["a", "b"]), "{a, b}");
        assert_eq!(count(&[(0, u64::MAX), (0, 9)]), u64::MAX);
        let list = parse_resources("cpus:4;mem(infra):2048; ports:[31000-31999];disks:{sda}").unwrap();
        assert_eq!(list[1].reserved_for(), "infra");
        assert_eq!(list[0].reserved_for(), "*");
        assert_eq!(list[2].ranges.as_ref().unwrap().range[0].end, 31999);
        assert_eq!(parse_resources("cpus:NaN"), None);
        assert_eq!(parse_resources(":1"), None);
    }

    proptest! {
        #[test]
        fn ranges_both_ways(ranges in prop::collection::vec((0_u64..70_000, 0_u64..300), 0..20)) {
            let ranges: Vec<(u64, u64)> = ranges.into_iter().map(|(b, n)| (b, b + n)).collect();
            let once = parse_ranges(&format_ranges(ranges.clone())).unwrap();
            prop_assert_eq!(format_ranges(once.clone()), format_ranges(ranges.clone()));
            for port in ranges.iter().flat_map(|(b, e)| [*b, *e]) {
                prop_assert!(once.iter().any(|(b, e)| (*b..=*e).contains(&port)));
            }
        }
        #[test]
        fn any_text_is_read_or_refused(text in "\\PC{0,40}") {
            let _ = (parse_ranges(&text), parse_set(&text), parse_resources(&text));
        }
    }
}
