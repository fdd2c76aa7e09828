//! The Mesos operator API, version 0: the part that Padis reads.
//!
//! Shapes as recorded from Mesos 1.11.0. Numbers arrive as floats (`3.0`
//! agents), ports as a text (`[31000-31999]`), attributes as plain strings or
//! numbers; whoever writes `u32` here is wrong on the first real master.

mod files;
mod state;

pub use files::*;
pub use state::*;
