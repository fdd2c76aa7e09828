//! Wire types of Marathon's v2 REST API and of Mesos: the operator API (v0 and v1)
//! and the v1 scheduler API.
//!
//! The seam of Padis is a protocol, not a library: the portal's client and the
//! built-in engine must mean the same bytes, and so must every independent
//! Marathon client. One could get it wrong in three ways, and each is ruled out
//! by a choice made here:
//!
//! * dropping what one does not know: the main objects keep unknown members in
//!   `extra`, so that reading and writing an app of a newer Marathon loses nothing;
//! * confusing "absent" with "the default": an app definition is also used as a
//!   patch, therefore everything that may be absent is an `Option` and an absent
//!   member is not written;
//! * breaking the event stream on a surprise: an event type that is not known
//!   (or does not look as it should) becomes [`event::Event::Other`].
//!
//! For what others write, a message is a struct with an `extra` for what is unknown
//! (macros in `wire.rs`); names that the other side may extend are enums with
//! `Other`. Small closed shapes that other crates write out in full
//! (`QueueDelay`, `ErrorDetail`, …) have no `extra`.
//!
//! The shapes follow Marathon 1.11's RAML (Apache License 2.0) and answers
//! recorded from Mesos 1.11.0. The types do no input/output and judge nothing:
//! validation is the engine's.

#[macro_use]
mod wire;

pub mod app;
pub mod check;
pub mod container;
pub mod deployment;
pub mod error;
pub mod event;
pub mod group;
pub mod health;
pub mod info;
pub mod instance;
pub mod mesos;
pub mod metrics;
pub mod pod;
pub mod queue;
pub mod readiness;
pub mod recordio;
pub mod task;
pub mod timestamp;

/// Members that this crate has no field for, kept as they came.
pub type Extra = std::collections::BTreeMap<String, serde_json::Value>;
