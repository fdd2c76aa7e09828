//! Apps, and what stands in them.

use crate::{all, survive};
use padis_protocol::app::{App, AppList, EnvVar, ResourceLimit, UnreachableStrategy};
use padis_protocol::container::{NetworkMode, VolumeKind};
use serde_json::json;

#[test]
fn apps() {
    let apps: Vec<(String, App)> = all(include_str!("../fixtures/apps.json"));
    let app = &apps.iter().find(|(n, _)| n == "app").unwrap().1;
    assert_eq!(app.network_list()[0].mode, Some(NetworkMode::Bridge));
    assert_eq!(app.mappings()[0].container_port, Some(80));
    assert!(matches!(app.env.as_ref().unwrap()["PASSWORD"], EnvVar::Secret { .. }));
    assert_eq!(app.artifacts()[1].dest_path.as_deref(), Some("newname.zip"));
    assert!(app.extra.is_empty(), "all of Marathon's example has a field");
    all::<Vec<App>>(include_str!("../fixtures/app_arrays.json"));
    let lists: Vec<(String, AppList)> = all(include_str!("../fixtures/app_lists.json"));
    assert_eq!(lists[0].1.apps[0].tasks_staged, Some(0));
    assert_eq!(lists[0].1.apps[0].app.instances, Some(3));
}

#[test]
fn what_an_app_on_mesos_has() {
    let apps: Vec<(String, App)> = all(include_str!("../fixtures/apps.json"));
    let named = |name: &str| &apps.iter().find(|(n, _)| n == name).unwrap().1;
    let app = named("on_mesos");
    assert!(app.extra.is_empty());
    assert_eq!(app.unreachable(), UnreachableStrategy::DISABLED);
    assert_eq!(app.artifacts()[0].uri, "http://files.lab.test/a");
    let container = app.container.as_ref().unwrap();
    assert!(container.extra.is_empty() && app.docker().unwrap().extra.is_empty());
    let volumes = container.volumes.as_ref().unwrap();
    let kinds: Vec<_> = volumes.iter().map(|v| v.kind().unwrap()).collect();
    assert_eq!(kinds, [VolumeKind::Persistent, VolumeKind::External, VolumeKind::External, VolumeKind::Secret]);
    assert_eq!(volumes[2].external.as_ref().unwrap().csi().unwrap().capability.access_type, "mount");
    assert!(matches!(app.resource_limits.as_ref().unwrap().cpus, Some(ResourceLimit::Unlimited(_))));
    assert_eq!(named("unreachable_times").unreachable().times(), Some((300, 600)));
    assert_eq!(App::default().unreachable().times(), Some((0, 0)));
    assert!(named("check").check.as_ref().unwrap().http.is_some());
}

#[test]
fn strange_values_are_kept_and_refuse_nothing() {
    let apps: Vec<(String, App)> = all(include_str!("../fixtures/apps.json"));
    let odd = &apps.iter().find(|(n, _)| n == "odd").unwrap().1;
    assert_eq!(odd.unreachable(), UnreachableStrategy::Other(json!(17)));
    assert!(matches!(odd.env.as_ref().unwrap()["X"], EnvVar::Other(_)), "a secret with more members loses none");
    assert_eq!(odd.member("novelty"), Some(json!({"a": [1, null]})));
    assert_eq!(odd.member("resourceLimits"), Some(json!({"cpus": "lots"})));
    assert_eq!(odd.member("fetch"), None);
}

#[test]
fn absent_and_empty_stay_apart() {
    for text in ["{}", r#"{"fetch":[]}"#, r#"{"env":{},"labels":{}}"#, r#"{"portDefinitions":[],"ports":[]}"#] {
        assert_eq!(serde_json::to_string(&serde_json::from_str::<App>(text).unwrap()).unwrap(), text);
    }
    let mut app = App::default();
    app.set_unreachable(&UnreachableStrategy::DISABLED);
    assert_eq!(serde_json::to_value(&app).unwrap(), json!({"unreachableStrategy": "disabled"}));
    survive::<App>("disabled", &json!({"unreachableStrategy": "disabled"}));
}

#[test]
fn embedded_state() {
    let lists: Vec<(String, AppList)> = all(include_str!("../fixtures/app_lists.json"));
    let info = &lists.iter().find(|(n, _)| n == "embedded").unwrap().1.apps[0];
    assert!(info.app.extra.is_empty());
    assert_eq!(
        info.task_stats.as_ref().unwrap().started_after_last_scaling.as_ref().unwrap().stats.counts.running,
        100
    );
    assert!(!info.readiness_check_results.as_ref().unwrap()[0].ready);
    let task = &info.tasks.as_ref().unwrap()[0];
    assert_eq!(task.check_result().unwrap().http.unwrap().status_code, Some(200));
    assert_eq!(task.local_volumes().unwrap()[0].persistence_id, "a#data#u");
    assert_eq!((task.region().as_deref(), task.zone().as_deref()), (Some("r"), Some("z")));
}
