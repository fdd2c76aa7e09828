//! A complete definition out of what was asked for: defaults filled in, old
//! spellings moved to the new ones, service ports given out.
//!
//! Done on JSON values, since a patch must tell "absent" from "default" and must
//! carry members that nobody here knows. One could get it wrong by giving out new
//! service ports on every change: a port that the app has keeps its number.

use crate::ids;
use padis_protocol::app::App;
use serde_json::{Map, Value, json};
use std::collections::BTreeSet;

/// Service ports that are given out (Marathon's defaults of `--local_port_min` and `--local_port_max`).
const SERVICE_PORTS: std::ops::RangeInclusive<u64> = 10_000..=20_000;

/// Members that only answers have; a client may send a whole answer back.
const STATUS: [&str; 11] = [
    "tasksStaged",
    "tasksRunning",
    "tasksHealthy",
    "tasksUnhealthy",
    "deployments",
    "tasks",
    "lastTaskFailure",
    "taskStats",
    "tasksStats",
    "readinessCheckResults",
    "versionInfo",
];

/// Members that an old spelling and a new one share: naming one replaces the other.
const REPLACES: [(&str, &[&str]); 6] = [
    ("cmd", &["args"]),
    ("args", &["cmd"]),
    ("ports", &["portDefinitions"]),
    ("portDefinitions", &["ports"]),
    ("uris", &["fetch"]),
    ("fetch", &["uris"]),
];

/// Lays a patch over a definition; `null` and status members mean nothing.
pub(crate) fn merge(base: &App, patch: &Map<String, Value>) -> Map<String, Value> {
    let mut out = match serde_json::to_value(base) {
        Ok(Value::Object(map)) => map,
        _ => Map::new(),
    };
    for (key, value) in patch.iter().filter(|(k, v)| !v.is_null() && !STATUS.contains(&k.as_str())) {
        for (_, others) in REPLACES.iter().filter(|(name, _)| name == key) {
            for other in *others {
                if !patch.contains_key(*other) {
                    out.remove(*other);
                }
            }
        }
        out.insert(key.clone(), value.clone());
    }
    out
}

/// Fills in what is missing. `taken` are the service ports of other apps.
pub(crate) fn complete(id: &str, app: &mut Map<String, Value>, taken: &BTreeSet<u64>) {
    for name in STATUS {
        app.remove(name);
    }
    app.retain(|_, v| !v.is_null());
    app.insert("id".into(), json!(id));
    let defaults = json!({
        "instances": 1, "cpus": 1.0, "mem": 128.0, "disk": 0.0, "gpus": 0, "executor": "",
        "backoffSeconds": 1, "backoffFactor": 1.15, "maxLaunchDelaySeconds": 300, "requirePorts": false,
        "killSelection": "YOUNGEST_FIRST", "env": {}, "labels": {}, "constraints": [], "healthChecks": [],
        "dependencies": [], "upgradeStrategy": {"minimumHealthCapacity": 1.0, "maximumOverCapacity": 1.0},
        "unreachableStrategy": {"inactiveAfterSeconds": 0, "expungeAfterSeconds": 0},
    });
    for (key, value) in defaults.as_object().into_iter().flatten() {
        app.entry(key.clone()).or_insert_with(|| value.clone());
    }
    if let Some(strategy) = app.get_mut("upgradeStrategy").and_then(Value::as_object_mut) {
        for name in ["minimumHealthCapacity", "maximumOverCapacity"] {
            strategy.entry(name).or_insert(json!(1.0));
        }
    }
    if let Some(list) = app.get_mut("dependencies").and_then(Value::as_array_mut) {
        for item in list.iter_mut() {
            *item = json!(ids::absolute(item.as_str().unwrap_or_default()));
        }
    }
    networks(app);
    health_checks(app);
    fetch(app);
    readiness_checks(app);
    service_ports(app, taken);
}

/// `networks` and `container.portMappings` from wherever they were written.
fn networks(app: &mut Map<String, Value>) {
    let typed: App = serde_json::from_value(Value::Object(app.clone())).unwrap_or_default();
    let list = typed.network_list();
    let mappings = typed.mappings();
    let host = list.iter().all(|n| n.mode == Some(padis_protocol::container::NetworkMode::Host));
    let bridge = list.iter().any(|n| n.mode == Some(padis_protocol::container::NetworkMode::Bridge));
    if let Some(container) = app.get_mut("container").and_then(Value::as_object_mut) {
        container.entry("type").or_insert(json!("DOCKER"));
        container.entry("volumes").or_insert(json!([]));
        if let Some(docker) = container.get_mut("docker").and_then(Value::as_object_mut) {
            docker.remove("network");
            docker.remove("portMappings");
            docker.entry("forcePullImage").or_insert(json!(false));
            docker.entry("privileged").or_insert(json!(false));
            docker.entry("parameters").or_insert(json!([]));
        }
        if host {
            container.remove("portMappings");
        } else {
            let explicit = container.contains_key("portMappings") || !mappings.is_empty();
            let given = match explicit {
                true => json!(mappings),
                false if bridge => json!([{"containerPort": 0, "hostPort": 0, "name": "default"}]),
                false => json!([]),
            };
            container.insert("portMappings".into(), given);
            for mapping in container.get_mut("portMappings").and_then(Value::as_array_mut).into_iter().flatten() {
                let Some(mapping) = mapping.as_object_mut() else { continue };
                mapping.entry("containerPort").or_insert(json!(0));
                mapping.entry("protocol").or_insert(json!("tcp"));
                mapping.entry("labels").or_insert(json!({}));
                mapping.entry("servicePort").or_insert(json!(0));
                if bridge {
                    mapping.entry("hostPort").or_insert(json!(0));
                }
            }
        }
    }
    app.insert("networks".into(), json!(list));
    if !host {
        app.remove("ports");
        app.remove("portDefinitions");
        return;
    }
    if let Some(ports) = app.remove("ports").filter(Value::is_array) {
        let definitions = ports.as_array().into_iter().flatten().map(|p| json!({"port": p, "protocol": "tcp"}));
        let definitions: Vec<Value> = definitions.collect();
        app.insert("portDefinitions".into(), json!(definitions));
    }
    let definitions = app.entry("portDefinitions").or_insert(json!([{"port": 0, "name": "default"}]));
    for definition in definitions.as_array_mut().into_iter().flatten() {
        if let Some(definition) = definition.as_object_mut() {
            definition.entry("port").or_insert(json!(0));
            definition.entry("protocol").or_insert(json!("tcp"));
            definition.entry("labels").or_insert(json!({}));
        }
    }
}

/// Health checks with the RAML's defaults.
fn health_checks(app: &mut Map<String, Value>) {
    for check in app.get_mut("healthChecks").and_then(Value::as_array_mut).into_iter().flatten() {
        let Some(check) = check.as_object_mut() else { continue };
        check.entry("protocol").or_insert(json!("HTTP"));
        for (name, value) in [
            ("gracePeriodSeconds", 300),
            ("intervalSeconds", 60),
            ("timeoutSeconds", 20),
            ("maxConsecutiveFailures", 3),
            ("delaySeconds", 15),
        ] {
            check.entry(name).or_insert(json!(value));
        }
        let http = check.get("protocol").and_then(Value::as_str).is_some_and(|p| p.contains("HTTP"));
        let command = check.get("protocol").and_then(Value::as_str) == Some("COMMAND");
        if http {
            check.entry("path").or_insert(json!("/"));
            check.entry("ignoreHttp1xx").or_insert(json!(false));
        }
        if !command && !check.contains_key("port") {
            check.entry("portIndex").or_insert(json!(0));
        }
        if !command {
            check.entry("ipProtocol").or_insert(json!("IPv4"));
        }
    }
}

/// `fetch` from wherever it was written. Of the old form only archives are unpacked.
fn fetch(app: &mut Map<String, Value>) {
    const ARCHIVES: [&str; 7] = [".tgz", ".tar.gz", ".tbz2", ".tar.bz2", ".txz", ".tar.xz", ".zip"];
    if let Some(uris) = app.remove("uris").filter(|u| u.as_array().is_some_and(|list| !list.is_empty())) {
        let texts = uris.as_array().into_iter().flatten().filter_map(Value::as_str);
        let of = |uri: &str| json!({"uri": uri, "extract": ARCHIVES.iter().any(|end| uri.ends_with(end))});
        app.insert("fetch".into(), texts.map(of).collect());
    }
    for artifact in app.get_mut("fetch").and_then(Value::as_array_mut).into_iter().flatten() {
        let Some(artifact) = artifact.as_object_mut() else { continue };
        for (name, value) in [("extract", true), ("executable", false), ("cache", false)] {
            artifact.entry(name).or_insert(json!(value));
        }
    }
}

/// Readiness checks with the RAML's defaults.
fn readiness_checks(app: &mut Map<String, Value>) {
    let defaults = json!({"name": "readinessCheck", "protocol": "HTTP", "path": "/", "portName": "http-api",
        "intervalSeconds": 30, "timeoutSeconds": 10, "httpStatusCodesForReady": [200], "preserveLastResponse": false});
    for check in app.get_mut("readinessChecks").and_then(Value::as_array_mut).into_iter().flatten() {
        let Some(check) = check.as_object_mut() else { continue };
        for (name, value) in defaults.as_object().into_iter().flatten() {
            check.entry(name.clone()).or_insert_with(|| value.clone());
        }
    }
}

fn service_ports(app: &mut Map<String, Value>, taken: &BTreeSet<u64>) {
    let fixed = app.get("requirePorts") == Some(&json!(true));
    let mut used = taken.clone();
    let definitions = app.get_mut("portDefinitions").and_then(Value::as_array_mut);
    give(definitions, "port", &mut used);
    if !fixed {
        let container = app.get_mut("container").and_then(Value::as_object_mut);
        give(container.and_then(|c| c.get_mut("portMappings")).and_then(Value::as_array_mut), "servicePort", &mut used);
    }
}

fn give(list: Option<&mut Vec<Value>>, member: &str, used: &mut BTreeSet<u64>) {
    let Some(list) = list else { return };
    used.extend(list.iter().filter_map(|e| e.get(member)).filter_map(Value::as_u64));
    for entry in list.iter_mut().filter_map(Value::as_object_mut) {
        if entry.get(member).and_then(Value::as_u64).unwrap_or(0) == 0
            && let Some(port) = SERVICE_PORTS.clone().find(|p| !used.contains(p))
        {
            used.insert(port);
            entry.insert(member.into(), json!(port));
        }
    }
}

/// The service ports of a definition.
pub(crate) fn ports_of(app: &App) -> Vec<u16> {
    let definitions = app.port_definitions.iter().flatten().filter_map(|d| d.port);
    definitions.chain(app.mappings().iter().filter_map(|m| m.service_port)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn done(value: Value) -> Value {
        let mut map = value.as_object().unwrap().clone();
        complete("/a", &mut map, &BTreeSet::from([10_000]));
        Value::Object(map)
    }

    #[test]
    fn old_spellings_become_new_ones() {
        let app = done(json!({"container": {"docker": {"image": "x", "network": "BRIDGE",
            "portMappings": [{"containerPort": 80}]}}}));
        assert_eq!(app["networks"], json!([{"mode": "container/bridge"}]));
        assert_eq!(app["container"]["portMappings"][0]["hostPort"], 0);
        assert_eq!(app["container"]["portMappings"][0]["servicePort"], 10_001, "10000 is taken");
        assert!(app["container"]["docker"].get("portMappings").is_none());
        let app = done(json!({"ports": [0, 12_345]}));
        assert_eq!(app["portDefinitions"][0]["port"], 10_001);
        assert_eq!(app["portDefinitions"][1]["port"], 12_345);
        let app = done(json!({"uris": ["http://h/a.tgz", "http://h/a.jar"]}));
        assert!(app.get("uris").is_none());
        assert_eq!(
            app["fetch"][0],
            json!({"uri": "http://h/a.tgz", "extract": true, "executable": false, "cache": false})
        );
        assert_eq!(app["fetch"][1]["extract"], false);
    }

    #[test]
    fn completing_twice_changes_nothing() {
        let once =
            done(json!({"container": {"docker": {"image": "x"}}, "networks": [{"mode": "container", "name": "none"}],
            "healthChecks": [{"protocol": "TCP", "port": 80}]}));
        assert_eq!(done(once.clone()), once);
    }

    #[test]
    fn a_patch_replaces_what_it_names_and_keeps_the_rest() {
        let base: App = serde_json::from_value(json!({"id": "/a", "cmd": "x", "cpus": 2.0, "novelty": 7})).unwrap();
        let patch = json!({"args": ["y"], "mem": null, "tasksRunning": 3});
        let out = Value::Object(merge(&base, patch.as_object().unwrap()));
        assert_eq!(out, json!({"id": "/a", "args": ["y"], "cpus": 2.0, "novelty": 7}));
    }
}
