//! What a form may hold, judged without looking anywhere. The same rules for
//! "check while I type" and for the command.
//!
//! One could get it wrong by stopping at the first fault: the form wants all of
//! them at once. Field names are those of the forms in `app`; a range is given in
//! the domain's unit (thousandths of a core, MiB, milliseconds).

use padis_domain::Problem;
use padis_domain::app::{Env, EnvVar, HealthRule, MAX_INSTANCES};
use padis_domain::name::{check_env_name, check_name};
use padis_domain::problem::ValueFault;
use padis_domain::quantity::Size;

/// Characters of a title.
pub const MAX_TITLE: usize = 80;
/// Bytes of a health path.
const MAX_PATH: usize = 512;
/// Characters of an expected text.
const MAX_EXPECT: usize = 200;
/// Environment variables of an application.
const MAX_ENV: usize = 100;
/// Bytes of one value.
const MAX_VALUE: usize = 8 * 1024;

/// Collects problems.
#[derive(Debug, Default)]
pub struct Problems(pub Vec<Problem>);

impl Problems {
    /// Notes a fault of a field.
    pub fn add(&mut self, field: &str, fault: ValueFault) {
        self.0.push(Problem::field(field, fault));
    }
    /// A number within a range.
    pub fn range(&mut self, field: &str, v: u32, min: u32, max: u32) {
        if !(min..=max).contains(&v) {
            self.add(field, ValueFault::OutOfRange { min: i64::from(min), max: i64::from(max) });
        }
    }
    /// A text of at most so many characters, without control characters.
    pub fn text(&mut self, field: &str, v: &str, max: usize) {
        if v.chars().count() > max {
            self.add(field, ValueFault::TooLong { max: max as u32 });
        } else if v.chars().any(char::is_control) {
            self.add(field, ValueFault::Malformed);
        }
    }
    /// A team's, application's or pool's name.
    pub fn name(&mut self, field: &str, v: &str) {
        if let Err(fault) = check_name(v) {
            self.add(field, ValueFault::Name { fault });
        }
    }
    /// Nothing, the one problem, or all of them together.
    pub fn done(mut self) -> Result<(), Problem> {
        match self.0.len() {
            0 => Ok(()),
            1 => Err(self.0.remove(0)),
            _ => Err(Problem::Fields { problems: self.0 }),
        }
    }
}

/// A number of instances.
pub fn instances(out: &mut Problems, n: u32) {
    out.range("instances", n, 1, MAX_INSTANCES);
}

/// A size, on a stack that needs at least `min_mem_mib`.
pub fn size(out: &mut Problems, s: Size, min_mem_mib: u32) {
    out.range("cpu", s.cpu_milli, Size::MIN.cpu_milli, Size::MAX.cpu_milli);
    out.range("mem", s.mem_mib, Size::MIN.mem_mib.max(min_mem_mib), Size::MAX.mem_mib);
}

/// A health rule.
pub fn health(out: &mut Problems, h: &HealthRule) {
    if h.path.is_empty() {
        out.add("health_path", ValueFault::Missing);
    } else if h.path.len() > MAX_PATH {
        out.add("health_path", ValueFault::TooLong { max: MAX_PATH as u32 });
    } else if !h.path.starts_with('/') || h.path.chars().any(|c| c.is_control() || c == ' ') {
        // A space or a line break would end the request line.
        out.add("health_path", ValueFault::Malformed);
    }
    out.text("health_expect", &h.expect, MAX_EXPECT);
    out.range("interval_s", h.interval_ms, 500, 60_000);
    out.range("timeout_s", h.timeout_ms, 100, 30_000);
    out.range("failures", h.failures, 1, 20);
    out.range("grace_s", h.grace_s, 5, 3600);
}

/// An environment. `before`: the variables that there are, whose secrets may be kept.
pub fn env(out: &mut Problems, env: &Env, before: &Env) {
    if env.len() > MAX_ENV {
        out.add("env", ValueFault::OutOfRange { min: 0, max: MAX_ENV as i64 });
    }
    for (name, v) in env {
        let field = if v.secret { "secrets" } else { "env" };
        if let Err(fault) = check_env_name(name) {
            out.add(field, ValueFault::Name { fault });
        }
        if v.value.len() > MAX_VALUE {
            out.add(field, ValueFault::TooLong { max: MAX_VALUE as u32 });
        }
        if v.value.contains('\0') {
            out.add(field, ValueFault::Malformed);
        }
        if v.secret && v.value.is_empty() && !before.contains_key(name) {
            out.add(field, ValueFault::Missing);
        }
    }
}

/// The environment with the secrets that were kept filled in.
pub fn keep_secrets(env: &Env, before: &Env) -> Env {
    let fill = |(n, v): (&String, &EnvVar)| {
        let kept = before.get(n).filter(|_| v.secret && v.value.is_empty());
        let value = kept.map_or_else(|| v.value.clone(), |b| b.value.clone());
        (n.clone(), EnvVar { secret: v.secret, value })
    };
    env.iter().map(fill).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields(p: Problems) -> Vec<String> {
        p.0.iter().filter_map(|p| p.about_field().map(str::to_owned)).collect()
    }

    #[test]
    fn every_fault_of_a_health_rule_is_said_at_once() {
        let mut out = Problems::default();
        let bad = HealthRule {
            path: "health\r\nX: 1".into(),
            expect: "x".repeat(201),
            interval_ms: 1,
            timeout_ms: 99_999,
            failures: 0,
            grace_s: 4,
        };
        health(&mut out, &bad);
        assert_eq!(fields(out), ["health_path", "health_expect", "interval_s", "timeout_s", "failures", "grace_s"]);
        let mut out = Problems::default();
        health(&mut out, &HealthRule::fresh("/a?b=c"));
        assert!(out.0.is_empty());
    }

    #[test]
    fn a_secret_without_value_needs_one_to_keep() {
        let var = |secret, value: &str| EnvVar { secret, value: value.into() };
        let before: Env = [("KEY".to_owned(), var(true, "k"))].into();
        let new: Env =
            [("KEY".to_owned(), var(true, "")), ("NEW".to_owned(), var(true, "")), ("E".to_owned(), var(false, ""))]
                .into();
        let mut out = Problems::default();
        env(&mut out, &new, &before);
        assert_eq!(out.0, [Problem::field("secrets", ValueFault::Missing)]);
        assert_eq!(keep_secrets(&new, &before)["KEY"].value, "k");
    }

    #[test]
    fn the_stacks_own_minimum_counts() {
        let mut out = Problems::default();
        size(&mut out, Size { cpu_milli: 49, mem_mib: 100 }, 128);
        assert_eq!(fields(out), ["cpu", "mem"]);
    }
}
