//! What a server function says when it does not succeed.
//!
//! The portal's own answers travel as [`Problem`]; what happens between browser
//! and server has no problem of its own, so it gets a variant here and the texts
//! have a sentence for each. One could get it wrong by showing the transport's
//! message: it is written for a programmer, and it stays out of [`Fault`].

use padis_domain::Problem;
use serde::{Deserialize, Serialize};
use server_fn::codec::JsonEncoding;
use server_fn::error::{FromServerFnError, ServerFnErrorErr};

/// Why a server function gave no answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[serde(rename_all = "snake_case")]
pub enum Fault {
    /// The portal said no, and why.
    #[error("{0}")]
    #[serde(rename = "problem")]
    Portal(Problem),
    /// The server was not reached, or the connection broke before its answer.
    #[error("connection lost")]
    ConnectionLost,
    /// The other side is of another version: the page must be loaded anew.
    #[error("page and server do not understand each other")]
    OutOfDate,
}

/// What every server function returns.
pub type Said<T> = Result<T, Fault>;

impl Fault {
    /// The problem that the portal told, if it was the portal.
    pub fn problem(&self) -> Option<&Problem> {
        match self {
            Self::Portal(p) => Some(p),
            Self::ConnectionLost | Self::OutOfDate => None,
        }
    }
    /// The HTTP status that fits.
    pub fn status(&self) -> u16 {
        match self {
            Self::Portal(p) => p.status(),
            Self::ConnectionLost => 503,
            Self::OutOfDate => 400,
        }
    }
    /// The problems that belong to the form's field `name`.
    pub fn about(&self, name: &str) -> Vec<Problem> {
        fn walk(p: &Problem, name: &str, out: &mut Vec<Problem>) {
            match p {
                Problem::Fields { problems } => problems.iter().for_each(|p| walk(p, name, out)),
                p if p.about_field().is_some_and(|f| same_field(f, name)) => out.push(p.clone()),
                _ => {}
            }
        }
        let mut out = Vec::new();
        if let Some(p) = self.problem() {
            walk(p, name, &mut out);
        }
        out
    }
    /// What belongs to none of the form's fields and must be said above it.
    pub fn beside(&self, names: &[&str]) -> Option<Self> {
        fn rest(p: &Problem, names: &[&str]) -> Option<Problem> {
            match p {
                Problem::Fields { problems } => {
                    let problems: Vec<_> = problems.iter().filter_map(|p| rest(p, names)).collect();
                    (!problems.is_empty()).then_some(Problem::Fields { problems })
                }
                p => match p.about_field() {
                    Some(f) if names.iter().any(|n| same_field(f, n)) => None,
                    _ => Some(p.clone()),
                },
            }
        }
        match self {
            Self::Portal(p) => rest(p, names).map(Self::Portal),
            other => Some(other.clone()),
        }
    }
}

/// Whether the portal's name of a field means the form's field: the portal
/// speaks of `size.cpu_milli` or `health.path`, the flat form of `cpu` and
/// `health_path`.
fn same_field(portal: &str, form: &str) -> bool {
    let flat = portal.replace(['.', '-'], "_");
    let short = |s: &str| match s {
        "cpu_milli" | "size_cpu_milli" | "size_cpu" | "quota_cpu" => "cpu".to_owned(),
        "mem_mib" | "size_mem_mib" | "size_mem" | "memory" | "quota_mem" | "quota_memory" => "mem".to_owned(),
        "path" => "health_path".to_owned(),
        "expect" => "health_expect".to_owned(),
        "health_interval_ms" | "interval_ms" => "interval_s".to_owned(),
        "health_timeout_ms" | "timeout_ms" => "timeout_s".to_owned(),
        "health_failures" => "failures".to_owned(),
        "health_grace_s" => "grace_s".to_owned(),
        s if s.starts_with("env_") => "env".to_owned(),
        s => s.to_owned(),
    };
    short(&flat) == short(form)
}

impl From<Problem> for Fault {
    fn from(p: Problem) -> Self {
        Self::Portal(p)
    }
}

impl FromServerFnError for Fault {
    type Encoder = JsonEncoding;

    fn from_server_fn_error(e: ServerFnErrorErr) -> Self {
        let fault = match e {
            ServerFnErrorErr::Request(_) | ServerFnErrorErr::Response(_) => Self::ConnectionLost,
            _ => Self::OutOfDate,
        };
        // On the server this is a request that could not be read: not the server's fault.
        super::back::answer_status(&fault);
        fault
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use padis_domain::problem::ValueFault;

    #[test]
    fn a_problem_survives_the_wire() {
        let f = Fault::Portal(Problem::field("cpu", ValueFault::OutOfRange { min: 1, max: 9 }));
        assert_eq!(Fault::de(f.ser()), f);
        assert_eq!(Fault::de("<html>bad gateway</html>".into()), Fault::OutOfDate);
    }

    #[test]
    fn each_field_hears_only_of_itself() {
        let f = Fault::Portal(Problem::Fields {
            problems: vec![Problem::missing("name"), Problem::missing("health.path"), Problem::NotFound],
        });
        assert_eq!(f.about("name"), vec![Problem::missing("name")]);
        assert_eq!(f.about("health_path"), vec![Problem::missing("health.path")]);
        let rest = f.beside(&["name", "health_path"]);
        assert_eq!(rest, Some(Fault::Portal(Problem::Fields { problems: vec![Problem::NotFound] })));
    }
}
