//! What one digest names, read from its manifest and configuration.
//!
//! An index is told by the image that hosts here run. One could get it wrong by counting
//! an attestation (a manifest for the platform `unknown/unknown`) among the platforms, or
//! by giving each line of the history a layer: lines that only set something have none.

use super::digest::{Hasher, check, differs};
use super::manifest::{Blob, Entry, ImageConfig, MANIFEST_TYPES, Manifest, Platform};
use super::{RegistryClient, account};
use bytes::Bytes;
use padis_domain::ports::{Image, ImageStep, PortResult};

/// What was found under a digest.
pub(super) enum Found {
    /// Nothing.
    Nothing,
    /// Something that can't be told; why, in plain words.
    Broken(String),
    Image(Box<Image>),
}

impl RegistryClient {
    /// A manifest's exact bytes, compared with its digest, and its media type.
    pub(super) async fn manifest_bytes(
        &self,
        what: &str,
        repository: &str,
        digest: &str,
        scope: &str,
    ) -> PortResult<Option<(Bytes, String)>> {
        let path = format!("/v2/{repository}/manifests/{digest}");
        let Some(document) = self.fetch.document(what, &path, MANIFEST_TYPES, scope).await? else { return Ok(None) };
        check(what, &document.0, digest)?;
        Ok(Some(document))
    }

    pub(super) async fn read_image(&self, repository: &str, digest: &str) -> PortResult<Found> {
        let what = format!("read the image {repository}@{digest}");
        let scope = account::pull(repository);
        let Some((body, kind)) = self.manifest_bytes(&what, repository, digest, &scope).await? else {
            return Ok(Found::Nothing);
        };
        let top = match understood(&body) {
            Ok(top) => top,
            Err(why) => return Ok(Found::Broken(why)),
        };
        let media_type = media_type(&kind, &top);
        let mut image = Image { digest: digest.to_owned(), media_type, ..Image::default() };
        let Some(entries) = &top.manifests else {
            return self.fill(&what, repository, &scope, image, &top, None).await;
        };
        image.platforms = platforms(entries);
        let Some(chosen) = chosen(entries) else { return Ok(Found::Image(Box::new(image))) };
        if Hasher::of(&chosen.digest).is_none() {
            return Ok(Found::Broken("the index names something that is no digest".to_owned()));
        }
        let Some((body, _)) = self.manifest_bytes(&what, repository, &chosen.digest, &scope).await? else {
            return Ok(Found::Broken(format!("the index names {}, which is not there", chosen.digest)));
        };
        match understood(&body) {
            Ok(inner) => self.fill(&what, repository, &scope, image, &inner, chosen.platform.as_ref()).await,
            Err(why) => Ok(Found::Broken(why)),
        }
    }

    /// Everything that manifest and configuration tell; `listed` is the platform by the index.
    async fn fill(
        &self,
        what: &str,
        repository: &str,
        scope: &str,
        mut image: Image,
        manifest: &Manifest,
        listed: Option<&Platform>,
    ) -> PortResult<Found> {
        image.bytes = manifest.layers().iter().filter_map(|l| l.size).sum();
        let Some(blob) = manifest.config.as_ref().filter(|c| c.configures_an_image()) else {
            // A chart, a module: its configuration is none of an image.
            image.steps = steps(manifest.layers(), Vec::new());
            return Ok(Found::Image(Box::new(image)));
        };
        if Hasher::of(&blob.digest).is_none() {
            return Ok(Found::Broken("its configuration's name is no digest".to_owned()));
        }
        let path = format!("/v2/{repository}/blobs/{}", blob.digest);
        let Some(body) = self.fetch.get(what, &path, &[], scope).await? else {
            return Ok(Found::Broken(format!("its configuration {} is not there", blob.digest)));
        };
        if let Some(why) = differs(&body, &blob.digest) {
            return Ok(Found::Broken(format!("its configuration is damaged: {why}")));
        }
        let config: ImageConfig = match serde_json::from_slice(&body) {
            Ok(config) => config,
            Err(e) => return Ok(Found::Broken(format!("its configuration is not understood: {e}"))),
        };
        let own = listed.unwrap_or(&config.platform);
        image.runs_here = own.runs_here();
        if image.platforms.is_empty() {
            image.platforms = own.name().into_iter().collect();
        }
        let inner = config.config.unwrap_or_default();
        image.created = config.created.unwrap_or_default();
        image.author = config.author.unwrap_or_default();
        image.user = inner.user.unwrap_or_default();
        image.working_dir = inner.working_dir.unwrap_or_default();
        (image.entry_point, image.command) = (inner.entrypoint, inner.cmd);
        image.env = inner.env.unwrap_or_default();
        image.ports = inner.exposed_ports.unwrap_or_default().into_keys().collect();
        image.volumes = inner.volumes.unwrap_or_default().into_keys().collect();
        image.labels = inner.labels.unwrap_or_default();
        let history = config.history.unwrap_or_default().into_iter();
        let lines = history.map(|h| {
            let step = ImageStep {
                created: h.created.unwrap_or_default(),
                // Docker's commit says what for, not by which command.
                made_by: h.created_by.filter(|by| !by.is_empty()).or(h.comment).unwrap_or_default(),
                layer: None,
            };
            (step, !h.empty_layer.unwrap_or_default())
        });
        image.steps = steps(manifest.layers(), lines.collect());
        Ok(Found::Image(Box::new(image)))
    }
}

/// A manifest or a list of them; else why not, in plain words.
pub(super) fn understood(body: &[u8]) -> Result<Manifest, String> {
    let manifest: Manifest = serde_json::from_slice(body).map_err(|e| format!("these bytes are no manifest: {e}"))?;
    match manifest.schema_version {
        2 if manifest.manifests.is_some() || manifest.config.is_some() || manifest.layers.is_some() => Ok(manifest),
        1 => Err("this manifest is of the first form (schema 1), which engines no longer take".to_owned()),
        _ => Err("these bytes are no manifest: they name neither layers nor images".to_owned()),
    }
}

/// What the registry says, else what the manifest itself says.
pub(super) fn media_type(told: &str, manifest: &Manifest) -> String {
    match &manifest.media_type {
        _ if MANIFEST_TYPES.contains(&told) => told.to_owned(),
        Some(own) => own.clone(),
        None if manifest.manifests.is_some() => MANIFEST_TYPES[1].to_owned(),
        None => MANIFEST_TYPES[0].to_owned(),
    }
}

fn platforms(entries: &[Entry]) -> Vec<String> {
    let mut out: Vec<String> = Vec::new();
    for name in entries.iter().filter_map(|e| e.platform.as_ref()?.name()) {
        if !out.contains(&name) {
            out.push(name);
        }
    }
    out
}

/// The image that hosts here run, else the first one.
fn chosen(entries: &[Entry]) -> Option<&Entry> {
    // Without a platform it may be any image; with `unknown/unknown` it is none.
    let image = |e: &&Entry| e.platform.as_ref().is_none_or(|p| p.name().is_some());
    let here = |e: &&Entry| e.platform.as_ref().is_some_and(Platform::runs_here);
    entries.iter().find(here).or_else(|| entries.iter().find(image))
}

/// Each line of the history (and whether it added a layer) with its layer; layers that no
/// line tells of come last, without words.
fn steps(layers: &[Blob], history: Vec<(ImageStep, bool)>) -> Vec<ImageStep> {
    let mut left = layers.iter().map(|l| (l.digest.clone(), l.size.unwrap_or_default()));
    let told =
        history.into_iter().map(|(step, adds)| ImageStep { layer: if adds { left.next() } else { None }, ..step });
    let mut steps: Vec<ImageStep> = told.collect();
    steps.extend(left.map(|layer| ImageStep { layer: Some(layer), ..ImageStep::default() }));
    steps
}

#[cfg(test)]
mod tests {
    use super::*;

    fn layer(digest: &str) -> Blob {
        serde_json::from_value(serde_json::json!({"digest": digest, "size": 7})).unwrap()
    }

    #[test]
    fn lines_that_only_set_something_have_no_layer() {
        let line = |words: &str, adds| (ImageStep { made_by: words.to_owned(), ..ImageStep::default() }, adds);
        let layers = [layer("a"), layer("b"), layer("c")];
        let told = steps(&layers, vec![line("ADD", true), line("ENV", false), line("RUN", true)]);
        let told: Vec<_> = told.iter().map(|s| (s.made_by.as_str(), s.layer.as_ref().map(|l| l.0.as_str()))).collect();
        assert_eq!(told, [("ADD", Some("a")), ("ENV", None), ("RUN", Some("b")), ("", Some("c"))]);
        let more = steps(&layers[..1], vec![line("ADD", true), line("RUN", true)]);
        assert_eq!(more[1].layer, None);
    }

    #[test]
    fn what_is_no_manifest_is_told() {
        for (bytes, word) in
            [("<html>", "no manifest"), ("{\"schemaVersion\":1}", "schema 1"), ("{\"schemaVersion\":2}", "neither")]
        {
            let Err(why) = understood(bytes.as_bytes()) else { panic!("understood {bytes}") };
            assert!(why.contains(word), "{why}");
        }
    }
}
