use super::{Form, NewAppForm, env_text, seconds_text};
use crate::text::units;
use padis_domain::app::HealthRule;
use padis_domain::view::AppView;
use serde::{Deserialize, Serialize};

/// An application that is to be had in another environment, too.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct EnvironmentForm {
    /// Team slug.
    pub team: String,
    /// Application.
    pub app: String,
}
impl Form for EnvironmentForm {}

impl NewAppForm {
    /// A new application like this one, but for its pool. The name is this one's, which is
    /// taken: the page says so at once, and it is made to differ. Of secret variables the
    /// names only. `stack` is the middleware's key, if that is still offered.
    pub fn like(v: &AppView, stack: Option<&str>) -> Self {
        let HealthRule { path, expect, interval_ms, timeout_ms, failures, grace_s } = v.spec.health.clone();
        Self {
            team: v.app.team.clone(),
            name: v.app.app.clone(),
            title: v.title.clone(),
            stack: stack.unwrap_or_default().to_owned(),
            package: v.package.sha256.clone(),
            instances: v.wanted.to_string(),
            size: "exact".into(),
            cpu: units::fixed(f64::from(v.spec.size.cpu_milli) / 1000.0, 3),
            mem: units::mib(u64::from(v.spec.size.mem_mib)),
            health_path: path,
            health_expect: expect,
            interval_s: seconds_text(interval_ms),
            timeout_s: seconds_text(timeout_ms),
            failures: failures.to_string(),
            grace_s: grace_s.to_string(),
            env: env_text(&v.spec.env, false),
            secrets: env_text(&v.spec.env, true),
            ..Self::default()
        }
    }
}
