//! What the forms send: flat structs of text, as a browser without JavaScript
//! posts them, and their conversion into the domain's structs.
//!
//! Every value is text and every field has a default, so that reading a form
//! can't fail before the portal is asked; what is malformed becomes a
//! [`Problem::Field`] with the form's own field name. All faults of a form are
//! said at once. One could get it wrong by keeping a secret: [`Form::shown`] is
//! what may be put back into the page, and it holds none.

mod admin;
mod app;
#[cfg(feature = "ssr")]
mod archives;
#[cfg(feature = "ssr")]
mod benches;
#[cfg(feature = "ssr")]
mod environment;
#[cfg(feature = "ssr")]
mod images;
mod network;
mod parse;
mod recipes;
#[cfg(feature = "ssr")]
mod standards;

pub use admin::*;
pub use app::*;
#[cfg(feature = "ssr")]
pub use archives::*;
#[cfg(feature = "ssr")]
pub use benches::*;
#[cfg(feature = "ssr")]
pub use environment::*;
#[cfg(feature = "ssr")]
pub use images::*;
pub use network::*;
pub use parse::{Faults, cores, env_lines, env_text, memory, pairs, seconds_text};
pub use recipes::*;
#[cfg(feature = "ssr")]
pub use standards::*;

use padis_domain::Problem;
use padis_domain::app::AppRef;
use serde::Serialize;
use serde::de::DeserializeOwned;

/// A form that can be sent back to the person who filled it in.
pub trait Form: Serialize + DeserializeOwned + Clone + Default + Send + Sync + 'static {
    /// The same without anything secret.
    fn shown(&self) -> Self {
        self.clone()
    }
}

/// Reads `seen`, the revision on which the form was based; empty is 0.
fn seen(text: &str) -> Result<i64, Problem> {
    if text.is_empty() {
        return Ok(0);
    }
    text.parse().map_err(|_| Problem::field("seen", padis_domain::problem::ValueFault::Malformed))
}

/// The application that a form is about.
fn app_ref(team: &str, app: &str) -> AppRef {
    AppRef { team: team.trim().to_owned(), app: app.trim().to_owned() }
}
