//! What the forms for applications and releases offer and send.

use super::PoolRow;
use crate::app::AppRef;
use crate::app::Env;
use crate::app::HealthRule;
use crate::package::PackageFacts;
use crate::package::PackageKind;
use crate::quantity::Size;
use crate::stack::Contract;
use crate::view::StackMark;
use crate::words::UnixMs;
use serde::{Deserialize, Serialize};

/// What the form for a new application offers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewAppOptions {
    /// Token for `once`.
    pub once: String,
    /// Teams that the caller may create for: slug and title.
    pub teams: Vec<(String, String)>,
    /// Middleware.
    pub stacks: Vec<StackView>,
    /// Pools with quota by team.
    pub pools: Vec<PoolRow>,
    /// Recent packages of these teams.
    pub packages: Vec<PackageRow>,
    /// The largest upload in bytes.
    pub max_package_bytes: u64,
    /// Port of the balancer to show in URLs, if not 80.
    pub balancer_port: u16,
    /// The middle duration of the last deliveries in ms, if there were any.
    pub usual_ms: Option<u64>,
}

/// The form for a new application.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewApp {
    /// Team slug.
    pub team: String,
    /// Name.
    pub name: String,
    /// Title; empty: the name.
    pub title: String,
    /// Middleware: short name and version, `nginx:1.22.1`.
    pub stack: String,
    /// Package's sha-256.
    pub package: String,
    /// Pool.
    pub pool: String,
    /// Instances.
    pub instances: u32,
    /// Size.
    pub size: Size,
    /// Health rule.
    pub health: HealthRule,
    /// Environment.
    pub env: Env,
}

/// The form for a new release: what is `None` stays.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewRelease {
    /// Middleware.
    pub stack: Option<String>,
    /// Package's sha-256.
    pub package: Option<String>,
    /// Size.
    pub size: Option<Size>,
    /// Health rule.
    pub health: Option<HealthRule>,
    /// The whole environment; a secret with an empty value keeps its value.
    pub env: Option<Env>,
}

/// A package in a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PackageRow {
    /// sha-256, hex.
    pub sha256: String,
    /// Team slug.
    pub team: String,
    /// File name as uploaded.
    pub file_name: String,
    /// Bytes.
    pub bytes: u64,
    /// What is inside.
    pub facts: PackageFacts,
    /// Uploaded by (display name).
    pub by: String,
    /// Uploaded at.
    pub at: UnixMs,
    /// Releases that use it: application and number.
    pub used_by: Vec<(AppRef, u32)>,
}

/// A middleware version.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StackView {
    /// Key, `nginx:1.22.1`.
    pub key: String,
    /// The contract.
    pub contract: Contract,
    /// Image by digest.
    pub image: String,
    /// Compressed bytes.
    pub bytes: u64,
    /// Creation time as the image says it.
    pub created: String,
    /// Applications on it that the caller may see.
    pub used_by: Vec<AppRef>,
    /// What is decided about it.
    pub mark: StackMark,
}

/// A form's recognised kind of a package and the stacks that take it.
pub fn fits(kind: PackageKind, contract: &Contract) -> bool {
    contract.kinds.contains(&kind)
}
