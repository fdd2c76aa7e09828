//! Parts of pages that the server writes and the browser only puts into place.
//!
//! For pages that are read and hardly touched: what draws them, and the types of what
//! they show, would weigh in every reader's browser. They follow changes like any
//! other part; their links and forms are plain HTML. One could get it wrong by making
//! the markup from strings: it comes from the same views as everything else, which
//! escape what they are given, and never from text that somebody typed.

use super::ask::Ask;
#[cfg(feature = "ssr")]
use super::call;
use super::fault::Said;
use leptos::prelude::*;
use leptos::server_fn::codec::GetUrl;
use padis_domain::view::ListQuery;
use serde::{Deserialize, Serialize};

/// Which part.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Part {
    /// What stands behind the portal.
    Systems,
    /// Names with what they resolve to.
    Names,
    /// The balancer's services.
    Balancers,
    /// The event stream and what hangs on it.
    Centre,
}

/// A part as markup; whether the caller may see it is the portal's to say.
#[server(name = GetWritten, protocol = Ask<GetUrl>, prefix = "/api", endpoint = "written")]
pub async fn written(part: Part, q: ListQuery) -> Said<String> {
    let (c, portal) = call::begin()?;
    let t = crate::text::texts();
    let view = match part {
        Part::Systems => crate::pages::write::systems(t, call::tell(portal.systems(&c).await)?),
        Part::Names => crate::pages::write::names(t, call::tell(portal.names(&c, &q).await)?, &q),
        Part::Balancers => {
            let view = call::tell(portal.balancer(&c).await)?;
            crate::pages::write::balancers(t, super::cut_services(view, &q.q, q.page), &q)
        }
        Part::Centre => crate::pages::write::centre(t, call::tell(portal.stream(&c).await)?),
    };
    Ok(view.to_html())
}
