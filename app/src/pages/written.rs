//! Parts of pages that the server writes and the browser only puts into place.
//!
//! For pages that are read and hardly touched: what draws them, and the types of what
//! they show, would weigh in every reader's browser. They follow changes like any
//! other part; their links and forms are plain HTML. One could get it wrong by making
//! the markup from strings: it comes from the same views as everything else, which
//! escape what they are given, and never from text that somebody typed.

use super::parts::{live, use_list};
#[cfg(feature = "ssr")]
use super::write;
use super::{page, waiting};
use crate::api::{Ask, Said};
#[cfg(feature = "ssr")]
use crate::api::{call, cut_services};
use crate::fetch::Fetch;
use crate::ui::effect;
use futures::channel::oneshot;
use leptos::prelude::*;
use leptos::server_fn::codec::GetUrl;
use leptos_router::hooks::use_location;
use padis_domain::view::ListQuery;
use serde::{Deserialize, Serialize};
use std::time::Duration;

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
    /// The cluster's hosts, roles or frameworks.
    Cluster,
    /// Middleware, or one version of it with what is decided; the address says which.
    Middleware,
    /// What those who run the application in the address should know.
    Notice,
    /// Registries: repositories, one, a version of it, copies; the address says which.
    Images,
    /// Who did what.
    Journal,
}

/// A part as markup; whether the caller may see it is the portal's to say.
#[server(name = GetWritten, protocol = Ask<GetUrl>, prefix = "/api", endpoint = "written")]
async fn as_markup(part: Part, q: ListQuery, #[server(default)] at: String) -> Said<String> {
    let (c, portal) = call::begin()?;
    let t = crate::text::texts();
    let view = match part {
        Part::Systems => write::systems(t, call::tell(portal.systems(&c).await)?),
        Part::Names => write::names(t, call::tell(portal.names(&c, &q).await)?, &q),
        Part::Balancers => {
            let view = call::tell(portal.balancer(&c).await)?;
            write::balancers(t, cut_services(view, &q.q, q.page), &q)
        }
        Part::Centre => write::centre(t, call::tell(portal.stream(&c).await)?),
        Part::Cluster => write::cluster(t, call::tell(portal.cluster(&c, &q).await)?, &q),
        Part::Middleware => write::middleware(t, &c, &*portal, &at).await?,
        Part::Notice => write::stack_notice(t, &c, &*portal, &at).await?,
        Part::Journal => write::journal(t, &c, &*portal, &q, &at).await?,
        Part::Images => write::images(t, &c, &*portal, &q, &at).await?,
    };
    Ok(view.to_html())
}

/// The part, written anew when the page's query or one of the topics changes.
pub fn written(what: &'static str, part: Part, topics: &[&str]) -> AnyView {
    following(what, part, topics, None)
}

/// The same, and after a while in any case.
pub fn written_every(what: &'static str, part: Part, topics: &[&str], every: Duration) -> AnyView {
    following(what, part, topics, Some(every))
}

/// A part beside something else: nothing stands there while it comes, and where there is none.
pub fn written_beside(part: Part, topics: &[&str]) -> AnyView {
    let show = followed(part, topics, None).shown(|said| said.map_or_else(|_| ().into_any(), inside));
    waiting("", 0, show)
}

fn following(what: &'static str, part: Part, topics: &[&str], every: Option<Duration>) -> AnyView {
    page(what, followed(part, topics, every), inside)
}

fn inside(markup: String) -> AnyView {
    view! { <div class="written" inner_html=markup></div> }.into_any()
}

/// What somebody types in or stands on with the keyboard, if it is what the document calls
/// active: `:focus` does not match in a window that is not in front.
#[cfg(not(feature = "ssr"))]
const ACTIVE: &str = ".written :is(a,input,select,textarea)";
/// What somebody has typed in.
#[cfg(not(feature = "ssr"))]
const TYPED: &str = ".written :is(input,select,textarea):is(:user-valid,:user-invalid)";

/// The markup, anew when the address, a topic or the time says so; while something in it is
/// touched, later: it would be taken away from under somebody's hands.
fn followed(part: Part, topics: &[&str], every: Option<Duration>) -> Fetch<String> {
    let (list, changed, told) = (use_list(), live(topics), RwSignal::new(0_u32));
    let here = use_location();
    let (heard, hear) = signal(0_u32);
    let take = move |always: bool| {
        let now = changed.get_untracked();
        let due = always || heard.get_untracked() != now;
        if due && !touched() {
            hear.set(now);
            told.update(|n| *n = n.wrapping_add(1));
        }
    };
    effect(move || {
        changed.track();
        take(false);
    });
    effect(move || {
        let again = move || take(every.is_some());
        if let Ok(handle) = set_interval_with_handle(again, every.unwrap_or(Duration::from_secs(1))) {
            on_cleanup(move || handle.clear());
        }
    });
    let at = move || here.pathname.get() + "?" + &here.search.get();
    // Where what is shown is from: to begin with, what the page itself came with.
    let from = StoredValue::new(untrack(at));
    Fetch::new(
        move || (list.get(), at(), told.get()),
        move |(q, asked, _)| async move {
            // Somebody may have begun to type since it was asked for. What is shown stays for as
            // long as nothing new is handed over: showing the same once more is no way, the
            // browser would put it up afresh, without what was typed. But whoever follows a link
            // stands on it: one that is not let go of then holds up what he is waiting for.
            let stays = |asked: &String| {
                from.try_with_value(|was| was == asked) == Some(true) && untrack(at) == *asked && touched()
            };
            loop {
                let said = as_markup(part, q.clone(), asked.clone()).await;
                if !stays(&asked) {
                    if said.is_ok() {
                        from.try_set_value(asked);
                    }
                    return said;
                }
                while stays(&asked) {
                    pause().await;
                }
            }
        },
    )
}

/// A little while, in the browser.
async fn pause() {
    let (end, ended) = oneshot::channel::<()>();
    set_timeout(move || drop(end), Duration::from_millis(100));
    // It ends by being dropped.
    let _ = ended.await;
}

/// Whether somebody is at something in it; on the server nobody is.
fn touched() -> bool {
    #[cfg(feature = "ssr")]
    {
        false
    }
    #[cfg(not(feature = "ssr"))]
    {
        let document = document();
        document.active_element().is_some_and(|e| e.matches(ACTIVE).unwrap_or_default())
            || document.query_selector(TYPED).is_ok_and(|e| e.is_some())
    }
}
