//! Every port in memory, with faults on demand: what the reconciler's tests break.
//!
//! A fake is worth only as much as it behaves like the real thing, so each runs
//! through the same contract suite (`tests/contract_*.rs`). One could get it wrong
//! by making a fake kinder than the world: a time-out here can come *after* the
//! effect, a kill takes two looks to be over, and an event may never arrive.

mod balancer;
mod cluster;
mod directory;
mod dns;
mod faults;
mod network;
mod registry;
mod registry_put;
mod scheduler;
mod transfer;
mod workbench;

pub use balancer::FakeBalancer;
pub use cluster::FakeCluster;
pub use directory::FakeDirectory;
pub use dns::FakeDns;
pub use faults::{Call, Fault, Faults, When};
pub use network::FakeNetwork;
pub use registry::FakeRegistry;
pub use scheduler::FakeScheduler;
pub use transfer::FakeTransfer;
pub use workbench::FakeWorkbench;
