//! Quota and weights of roles. Limits are what counts since Mesos 1.9; guarantees
//! are kept for those who still set them.

use super::{Resources, Scalar};
use std::collections::BTreeMap;

message! {
    /// Quota of all roles.
    QuotaStatus {
        /// In the old form.
        infos: Vec<QuotaInfo>,
        /// In the new form.
        configs: Vec<QuotaConfig>,
    }

    /// Quota of a role, in the old form.
    QuotaInfo {
        /// Role.
        role: Option<String>,
        /// Who set it.
        principal: Option<String>,
        /// What it is sure to get.
        guarantee: Resources,
    }

    /// Quota of a role; an absent resource has none.
    QuotaConfig {
        /// Role.
        role: String,
        /// What it is sure to get.
        guarantees: Option<BTreeMap<String, Scalar>>,
        /// What it gets at most.
        limits: Option<BTreeMap<String, Scalar>>,
    }

    /// Weight of a role.
    WeightInfo {
        /// Share, relative to the other roles'; default 1.
        weight: f64,
        /// Role.
        role: Option<String>,
    }
}
