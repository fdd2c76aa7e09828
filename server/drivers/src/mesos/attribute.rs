//! Attributes of agents as constraints compare them.
//!
//! What one could get wrong: version 0 writes an attribute without its type. The
//! agent's own parser tells them apart by their form, so the form tells them here
//! too: a number is a SCALAR, `[1-5]` a RANGES, all else TEXT. A scalar must be
//! written as Marathon writes it for constraints (`7`, not `7.0`), or a pool that
//! is chosen by it would never match. (From 1,000 on Marathon groups digits by its
//! own locale, which nobody here can know: such numbers can't choose hosts.)

use padis_protocol::mesos::parse_ranges;
use serde_json::Value;

/// The attribute's text.
pub(super) fn text(value: &Value) -> String {
    match value {
        Value::Number(n) => {
            // Three decimals count.
            let digits = format!("{:.3}", n.as_f64().unwrap_or_default());
            digits.trim_end_matches('0').trim_end_matches('.').to_owned()
        }
        Value::String(s) => parse_ranges(s).map_or_else(|| s.clone(), |ranges| written(&ranges)),
        other => other.to_string(),
    }
}

/// `[1-5,7-9]`, in the order in which they came.
fn written(ranges: &[(u64, u64)]) -> String {
    let ranges: Vec<_> = ranges.iter().map(|(from, to)| format!("{from}-{to}")).collect();
    format!("[{}]", ranges.join(","))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn an_attribute_is_told_by_its_form_and_written_as_marathon_does() {
        for (json, expected) in [
            (json!("alpha"), "alpha"),
            (json!(7.0), "7"),
            (json!(0.25), "0.25"),
            (json!(1000), "1000"),
            (json!("[1-5, 7-9]"), "[1-5,7-9]"),
            (json!("[a-b]"), "[a-b]"),
        ] {
            assert_eq!(text(&json), expected);
        }
    }
}
