//! What is brought to a registry in memory, byte by byte.
//!
//! As a real one it takes no manifest whose blobs or manifests it does not have. One could
//! get it wrong by believing what the manifest is called: its digest is computed.

use super::registry::{FakeRegistry, Held, digest_of};
use super::transfer::refused;
use padis_domain::ports::{CopyBlob, CopyTo, Image, ImageStep, ManifestBytes, PortResult, runs_here};
use serde_json::Value;

/// Keeps a blob.
pub(super) fn blob(target: &FakeRegistry, key: (String, String), bytes: u64, all: Vec<u8>) -> PortResult<()> {
    if all.len() as u64 != bytes || digest_of(&all) != key.1 {
        return Err(refused(format!("the source's bytes are not those of {}", key.1)));
    }
    target.with(|s| {
        s.bytes.insert(key.1.clone(), all);
        s.blobs.insert(key);
    });
    Ok(())
}

fn text(v: &Value, name: &str) -> String {
    v[name].as_str().unwrap_or_default().to_owned()
}

fn blobs(v: &Value) -> Vec<CopyBlob> {
    let layers = v["layers"].as_array().into_iter().flatten();
    let all = v.get("config").into_iter().chain(layers);
    all.map(|b| CopyBlob { digest: text(b, "digest"), bytes: b["size"].as_u64().unwrap_or_default() }).collect()
}

/// Keeps a manifest, by its digest or under the tag, too.
pub(super) fn manifest(target: &FakeRegistry, to: &CopyTo, m: &ManifestBytes, tagged: bool) -> PortResult<()> {
    if digest_of(&m.bytes) != m.digest {
        return Err(refused(format!("the target has made another manifest of {}", m.digest)));
    }
    let v: Value = serde_json::from_slice(&m.bytes).map_err(|_| refused("these bytes are no manifest".to_owned()))?;
    let at = |digest: &str| (to.repository.clone(), digest.to_owned());
    let (blobs, named) = (blobs(&v), v["manifests"].as_array().into_iter().flatten());
    let named: Vec<String> = named.map(|e| text(e, "digest")).collect();
    target.with(|s| {
        let lost = blobs.iter().map(|b| &b.digest).find(|d| !s.blobs.contains(&at(d)));
        if let Some(lost) = lost.or_else(|| named.iter().find(|d| s.manifest(&to.repository, d).is_none())) {
            return Err(refused(format!("the target does not take this image's manifest: {lost} is not there")));
        }
        let children: Vec<Image> =
            named.iter().filter_map(|d| s.manifest(&to.repository, d)).map(|h| h.image.clone()).collect();
        let config = blobs.first().and_then(|b| s.bytes.get(&b.digest)).and_then(|b| serde_json::from_slice(b).ok());
        let own = image(&config.unwrap_or_default(), blobs.get(1..).unwrap_or_default());
        let chosen = children.iter().find(|c| c.runs_here).or(children.first()).cloned();
        let platforms = children.iter().flat_map(|c| c.platforms.clone()).collect::<Vec<_>>();
        let mut image = chosen.map_or(own, |c| Image { platforms, ..c });
        (image.digest, image.media_type) = (m.digest.clone(), m.media_type.clone());
        let held = Held { image, stack: None, blobs, bytes: Some((m.bytes.clone(), named)) };
        if tagged {
            s.put(&to.repository, &to.tag, held);
        } else {
            s.manifests.insert(at(&m.digest), held);
        }
        Ok(())
    })
}

fn image(config: &Value, layers: &[CopyBlob]) -> Image {
    let (os, architecture) = (text(config, "os"), text(config, "architecture"));
    let labels = config["config"]["Labels"].as_object().into_iter().flatten();
    let step = |b: &CopyBlob| ImageStep { layer: Some((b.digest.clone(), b.bytes)), ..ImageStep::default() };
    Image {
        platforms: if os.is_empty() { Vec::new() } else { vec![format!("{os}/{architecture}")] },
        runs_here: runs_here(&os, &architecture),
        bytes: layers.iter().map(|b| b.bytes).sum(),
        created: text(config, "created"),
        labels: labels.map(|(k, v)| (k.clone(), v.as_str().unwrap_or_default().to_owned())).collect(),
        steps: layers.iter().map(step).collect(),
        ..Image::default()
    }
}
