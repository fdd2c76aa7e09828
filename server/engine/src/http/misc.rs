//! Info, leader, ping, deployments, metrics.

use super::apps::deployed;
use super::{Answer, Query, Shared, flag};
use crate::config::RuntimeConfig;
use crate::core::Core;
use crate::schedule::wire;
use axum::Json;
use axum::extract::Path;
use axum::http::StatusCode;
use axum::response::IntoResponse;
use padis_protocol::deployment::Deployment;
use padis_protocol::info::{Info, Leader};
use serde_json::{Value, json};

/// The version of Marathon whose API this is.
const API_VERSION: &str = "1.11.24";

/// `GET /ping`
pub(super) async fn ping() -> &'static str {
    "pong"
}

fn leader_address(core: &Core) -> String {
    format!("{}:{}", core.config.hostname, core.config.marathon_listen.port())
}

/// `GET /v2/leader`
pub(super) async fn leader(core: Shared) -> Answer {
    Ok(Json(Leader { leader: leader_address(&core) }).into_response())
}

/// `GET /v2/info`: nothing that a Marathon would not say, since clients refuse what they don't know.
pub(super) async fn info(core: Shared) -> Answer {
    let object = |value: Value| value.as_object().map(|m| m.clone().into_iter().collect()).unwrap_or_default();
    // On a Mesos cluster it is the master that gives the id, once it has taken us.
    let framework_id = match &core.config.runtime {
        RuntimeConfig::Mesos(_) => core.look(|w| w.framework.clone()),
        _ => Some(format!("{}-0000", core.id)),
    };
    let info = Info {
        name: String::from("marathon"),
        version: String::from(API_VERSION),
        buildref: format!("padis-engine {}", env!("CARGO_PKG_VERSION")),
        elected: true,
        leader: Some(leader_address(&core)),
        framework_id,
        marathon_config: object(json!({
            "master": format!("http://{}", core.config.mesos_listen),
            "mesos_leader_ui_url": format!("http://{}/", core.config.mesos_listen),
            "framework_name": "marathon",
            "hostname": core.config.hostname,
            "features": ["task_killing"],
            "ha": false,
            "checkpoint": true,
            "local_port_min": 10_000,
            "local_port_max": 20_000,
            "executor": "//cmd",
            "env_vars_prefix": null,
            "mesos_role": null,
            "access_control_allow_origin": null,
            "webui_url": null,
        })),
        zookeeper_config: object(json!({})),
        http_config: object(json!({"http_port": core.config.marathon_listen.port(), "https_port": 0})),
        ..Info::default()
    };
    Ok(Json(info).into_response())
}

/// `GET /padis/runtime`: what a Marathon would not know.
pub(super) async fn runtime(core: Shared) -> Answer {
    Ok(Json(core.runtime.about(&core)).into_response())
}

/// `GET /metrics`: the few numbers that Marathon has too.
pub(super) async fn metrics(core: Shared) -> Answer {
    let (apps, running, staged, deployments) =
        core.look(|w| (w.apps.len(), w.started, w.tasks.len().saturating_sub(w.started), w.deployments.len()));
    let gauge = |value: usize| json!({"value": value});
    let body = json!({
        "version": "4.0.0",
        "gauges": {
            "marathon.apps.active.gauge": gauge(apps),
            "marathon.instances.running.gauge": gauge(running),
            "marathon.instances.staged.gauge": gauge(staged),
            "marathon.deployments.active.gauge": gauge(deployments),
        },
        "counters": {}, "histograms": {}, "meters": {}, "timers": {},
    });
    Ok(Json(body).into_response())
}

/// `GET /v2/deployments`
pub(super) async fn deployments(core: Shared) -> Answer {
    let list: Vec<Deployment> = core.look(|w| {
        let show = |d: &crate::record::DeploymentRecord| {
            let current = d.steps.get(d.step).map(|s| wire(s)).and_then(|s| s.actions).unwrap_or_default();
            let with_results = |mut action: padis_protocol::deployment::Action| {
                let results = w.readiness_of(action.app.as_deref().unwrap_or_default());
                action.set_readiness_check_results(Some(&results));
                action
            };
            Deployment {
                id: d.id.clone(),
                version: d.version.clone(),
                affected_apps: d.apps().map(str::to_owned).collect(),
                affected_pods: Vec::new(),
                steps: d.steps.iter().map(|s| wire(s)).collect(),
                current_actions: current.into_iter().map(with_results).collect(),
                current_step: d.step as u32 + 1,
                total_steps: d.steps.len() as u32,
                ..Deployment::default()
            }
        };
        w.deployments.values().map(show).collect()
    });
    Ok(Json(list).into_response())
}

/// `DELETE /v2/deployments/{id}`
pub(super) async fn cancel_deployment(core: Shared, Path(id): Path<String>, query: Query) -> Answer {
    let force = flag(&query, "force", false);
    let can = core.can();
    let (result, seq) = core.change(|w| w.cancel_deployment(&id, force, can));
    let result = result?;
    core.durable(seq).await?;
    Ok(match result {
        Some(result) => deployed(StatusCode::OK, &result),
        None => StatusCode::ACCEPTED.into_response(),
    })
}
