//! The documents of an archive, as far as they are read and written: OCI image layouts and
//! what `docker save` adds.
//!
//! Read tolerantly where other tools write loosely (`null` for a list, no media type), and
//! written in one order, so that the same image gives the same bytes.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Media types (OCI image specification 1.1, Docker's schema 2).
pub const OCI_MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
/// Docker's manifest, configuration, layer.
pub const MANIFEST: &str = "application/vnd.docker.distribution.manifest.v2+json";
/// See [`MANIFEST`].
pub const CONFIG: &str = "application/vnd.docker.container.image.v1+json";
/// See [`MANIFEST`].
pub const LAYER: &str = "application/vnd.docker.image.rootfs.diff.tar.gzip";
const OCI_INDEX: &str = "application/vnd.oci.image.index.v1+json";
const LIST: &str = "application/vnd.docker.distribution.manifest.list.v2+json";
const OCI_CONFIG: &str = "application/vnd.oci.image.config.v1+json";
/// Layers that are not packed, and what they are when they have been.
const PLAIN: [(&str, &str); 2] = [
    ("application/vnd.oci.image.layer.v1.tar", "application/vnd.oci.image.layer.v1.tar+gzip"),
    ("application/vnd.docker.image.rootfs.diff.tar", LAYER),
];

/// The tag of an image, and its whole name.
pub const REF_NAME: &str = "org.opencontainers.image.ref.name";
/// See [`REF_NAME`]; containerd and Docker write and read it.
pub const IMAGE_NAME: &str = "io.containerd.image.name";

/// What a manifest names.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Descriptor {
    #[serde(default)]
    pub media_type: String,
    pub digest: String,
    pub size: u64,
    pub platform: Option<Platform>,
    pub annotations: Option<BTreeMap<String, String>>,
    pub urls: Option<Vec<String>>,
}

impl Descriptor {
    /// Whether it is a manifest of several images.
    pub fn is_index(&self) -> bool {
        matches!(self.media_type.as_str(), OCI_INDEX | LIST)
    }
    /// Whether it is a manifest at all.
    pub fn is_manifest(&self) -> bool {
        self.is_index() || matches!(self.media_type.as_str(), OCI_MANIFEST | MANIFEST)
    }
    /// Whether it is an image's configuration.
    pub fn is_config(&self) -> bool {
        matches!(self.media_type.as_str(), OCI_CONFIG | CONFIG | "")
    }
    /// What it is once it is packed, if it is a layer that is not.
    pub fn packed(&self) -> Option<&'static str> {
        PLAIN.iter().find(|(plain, _)| *plain == self.media_type).map(|(_, packed)| *packed)
    }
    /// Whether its bytes are kept elsewhere.
    pub fn is_foreign(&self) -> bool {
        self.urls.as_ref().is_some_and(|u| !u.is_empty())
            || self.media_type.contains(".foreign.")
            || self.media_type.contains(".nondistributable.")
    }
    /// An annotation.
    pub fn annotation(&self, name: &str) -> Option<&str> {
        self.annotations.as_ref()?.get(name).map(String::as_str).filter(|v| !v.is_empty())
    }
}

/// Where an image runs.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct Platform {
    pub os: Option<String>,
    pub architecture: Option<String>,
    pub variant: Option<String>,
}

impl Platform {
    /// `linux/arm/v7`; `None` of what is no image (`unknown/unknown`: an attestation).
    pub fn name(&self) -> Option<String> {
        let text = |t: &Option<String>| t.clone().filter(|t| !t.is_empty() && t != "unknown");
        let variant = text(&self.variant).map(|v| format!("/{v}")).unwrap_or_default();
        Some(format!("{}/{}{variant}", text(&self.os)?, text(&self.architecture)?))
    }
    /// Whether hosts here run it.
    pub fn runs_here(&self) -> bool {
        let text = |t: &Option<String>| t.clone().unwrap_or_default();
        padis_domain::ports::runs_here(&text(&self.os), &text(&self.architecture))
    }
}

/// A manifest, or an index of several.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Document {
    #[serde(default)]
    pub media_type: String,
    pub config: Option<Descriptor>,
    pub layers: Option<Vec<Descriptor>>,
    pub manifests: Option<Vec<Descriptor>>,
}

impl Document {
    /// From the bottom up.
    pub fn layers(&self) -> &[Descriptor] {
        self.layers.as_deref().unwrap_or_default()
    }
    /// Of an index.
    pub fn manifests(&self) -> &[Descriptor] {
        self.manifests.as_deref().unwrap_or_default()
    }
}

/// A configuration: its platform, and the digests of its layers before they were packed.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct Configuration {
    #[serde(flatten)]
    pub platform: Platform,
    #[serde(default)]
    pub rootfs: RootFs,
}

/// See [`Configuration`].
#[derive(Debug, Clone, Default, Deserialize)]
pub struct RootFs {
    pub diff_ids: Option<Vec<String>>,
}

/// One image in `manifest.json`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Saved {
    /// Path of its configuration.
    pub config: String,
    /// Names.
    pub repo_tags: Option<Vec<String>>,
    /// Paths of its layers, from the bottom up.
    pub layers: Option<Vec<String>>,
}

/// Where a blob is in a layout; `None`: it is no digest.
pub fn blob_path(digest: &str) -> Option<String> {
    let (kind, hex) = digest.split_once(':')?;
    let length = match kind {
        "sha256" => 64,
        "sha512" => 128,
        _ => return None,
    };
    let sound = hex.len() == length && hex.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
    sound.then(|| format!("blobs/{kind}/{hex}"))
}
