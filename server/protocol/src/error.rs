//! Marathon's error body.
//!
//! Two spellings of a detail exist in the wild (`error` in old versions,
//! `errors` since 1.0); only the list form is written, and `extra` keeps the rest.

use crate::Extra;
use serde::{Deserialize, Serialize};

/// `{"message": …, "details": [{"path": …, "errors": […]}]}`.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct ErrorBody {
    /// One sentence. Marathon's own wordings are matched by clients.
    #[serde(default)]
    pub message: String,
    /// What is wrong, by path into the request's body.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub details: Vec<ErrorDetail>,
    /// Deployments that lock the app, in a 409.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub deployments: Vec<Identifiable>,
    /// Unknown members.
    #[serde(flatten)]
    pub extra: Extra,
}

/// One path and its errors.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct ErrorDetail {
    /// JSON path in Marathon's notation, `/upgradeStrategy/minimumHealthCapacity`; `/` is the object itself.
    #[serde(default)]
    pub path: String,
    /// Errors at this path.
    #[serde(default)]
    pub errors: Vec<String>,
}

/// `{"id": …}`, as Marathon refers to deployments.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Identifiable {
    /// The id.
    pub id: String,
}

/// `{"message": …}`, as Marathon answers where there is nothing else to say.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Message {
    /// One sentence.
    pub message: String,
}
