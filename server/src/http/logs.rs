//! `GET /logs/{team}/{app}/{task}/{file}`: a whole log as a download, streamed
//! piece by piece, so that its size costs no memory.

use super::{Web, errors};
use axum::Extension;
use axum::body::Body;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use http::header::{CONTENT_DISPOSITION, CONTENT_TYPE, HeaderValue};
use padis_app::context::Who;
use padis_domain::Problem;
use padis_domain::app::AppRef;
use padis_domain::view::{LogPiece, LogQuery};

/// The most bytes that the portal gives at once.
const PIECE: u32 = 262_144;

/// The route.
pub async fn download(
    State(web): State<Web>,
    Extension(who): Extension<Who>,
    Path((team, app, task_id, file)): Path<(String, String, String, String)>,
) -> Response {
    let Some(caller) = who.0 else { return errors::json(&Problem::NotSignedIn) };
    let app = AppRef { team, app };
    let name = format!("{}-{file}", app.app);
    let name: String = name.chars().filter(|c| c.is_ascii_alphanumeric() || "-._".contains(*c)).take(100).collect();
    let portal = web.portal.clone();
    let ask = move |at: u64| {
        let q = LogQuery {
            task_id: task_id.clone(),
            file: file.clone(),
            offset: Some(at),
            length: PIECE,
            find: String::new(),
        };
        let (portal, caller, app) = (portal.clone(), caller.clone(), app.clone());
        async move { portal.log(&caller, &app, &q).await }
    };
    let first = match ask(0).await {
        Ok(piece) => piece,
        Err(problem) => return errors::json(&problem),
    };
    // The end is fixed now: a log that grows as fast as it is read would never end.
    let end = first.length;
    let pieces = futures::stream::unfold((Some(first), 0u64, ask), move |(have, at, ask)| async move {
        let piece = match have {
            Some(p) => p,
            None if at >= end => return None,
            None => match ask(at).await {
                Ok(p) if p.next > at => p,
                Ok(_) => return None,
                Err(problem) => return Some((Err(std::io::Error::other(problem)), (None, end, ask))),
            },
        };
        let next = piece.next;
        Some((Ok(text(piece)), (None, next, ask)))
    });
    let disposition = format!("attachment; filename=\"{name}.log\"");
    let mut response = Body::from_stream(pieces).into_response();
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    if let Ok(v) = HeaderValue::from_str(&disposition) {
        headers.insert(CONTENT_DISPOSITION, v);
    }
    response
}

fn text(piece: LogPiece) -> String {
    let mut out = String::new();
    for (_, line) in piece.lines {
        out.push_str(&line);
        out.push('\n');
    }
    out
}
