//! An application's page: its head, and tabs that each have an address of their own.

mod charts;
mod claims;
mod danger;
mod delivery;
mod events;
mod header;
mod instances;
mod logs;
mod now;
mod releases;
mod settings;
mod trying;

pub use events::Events;
pub use instances::Instances;
pub use logs::Logs;
pub use now::Now;
pub use releases::Releases;
pub use settings::{Settings, changed};

use super::parts::{Act, act, now};
use super::waiting;
use super::written::{Part, written_beside};
use crate::api::{self, Fault, Restart, Retry, app_path};
use crate::fetch::Fetch;
use crate::live;
use crate::text::{Texts, texts};
use crate::ui::{Erase, Tab, effect, tabs};
use leptos::prelude::*;
use leptos_router::components::Outlet;
use leptos_router::hooks::{use_location, use_params_map};
use padis_domain::Problem;
use padis_domain::action::Action;
use padis_domain::app::AppRef;
use padis_domain::view::AppView;
use serde::de::DeserializeOwned;

/// What the tabs of one application share.
#[derive(Clone, Copy)]
pub struct Shared {
    /// Which.
    pub app: Memo<AppRef>,
    /// Its page.
    pub data: Fetch<AppView>,
    /// The same with a token for the forms that stand in it; `None`: it is deleted.
    pub top: Fetch<(Option<AppView>, String)>,
    /// "Try again now".
    pub retry: Act<Retry>,
    /// Counts up whenever it changed.
    pub changed: ReadSignal<u32>,
}

/// The application in the address.
pub fn use_app() -> Memo<AppRef> {
    let params = use_params_map();
    Memo::new(move |_| {
        params.with(|p| AppRef { team: p.get("team").unwrap_or_default(), app: p.get("app").unwrap_or_default() })
    })
}

/// What the tabs share; they only ever stand inside [`AppFrame`].
pub fn shared() -> Option<Shared> {
    use_context::<Shared>()
}

/// Counts up whenever the application in the address changed.
pub fn follow(app: Memo<AppRef>) -> ReadSignal<u32> {
    let (changed, set) = signal(0_u32);
    effect(move || {
        // The topic follows the address: the page stays when the application changes.
        live::on(app.get().work_key(), move || set.update(|n| *n = n.wrapping_add(1)));
    });
    changed
}

/// Head and tabs around every page of an application.
#[component]
pub fn AppFrame() -> AnyView {
    let t = texts();
    let app = use_app();
    let changed = follow(app);
    let (restart, retry) = (act::<Restart>(), act::<Retry>());
    let (restarted, retried) = (restart.told.version, retry.told.version);
    let again = move || restarted.get() + retried.get();
    let data = Fetch::new(move || (app.get(), changed.get(), again()), |(a, _, _)| api::app(a));
    // One answer for the whole head: two awaited one after the other in one view
    // have been seen to leave it waiting when a change came in between.
    let top = Fetch::new(
        move || (app.get(), changed.get(), again()),
        |(a, _, _)| async move {
            let token = api::once().await.unwrap_or_default();
            match api::app(a.clone()).await {
                Ok(v) => Ok((Some(v), token)),
                // Deleted: whoever may know of it may still read what became of it.
                Err(Fault::Portal(Problem::NotFound)) if api::claims(a).await.is_ok() => Ok((None, token)),
                Err(f) => Err(f),
            }
        },
    );
    provide_context(Shared { app, data, top, retry, changed });
    let path = use_location().pathname;
    view! {
        {super::page(t.shell.applications, top, move |(v, token): (Option<AppView>, String)| match v {
            Some(v) => header::header(v, restart, &token),
            None => header::gone(&app.get_untracked()),
        })}
        {written_beside(Part::Notice, &["stacks", "apps"])}
        {move || bar(t, &app.get(), &path.get(), data)}
        <Outlet/>
    }
    .erase()
}

/// The tabs.
fn bar(t: &'static Texts, app: &AppRef, path: &str, data: Fetch<AppView>) -> AnyView {
    let a = &t.app;
    let base = app_path(app);
    let rest = path.strip_prefix(&base).unwrap_or_default().trim_matches('/').to_owned();
    let tab = move |tail: &str, label: &str, count: Option<String>| Tab {
        href: if tail.is_empty() { base.clone() } else { format!("{base}/{tail}") },
        label: label.to_owned(),
        count,
        current: rest == tail,
    };
    let show = move |n: Option<(usize, u32)>| {
        tabs(
            a.parts,
            vec![
                tab("", a.now, None),
                tab("instances", a.instances, n.map(|n| n.0.to_string())),
                tab("releases", a.releases, n.map(|n| n.1.to_string())),
                tab("logs", a.logs, None),
                tab("events", a.events, None),
                tab("settings", a.settings, None),
            ],
        )
    };
    view! {
        <Transition fallback=|| ()>
            {move || {
                let show = show.clone();
                Suspend::new(async move {
                    match data.await {
                        Ok(v) => show(Some((v.instances.len(), v.release))),
                        Err(_) => ().into_any(),
                    }
                })
            }}
        </Transition>
    }
    .erase()
}

/// Why an action is not possible now; `None` if it is.
pub fn refused(v: &AppView, action: Action) -> Option<String> {
    let t = texts();
    v.offers.iter().find(|o| o.action == action).and_then(|o| o.refused).map(|r| t.reason(r).to_owned())
}

/// A tab's content from the shared application: nothing where the head says why there is none.
pub fn with_app(show: impl Fn(AppView) -> AnyView + Send + Sync + 'static) -> AnyView {
    let t = texts();
    let Some(s) = shared() else { return ().into_any() };
    let show = s.data.shown(move |said| match said {
        Ok(v) => show(v),
        Err(_) => ().into_any(),
    });
    waiting(t.shell.applications, 6, show)
}

/// The same with the head's own token, and without a question more.
pub fn with_top(show: impl Fn(AppView, &str) -> AnyView + Send + Sync + 'static) -> AnyView {
    let t = texts();
    let Some(s) = shared() else { return ().into_any() };
    let show = s.top.shown(move |said| match said {
        Ok((Some(v), token)) => show(v, &token),
        _ => ().into_any(),
    });
    waiting(t.shell.applications, 6, show)
}

/// The same with a fresh token for forms. Whatever such a part needs is awaited
/// here: a boundary inside it would be numbered differently by the server and by
/// the browser, and the page could not be taken over.
pub fn with_app_once(once: Fetch<String>, show: impl Fn(AppView, &str) -> AnyView + Send + Sync + 'static) -> AnyView {
    let t = texts();
    let Some(s) = shared() else { return ().into_any() };
    let show = StoredValue::new(show);
    let coming = move || async move {
        let token = once.await.unwrap_or_default();
        match s.data.await {
            Ok(v) => show.with_value(|f| f(v, &token)),
            Err(_) => ().into_any(),
        }
    };
    waiting(t.shell.applications, 6, Box::new(move || Box::pin(coming())))
}

/// Like [`part`], with the server's clock as of the application's page.
pub fn part_now<T>(
    what: &'static str,
    data: Fetch<T>,
    show: impl Fn(T, i64) -> AnyView + Send + Sync + 'static,
) -> AnyView
where
    T: Clone + DeserializeOwned + Send + Sync + 'static,
{
    let show = StoredValue::new(show);
    let shared = shared();
    let coming = move || async move {
        let now = match shared {
            Some(s) => s.data.await.map_or_else(|_| now(), |v| v.now),
            None => now(),
        };
        unless_absent(data.await, |v| show.with_value(|f| f(v, now)))
    };
    waiting(what, 6, Box::new(move || Box::pin(coming())))
}

/// A part of a tab from a resource of its own: nothing if the head says why already.
pub fn part<T>(what: &'static str, data: Fetch<T>, show: impl Fn(T) -> AnyView + Send + Sync + 'static) -> AnyView
where
    T: Clone + DeserializeOwned + 'static,
{
    waiting(what, 6, data.shown(move |said| unless_absent(said, &show)))
}

fn unless_absent<T>(said: api::Said<T>, show: impl Fn(T) -> AnyView) -> AnyView {
    match said {
        Ok(v) => show(v),
        Err(Fault::Portal(Problem::NotFound)) => ().into_any(),
        Err(f) => super::fault_notice(&f),
    }
}
