//! The built-in engine: a Marathon v2 API and a Mesos operator API on the local
//! Docker Engine, in one process, with nothing to install but Docker.
//!
//! It exists so that Padis runs on one machine through exactly the same seam as
//! on a cluster of a thousand: Marathon's REST API. One could get it wrong by
//! letting the portal know that it talks to the engine; it does not, and every
//! independent Marathon client may talk to it as well.
//!
//! How it works, from the outside in: `http` and `mesos` read and change the
//! state (`world`, `operations`); a loop (`core`, `schedule`) decides what to
//! start and stop (`decide`, `placement`, `backoff`: pure); the log (`store`)
//! keeps the intent on disk before `docker` acts on it; Docker's events and a
//! listing tell what became of it.

mod access;
mod backoff;
mod config;
mod core;
mod decide;
mod docker;
mod engine;
mod environment;
mod fetch;
mod health;
mod http;
mod hub;
mod ids;
mod mesos;
mod normalize;
mod operations;
mod placement;
mod record;
mod runtime;
mod sandbox;
mod schedule;
mod selector;
mod store;
mod transitions;
mod validate;
mod world;

pub use config::{AgentConfig, Credentials, EngineConfig, EngineError, MesosConfig, RuntimeConfig};
pub use engine::{Engine, EngineHandle, run};
