//! An application and its releases: what a team wants.

use crate::quantity::Size;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// How users name an application: team and name, `motor/claims-portal`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct AppRef {
    /// The team.
    pub team: String,
    /// The application's name within the team.
    pub app: String,
}

impl AppRef {
    /// The Marathon path of one release, `/motor/claims-portal/r12`.
    pub fn marathon_id(&self, release: u32) -> String {
        format!("/{}/{}/r{release}", self.team, self.app)
    }
    /// The Marathon path below which all its releases stand, with the final slash.
    pub fn marathon_prefix(&self) -> String {
        format!("/{}/{}/", self.team, self.app)
    }
    /// Reads a Marathon path back; `None` if it is not one of ours.
    pub fn from_marathon_id(id: &str) -> Option<(Self, u32)> {
        let mut parts = id.strip_prefix('/')?.split('/');
        let (team, app, r) = (parts.next()?, parts.next()?, parts.next()?);
        if parts.next().is_some() {
            return None;
        }
        let n = r.strip_prefix('r')?.parse().ok()?;
        Some((Self { team: team.into(), app: app.into() }, n))
    }
    /// The key of its row in the work queue.
    pub fn work_key(&self) -> String {
        format!("app:{}/{}", self.team, self.app)
    }
}
impl std::fmt::Display for AppRef {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}", self.team, self.app)
    }
}

/// How we know that an instance is well.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HealthRule {
    /// Path and query of the page, e.g. `/actuator/health`.
    pub path: String,
    /// A text that the body must contain; empty: any answer of status 200 to 399 is well.
    pub expect: String,
    /// Milliseconds between two probes of a well instance.
    pub interval_ms: u32,
    /// Milliseconds after which a probe has failed.
    pub timeout_ms: u32,
    /// Consecutive failures that make a well instance sick.
    pub failures: u32,
    /// Seconds that a fresh instance has until its first good answer.
    pub grace_s: u32,
}

impl HealthRule {
    /// The rule that a fresh application gets for a health page.
    pub fn fresh(path: &str) -> Self {
        Self {
            path: path.into(),
            expect: String::new(),
            interval_ms: 2_000,
            timeout_ms: 2_000,
            failures: 3,
            grace_s: 120,
        }
    }
}

/// The value of an environment variable. A secret one travels inwards only.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EnvVar {
    /// Shown never again after it was set.
    pub secret: bool,
    /// The value; on the way out always empty for a secret one.
    pub value: String,
}

/// Environment variables by name.
pub type Env = BTreeMap<String, EnvVar>;

/// The most instances an application may have.
pub const MAX_INSTANCES: u32 = 200;

/// What is wanted of an application as a whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Wanted {
    /// Running, answering.
    Online,
    /// Kept, not running.
    Stopped,
    /// To be released and forgotten.
    Deleted,
}

/// What a release fixes for ever: stack digest × package digest × configuration.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReleaseSpec {
    /// The stack's short name.
    pub stack: String,
    /// Full image reference by digest, `127.0.0.1:5000/stacks/nginx@sha256:…`.
    pub image: String,
    /// The package's sha-256, hex.
    pub package: String,
    /// Size of one instance.
    pub size: Size,
    /// Health rule.
    pub health: HealthRule,
    /// Environment.
    pub env: Env,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marathon_ids_round_trip() {
        let a = AppRef { team: "motor".into(), app: "claims".into() };
        assert_eq!(AppRef::from_marathon_id(&a.marathon_id(12)), Some((a, 12)));
        assert_eq!(AppRef::from_marathon_id("/motor/claims"), None);
        assert_eq!(AppRef::from_marathon_id("/motor/claims/r1/x"), None);
        assert_eq!(AppRef::from_marathon_id("/motor/claims/web"), None);
    }
}
