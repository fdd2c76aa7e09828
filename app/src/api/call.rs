//! What every server function does before and after its one call on the portal.
//!
//! A form posted without JavaScript is answered by a redirect. On success it
//! goes on with `done=<endpoint>` in the query; on failure it goes back with
//! `failed=<endpoint>` and `problem=<the fault as text>`, and what was typed,
//! secrets taken out, waits five minutes in a cookie that only [`kept`] reads.
//! One could get it wrong by setting a status for such a request: it would
//! override the redirect. Nothing here trusts the cookie: it is bound to the
//! account and only ever fills fields of the same form again.

use super::fault::{Fault, Said};
use super::form::{BringForm, Form, NewAppForm, ReleaseForm};
use super::query;
use crate::context::Who;
use crate::wire;
use http::header::{ACCEPT, COOKIE, HeaderName, HeaderValue, LOCATION, ORIGIN, REFERER, SET_COOKIE};
use http::request::Parts;
use leptos::prelude::use_context;
use leptos_axum::ResponseOptions;
use padis_domain::Problem;
use padis_domain::caller::Caller;
use padis_domain::portal::Portal;
use padis_domain::problem::ValueFault;
use std::sync::Arc;

/// The most bytes of one cookie's value; browsers keep 4096 with the attributes.
const COOKIE_BYTES: usize = 3500;
/// How many cookies a form may fill.
const COOKIES: usize = 4;
const COOKIE_NAME: &str = "padis_form_";
/// Seconds that a form's values wait.
const KEEP_S: u32 = 300;

/// The caller and the portal.
pub fn begin() -> Said<(Caller, Arc<dyn Portal>)> {
    let caller = use_context::<Who>().and_then(|w| w.0);
    let caller = caller.ok_or(Fault::Portal(Problem::NotSignedIn)).inspect_err(set_status)?;
    let portal = use_context::<Arc<dyn Portal>>().ok_or(Fault::OutOfDate)?;
    Ok((caller, portal))
}

/// The answer of a read.
pub fn tell<T>(said: Result<T, Problem>) -> Said<T> {
    said.map_err(Fault::Portal).inspect_err(set_status)
}

/// The answer of a change. `on` is where to go after success; `None`: stay.
pub fn settle<T, F: Form>(path: &str, who: &Caller, form: &F, said: Result<T, Problem>, on: Option<String>) -> Said<T> {
    let said = tell(said);
    let endpoint = path.rsplit('/').next().unwrap_or(path);
    let Some(parts) = use_context::<Parts>() else { return said };
    let from = header(&parts, REFERER).and_then(query::local).unwrap_or("/").to_owned();
    match &said {
        Ok(_) => match on {
            Some(to) => redirect(&query::with(&to, &query::BACK, &[("done", endpoint)])),
            None if plain(&parts) => redirect(&query::with(&from, &query::BACK, &[("done", endpoint)])),
            None => {}
        },
        Err(fault) if plain(&parts) => {
            keep(&parts, endpoint, who, form);
            let problem = wire::text(fault);
            redirect(&query::with(&from, &query::BACK, &[("failed", endpoint), ("problem", &problem)]));
        }
        Err(_) => {}
    }
    said
}

/// Leads to another form, which finds these values in itself.
///
/// # Errors
/// They are more than a browser keeps.
pub fn hand_over<F: Form>(endpoint: &str, who: &Caller, form: &F, to: &str) -> Said<()> {
    let Some(parts) = use_context::<Parts>() else { return Ok(()) };
    if !keep(&parts, endpoint, who, form) {
        let max = (COOKIE_BYTES * COOKIES) as u32;
        let fault = Fault::Portal(Problem::field("env", ValueFault::TooLong { max }));
        redirect(&query::with(to, &query::BACK, &[("failed", endpoint), ("problem", &wire::text(&fault))]));
        return Err(fault);
    }
    redirect(to);
    Ok(())
}

/// A form posted by the browser itself that changes nothing but asks something:
/// keeps what was typed and goes back with `asked=<endpoint>`; the page that is then
/// rendered asks. `false`: the answer belongs here.
pub fn back_to_ask<F: Form>(path: &str, who: &Caller, form: &F) -> bool {
    let Some(parts) = use_context::<Parts>() else { return false };
    // A page that is being rendered asks through the same function.
    if !parts.uri.path().starts_with("/api/") || !plain(&parts) {
        return false;
    }
    let endpoint = path.rsplit('/').next().unwrap_or(path);
    let from = header(&parts, REFERER).and_then(query::local).unwrap_or("/");
    keep(&parts, endpoint, who, form);
    redirect(&format!("{}#{endpoint}", query::with(from, &query::BACK, &[("asked", endpoint)])));
    true
}

/// What was typed into the form of `endpoint` when it last came back to this caller.
pub fn kept(endpoint: &str, who: &Caller) -> Option<String> {
    let parts = use_context::<Parts>()?;
    let cookies: Vec<&str> = parts.headers.get_all(COOKIE).iter().filter_map(|v| v.to_str().ok()).collect();
    let find = |n: usize| {
        let name = format!("{COOKIE_NAME}{n}=");
        cookies.iter().flat_map(|c| c.split(';')).find_map(|c| c.trim().strip_prefix(&name).map(str::to_owned))
    };
    let whole: String = (0..COOKIES).map_while(find).collect();
    let mine = format!("{endpoint}!{}!", query::escape(&who.account));
    whole.strip_prefix(&mine).map(str::to_owned)
}

/// A form posted by the browser itself.
fn plain(parts: &Parts) -> bool {
    header(parts, ACCEPT).is_some_and(|a| a.contains("text/html"))
}

fn header(parts: &Parts, name: HeaderName) -> Option<&str> {
    parts.headers.get(name).and_then(|v| v.to_str().ok())
}

/// Sets the status of an answer to a program; pages set their own.
pub fn set_status(fault: &Fault) {
    let Some((parts, response)) = use_context::<Parts>().zip(use_context::<ResponseOptions>()) else { return };
    if parts.uri.path().starts_with("/api/") && !plain(&parts) {
        set(&response, fault);
    }
}

fn set(response: &ResponseOptions, fault: &Fault) {
    if let Ok(status) = http::StatusCode::from_u16(fault.status()) {
        response.set_status(status);
    }
}

/// Sets the status of the page that is being rendered, when what it is about could not be had.
pub fn page_status(fault: &Fault) {
    if let Some(response) = use_context::<ResponseOptions>() {
        set(&response, fault);
    }
}

fn redirect(to: &str) {
    if HeaderValue::from_str(to).is_ok() {
        leptos_axum::redirect(to);
    } else if let Some(response) = use_context::<ResponseOptions>() {
        response.insert_header(LOCATION, HeaderValue::from_static("/"));
    }
}

/// Keeps what was typed until the form is shown again; `false` if it is too much for that.
fn keep<F: Form>(parts: &Parts, endpoint: &str, who: &Caller, form: &F) -> bool {
    let Some(response) = use_context::<ResponseOptions>() else { return false };
    let secure = header(parts, ORIGIN).is_some_and(|o| o.starts_with("https:"));
    let cookies = cookies(endpoint, who, form, secure);
    let kept = !cookies.is_empty();
    for cookie in cookies {
        response.append_header(SET_COOKIE, cookie);
    }
    kept
}

/// Cookies that keep what was typed, without secrets, as many as it needs. More
/// than fits is not kept: the browser's own "back" still has it.
fn cookies<F: Form>(endpoint: &str, who: &Caller, form: &F, secure: bool) -> Vec<HeaderValue> {
    let Ok(fields) = serde_qs::to_string(&form.shown()) else { return Vec::new() };
    let fields = fields.replace('[', "%5B").replace(']', "%5D");
    let whole = format!("{endpoint}!{}!{fields}", query::escape(&who.account));
    if !whole.is_ascii() || whole.len() > COOKIE_BYTES * COOKIES {
        return Vec::new();
    }
    let secure = if secure { "; Secure" } else { "" };
    let pieces: Vec<&[u8]> = whole.as_bytes().chunks(COOKIE_BYTES).collect();
    let cookie = |n: usize| {
        let piece = pieces.get(n).and_then(|p| std::str::from_utf8(p).ok()).unwrap_or_default();
        let age = if piece.is_empty() { 0 } else { KEEP_S };
        HeaderValue::from_str(&format!(
            "{COOKIE_NAME}{n}={piece}; Path=/; Max-Age={age}; HttpOnly; SameSite=Lax{secure}"
        ))
    };
    (0..COOKIES).filter_map(|n| cookie(n).ok()).collect()
}

/// The same for fields as a browser sent them along with a file: a form without
/// scripts that uploads is not the form of a server function. `endpoint` says whose
/// form it stood in; of another one nothing is kept.
pub fn keep_beside_file(endpoint: &str, who: &Caller, fields: &[(String, String)], secure: bool) -> Vec<HeaderValue> {
    let pairs = fields.iter().map(|(k, v)| format!("{}={}", query::escape(k), query::escape(v)));
    let text = pairs.collect::<Vec<_>>().join("&");
    fn typed<F: Form>(text: &str) -> Option<F> {
        serde_qs::Config::new(5, false).deserialize_str(text).ok()
    }
    match endpoint {
        "create_app" => typed::<NewAppForm>(&text).map(|f| cookies(endpoint, who, &f, secure)),
        "bring_archive" => typed::<BringForm>(&text).map(|f| cookies(endpoint, who, &f, secure)),
        "release_app" => typed::<ReleaseForm>(&text).map(|f| cookies(endpoint, who, &f, secure)),
        _ => None,
    }
    .unwrap_or_default()
}
