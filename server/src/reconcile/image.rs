//! Why an image can't be had, from what Docker says about a launch that failed.
//!
//! Docker knows a registry that does not answer, and one that answers "no such
//! image", only by text. One could get it wrong by taking either for an
//! application that crashes: the person would look into a program that never ran.

use super::Reconciler;
use crate::store::apps::Delivery;
use padis_domain::delivery::Note;
use padis_domain::problem::System;
use std::sync::Arc;

/// What Docker Engine 20 to 28 writes when nobody answers at the registry's address.
const SILENT: [&str; 8] = [
    "connection refused",
    "connection reset",
    "EOF",
    "i/o timeout",
    "Client.Timeout",
    "deadline exceeded",
    "no such host",
    "made no progress",
];
/// … and when the registry answers that it has no such image.
const MISSING: [&str; 3] = ["manifest unknown", "not found", "repository does not exist"];

/// What a failed launch says about the image: `None` if it is about something else.
pub(super) fn trouble(r: &Arc<Reconciler>, image: &str, message: &str, d: &Delivery) -> Option<Note> {
    let why = judge(image, message)?;
    if why == Why::Missing {
        return Some(Note::ImageGone { image: image.to_owned() });
    }
    let system = System::Registry;
    // The same trouble keeps its incident, so that the rail does not change at every look.
    let said = d.steps.iter().find_map(|v| match &v.note {
        Some(Note::Unavailable { system: s, incident, .. }) if *s == system => Some(incident.clone()),
        _ => None,
    });
    let incident = said.unwrap_or_else(|| {
        let id = crate::store::new_incident();
        let at = r.set.places.get("registry").map(String::as_str).unwrap_or_default();
        tracing::warn!(incident = %id, registry.at = at, image, cause = message, "a delivery waits for the registry");
        id
    });
    Some(Note::Unavailable { system, incident, next_try: None })
}

#[derive(Debug, PartialEq, Eq)]
enum Why {
    Silent,
    Missing,
}

fn judge(image: &str, message: &str) -> Option<Why> {
    if !message.contains("Failed to launch container") {
        return None;
    }
    let registry = image.split('/').next().unwrap_or_default();
    let about = message.contains(registry) || message.contains(image);
    if about && SILENT.iter().any(|s| message.contains(s)) {
        return Some(Why::Silent);
    }
    let named = about || message.contains("manifest");
    (named && MISSING.iter().any(|s| message.contains(s))).then_some(Why::Missing)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn docker_s_words_are_told_apart() {
        let image = "127.0.0.1:5000/stacks/nginx@sha256:00";
        let says = |text: &str| judge(image, &format!("Failed to launch container: {text}"));
        let get = "Get \"http://127.0.0.1:5000/v2/\": dial tcp 127.0.0.1:5000: connect: connection refused";
        assert_eq!(says(get), Some(Why::Silent));
        assert_eq!(says("Get \"http://127.0.0.1:5000/v2/\": EOF"), Some(Why::Silent));
        assert_eq!(says(&format!("pulling {image} made no progress")), Some(Why::Silent));
        assert_eq!(says(&format!("manifest for {image} not found: manifest unknown")), Some(Why::Missing));
        assert_eq!(says("OCI runtime create failed: exec: \"/x\": no such file or directory"), None);
        assert_eq!(judge(image, "exit code 1: 127.0.0.1:5000 connection refused"), None);
    }
}
