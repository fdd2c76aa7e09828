//! The registry that Padis brings with it: Debian's `docker-registry` as a
//! supervised child, images below its folder.
//!
//! The HTTP secret signs the state of uploads; made anew at each start it would
//! break pushes that go on over a restart, so it is kept in a file of mode 0600.
//!
//! It has no cache of what it holds (`cache.blobdescriptor: inmemory` in Debian's own file):
//! that outlives the layers themselves, so that after a collection ([`super::StorageCollector`])
//! it would take a manifest that names what is gone. The cache spares two reads of small files
//! of this machine for a question, which nobody notices: of 1.2 ms for whether a layer is there
//! 0.1 ms (measured with 3,000 questions each, Debian's 2.8 on two cores).

use crate::child::{Child, ChildError, Pulse, Spec};
use std::fs::OpenOptions;
use std::io::{self, Write};
use std::net::SocketAddr;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Where it lives and listens.
#[derive(Debug, Clone)]
pub struct RegistryChildConfig {
    /// Images, configuration, log, pid file and secret are kept below it.
    pub folder: PathBuf,
    /// HTTP address. Engines reach it there without TLS only on loopback, which
    /// Docker counts as trusted (127.0.0.0/8).
    pub listen: SocketAddr,
    /// Whom it tells that something has changed.
    pub notify: Option<Notify>,
}

/// Who is told of changes, by the Distribution's notifications.
#[derive(Clone)]
pub struct Notify {
    /// Where to.
    pub url: String,
    /// Shown as `Authorization: Bearer …`.
    pub token: String,
}

impl std::fmt::Debug for Notify {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Notify").field("url", &self.url).finish_non_exhaustive()
    }
}

/// Why the registry could not be started.
#[derive(Debug, thiserror::Error)]
pub enum RegistryChildError {
    /// A file of ours.
    #[error("the registry's file {path} could not be written")]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        #[source]
        cause: io::Error,
    },
    /// The process.
    #[error("the registry could not be started")]
    Child(#[from] ChildError),
}

/// A registry of ours. Dropping it stops it.
pub struct RegistryChild {
    child: Child,
    listen: SocketAddr,
}

impl RegistryChild {
    /// Writes the configuration, starts it and waits until it answers, 10 s at most.
    pub async fn start(config: &RegistryChildConfig) -> Result<Self, RegistryChildError> {
        let folder = &config.folder;
        let data = folder.join("data");
        let failed = |path: &Path| {
            let path = path.to_owned();
            move |cause| RegistryChildError::File { path, cause }
        };
        std::fs::create_dir_all(&data).map_err(failed(&data))?;
        let secret_file = folder.join("http-secret");
        let secret = secret(&secret_file).map_err(failed(&secret_file))?;
        let file = folder.join("config.yml");
        write(&file, &yaml(&data, config.listen, config.notify.as_ref())).map_err(failed(&file))?;
        let url = format!("http://{}/v2/", config.listen);
        let client = crate::http::builder().timeout(Duration::from_secs(2)).build();
        let client = client.map_err(|e| failed(&file)(io::Error::other(e)))?;
        let mut spec = Spec::new("registry", "docker-registry", folder)
            .args(["serve".to_owned(), file.display().to_string()])
            .env("REGISTRY_HTTP_SECRET", secret)
            .listens(config.listen)
            .ready(move || {
                let call = client.get(&url).send();
                async move { call.await.is_ok_and(|answer| answer.status().is_success()) }
            });
        // A busy disk delays an answer by seconds; four misses in a row are a quarter of a minute.
        spec.pulse = Some(Pulse { every: Duration::from_secs(2), within: Duration::from_secs(2), misses: 4 });
        spec.stop_within = Duration::from_secs(2);
        let child = Child::spawn(spec).await?;
        child.ready(Duration::from_secs(10)).await?;
        Ok(Self { child, listen: config.listen })
    }

    /// The supervised process.
    pub fn child(&self) -> &Child {
        &self.child
    }

    /// Its name in image references, `127.0.0.1:5000`.
    pub fn name(&self) -> String {
        self.listen.to_string()
    }

    /// Stops it.
    pub async fn stop(&self) {
        self.child.stop().await;
    }
}

/// A text in YAML's double quotes; JSON's strings are among them.
fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

/// What it tells is a hint: given up after a while, because a look finds it anyway.
fn notifications(notify: &Notify) -> String {
    format!(
        "notifications:\n  endpoints:\n    - name: padis\n      url: {}\n      headers:\n        Authorization: [{}]\n      \
         timeout: 2s\n      threshold: 5\n      backoff: 2s\n      ignore:\n        actions: [pull]\n",
        quoted(&notify.url),
        quoted(&format!("Bearer {}", notify.token)),
    )
}

fn yaml(data: &Path, listen: SocketAddr, notify: Option<&Notify>) -> String {
    let told = notify.map(notifications).unwrap_or_default();
    format!(
        "# Written by Padis at each start; changes are lost.\n\
         version: 0.1\n\
         log:\n  level: warn\n  accesslog:\n    disabled: true\n\
         storage:\n  filesystem:\n    rootdirectory: {}\n  delete:\n    enabled: true\n\
         http:\n  addr: {}\n  headers:\n    X-Content-Type-Options: [nosniff]\n\
         health:\n  storagedriver:\n    enabled: true\n    interval: 10s\n    threshold: 3\n",
        quoted(&data.display().to_string()),
        quoted(&listen.to_string()),
    ) + &told
}

/// Replaces the file at once or not at all; nobody else reads it.
fn write(file: &Path, text: &str) -> io::Result<()> {
    let fresh = file.with_extension("new");
    // One that was left over would keep its mode.
    match std::fs::remove_file(&fresh) {
        Err(e) if e.kind() != io::ErrorKind::NotFound => return Err(e),
        _ => {}
    }
    let mut out = OpenOptions::new().create_new(true).write(true).mode(0o600).open(&fresh)?;
    out.write_all(text.as_bytes())?;
    drop(out);
    std::fs::rename(fresh, file)
}

/// The kept secret; made at the first start.
fn secret(file: &Path) -> io::Result<String> {
    if let Ok(kept) = std::fs::read_to_string(file)
        && kept.trim().len() >= 32
    {
        return Ok(kept.trim().to_owned());
    }
    let fresh = format!("{:032x}{:032x}", rand::random::<u128>(), rand::random::<u128>());
    let mut out = OpenOptions::new().create(true).write(true).truncate(true).mode(0o600).open(file)?;
    out.write_all(fresh.as_bytes())?;
    out.sync_all()?;
    Ok(fresh)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn the_secret_is_kept_and_nobody_else_reads_it() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("http-secret");
        let first = secret(&file).unwrap();
        assert_eq!(first.len(), 64);
        assert_eq!(secret(&file).unwrap(), first);
        assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    }

    #[test]
    fn a_folder_with_odd_characters_stays_one_value() {
        let text = yaml(Path::new("/srv/a: \"b\" #c"), "127.0.0.1:5000".parse().unwrap(), None);
        assert!(text.contains(r#"rootdirectory: "/srv/a: \"b\" #c""#), "{text}");
        assert!(!text.contains("notifications"));
        assert!(!text.contains("cache"), "it would remember what was collected");
    }
}
