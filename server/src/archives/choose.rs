//! Which image of an archive is meant.
//!
//! An OCI layout goes before `manifest.json` where both are there: it has the manifests as
//! they are, so the digest stays. Docker with containerd names images in it that it has not
//! saved (of other platforms); then `manifest.json` tells the one that is there. One could get
//! it wrong by taking the first of several images because somebody left the tag empty.

use super::index::{Index, broken};
use super::words::{Descriptor, Document, IMAGE_NAME, REF_NAME, Saved, blob_path};
use super::{Plan, Stop};
use padis_domain::view::ArchiveFault;
use std::path::Path;

/// Names that are listed when it is not clear which is meant.
const LISTED: usize = 20;
/// Indexes within indexes.
const DEEP: usize = 4;

/// How an image is described.
pub(super) enum Form {
    /// By a manifest of its own.
    Layout(Descriptor),
    /// By lists of files.
    Saved(Saved),
}

struct Image {
    names: Vec<String>,
    form: Form,
}

/// The image that is meant.
pub struct Chosen {
    /// The tag that it gets.
    pub tag: String,
    /// The name that it has in the archive; may be empty.
    pub named: String,
    /// What is to be done.
    pub plan: Plan,
}

/// Opens an archive and finds the image that is meant: with no `tag`, the only one, under the
/// only tag that it has.
pub fn open(path: &Path, repository: &str, tag: &str) -> Result<Chosen, Stop> {
    let index = Index::of(path)?;
    let (image, tag, named) = choose(images(&index)?, repository, tag)?;
    Ok(Chosen { tag, named, plan: Plan::of(index, image.form)? })
}

fn images(index: &Index) -> Result<Vec<Image>, Stop> {
    let saved = index.get("manifest.json").is_some();
    if index.get("index.json").is_some() {
        let listed: Document =
            serde_json::from_slice(&index.document("index.json")?).map_err(|_| broken("index.json"))?;
        let all: Vec<Descriptor> = listed.manifests().iter().filter(|d| d.is_manifest()).cloned().collect();
        if !all.is_empty() && (!saved || all.iter().all(|d| complete(index, d, DEEP))) {
            let mut out: Vec<(String, Image)> = Vec::new();
            for d in all {
                let name = d.annotation(IMAGE_NAME).or(d.annotation(REF_NAME)).map(str::to_owned);
                match out.iter_mut().find(|(digest, _)| *digest == d.digest) {
                    Some((_, image)) => image.names.extend(name),
                    None => {
                        out.push((d.digest.clone(), Image { names: name.into_iter().collect(), form: Form::Layout(d) }))
                    }
                }
            }
            return Ok(out.into_iter().map(|(_, image)| image).collect());
        }
    }
    if !saved {
        return Err(ArchiveFault::NoImage.into());
    }
    let listed: Vec<Saved> =
        serde_json::from_slice(&index.document("manifest.json")?).map_err(|_| broken("manifest.json"))?;
    if listed.is_empty() {
        return Err(ArchiveFault::NoImage.into());
    }
    let one = |s: Saved| Image { names: s.repo_tags.clone().unwrap_or_default(), form: Form::Saved(s) };
    Ok(listed.into_iter().map(one).collect())
}

/// Whether all manifests are there that this one names.
fn complete(index: &Index, d: &Descriptor, deep: usize) -> bool {
    let Some(path) = blob_path(&d.digest).filter(|p| index.get(p).is_some()) else { return false };
    if !d.is_index() {
        return true;
    }
    let read = index.document(&path).ok().and_then(|b| serde_json::from_slice::<Document>(&b).ok());
    deep > 0 && read.is_some_and(|m| m.manifests().iter().all(|d| complete(index, d, deep - 1)))
}

/// The tag in a name: `1.22` of `registry:5000/a/nginx:1.22`, and of `1.22`.
fn tag_of(name: &str) -> Option<&str> {
    match name.rsplit_once(':') {
        Some((_, tag)) if !tag.contains('/') => Some(tag),
        _ if !name.contains('/') => Some(name),
        _ => None,
    }
}

/// Whether a name is one of the repository's last part: `a/nginx:1` of `tools/nginx`.
fn fits(name: &str, repository: &str) -> bool {
    let last = |n: &str| n.rsplit('/').next().unwrap_or_default().to_owned();
    let bare = name.rsplit_once(':').map_or(name, |(n, _)| n);
    last(bare) == last(repository)
}

fn choose(images: Vec<Image>, repository: &str, tag: &str) -> Result<(Image, String, String), ArchiveFault> {
    let names: Vec<String> = images.iter().flat_map(|i| i.names.clone()).map(|n| super::index::short(&n)).collect();
    let several = || ArchiveFault::Several { names: names.iter().take(LISTED).cloned().collect() };
    let said = |name: &str| tag_of(name) == Some(tag);
    let mut images = images;
    if images.len() == 1 {
        let Some(image) = images.pop() else { return Err(ArchiveFault::NoImage) };
        if !tag.is_empty() {
            let named = image.names.iter().find(|n| said(n)).or(image.names.first()).cloned().unwrap_or_default();
            return Ok((image, tag.to_owned(), named));
        }
        let named = match image.names.as_slice() {
            [] => return Err(ArchiveFault::NoTag),
            [one] => one.clone(),
            _ => return Err(several()),
        };
        let tag = tag_of(&named).map(str::to_owned).ok_or(ArchiveFault::NoTag)?;
        return Ok((image, tag, named));
    }
    if tag.is_empty() {
        return Err(several());
    }
    let named =
        |image: &Image, fully: bool| image.names.iter().find(|n| said(n) && (!fully || fits(n, repository))).cloned();
    let of =
        |fully| images.iter().enumerate().filter_map(move |(n, i)| Some((n, named(i, fully)?))).collect::<Vec<_>>();
    let mut found = of(false);
    if found.len() > 1 {
        found = of(true);
    }
    match found.as_slice() {
        [(n, name)] => {
            let name = name.clone();
            Ok((images.swap_remove(*n), tag.to_owned(), name))
        }
        _ => Err(several()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn image(names: &[&str]) -> Image {
        let saved = Saved { config: names.concat(), repo_tags: None, layers: None };
        Image { names: names.iter().map(|n| (*n).to_owned()).collect(), form: Form::Saved(saved) }
    }
    fn chosen(images: Vec<Image>, repository: &str, tag: &str) -> Result<(String, String), ArchiveFault> {
        choose(images, repository, tag).map(|(_, tag, named)| (tag, named))
    }
    fn ok(tag: &str, named: &str) -> Result<(String, String), ArchiveFault> {
        Ok((tag.to_owned(), named.to_owned()))
    }

    #[test]
    fn the_tag_says_which_of_several_is_meant() {
        assert_eq!(chosen(vec![image(&["r:5000/a/b:1.2"])], "x", ""), ok("1.2", "r:5000/a/b:1.2"));
        assert_eq!(chosen(vec![image(&["r:5000/a/b:1.2"])], "x", "7"), ok("7", "r:5000/a/b:1.2"));
        assert_eq!(chosen(vec![image(&["1.22"])], "x", ""), ok("1.22", "1.22"));
        assert_eq!(chosen(vec![image(&[])], "x", ""), Err(ArchiveFault::NoTag));
        assert_eq!(chosen(vec![image(&["r:5000/a"])], "x", ""), Err(ArchiveFault::NoTag));
        let two = || vec![image(&["a:1", "a:2"]), image(&["b:1"])];
        assert_eq!(chosen(two(), "x", "2"), ok("2", "a:2"));
        assert_eq!(chosen(two(), "tools/b", "1"), ok("1", "b:1"));
        for (repository, tag) in [("x", ""), ("x", "3"), ("tools/c", "1")] {
            let Err(ArchiveFault::Several { names }) = chosen(two(), repository, tag) else { panic!("{tag}") };
            assert_eq!(names, ["a:1", "a:2", "b:1"]);
        }
        assert!(matches!(chosen(vec![image(&["a:1", "a:2"])], "x", ""), Err(ArchiveFault::Several { .. })));
    }
}
