//! An image that is built in memory. A base has a package manager where its files have
//! `/usr/bin/apt-get`; a package is a file below `/packages`.

use super::image::{Become, made};
use super::{FakeWorkbench, Files, refused};
use crate::fake::faults::lock;
use crate::fake::registry::Held;
use padis_domain::ports::{BUILD_LABEL, BuildStep, ImageBuild, PortResult};
use std::collections::BTreeMap;

/// The labels by which an image is known again.
pub(super) fn labels(wanted: &ImageBuild) -> BTreeMap<String, String> {
    let mut labels = wanted.labels.clone();
    labels.insert(BUILD_LABEL.to_owned(), wanted.id.clone());
    labels
}

impl FakeWorkbench {
    pub(super) fn build_now(
        &self,
        wanted: &ImageBuild,
        labels: &BTreeMap<String, String>,
        tell: &(dyn Fn(BuildStep) + Send + Sync),
    ) -> PortResult<(Held, Files)> {
        let (repository, digest) = &wanted.base;
        let held = self.registry.with(|s| s.manifest(repository, digest).cloned());
        let Some(held) = held else {
            return Err(refused(format!("the image {repository}@{digest} can't be pulled: not found")));
        };
        tell(BuildStep::At(1, 2));
        tell(BuildStep::Said(format!("Step 1/2 : FROM {repository}@{digest}\n")));
        let mut files = lock(&self.inner).images.get(digest).cloned().unwrap_or_default();
        tell(BuildStep::At(2, 2));
        if !wanted.packages.is_empty() && !files.contains_key("/usr/bin/apt-get") {
            let words = "this base has no package manager that Padis knows";
            tell(BuildStep::Said(format!("{words}\n")));
            return Err(refused(words));
        }
        for package in &wanted.packages {
            tell(BuildStep::Said(format!("Setting up {package}\n")));
            files.insert(format!("/packages/{package}"), package.as_bytes().to_vec());
        }
        for file in &wanted.files {
            let content = std::fs::read(&file.from).map_err(|e| refused(format!("{}: {e}", file.from.display())))?;
            files.insert(file.path.clone(), content);
        }
        let mut image = held.image;
        for (name, value) in &wanted.env {
            image.env.retain(|had| !had.starts_with(&format!("{name}=")));
            image.env.push(format!("{name}={value}"));
        }
        if !wanted.start.is_empty() {
            image.entry_point.clone_from(&wanted.start);
            image.command = Vec::new();
        }
        let becomes = Become {
            to: (&wanted.repository, &wanted.tag),
            labels,
            ports: &wanted.ports,
            author: "",
            comment: "built",
        };
        Ok((made(&image, &becomes, &files), files))
    }
}
