//! The messages that Mesos' v1 APIs share, in JSON.
//!
//! They follow `mesos/v1/mesos.proto` of Mesos 1.11 (Apache License 2.0) as Mesos
//! itself writes it in JSON: member names as in the file, enums by name, bytes in
//! Base64, 64-bit numbers as numbers, an enum value that the writer does not know
//! left out (`"capabilities":[{}]`). One could get it wrong by taking v0 answers for
//! the same thing: there ids are bare texts, resources a map and ports a text.

mod agent;
mod container;
mod framework;
mod health;
mod ids;
mod maintenance;
mod offer;
mod quota;
mod resource;
mod status;
mod task;
mod value;

pub use agent::*;
pub use container::*;
pub use framework::*;
pub use health::*;
pub use ids::*;
pub use maintenance::*;
pub use offer::*;
pub use quota::*;
pub use resource::*;
pub use status::*;
pub use task::*;
pub use value::*;
