//! What the operators' pages share: forms that call a server function, who may
//! press what, and the time by the server's clock.
//!
//! A form works in two ways, and both end in the same [`Outcome`]: with the
//! browser half the action's value, without it the page's query. One could get
//! it wrong by showing a field's error only in one of them.

use super::{fault_notice, field_error, waiting};
use crate::api::{self, Fault, Outcome, Said, outcome};
use crate::fetch::Fetch;
use crate::shell::who;
use crate::text::{Texts, texts};
use crate::ui::{Erase, PagerWords, Shape, UrlState, notice, pager};
use crate::wire;
use leptos::ev::SubmitEvent;
use leptos::prelude::*;
use leptos::server_fn::ServerFn;
use leptos::server_fn::redirect::{REDIRECT_HEADER, call_redirect_hook};
use leptos_router::hooks::use_query_map;
use padis_domain::Problem;
use padis_domain::view::ListQuery;
use padis_domain::words::{Stage, UnixMs};
use serde::de::DeserializeOwned;
use std::marker::PhantomData;
use wasm_bindgen::JsCast;

/// Why the caller may not change the platform; `None` if he may.
pub fn operator_refused(t: &'static Texts) -> Option<String> {
    let may = who().0.is_some_and(|c| c.operator().is_ok());
    (!may).then(|| t.pools.only_operator.to_owned())
}

/// Why the caller may not decide about images and middleware; only the server says it.
#[cfg(feature = "ssr")]
pub fn publisher_refused(t: &'static Texts) -> Option<String> {
    let may = who().0.is_some_and(|c| c.publisher().is_ok());
    (!may).then(|| t.images().only_publisher.to_owned())
}

/// Now by the server's clock: in the browser the moment that the page carries
/// plus what has passed since, so a wrong clock there changes nothing.
pub fn now() -> UnixMs {
    #[cfg(feature = "ssr")]
    {
        let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
        since.map_or(0, |d| i64::try_from(d.as_millis()).unwrap_or(i64::MAX))
    }
    #[cfg(not(feature = "ssr"))]
    {
        let meta = document().query_selector("meta[name=padis-reader]").ok().flatten();
        let text = meta.and_then(|m| m.get_attribute("content")).unwrap_or_default();
        let then = wire::value::<crate::shell::me::Reader>(&text).map_or(0, |r| r.now);
        then + window().performance().map_or(0, |p| p.now() as i64)
    }
}

/// A part of a page from a resource: bones of `rows` rows, then the part or why
/// there is none. The page's own status does not follow it.
pub fn part<T>(
    what: &'static str,
    rows: usize,
    data: Fetch<T>,
    show: impl Fn(T) -> AnyView + Send + Sync + 'static,
) -> AnyView
where
    T: Clone + DeserializeOwned + 'static,
{
    let show = data.shown(move |said| match said {
        Ok(v) => show(v),
        Err(f) => fault_notice(&f),
    });
    waiting(what, rows, show)
}

/// A signal that changes whenever one of the topics did; resources follow it.
pub fn live(topics: &[&str]) -> ReadSignal<u32> {
    let (n, set) = signal(0_u32);
    for topic in topics {
        crate::live::on(*topic, move || set.update(|n| *n = n.wrapping_add(1)));
    }
    n
}

/// The list's state from the page's address.
pub fn use_list() -> Memo<ListQuery> {
    let query = use_query_map();
    Memo::new(move |_| {
        query.with(|m| {
            let get = |k: &str| m.get(k).unwrap_or_default();
            ListQuery {
                q: get("q").trim().to_owned(),
                stage: Stage::parse(&get("stage")),
                team: get("team"),
                state: get("state"),
                from: None,
                to: None,
                sort: get("sort"),
                desc: get("desc") == "true",
                page: get("page").parse().unwrap_or(1),
                per_page: 50,
            }
        })
    })
}

/// One value of the page's query.
pub fn use_param(name: &'static str) -> Memo<String> {
    let query = use_query_map();
    Memo::new(move |_| query.with(|m| m.get(name)).unwrap_or_default())
}

/// The pager with its words.
pub fn pages_of(t: &'static Texts, url: &UrlState, page: u32, per_page: u32, total: u64) -> AnyView {
    let (page, per) = (u64::from(page.max(1)), u64::from(per_page.max(1)));
    let first = if total == 0 { 0 } else { (page - 1) * per + 1 };
    let words = PagerWords {
        range: (t.shell.range)(first, (page * per).min(total), total),
        pages: t.shell.pages.to_owned(),
        previous: t.shell.previous.to_owned(),
        next: t.shell.next.to_owned(),
        page: t.shell.page,
    };
    pager(url, page as u32, per_page, total, words)
}

/// A form's server function together with what became of it.
pub struct Act<S> {
    path: &'static str,
    state: State,
    /// What became of it.
    pub told: Told,
    kind: PhantomData<fn() -> S>,
}
impl<S> Clone for Act<S> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<S> Copy for Act<S> {}

/// What the browser knows of a form that it has sent.
#[derive(Clone, Copy)]
struct State {
    pending: RwSignal<bool>,
    /// How many answers came.
    answers: RwSignal<usize>,
    /// How many of them said that it was done.
    version: RwSignal<usize>,
    value: RwSignal<Option<Said<()>>>,
}

/// What became of a form.
#[derive(Debug, Clone, Copy)]
pub struct Told {
    /// The outcome.
    pub said: Memo<Outcome>,
    /// How often it was done; a resource that follows it is read anew. What was
    /// refused changed nothing: read anew, the form would lose what was typed.
    pub version: Signal<usize>,
}

/// Sets up a form's server function. Only its address is used: the browser sends
/// the form's fields as they stand, as a browser without scripts would.
pub fn act<S: ServerFn>() -> Act<S> {
    let (state, told) = setup(S::PATH);
    Act { path: S::PATH, state, told, kind: PhantomData }
}

fn setup(path: &'static str) -> (State, Told) {
    let state = State {
        pending: RwSignal::new(false),
        answers: RwSignal::new(0),
        version: RwSignal::new(0),
        value: RwSignal::new(None),
    };
    let endpoint = path.rsplit('/').next().unwrap_or(path);
    let query = use_query_map();
    let said = Memo::new(move |_| {
        if state.answers.get() == 0 {
            return query.with(|q| outcome(endpoint, |name| q.get(name)));
        }
        match state.value.get() {
            None => Outcome::None,
            Some(Ok(())) => Outcome::Done,
            Some(Err(f)) => Outcome::Failed(f),
        }
    });
    (state, Told { said, version: state.version.into() })
}

/// The form itself. Its fields and buttons are `children`.
pub fn act_form<S>(act: Act<S>, id: impl Into<String>, class: &'static str, children: AnyView) -> AnyView {
    form(act.path, act.state, id.into(), class, children)
}

/// Around forms of this function that stand in `inside` as the server wrote them.
pub fn delegated<S>(act: Act<S>, inside: AnyView) -> AnyView {
    let (path, state) = (act.path, act.state);
    view! { <div class="written" on:submit=move |e| submit(path, state, &e)>{inside}</div> }.into_any()
}

fn submit(path: &'static str, state: State, e: &SubmitEvent) {
    if e.default_prevented() {
        return;
    }
    e.prevent_default();
    // A second press while the first is under way has no second effect.
    if let Some(fields) = fields(e).filter(|_| !state.pending.get_untracked()) {
        state.pending.set(true);
        leptos::task::spawn_local(async move {
            let said = send(path, &fields).await;
            let done = said.is_ok();
            let _ = state.value.try_set(Some(said));
            let _ = state.pending.try_set(false);
            let _ = state.answers.try_update(|n| *n += 1);
            if done {
                let _ = state.version.try_update(|n| *n += 1);
            }
        });
    }
}

fn form(path: &'static str, state: State, id: String, class: &'static str, children: AnyView) -> AnyView {
    view! {
        <form
            id=id
            class=class
            method="post"
            action=path
            novalidate
            aria-busy=move || state.pending.get().then_some("true")
            on:submit=move |e| submit(path, state, &e)
        >
            {children}
        </form>
    }
    .erase()
}

/// The form's fields with the button that was pressed, URL-encoded.
fn fields(e: &SubmitEvent) -> Option<String> {
    let form = e.target()?.dyn_into::<web_sys::HtmlFormElement>().ok()?;
    let data = web_sys::FormData::new_with_form(&form).ok()?;
    if let Some(b) = e.submitter().and_then(|s| s.dyn_into::<web_sys::HtmlButtonElement>().ok())
        && !b.name().is_empty()
    {
        data.append_with_str(&b.name(), &b.value()).ok()?;
    }
    let pairs = web_sys::UrlSearchParams::new_with_str_sequence_sequence(&data).ok()?;
    Some(String::from(pairs.to_string()))
}

/// Posts a form to its server function and follows where it leads.
async fn send(path: &str, fields: &str) -> Said<()> {
    let reply = api::post(path, fields).await.map_err(|()| Fault::ConnectionLost)?;
    // What the function gives is not looked at: only whether it did.
    wire::unpack::<()>(&api::said(&reply)?)?;
    if let (Some(_), Some(to)) = (reply.header(REDIRECT_HEADER), reply.header("Location")) {
        call_redirect_hook(&to);
    }
    Ok(())
}

impl Told {
    /// What is wrong with the field `name`.
    pub fn error(self, name: &'static str) -> Signal<Option<String>> {
        let t = texts();
        Signal::derive(move || match self.said.get() {
            Outcome::Failed(f) => field_error(t, Some(&f), name),
            _ => None,
        })
    }
    /// What is said above the form: success, or what belongs to none of `fields`.
    pub fn notice(self, fields: &'static [&'static str], done: impl Into<String>) -> AnyView {
        let (t, done): (_, String) = (texts(), done.into());
        let said = move || match self.said.get() {
            Outcome::None => ().into_any(),
            Outcome::Done => notice(Shape::Ok, done.clone(), "", ().into_any()),
            Outcome::Failed(f) => match f.beside(fields) {
                Some(rest) => changed(t, &rest),
                // All of it stands beside the fields; several are announced here.
                None if matches!(f.problem(), Some(Problem::Fields { .. })) => fault_notice(&f),
                None => ().into_any(),
            },
        };
        view! { <div class="said" aria-live="polite">{move || said()}</div> }.erase()
    }
}

/// A fault as a notice; what somebody else changed meanwhile is listed below it.
fn changed(t: &'static Texts, f: &Fault) -> AnyView {
    let list = match f.problem() {
        Some(Problem::ChangedMeanwhile { changes, .. }) => {
            changes.iter().map(|c| view! { <li>{t.change(c)}</li> }.erase()).collect_view()
        }
        _ => return fault_notice(f),
    };
    view! { {fault_notice(f)} <ul class="changes">{list}</ul> }.erase()
}

/// The hidden field with the revision that the form is based on. After "somebody
/// changed this meanwhile" it is the one that there is now: what stands in the form
/// stays, and sent again it is meant to go on top.
pub fn seen(told: Told, revision: impl Into<String>) -> AnyView {
    let revision: String = revision.into();
    let value = move || match told.said.get() {
        Outcome::Failed(Fault::Portal(Problem::ChangedMeanwhile { revision, .. })) => revision.to_string(),
        _ => revision.clone(),
    };
    view! { <input type="hidden" name="seen" value=value/> }.erase()
}

/// A hidden field.
pub fn hidden(name: &'static str, value: impl Into<String>) -> AnyView {
    let value: String = value.into();
    view! { <input type="hidden" name=name value=value/> }.erase()
}

/// The box that filters a list by text; the list's other parameters stay.
/// `beside` stands behind it: selects or links that filter further.
pub fn filter_box(t: &'static Texts, url: &UrlState, label: &'static str, value: &str, beside: AnyView) -> AnyView {
    let clear = (!value.is_empty()).then(|| {
        let href = url.with(&[("q", ""), ("page", "")]);
        view! { <a class="btn s quiet" href=href>{t.shell.clear}</a> }.erase()
    });
    view! {
        <form class="filt" method="get" action=url.path.clone() role="search">
            {url.hidden(&["q", "state", "team", "from", "to", "page", "done", "failed", "problem"])}
            <input class="in" type="search" name="q" value=value.to_owned() aria-label=label placeholder=label/>
            {beside}
            <button class="btn s" type="submit">{t.shell.filter}</button>
            {clear}
        </form>
    }
    .erase()
}

/// A small select inside a filter: `(value, word)`.
pub fn filter_select(label: &'static str, name: &'static str, value: &str, options: Vec<(String, String)>) -> AnyView {
    let options = options
        .into_iter()
        .map(|(v, word)| {
            let chosen = v == value;
            view! { <option value=v selected=chosen>{word}</option> }.erase()
        })
        .collect_view();
    view! {
        <span class="pull i-down">
            <select class="in" name=name aria-label=label>{options}</select>
        </span>
    }
    .erase()
}
