//! Server functions: caller, parse, one call on the portal, answer.
//!
//! There is one for every method of [`padis_domain::portal::Portal`], under
//! `/api/<endpoint>`: reads by GET with JSON answers, changes by POST with the
//! flat forms of [`form`], so that each works as a plain HTML form ([`Ask`] tells
//! how the browser half is answered). What is
//! permitted is the portal's affair alone. One could get it wrong by doing
//! something here that the portal could do: a second caller would miss it.

#[expect(missing_docs, reason = "fields of the argument structs that #[server] makes; each function tells its own")]
mod admin;
#[expect(missing_docs, reason = "fields of the argument structs that #[server] makes; each function tells its own")]
mod apps;
#[cfg(feature = "ssr")]
#[expect(missing_docs, reason = "fields of the argument structs that #[server] makes; each function tells its own")]
mod archives;
mod ask;
mod back;
#[cfg(feature = "ssr")]
#[expect(missing_docs, reason = "fields of the argument structs that #[server] makes; each function tells its own")]
mod benches;
#[expect(missing_docs, reason = "fields of the argument structs that #[server] makes; each function tells its own")]
mod blocks;
#[cfg(feature = "ssr")]
pub(crate) mod call;
mod endpoints;
#[cfg(feature = "ssr")]
#[expect(missing_docs, reason = "fields of the argument structs that #[server] makes; each function tells its own")]
mod environment;
mod fault;
pub mod form;
#[cfg(feature = "ssr")]
#[expect(missing_docs, reason = "fields of the argument structs that #[server] makes; each function tells its own")]
mod images;
#[expect(missing_docs, reason = "fields of the argument structs that #[server] makes; each function tells its own")]
mod pools;
#[cfg(feature = "ssr")]
#[expect(missing_docs, reason = "fields of the argument structs that #[server] makes; each function tells its own")]
mod promotions;
pub mod query;
#[cfg(feature = "ssr")]
#[expect(missing_docs, reason = "fields of the argument structs that #[server] makes; each function tells its own")]
mod recipes;
#[expect(missing_docs, reason = "fields of the argument structs that #[server] makes; each function tells its own")]
mod shell;
#[cfg(feature = "ssr")]
#[expect(missing_docs, reason = "fields of the argument structs that #[server] makes; each function tells its own")]
mod standards;

pub use admin::*;
pub use apps::*;
#[cfg(feature = "ssr")]
pub use archives::*;
pub use ask::{Ask, OURS, post, said};
pub use back::{Kept, Outcome, outcome, page_status, read_kept, refused, use_asked, use_kept, use_outcome};
#[cfg(feature = "ssr")]
pub use benches::*;
pub use blocks::*;
#[cfg(feature = "ssr")]
pub use call::keep_beside_file;
pub use endpoints::{Class, ENDPOINTS, Kind};
#[cfg(feature = "ssr")]
pub use environment::*;
pub use fault::{Fault, Said};
#[cfg(feature = "ssr")]
pub use images::*;
pub use pools::*;
#[cfg(feature = "ssr")]
pub use promotions::*;
#[cfg(feature = "ssr")]
pub use recipes::*;
pub use shell::*;
#[cfg(feature = "ssr")]
pub use standards::*;

use padis_domain::app::AppRef;

/// The page of an application.
pub fn app_path(app: &AppRef) -> String {
    format!("/applications/{}/{}", query::escape(&app.team), query::escape(&app.app))
}

/// The page of a pool.
pub fn pool_path(pool: &str) -> String {
    format!("/pools/{}", query::escape(pool.trim()))
}
