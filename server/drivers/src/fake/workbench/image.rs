//! The image that a workbench in memory becomes.

use super::Files;
use crate::fake::registry::{Held, blobs, digest_of};
use crate::workbench::config::labels;
use padis_domain::ports::{BenchCommit, Image, ImageStep, StackImage};
use padis_domain::stack::Contract;
use std::collections::BTreeMap;

/// What it becomes beside what is in it.
pub(super) struct Become<'a> {
    pub to: (&'a str, &'a str),
    pub labels: &'a BTreeMap<String, String>,
    pub ports: &'a [u16],
    pub author: &'a str,
    pub comment: &'a str,
}

/// A workbench's.
pub(super) fn of(base: &Image, wanted: &BenchCommit, files: &Files) -> Held {
    let becomes = Become {
        to: (&wanted.repository, &wanted.tag),
        labels: &wanted.labels,
        ports: &wanted.ports,
        author: &wanted.author,
        comment: &wanted.comment,
    };
    made(base, &becomes, files)
}

/// The same content, labels and words have the same digest.
pub(super) fn made(base: &Image, wanted: &Become<'_>, files: &Files) -> Held {
    let mut content = Vec::new();
    for (path, bytes) in files {
        content.extend_from_slice(format!("{path} {}\n", bytes.len()).as_bytes());
        content.extend_from_slice(bytes);
    }
    let mut image = base.clone();
    image.labels = labels(std::mem::take(&mut image.labels), wanted.labels);
    let known = std::mem::take(&mut image.ports);
    let asked = wanted.ports.iter().map(|p| format!("{p}/tcp"));
    image.ports = known.into_iter().chain(asked).collect::<std::collections::BTreeSet<_>>().into_iter().collect();
    wanted.author.clone_into(&mut image.author);
    image.created = "2026-01-02T00:00:00Z".to_owned();
    let layer = (digest_of(&content), content.len() as u64);
    image.bytes += layer.1;
    image.steps.push(ImageStep { created: image.created.clone(), made_by: String::new(), layer: Some(layer) });
    let runs = (&image.env, &image.entry_point, &image.command);
    let said = format!("{:?} {:?} {} {:?} {runs:?}", image.labels, image.ports, wanted.comment, image.steps);
    image.digest = digest_of(format!("{}/{} {said}", wanted.to.0, wanted.author).as_bytes());
    let blobs = blobs(&image);
    let stack = Contract::from_labels(&image.labels).ok().map(|contract| StackImage {
        repository: wanted.to.0.to_owned(),
        tag: wanted.to.1.to_owned(),
        digest: image.digest.clone(),
        image: format!("127.0.0.1:5000/{}@{}", wanted.to.0, image.digest),
        bytes: image.bytes,
        created: image.created.clone(),
        contract,
        labels: image.labels.clone(),
    });
    Held { image, stack, blobs, bytes: None }
}
