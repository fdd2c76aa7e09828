use crate::app::HealthRule;
use crate::delivery::Finding;
use async_trait::async_trait;
use serde::{Deserialize, Serialize};

/// What a page of an instance answered when it was asked once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PageSeen {
    /// Judged by the rule, as the probe would.
    pub finding: Finding,
    /// HTTP status, if an answer began.
    pub status: Option<u16>,
    /// Milliseconds until it was over.
    pub ms: u32,
    /// Where it redirects to; never followed.
    pub location: Option<String>,
    /// The beginning of the body as text: at most [`PageSeen::SHOWN`] characters,
    /// no control characters but line breaks and tabs.
    pub body: String,
    /// Whether the body goes on behind that.
    pub more: bool,
}

impl PageSeen {
    /// Characters of a body that are shown.
    pub const SHOWN: usize = 600;
    /// The longest that a person is left waiting, in ms, whatever the rule says.
    pub const DEADLINE_MS: u32 = 10_000;
}

/// Asks a page of an instance once, now. The caller answers for the address
/// being one of the application's own.
#[async_trait]
pub trait Pages: Send + Sync {
    /// Asks `path` of the rule on `ip` and `port` with the `Host` header `host`.
    /// Always an answer: what went wrong is its finding.
    async fn ask(&self, ip: u32, port: u16, host: &str, rule: &HealthRule) -> PageSeen;
}
