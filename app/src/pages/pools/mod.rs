//! Pools: the list, one pool with its capacity, hosts and quotas, and the form.

mod capacity;
mod edit;
mod hosts;
mod isolation;
mod list;
mod pool;
mod quotas;

pub use edit::{PoolEdit, PoolNew};
pub use list::Pools;
pub use pool::Pool;
