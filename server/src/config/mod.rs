//! Settings: one file and the environment, every one with a default.
//!
//! The file is `padis.toml` (`PADIS_CONFIG` names another; otherwise `./padis.toml`,
//! then `$PADIS_DATA/padis.toml`). A setting `a.b_c` is overridden by `PADIS_A_B_C`.
//! One could get it wrong by ignoring what one does not know: a misspelt key is
//! an error with a suggestion, because an ignored setting is found in an outage.

mod docker;
mod parts;
mod registry;
mod secret;
mod source;

pub use docker::DockerHost;
pub use parts::*;
pub use registry::*;
pub use secret::{Secret, mask_url};
pub use source::{Fault, Origin, Reader, Shown, env_name};

use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};

/// All settings.
#[derive(Debug, Clone)]
pub struct Config {
    /// Where the portal listens.
    pub listen: SocketAddr,
    /// The data folder.
    pub data: PathBuf,
    /// The folder of the browser half.
    pub site: PathBuf,
    /// The address people type, if a proxy stands before the portal.
    pub public_url: Option<url::Url>,
    /// Whether cookies are for HTTPS only.
    pub secure_cookies: SecureCookies,
    /// Proxies whose `X-Forwarded-For` is believed.
    pub trusted_proxies: Vec<IpAddr>,
    /// The log.
    pub log: Log,
    /// `sqlite:…` or `postgres://…`; may hold a password.
    pub database: Secret,
    /// The first administrator's password, if it was given.
    pub admin_password: Option<Secret>,
    /// Sessions and sign-in.
    pub session: Session,
    /// Docker's socket as a URL.
    pub docker: String,
    /// Other hosts' Docker Engines.
    pub docker_hosts: Vec<DockerHost>,
    /// The built-in engine.
    pub engine: Engine,
    /// Marathon, when not the built-in one.
    pub marathon: Marathon,
    /// The image registry.
    pub registry: Registry,
    /// Names.
    pub dns: Dns,
    /// The load balancer.
    pub balancer: Balancer,
    /// LDAP, if it is used.
    pub ldap: Option<Ldap>,
    /// Bytes that an instance may write into its own container.
    pub writable_bytes: u64,
    /// File with the key by which secrets are sealed in the database.
    pub secrets_key: PathBuf,
    /// File or folder of known vulnerabilities in OSV's form, if there is one.
    pub vulnerabilities: Option<PathBuf>,
    /// Uploads.
    pub upload: Upload,
    /// The reconciler.
    pub reconcile: Reconcile,
    /// What `padis config` prints.
    pub shown: Vec<Shown>,
    /// The file that was read.
    pub file: Option<PathBuf>,
}

/// Everything that is wrong with the settings.
#[derive(Debug, thiserror::Error)]
#[error("{}", faults.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))]
pub struct ConfigError {
    /// One for each mistake.
    pub faults: Vec<Fault>,
}

/// Reads the file that applies and this process's environment.
pub fn load() -> Result<Config, ConfigError> {
    // Not UTF-8 is not ours: every value of ours is text.
    let env: Vec<(String, String)> =
        std::env::vars_os().filter_map(|(k, v)| Some((k.into_string().ok()?, v.into_string().ok()?))).collect();
    let var = |name: &str| env.iter().find(|(k, v)| k == name && !v.is_empty()).map(|(_, v)| PathBuf::from(v));
    let file = match var("PADIS_CONFIG") {
        Some(named) => Some(named),
        None => {
            let data = var("PADIS_DATA").unwrap_or_else(|| PathBuf::from(DEFAULT_DATA));
            [PathBuf::from("padis.toml"), data.join("padis.toml")].into_iter().find(|p| p.exists())
        }
    };
    let text = match &file {
        None => None,
        Some(path) => Some(std::fs::read_to_string(path).map_err(|e| ConfigError {
            faults: vec![Fault { at: path.display().to_string(), what: format!("can't be read: {e}") }],
        })?),
    };
    let name = file.as_deref().map(|p| p.display().to_string()).unwrap_or_default();
    from(text.as_deref().map(|t| (name.as_str(), t)), env, file.clone())
}

/// Builds the settings from a file's name and text and an environment.
pub fn from(
    file: Option<(&str, &str)>,
    env: impl IntoIterator<Item = (String, String)>,
    path: Option<PathBuf>,
) -> Result<Config, ConfigError> {
    let mut r = Reader::new(file, env);
    let r = &mut r;
    let any = "an address with a port, like 127.0.0.1:3000";
    let listen = r.get("listen", SocketAddr::from(([127, 0, 0, 1], 3000)), any, "where the portal listens");
    let data = PathBuf::from(r.get("data", DEFAULT_DATA.to_owned(), "a path", "the data folder"));
    let data = std::path::absolute(&data).unwrap_or(data);
    let site = r.get("site", "target/site".to_owned(), "a path", "folder of the browser half (manifest.json, pkg/)");
    let public_url = r.maybe("public_url", "the address people type, if a proxy stands before the portal");
    let public_url = match public_url.map(|u| u.parse::<url::Url>()) {
        Some(Ok(u)) if matches!(u.scheme(), "http" | "https") && u.host().is_some() => Some(u),
        None => None,
        Some(_) => {
            r.blame("public_url", "public_url must be a URL with http or https");
            None
        }
    };
    let words = [("auto", SecureCookies::Auto), ("on", SecureCookies::On), ("off", SecureCookies::Off)];
    let secure_cookies = r.choice(
        "secure_cookies",
        "auto",
        &words,
        SecureCookies::Auto,
        "cookies for HTTPS only; auto: off only on plain loopback",
    );
    let trusted_proxies =
        r.list("trusted_proxies", Vec::new(), "an IP address", "proxies whose X-Forwarded-For is believed");
    let log = Log::read(r);
    let url =
        r.get("database.url", format!("sqlite:{}/padis.db", data.display()), "a URL", "sqlite:FILE or postgres://…");
    let admin_password = r.secret("admin.password", "password of the first administrator, `admin`");
    let config = Config {
        listen,
        site: PathBuf::from(site),
        public_url,
        secure_cookies,
        trusted_proxies,
        log,
        database: Secret::new(url),
        admin_password,
        session: Session::read(r),
        docker: r.get("docker.socket", "unix:///var/run/docker.sock".to_owned(), "a URL", "Docker Engine's socket"),
        docker_hosts: DockerHost::read(r),
        engine: Engine::read(r),
        marathon: Marathon::read(r),
        registry: Registry::read(r),
        dns: Dns::read(r),
        balancer: Balancer::read(r),
        ldap: Ldap::read(r),
        writable_bytes: r.within(
            "docker.writable_mib",
            10_240,
            1..=1 << 30,
            "MiB that an instance may write into its own container; its team is warned before",
        ) << 20,
        secrets_key: PathBuf::from(r.get(
            "secrets.key_file",
            data.join("secrets.key").display().to_string(),
            "a path",
            "key by which secrets are sealed in the database; made if it is not there, the same for all replicas",
        )),
        vulnerabilities: r
            .maybe(
                "vulnerabilities.feed",
                "file or folder of known vulnerabilities (OSV JSON), read again when it changes",
            )
            .map(PathBuf::from),
        upload: Upload::read(r),
        reconcile: Reconcile::read(r),
        data,
        shown: Vec::new(),
        file: path,
    };
    if !config.engine.enabled && (config.marathon.urls.is_empty() || config.marathon.mesos.is_empty()) {
        r.blame("engine.enabled", "without the built-in engine, marathon.urls and mesos.urls are needed");
    }
    if !config.registry.child && config.registry.url.is_none() {
        r.blame("registry.child", "without the registry of our own, registry.url is needed");
    }
    r.finish();
    if !r.faults.is_empty() {
        return Err(ConfigError { faults: std::mem::take(&mut r.faults) });
    }
    Ok(Config { shown: std::mem::take(&mut r.shown), ..config })
}

impl Config {
    /// The text of `padis config`: a TOML-like line for each setting with where it came from.
    pub fn describe(&self) -> String {
        let mut out = String::new();
        match &self.file {
            Some(p) => out.push_str(&format!("# file: {}\n", p.display())),
            None => out.push_str("# file: none (./padis.toml or $PADIS_DATA/padis.toml would be read)\n"),
        }
        let width = self.shown.iter().map(|s| s.key.len() + s.value.chars().count() + 3).filter(|w| *w < 70).max();
        let width = width.unwrap_or(0);
        for s in &self.shown {
            let left = format!("{} = {}", s.key, s.value);
            out.push_str(&format!("{left:width$}  # {}; {}\n", s.origin, s.about));
        }
        out
    }

    /// Whether cookies carry `Secure`. Plain loopback is the only place without:
    /// a listener on loopback and no HTTPS address before it.
    pub fn cookies_secure(&self) -> bool {
        match self.secure_cookies {
            SecureCookies::On => true,
            SecureCookies::Off => false,
            SecureCookies::Auto => match &self.public_url {
                Some(u) => u.scheme() == "https",
                None => !self.listen.ip().is_loopback(),
            },
        }
    }

    /// A path below the data folder.
    pub fn below(&self, part: impl AsRef<Path>) -> PathBuf {
        self.data.join(part)
    }
}

#[cfg(test)]
mod tests;
