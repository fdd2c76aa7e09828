//! The v1 operator API, `POST /api/v1` of masters and agents, in JSON.
//!
//! A call is answered with a response of the same type, with 202 and no body if it
//! changes something, and `SUBSCRIBE` with a stream of events (RecordIO, see
//! [`crate::recordio`]). A response without anything to tell lacks its content
//! altogether (`{"type":"GET_WEIGHTS"}`). Masters and agents have one path and
//! different calls: [`agent`] has the agents'.

mod call;
mod event;
mod response;

pub mod agent;

pub use call::*;
pub use event::*;
pub use response::*;
