//! Who reads, and how: known at once in the browser, because the server writes
//! it into the document's head. One could get it wrong by asking a server
//! function for it: the frame would then wait, and the first render in the
//! browser would differ from the server's.

#[cfg(not(feature = "ssr"))]
use crate::context::Mark;
use crate::context::{Prefs, Who};
use crate::text::clock::Zone;
#[cfg(not(feature = "ssr"))]
use crate::wire;
use leptos::prelude::*;
use serde::{Deserialize, Serialize};

/// What the head carries.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Reader {
    /// Who.
    pub who: Who,
    /// Preferences.
    pub prefs: Prefs,
    /// Minutes east of UTC.
    pub zone: i32,
    /// The server's clock when it wrote this, ms since 1970.
    pub now: i64,
    /// Which changes the page knows.
    pub mark: String,
}

/// The name of the meta element.
pub const META: &str = "padis-reader";

/// Provides [`Who`], [`Prefs`] and [`Zone`] in the browser, where no server has
/// done it; on the server they stand in the context already.
pub fn provide() {
    #[cfg(not(feature = "ssr"))]
    {
        let found = document()
            .query_selector("meta[name=padis-reader]")
            .ok()
            .flatten()
            .and_then(|m| m.get_attribute("content"))
            .and_then(|c| wire::value::<Reader>(&c))
            .unwrap_or_default();
        provide_context(found.who);
        provide_context(found.prefs);
        provide_context(Zone(found.zone));
        provide_context(Mark(found.mark));
    }
    #[cfg(feature = "ssr")]
    if use_context::<Zone>().is_none() {
        provide_context(Zone::default());
    }
}

/// Who reads.
pub fn who() -> Who {
    use_context::<Who>().unwrap_or_default()
}
/// How he wants to read.
pub fn prefs() -> Prefs {
    use_context::<Prefs>().unwrap_or_default()
}
