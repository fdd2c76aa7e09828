//! Copies of images from registry to registry: what people ask for.
//!
//! What the tag names when it is asked for is what is copied, and what the target's tag
//! names then is what may be replaced: somebody else's change in between is not lost. One
//! could get it wrong by copying "the tag", which may be moved a second later.

use super::PadisPortal;
use super::check::Problems;
use super::sql::{Paging, Sql};
use super::{once, room};
use crate::images::Place;
use crate::store::copies::{self, Asked};
use crate::store::journal::{self, Entry};
use crate::store::{What, incident, work};
use padis_domain::Problem;
use padis_domain::caller::{Caller, Permit, Publish};
use padis_domain::portal::Answer;
use padis_domain::ports::{CopyFrom, CopyTo, PortError};
use padis_domain::problem::{FieldChange, System, ValueFault};
use padis_domain::view::{CopyRow, CopyState, ListQuery, NewCopy, Page};
use std::time::Duration;

/// The form's name among tokens.
const COPY: &str = "copy";
/// How long somebody waits for a registry to say what a tag names.
const LIVE: Duration = Duration::from_secs(5);
/// Characters of a repository, of a tag (Distribution specification).
const MAX_REPOSITORY: usize = 255;
const MAX_TAG: usize = 128;

/// `[a-z0-9]+([._-][a-z0-9]+)*(/…)*` (Distribution specification), with `__` and `--`
/// between, too, as registries take them.
pub(super) fn is_repository(name: &str) -> bool {
    let part = |part: &str| {
        let ends = |c: Option<char>| c.is_some_and(|c| c.is_ascii_lowercase() || c.is_ascii_digit());
        ends(part.chars().next())
            && ends(part.chars().last())
            && part.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || "._-".contains(c))
            && !["..", "___", "._", "_.", "-_", "_-", ".-", "-."].iter().any(|bad| part.contains(bad))
    };
    name.len() <= MAX_REPOSITORY && name.split('/').all(part)
}

/// `[A-Za-z0-9_][A-Za-z0-9._-]{0,127}` (Distribution specification).
pub(super) fn is_tag(tag: &str) -> bool {
    tag.len() <= MAX_TAG
        && tag.chars().next().is_some_and(|c| c.is_ascii_alphanumeric() || c == '_')
        && tag.chars().all(|c| c.is_ascii_alphanumeric() || "._-".contains(c))
}

/// Notes what is wrong with a field that holds such a name.
pub(super) fn check_name(problems: &mut Problems, field: &str, name: &str, fits: fn(&str) -> bool) {
    if !fits(name) {
        problems.add(field, if name.is_empty() { ValueFault::Missing } else { ValueFault::Malformed });
    }
}

/// Asks for a copy.
pub async fn ask(p: &PadisPortal, may: Permit<'_, Publish>, new: &NewCopy, token: &str) -> Answer<String> {
    let mut problems = Problems::default();
    let known = |name: &str| p.registries.find(name);
    for (field, name) in [("from_registry", &new.from_registry), ("to_registry", &new.to_registry)] {
        if known(name).is_none_or(|place| field == "to_registry" && !place.takes) {
            problems.add(field, if name.is_empty() { ValueFault::Missing } else { ValueFault::Unknown });
        }
    }
    check_name(&mut problems, "from_repository", &new.from_repository, is_repository);
    check_name(&mut problems, "from_tag", &new.from_tag, is_tag);
    check_name(&mut problems, "to_repository", &new.to_repository, is_repository);
    check_name(&mut problems, "to_tag", &new.to_tag, is_tag);
    problems.done()?;
    let (Some(from), Some(to)) = (known(&new.from_registry), known(&new.to_registry)) else {
        return Err(Problem::field("from_registry", ValueFault::Unknown));
    };
    let (named, there) =
        tokio::join!(names(from, &new.from_repository, &new.from_tag), names(to, &new.to_repository, &new.to_tag));
    let digest = named?.ok_or_else(|| Problem::field("from_tag", ValueFault::Unknown))?;
    let there = there?;
    if there.is_none() {
        room::for_one_more(p, to, &new.to_repository, room::bytes(p, &digest).await?).await?;
    }
    let asked = Asked {
        id: uuid::Uuid::now_v7().simple().to_string(),
        from: CopyFrom { registry: from.name.clone(), repository: new.from_repository.clone(), digest },
        from_tag: new.from_tag.clone(),
        to: CopyTo {
            registry: to.name.clone(),
            repository: new.to_repository.clone(),
            tag: new.to_tag.clone(),
            instead_of: there,
        },
        account: may.caller.account.clone(),
        name: may.caller.name.clone(),
    };
    let mut tx = p.store.begin().await?;
    if let Some(id) = once::before::<String>(&mut tx, p.store.kind(), may.caller, token, COPY).await? {
        return Ok(id);
    }
    copies::ask(&mut tx, &asked).await?;
    work::touch(&mut tx, &copies::key(&asked.id)).await?;
    journal::append(&p.store, &mut tx, &entry(&asked, "image.copy")).await?;
    once::keep(&mut tx, token, COPY, &asked.id).await?;
    tx.commit().await.what("record a copy")?;
    p.registries.asked.notify_waiters();
    p.platform_changed(&["copies", "work"]);
    Ok(asked.id)
}

/// What a tag names, asked of the registry itself.
pub(super) async fn names(place: &Place, repository: &str, tag: &str) -> Answer<Option<String>> {
    let said = tokio::time::timeout(LIVE, place.client.digest(repository, tag)).await;
    let said = said.unwrap_or_else(|_| {
        Err(PortError::transient(System::Registry, format!("ask {}", place.name), "no answer within 5 s"))
    });
    said.map_err(|e| {
        // Its causes go to the log under the incident's id.
        let Problem::Internal { incident } = incident(&e) else { return Problem::NotFound };
        Problem::Unavailable { system: System::Registry, incident }
    })
}

fn entry(a: &Asked, what: &str) -> Entry {
    let change = |field: &str, after: String| FieldChange { field: field.to_owned(), before: String::new(), after };
    Entry {
        who: a.account.clone(),
        what: what.to_owned(),
        subject: format!("image:{}/{}:{}", a.to.registry, a.to.repository, a.to.tag),
        changes: vec![
            change("from", format!("{}/{}:{}", a.from.registry, a.from.repository, a.from_tag)),
            change("digest", a.from.digest.clone()),
        ],
        ..Entry::default()
    }
}

/// Stops a copy.
pub async fn cancel(p: &PadisPortal, may: Permit<'_, Publish>, id: &str) -> Answer<()> {
    let (asked, state) = copies::find(&p.store, id).await?.ok_or(Problem::NotFound)?;
    if !state.open() {
        return Ok(());
    }
    let mut tx = p.store.begin().await?;
    if copies::end(&mut tx, id, CopyState::Cancelled, "").await? {
        work::touch(&mut tx, &copies::key(id)).await?;
        let mut entry = entry(&asked, "image.copy-stop");
        entry.who.clone_from(&may.caller.account);
        journal::append(&p.store, &mut tx, &entry).await?;
    }
    tx.commit().await.what("stop a copy")?;
    p.platform_changed(&["copies", "work"]);
    Ok(())
}

/// Copies, newest first.
pub async fn list(p: &PadisPortal, c: &Caller, q: &ListQuery) -> Answer<Page<CopyRow>> {
    if c.publisher().is_err() {
        c.inspector()?;
    }
    const WHAT: &str = "list copies";
    let paging = Paging::of(q);
    let filtered = |sql: Sql| {
        let mut sql = sql.text(" FROM image_copy WHERE 1 = 1");
        if !q.state.is_empty() {
            sql = sql.text(" AND state = ").bind(&q.state);
        }
        sql.find(p.store.kind(), &["from_repo", "to_repo", "to_tag", "by_name"], &q.q)
    };
    let total = filtered(Sql::new("SELECT COUNT(*)")).number(p.store.read(), WHAT).await?;
    let rows = filtered(Sql::new("SELECT *"))
        .order("asked_at", true, ", id DESC")
        .page(paging)
        .all(p.store.read(), WHAT)
        .await?;
    Ok(paging.wrap(rows.iter().map(copies::row).collect::<Result<_, _>>()?, total))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_that_registries_take() {
        for good in ["a", "stacks/nginx", "a1/b-c/d_e", "a--b", "a__b", "a.b"] {
            assert!(is_repository(good), "{good}");
        }
        for bad in ["", "/a", "a/", "a//b", "A", "-a", "a-", "a..b", "a b", "ü", "a/../b", "a___b"] {
            assert!(!is_repository(bad), "{bad}");
        }
        assert!(is_tag("1.0-rc_1") && is_tag("_x") && is_tag("V1"));
        assert!(
            !is_tag("")
                && !is_tag(".1")
                && !is_tag("-1")
                && !is_tag("a/b")
                && !is_tag("a b")
                && !is_tag(&"x".repeat(129))
        );
    }
}
