//! The load balancer: HAProxy as a supervised child.
//!
//! Members come and go by the runtime API; only a new service, a removed one's
//! return or another health rule needs a reload (40 ms, without losing a request).
//! The files always hold what was last wanted, so that a HAProxy that was killed
//! comes back with everything, without our doing anything.
//!
//! What one could get wrong:
//! * *Losing requests on a reload.* Listening sockets pass to the new worker. A
//!   connection that a client keeps open stays with the old one, which gives it one
//!   more answer. The old worker's members can't be changed any more ("Proxy is
//!   disabled"), so it passes such a request on to the new one (see `render.rs`).
//! * *Counting a drained member's requests on the newest worker only*, and killing
//!   an instance that an old worker is still waiting for.
//! * *Letting a user's text into the configuration* (see `render.rs`).
//! * *Two changes of one service at once.* All changes pass one lock; each takes
//!   2 ms, a reload 40. Only "out at once" does not wait for it: a member that is
//!   to be deleted during a reload is first taken out through the worker's own socket.

mod cli;
mod config;
mod files;
mod pages;
mod reload;
mod render;
mod runtime;
mod start;
mod stat;
mod verbs;

pub use config::HaproxyConfig;

use crate::child::{Child, ChildError, State as ChildState};
use cli::Cli;
use config::Paths;
use files::Book;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use tokio::sync::{Mutex, watch};

/// Why the balancer can't start.
#[derive(Debug, thiserror::Error)]
pub enum HaproxyStartError {
    /// The folder's path can't be used.
    #[error("the balancer's folder {folder} needs another path: {why}")]
    Folder {
        /// The folder.
        folder: PathBuf,
        /// In words.
        why: String,
    },
    /// A file of ours can't be read or written.
    #[error("the balancer cannot use {path}")]
    File {
        /// The file or folder.
        path: PathBuf,
        /// Why.
        #[source]
        cause: std::io::Error,
    },
    /// The address is in use or not ours.
    #[error("the balancer cannot listen on {listen}")]
    Listen {
        /// The address.
        listen: std::net::SocketAddr,
        /// Why.
        #[source]
        cause: std::io::Error,
    },
    /// HAProxy can't be run.
    #[error("{program} cannot be run")]
    Program {
        /// The program.
        program: PathBuf,
        /// Why.
        #[source]
        cause: std::io::Error,
    },
    /// HAProxy does not accept the configuration.
    #[error("HAProxy does not accept its configuration: {complaint}")]
    Configuration {
        /// Its words.
        complaint: String,
    },
    /// A HAProxy of an earlier run does not end.
    #[error("a HAProxy of an earlier run in {folder} does not end")]
    Orphan {
        /// The folder that it serves.
        folder: PathBuf,
    },
    /// The child did not start.
    #[error("HAProxy did not start")]
    Child(#[from] ChildError),
}

/// What the lock protects.
struct State {
    book: Book,
    totals: stat::Totals,
    /// The last reload's number, see `reload.rs`.
    reloaded: u64,
}

struct Inner {
    config: HaproxyConfig,
    paths: Paths,
    cli: Cli,
    state: Mutex<State>,
    /// How many reloads have been asked for.
    wanted: AtomicU64,
}

/// The running balancer. Dropping it stops HAProxy; [`HaproxyChild::stop`] waits for the end.
pub struct HaproxyChild {
    inner: Arc<Inner>,
    child: Child,
}

impl HaproxyChild {
    /// Starts HAProxy with the services that the folder's files hold, and returns
    /// when it accepts connections.
    pub async fn start(config: HaproxyConfig) -> Result<Self, HaproxyStartError> {
        let (paths, book, child) = start::start(&config).await?;
        tracing::info!(balancer.listen = %config.listen, balancer.services = book.len(), "the balancer answers");
        let inner = Inner {
            cli: Cli { master: paths.master() },
            state: Mutex::new(State { book, totals: stat::Totals::default(), reloaded: 0 }),
            wanted: AtomicU64::new(0),
            config,
            paths,
        };
        Ok(Self { inner: Arc::new(inner), child })
    }

    /// The child's state now, for the platform's own page.
    pub fn state(&self) -> ChildState {
        self.child.state()
    }

    /// Sees every later state.
    pub fn watch(&self) -> watch::Receiver<ChildState> {
        self.child.watch()
    }

    /// The master's process id.
    pub fn pid(&self) -> Option<u32> {
        self.child.pid()
    }

    /// Stops HAProxy; open requests are cut. Its files stay for the next start.
    pub async fn stop(&self) {
        self.child.stop().await;
    }
}
