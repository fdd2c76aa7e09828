//! What has to go into the registry for one image of an archive: manifests, what others name
//! first, and the blobs that they name.
//!
//! A layer that is not packed goes in packed, so its digest and its manifest's change; all
//! that is kept packed keeps its digest, and so does the whole. One could get it wrong by
//! believing `manifest.json` about a layer's digest: it names files; what they have to be
//! stands in the configuration.

use super::Stop;
use super::choose::Form;
use super::index::{Index, Part, broken, short};
use super::pack::sha256;
use super::words::{CONFIG, Configuration, Descriptor, Document, MANIFEST, OCI_MANIFEST, Saved, blob_path};
use padis_domain::view::ArchiveFault;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// Manifests of one image, and the bytes of them all.
const MAX_NODES: u64 = 500;
const MAX_BYTES: usize = 16 << 20;
/// The type of a layer that `manifest.json` names, until it is packed.
const PLAIN_LAYER: &str = "application/vnd.docker.image.rootfs.diff.tar";

/// How a blob goes into the registry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum How {
    /// As it is.
    Kept,
    /// Packed by gzip.
    Packed,
    /// The digest is that of its bytes when they are not packed; here they may be.
    Either,
}

/// One blob.
#[derive(Debug, Clone)]
pub(super) struct Blob {
    /// As its manifest calls it.
    pub digest: String,
    /// Its path, for people.
    pub name: String,
    pub part: Part,
    pub how: How,
}

/// One manifest as it stands in the archive, or as it is made.
#[derive(Debug)]
pub(super) struct Node {
    pub digest: String,
    pub media_type: String,
    pub bytes: Vec<u8>,
    pub value: Value,
}

/// All of it.
#[derive(Debug)]
pub struct Plan {
    pub(super) index: Index,
    pub(super) blobs: Vec<Blob>,
    /// The one that the tag names is the last.
    pub(super) nodes: Vec<Node>,
    /// `linux/amd64`, as the configurations say.
    pub platforms: Vec<String>,
    /// Whether hosts here run it.
    pub runs_here: bool,
}

impl Plan {
    pub(super) fn of(index: Index, form: Form) -> Result<Self, Stop> {
        let mut plan = Self { index, blobs: Vec::new(), nodes: Vec::new(), platforms: Vec::new(), runs_here: false };
        match form {
            Form::Layout(top) => plan.layout(top)?,
            Form::Saved(saved) => plan.saved(&saved)?,
        }
        Ok(plan)
    }

    /// Bytes of all blobs.
    pub fn bytes(&self) -> u64 {
        self.blobs.iter().map(|b| b.part.bytes).sum()
    }

    fn layout(&mut self, top: Descriptor) -> Result<(), Stop> {
        // Found from the top down, each once; turned round, children come first.
        let (mut waiting, mut bytes, mut met) = (vec![top], 0, 0);
        while let Some(d) = waiting.pop() {
            let (node, document) = self.node(&d)?;
            (bytes, met) = (bytes + node.bytes.len(), met + 1);
            if met > MAX_NODES || bytes > MAX_BYTES {
                return Err(ArchiveFault::TooMany { limit: MAX_NODES }.into());
            }
            for child in document.manifests() {
                waiting.push(child.clone());
            }
            if let Some(config) = &document.config {
                let name = self.blob(config, How::Kept)?;
                if config.is_config() {
                    let read: Option<Configuration> = serde_json::from_slice(&self.index.document(&name)?).ok();
                    self.runs(&read.ok_or_else(|| broken(&name))?);
                }
            }
            for layer in document.layers() {
                if layer.is_foreign() {
                    return Err(ArchiveFault::Foreign.into());
                }
                self.blob(layer, if layer.packed().is_some() { How::Packed } else { How::Kept })?;
            }
            // Named twice, at different depths: it has to come before both.
            self.nodes.retain(|n| n.digest != node.digest);
            self.nodes.push(node);
        }
        self.nodes.reverse();
        Ok(())
    }

    fn node(&self, d: &Descriptor) -> Result<(Node, Document), Stop> {
        let path = blob_path(&d.digest).ok_or_else(|| broken(&d.digest))?;
        let bytes = self.index.document(&path)?;
        if !super::pack::is(&bytes, &d.digest) {
            return Err(ArchiveFault::Differs { name: path }.into());
        }
        let value: Value = serde_json::from_slice(&bytes).map_err(|_| broken(&path))?;
        let document: Document = serde_json::from_slice(&bytes).map_err(|_| broken(&path))?;
        if document.config.is_none() && document.layers.is_none() && document.manifests.is_none() {
            return Err(broken(&path));
        }
        let told = [&d.media_type, &document.media_type].into_iter().find(|t| !t.is_empty());
        let media_type = told.map_or(OCI_MANIFEST, String::as_str).to_owned();
        Ok((Node { digest: d.digest.clone(), media_type, bytes, value }, document))
    }

    /// Notes a blob; gives its path.
    fn blob(&mut self, d: &Descriptor, how: How) -> Result<String, Stop> {
        let path = blob_path(&d.digest).ok_or_else(|| broken(&d.digest))?;
        let part = self.index.part(&path)?;
        if part.bytes != d.size {
            return Err(ArchiveFault::Differs { name: path }.into());
        }
        self.add(Blob { digest: d.digest.clone(), name: path.clone(), part, how });
        Ok(path)
    }

    fn add(&mut self, blob: Blob) {
        if !self.blobs.iter().any(|b| b.digest == blob.digest) {
            self.blobs.push(blob);
        }
    }

    fn runs(&mut self, config: &Configuration) {
        self.runs_here |= config.platform.runs_here();
        if let Some(name) = config.platform.name().map(|n| short(&n)).filter(|n| !self.platforms.contains(n)) {
            self.platforms.push(name);
        }
    }

    fn saved(&mut self, saved: &Saved) -> Result<(), Stop> {
        let name = &saved.config;
        let bytes = self.index.document(name)?;
        let digest = sha256(&bytes);
        // Docker calls it by its digest.
        let stem = name.rsplit('/').next().unwrap_or_default().trim_end_matches(".json");
        if stem.len() == 64 && stem.bytes().all(|b| b.is_ascii_hexdigit()) && digest != format!("sha256:{stem}") {
            return Err(ArchiveFault::Differs { name: short(name) }.into());
        }
        let config: Configuration = serde_json::from_slice(&bytes).map_err(|_| broken(name))?;
        let (ids, paths) =
            (config.rootfs.diff_ids.clone().unwrap_or_default(), saved.layers.clone().unwrap_or_default());
        if ids.len() != paths.len() || ids.iter().any(|id| blob_path(id).is_none()) {
            return Err(broken(name));
        }
        self.runs(&config);
        let part = self.index.part(name)?;
        self.add(Blob { digest: digest.clone(), name: short(name), part, how: How::Kept });
        let mut layers = Vec::new();
        for (id, path) in ids.into_iter().zip(paths) {
            let part = self.index.part(&path)?;
            layers.push(json!({"mediaType": PLAIN_LAYER, "digest": id, "size": part.bytes}));
            self.add(Blob { digest: id, name: short(&path), part, how: How::Either });
        }
        let value = json!({"schemaVersion": 2, "mediaType": MANIFEST, "layers": layers,
            "config": {"mediaType": CONFIG, "digest": digest, "size": part.bytes}});
        let bytes = serde_json::to_vec(&value).map_err(|_| broken(name))?;
        self.nodes.push(Node { digest: sha256(&bytes), media_type: MANIFEST.to_owned(), bytes, value });
        Ok(())
    }
}

impl Node {
    /// With what its blobs and manifests have become: digest and bytes, by what they were. What
    /// nothing has become of stays byte by byte.
    pub(super) fn with(&self, become_of: &BTreeMap<String, (String, u64)>) -> Result<(String, Vec<u8>), Stop> {
        let mut value = self.value.clone();
        let mut differs = false;
        for list in ["layers", "manifests"] {
            for entry in value.get_mut(list).and_then(Value::as_array_mut).into_iter().flatten() {
                let was = entry["digest"].as_str().unwrap_or_default();
                let Some((digest, bytes)) = become_of.get(was) else { continue };
                differs = true;
                entry["digest"] = json!(digest);
                entry["size"] = json!(bytes);
                let read: Option<Descriptor> = serde_json::from_value(entry.clone()).ok();
                if let Some(packed) = read.and_then(|d| d.packed()) {
                    entry["mediaType"] = json!(packed);
                }
            }
        }
        if !differs {
            return Ok((self.digest.clone(), self.bytes.clone()));
        }
        let bytes = serde_json::to_vec(&value).map_err(|_| broken(&self.digest))?;
        Ok((sha256(&bytes), bytes))
    }
}
