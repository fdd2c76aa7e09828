//! The words, rules and ports of Padis.
//!
//! Nothing here does I/O and nothing here knows a framework, so that the same
//! rules judge a form in the browser, a request on the server and a plan in the
//! reconciler. One could get it wrong by letting a driver's or a page's
//! vocabulary leak in: the words of `DESIGN.md` are the only ones used here.

pub mod action;
pub mod address;
pub mod app;
pub mod archives;
pub mod benches;
pub mod caller;
pub mod delivery;
pub mod name;
pub mod package;
pub mod plan;
pub mod pool;
pub mod portal;
pub mod ports;
pub mod problem;
pub mod quantity;
pub mod recipes;
pub mod stack;
pub mod tidying;
pub mod view;
pub mod words;

pub use problem::Problem;
