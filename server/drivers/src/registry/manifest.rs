//! The documents of a registry, as far as they are read: Docker's schema 2, OCI,
//! and the lists of both.

use serde::Deserialize;
use std::collections::BTreeMap;

/// The forms of a manifest that are understood.
pub(super) const MANIFEST_TYPES: &[&str] = &[
    "application/vnd.oci.image.manifest.v1+json",
    "application/vnd.oci.image.index.v1+json",
    "application/vnd.docker.distribution.manifest.v2+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
];

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
pub(super) struct Manifest {
    pub config: Option<Blob>,
    #[serde(default)]
    pub layers: Vec<Blob>,
    pub manifests: Option<Vec<Entry>>,
}

#[derive(Deserialize)]
pub(super) struct Blob {
    pub digest: String,
    #[serde(default)]
    pub size: u64,
}

#[derive(Deserialize)]
pub(super) struct Entry {
    pub digest: String,
    platform: Option<Platform>,
}

#[derive(Deserialize)]
struct Platform {
    architecture: String,
    os: String,
}

impl Entry {
    /// Linux on this machine's processor, in Go's name for it.
    pub(super) fn runs_here(&self) -> bool {
        let here = match std::env::consts::ARCH {
            "x86_64" => "amd64",
            "aarch64" => "arm64",
            other => other,
        };
        self.platform.as_ref().is_some_and(|p| p.os == "linux" && p.architecture == here)
    }
}

#[derive(Deserialize)]
pub(super) struct ImageConfig {
    pub created: Option<String>,
    pub config: Option<Inner>,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "PascalCase", default)]
pub(super) struct Inner {
    pub labels: Option<BTreeMap<String, String>>,
}
