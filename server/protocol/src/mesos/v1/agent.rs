//! Agents.

use super::{AgentId, Attribute, DomainInfo, Resources};

message! {
    /// An agent as it describes itself.
    AgentInfo {
        /// Host name.
        hostname: String,
        /// Port of its own API.
        port: Option<u16>,
        /// All it has.
        resources: Resources,
        /// Attributes.
        attributes: Vec<Attribute>,
        /// Id.
        id: Option<AgentId>,
        /// Region and zone.
        domain: Option<DomainInfo>,
    }
}
