//! What differs between two releases, in plain words.
//!
//! One could get it wrong by writing a secret into the journal: a secret's value
//! is `••••` on both sides, whatever it is, and even when it became a secret or
//! stopped being one, only the side that was never secret is shown.

use padis_domain::app::{EnvVar, HealthRule, ReleaseSpec};
use padis_domain::problem::FieldChange;
use padis_domain::quantity::Size;

/// What stands for a secret's value.
pub const HIDDEN: &str = "••••";
/// Longer values are cut in what is shown; characters.
const SHOWN: usize = 200;

/// A changed field.
pub fn change(field: impl Into<String>, before: impl Into<String>, after: impl Into<String>) -> FieldChange {
    FieldChange { field: field.into(), before: before.into(), after: after.into() }
}

/// A size in plain words: `0.25 CPU, 256 MiB`.
pub fn size(s: Size) -> String {
    let (whole, part) = (s.cpu_milli / 1000, s.cpu_milli % 1000);
    let cpu = if part == 0 { whole.to_string() } else { format!("{whole}.{part:03}").trim_end_matches('0').to_owned() };
    format!("{cpu} CPU, {} MiB", s.mem_mib)
}

fn health(h: &HealthRule) -> String {
    let text = if h.expect.is_empty() { String::new() } else { format!(" “{}”", h.expect) };
    format!("{}{text}, {} ms / {} ms, {} ×, {} s", h.path, h.interval_ms, h.timeout_ms, h.failures, h.grace_s)
}

fn value(v: &EnvVar) -> String {
    if v.secret { HIDDEN.to_owned() } else { v.value.chars().take(SHOWN).collect() }
}

/// A release with the names that people know its parts by.
#[derive(Debug, Clone, Copy)]
pub struct Named<'a> {
    /// `name:version`.
    pub stack_key: &'a str,
    /// The package's file name.
    pub package_name: &'a str,
    /// Everything else.
    pub spec: &'a ReleaseSpec,
}

/// What differs.
pub fn diff(before: Named<'_>, after: Named<'_>) -> Vec<FieldChange> {
    let mut out = Vec::new();
    let (b, a) = (before.spec, after.spec);
    if before.stack_key != after.stack_key || b.image != a.image {
        out.push(change("stack", before.stack_key, after.stack_key));
    }
    if b.package != a.package {
        // Two builds often have one name: the digest tells them apart.
        let name =
            |n: Named<'_>| format!("{} ({})", n.package_name, n.spec.package.chars().take(12).collect::<String>());
        out.push(change("package", name(before), name(after)));
    }
    if b.size != a.size {
        out.push(change("size", size(b.size), size(a.size)));
    }
    if b.health != a.health {
        out.push(change("health", health(&b.health), health(&a.health)));
    }
    let names: std::collections::BTreeSet<&String> = b.env.keys().chain(a.env.keys()).collect();
    for n in names {
        let (x, y) = (b.env.get(n), a.env.get(n));
        if x != y {
            out.push(change(format!("env.{n}"), x.map(value).unwrap_or_default(), y.map(value).unwrap_or_default()));
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spec(env: &[(&str, bool, &str)]) -> ReleaseSpec {
        let var = |(n, secret, value): &(&str, bool, &str)| {
            ((*n).to_owned(), EnvVar { secret: *secret, value: (*value).to_owned() })
        };
        ReleaseSpec {
            stack: "nginx".into(),
            image: "i".into(),
            package: "p".into(),
            size: Size { cpu_milli: 250, mem_mib: 256 },
            health: HealthRule::fresh("/"),
            env: env.iter().map(var).collect(),
        }
    }
    fn named(spec: &ReleaseSpec) -> Named<'_> {
        Named { stack_key: "nginx:1", package_name: "a.zip", spec }
    }

    #[test]
    fn a_secret_is_never_written_not_even_when_it_changes_its_nature() {
        let before = spec(&[("A", true, "old-secret"), ("B", true, "hush"), ("C", false, "plain")]);
        let after =
            spec(&[("A", true, "new-secret"), ("B", false, "open"), ("C", true, "now-secret"), ("D", true, "fresh")]);
        let found = diff(named(&before), named(&after));
        let text = format!("{found:?}");
        for s in ["old-secret", "new-secret", "hush", "now-secret", "fresh"] {
            assert!(!text.contains(s), "{s}: {text}");
        }
        let fields: Vec<_> = found.iter().map(|c| c.field.as_str()).collect();
        assert_eq!(fields, ["env.A", "env.B", "env.C", "env.D"]);
        assert_eq!(found[1], change("env.B", HIDDEN, "open"));
    }

    #[test]
    fn sizes_read_as_people_write_them() {
        assert_eq!(size(Size { cpu_milli: 250, mem_mib: 256 }), "0.25 CPU, 256 MiB");
        assert_eq!(size(Size { cpu_milli: 2000, mem_mib: 64 }), "2 CPU, 64 MiB");
        assert_eq!(diff(named(&spec(&[])), named(&spec(&[]))), []);
    }
}
