//! Checks and health checks that an executor runs, and what they told.

use super::CommandInfo;

names! {
    /// What a check does.
    CheckType {
        Command = "COMMAND",
        Http = "HTTP",
        Tcp = "TCP",
    }
}

message! {
    /// A health check: failures kill the task.
    HealthCheck {
        /// Seconds before the first; default 15.
        delay_seconds: Option<f64>,
        /// Seconds between two; default 10.
        interval_seconds: Option<f64>,
        /// Seconds until one has failed; default 20.
        timeout_seconds: Option<f64>,
        /// Failures in a row that kill; default 3.
        consecutive_failures: Option<u32>,
        /// Seconds after the start in which failures are ignored; default 10.
        grace_period_seconds: Option<f64>,
        /// What it does.
        #[serde(rename = "type")]
        kind: CheckType,
        /// The command.
        command: Option<CommandInfo>,
        /// The request.
        http: Option<HttpCheckInfo>,
        /// The connection.
        tcp: Option<TcpCheckInfo>,
    }

    /// A check: failures are told and kill nothing.
    CheckInfo {
        /// What it does.
        #[serde(rename = "type")]
        kind: CheckType,
        /// The command, one level deeper than in a health check.
        command: Option<CheckCommand>,
        /// The request.
        http: Option<HttpCheckInfo>,
        /// The connection.
        tcp: Option<TcpCheckInfo>,
        /// Seconds before the first; default 15.
        delay_seconds: Option<f64>,
        /// Seconds between two; default 10.
        interval_seconds: Option<f64>,
        /// Seconds until one has failed; default 20.
        timeout_seconds: Option<f64>,
    }

    /// The command of a check.
    CheckCommand {
        /// The command.
        command: CommandInfo,
    }

    /// A request over HTTP to the task itself.
    HttpCheckInfo {
        /// Version of the address, `IPv4`.
        protocol: Option<String>,
        /// `http` (default) or `https`.
        scheme: Option<String>,
        /// Port.
        port: u32,
        /// Path.
        path: Option<String>,
        /// Deprecated: status codes that are a success.
        statuses: Vec<u32>,
    }

    /// A connection to the task itself.
    TcpCheckInfo {
        /// Version of the address, `IPv4`.
        protocol: Option<String>,
        /// Port.
        port: u32,
    }

    /// What a check told last; an empty part means nothing yet.
    CheckStatusInfo {
        /// What it does.
        #[serde(rename = "type")]
        kind: CheckType,
        /// Of a command.
        command: Option<CheckExit>,
        /// Of a request.
        http: Option<CheckAnswer>,
        /// Of a connection.
        tcp: Option<CheckConnection>,
    }

    /// How a check's command ended.
    CheckExit {
        /// Exit code.
        exit_code: Option<i32>,
    }

    /// What a check's request was answered.
    CheckAnswer {
        /// HTTP status.
        status_code: Option<u32>,
    }

    /// Whether a check's connection opened.
    CheckConnection {
        /// Whether it did.
        succeeded: Option<bool>,
    }
}
