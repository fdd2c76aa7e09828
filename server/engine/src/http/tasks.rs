//! Tasks: listing and killing.

use super::apps::deployed;
use super::error::ApiError;
use super::{Answer, Query, Shared, flag, json, param, params};
use crate::core::Core;
use crate::ids;
use axum::Json;
use axum::body::Bytes;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::IntoResponse;
use padis_protocol::task::{DeleteTasks, Task, TaskList, TaskSingle, TaskState};

fn wants_text(headers: &HeaderMap) -> bool {
    let accept = headers.get(header::ACCEPT).and_then(|v| v.to_str().ok()).unwrap_or("");
    accept.contains("text/plain") && !accept.contains("application/json")
}

/// `GET /v2/tasks`
pub(super) async fn list(core: Shared, query: Query, headers: HeaderMap) -> Answer {
    if wants_text(&headers) {
        return Ok(core.look(|w| w.endpoints(None)).into_response());
    }
    let mut wanted = params(&query, "status");
    wanted.extend(params(&query, "status[]"));
    let shown = |state: &TaskState| {
        wanted.is_empty()
            || wanted.iter().any(|s| match *s {
                "running" => *state == TaskState::TaskRunning,
                "staging" => matches!(state, TaskState::TaskStaging | TaskState::TaskStarting),
                _ => false,
            })
    };
    let tasks = core.look(|w| w.tasks.values().filter(|t| shown(&t.state)).map(|t| w.task_view(t)).collect());
    Ok(Json(TaskList { tasks }).into_response())
}

/// `GET /v2/apps/{id}/tasks`
pub(super) fn of_app(core: &Core, id: &str, headers: &HeaderMap) -> Answer {
    let text = wants_text(headers);
    core.look(|w| {
        w.app(id).ok_or_else(|| ApiError::unknown_app(id))?;
        if text {
            return Ok(w.endpoints(Some(id)).into_response());
        }
        let tasks = w.tasks_of(id).map(|t| w.task_view(t)).collect();
        Ok(Json(TaskList { tasks }).into_response())
    })
}

/// `DELETE /v2/apps/{id}/tasks`
pub(super) async fn kill_app(core: &Core, id: &str, query: &Query) -> Answer {
    let host = param(query, "host");
    let found = core.look(|w| {
        w.app(id)?;
        Some(w.select(id, host).into_iter().map(|t| t.id).collect::<Vec<_>>())
    });
    let ids = found.ok_or_else(|| ApiError::unknown_app(id))?;
    kill(core, ids, query, |tasks| Json(TaskList { tasks }).into_response()).await
}

/// `DELETE /v2/apps/{id}/tasks/{task}`
pub(super) async fn kill_one(core: &Core, id: &str, task: &str, query: &Query) -> Answer {
    core.look(|w| w.app(id).map(|_| ())).ok_or_else(|| ApiError::unknown_app(id))?;
    let known = core.look(|w| w.tasks.get(task).is_some_and(|t| t.app_id == id));
    if !known {
        return Err(ApiError::new(404, format!("Task '{task}' does not exist")));
    }
    kill(core, vec![task.to_owned()], query, |mut tasks| match tasks.pop() {
        Some(task) => Json(TaskSingle { task }).into_response(),
        None => Json(TaskList::default()).into_response(),
    })
    .await
}

/// `POST /v2/tasks/delete`
pub(super) async fn delete_many(core: Shared, query: Query, headers: HeaderMap, body: Bytes) -> Answer {
    let asked: DeleteTasks = serde_json::from_value(json(&headers, &body)?)
        .map_err(|error| ApiError::new(400, format!("Invalid JSON: {error}")))?;
    // An id that is no task id at all is a mistake; a task that is gone is not.
    if let Some(wrong) = asked.ids.iter().find(|id| !id.contains('.')) {
        return Err(ApiError::new(400, format!("Invalid task id '{wrong}'")));
    }
    let known = core.look(|w| asked.ids.into_iter().filter(|id| w.tasks.contains_key(id)).collect::<Vec<_>>());
    kill(&core, known, &query, |tasks| Json(TaskList { tasks }).into_response()).await
}

async fn kill(
    core: &Core,
    ids: Vec<String>,
    query: &Query,
    show: impl FnOnce(Vec<Task>) -> axum::response::Response,
) -> Answer {
    let (scale, wipe) = (flag(query, "scale", false), flag(query, "wipe", false));
    if scale && wipe {
        return Err(ApiError::new(400, "You cannot use scale and wipe at the same time."));
    }
    let force = flag(query, "force", false);
    let (result, seq) = core.change(|w| {
        let tasks: Vec<Task> = ids.iter().filter_map(|id| w.tasks.get(id)).map(|t| w.task_view(t)).collect();
        w.kill_tasks(&ids, scale, force).map(|result| (result, tasks))
    });
    let (result, tasks) = result?;
    core.durable(seq).await?;
    Ok(match result {
        Some(result) => deployed(StatusCode::OK, &result),
        None => show(tasks),
    })
}

/// The app of a path like `team/app/delay`.
pub(super) fn app_before<'a>(rest: &'a str, last: &str) -> Option<String> {
    let trimmed: &'a str = rest.trim_end_matches('/');
    trimmed.strip_suffix(last).and_then(|r| r.strip_suffix('/')).map(ids::absolute)
}
