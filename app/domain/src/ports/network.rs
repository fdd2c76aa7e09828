use super::{PortError, PortResult};
use crate::address::Subnet;
use crate::problem::System;
use async_trait::async_trait;

/// The network of one pool.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PoolNet {
    /// Pool name.
    pub pool: String,
    /// Subnet.
    pub subnet: Subnet,
    /// Gateway, numeric.
    pub gateway: u32,
    /// VLAN tag.
    pub vlan: Option<u16>,
}

/// An attachment as found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attachment {
    /// Marathon task id (from the container's label `MESOS_TASK_ID`).
    pub task_id: String,
    /// Pool.
    pub pool: String,
    /// Address, numeric.
    pub ip: u32,
}

/// The cause of a refusal to attach: the address is in use by something that is not
/// ours, so another one has to be taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("in use by {by}")]
pub struct AddressTaken {
    /// What has it, in words for an operator.
    pub by: String,
}

impl AddressTaken {
    /// The refusal of `address` (dotted).
    pub fn refuse(self, address: &str) -> PortError {
        PortError::Refused { system: System::Network, reason: format!("{address} is {self}"), cause: Some(self.into()) }
    }
    /// What an error says of this, if that is what it is about.
    pub fn of(error: &PortError) -> Option<&Self> {
        match error {
            PortError::Refused { cause: Some(cause), .. } => cause.downcast_ref(),
            _ => None,
        }
    }
}

/// Gives a container its own address.
#[async_trait]
pub trait Network: Send + Sync {
    /// Makes the pool's network exist; an existing one with another subnet is `Refused`.
    async fn ensure(&self, net: &PoolNet) -> PortResult<()>;
    /// Removes the pool's network; absent is fine, in use is `Refused`.
    async fn remove(&self, pool: &str) -> PortResult<()>;
    /// Everything of ours that is attached in the pool.
    async fn list(&self, pool: &str) -> PortResult<Vec<Attachment>>;
    /// Attaches the task's container with this very address. Repeating it is fine;
    /// a container that has another address in that network is moved. A container
    /// that does not exist (any more) is `Transient`; an address that something has
    /// which is not ours is `Refused` for the cause [`AddressTaken`].
    async fn attach(&self, net: &PoolNet, task_id: &str, ip: u32) -> PortResult<()>;
    /// Detaches; absent is fine.
    async fn detach(&self, pool: &str, task_id: &str) -> PortResult<()>;
}
