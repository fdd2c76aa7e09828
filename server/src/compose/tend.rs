//! What the portal does for itself from time to time: looks whether directory,
//! database and disk are well, and sweeps what has had its time.

use super::late::chain;
use crate::auth::Auth;
use crate::changes::Changes;
use crate::config::{Config, mask_url};
use crate::packages::Packages;
use crate::reconcile::live::Live;
use crate::store::{Store, now_ms};
use padis_domain::problem::System;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::UnixStream;
use tokio_util::sync::CancellationToken;

const ASK_WITHIN: Duration = Duration::from_secs(3);
const MAX_ANSWER: u64 = 64 << 10;
const LOOK_EVERY: Duration = Duration::from_secs(10);
const SWEEP_EVERY: Duration = Duration::from_secs(600);

/// What is tended.
pub struct Tended {
    /// Database.
    pub store: Store,
    /// Sign-in.
    pub auth: Arc<Auth>,
    /// Packages.
    pub packages: Arc<Packages>,
    /// Where the state of systems is shown.
    pub live: Arc<Live>,
    /// Who hears of it.
    pub changes: Changes,
}

/// Runs until `stop`.
pub async fn tend(t: Tended, c: Config, stop: CancellationToken) {
    let mut swept: Option<Instant> = None;
    loop {
        look(&t, &c).await;
        if swept.is_none_or(|at| at.elapsed() >= SWEEP_EVERY) {
            swept = Some(Instant::now());
            sweep(&t).await;
        }
        tokio::select! { () = stop.cancelled() => return, () = tokio::time::sleep(LOOK_EVERY) => {} }
    }
}

async fn look(t: &Tended, c: &Config) {
    let directory = t.auth.look_at_directory().await;
    if let (Some(said), Some(ldap)) = (directory, &c.ldap) {
        let at = ldap.driver.servers.iter().map(|u| mask_url(u)).collect::<Vec<_>>().join(", ");
        say(t, "directory", System::Directory, &at, said.map_err(|e| e.chain()));
    }
    let database = sqlx::query_scalar::<_, i64>("SELECT COUNT(*) FROM meta").fetch_one(t.store.read()).await;
    say(t, "database", System::Database, &mask_url(c.database.reveal()), database.map(|_| ()).map_err(|e| chain(&e)));
    if c.engine.enabled {
        let docker = tokio::time::timeout(ASK_WITHIN, ask_docker(&c.docker)).await;
        let docker = docker.unwrap_or_else(|_| Err(format!("no answer within {} s", ASK_WITHIN.as_secs())));
        say(t, "docker", System::Docker, &c.docker, docker);
    }
    let room = t.packages.room().map_err(|(free, need)| format!("{free} bytes are free, {need} are to be kept free"));
    say(t, "disk", System::Disk, &c.data.display().to_string(), room);
}

/// Docker's own `/_ping` on its socket.
async fn ask_docker(socket: &str) -> Result<(), String> {
    let Some(path) = socket.strip_prefix("unix://") else { return Err(format!("{socket} is not a socket")) };
    let mut stream = UnixStream::connect(path).await.map_err(|e| e.to_string())?;
    stream.write_all(b"GET /_ping HTTP/1.0\r\nHost: docker\r\n\r\n").await.map_err(|e| e.to_string())?;
    let mut answer = Vec::new();
    stream.take(MAX_ANSWER).read_to_end(&mut answer).await.map_err(|e| e.to_string())?;
    let answer = String::from_utf8_lossy(&answer);
    let first = answer.lines().next().unwrap_or_default();
    if first.contains(" 200 ") { Ok(()) } else { Err(format!("it answers {first:?}")) }
}

fn say(t: &Tended, name: &'static str, system: System, at: &str, said: Result<(), String>) {
    let detail = said.as_ref().err().cloned().unwrap_or_default();
    if t.live.set_system(name, system, said.is_ok(), at, &detail, now_ms()) {
        match &said {
            Ok(()) => tracing::info!(system = name, "answers"),
            Err(why) => tracing::warn!(system = name, cause = %why, "is not well"),
        }
        t.changes.publish("systems", None);
    }
}

async fn sweep(t: &Tended) {
    if let Err(e) = t.auth.sweep().await {
        tracing::warn!(cause = %chain(&e), "sessions could not be swept");
    }
    match t.packages.sweep().await {
        Ok(s) if s == crate::packages::Swept::default() => {}
        Ok(s) => tracing::info!(swept.uploads = s.uploads, swept.packages = s.packages, "swept"),
        Err(e) => tracing::warn!(cause = %chain(&e), "packages could not be swept"),
    }
}
