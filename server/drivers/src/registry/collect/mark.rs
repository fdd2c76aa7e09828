//! What manifests name.
//!
//! One could get it wrong by reading only the manifests that one understands: of what is
//! garbage, too large, gone, or of a kind that nobody knows yet, every digest that stands in
//! its bytes is taken for named, and beside that the repository keeps all its layers, since a
//! registry takes no manifest whose layers the repository does not have.

use super::layout::{Hash, Layout, hash_of};
use serde_json::Value;
use sha2::{Digest, Sha256};
use std::collections::HashSet;
use std::io::{self, Read};

/// The largest manifest that a registry takes, in bytes (`maxManifestBodySize` in
/// distribution's registry/handlers/manifests.go; the specification wants as much).
const LARGEST: u64 = 4 << 20;
/// Manifests that can't be read and are told by name.
const TOLD: usize = 20;

/// What was found to be named.
#[derive(Default)]
pub(super) struct Marks {
    /// Digests that something names, manifests included.
    pub named: HashSet<Hash>,
    /// Manifests that were read and understood.
    read: HashSet<Hash>,
    /// Repositories that keep all their layers.
    pub unclear: HashSet<String>,
    /// Manifests because of which, the first few.
    pub unreadable: Vec<String>,
}

/// What a manifest names.
struct Manifest {
    names: Vec<Hash>,
    /// Of those, manifests again.
    manifests: Vec<Hash>,
}

/// A manifest that is none, with the digests in its bytes; of one that is not there, none.
struct Unclear {
    names: Vec<Hash>,
    there: bool,
}

impl Marks {
    /// Reads one manifest of a repository and what it names.
    pub(super) fn read(&mut self, layout: &Layout, repository: &str, kind: &str, hex: &str) {
        let own = (kind == "sha256").then(|| hash_of(hex)).flatten();
        let whole = match own {
            Some(hash) => self.below(layout, hash),
            None => match other(layout, kind, hex) {
                Ok(manifest) => {
                    self.named.extend(&manifest.names);
                    self.children(layout, manifest.manifests)
                }
                Err(unclear) => {
                    self.named.extend(unclear.names);
                    false
                }
            },
        };
        if !whole {
            self.unclear.insert(repository.to_owned());
            let told = format!("{repository}@{kind}:{hex}");
            if self.unreadable.len() < TOLD && !self.unreadable.contains(&told) {
                self.unreadable.push(told);
            }
        }
    }

    /// Whether it was read, and understood, before.
    pub(super) fn knows(&self, kind: &str, hex: &str) -> bool {
        kind == "sha256" && hash_of(hex).is_some_and(|hash| self.read.contains(&hash))
    }

    /// Whether a manifest of a repository, and all below it, is understood.
    fn below(&mut self, layout: &Layout, hash: Hash) -> bool {
        self.named.insert(hash);
        if self.read.contains(&hash) {
            return true;
        }
        match manifest(layout, &hash) {
            Ok(manifest) => {
                self.named.extend(&manifest.names);
                let whole = self.children(layout, manifest.manifests);
                if whole {
                    self.read.insert(hash);
                }
                whole
            }
            Err(unclear) => {
                self.named.extend(unclear.names);
                false
            }
        }
    }

    /// The same for those that another names, and all below them, without recursion: a chain
    /// of them is as long as somebody likes. One may not be there (of several platforms some).
    fn children(&mut self, layout: &Layout, mut open: Vec<Hash>) -> bool {
        let (mut seen, mut whole) = (HashSet::new(), true);
        while let Some(hash) = open.pop() {
            self.named.insert(hash);
            if self.read.contains(&hash) || !seen.insert(hash) {
                continue;
            }
            match manifest(layout, &hash) {
                Ok(manifest) => {
                    self.named.extend(&manifest.names);
                    open.extend(manifest.manifests);
                }
                Err(unclear) => {
                    self.named.extend(unclear.names);
                    whole &= !unclear.there;
                }
            }
        }
        whole
    }
}

/// A manifest where it belongs, or where it was put aside.
fn manifest(layout: &Layout, hash: &Hash) -> Result<Manifest, Unclear> {
    let bytes = match bytes(layout, &layout.blob(hash)) {
        Err(e) if e.kind() == io::ErrorKind::NotFound => bytes(layout, &layout.aside_of(hash)),
        other => other,
    };
    let bytes = bytes.map_err(|e| Unclear { names: Vec::new(), there: e.kind() != io::ErrorKind::NotFound })?;
    if Sha256::digest(&bytes).as_slice() != hash {
        return Err(Unclear { names: scan(&bytes), there: true });
    }
    parse(&bytes)
}

/// One with another kind of digest, which is not compared: what it names counts anyway.
fn other(layout: &Layout, kind: &str, hex: &str) -> Result<Manifest, Unclear> {
    let nothing = || Unclear { names: Vec::new(), there: true };
    let path = layout.other_blob(kind, hex).ok_or_else(nothing)?;
    parse(&bytes(layout, &path).map_err(|_| nothing())?)
}

fn bytes(layout: &Layout, path: &std::path::Path) -> io::Result<Vec<u8>> {
    let file = layout.open_file(path)?;
    if !file.metadata()?.is_file() {
        return Err(io::Error::other("no file"));
    }
    let mut out = Vec::new();
    file.take(LARGEST + 1).read_to_end(&mut out)?;
    if out.len() as u64 > LARGEST {
        return Err(io::Error::other("larger than a manifest"));
    }
    Ok(out)
}

/// Every digest in some bytes, whatever they are.
fn scan(bytes: &[u8]) -> Vec<Hash> {
    const KIND: &[u8] = b"sha256:";
    let mut out = Vec::new();
    let mut rest = bytes;
    while let Some(at) = rest.windows(KIND.len()).position(|w| w == KIND) {
        rest = &rest[at + KIND.len()..];
        out.extend(rest.get(..64).and_then(|hex| std::str::from_utf8(hex).ok()).and_then(hash_of));
    }
    out
}

fn parse(bytes: &[u8]) -> Result<Manifest, Unclear> {
    let unclear = || Unclear { names: scan(bytes), there: true };
    let value: Value = serde_json::from_slice(bytes).map_err(|_| unclear())?;
    let list = |name: &str| value.get(name).and_then(Value::as_array);
    // An image (Docker's and OCI's), an index, an artefact, an image of the first schema.
    let known = (value.get("config").is_some_and(Value::is_object) && list("layers").is_some())
        || ["manifests", "blobs", "fsLayers"].iter().any(|name| list(name).is_some());
    let mut names = scan(bytes);
    // A digest may be written with JSON's escapes.
    strings(&value, &mut |text| names.extend(scan(text.as_bytes())));
    if !known {
        return Err(Unclear { names, there: true });
    }
    let digest = |v: &Value| hash_of(v.get("digest")?.as_str()?.strip_prefix("sha256:")?);
    let children = list("manifests").into_iter().flatten().filter_map(digest);
    let manifests = children.chain(value.get("subject").and_then(digest)).collect();
    Ok(Manifest { names, manifests })
}

/// Every string in a value; the parser lets none be deeper than 128.
fn strings(value: &Value, each: &mut dyn FnMut(&str)) {
    match value {
        Value::String(text) => each(text),
        Value::Array(all) => all.iter().for_each(|v| strings(v, each)),
        Value::Object(all) => all.iter().for_each(|(name, v)| {
            each(name);
            strings(v, each);
        }),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::super::layout::hex;
    use super::*;

    #[test]
    fn every_digest_is_found_however_it_is_written() {
        let (a, b) = ("a".repeat(64), "b".repeat(64));
        let all = |bytes: &[u8]| -> Vec<String> { scan(bytes).iter().map(hex).collect() };
        assert_eq!(all(format!("\u{1}sha256:{a}sha256:{b} sha256:short sha256:").as_bytes()), [a.clone(), b.clone()]);
        let escaped = format!(r#"{{"fsLayers":[{{"blobSum":"\u0073ha256:{a}"}}],"sha256:{b}":1}}"#);
        let Ok(manifest) = parse(escaped.as_bytes()) else { panic!("an image of the first schema") };
        assert!(manifest.names.contains(&hash_of(&a).unwrap()) && manifest.names.contains(&hash_of(&b).unwrap()));
        let unknown = format!(r#"{{"things":["sha256:{a}"]}}"#);
        let Err(unclear) = parse(unknown.as_bytes()) else { panic!("of no known kind") };
        assert_eq!(unclear.names.iter().map(hex).next(), Some(a));
        assert_eq!(hash_of(&"A".repeat(64)), None);
    }
}
