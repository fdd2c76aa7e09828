//! The types of an app's members, after the RAML.
//!
//! A table instead of serde's error text: Marathon tells every wrong member by
//! path and with Play's error codes, serde would tell the first one in English.

use super::Errors;
use serde_json::{Map, Value};

#[derive(Clone, Copy)]
enum Kind {
    Text,
    Bool,
    /// An integer with its least value.
    Int(i64),
    /// A number with its least value.
    Number(f64),
    Port,
    Texts,
    TextMap,
    Object(&'static [(&'static str, Kind)]),
    List(&'static Kind),
    Constraint,
    /// An object, or one word.
    Either(&'static [(&'static str, Kind)], &'static str),
    AnyMap,
}

const PARAMETER: Kind = Kind::Object(&[("key", Kind::Text), ("value", Kind::Text)]);
const EXTERNAL: Kind = Kind::Object(&[("name", Kind::Text), ("provider", Kind::Text), ("size", Kind::Int(0))]);
const VOLUME: Kind = Kind::Object(&[
    ("containerPath", Kind::Text),
    ("hostPath", Kind::Text),
    ("mode", Kind::Text),
    ("external", EXTERNAL),
    ("secret", Kind::Text),
]);
const ARTIFACT: Kind = Kind::Object(&[
    ("uri", Kind::Text),
    ("extract", Kind::Bool),
    ("executable", Kind::Bool),
    ("cache", Kind::Bool),
    ("destPath", Kind::Text),
]);
const READINESS: Kind = Kind::Object(&[
    ("name", Kind::Text),
    ("protocol", Kind::Text),
    ("path", Kind::Text),
    ("portName", Kind::Text),
    ("intervalSeconds", Kind::Int(0)),
    ("timeoutSeconds", Kind::Int(1)),
    ("httpStatusCodesForReady", Kind::List(&Kind::Int(100))),
    ("preserveLastResponse", Kind::Bool),
]);
const SILENCE: Kind =
    Kind::Either(&[("inactiveAfterSeconds", Kind::Int(0)), ("expungeAfterSeconds", Kind::Int(0))], "disabled");
const MAPPING: Kind = Kind::Object(&[
    ("containerPort", Kind::Port),
    ("hostPort", Kind::Port),
    ("servicePort", Kind::Port),
    ("protocol", Kind::Text),
    ("name", Kind::Text),
    ("labels", Kind::TextMap),
    ("networkNames", Kind::Texts),
]);
const DEFINITION: Kind =
    Kind::Object(&[("port", Kind::Port), ("protocol", Kind::Text), ("name", Kind::Text), ("labels", Kind::TextMap)]);
const NETWORK: Kind = Kind::Object(&[("mode", Kind::Text), ("name", Kind::Text), ("labels", Kind::TextMap)]);
const DOCKER: Kind = Kind::Object(&[
    ("image", Kind::Text),
    ("forcePullImage", Kind::Bool),
    ("privileged", Kind::Bool),
    ("parameters", Kind::List(&PARAMETER)),
    ("network", Kind::Text),
    ("portMappings", Kind::List(&MAPPING)),
]);
const CONTAINER: Kind = Kind::Object(&[
    ("type", Kind::Text),
    ("docker", DOCKER),
    ("volumes", Kind::List(&VOLUME)),
    ("portMappings", Kind::List(&MAPPING)),
]);
const CHECK: Kind = Kind::Object(&[
    ("protocol", Kind::Text),
    ("path", Kind::Text),
    ("port", Kind::Port),
    ("portIndex", Kind::Port),
    ("command", Kind::Object(&[("value", Kind::Text)])),
    ("gracePeriodSeconds", Kind::Int(0)),
    ("intervalSeconds", Kind::Int(0)),
    ("timeoutSeconds", Kind::Int(0)),
    ("maxConsecutiveFailures", Kind::Int(0)),
    ("delaySeconds", Kind::Int(0)),
    ("ignoreHttp1xx", Kind::Bool),
    ("ipProtocol", Kind::Text),
]);
const STRATEGY: Kind =
    Kind::Object(&[("minimumHealthCapacity", Kind::Number(f64::MIN)), ("maximumOverCapacity", Kind::Number(f64::MIN))]);
const APP: &[(&str, Kind)] = &[
    ("id", Kind::Text),
    ("cmd", Kind::Text),
    ("args", Kind::Texts),
    ("user", Kind::Text),
    ("env", Kind::AnyMap),
    ("instances", Kind::Int(0)),
    ("cpus", Kind::Number(0.0)),
    ("mem", Kind::Number(0.0)),
    ("disk", Kind::Number(0.0)),
    ("gpus", Kind::Int(0)),
    ("executor", Kind::Text),
    ("constraints", Kind::List(&Kind::Constraint)),
    ("container", CONTAINER),
    ("networks", Kind::List(&NETWORK)),
    ("portDefinitions", Kind::List(&DEFINITION)),
    ("ports", Kind::List(&Kind::Port)),
    ("requirePorts", Kind::Bool),
    ("backoffSeconds", Kind::Number(0.0)),
    ("backoffFactor", Kind::Number(1.0)),
    ("maxLaunchDelaySeconds", Kind::Number(0.0)),
    ("healthChecks", Kind::List(&CHECK)),
    ("upgradeStrategy", STRATEGY),
    ("labels", Kind::TextMap),
    ("dependencies", Kind::Texts),
    ("acceptedResourceRoles", Kind::Texts),
    ("taskKillGracePeriodSeconds", Kind::Int(0)),
    ("killSelection", Kind::Text),
    ("tty", Kind::Bool),
    ("version", Kind::Text),
    ("unreachableStrategy", SILENCE),
    ("fetch", Kind::List(&ARTIFACT)),
    ("uris", Kind::Texts),
    ("readinessChecks", Kind::List(&READINESS)),
];

/// Checks all members that are known; `json` takes errors of type, `range` of value.
pub(super) fn check(app: &Map<String, Value>, json: &mut Errors, range: &mut Errors) {
    members(APP, app, "", json, range);
}

fn members(known: &[(&str, Kind)], map: &Map<String, Value>, path: &str, json: &mut Errors, range: &mut Errors) {
    for (name, kind) in known {
        if let Some(value) = map.get(*name).filter(|v| !v.is_null()) {
            one(*kind, value, &format!("{path}/{name}"), json, range);
        }
    }
}

fn one(kind: Kind, value: &Value, path: &str, json: &mut Errors, range: &mut Errors) {
    match (kind, value) {
        (Kind::Text, Value::String(_)) | (Kind::Bool, Value::Bool(_)) => {}
        (Kind::AnyMap, Value::Object(map)) => {
            for (key, value) in map {
                if !(value.is_string() || value.get("secret").is_some_and(Value::is_string)) {
                    json.add(format!("{path}({key})"), "error.expected.jsstring");
                }
            }
        }
        (Kind::Text, _) => json.add(path, "error.expected.jsstring"),
        (Kind::Bool, _) => json.add(path, "error.expected.jsboolean"),
        (Kind::Int(least), Value::Number(number)) => match integer(number) {
            None => json.add(path, "error.expected.int"),
            Some(value) if value < least => range.add(path, "error.min"),
            Some(value) if value > i64::from(i32::MAX) => range.add(path, "error.max"),
            Some(_) => {}
        },
        (Kind::Port, Value::Number(number)) => match integer(number) {
            None => json.add(path, "error.expected.int"),
            Some(value) if value < 0 => range.add(path, "error.min"),
            Some(value) if value > 65_535 => range.add(path, "error.max"),
            Some(_) => {}
        },
        (Kind::Number(least), Value::Number(number)) => {
            if number.as_f64().is_none_or(|n| n < least) {
                range.add(path, "error.min");
            }
        }
        (Kind::Int(_) | Kind::Port | Kind::Number(_), _) => json.add(path, "error.expected.jsnumber"),
        (Kind::Texts, Value::Array(list)) => each(Kind::Text, list, path, json, range),
        (Kind::List(kind), Value::Array(list)) => each(*kind, list, path, json, range),
        (Kind::Constraint, Value::Array(list)) => {
            each(Kind::Text, list, path, json, range);
            if !(2..=3).contains(&list.len()) {
                range.add(path, "must have 2 or 3 elements");
            }
        }
        (Kind::Texts | Kind::List(_) | Kind::Constraint, _) => json.add(path, "error.expected.jsarray"),
        (Kind::TextMap, Value::Object(map)) => {
            for key in map.iter().filter(|(_, v)| !v.is_string()).map(|(k, _)| k) {
                json.add(format!("{path}({key})"), "error.expected.jsstring");
            }
        }
        (Kind::Either(_, word), Value::String(text)) if text == word => {}
        (Kind::Either(..), Value::String(_)) => json.add(path, "error.unknown.enum.literal"),
        (Kind::Object(known) | Kind::Either(known, _), Value::Object(map)) => members(known, map, path, json, range),
        (Kind::TextMap | Kind::Object(_) | Kind::Either(..) | Kind::AnyMap, _) => {
            json.add(path, "error.expected.jsobject")
        }
    }
}

/// `3` and `3.0`, not `3.5`.
fn integer(number: &serde_json::Number) -> Option<i64> {
    number.as_i64().or_else(|| number.as_f64().filter(|f| f.fract() == 0.0 && f.abs() < 1e15).map(|f| f as i64))
}

fn each(kind: Kind, list: &[Value], path: &str, json: &mut Errors, range: &mut Errors) {
    for (index, value) in list.iter().enumerate() {
        one(kind, value, &format!("{path}({index})"), json, range);
    }
}
