//! Instances, as the kill of a pod's instance answers them.

use crate::app::UnreachableStrategy;
use crate::queue::OfferValue;

message! {
    /// One instance.
    #[serde(rename_all = "camelCase")]
    Instance {
        /// `path_of_the_app.instance-UUID` (or `.marathon-UUID`).
        instance_id: String,
        /// Its state.
        state: InstanceState,
        /// Where it runs.
        agent_info: Option<AgentInfo>,
        /// Timestamp of its definition.
        run_spec_version: Option<String>,
        /// What becomes of it if its agent is silent.
        unreachable_strategy: Option<UnreachableStrategy>,
    }

    /// The state of an instance.
    #[serde(rename_all = "camelCase")]
    InstanceState {
        /// `Running`, `UnreachableInactive`, …
        condition: String,
        /// Since when.
        since: Option<String>,
        /// Since when it runs.
        active_since: Option<String>,
        /// Whether it is healthy; absent means unknown.
        healthy: Option<bool>,
        /// `Running`, `Stopped` or `Decommissioned`.
        goal: Option<String>,
    }

    /// Where an instance runs.
    #[serde(rename_all = "camelCase")]
    AgentInfo {
        /// Host name.
        host: String,
        /// The agent's id.
        agent_id: Option<String>,
        /// Region.
        region: Option<String>,
        /// Fault zone.
        zone: Option<String>,
        /// Attributes.
        attributes: Option<Vec<OfferValue>>,
    }
}
