//! The documents of a registry, as far as they are read: Docker's schema 2, OCI,
//! and the lists of both.
//!
//! Structs of our own and not the crate `oci-spec`: registries keep what was pushed ten
//! years ago, and it is shown as it is there: an entry point that is one string, `null`
//! for an empty list, no `mediaType`, no history. A strict reader would say "broken" of
//! an image that every engine runs. One could get it wrong the other way round, by being
//! tolerant of a missing digest or size when bytes are copied by them: see `transfer`.

use serde::{Deserialize, Deserializer};
use std::collections::BTreeMap;

/// The forms of a manifest that are understood.
pub(super) const MANIFEST_TYPES: &[&str] = &[
    "application/vnd.oci.image.manifest.v1+json",
    "application/vnd.oci.image.index.v1+json",
    "application/vnd.docker.distribution.manifest.v2+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
];

/// Configurations of images; other kinds are a chart's, a signature's, a module's.
const CONFIG_TYPES: &[&str] =
    &["application/vnd.oci.image.config.v1+json", "application/vnd.docker.container.image.v1+json", ""];

#[derive(Deserialize)]
pub(super) struct Catalog {
    pub repositories: Option<Vec<String>>,
}

/// `tags` is `null` once the last tag is deleted.
#[derive(Deserialize)]
pub(super) struct Tags {
    pub tags: Option<Vec<String>>,
}

/// An image's manifest (`config`, `layers`) or a list of them (`manifests`).
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Manifest {
    pub schema_version: u32,
    pub media_type: Option<String>,
    pub config: Option<Blob>,
    pub layers: Option<Vec<Blob>>,
    pub manifests: Option<Vec<Entry>>,
}

impl Manifest {
    /// Layers from the bottom up.
    pub(super) fn layers(&self) -> &[Blob] {
        self.layers.as_deref().unwrap_or_default()
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Blob {
    pub digest: String,
    pub size: Option<u64>,
    #[serde(default)]
    pub media_type: String,
    /// Where a foreign layer is fetched from.
    pub urls: Option<Vec<String>>,
}

impl Blob {
    /// Whether it is an image's configuration.
    pub(super) fn configures_an_image(&self) -> bool {
        CONFIG_TYPES.contains(&self.media_type.as_str())
    }

    /// Whether its maker lets registries not keep it.
    pub(super) fn is_foreign(&self) -> bool {
        self.urls.as_ref().is_some_and(|u| !u.is_empty())
            || self.media_type.contains(".foreign.")
            || self.media_type.contains(".nondistributable.")
    }
}

#[derive(Deserialize)]
pub(super) struct Entry {
    pub digest: String,
    pub platform: Option<Platform>,
}

#[derive(Deserialize, Default, Clone)]
#[serde(default)]
pub(super) struct Platform {
    pub architecture: String,
    pub os: String,
    pub variant: Option<String>,
}

impl Platform {
    /// Linux on this machine's processor, in Go's name for it.
    pub(super) fn runs_here(&self) -> bool {
        padis_domain::ports::runs_here(&self.os, &self.architecture)
    }

    /// `linux/arm/v7`. `None` for no platform at all: an attestation beside an image
    /// (`unknown/unknown`), a signature (both empty).
    pub(super) fn name(&self) -> Option<String> {
        let nothing = |t: &str| t.is_empty() || t == "unknown";
        if nothing(&self.os) && nothing(&self.architecture) {
            return None;
        }
        let variant = self.variant.as_deref().filter(|v| !v.is_empty()).map(|v| format!("/{v}")).unwrap_or_default();
        Some(format!("{}/{}{variant}", self.os, self.architecture))
    }
}

#[derive(Deserialize, Default)]
pub(super) struct ImageConfig {
    #[serde(flatten)]
    pub platform: Platform,
    pub created: Option<String>,
    pub author: Option<String>,
    pub config: Option<Inner>,
    pub history: Option<Vec<History>>,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "PascalCase", default)]
pub(super) struct Inner {
    pub labels: Option<BTreeMap<String, String>>,
    pub user: Option<String>,
    pub working_dir: Option<String>,
    #[serde(deserialize_with = "words")]
    pub entrypoint: Vec<String>,
    #[serde(deserialize_with = "words")]
    pub cmd: Vec<String>,
    pub env: Option<Vec<String>>,
    /// A set, in Go's form of one: a name with an empty object.
    pub exposed_ports: Option<BTreeMap<String, serde::de::IgnoredAny>>,
    pub volumes: Option<BTreeMap<String, serde::de::IgnoredAny>>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct History {
    pub created: Option<String>,
    pub created_by: Option<String>,
    pub comment: Option<String>,
    pub empty_layer: Option<bool>,
}

/// A list, or what early builders wrote: one string, `null`.
fn words<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<String>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Words {
        Many(Vec<String>),
        One(String),
    }
    Ok(match Option::<Words>::deserialize(from)? {
        None => Vec::new(),
        Some(Words::One(one)) => vec![one],
        Some(Words::Many(many)) => many,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_old_builders_wrote_is_read() {
        let old = r#"{"architecture":"arm","os":"linux","variant":"v7","created":null,
            "config":{"Entrypoint":"/run me","Cmd":null,"Env":null,"ExposedPorts":{"80/tcp":{}},"Volumes":null},
            "container_config":{"Cmd":["x"]},"history":null}"#;
        let config: ImageConfig = serde_json::from_str(old).unwrap();
        assert_eq!(config.platform.name().unwrap(), "linux/arm/v7");
        let inner = config.config.unwrap();
        assert_eq!((inner.entrypoint, inner.cmd), (vec!["/run me".to_owned()], vec![]));
        assert_eq!(inner.exposed_ports.unwrap().into_keys().collect::<Vec<_>>(), ["80/tcp"]);
    }

    #[test]
    fn an_attestation_is_no_platform() {
        let of = |os: &str, architecture: &str| {
            Platform { os: os.to_owned(), architecture: architecture.to_owned(), variant: None }.name()
        };
        assert_eq!((of("unknown", "unknown"), of("", "")), (None, None));
        assert_eq!(of("windows", "amd64").as_deref(), Some("windows/amd64"));
    }
}
