//! The drivers: one folder per outside system, each the implementation of a port
//! of `padis-domain`, and an in-memory fake of every port in [`fake`].
//!
//! A driver translates and reports; it decides nothing. One could get it wrong in
//! two ways: by letting a driver know why something is wanted (then the plan is
//! in two places), or by reporting a time-out after the request was sent as a
//! failure (then the reconciler repeats what may have happened).

pub mod child;
pub mod dns;
pub mod docker_at;
mod docker_engine;
pub mod docker_net;
mod docker_tls;
pub mod fake;
pub mod haproxy;
pub mod http;
pub mod ldap;
pub mod marathon;
pub mod mesos;
pub mod registry;
pub mod workbench;
