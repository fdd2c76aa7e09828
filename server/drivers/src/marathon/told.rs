//! What an event says about which apps.
//!
//! Only the few members are read that are needed: at thousands of events a second a
//! whole app definition or deployment plan made into values would be most of the
//! work. One could get it wrong by losing an event over a member that does not look
//! as described: then the app's name alone is taken from it.

use padis_domain::ports::SchedTold;
use padis_domain::view::StreamReport;
use padis_protocol::timestamp;
use serde::Deserialize;
use std::collections::BTreeSet;

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Light {
    event_type: Option<String>,
    timestamp: Option<String>,
    app_id: Option<String>,
    run_spec_id: Option<String>,
    task_id: Option<String>,
    task_status: Option<String>,
    host: Option<String>,
    message: Option<String>,
    reason: Option<String>,
    condition: Option<String>,
    uri: Option<String>,
    app_definition: Option<Named>,
    plan: Option<Plan>,
    current_step: Option<Step>,
}

#[derive(Deserialize)]
struct Named {
    id: Option<String>,
}

#[derive(Deserialize)]
struct Plan {
    #[serde(default)]
    steps: Vec<Step>,
}

/// A step in any of its dialects: a list of actions, or an action itself.
#[derive(Deserialize)]
struct Step {
    app: Option<String>,
    #[serde(default)]
    actions: Option<Vec<Action>>,
}

#[derive(Deserialize)]
struct Action {
    app: Option<String>,
}

/// The types whose app is in `appId`, `runSpecId` or a plan, but which tell nothing of it.
const OF_NO_APP: [&str; 4] = ["subscribe_event", "unsubscribe_event", "event_stream_attached", "event_stream_detached"];

/// An event's data in the port's words; `kind` as the frame gave it, `cut` if data is missing.
pub(super) fn translate(kind: String, data: &str, cut: bool) -> SchedTold {
    let garbled = || SchedTold { kind: StreamReport::GARBLED.to_owned(), ..SchedTold::default() };
    if cut {
        return garbled();
    }
    let light = match serde_json::from_str::<Light>(data) {
        Ok(light) => light,
        Err(_) => match serde_json::from_str::<serde_json::Map<String, serde_json::Value>>(data) {
            Ok(members) => {
                let text = |key: &str| members.get(key)?.as_str().map(str::to_owned);
                Light {
                    event_type: text("eventType"),
                    timestamp: text("timestamp"),
                    app_id: text("appId"),
                    run_spec_id: text("runSpecId"),
                    ..Light::default()
                }
            }
            Err(_) => return garbled(),
        },
    };
    let kind = if kind.is_empty() { light.event_type.unwrap_or_default() } else { kind };
    let mut apps = BTreeSet::new();
    if !OF_NO_APP.contains(&kind.as_str()) {
        apps.extend(light.app_id.or(light.run_spec_id));
        apps.extend(light.app_definition.and_then(|a| a.id));
        for step in light.plan.into_iter().flat_map(|p| p.steps).chain(light.current_step) {
            apps.extend(step.app);
            apps.extend(step.actions.into_iter().flatten().filter_map(|a| a.app));
        }
    }
    SchedTold {
        at: light.timestamp.as_deref().and_then(timestamp::parse),
        apps: apps.into_iter().filter(|id| !id.is_empty()).collect(),
        task_id: light.task_id,
        state: light.task_status,
        host: light.host.unwrap_or_default(),
        message: light.message.or(light.reason).or(light.condition).or(light.uri).unwrap_or_default(),
        kind,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(json: serde_json::Value) -> SchedTold {
        translate(String::new(), &json.to_string(), false)
    }

    #[test]
    fn a_task_that_ended_says_which_when_and_why() {
        let told = of(serde_json::json!({
            "eventType": "status_update_event", "taskId": "t.1", "taskStatus": "TASK_FAILED", "appId": "/a/b/r1",
            "message": "exit code 1", "slaveId": "S0", "host": "h", "ports": [], "version": "v",
            "timestamp": "2026-11-29T02:00:00.250Z"
        }));
        let expected = SchedTold {
            kind: "status_update_event".into(),
            at: timestamp::parse("2026-11-29T02:00:00.250Z"),
            apps: vec!["/a/b/r1".into()],
            task_id: Some("t.1".into()),
            state: Some("TASK_FAILED".into()),
            host: "h".into(),
            message: "exit code 1".into(),
        };
        assert_eq!(told, expected);
        assert!(told.at.is_some());
    }

    #[test]
    fn a_deployment_wakes_each_of_its_apps_once() {
        let told = of(serde_json::json!({
            "eventType": "deployment_info", "timestamp": "t",
            "plan": {"id": "d", "version": "v", "target": {"id": "/", "apps": [{"id": "/elsewhere"}]}, "steps": [
                {"actions": [{"action": "StartApplication", "app": "/a"}, {"type": "ScaleApplication", "app": "/b"}]},
                {"action": "ScaleApplication", "app": "/a"}]},
            "currentStep": {"actions": [{"action": "StartApplication", "app": "/a"}]}
        }));
        assert_eq!((told.apps, told.at), (vec!["/a".to_owned(), "/b".to_owned()], None));
        let told = of(serde_json::json!({"eventType": "api_post_event", "uri": "/v2/apps/c", "clientIp": "1.2.3.4",
            "appDefinition": {"id": "/c", "instances": 2, "container": {"type": "DOCKER"}}}));
        assert_eq!((told.apps, told.message.as_str()), (vec!["/c".to_owned()], "/v2/apps/c"));
    }

    #[test]
    fn an_unknown_event_that_names_an_app_wakes_it_and_others_nobody() {
        let told = of(serde_json::json!({"eventType": "new_one", "appId": "/a"}));
        assert_eq!((told.kind.as_str(), told.apps), ("new_one", vec!["/a".to_owned()]));
        let told = of(serde_json::json!({"eventType": "subscribe_event", "clientIp": "1.2.3.4"}));
        assert_eq!((told.kind.as_str(), told.apps), ("subscribe_event", vec![]));
    }

    #[test]
    fn an_odd_member_costs_what_it_says_and_not_the_apps_name() {
        let told = of(serde_json::json!({"eventType": "status_update_event", "appId": "/a", "taskStatus": 7,
            "plan": "none", "timestamp": "2026-11-29T02:00:00.250Z"}));
        assert_eq!((told.apps, told.state, told.at.is_some()), (vec!["/a".to_owned()], None, true));
        assert_eq!(translate("x".into(), "not json", false).kind, StreamReport::GARBLED);
        assert_eq!(translate("x".into(), "{\"appId\": \"/a\"}", true).apps, Vec::<String>::new(), "half an event");
    }
}
