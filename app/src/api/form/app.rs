//! The forms about applications.

use super::{Faults, Form, app_ref, cores, env_lines, memory, seen};
use padis_domain::Problem;
use padis_domain::app::{AppRef, Env, HealthRule};
use padis_domain::problem::ValueFault;
use padis_domain::quantity::Size;
use padis_domain::view::{NewApp, NewRelease};
use serde::{Deserialize, Serialize};

/// A new application.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct NewAppForm {
    /// Team slug.
    pub team: String,
    /// Name.
    pub name: String,
    /// Title; empty: the name.
    pub title: String,
    /// Middleware key, `nginx:1.22.1`.
    pub stack: String,
    /// Package's sha-256.
    pub package: String,
    /// Pool.
    pub pool: String,
    /// Number of instances.
    pub instances: String,
    /// `S`, `M`, `L`; anything else: `cpu` and `mem` count.
    pub size: String,
    /// Cores of one instance, `0.5`.
    pub cpu: String,
    /// Memory of one instance, MiB unless a unit stands behind it.
    pub mem: String,
    /// Health page, `/`.
    pub health_path: String,
    /// Text that the health page must hold.
    pub health_expect: String,
    /// Seconds between two probes; empty: the usual.
    pub interval_s: String,
    /// Seconds until a probe has failed; empty: the usual.
    pub timeout_s: String,
    /// Failures in a row that make an instance sick; empty: the usual.
    pub failures: String,
    /// Seconds until the first good answer must be there; empty: the usual.
    pub grace_s: String,
    /// Lines of `NAME=value`.
    pub env: String,
    /// Lines of `NAME=value` that are never shown again.
    pub secrets: String,
    /// Token from when the form was rendered.
    pub once: String,
}

/// The size that a form means.
fn size(faults: &mut Faults, size: &str, cpu: &str, mem: &str) -> Size {
    if let Some((_, preset)) = Size::PRESETS.iter().find(|(n, _)| *n == size.trim()) {
        return *preset;
    }
    let small = |field: &str, n: u64, least: u32, most: u32| {
        u32::try_from(n).ok().filter(|n| (least..=most).contains(n)).ok_or_else(|| {
            Problem::field(field, ValueFault::OutOfRange { min: i64::from(least), max: i64::from(most) })
        })
    };
    let cpu = cores("cpu", cpu).and_then(|n| small("cpu", n, Size::MIN.cpu_milli, Size::MAX.cpu_milli));
    let mem = memory("mem", mem).and_then(|n| small("mem", n, Size::MIN.mem_mib, Size::MAX.mem_mib));
    Size { cpu_milli: faults.take(cpu), mem_mib: faults.take(mem) }
}

/// Seconds with up to three decimals as milliseconds; empty is `usual`.
fn millis(faults: &mut Faults, field: &str, text: &str, usual: u32) -> u32 {
    if text.trim().is_empty() {
        return usual;
    }
    let got = cores(field, text).and_then(|n| {
        u32::try_from(n).map_err(|_| Problem::field(field, ValueFault::OutOfRange { min: 0, max: i64::from(u32::MAX) }))
    });
    faults.take(got)
}

/// The health rule from the form's six fields.
fn health(faults: &mut Faults, f: [&str; 6]) -> HealthRule {
    let [path, expect, interval, timeout, failures, grace] = f;
    let usual = HealthRule::fresh(path.trim());
    HealthRule {
        expect: expect.to_owned(),
        interval_ms: millis(faults, "interval_s", interval, usual.interval_ms),
        timeout_ms: millis(faults, "timeout_s", timeout, usual.timeout_ms),
        failures: faults.number("failures", failures, Some(usual.failures)),
        grace_s: faults.number("grace_s", grace, Some(usual.grace_s)),
        ..usual
    }
}

/// The names of the secrets without their values.
fn names_only(secrets: &str) -> String {
    let name = |l: &str| l.split_once('=').map_or(l, |(n, _)| n).trim().to_owned();
    secrets.lines().map(name).filter(|n| !n.is_empty()).map(|n| format!("{n}=\n")).collect()
}

impl NewAppForm {
    /// The domain's form, or everything that is malformed.
    pub fn read(&self) -> Result<NewApp, Problem> {
        let mut faults = Faults::default();
        let instances = faults.number("instances", &self.instances, None);
        let size = size(&mut faults, &self.size, &self.cpu, &self.mem);
        let health = health(
            &mut faults,
            [&self.health_path, &self.health_expect, &self.interval_s, &self.timeout_s, &self.failures, &self.grace_s],
        );
        let env: Env = faults.take(env_lines(&self.env, &self.secrets));
        faults.done(NewApp {
            team: self.team.trim().to_owned(),
            name: self.name.trim().to_owned(),
            title: self.title.trim().to_owned(),
            stack: self.stack.trim().to_owned(),
            package: self.package.trim().to_owned(),
            pool: self.pool.trim().to_owned(),
            instances,
            size,
            health,
            env,
        })
    }
}

// By hand, because it carries secrets.
impl std::fmt::Debug for NewAppForm {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("NewAppForm")
    }
}
impl Form for NewAppForm {
    fn shown(&self) -> Self {
        Self { secrets: names_only(&self.secrets), ..self.clone() }
    }
}

/// A new release or a new configuration; what is empty stays.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ReleaseForm {
    /// Team slug.
    pub team: String,
    /// Application.
    pub app: String,
    /// Revision on which the form was based.
    pub seen: String,
    /// Token from when the form was rendered.
    pub once: String,
    /// Middleware key; empty: stays.
    pub stack: String,
    /// Package's sha-256; empty: stays.
    pub package: String,
    /// `S`, `M`, `L` or `exact`; empty: stays.
    pub size: String,
    /// Cores, with `size=exact`.
    pub cpu: String,
    /// Memory, with `size=exact`.
    pub mem: String,
    /// Health page; empty: the whole rule stays.
    pub health_path: String,
    /// Text that the health page must hold.
    pub health_expect: String,
    /// Seconds between two probes.
    pub interval_s: String,
    /// Seconds until a probe has failed.
    pub timeout_s: String,
    /// Failures in a row that make an instance sick.
    pub failures: String,
    /// Seconds until the first good answer.
    pub grace_s: String,
    /// `on`: `env` and `secrets` are the whole environment; else it stays.
    pub env_given: String,
    /// Lines of `NAME=value`.
    pub env: String,
    /// Lines of `NAME=value`; without a value the secret keeps its own.
    pub secrets: String,
}

impl ReleaseForm {
    /// Which application.
    pub fn app_ref(&self) -> AppRef {
        app_ref(&self.team, &self.app)
    }
    /// The revision on which the form was based.
    pub fn seen(&self) -> Result<i64, Problem> {
        seen(&self.seen)
    }
    fn rule_fields(&self) -> [&str; 6] {
        [&self.health_path, &self.health_expect, &self.interval_s, &self.timeout_s, &self.failures, &self.grace_s]
    }
    /// The health rule alone, to be tried.
    pub fn rule(&self) -> Result<HealthRule, Problem> {
        let mut faults = Faults::default();
        let rule = health(&mut faults, self.rule_fields());
        faults.done(rule)
    }
    /// The domain's form, or everything that is malformed.
    pub fn read(&self) -> Result<NewRelease, Problem> {
        let mut faults = Faults::default();
        let some = |s: &str| Some(s.trim().to_owned()).filter(|s| !s.is_empty());
        let rule = self.rule_fields();
        let new = NewRelease {
            stack: some(&self.stack),
            package: some(&self.package),
            size: some(&self.size).map(|s| size(&mut faults, &s, &self.cpu, &self.mem)),
            health: some(&self.health_path).map(|_| health(&mut faults, rule)),
            env: (self.env_given == "on").then(|| faults.take(env_lines(&self.env, &self.secrets))),
        };
        faults.done(new)
    }
}

// By hand, because it carries secrets.
impl std::fmt::Debug for ReleaseForm {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("ReleaseForm")
    }
}
impl Form for ReleaseForm {
    fn shown(&self) -> Self {
        Self { secrets: names_only(&self.secrets), ..self.clone() }
    }
}

/// One of the actions on an application; each uses the fields that it needs.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct AppForm {
    /// Team slug.
    pub team: String,
    /// Application.
    pub app: String,
    /// Revision on which the form was based.
    pub seen: String,
    /// Token from when the form was rendered.
    pub once: String,
    /// Scale: how many instances.
    pub instances: String,
    /// Roll back: to which release.
    pub to: String,
    /// Delete: the typed name.
    pub confirm: String,
}

impl AppForm {
    /// Which application.
    pub fn app_ref(&self) -> AppRef {
        app_ref(&self.team, &self.app)
    }
    /// The revision on which the form was based.
    pub fn seen(&self) -> Result<i64, Problem> {
        seen(&self.seen)
    }
    /// How many instances.
    pub fn instances(&self) -> Result<u32, Problem> {
        let mut faults = Faults::default();
        let n = faults.number("instances", &self.instances, None);
        faults.done(n)
    }
    /// To which release.
    pub fn to(&self) -> Result<u32, Problem> {
        let mut faults = Faults::default();
        let n = faults.number("to", &self.to, None);
        faults.done(n)
    }
}

impl Form for AppForm {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_that_is_malformed_is_said_at_once() {
        let form = NewAppForm { instances: "many".into(), cpu: "1".into(), env: "A".into(), ..Default::default() };
        let Err(Problem::Fields { problems }) = form.read() else { panic!("not refused") };
        let fields: Vec<_> = problems.iter().filter_map(Problem::about_field).collect();
        assert_eq!(fields, ["instances", "mem", "env"]);
    }

    #[test]
    fn a_preset_wins_over_exact_figures_and_what_is_empty_stays() {
        let f = ReleaseForm { size: "M".into(), cpu: "9".into(), ..Default::default() };
        let r = f.read().unwrap_or_default();
        assert_eq!(r.size, Some(Size::PRESETS[1].1));
        assert_eq!((r.stack, r.health, r.env), (None, None, None));
    }

    #[test]
    fn the_form_that_comes_back_holds_no_secret() {
        let f = NewAppForm { secrets: "TOKEN=abc\nKEY = d=e".into(), ..Default::default() };
        assert_eq!(f.shown().secrets, "TOKEN=\nKEY=\n");
    }
}
