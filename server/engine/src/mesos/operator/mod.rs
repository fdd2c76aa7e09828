//! The v1 operator API in JSON: `POST /api/v1` of the master, `/slave(N)/api/v1` of an agent.
//!
//! A call is judged in Mesos' order: the content type, the JSON, the members, the
//! content that its type asks for, and only then what the caller accepts. Calls that
//! this engine has no means to carry out are refused as by a master whose access lists
//! forbid them (403), never accepted and forgotten. Protobuf is not spoken.

mod agent;
mod master;
pub(super) mod shapes;

pub(super) use agent::call as of_agent;
pub(super) use master::call as of_master;

use super::answer;
use super::proto::{self, Field, Kind, may, must};
use axum::extract::Request;
use axum::http::{HeaderMap, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

const VALUE: &[Field] = &[must("value", Kind::Text)];
const DURATION: &[Field] = &[must("nanoseconds", Kind::Number)];
const OF_AGENT: &[Field] = &[must("agent_id", Kind::Message(VALUE))];
const PATH: &[Field] = &[must("path", Kind::Text)];
const READ: &[Field] = &[must("path", Kind::Text), must("offset", Kind::Number), may("length", Kind::Number)];
const LEVEL: &[Field] = &[must("level", Kind::Number), must("duration", Kind::Message(DURATION))];
const METRICS: &[Field] = &[may("timeout", Kind::Message(DURATION))];
/// Google's `Duration`: what is written as nanoseconds here is not read.
const GOOGLE: &[Field] = &[may("seconds", Kind::Number), may("nanos", Kind::Number)];
const DRAIN: &[Field] = &[
    must("agent_id", Kind::Message(VALUE)),
    may("max_grace_period", Kind::Message(GOOGLE)),
    may("mark_gone", Kind::Flag),
];
const TEARDOWN: &[Field] = &[must("framework_id", Kind::Message(VALUE))];
const SCHEDULE: &[Field] = &[must("schedule", Kind::Message(super::maintenance::SCHEDULE))];

/// A call that was judged to be one.
struct Asked {
    kind: String,
    content: Value,
}

/// What a side (`master`, `agent`) knows: its types with the content that they need.
struct Side {
    name: &'static str,
    /// Before a complaint about the message's shape.
    prefix: &'static str,
    /// Types without content.
    bare: &'static [&'static str],
    /// Types with content, and its shape.
    with: &'static [(&'static str, &'static [Field])],
}

impl Side {
    fn judge(&self, text: &str) -> Result<Asked, String> {
        let message = proto::parse(text).map_err(|why| format!("Failed to parse body into JSON: {why}"))?;
        let unfit = |why: String| format!("{}{why}", self.prefix);
        let invalid = |what: &str| format!("Failed to validate {}::Call: Expecting '{what}' to be present", self.name);
        if !message.is_object() {
            return Err(unfit(String::from("Expecting a JSON object")));
        }
        proto::check(&message, &[may("type", Kind::Text)]).map_err(unfit)?;
        let kind = message["type"].as_str().unwrap_or_default();
        let name = kind.to_ascii_lowercase();
        let content = message.get(&name).filter(|c| !c.is_null());
        match (self.with.iter().find(|(known, _)| *known == kind), content) {
            (Some((_, fields)), Some(content)) => {
                if !content.is_object() {
                    return Err(unfit(proto::unexpected(content, &name)));
                }
                proto::check_at(&format!("{name}."), content, fields).map_err(unfit)?;
            }
            (Some(_), None) => return Err(invalid(&name)),
            (None, _) if self.bare.contains(&kind) => {}
            (None, _) => return Err(invalid("type")),
        }
        Ok(Asked { kind: kind.to_owned(), content: content.cloned().unwrap_or(Value::Null) })
    }

    /// The call, or the answer to what is none.
    async fn read(&self, request: Request) -> Result<Asked, Response> {
        if request.method() != Method::POST {
            return Err(answer::wrong_method(&["POST"], request.method()));
        }
        let headers = request.headers().clone();
        match headers.get(header::CONTENT_TYPE).map(|t| t.to_str().unwrap_or_default()) {
            Some("application/json") => {}
            Some(_) => {
                let why = "Expecting 'Content-Type' of application/json or application/x-protobuf";
                return Err(answer::text(StatusCode::UNSUPPORTED_MEDIA_TYPE, why));
            }
            None => return Err(answer::bad("Expecting 'Content-Type' to be present")),
        }
        let text = super::body(request).await.map_err(answer::bad)?;
        let asked = self.judge(&text).map_err(answer::bad)?;
        if !takes_json(&headers) {
            let why = "Expecting 'Accept' to allow 'application/x-protobuf' or 'application/json'";
            return Err(answer::text(StatusCode::NOT_ACCEPTABLE, why));
        }
        Ok(asked)
    }
}

/// Whether the caller takes JSON; who says nothing takes anything.
fn takes_json(headers: &HeaderMap) -> bool {
    let Some(accept) = headers.get(header::ACCEPT).and_then(|a| a.to_str().ok()) else { return true };
    let kinds = accept.split(',').map(|kind| kind.split(';').next().unwrap_or_default().trim());
    accept.is_empty() || kinds.into_iter().any(|kind| matches!(kind, "application/json" | "application/*" | "*/*"))
}

/// A message with its type, which comes first.
pub(super) fn typed(kind: &str, content: &Value) -> String {
    format!("{{\"type\":\"{kind}\",\"{}\":{content}}}", kind.to_ascii_lowercase())
}

/// An answer with its type.
fn told(kind: &str, content: &Value) -> Response {
    answer::json(typed(kind, content).into_bytes())
}

/// Carried out; there is nothing to tell.
fn carried_out() -> Response {
    StatusCode::OK.into_response()
}

/// LIST_FILES and READ_FILE, which both sides know.
async fn files(mesos: &super::Mesos, asked: &Asked) -> Response {
    let path = asked.content["path"].as_str().unwrap_or_default().to_owned();
    if asked.kind == "LIST_FILES" {
        let found = super::files::on_disk(mesos, move |core| super::files::list(core, &path)).await;
        return match found.map(|list| list.into_iter().map(super::files::Entry::v1).collect::<Vec<_>>()) {
            Ok(list) if list.is_empty() => told(&asked.kind, &json!({})),
            Ok(list) => told(&asked.kind, &json!({"file_infos": list})),
            Err(no) => no.response(),
        };
    }
    let number = |name: &str| proto::whole(&asked.content[name]).and_then(|n| u64::try_from(n).ok());
    let (offset, length) = (number("offset").unwrap_or(0), number("length"));
    match super::files::on_disk(mesos, move |core| super::files::piece(core, &path, Some(offset), length)).await {
        Ok((bytes, size)) => told(&asked.kind, &json!({"size": size, "data": STANDARD.encode(bytes)})),
        Err(no) => no.response(),
    }
}

fn named_values(values: impl IntoIterator<Item = (String, Value)>) -> Vec<Value> {
    values.into_iter().map(|(name, value)| json!({"name": name, "value": value})).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_call_is_told_why() {
        let told = |text: &str| master::SIDE.judge(text).err();
        assert_eq!(told(r#"{"type":"GET_HEALTH","unknown":1}"#), None);
        assert_eq!(told("{}").as_deref(), Some("Failed to validate master::Call: Expecting 'type' to be present"));
        let bogus = told(r#"{"type":"BOGUS"}"#);
        assert_eq!(bogus.as_deref(), Some("Failed to validate master::Call: Expecting 'type' to be present"));
        let none = told(r#"{"type":"DRAIN_AGENT"}"#);
        assert_eq!(none.as_deref(), Some("Failed to validate master::Call: Expecting 'drain_agent' to be present"));
        let empty = told(r#"{"type":"DRAIN_AGENT","drain_agent":{}}"#);
        let wanted = "Failed to convert JSON into Call protobuf: Missing required fields: drain_agent.agent_id";
        assert_eq!(empty.as_deref(), Some(wanted));
        let number = told(r#"{"type":5}"#);
        let wanted = "Failed to convert JSON into Call protobuf: Not expecting a JSON number for field 'type'";
        assert_eq!(number.as_deref(), Some(wanted));
        let file = agent::SIDE.judge(r#"{"type":"READ_FILE","read_file":{"path":"/x"}}"#).err();
        assert_eq!(file.as_deref(), Some("Missing required fields: read_file.offset"));
    }

    #[test]
    fn who_says_nothing_takes_json() {
        let with = |accept: &str| HeaderMap::from_iter([(header::ACCEPT, accept.parse().unwrap())]);
        assert!(takes_json(&HeaderMap::new()));
        assert!(takes_json(&with("*/*")));
        assert!(takes_json(&with("text/html, application/json;q=0.5")));
        assert!(!takes_json(&with("text/html")));
    }
}
