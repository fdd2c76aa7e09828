//! The portal on SQLite and on PostgreSQL.

#![expect(clippy::expect_used, reason = "what a test needs and does not get ends it")]

#[path = "../support/mod.rs"]
mod support;

mod admin;
mod archives;
mod benches;
mod cluster;
mod commands;
mod hosts;
mod images;
mod inside;
mod isolation;
mod lists;
mod promotions;
mod quota;
mod races;
mod reads;
mod recipes;
mod retry;
mod room;
mod standards;
mod tidying;
mod trying;
mod validate;
mod walk;
mod world;
