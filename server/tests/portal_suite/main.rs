//! The portal on SQLite and on PostgreSQL.

#[path = "../support/mod.rs"]
mod support;

mod admin;
mod commands;
mod isolation;
mod lists;
mod quota;
mod reads;
mod validate;
mod walk;
mod world;
