//! Every example must parse and come back as it was: no member lost, none made
//! up. `null` and absent are the same, 1 and 1.0 too.
#![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

mod apps;
mod events;
mod marathon;
mod mesos_v0;
mod novelty;
mod operator;
mod properties;
mod recordio;
mod scheduler;

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

/// Without nulls; whole numbers as integers, however they were written.
fn plain(value: &Value) -> Value {
    match value {
        Value::Object(map) => {
            Value::Object(map.iter().filter(|(_, v)| !v.is_null()).map(|(k, v)| (k.clone(), plain(v))).collect())
        }
        Value::Array(list) => Value::Array(list.iter().map(plain).collect()),
        Value::Number(number) => match number.as_f64() {
            Some(float) if number.is_f64() && float.fract() == 0.0 && float.abs() < 9e15 => json!(float as i64),
            _ => value.clone(),
        },
        other => other.clone(),
    }
}

/// The same without empty lists, which in protobuf are absent ones.
fn protobuf(value: &Value) -> Value {
    match plain(value) {
        Value::Object(map) => {
            let full = map.into_iter().filter(|(_, v)| v.as_array().is_none_or(|l| !l.is_empty()));
            Value::Object(full.map(|(k, v)| (k, protobuf(&v))).collect())
        }
        Value::Array(list) => Value::Array(list.iter().map(protobuf).collect()),
        other => other,
    }
}

fn survive_as<T: DeserializeOwned + Serialize>(name: &str, value: &Value, same: fn(&Value) -> Value) -> T {
    let typed: T = serde_json::from_value(value.clone()).unwrap_or_else(|e| panic!("{name}: {e}"));
    let back = serde_json::to_value(&typed).unwrap();
    assert_eq!(same(&back), same(value), "{name}");
    // What was written is what is read from text, too.
    let text = serde_json::to_string(&typed).unwrap();
    let again: T = serde_json::from_str(&text).unwrap_or_else(|e| panic!("{name}: {e}"));
    assert_eq!(serde_json::to_value(&again).unwrap(), back, "{name}, from text");
    typed
}

fn survive<T: DeserializeOwned + Serialize>(name: &str, value: &Value) -> T {
    survive_as(name, value, plain)
}

/// The examples of a file, as they are.
fn examples(text: &str) -> Vec<(String, Value)> {
    let Value::Object(map) = serde_json::from_str(text).unwrap() else { panic!("not an object") };
    assert!(!map.is_empty());
    map.into_iter().collect()
}

fn example(text: &str, name: &str) -> Value {
    examples(text).into_iter().find(|(n, _)| n == name).unwrap_or_else(|| panic!("no {name}")).1
}

fn all<T: DeserializeOwned + Serialize>(text: &str) -> Vec<(String, T)> {
    examples(text).iter().map(|(name, value)| (name.clone(), survive(name, value))).collect()
}

/// Messages of Mesos' v1 APIs, one a line.
fn lines<T: DeserializeOwned + Serialize>(text: &str) -> Vec<T> {
    let line = |(i, line): (usize, &str)| {
        survive_as(&format!("line {}", i + 1), &serde_json::from_str(line).unwrap(), protobuf)
    };
    text.lines().enumerate().map(line).collect()
}
