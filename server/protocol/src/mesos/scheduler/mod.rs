//! The v1 scheduler API, `POST /api/v1/scheduler`, in JSON.
//!
//! A framework subscribes with one request whose answer never ends (RecordIO, see
//! [`crate::recordio`]) and says everything else in requests of their own, each with
//! the `Mesos-Stream-Id` header that the subscription answered. 202 means received,
//! not done; what became of it comes as an event. After a fail-over the old stream
//! gets an ERROR, which is the end of it.

mod call;
mod event;

pub use call::*;
pub use event::*;
