//! Workbenches as people see them: what runs, what was changed in it, what it became.

use super::BuildRow;
use crate::ports::{BenchChange, BenchChanges, ChangeKind};
use crate::problem::Problem;
use crate::words::{UnixMs, words};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

words! {
    /// The state of a workbench.
    BenchState {
        /// It is being made.
        Starting = "starting",
        /// It can be worked in.
        Open = "open",
        /// It is being taken away.
        Ending = "ending",
        /// It is gone.
        Ended = "ended",
    }
}
words! {
    /// The state of a version that a workbench becomes.
    CommitState {
        /// Asked for, or under way.
        Open = "open",
        /// It is in the registry.
        Done = "done",
        /// It will not be.
        Failed = "failed",
    }
}
words! {
    /// Why a file should not go into an image.
    Doubt {
        /// What a program wrote about its run.
        Log = "log",
        /// Only needed for a moment, or fetched again by whoever needs it.
        Temporary = "temporary",
        /// Private keys, and where they are kept.
        Key = "key",
        /// What somebody has typed.
        History = "history",
        /// Larger than [`LARGE`].
        Large = "large",
    }
}

/// Bytes above which a file is pointed out: who pulls the image pulls it on every host.
pub const LARGE: u64 = 100 << 20;

/// Why a changed path should not go into an image; `logs` is the folder of logs of its
/// contract. What is deleted goes into none.
pub fn doubt(change: &BenchChange, logs: Option<&str>) -> Option<Doubt> {
    if change.kind == ChangeKind::Deleted {
        return None;
    }
    let path = change.path.as_str();
    let name = path.rsplit('/').next().unwrap_or_default();
    let ends = |all: &[&str]| all.iter().any(|end| name.ends_with(end));
    let below = |all: &[&str]| all.iter().any(|f| path.strip_prefix(f).is_some_and(|r| r.starts_with('/')));
    let key = || {
        (!change.folder && path.split('/').any(|part| part == ".ssh" || part == ".gnupg"))
            || below(&["/etc/ssl/private"])
            || (!change.folder && ends(&[".key", ".p12", ".pfx", ".jks", ".keystore", ".ppk"]))
            || ["id_rsa", "id_dsa", "id_ecdsa", "id_ed25519", ".netrc", ".git-credentials"].contains(&name)
    };
    let history = || {
        !change.folder
            && (ends(&["_history"]) || [".lesshst", ".viminfo", ".wget-hsts", ".node_repl_history"].contains(&name))
    };
    let log = || {
        !change.folder
            && (below(&["/var/log"]) || logs.is_some_and(|l| below(&[l.trim_end_matches('/')])) || ends(&[".log"]))
    };
    let passing = || {
        below(&["/tmp", "/var/tmp", "/run", "/var/run", "/var/cache", "/var/lib/apt/lists", "/root/.cache"])
            || ends(&[".swp", ".swo", "~", ".tmp"])
    };
    if key() {
        Some(Doubt::Key)
    } else if history() {
        Some(Doubt::History)
    } else if log() {
        Some(Doubt::Log)
    } else if passing() {
        Some(Doubt::Temporary)
    } else {
        (change.bytes > LARGE).then_some(Doubt::Large)
    }
}

/// A workbench that is asked for.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewBench {
    /// Repository in our own registry.
    pub repository: String,
    /// The version that it starts from.
    pub tag: String,
    /// On a host of which pool.
    pub pool: String,
}

/// A workbench in a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BenchRow {
    /// Its id.
    pub id: String,
    /// What it was started from: repository.
    pub repository: String,
    /// Tag, as it was chosen.
    pub tag: String,
    /// What that named.
    pub digest: String,
    /// Pool.
    pub pool: String,
    /// Host.
    pub host: String,
    /// Whose it is.
    pub by: String,
    /// The same as an account.
    pub by_account: String,
    /// When it was asked for.
    pub asked_at: UnixMs,
    /// When it ended.
    pub ended_at: Option<UnixMs>,
    /// State.
    pub state: BenchState,
    /// Why it does not go on; empty if it does.
    pub why: String,
    /// How many versions were made of it.
    pub versions: u64,
}

/// A version that somebody made of a workbench.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CommitRow {
    /// Its id.
    pub id: String,
    /// The workbench.
    pub bench: String,
    /// Repository.
    pub repository: String,
    /// Tag.
    pub tag: String,
    /// What it became; empty until it is there.
    pub digest: String,
    /// What it was made from: repository and digest.
    pub base: (String, String),
    /// What it is good for, in somebody's words.
    pub description: String,
    /// State.
    pub state: CommitState,
    /// Bytes that are in the registry, of so many.
    pub pushed: (u64, u64),
    /// Why it does not go on, or failed.
    pub why: String,
    /// What was changed, as it was when it was made.
    pub changes: BenchChanges,
    /// Paths that were left out.
    pub left_out: Vec<String>,
    /// Who.
    pub by: String,
    /// When it was asked for.
    pub asked_at: UnixMs,
    /// When it ended.
    pub ended_at: Option<UnixMs>,
}

/// A terminal that was open in a workbench: what it showed is kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BenchRecord {
    /// The first terminal of a workbench is 1.
    pub number: u32,
    /// Who.
    pub by: String,
    /// From when.
    pub began_at: UnixMs,
    /// To when; `None`: it is open, or the portal was stopped meanwhile.
    pub ended_at: Option<UnixMs>,
}

/// A workbench, whole.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BenchView {
    /// It.
    pub row: BenchRow,
    /// What our own registry is called.
    pub registry: String,
    /// What was changed in it, read now.
    pub changes: BenchChanges,
    /// Why that could not be read.
    pub changes_why: Option<Problem>,
    /// The folder of logs of its contract.
    pub logs: Option<String>,
    /// The contract's labels of the version that it was started from, without their prefix;
    /// empty: it has none.
    pub contract: BTreeMap<String, String>,
    /// Versions that were made of it, newest first.
    pub commits: Vec<CommitRow>,
    /// Its terminals, newest first.
    pub records: Vec<BenchRecord>,
    /// Whether the caller may work in it.
    pub may: bool,
    /// Repositories that the caller may put a version into begin with these; empty: with anything.
    pub below: Vec<String>,
}

/// Pools on whose hosts the caller may start a workbench from a version.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct BenchOffer {
    /// Pools.
    pub pools: Vec<String>,
    /// Which versions were made in a workbench with exactly this digest.
    pub made: Option<CommitRow>,
    /// The build of a recipe that made exactly this digest.
    pub built: Option<BuildRow>,
}

/// A version that is to be made of a workbench.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewCommit {
    /// Which workbench.
    pub bench: String,
    /// Repository in our own registry.
    pub repository: String,
    /// Tag, which must not name anything yet.
    pub tag: String,
    /// What it is good for.
    pub description: String,
    /// Whether what [`doubt`] points out is left out.
    pub leave_out: bool,
    /// The contract's labels without their prefix; all empty: it has no contract.
    pub contract: BTreeMap<String, String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn change(path: &str) -> BenchChange {
        BenchChange { path: path.to_owned(), kind: ChangeKind::Added, folder: false, bytes: 1 }
    }

    #[test]
    fn what_should_not_go_into_an_image_is_pointed_out() {
        for (path, want) in [
            ("/root/.bash_history", Some(Doubt::History)),
            ("/root/.ssh/known_hosts", Some(Doubt::Key)),
            ("/home/app/id_ed25519", Some(Doubt::Key)),
            ("/etc/nginx/server.key", Some(Doubt::Key)),
            ("/var/log/nginx/access", Some(Doubt::Log)),
            ("/opt/app/logs/today.txt", Some(Doubt::Log)),
            ("/opt/x.log", Some(Doubt::Log)),
            ("/tmp/x", Some(Doubt::Temporary)),
            ("/var/cache/apt/pkgcache.bin", Some(Doubt::Temporary)),
            ("/etc/nginx/.nginx.conf.swp", Some(Doubt::Temporary)),
            ("/etc/nginx/nginx.conf", None),
            ("/etc/ssl/certs/ca.pem", None),
            ("/tmpfiles/x", None),
            ("/usr/share/keys", None),
        ] {
            assert_eq!(doubt(&change(path), Some("/opt/app/logs/")), want, "{path}");
        }
        let large = BenchChange { bytes: LARGE + 1, ..change("/opt/large") };
        assert_eq!(doubt(&large, None), Some(Doubt::Large));
        let gone = BenchChange { kind: ChangeKind::Deleted, ..change("/tmp/x") };
        assert_eq!(doubt(&gone, None), None);
    }
}
