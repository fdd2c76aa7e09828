//! The portal as people see it.
pub mod api;
pub mod context;
