//! The portal as people see it: pages that the server renders and the browser
//! takes over. `text → ui → pages → shell → routes`; pages call [`api`], and the
//! server functions call the [`Portal`](padis_domain::portal::Portal) that the
//! server provides by context.

#![recursion_limit = "512"]

pub mod api;
pub mod context;
mod fetch;
mod http;
pub mod live;
pub mod pages;
mod routes;
pub mod shell;
pub mod text;
pub mod ui;
pub mod wire;

pub use routes::App;
#[cfg(feature = "ssr")]
pub use shell::document::shell;
