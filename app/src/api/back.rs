//! How a form that was posted without JavaScript finds out what became of it.
//!
//! The outcome stands in the page's query, so that the first render in the
//! browser says the same as the server's. One could get it wrong by reading the
//! cookie in a component: [`kept`](super::kept) is a server function, and its
//! answer travels with the page.

use super::fault::{Fault, Said};
use super::form::Form;
use crate::fetch::Fetch;
use crate::wire;
use leptos::prelude::*;
use leptos_router::hooks::use_query_map;
use std::future::{Future, IntoFuture};
use std::pin::Pin;

/// What became of the form of `endpoint`, according to the page's address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// This page was not reached by that form.
    None,
    /// It took effect.
    Done,
    /// It did not, and why.
    Failed(Fault),
}

/// Reads the outcome from a query. `get` gives the value of a name.
pub fn outcome(endpoint: &str, get: impl Fn(&str) -> Option<String>) -> Outcome {
    if get("done").as_deref() == Some(endpoint) {
        return Outcome::Done;
    }
    if get("failed").as_deref() == Some(endpoint) {
        let said = get("problem").and_then(|p| wire::value(&p));
        return Outcome::Failed(said.unwrap_or(Fault::OutOfDate));
    }
    match get("__path") {
        Some(path) if path.rsplit('/').next() == Some(endpoint) => Outcome::Failed(Fault::OutOfDate),
        _ => Outcome::None,
    }
}

/// Why an upload without scripts came back, from the page's query.
pub fn refused(get: impl Fn(&str) -> Option<String>) -> Option<Fault> {
    get("problem").filter(|_| get("failed").is_none()).and_then(|p| wire::value(&p))
}

/// The outcome for the page that is being rendered.
pub fn use_outcome(endpoint: &'static str) -> Memo<Outcome> {
    let query = use_query_map();
    Memo::new(move |_| query.with(|q| outcome(endpoint, |name| q.get(name))))
}

/// What was typed into a form that came back.
pub struct Kept<F>(Fetch<Option<F>>);
impl<F> Clone for Kept<F> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<F> Copy for Kept<F> {}

impl<F: Form> Kept<F> {
    /// The form, once it is known whether there is one.
    pub fn get(&self) -> Option<Option<F>> {
        self.0.get().map(|said| said.ok().flatten())
    }
    /// The same without following it.
    pub fn get_untracked(&self) -> Option<Option<F>> {
        self.0.get_untracked().map(|said| said.ok().flatten())
    }
}

impl<F: Form> IntoFuture for Kept<F> {
    type Output = Option<F>;
    type IntoFuture = Pin<Box<dyn Future<Output = Option<F>> + Send>>;

    fn into_future(self) -> Self::IntoFuture {
        let coming = self.0.into_future();
        Box::pin(async move { coming.await.ok().flatten() })
    }
}

/// What was typed into the form of `endpoint`, if it came back, be it from an upload
/// that stood in it; `None` if this page was reached otherwise. Create it in the
/// page's setup.
pub fn use_kept<F: Form>(endpoint: &'static str) -> Kept<F> {
    let query = use_query_map();
    let came = Memo::new(move |_| {
        query.with(|q| {
            let failed = matches!(outcome(endpoint, |name| q.get(name)), Outcome::Failed(_));
            failed || q.get("kept").as_deref() == Some(endpoint)
        })
    });
    let read = move |came: bool| async move {
        if !came {
            return Ok(None);
        }
        read_kept::<F>(endpoint).await
    };
    Kept(Fetch::new(move || came.get(), read))
}

/// Whether this page was reached to ask what the form of `endpoint` asks, by a
/// browser without scripts.
pub fn use_asked(endpoint: &'static str) -> Memo<bool> {
    let query = use_query_map();
    Memo::new(move |_| query.with(|q| q.get("asked").as_deref() == Some(endpoint)))
}

/// A form comes back only to a document that the server renders; the browser
/// finds it in the page and never has to decode the cookie's form itself.
pub async fn read_kept<F: Form>(endpoint: &'static str) -> Said<Option<F>> {
    #[cfg(feature = "ssr")]
    {
        let text = super::kept(endpoint.to_owned()).await?;
        Ok(text.and_then(|t| serde_qs::Config::new(5, false).deserialize_str(&t).ok()))
    }
    #[cfg(not(feature = "ssr"))]
    {
        let _ = endpoint;
        Ok(None)
    }
}

/// Sets the status of the page that is being rendered on the server, when what it
/// is about could not be had; nothing in the browser.
pub fn page_status(fault: &Fault) {
    #[cfg(feature = "ssr")]
    super::call::page_status(fault);
    #[cfg(not(feature = "ssr"))]
    let _ = fault;
}

/// Sets the status of a server function's answer, on the server.
pub(super) fn answer_status(fault: &Fault) {
    #[cfg(feature = "ssr")]
    super::call::set_status(fault);
    #[cfg(not(feature = "ssr"))]
    let _ = fault;
}

#[cfg(test)]
mod tests {
    use super::*;
    use padis_domain::Problem;

    #[test]
    fn only_its_own_outcome_is_read() {
        let problem = wire::text(&Fault::Portal(Problem::NotFound));
        let get = |n: &str| match n {
            "failed" => Some("put_pool".to_owned()),
            "problem" => Some(problem.clone()),
            _ => None,
        };
        assert_eq!(outcome("put_pool", get), Outcome::Failed(Fault::Portal(Problem::NotFound)));
        assert_eq!(outcome("put_team", get), Outcome::None);
        assert_eq!(outcome("reserve", |n| (n == "done").then(|| "reserve".into())), Outcome::Done);
    }
}
