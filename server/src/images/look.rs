//! A look at a registry: what is there, and what of it is new.

use super::{Place, words};
use crate::store::images::{Repository, Seen};
use crate::store::{Store, StoreError, images};
use futures::{StreamExt, TryStreamExt};
use padis_domain::ports::{Image, PortError};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Instant;

/// Questions to a registry at the same time.
const AT_ONCE: usize = 8;
/// Repositories of a registry that are looked at side by side.
const REPOSITORIES: usize = 4;

/// How a look failed.
#[derive(Debug, thiserror::Error)]
pub enum LookError {
    /// The registry.
    #[error(transparent)]
    Port(#[from] PortError),
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl LookError {
    /// The whole chain of causes in one line.
    pub fn chain(&self) -> String {
        match self {
            Self::Port(e) => e.chain(),
            Self::Store(e) => {
                let cause = std::error::Error::source(e).map(|c| format!(": {c}")).unwrap_or_default();
                format!("{e}{cause}")
            }
        }
    }
}

/// Looks at all of a registry; whether anything differs from before. A repository that
/// can't be read does not hide the others: the look goes on, and then fails with that.
pub async fn whole(store: &Store, place: &Place) -> Result<bool, LookError> {
    let began = Instant::now();
    let names: BTreeSet<String> = place.client.repositories().await?.into_iter().collect();
    let looks: Vec<_> = names.iter().map(|name| repository(store, place, name)).collect();
    let mut looks = futures::stream::iter(looks).buffer_unordered(REPOSITORIES);
    let (mut changed, mut failed) = (false, None);
    while let Some(looked) = looks.next().await {
        match looked {
            Ok(differs) => changed |= differs,
            Err(e) => failed = Some(e),
        }
    }
    drop(looks);
    changed |= images::forget_others(store, &place.name, &names).await? > 0;
    match failed {
        Some(e) => Err(e),
        None => {
            let took = i64::try_from(began.elapsed().as_millis()).unwrap_or(i64::MAX);
            images::looked(store, &place.name, took, "").await?;
            Ok(changed)
        }
    }
}

/// Looks at one repository; whether anything differs from before.
pub async fn repository(store: &Store, place: &Place, name: &str) -> Result<bool, LookError> {
    let client = &place.client;
    let asked = client.tags(name).await?.into_iter();
    let asked: Vec<_> =
        asked.map(|tag| async move { Ok::<_, PortError>((client.digest(name, &tag).await?, tag)) }).collect();
    let found: Vec<(Option<String>, String)> = futures::stream::iter(asked).buffered(AT_ONCE).try_collect().await?;
    // A tag that went between the two questions is none.
    let tags: BTreeMap<String, String> = found.into_iter().filter_map(|(d, tag)| Some((tag, d?))).collect();
    let digests: BTreeSet<&str> = tags.values().map(String::as_str).collect();
    let mut known = images::known(store, &digests).await?;
    let fresh = digests.iter().filter(|d| !known.contains_key(**d));
    let fresh: Vec<_> = fresh.map(|digest| seen(place, name, digest)).collect();
    let seen: Vec<Seen> = futures::stream::iter(fresh).buffered(AT_ONCE).try_collect().await?;
    known.extend(seen.iter().filter_map(|s| Some((s.digest.clone(), s.image.as_ref().ok()?.clone()))));
    let row = row(place, name, tags, &known);
    Ok(images::put(store, &row, &seen).await?)
}

/// What one digest names. What the registry refuses to tell of it, or tells as garbage, is
/// the version's own fault and shown with it; whatever else fails is the look's.
async fn seen(place: &Place, repository: &str, digest: &str) -> Result<Seen, PortError> {
    let image = match place.client.image(repository, digest).await {
        Ok(Some(image)) => Ok(image),
        Ok(None) => Err("the registry does not have what this tag names".to_owned()),
        Err(PortError::Refused { reason, .. }) => Err(reason),
        Err(e) => return Err(e),
    };
    let made_at = image.as_ref().ok().and_then(words::made_at).unwrap_or_default();
    Ok(Seen { digest: digest.to_owned(), made_at, image })
}

fn row(place: &Place, name: &str, tags: BTreeMap<String, String>, images: &BTreeMap<String, Image>) -> Repository {
    let made = |digest: &String| images.get(digest).and_then(words::made_at).unwrap_or_default();
    // Of versions that were made at the same moment (or that do not say) the last by name.
    let newest = tags.iter().max_by_key(|(tag, digest)| (made(digest), tag.as_str() != "latest", (*tag).clone()));
    let image = newest.and_then(|(_, digest)| images.get(digest));
    let of_tags: Vec<&Image> = tags.values().filter_map(|d| images.get(d)).collect();
    Repository {
        registry: place.name.clone(),
        name: name.to_owned(),
        team: words::team(name).to_owned(),
        words: words::words(name, tags.keys().map(String::as_str), &of_tags),
        title: image.map(words::title).unwrap_or_default(),
        title_zh: image.map(words::title_zh).unwrap_or_default(),
        newest: newest.map(|(tag, _)| tag.clone()).unwrap_or_default(),
        newest_at: image.and_then(words::made_at).unwrap_or_default(),
        bytes: image.map(|i| i.bytes).unwrap_or_default(),
        tags,
    }
}
