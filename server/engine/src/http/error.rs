//! Errors as Marathon answers them. Clients match on these texts; changing one
//! "to make it clearer" breaks them.

use crate::operations::Refused;
use crate::store::NotDurable;
use crate::validate::Invalid;
use axum::Json;
use axum::http::{StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use padis_protocol::error::{ErrorBody, Identifiable};

#[derive(Debug)]
pub(crate) struct ApiError {
    status: StatusCode,
    body: ErrorBody,
}

impl ApiError {
    pub fn new(status: u16, message: impl Into<String>) -> Self {
        Self {
            status: StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR),
            body: ErrorBody { message: message.into(), ..ErrorBody::default() },
        }
    }
    pub fn unknown_app(id: &str) -> Self {
        Self::new(404, format!("App '{id}' does not exist"))
    }
}

impl From<Refused> for ApiError {
    fn from(refused: Refused) -> Self {
        match refused {
            Refused::UnknownApp(id) => Self::unknown_app(&id),
            Refused::UnknownVersion(version) => Self::new(422, format!("App version '{version}' does not exist")),
            Refused::UnknownDeployment(id) => Self::new(404, format!("DeploymentPlan {id} does not exist")),
            Refused::UnknownTask(id) => Self::new(404, format!("Task '{id}' does not exist")),
            Refused::UnknownGroup(id) => Self::new(404, format!("Group '{id}' does not exist")),
            Refused::Unknown(text) => Self::new(404, text),
            Refused::Conflict(text) => Self::new(409, text),
            Refused::Exists(id) => Self::new(409, format!("An app with id [{id}] already exists.")),
            Refused::TooMany => Self::new(
                403,
                "Max number (100) of running deployments reached. Please wait for some of them to finish.",
            ),
            Refused::Locked(deployments) => {
                let mut error = Self::new(
                    409,
                    "App is locked by one or more deployments. Override with the option '?force=true'. \
                     View details at '/v2/deployments/<DEPLOYMENT_ID>'.",
                );
                error.body.deployments = deployments.into_iter().map(|id| Identifiable { id }).collect();
                error
            }
            Refused::Invalid(Invalid::Json(details)) => {
                let mut error = Self::new(400, "Invalid JSON");
                error.body.details = details;
                error
            }
            Refused::Invalid(Invalid::Object(details)) => {
                let mut error = Self::new(422, "Object is not valid");
                error.body.details = details;
                error
            }
            Refused::Bad(message) => Self::new(400, message),
        }
    }
}

impl From<NotDurable> for ApiError {
    fn from(error: NotDurable) -> Self {
        tracing::error!(%error, "engine: a change was accepted but is not on disk yet");
        Self::new(503, "The change could not be written to disk yet; it takes effect as soon as it is")
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        (self.status, Json(self.body)).into_response()
    }
}

pub(crate) async fn unknown_path(uri: Uri) -> ApiError {
    ApiError::new(404, format!("URI not found: {}", uri.path()))
}

pub(crate) async fn wrong_method() -> ApiError {
    ApiError::new(405, "Method Not Allowed")
}
