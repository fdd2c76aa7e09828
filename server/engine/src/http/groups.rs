//! `/v2/groups`: trees of apps, read and changed as one.

use super::apps::deployed;
use super::error::ApiError;
use super::view::Embed;
use super::{Answer, Query, Shared, flag, json, params};
use crate::core::Core;
use crate::ids;
use crate::operations::{GroupChange, Refused};
use crate::world::World;
use axum::Json;
use axum::body::Bytes;
use axum::extract::Path;
use axum::http::{HeaderMap, StatusCode};
use axum::response::IntoResponse;
use padis_protocol::timestamp;
use serde_json::{Map, Value, json};
use std::collections::BTreeSet;

/// What a path below `/v2/groups/` means.
#[derive(Debug, PartialEq, Eq)]
enum Place {
    Group(String),
    Versions(String),
    Version(String, String),
}

fn place(rest: &str) -> Place {
    let parts: Vec<&str> = rest.split('/').filter(|p| !p.is_empty()).collect();
    let id = |parts: &[&str]| ids::absolute(&parts.join("/"));
    match parts.as_slice() {
        [group @ .., "versions"] => Place::Versions(id(group)),
        [group @ .., "versions", version] => Place::Version(id(group), (*version).to_owned()),
        group => Place::Group(id(group)),
    }
}

/// What is shown of a group: `embed=group.apps`, `group.groups`, `group.pods`, and
/// `group.apps.*` for what apps show. Nothing said: all of it, apps without details.
#[derive(Clone, Copy)]
struct Shown {
    apps: bool,
    groups: bool,
    app: Embed,
}

fn shown(query: &Query) -> Shown {
    let asked: Vec<&str> = params(query, "embed").iter().flat_map(|v| v.split(',')).collect();
    let of_apps: Vec<String> =
        asked.iter().filter_map(|a| a.strip_prefix("group.apps.")).map(|a| format!("apps.{a}")).collect();
    let of_apps: Vec<&str> = of_apps.iter().map(String::as_str).collect();
    let has = |name: &str| asked.contains(&name);
    let all = !asked.iter().any(|a| a.starts_with("group."));
    Shown {
        apps: all || has("group.apps") || !of_apps.is_empty(),
        groups: all || has("group.groups"),
        app: Embed::parse(&of_apps, Embed::default()),
    }
}

/// The path below `/v2/groups/`; none is the root.
type Below = Option<Path<String>>;

fn below(rest: Below) -> Place {
    place(&rest.map(|Path(rest)| rest).unwrap_or_default())
}

/// `GET /v2/groups`, `GET /v2/groups/{…}`
pub(super) async fn get(core: Shared, rest: Below, query: Query) -> Answer {
    let unknown = |id: &str| ApiError::from(Refused::UnknownGroup(id.to_owned()));
    match below(rest) {
        Place::Group(id) => {
            let shown = shown(&query);
            let view = core.look(|w| w.is_group(&id).then(|| view(w, &id, shown)));
            Ok(Json(view.ok_or_else(|| unknown(&id))?).into_response())
        }
        Place::Versions(id) => {
            let versions = core
                .look(|w| w.is_group(&id).then(|| w.groups.get(&id).map(|g| g.versions.clone()).unwrap_or_default()));
            let mut versions = versions.ok_or_else(|| unknown(&id))?;
            versions.reverse();
            Ok(Json(versions).into_response())
        }
        Place::Version(id, version) => {
            let found = core.look(|w| {
                let known = w.groups.get(&id).is_some_and(|g| g.versions.contains(&version));
                known.then(|| as_of(w, &id, &version))
            });
            let text = format!("Group {id} is not available in version {version}");
            Ok(Json(found.ok_or_else(|| ApiError::new(404, text))?).into_response())
        }
    }
}

/// `POST /v2/groups`, `POST /v2/groups/{id}`
pub(super) async fn create(core: Shared, rest: Below, query: Query, headers: HeaderMap, body: Bytes) -> Answer {
    change(&core, below(rest), &query, json(&headers, &body)?, true).await
}

/// `PUT /v2/groups`, `PUT /v2/groups/{id}`
pub(super) async fn put(core: Shared, rest: Below, query: Query, headers: HeaderMap, body: Bytes) -> Answer {
    change(&core, below(rest), &query, json(&headers, &body)?, false).await
}

async fn change(core: &Core, place: Place, query: &Query, body: Value, create: bool) -> Answer {
    let Place::Group(base) = place else { return Err(super::error::wrong_method().await) };
    let Value::Object(update) = body else { return Err(Refused::Bad(String::from("Invalid JSON")).into()) };
    let id = match update.get("id") {
        None | Some(Value::Null) => base,
        // The body's id is relative to the path's, unless it says the same once more.
        Some(Value::String(id)) if id.starts_with('/') => ids::absolute(id),
        Some(Value::String(id)) if create => ids::within(&base, id),
        Some(Value::String(_)) => base,
        Some(_) => return Err(Refused::Bad(String::from("Invalid JSON")).into()),
    };
    let can = core.can();
    let (force, dry_run) = (flag(query, "force", false), flag(query, "dryRun", false));
    let (result, seq) = core.change(|w| {
        let fresh = !w.is_group(&id);
        w.change_group(GroupChange { id, update, create, force, dry_run }, can).map(|r| (r, fresh))
    });
    let (result, fresh) = result?;
    core.durable(seq).await?;
    Ok(match result {
        Ok(result) => deployed(if fresh { StatusCode::CREATED } else { StatusCode::OK }, &result),
        Err(steps) => Json(steps).into_response(),
    })
}

/// `DELETE /v2/groups`, `DELETE /v2/groups/{id}`
pub(super) async fn delete(core: Shared, rest: Below, query: Query) -> Answer {
    let Place::Group(id) = below(rest) else { return Err(super::error::wrong_method().await) };
    let (result, seq) = core.change(|w| w.delete_group(&id, flag(&query, "force", false)));
    let result = result?;
    core.durable(seq).await?;
    Ok(deployed(StatusCode::OK, &result))
}

/// A group with what is inside, from one walk over the apps below it.
fn view(w: &World, id: &str, shown: Shown) -> Value {
    let prefix = if id == "/" { String::from("/") } else { format!("{id}/") };
    let mut apps = Vec::new();
    let mut groups = BTreeSet::new();
    let record = w.groups.get(id);
    let mut version = record.map(|g| g.version.clone()).unwrap_or_default();
    for app in w.ids_below(id).filter_map(|i| w.app(i)) {
        let Some(rest) = app.id().strip_prefix(&prefix) else { continue };
        version = version.max(app.version().to_owned());
        match rest.split_once('/') {
            None if shown.apps => apps.push(w.app_view(app, shown.app)),
            None => {}
            Some((name, _)) => drop(groups.insert(format!("{prefix}{name}"))),
        }
    }
    for group in w.groups.keys().filter_map(|g| g.strip_prefix(&prefix)).filter(|g| !g.is_empty()) {
        groups.insert(format!("{prefix}{}", group.split('/').next().unwrap_or(group)));
    }
    if version.is_empty() {
        version = timestamp::format(0);
    }
    let mut out = Map::from_iter([
        (String::from("id"), json!(id)),
        (String::from("dependencies"), json!(record.map(|g| g.dependencies.clone()).unwrap_or_default())),
        (String::from("version"), json!(version)),
        (String::from("pods"), json!([])),
    ]);
    if shown.apps {
        out.insert(String::from("apps"), json!(apps));
    }
    if shown.groups {
        out.insert(String::from("groups"), groups.iter().map(|g| view(w, g, shown)).collect());
    }
    Value::Object(out)
}

/// A group as it was, flat: the apps below it in the definitions that were in force.
fn as_of(w: &World, id: &str, version: &str) -> Value {
    let apps = w.apps_as_of(id, version);
    json!({"id": id, "version": version, "apps": apps, "groups": [], "pods": [], "dependencies": []})
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_below_groups() {
        assert_eq!(place(""), Place::Group("/".into()));
        assert_eq!(place("product/db"), Place::Group("/product/db".into()));
        assert_eq!(place("product/versions"), Place::Versions("/product".into()));
        assert_eq!(place("versions"), Place::Versions("/".into()));
        assert_eq!(place("a/versions/2020"), Place::Version("/a".into(), "2020".into()));
    }
}
