//! Images as one file: `GET /images-archive/{registry}/{repository…}:{tag}` gives one,
//! `POST /images-archive` takes one.
//!
//! Neither is kept in memory, and neither goes through compression: the layers are packed
//! already, and the length, which is known, would be lost. What one could get wrong: to answer
//! while the browser still sends. It shows nothing of an answer before it has sent everything,
//! and an aborted connection instead of one that came too early.

use super::multipart::{drain, text};
use super::{Web, errors, local};
use axum::body::Body;
use axum::extract::{DefaultBodyLimit, Multipart, Path, State};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Extension, Router};
use futures::StreamExt;
use http::header::{CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_LENGTH, CONTENT_TYPE, HeaderValue, SET_COOKIE};
use padis_app::api::{BROUGHT, Fault, form::BringForm, keep_beside_file};
use padis_app::context::Who;
use padis_app::wire;
use padis_domain::Problem;
use padis_domain::ports::PortError;
use padis_domain::problem::System;

/// The most bytes of a text field.
const TEXT: usize = 2 << 10;
/// Where the list is.
const LIST: &str = "/images/archives";

/// The routes.
pub fn routes() -> Router<Web> {
    Router::new()
        .route("/images-archive", post(bring).layer(DefaultBodyLimit::disable()))
        .route("/images-archive/{registry}/{*version}", get(download))
}

async fn download(
    State(web): State<Web>,
    Extension(who): Extension<Who>,
    Path((registry, version)): Path<(String, String)>,
) -> Response {
    let Some(caller) = who.0 else { return errors::json(&Problem::NotSignedIn) };
    let Some((repository, tag)) = version.split_once(':') else { return errors::json(&Problem::NotFound) };
    let archive = match web.portal.archive(&caller, &registry, repository, tag).await {
        Ok(archive) => archive,
        Err(problem) => return errors::json(&problem),
    };
    // An error there breaks the connection off; its causes have been logged.
    let body = archive.body.map(|piece| piece.map_err(|e| std::io::Error::other(e.to_string())));
    let mut response = Body::from_stream(body).into_response();
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/x-tar"));
    headers.insert(CONTENT_LENGTH, HeaderValue::from(archive.bytes));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("private, no-store"));
    if let Ok(v) = HeaderValue::from_str(&format!("attachment; filename=\"{}\"", archive.name)) {
        headers.insert(CONTENT_DISPOSITION, v);
    }
    response
}

/// The fields `back`, `once`, `registry`, `repository` and `tag` come before `file`.
async fn bring(State(web): State<Web>, Extension(who): Extension<Who>, mut parts: Multipart) -> Response {
    let Some(caller) = who.0 else { return local::see("/sign-in") };
    let (mut form, mut back, mut outcome) = (BringForm::default(), "/images".to_owned(), None);
    loop {
        let field = match parts.next_field().await {
            Ok(Some(field)) => field,
            Ok(None) => break,
            Err(e) => {
                tracing::info!(cause = %e, "a form with an archive could not be read");
                break;
            }
        };
        let name = field.name().unwrap_or_default().to_owned();
        match name.as_str() {
            "file" if outcome.is_none() && field.file_name().is_some_and(|n| !n.is_empty()) => {
                let new = form.read(field.file_name().unwrap_or_default());
                let mut field = field;
                let said = {
                    let pieces = (&mut field).map(|piece| {
                        let broken = |e| PortError::transient(System::Disk, "receive a file", e);
                        piece.map(Vec::from).map_err(broken)
                    });
                    web.portal.bring_archive(&caller, &new, pieces.boxed(), &form.once).await
                };
                drain(field).await;
                outcome = Some(said);
                break;
            }
            "file" => drain(field).await,
            "back" => {
                let wanted = text(field, TEXT).await;
                back = local::path(&wanted).map_or(back, str::to_owned);
            }
            "once" => form.once = text(field, TEXT).await,
            "registry" => form.registry = text(field, TEXT).await,
            "repository" => form.repository = text(field, TEXT).await,
            "tag" => form.tag = text(field, TEXT).await,
            _ => drain(field).await,
        }
    }
    let endpoint = BROUGHT.rsplit('/').next().unwrap_or_default();
    let problem = match outcome.unwrap_or_else(|| Err(Problem::missing("file"))) {
        Ok(_) => return local::see(&local::with(LIST, &[("done", endpoint)])),
        Err(problem) => problem,
    };
    let typed = [("registry", form.registry), ("repository", form.repository), ("tag", form.tag)];
    let typed: Vec<(String, String)> = typed.into_iter().map(|(k, v)| (k.to_owned(), v)).collect();
    let kept = keep_beside_file(endpoint, &caller, &typed, web.secure);
    let said = wire::text(&Fault::Portal(problem));
    let mut response = local::see(&local::with(&back, &[("failed", endpoint), ("problem", &said)]));
    for cookie in kept {
        response.headers_mut().append(SET_COOKIE, cookie);
    }
    response
}
