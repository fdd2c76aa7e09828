//! Registries: our own, and others that images are copied from and into.

use super::parts::{ADDRESS, BOOL, loopback};
use super::secret::Secret;
use super::source::Reader;
use crate::images::Rules;
use padis_domain::name::check_name;
use padis_domain::words::Stage;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::time::Duration;

/// What the portal's own registry is called among the others.
pub const OWN_REGISTRY: &str = "padis";
/// The image registry.
#[derive(Debug, Clone)]
pub struct Registry {
    /// Run `docker-registry` as a child.
    pub child: bool,
    /// Where the child listens.
    pub listen: SocketAddr,
    /// Another registry's base URL.
    pub url: Option<String>,
    /// Its user.
    pub user: Option<String>,
    /// Its password.
    pub password: Option<Secret>,
    /// The stage that it is for; without one, all.
    pub stage: Option<Stage>,
    /// PEM file of the authorities that may sign its certificate.
    pub ca: Option<String>,
    /// Whether somebody else has to agree to a promotion into it; `None`: where it is for production.
    pub approve: Option<bool>,
    /// Whether what is promoted into it has to run in the stage before.
    pub must_run: bool,
    /// Compressed MiB that an image may have that is promoted into it; 0: any number.
    pub max_mib: u64,
    /// Whether what is promoted into it holds no private keys and no shell history.
    pub clean: bool,
    /// Versions that a team's repositories may have; 0: any number.
    pub team_versions: u64,
    /// Compressed MiB that a team's images may have; 0: any number.
    pub team_mib: u64,
    /// Between two looks at all of every registry.
    pub look: Duration,
    /// The folder of another registry's files, if Padis reaches them.
    pub storage: Option<String>,
    /// What is younger stays when the bytes of a registry are freed that nothing names.
    pub collect_young: Duration,
    /// Other registries.
    pub others: Vec<OtherRegistry>,
}
impl Registry {
    pub(super) fn read(r: &mut Reader) -> Self {
        let this = Self {
            child: r.get("registry.child", true, BOOL, "run docker-registry as a child"),
            listen: r.get("registry.listen", loopback(5000), ADDRESS, "where the child listens"),
            url: r.maybe("registry.url", "another registry's address, when registry.child is false"),
            user: r.maybe("registry.user", "its user"),
            password: r.secret("registry.password", "its password"),
            stage: r.choice(
                "registry.stage",
                "all",
                &[("all", None), ("dev", Some(Stage::Dev)), ("test", Some(Stage::Test)), ("prod", Some(Stage::Prod))],
                None,
                "the stage that it is for: all, dev, test or prod",
            ),
            ca: r.maybe("registry.ca", "PEM file of the authorities that may sign its certificate"),
            approve: r.choice(
                "registry.approve",
                "auto",
                &[("auto", None), ("true", Some(true)), ("false", Some(false))],
                None,
                "whether somebody else agrees to promotions into it: auto (where it is for production), true or false",
            ),
            must_run: r.get(
                "registry.must_run",
                false,
                BOOL,
                "what is promoted into it has to run in the stage before",
            ),
            max_mib: r.within("registry.max_mib", 0, 0..=1 << 30, "MiB of an image that is promoted into it; 0: any"),
            clean: r.get(
                "registry.clean",
                false,
                BOOL,
                "what is promoted into it holds no private keys and no shell history",
            ),
            team_versions: r.within("registry.team_versions", 0, 0..=1 << 30, "versions that a team may keep in it; 0: any"),
            team_mib: r.within("registry.team_mib", 0, 0..=1 << 40, "MiB that a team's images may have in it; 0: any"),
            look: Duration::from_secs(r.within(
                "registry.look_s",
                600,
                5..=86_400,
                "seconds between two looks at all of every registry",
            )),
            storage: r.maybe(
                "registry.storage",
                "folder of the other registry's files (its storage.filesystem.rootdirectory) as Padis reaches it, to free bytes in it",
            ),
            collect_young: Duration::from_secs(r.within(
                "registry.collect_young_s",
                7_200,
                0..=2_592_000,
                "seconds for which a layer stays that no image names (yet) when the bytes of a registry are freed",
            )),
            others: r.tables(
                "registries",
                Vec::new(),
                "other registries: name, url, stage, writable, approve, must_run, max_mib, clean, team_versions, team_mib, user, password, ca, token, storage",
            ),
        };
        if this.child && this.storage.is_some() {
            let why = "registry.storage is another registry's: where our own child keeps its files is known";
            r.blame("registry.storage", why);
        }
        let relative = |storage: &Option<String>| storage.as_ref().is_some_and(|s| !s.starts_with('/'));
        if relative(&this.storage) {
            r.blame("registry.storage", "registry.storage needs a whole path (/…)");
        }
        let mut names = BTreeSet::from([OWN_REGISTRY]);
        for other in &this.others {
            if check_name(&other.name).is_err() {
                r.blame("registries", &format!("registries: {:?} is not a name (a-z, 0-9, -)", other.name));
            } else if !names.insert(&other.name) {
                r.blame("registries", &format!("registries: the name {} is taken", other.name));
            }
            let plain = other.url.starts_with("http://") || other.url.starts_with("https://");
            if !plain || other.url.contains('@') {
                let why = "needs an address of the form https://host:port (an account goes into user and password)";
                r.blame("registries", &format!("registries: {} {why}", other.name));
            }
            if relative(&other.storage) {
                r.blame("registries", &format!("registries: the storage of {} needs a whole path (/…)", other.name));
            }
            if other.password.is_some() != other.user.is_some() {
                r.blame("registries", &format!("registries: {} needs user and password, or neither", other.name));
            }
        }
        this
    }
    /// What has to hold before an image is promoted into it.
    pub fn rules(&self) -> Rules {
        let team = (self.team_versions, self.team_mib);
        rules(self.stage, self.approve, (self.must_run, self.clean), self.max_mib, team)
    }
    /// The registry's base URL.
    pub fn base(&self) -> String {
        match (&self.url, self.child) {
            (Some(url), false) => url.clone(),
            _ => format!("http://{}", self.listen),
        }
    }
}

fn rules(
    stage: Option<Stage>,
    approve: Option<bool>,
    (must_run, clean): (bool, bool),
    max_mib: u64,
    (team_versions, team_mib): (u64, u64),
) -> Rules {
    let bytes = |mib: u64| mib.saturating_mul(1 << 20);
    Rules {
        approve: approve.unwrap_or(stage == Some(Stage::Prod)),
        must_run,
        clean,
        most_bytes: (max_mib > 0).then(|| bytes(max_mib)),
        team_versions,
        team_bytes: bytes(team_mib),
    }
}

/// Another registry, from which (and, if it is writable, into which) images are copied.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OtherRegistry {
    /// Name, unique.
    pub name: String,
    /// Its base URL.
    pub url: String,
    /// The stage that it is for; without one, all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stage: Option<Stage>,
    /// Whether images may be put into it.
    #[serde(default)]
    pub writable: bool,
    /// Whether somebody else has to agree to a promotion into it; without, where it is for production.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub approve: Option<bool>,
    /// Whether what is promoted into it has to run in the stage before.
    #[serde(default)]
    pub must_run: bool,
    /// Compressed MiB that an image may have that is promoted into it; 0: any number.
    #[serde(default)]
    pub max_mib: u64,
    /// Whether what is promoted into it holds no private keys and no shell history.
    #[serde(default)]
    pub clean: bool,
    /// Versions that a team's repositories may have; 0: any number.
    #[serde(default)]
    pub team_versions: u64,
    /// Compressed MiB that a team's images may have; 0: any number.
    #[serde(default)]
    pub team_mib: u64,
    /// Its user.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    /// Its password.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub password: Option<Secret>,
    /// PEM file of the authorities that may sign its certificate.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ca: Option<String>,
    /// What it shows (`Authorization: Bearer …`) when it tells `/hooks/registries/NAME` that
    /// something has changed; without one it does not tell.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token: Option<Secret>,
    /// The folder of its files (its `storage.filesystem.rootdirectory`), if Padis reaches them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub storage: Option<String>,
}

impl OtherRegistry {
    /// What has to hold before an image is promoted into it.
    pub fn rules(&self) -> Rules {
        let team = (self.team_versions, self.team_mib);
        rules(self.stage, self.approve, (self.must_run, self.clean), self.max_mib, team)
    }
}
