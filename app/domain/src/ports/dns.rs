use super::PortResult;
use crate::address::Subnet;
use async_trait::async_trait;
use serde::{Deserialize, Serialize};

/// One name with its addresses: what the driver turns into A/AAAA records, and
/// PTR records where `ptr` is set.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NameRecord {
    /// Full name without the final dot, lower case.
    pub name: String,
    /// IPv4 or IPv6 addresses as text.
    pub addresses: Vec<String>,
    /// Seconds.
    pub ttl_s: u32,
    /// Whether the addresses point back to this name.
    pub ptr: bool,
}

/// An authoritative name service.
#[async_trait]
pub trait Dns: Send + Sync {
    /// Every name of ours.
    async fn list(&self) -> PortResult<Vec<NameRecord>>;
    /// Upsert. Visible to resolvers that ask us when it returns.
    async fn put(&self, record: &NameRecord) -> PortResult<()>;
    /// Absent is fine.
    async fn delete(&self, name: &str) -> PortResult<()>;
    /// Makes a pool's domain, and the reverse zone of its subnet, answerable. Services
    /// whose zones somebody else delegates and sets up have nothing to do here.
    async fn ensure_zone(&self, domain: &str, subnet: Subnet) -> PortResult<()> {
        let _ = (domain, subnet);
        Ok(())
    }
    /// Whether it answers.
    async fn ping(&self) -> PortResult<()>;
}
