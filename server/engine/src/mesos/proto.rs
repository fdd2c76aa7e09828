//! What libprocess refuses before a call is looked at: JSON that is none, members of
//! the wrong kind, required members that are missing. In its words.
//!
//! One could get it wrong by leaving this to serde: the wire types take what they can
//! and never fail, which is right for what a server sends and wrong for an order.

use serde_json::Value;

/// A member of a message.
pub(super) struct Field {
    pub name: &'static str,
    pub required: bool,
    pub kind: Kind,
}

/// What a member may be.
#[derive(Clone, Copy)]
pub(super) enum Kind {
    Text,
    Number,
    Flag,
    Message(&'static [Field]),
    List(&'static [Field]),
}

/// `name` is required.
pub(super) const fn must(name: &'static str, kind: Kind) -> Field {
    Field { name, required: true, kind }
}

/// `name` may be absent.
pub(super) const fn may(name: &'static str, kind: Kind) -> Field {
    Field { name, required: false, kind }
}

fn json_kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

/// The parser's complaint, with the rest of the line that it could not read.
pub(super) fn parse(text: &str) -> Result<Value, String> {
    serde_json::from_str(text).map_err(|error| {
        let line = text.lines().nth(error.line().saturating_sub(1)).unwrap_or_default();
        let rest = line.get(error.column().saturating_sub(1)..).unwrap_or_default();
        format!("syntax error at line {} near: {rest}", error.line().max(1))
    })
}

/// The complaint about a member of the wrong kind.
pub(super) fn unexpected(value: &Value, name: &str) -> String {
    format!("Not expecting a JSON {} for field '{name}'", json_kind(value))
}

/// Whether a message has the shape.
pub(super) fn check(message: &Value, fields: &[Field]) -> Result<(), String> {
    check_at("", message, fields)
}

/// The same for a message inside of another; `path` ends with a dot.
pub(super) fn check_at(path: &str, message: &Value, fields: &[Field]) -> Result<(), String> {
    kinds(message, fields)?;
    let mut missing = Vec::new();
    required(message, fields, path, &mut missing);
    if missing.is_empty() { Ok(()) } else { Err(format!("Missing required fields: {}", missing.join(", "))) }
}

fn kinds(message: &Value, fields: &[Field]) -> Result<(), String> {
    for field in fields {
        let Some(value) = message.get(field.name).filter(|v| !v.is_null()) else { continue };
        let fits = match field.kind {
            Kind::Text => value.is_string(),
            // A number may be written as a text: JSON has none of 64 bits.
            Kind::Number => value.is_number() || value.as_str().is_some_and(|text| text.parse::<f64>().is_ok()),
            Kind::Flag => value.is_boolean(),
            Kind::Message(_) => value.is_object(),
            Kind::List(_) => value.is_array(),
        };
        if !fits {
            return Err(unexpected(value, field.name));
        }
        match field.kind {
            Kind::Message(inner) => kinds(value, inner)?,
            Kind::List(inner) => {
                for one in value.as_array().into_iter().flatten() {
                    if !one.is_object() {
                        return Err(unexpected(one, field.name));
                    }
                    kinds(one, inner)?;
                }
            }
            _ => {}
        }
    }
    Ok(())
}

fn required(message: &Value, fields: &[Field], path: &str, missing: &mut Vec<String>) {
    for field in fields {
        let at = format!("{path}{}", field.name);
        match (message.get(field.name).filter(|v| !v.is_null()), field.kind) {
            (None, _) if field.required => missing.push(at),
            (Some(value), Kind::Message(inner)) => required(value, inner, &format!("{at}."), missing),
            (Some(value), Kind::List(inner)) => {
                for (index, one) in value.as_array().into_iter().flatten().enumerate() {
                    required(one, inner, &format!("{at}[{index}]."), missing);
                }
            }
            _ => {}
        }
    }
}

/// A whole number, also one that is written as a text.
pub(super) fn whole(value: &Value) -> Option<i64> {
    value.as_i64().or_else(|| value.as_f64().map(|n| n as i64)).or_else(|| value.as_str()?.parse().ok())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const ID: &[Field] = &[must("value", Kind::Text)];
    const CALL: &[Field] = &[must("agent_id", Kind::Message(ID)), may("list", Kind::List(ID)), may("n", Kind::Number)];

    #[test]
    fn in_the_words_of_libprocess() {
        let told = |message: Value| check(&message, CALL).err();
        assert_eq!(told(json!({"agent_id": {"value": "x"}, "n": "3", "more": [1]})), None);
        assert_eq!(told(json!({})).as_deref(), Some("Missing required fields: agent_id"));
        assert_eq!(told(json!({"agent_id": {}})).as_deref(), Some("Missing required fields: agent_id.value"));
        let inside = json!({"agent_id": {"value": "x"}, "list": [{"value": "y"}, {}]});
        assert_eq!(told(inside).as_deref(), Some("Missing required fields: list[1].value"));
        assert_eq!(told(json!({"agent_id": "x"})).as_deref(), Some("Not expecting a JSON string for field 'agent_id'"));
        assert_eq!(told(json!({"n": {}})).as_deref(), Some("Not expecting a JSON object for field 'n'"));
    }

    #[test]
    fn what_is_no_json_is_shown_from_where_it_is_not() {
        let told = |text: &str| parse(text).err();
        assert_eq!(told("{}"), None);
        assert_eq!(told("x").as_deref(), Some("syntax error at line 1 near: x"));
        assert_eq!(told("{bad").as_deref(), Some("syntax error at line 1 near: bad"));
        assert_eq!(told("nonsense").as_deref(), Some("syntax error at line 1 near: onsense"));
        assert_eq!(told("").as_deref(), Some("syntax error at line 1 near: "));
    }
}
