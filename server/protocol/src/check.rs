//! Checks: what Mesos runs and reports, without killing anything for it.
//!
//! An app's check and a pod's check and health check share a shape, except that an
//! app's names its port by number or index and a pod's by endpoint; one type has
//! all three, and exactly one of `http`, `tcp` and `exec` may be given (the
//! validation says so, not the type: a patch passes through here too).

message! {
    /// A check; a health check of a pod's container, too.
    #[serde(rename_all = "camelCase")]
    Check {
        /// Asks over HTTP.
        http: Option<HttpCheck>,
        /// Opens a connection.
        tcp: Option<TcpCheck>,
        /// Runs a command in the container.
        exec: Option<ExecCheck>,
        /// Seconds of grace after the start (health checks); default 300.
        grace_period_seconds: Option<u32>,
        /// Seconds between two checks; default 60.
        interval_seconds: Option<u32>,
        /// Failures in a row that kill (health checks); default 3.
        max_consecutive_failures: Option<u32>,
        /// Seconds until a check has failed; default 20.
        timeout_seconds: Option<u32>,
        /// Seconds before the first check; default 15.
        delay_seconds: Option<u32>,
    }

    /// A check over HTTP; a status of 200 to 399 is a success.
    #[serde(rename_all = "camelCase")]
    HttpCheck {
        /// Name of the endpoint (pods).
        endpoint: Option<String>,
        /// Index into the ports (apps).
        port_index: Option<u32>,
        /// Port by number (apps).
        port: Option<u16>,
        /// Path.
        path: Option<String>,
        /// `HTTP` (default) or `HTTPS`.
        scheme: Option<String>,
    }

    /// A connection that opens is a success.
    #[serde(rename_all = "camelCase")]
    TcpCheck {
        /// Name of the endpoint (pods).
        endpoint: Option<String>,
        /// Index into the ports (apps).
        port_index: Option<u32>,
        /// Port by number (apps).
        port: Option<u16>,
    }

    /// Exit code 0 is a success.
    ExecCheck {
        /// The command.
        command: MesosCommand,
    }

    /// A command: by the shell or directly, never both.
    MesosCommand {
        /// The command line, run by the shell.
        shell: Option<String>,
        /// The program and its arguments, run directly.
        argv: Option<Vec<String>>,
    }

    /// The last result of a check, on a task.
    CheckStatus {
        /// Of a check over HTTP.
        http: Option<HttpCheckStatus>,
        /// Of a connection.
        tcp: Option<TcpCheckStatus>,
        /// Of a command.
        command: Option<CommandCheckStatus>,
    }

    /// The last result of a check over HTTP.
    #[serde(rename_all = "camelCase")]
    HttpCheckStatus {
        /// HTTP status; absent before the first answer.
        status_code: Option<u32>,
    }

    /// The last result of a connection.
    TcpCheckStatus {
        /// Whether it opened; absent before the first try.
        succeeded: Option<bool>,
    }

    /// The last result of a command.
    #[serde(rename_all = "camelCase")]
    CommandCheckStatus {
        /// Exit code; absent before the first run.
        exit_code: Option<i32>,
    }
}
