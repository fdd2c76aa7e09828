//! Settings, and where the files of the child are.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

/// How the balancer's child process is set up.
#[derive(Debug, Clone)]
pub struct HaproxyConfig {
    /// The program, a path or a name to look for.
    pub program: PathBuf,
    /// Where requests arrive (plain HTTP).
    pub listen: SocketAddr,
    /// A folder of its own for configuration, sockets and log. Its path must be
    /// short: a Unix socket's path has at most 107 bytes (unix(7)).
    pub folder: PathBuf,
    /// Connections at most, over all services.
    pub max_connections: u32,
}

impl HaproxyConfig {
    /// Debian's HAProxy, 4,000 connections.
    pub fn new(listen: SocketAddr, folder: impl Into<PathBuf>) -> Self {
        Self { program: "haproxy".into(), listen, folder: folder.into(), max_connections: 4000 }
    }
}

/// The files below the folder.
#[derive(Debug, Clone)]
pub(super) struct Paths {
    pub folder: PathBuf,
}

impl Paths {
    /// Read by HAProxy as a whole: `00-global.cfg` and one file for each service.
    pub fn conf(&self) -> PathBuf {
        self.folder.join("conf.d")
    }
    pub fn global(&self) -> PathBuf {
        self.conf().join("00-global.cfg")
    }
    pub fn service(&self, key: &str) -> PathBuf {
        self.conf().join(format!("50-{key}.cfg"))
    }
    /// Candidates stand here until they are found valid.
    pub fn trial(&self, name: &str) -> PathBuf {
        self.folder.join("trial").join(name)
    }
    pub fn map(&self) -> PathBuf {
        self.folder.join("hosts.map")
    }
    pub fn page(&self, name: &str) -> PathBuf {
        self.folder.join("pages").join(name)
    }
    pub fn states(&self) -> PathBuf {
        self.folder.join("servers.state")
    }
    pub fn master(&self) -> PathBuf {
        self.folder.join("master.sock")
    }
    /// Where old workers pass requests on to the newest.
    pub fn gate(&self) -> PathBuf {
        self.folder.join("gate.sock")
    }
    pub fn worker(&self) -> PathBuf {
        self.folder.join("worker.sock")
    }
}

/// Writes beside the target and renames, so that a reader sees the old or the new
/// content, never half of one.
pub(super) fn replace(path: &Path, content: &[u8]) -> std::io::Result<()> {
    let mut fresh = path.as_os_str().to_owned();
    // Not `.cfg`: HAProxy reads every file of that name in the folder.
    fresh.push(".new");
    std::fs::write(&fresh, content)?;
    std::fs::rename(&fresh, path)
}
