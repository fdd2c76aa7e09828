//! Mesos: the operator API (v0 here, v1 in [`operator`]) and the v1 scheduler API
//! ([`scheduler`]); what the v1 APIs share is in [`v1`].
//!
//! Shapes as recorded from Mesos 1.11.0. In v0, numbers arrive as floats (`3.0`
//! agents), ports as a text (`[31000-31999]`), attributes as plain strings or
//! numbers; whoever writes `u32` here is wrong on the first real master.

mod cluster;
mod files;
mod members;
mod resources;
mod state;

pub mod operator;
pub mod scheduler;
pub mod v1;

pub use cluster::*;
pub use files::*;
pub use members::*;
pub use resources::*;
pub use state::*;
