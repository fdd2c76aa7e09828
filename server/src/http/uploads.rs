//! Uploads: tus 1.0 (core, creation, termination) for the browser's script, and a
//! plain form without it.
//!
//! One could get it wrong by answering a refused package like a broken
//! connection: a client would then send it again and again. What is refused is
//! gone, and its answer is final; what broke keeps its offset.

use super::{Web, errors, local};
use crate::packages::{Appended, Progress};
use axum::extract::multipart::{Field, MultipartError};
use axum::extract::{DefaultBodyLimit, Multipart, Path, Request, State};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Extension, Router};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use futures::StreamExt;
use http::header::{ACCEPT, CACHE_CONTROL, CONTENT_TYPE, HeaderName, HeaderValue, LOCATION, SET_COOKIE};
use http::{HeaderMap, StatusCode};
use padis_app::api::{Fault, keep_beside_file};
use padis_app::context::Who;
use padis_app::wire;
use padis_domain::Problem;
use padis_domain::caller::Caller;
use padis_domain::problem::ValueFault;
use padis_domain::view::PackageRow;

const OFFSET: HeaderName = HeaderName::from_static("upload-offset");
const LENGTH: HeaderName = HeaderName::from_static("upload-length");
const METADATA: HeaderName = HeaderName::from_static("upload-metadata");
const RESUMABLE: HeaderName = HeaderName::from_static("tus-resumable");
const VERSION: HeaderValue = HeaderValue::from_static("1.0.0");

/// The routes.
pub fn routes() -> Router<Web> {
    Router::new()
        .route("/uploads", post(create).options(options))
        .route("/uploads/form", post(form).layer(DefaultBodyLimit::disable()))
        .route("/uploads/{id}", get(absent).head(head).patch(patch).delete(delete).options(options))
}

async fn absent() -> Response {
    errors::json(&Problem::NotFound)
}

fn number(headers: &HeaderMap, name: HeaderName) -> Option<u64> {
    headers.get(name)?.to_str().ok()?.trim().parse().ok()
}

fn tus(mut response: Response) -> Response {
    response.headers_mut().insert(RESUMABLE, VERSION);
    response
}

fn said(problem: &Problem) -> Response {
    tus(errors::json(problem))
}

fn at(status: StatusCode, p: Progress) -> Response {
    let mut response = tus(status.into_response());
    response.headers_mut().insert(OFFSET, HeaderValue::from(p.offset));
    response.headers_mut().insert(LENGTH, HeaderValue::from(p.length));
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// `Upload-Metadata`: pairs of name and base64, separated by commas.
fn metadata(headers: &HeaderMap, name: &str) -> Option<String> {
    let all = headers.get(METADATA)?.to_str().ok()?;
    let value = all.split(',').filter_map(|p| p.trim().split_once(' ')).find(|(n, _)| *n == name)?.1;
    String::from_utf8(STANDARD.decode(value.trim()).ok()?).ok()
}

async fn options(State(web): State<Web>) -> Response {
    let mut response = tus(StatusCode::NO_CONTENT.into_response());
    let headers = response.headers_mut();
    headers.insert("tus-version", VERSION);
    headers.insert("tus-extension", HeaderValue::from_static("creation,termination"));
    headers.insert("tus-max-size", HeaderValue::from(web.packages.max_bytes()));
    response
}

async fn create(State(web): State<Web>, Extension(who): Extension<Who>, headers: HeaderMap) -> Response {
    let Some(caller) = who.0 else { return said(&Problem::NotSignedIn) };
    let Some(length) = number(&headers, LENGTH) else {
        return said(&Problem::field("file", ValueFault::Missing));
    };
    let Some(team) = metadata(&headers, "team") else { return said(&Problem::missing("team")) };
    let name = metadata(&headers, "filename").unwrap_or_default();
    match web.packages.begin(&caller, &team, &name, length).await {
        Err(problem) => said(&problem),
        Ok(id) => {
            let mut response = at(StatusCode::CREATED, Progress { offset: 0, length });
            if let Ok(v) = HeaderValue::from_str(&format!("/uploads/{id}")) {
                response.headers_mut().insert(LOCATION, v);
            }
            response
        }
    }
}

async fn head(State(web): State<Web>, Extension(who): Extension<Who>, Path(id): Path<String>) -> Response {
    let Some(caller) = who.0 else { return said(&Problem::NotSignedIn) };
    match web.packages.progress(&caller, &id).await {
        Ok(p) => at(StatusCode::OK, p),
        Err(problem) => said(&problem),
    }
}

async fn patch(
    State(web): State<Web>,
    Extension(who): Extension<Who>,
    Path(id): Path<String>,
    request: Request,
) -> Response {
    let Some(caller) = who.0 else { return said(&Problem::NotSignedIn) };
    let kind = request.headers().get(CONTENT_TYPE).and_then(|v| v.to_str().ok());
    if kind != Some("application/offset+octet-stream") {
        return tus(StatusCode::UNSUPPORTED_MEDIA_TYPE.into_response());
    }
    let Some(offset) = number(request.headers(), OFFSET) else {
        return tus(StatusCode::BAD_REQUEST.into_response());
    };
    let ours = request.headers().get(ACCEPT).is_some_and(|v| v == wire::TYPE);
    let body = request.into_body().into_data_stream();
    match web.packages.append(&caller, &id, offset, body).await {
        Ok(Appended::More(p)) => at(StatusCode::NO_CONTENT, p),
        Ok(Appended::Elsewhere(p)) => at(StatusCode::CONFLICT, p),
        Ok(Appended::Busy) => tus(StatusCode::LOCKED.into_response()),
        Ok(Appended::Package(row)) => {
            let mut response = tus(if ours {
                ([(CONTENT_TYPE, wire::TYPE)], wire::pack(&Ok(&row))).into_response()
            } else {
                axum::Json(serde_json::json!({ "package": row })).into_response()
            });
            response.headers_mut().insert(OFFSET, HeaderValue::from(row.bytes));
            response
        }
        Err(problem) => said(&problem),
    }
}

async fn delete(State(web): State<Web>, Extension(who): Extension<Who>, Path(id): Path<String>) -> Response {
    let Some(caller) = who.0 else { return said(&Problem::NotSignedIn) };
    match web.packages.cancel(&caller, &id).await {
        Ok(()) => tus(StatusCode::NO_CONTENT.into_response()),
        Err(problem) => said(&problem),
    }
}

/// `POST /uploads/form`, from a form without scripts: `upload-team` (or `team`) and
/// `upload-back` before the file. The page goes on with what else was typed into the
/// form of the server function that `upload-form` names.
async fn form(State(web): State<Web>, Extension(who): Extension<Who>, mut parts: Multipart) -> Response {
    let Some(caller) = who.0 else { return local::see("/sign-in") };
    let (mut team, mut back, mut of) = (None, "/packages".to_owned(), String::new());
    let mut outcome = None;
    let (mut typed, mut room) = (Vec::new(), 4 * TEXT);
    loop {
        let field = match parts.next_field().await {
            Ok(Some(f)) => f,
            Ok(None) => break,
            Err(e) => {
                // What came of the file before that stays true.
                outcome.get_or_insert_with(|| Err(broken(&e)));
                break;
            }
        };
        match field.name().unwrap_or_default() {
            "file" if outcome.is_some() || field.file_name().is_none_or(str::is_empty) => drain(field).await,
            "file" => outcome = Some(take(&web, &caller, team.as_deref().unwrap_or_default(), field).await),
            "upload-team" => team = Some(short(field).await),
            "upload-form" => of = short(field).await,
            "upload-back" => {
                let wanted = short(field).await;
                back = local::path(&wanted).map_or(back, str::to_owned);
            }
            name => {
                let name = name.to_owned();
                let value = short(field).await;
                if name == "team" && team.is_none() {
                    team = Some(value.clone());
                }
                room = room.saturating_sub(name.len() + value.len());
                if room > 0 {
                    typed.push((name, value));
                }
            }
        }
    }
    let kept = keep_beside_file(&of, &caller, &typed, web.secure);
    let mut query = if kept.is_empty() { Vec::new() } else { vec![("kept", of)] };
    match outcome.unwrap_or_else(|| Err(Problem::missing("package"))) {
        Ok(row) => query.extend([("package", row.sha256), ("for", row.team)]),
        // The browser shows nothing of an answer before it has sent everything: it has.
        Err(problem) => query.push(("problem", wire::text(&Fault::Portal(problem)))),
    }
    let query: Vec<(&str, &str)> = query.iter().map(|(k, v)| (*k, v.as_str())).collect();
    let mut response = local::see(&local::with(&back, &query));
    for cookie in kept {
        response.headers_mut().append(SET_COOKIE, cookie);
    }
    response
}

fn broken(e: &MultipartError) -> Problem {
    tracing::info!(cause = %e, "a form with a file could not be read");
    Problem::Package { fault: padis_domain::package::PackageFault::Truncated }
}

async fn take(web: &Web, caller: &Caller, team: &str, mut field: Field<'_>) -> Result<PackageRow, Problem> {
    if team.is_empty() {
        drain(field).await;
        return Err(Problem::missing("team"));
    }
    let name = field.file_name().unwrap_or_default().to_owned();
    let row = web.packages.whole(caller, team, &name, &mut field).await;
    if row.is_err() {
        drain(field).await;
    }
    row
}

/// The most bytes of a text field: more than cookies keep of a whole form.
const TEXT: usize = 16 << 10;

/// A small text field; anything longer is cut.
async fn short(mut field: Field<'_>) -> String {
    let mut out = Vec::new();
    while let Some(Ok(bytes)) = field.next().await {
        out.extend_from_slice(&bytes[..bytes.len().min(TEXT.saturating_sub(out.len()))]);
    }
    String::from_utf8_lossy(&out).into_owned()
}

async fn drain(mut field: Field<'_>) {
    while let Some(Ok(_)) = field.next().await {}
}
