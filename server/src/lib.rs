//! Padis: the server. config → store → {auth, portal, reconcile} → http → main.
//!
//! Nothing depends on this crate. One could get it wrong by letting `http` or
//! `portal` name a driver: only [`compose`] knows what stands behind a port.

pub mod archives;
pub mod auth;
pub mod changes;
pub mod compose;
pub mod config;
pub mod http;
pub mod images;
pub mod inside;
pub mod osv;
pub mod packages;
pub mod portal;
pub mod recipes;
pub mod reconcile;
pub mod seal;
pub mod store;
