//! Readiness checks: whether a new instance may take traffic, as far as a
//! deployment is concerned. They end with the deployment and kill nothing; taking
//! them for health checks is the way to get it wrong.

message! {
    /// A readiness check.
    #[serde(rename_all = "camelCase")]
    ReadinessCheck {
        /// Name; default `readinessCheck`.
        name: Option<String>,
        /// `HTTP` (default) or `HTTPS`.
        protocol: Option<String>,
        /// Path; default `/`.
        path: Option<String>,
        /// Name of the port; default `http-api`.
        port_name: Option<String>,
        /// Seconds between two checks; default 30.
        interval_seconds: Option<u32>,
        /// Seconds until a check has failed; default 10, less than the interval.
        timeout_seconds: Option<u32>,
        /// HTTP status codes that mean ready; default 200 only.
        http_status_codes_for_ready: Option<Vec<u16>>,
        /// Whether the last answer is shown in the deployment; default false.
        preserve_last_response: Option<bool>,
    }

    /// The result of a readiness check on a task.
    #[serde(rename_all = "camelCase")]
    ReadinessCheckResult {
        /// Name of the check.
        name: String,
        /// The instance.
        task_id: String,
        /// Whether it is ready.
        ready: bool,
        /// The last answer, if it is preserved.
        last_response: Option<ReadinessResponse>,
    }

    /// The last answer of an instance.
    #[serde(rename_all = "camelCase")]
    ReadinessResponse {
        /// HTTP status.
        status: u32,
        /// Its `Content-Type`.
        content_type: String,
        /// Its body.
        body: String,
    }
}
