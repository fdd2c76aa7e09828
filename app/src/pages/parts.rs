//! What the operators' pages share: showing what a resource gives, forms that
//! call a server function, and who may press what.
//!
//! A form works in two ways, and both end in the same [`Outcome`]: with the
//! browser half the action's value, without it the page's query. One could get
//! it wrong by showing a field's error only in one of them.

use crate::api::form::Form;
use crate::api::{Fault, Outcome, Said, outcome, page_status};
use crate::context::Who;
use crate::text::{Texts, texts};
use crate::ui::{Shape, notice, skeleton};
use leptos::form::ActionForm;
use leptos::prelude::*;
use leptos::server_fn::client::Client;
use leptos::server_fn::codec::{Json, PostUrl};
use leptos::server_fn::request::ClientReq;
use leptos::server_fn::{Http, ServerFn};
use leptos_router::hooks::use_query_map;
use padis_domain::caller::Caller;
use serde::de::DeserializeOwned;

/// The caller; the shell shows no page to a stranger.
pub fn caller() -> Option<Caller> {
    use_context::<Who>().and_then(|w| w.0)
}

/// Why the caller may not change the platform; `None` if he may.
pub fn operator_refused(t: &'static Texts) -> Option<String> {
    let may = caller().is_some_and(|c| c.operator().is_ok());
    (!may).then(|| t.pools.only_operator.to_owned())
}

/// What a resource gives, a skeleton of `rows` rows until then, and the fault
/// if it gives none. `main`: the page is about this, so its status follows.
pub fn loaded<T, F>(what: &'static str, rows: usize, main: bool, from: Resource<Said<T>>, show: F) -> AnyView
where
    T: Clone + Send + Sync + 'static,
    F: Fn(T) -> AnyView + Clone + Send + Sync + 'static,
{
    let t = texts();
    let ready = move || {
        let show = show.clone();
        Suspend::new(async move {
            match from.await {
                Ok(v) => show(v),
                Err(f) => {
                    if main {
                        page_status(&f);
                    }
                    fault_notice(t, &f)
                }
            }
        })
    };
    view! { <Transition fallback=move || skeleton(t.shell.loading.to_owned()(what), rows)>{ready}</Transition> }.into_any()
}

/// A fault as a notice: what happened, why, what next.
pub fn fault_notice(t: &'static Texts, f: &Fault) -> AnyView {
    let said = t.trouble(f);
    let incident = said.incident.map(|i| view! { <small>{(t.shell.incident)(&i)}</small> });
    notice(Shape::Bad, said.what, said.next, incident.into_any())
}

/// A form's server function together with what became of it.
pub struct Act<S>
where
    S: ServerFn + Send + Sync + Clone + 'static,
    S::Output: Send + Sync + 'static,
    S::Error: Send + Sync + 'static,
{
    /// The action.
    pub action: ServerAction<S>,
    /// What became of it.
    pub told: Told,
}
impl<S> Clone for Act<S>
where
    S: ServerFn + Send + Sync + Clone + 'static,
    S::Output: Send + Sync + 'static,
    S::Error: Send + Sync + 'static,
{
    fn clone(&self) -> Self {
        *self
    }
}
impl<S> Copy for Act<S>
where
    S: ServerFn + Send + Sync + Clone + 'static,
    S::Output: Send + Sync + 'static,
    S::Error: Send + Sync + 'static,
{
}

/// What became of a form.
#[derive(Debug, Clone, Copy)]
pub struct Told {
    /// The outcome.
    pub said: Memo<Outcome>,
    /// How many answers came; a resource that follows it is read anew.
    pub version: Signal<usize>,
    /// Whether an answer is awaited.
    pub pending: Signal<bool>,
}

/// Sets up a form's server function.
pub fn act<S>() -> Act<S>
where
    S: ServerFn<Error = Fault> + Send + Sync + Clone + DeserializeOwned + 'static,
    S::Output: Send + Sync + 'static,
{
    let action = ServerAction::<S>::new();
    let endpoint = S::PATH.rsplit('/').next().unwrap_or(S::PATH);
    let query = use_query_map();
    let (version, value, pending) = (action.version(), action.value(), action.pending());
    let said = Memo::new(move |_| {
        if version.get() == 0 {
            return query.with(|q| outcome(endpoint, |name| q.get(name)));
        }
        value.with(|v| match v {
            None => Outcome::None,
            Some(Ok(_)) => Outcome::Done,
            Some(Err(f)) => Outcome::Failed(f.clone()),
        })
    });
    let told = Told { said, version: Signal::derive(move || version.get()), pending: pending.into() };
    Act { action, told }
}

/// The form itself. Its buttons and fields are `children`.
pub fn act_form<S>(act: Act<S>, id: impl Into<String>, class: &'static str, children: AnyView) -> AnyView
where
    S: ServerFn<Error = Fault, Protocol = Http<PostUrl, Json>> + Send + Sync + Clone + DeserializeOwned + 'static,
    S::Output: Send + Sync + 'static,
    S::Client: Client<Fault>,
    <<S::Client as Client<Fault>>::Request as ClientReq<Fault>>::FormData: From<web_sys::FormData>,
{
    let id: String = id.into();
    let busy = act.told.pending;
    view! {
        <ActionForm action=act.action attr:id=id attr:class=class attr:aria-busy=move || busy.get().then_some("true")>
            {children}
        </ActionForm>
    }
    .into_any()
}

impl Told {
    /// What is wrong with the field `name`.
    pub fn error(self, name: &'static str) -> Signal<Option<String>> {
        let t = texts();
        Signal::derive(move || match self.said.get() {
            Outcome::Failed(f) => {
                let lines: Vec<String> = f.about(name).iter().map(|p| t.problem(p).line()).collect();
                (!lines.is_empty()).then(|| lines.join(" "))
            }
            _ => None,
        })
    }
    /// What is said above the form: success, or what belongs to none of `fields`.
    pub fn notice(self, fields: &'static [&'static str], done: &'static str) -> AnyView {
        let t = texts();
        let said = move || match self.said.get() {
            Outcome::None => ().into_any(),
            Outcome::Done => notice(Shape::Ok, done, "", ().into_any()),
            Outcome::Failed(f) => match f.beside(fields) {
                Some(rest) => fault_notice(t, &rest),
                None => ().into_any(),
            },
        };
        view! { <div class="said" aria-live="polite">{said}</div> }.into_any()
    }
    /// Whether it failed.
    pub fn failed(self) -> Signal<bool> {
        Signal::derive(move || self.said.with(|s| matches!(s, Outcome::Failed(_))))
    }
}

/// A hidden field.
pub fn hidden(name: &'static str, value: impl Into<String>) -> AnyView {
    let value: String = value.into();
    view! { <input type="hidden" name=name value=value/> }.into_any()
}

/// What a form starts with: what was typed, if it came back, else `fresh`.
pub fn begin<F: Form>(kept: Option<F>, fresh: F) -> F {
    kept.unwrap_or(fresh)
}
