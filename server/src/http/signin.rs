//! The door: `POST /auth/sign-in` and `/auth/sign-out`, plain forms.

use super::{Web, cookies, errors, local};
use crate::auth::Peer;
use axum::extract::State;
use axum::response::Response;
use axum::{Extension, Form};
use http::HeaderMap;
use http::header::SET_COOKIE;
use padis_app::context::Who;
use padis_domain::Problem;
use serde::Deserialize;

/// The form.
#[derive(Deserialize)]
pub struct SignIn {
    #[serde(default)]
    account: String,
    #[serde(default)]
    password: String,
    #[serde(default)]
    next: String,
}

/// `POST /auth/sign-in`: 303 to `next`, or back to the door with the problem's word.
pub async fn sign_in(
    State(web): State<Web>,
    Extension(peer): Extension<Peer>,
    headers: HeaderMap,
    Form(form): Form<SignIn>,
) -> Response {
    let next = local::path(&form.next).unwrap_or("/");
    let old = cookies::get(&headers, cookies::session_name(web.secure));
    match web.auth.sign_in(&form.account, &form.password, &peer, old).await {
        Ok(token) => {
            let mut response = local::see(next);
            response.headers_mut().append(SET_COOKIE, cookies::session(&token, web.secure));
            response
        }
        Err(problem) => {
            let wait;
            let mut pairs = Vec::new();
            match &problem {
                Problem::SignInFailed => pairs.push(("problem", "sign_in_failed")),
                Problem::TooManyAttempts { retry_after_s } => {
                    wait = retry_after_s.to_string();
                    pairs.extend([("problem", "too_many_attempts"), ("retry_after_s", wait.as_str())]);
                }
                Problem::Unavailable { .. } | Problem::Internal { .. } => pairs.push(("problem", "unavailable")),
                Problem::DiskFull { .. } => pairs.push(("problem", "disk_full")),
                other => return errors::json(other),
            }
            if next != "/" {
                pairs.push(("next", next));
            }
            local::see(&local::with("/sign-in", &pairs))
        }
    }
}

/// `POST /auth/sign-out`.
pub async fn sign_out(State(web): State<Web>, Extension(who): Extension<Who>) -> Response {
    if let Some(caller) = &who.0
        && let Err(e) = web.auth.sign_out(caller).await
    {
        return errors::json(&crate::store::incident(&e));
    }
    let mut response = local::see("/sign-in");
    response.headers_mut().append(SET_COOKIE, cookies::no_session(web.secure));
    response
}
