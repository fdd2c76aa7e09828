//! The portal as people see it.
pub mod context;
