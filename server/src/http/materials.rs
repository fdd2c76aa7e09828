//! `GET /images-sbom/{registry}/{repository…}:{tag}`: the software bill of materials of a
//! version, as a download.
//!
//! One could get it wrong by naming the file as the address does: names of repositories
//! have slashes, and a header takes no other signs.

use super::{Web, errors};
use axum::Extension;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use http::header::{CONTENT_DISPOSITION, CONTENT_TYPE, HeaderValue};
use padis_app::context::Who;
use padis_domain::Problem;

/// The route.
pub async fn download(
    State(web): State<Web>,
    Extension(who): Extension<Who>,
    Path((registry, version)): Path<(String, String)>,
) -> Response {
    let Some(caller) = who.0 else { return errors::json(&Problem::NotSignedIn) };
    let Some((repository, tag)) = version.split_once(':') else { return errors::json(&Problem::NotFound) };
    let text = match web.portal.bill_of_materials(&caller, &registry, repository, tag).await {
        Ok(text) => text,
        Err(problem) => return errors::json(&problem),
    };
    let name: String = format!("{repository}-{tag}").replace('/', "-");
    let name: String = name.chars().filter(|c| c.is_ascii_alphanumeric() || "-._".contains(*c)).take(150).collect();
    let mut response = text.into_response();
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/vnd.cyclonedx+json; version=1.6"));
    if let Ok(v) = HeaderValue::from_str(&format!("attachment; filename=\"{name}.cdx.json\"")) {
        headers.insert(CONTENT_DISPOSITION, v);
    }
    response
}
