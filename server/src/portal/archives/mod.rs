//! Images as one file: a version goes out, and one comes in.
//!
//! What one could get wrong: to let a file in by a side door. Where an image has to be agreed
//! to or to run before it is promoted, a team's people bring none in, though the repository is
//! theirs; and a tag that names something is left alone.

mod take;

use super::sql::{Paging, Sql};
use super::{PadisPortal, copies, images, promotions};
use crate::archives::Export;
use crate::images::{Place, team};
use crate::store::journal::{self, Entry};
use crate::store::{What, archives, incident, work};
use async_trait::async_trait;
use futures::stream::BoxStream;
use padis_domain::Problem;
use padis_domain::archives::{Archives, Download};
use padis_domain::caller::Caller;
use padis_domain::portal::Answer;
use padis_domain::ports::{PortError, PortResult};
use padis_domain::problem::{FieldChange, System};
use padis_domain::view::{ArchiveOffer, ArchiveRow, CopyState, ListQuery, NewArchive, Page};
use std::time::Duration;

/// How long somebody waits for a registry to say what a version consists of.
const LIVE: Duration = Duration::from_secs(30);

#[async_trait]
impl Archives for PadisPortal {
    async fn archive(&self, c: &Caller, registry: &str, repository: &str, tag: &str) -> Answer<Download> {
        let version = images::version(self, c, registry, repository, tag).await?;
        let place = self.registries.find(registry).ok_or(Problem::NotFound)?;
        let name = format!("{}/{repository}", place.place);
        let export = Export::of(place.client.clone(), (repository, &name, tag), &version.digest);
        let said = tokio::time::timeout(LIVE, export).await;
        let said = said.unwrap_or_else(|_| {
            Err(PortError::transient(System::Registry, format!("read {repository}:{tag}"), "no answer within 30 s"))
        });
        let export = said.map_err(|e| match incident(&e) {
            Problem::Internal { incident } => Problem::Unavailable { system: System::Registry, incident },
            other => other,
        })?;
        let name: String = format!("{repository}-{tag}").replace('/', "-");
        let name: String = name.chars().filter(|c| c.is_ascii_alphanumeric() || "-._".contains(*c)).take(150).collect();
        Ok(Download { name: format!("{name}.tar"), bytes: export.bytes(), body: export.stream() })
    }
    async fn archive_offer(&self, c: &Caller, into: Option<(&str, &str)>) -> Answer<ArchiveOffer> {
        offer(self, c, into).await
    }
    async fn bring_archive(
        &self,
        c: &Caller,
        new: &NewArchive,
        file: BoxStream<'_, PortResult<Vec<u8>>>,
        token: &str,
    ) -> Answer<String> {
        take::take(self, c, new, file, token).await
    }
    async fn archives(&self, c: &Caller, q: &ListQuery) -> Answer<Page<ArchiveRow>> {
        list(self, c, q).await
    }
    async fn cancel_archive(&self, c: &Caller, id: &str) -> Answer<()> {
        cancel(self, c, id).await
    }
}

/// Whether the caller may bring an image into a registry: whoever publishes into all that take
/// any, others where nothing has to hold before.
fn lets_in(c: &Caller, place: &Place) -> bool {
    place.takes && (c.publisher().is_ok() || place.rules.free())
}

async fn offer(p: &PadisPortal, c: &Caller, into: Option<(&str, &str)>) -> Answer<ArchiveOffer> {
    let publisher = c.publisher().is_ok();
    let somewhere = match into {
        Some((_, repository)) => promotions::may_change(c, repository).is_ok(),
        None => publisher || (!c.read_only() && !c.teams.is_empty()),
    };
    if !somewhere {
        return Ok(ArchiveOffer::default());
    }
    let fits = |name: &str| into.is_none_or(|(registry, _)| registry == name);
    let may = |name: &str| fits(name) && p.registries.find(name).is_some_and(|place| lets_in(c, place));
    let registries = images::targets(p).await?.into_iter().filter(|r| may(&r.name)).collect();
    let below = if publisher { Vec::new() } else { c.teams.keys().map(|team| format!("teams/{team}/")).collect() };
    Ok(ArchiveOffer { registries, below, most_bytes: p.settings.archives.most_bytes })
}

async fn list(p: &PadisPortal, c: &Caller, q: &ListQuery) -> Answer<Page<ArchiveRow>> {
    const WHAT: &str = "list archives";
    let (paging, scope) = (Paging::of(q), c.scope());
    let filtered = |sql: Sql| {
        let sql = sql.text(" FROM image_archive a WHERE (a.team = '' OR ").scope("a.team", &scope).text(")");
        let sql = if q.state.is_empty() { sql } else { sql.text(" AND a.state = ").bind(&q.state) };
        sql.find(p.store.kind(), &["a.repository", "a.tag", "a.file_name", "a.by_name"], &q.q)
    };
    let total = filtered(Sql::new("SELECT COUNT(*)")).number(p.store.read(), WHAT).await?;
    let rows = filtered(Sql::new("SELECT a.*"))
        .order("a.asked_at", true, ", a.id DESC")
        .page(paging)
        .all(p.store.read(), WHAT)
        .await?;
    let one = |r: &sqlx::any::AnyRow| {
        let row = archives::row(r)?;
        let may = row.state.open() && promotions::may_change(c, &row.repository).is_ok();
        Ok::<_, crate::store::StoreError>(ArchiveRow { may, ..row })
    };
    Ok(paging.wrap(rows.iter().map(one).collect::<Result<_, _>>()?, total))
}

async fn cancel(p: &PadisPortal, c: &Caller, id: &str) -> Answer<()> {
    if c.read_only() {
        return Err(Problem::NotAllowed { needs: "member".to_owned() });
    }
    let (row, _) = archives::find(&p.store, id).await?.ok_or(Problem::NotFound)?;
    promotions::may_change(c, &row.repository)?;
    let mut tx = p.store.begin().await?;
    if archives::end(&mut tx, id, CopyState::Cancelled, "", None).await? {
        work::touch(&mut tx, &archives::key(id)).await?;
        let entry = entry(c, "image.bring-stop", (&row.registry, &row.repository, &row.tag), Vec::new());
        journal::append(&p.store, &mut tx, &entry).await?;
    }
    tx.commit().await.what("stop an archive")?;
    told(p, &row.repository);
    Ok(())
}

fn entry(c: &Caller, what: &str, to: (&str, &str, &str), changes: Vec<FieldChange>) -> Entry {
    let whose = team(to.1);
    Entry {
        who: c.account.clone(),
        what: what.to_owned(),
        subject: match to.2 {
            "" => format!("image:{}/{}", to.0, to.1),
            tag => format!("image:{}/{}:{tag}", to.0, to.1),
        },
        team: Some(whose.to_owned()).filter(|t| !t.is_empty()),
        changes,
        ..Entry::default()
    }
}

/// After the commit of a change: wakes the reconciler and tells the browsers.
fn told(p: &PadisPortal, repository: &str) {
    p.registries.asked.notify_waiters();
    p.changes.publish("archives", Some(team(repository)).filter(|t| !t.is_empty()));
    p.platform_changed(&["work"]);
}
