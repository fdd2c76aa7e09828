use super::PortResult;
use async_trait::async_trait;
use serde::{Deserialize, Serialize};

/// One virtual service: a host name and how its members are checked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Service {
    /// Key, `team.app`, of letters, digits, `-` and `.`.
    pub key: String,
    /// Full host name, lower case.
    pub host: String,
    /// Health path.
    pub health_path: String,
    /// Expected text; empty: status only.
    pub expect: String,
    /// Milliseconds between checks.
    pub interval_ms: u32,
}

/// What a member should do or does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum MemberState {
    /// Takes requests.
    Ready,
    /// Finishes what it has, takes nothing new.
    Drain,
}

/// One member of a service.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Member {
    /// Key within the service: letters, digits, `-`.
    pub key: String,
    /// Dotted address.
    pub ip: String,
    /// TCP port.
    pub port: u16,
    /// State.
    pub state: MemberState,
}

/// A member as found, with figures.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MemberSeen {
    /// The member.
    pub member: Member,
    /// Whether the balancer's own check finds it well.
    pub up: bool,
    /// Requests or connections that it is serving now.
    pub sessions: u64,
    /// Requests since it was added.
    pub requests: u64,
    /// Failed ones of them (5xx and connection errors).
    pub failed: u64,
    /// The last check's result as the balancer words it, e.g. `L7OK/200 in 1ms`.
    pub check: String,
}

/// A service as found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServiceSeen {
    /// The service.
    pub service: Service,
    /// Its members.
    pub members: Vec<MemberSeen>,
    /// Requests per second over the last second.
    pub rate: u64,
    /// Requests since start.
    pub requests: u64,
    /// Failed ones since start.
    pub failed: u64,
}

/// A load balancer for HTTP by host name.
#[async_trait]
pub trait Balancer: Send + Sync {
    /// Everything of ours.
    async fn list(&self) -> PortResult<Vec<ServiceSeen>>;
    /// One service; `None` if absent. Cheaper than `list`.
    async fn get(&self, service: &str) -> PortResult<Option<ServiceSeen>>;
    /// Upsert of the service itself (structure); its members stay.
    async fn put_service(&self, service: &Service) -> PortResult<()>;
    /// Removes it with its members; absent is fine.
    async fn delete_service(&self, key: &str) -> PortResult<()>;
    /// Upsert of a member by the runtime API; takes effect before it returns,
    /// a fresh `Ready` member takes requests at once (it was probed before).
    async fn put_member(&self, service: &str, member: &Member) -> PortResult<()>;
    /// Out at once; absent is fine.
    async fn delete_member(&self, service: &str, member: &str) -> PortResult<()>;
    /// Whether it answers.
    async fn ping(&self) -> PortResult<()>;
}
