//! `/v2/apps` and everything below it.

use super::error::ApiError;
use super::view::Embed;
use super::{Answer, Query, Shared, flag, json, param, params, tasks};
use crate::core::Core;
use crate::ids;
use crate::operations::{Change, Refused};
use crate::selector::Selector;
use axum::Json;
use axum::body::Bytes;
use axum::extract::{ConnectInfo, Path};
use axum::http::{HeaderMap, HeaderValue, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use padis_protocol::app::{App, AppList, AppSingle, VersionList};
use padis_protocol::deployment::DeploymentResult;
use padis_protocol::event::ApiPost;
use serde_json::{Map, Value};
use std::net::SocketAddr;

type Peer = ConnectInfo<SocketAddr>;

/// What a path below `/v2/apps/` means.
#[derive(Debug, PartialEq, Eq)]
enum Place {
    App(String),
    /// `/v2/apps/group/*`
    Below(String),
    Tasks(String),
    Task(String, String),
    Versions(String),
    Version(String, String),
    Restart(String),
}

fn place(rest: &str) -> Place {
    let parts: Vec<&str> = rest.split('/').filter(|p| !p.is_empty()).collect();
    let id = |parts: &[&str]| ids::absolute(&parts.join("/"));
    match parts.as_slice() {
        [app @ .., "*"] => Place::Below(id(app)),
        [app @ .., "tasks"] if !app.is_empty() => Place::Tasks(id(app)),
        [app @ .., "tasks", task] if !app.is_empty() => Place::Task(id(app), (*task).to_owned()),
        [app @ .., "versions"] if !app.is_empty() => Place::Versions(id(app)),
        [app @ .., "versions", version] if !app.is_empty() => Place::Version(id(app), (*version).to_owned()),
        [app @ .., "restart"] if !app.is_empty() => Place::Restart(id(app)),
        app => Place::App(id(app)),
    }
}

/// `GET /v2/apps`
pub(super) async fn list(core: Shared, query: Query) -> Answer {
    let selector = param(&query, "label").map(Selector::parse).transpose().map_err(|e| ApiError::new(422, e))?;
    let contains = |name: &str| param(&query, name).map(str::to_ascii_lowercase);
    let (id, cmd) = (contains("id"), contains("cmd"));
    let default = Embed { counts: true, deployments: true, ..Embed::default() };
    let embed = Embed::parse(&params(&query, "embed"), default);
    // Marathon counts by default even if something else is embedded.
    let embed = Embed { counts: true, deployments: true, ..embed };
    let apps = core.look(|w| {
        let shown = w.apps.values().filter(|a| !a.deleting).filter(|a| {
            id.as_ref().is_none_or(|t| a.id().contains(t.as_str()))
                && cmd.as_ref().is_none_or(|t| a.app.cmd.as_ref().is_some_and(|c| c.to_ascii_lowercase().contains(t)))
                && selector.as_ref().is_none_or(|s| s.matches(a.app.labels.as_ref()))
        });
        shown.map(|a| w.app_view(a, embed)).collect()
    });
    Ok(Json(AppList { apps }).into_response())
}

/// `GET /v2/apps/{…}`
pub(super) async fn get(core: Shared, Path(rest): Path<String>, query: Query, headers: HeaderMap) -> Answer {
    match place(&rest) {
        Place::App(id) => {
            // Whatever is asked to be embedded: Marathon shows all of one app, "for compatibility".
            let readiness = Embed::parse(&params(&query, "embed"), Embed::default()).readiness;
            let embed = Embed { readiness, ..Embed::ALL };
            let app = core.look(|w| w.app(&id).map(|a| w.app_view(a, embed)));
            let app = app.ok_or_else(|| ApiError::unknown_app(&id))?;
            Ok(Json(AppSingle { app }).into_response())
        }
        Place::Below(group) => {
            let apps: Vec<_> = core.look(|w| {
                let ids = w.apps_below(&group);
                ids.iter().filter_map(|id| w.app(id)).map(|a| w.app_view(a, Embed::ALL)).collect()
            });
            Ok(Json(serde_json::json!({ "*": apps })).into_response())
        }
        Place::Tasks(id) => tasks::of_app(&core, &id, &headers),
        Place::Versions(id) => {
            let versions = core.look(|w| {
                let app = w.app(&id)?;
                let all = std::iter::once(&app.app).chain(app.versions.iter().rev());
                Some(all.filter_map(|a| a.version.clone()).collect())
            });
            let versions = versions.ok_or_else(|| ApiError::unknown_app(&id))?;
            Ok(Json(VersionList { versions }).into_response())
        }
        Place::Version(id, version) => {
            let known = core.look(|w| w.app(&id).map(|a| a.at(&version).cloned()));
            let app = known.ok_or_else(|| ApiError::unknown_app(&id))?;
            let app =
                app.ok_or_else(|| ApiError::new(404, format!("App '{id}' does not exist in version {version}")))?;
            Ok(Json(app).into_response())
        }
        Place::Task(..) | Place::Restart(_) => Err(super::error::wrong_method().await),
    }
}

/// `POST /v2/apps`
pub(super) async fn create(
    core: Shared,
    peer: Peer,
    uri: Uri,
    query: Query,
    headers: HeaderMap,
    body: Bytes,
) -> Answer {
    let patch = object(json(&headers, &body)?)?;
    let id = id_of(&patch)?.ok_or_else(missing_id)?;
    let force = flag(&query, "force", false);
    let can = core.can();
    let (result, seq) = core.change(|w| {
        if w.app(&id).is_some() {
            return Err(Refused::Exists(id.clone()));
        }
        let change = Change { id: id.clone(), patch, partial: false, create: true };
        let result = w.change_apps(vec![change], force, can)?;
        announce(w, &id, &peer, &uri);
        let app = w.app(&id).map(|a| w.app_view(a, Embed::ALL));
        Ok((result, app))
    });
    let (result, app) = result?;
    core.durable(seq).await?;
    let mut answer = (StatusCode::CREATED, Json(app)).into_response();
    mark(&mut answer, &result);
    if let Ok(location) = HeaderValue::from_str(&format!("/v2/apps{id}")) {
        answer.headers_mut().insert("Location", location);
    }
    Ok(answer)
}

/// `PUT /v2/apps`
pub(super) async fn put_many(
    core: Shared,
    peer: Peer,
    uri: Uri,
    query: Query,
    headers: HeaderMap,
    body: Bytes,
) -> Answer {
    many(&core, &peer, &uri, &query, json(&headers, &body)?, true).await
}

/// `PATCH /v2/apps`
pub(super) async fn patch_many(
    core: Shared,
    peer: Peer,
    uri: Uri,
    query: Query,
    headers: HeaderMap,
    body: Bytes,
) -> Answer {
    many(&core, &peer, &uri, &query, json(&headers, &body)?, false).await
}

async fn many(core: &Core, peer: &Peer, uri: &Uri, query: &Query, body: Value, create: bool) -> Answer {
    let Value::Array(list) = body else { return Err(wrong_type("/", "error.expected.jsarray")) };
    let partial = !create || flag(query, "partialUpdate", true);
    let mut changes = Vec::new();
    for item in list {
        let patch = object(item)?;
        let id = id_of(&patch)?.ok_or_else(missing_id)?;
        changes.push(Change { id, patch, partial, create });
    }
    // Of a list Marathon never says that it was created, even if all of it was.
    let (result, _) = apply(core, peer, uri, query, changes).await?;
    Ok(deployed(StatusCode::OK, &result))
}

/// `PUT /v2/apps/{id}`
pub(super) async fn put(
    core: Shared,
    peer: Peer,
    Path(rest): Path<String>,
    uri: Uri,
    query: Query,
    headers: HeaderMap,
    body: Bytes,
) -> Answer {
    update(&core, &peer, &rest, &uri, &query, json(&headers, &body)?, true).await
}

/// `PATCH /v2/apps/{id}`
pub(super) async fn patch(
    core: Shared,
    peer: Peer,
    Path(rest): Path<String>,
    uri: Uri,
    query: Query,
    headers: HeaderMap,
    body: Bytes,
) -> Answer {
    update(&core, &peer, &rest, &uri, &query, json(&headers, &body)?, false).await
}

async fn update(core: &Core, peer: &Peer, rest: &str, uri: &Uri, query: &Query, body: Value, create: bool) -> Answer {
    let Place::App(id) = place(rest) else { return Err(super::error::wrong_method().await) };
    let patch = object(body)?;
    if id_of(&patch)?.is_some_and(|named| named != id) {
        return Err(Refused::Bad(format!("The id of the body does not match the path {id}")).into());
    }
    let partial = !create || flag(query, "partialUpdate", true);
    let (result, fresh) = apply(core, peer, uri, query, vec![Change { id, patch, partial, create }]).await?;
    Ok(deployed(if fresh { StatusCode::CREATED } else { StatusCode::OK }, &result))
}

/// The deployment, and whether none of the apps existed.
async fn apply(
    core: &Core,
    peer: &Peer,
    uri: &Uri,
    query: &Query,
    changes: Vec<Change>,
) -> Result<(DeploymentResult, bool), ApiError> {
    let force = flag(query, "force", false);
    let can = core.can();
    let (result, seq) = core.change(|w| {
        let ids: Vec<String> = changes.iter().map(|c| c.id.clone()).collect();
        let fresh = ids.iter().all(|id| w.app(id).is_none());
        let result = w.change_apps(changes, force, can)?;
        for id in &ids {
            announce(w, id, peer, uri);
        }
        Ok::<_, Refused>((result, fresh))
    });
    let (result, fresh) = result?;
    core.durable(seq).await?;
    Ok((result, fresh))
}

/// `DELETE /v2/apps/{…}`
pub(super) async fn delete(core: Shared, Path(rest): Path<String>, query: Query) -> Answer {
    match place(&rest) {
        Place::App(id) => {
            // Marathon's default for this one request is to force.
            let force = flag(&query, "force", true);
            let (result, seq) = core.change(|w| w.delete_apps(&[id], force));
            let result = result?;
            core.durable(seq).await?;
            Ok(deployed(StatusCode::OK, &result))
        }
        Place::Tasks(id) => tasks::kill_app(&core, &id, &query).await,
        Place::Task(id, task) => tasks::kill_one(&core, &id, &task, &query).await,
        _ => Err(super::error::wrong_method().await),
    }
}

/// `POST /v2/apps/{id}/restart`
pub(super) async fn post(
    core: Shared,
    Path(rest): Path<String>,
    query: Query,
    headers: HeaderMap,
    body: Bytes,
) -> Answer {
    let Place::Restart(id) = place(&rest) else { return Err(super::error::wrong_method().await) };
    if !body.is_empty() {
        json(&headers, &body)?;
    }
    let (result, seq) = core.change(|w| w.restart_app(&id, flag(&query, "force", false)));
    let result = result?;
    core.durable(seq).await?;
    Ok(deployed(StatusCode::OK, &result))
}

/// A deployment as the answer.
pub(super) fn deployed(status: StatusCode, result: &DeploymentResult) -> Response {
    let mut answer = (status, Json(result)).into_response();
    mark(&mut answer, result);
    answer
}

fn mark(answer: &mut Response, result: &DeploymentResult) {
    if let Ok(id) = HeaderValue::from_str(&result.deployment_id) {
        answer.headers_mut().insert("Marathon-Deployment-Id", id);
    }
}

fn announce(w: &mut crate::world::World, id: &str, peer: &Peer, uri: &Uri) {
    let Some(app) = w.app(id) else { return };
    // The environment may hold secrets, and anybody may listen.
    let app_definition = Box::new(App { env: None, ..app.app.clone() });
    let event = ApiPost {
        client_ip: peer.0.ip().to_string(),
        uri: uri.path().to_owned(),
        app_definition,
        ..ApiPost::default()
    };
    // Before the deployment's own events, as in Marathon.
    let at = w.events.iter().position(|e| e.kind() == "deployment_info").unwrap_or(w.events.len());
    w.events.insert(at, event.into());
}

fn object(value: Value) -> Result<Map<String, Value>, ApiError> {
    match value {
        Value::Object(map) => Ok(map),
        _ => Err(wrong_type("/", "error.expected.jsobject")),
    }
}

fn id_of(patch: &Map<String, Value>) -> Result<Option<String>, ApiError> {
    match patch.get("id") {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(id)) => Ok(Some(ids::absolute(id))),
        Some(_) => Err(wrong_type("/id", "error.expected.jsstring")),
    }
}

fn missing_id() -> ApiError {
    wrong_type("/id", "error.path.missing")
}

fn wrong_type(path: &str, error: &str) -> ApiError {
    let detail = padis_protocol::error::ErrorDetail { path: path.to_owned(), errors: vec![error.to_owned()] };
    Refused::Invalid(crate::validate::Invalid::Json(vec![detail])).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_below_apps() {
        assert_eq!(place("/team/app/r1"), Place::App("/team/app/r1".into()));
        assert_eq!(place("team/app/"), Place::App("/team/app".into()));
        assert_eq!(place("a/tasks"), Place::Tasks("/a".into()));
        assert_eq!(place("a/b/tasks/t1"), Place::Task("/a/b".into(), "t1".into()));
        assert_eq!(
            place("a/versions/2015-09-25T15:13:48.343Z"),
            Place::Version("/a".into(), "2015-09-25T15:13:48.343Z".into())
        );
        assert_eq!(place("a/restart"), Place::Restart("/a".into()));
        assert_eq!(place("team/*"), Place::Below("/team".into()));
        assert_eq!(place("tasks"), Place::App("/tasks".into()));
    }
}
