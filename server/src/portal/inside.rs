//! What is inside images, and which running applications have a known vulnerability.
//!
//! Everything is answered from what was read before ([`crate::inside`]), never from a
//! registry. One could get it wrong by the digest: the same image may lie in a repository of
//! everybody's and in one of a team's, so each question goes through the version that the
//! caller may see, and applications are those of his own teams.

use super::PadisPortal;
use super::images::find;
use super::promotions::may_change;
use super::sql::{Cols, Paging, Sql};
use crate::inside::{Os, bill, find as find_files};
use crate::store::inside as rows;
use crate::store::journal::{self, Entry};
use crate::store::{StoreError, What, from_json};
use padis_domain::Problem;
use padis_domain::app::AppRef;
use padis_domain::caller::Caller;
use padis_domain::portal::Answer;
use padis_domain::ports::Image;
use padis_domain::view::{
    FileInside, InsideQuery, InsideState, InsideView, ListQuery, Match, PackageOrigin, VulnerabilitiesView,
    VulnerabilityRow,
};
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

/// Rows of packages, files and vulnerabilities that are shown of an image.
const MOST: u32 = 200;

/// The digest of a version that the caller may see, and what is remembered of the image.
async fn digest(p: &PadisPortal, c: &Caller, registry: &str, name: &str, tag: &str) -> Answer<(String, Option<Image>)> {
    find(p, c, registry, name).await?;
    let row = Sql::new(
        "SELECT t.digest, i.facts FROM image_tag t LEFT JOIN image i ON i.digest = t.digest AND i.fault = '' \
         WHERE t.registry = ",
    )
    .bind(registry)
    .text(" AND t.repository = ")
    .bind(name)
    .text(" AND t.tag = ")
    .bind(tag)
    .one(p.store.read(), "find a version")
    .await?
    .ok_or(Problem::NotFound)?;
    let facts = row.os("facts")?.map(|f| from_json("image.facts", &f)).transpose()?;
    Ok((row.s("digest")?, facts))
}

/// What is inside a version.
pub async fn view(
    p: &PadisPortal,
    c: &Caller,
    registry: &str,
    name: &str,
    tag: &str,
    q: &InsideQuery,
) -> Answer<InsideView> {
    const WHAT: &str = "read what is inside an image";
    let (digest, image) = digest(p, c, registry, name, tag).await?;
    let may_ask = may_change(c, name).is_ok();
    let mut view = InsideView { feed: p.known.view(), may_ask, ..InsideView::default() };
    let row = Sql::new("SELECT state, why, os, notes, files_total, ended_at FROM image_inside WHERE digest = ")
        .bind(&digest)
        .one(p.store.read(), WHAT)
        .await?;
    let Some(row) = row else { return Ok(view) };
    let state = rows::state(&row.s("state")?)?;
    (view.state, view.why) = (Some(state), row.s("why")?);
    if state != InsideState::Read {
        return Ok(view);
    }
    view.os = row.json::<Os>("os")?.name;
    view.notes = row.json("notes")?;
    view.files_total = row.n("files_total")?;
    view.read_at = Some(row.i("ended_at")?).filter(|at| *at > 0);
    let counts = Sql::new("SELECT origin, COUNT(*) AS n FROM image_package WHERE digest = ")
        .bind(&digest)
        .text(" GROUP BY origin")
        .all(p.store.read(), WHAT)
        .await?;
    for r in &counts {
        view.counts.push((r.word("origin", PackageOrigin::parse)?, r.n("n")?));
    }
    view.counts.sort_unstable();
    let wanted = |start: &'static str| {
        let mut sql = Sql::new(start).text(" FROM image_package WHERE digest = ").bind(&digest);
        for word in q.package.split_whitespace().take(8) {
            sql = sql.text(" AND words LIKE ").bind(super::sql::like(word)).text(" ESCAPE '!'");
        }
        sql
    };
    let found = wanted("SELECT COUNT(*)").number(p.store.read(), WHAT).await?;
    view.found = u64::try_from(found).unwrap_or_default();
    let some = wanted("SELECT *").text(" ORDER BY n LIMIT ").bind(MOST).all(p.store.read(), WHAT).await?;
    view.packages = some.iter().map(rows::package).collect::<Result<_, _>>()?;
    if !q.file.trim().is_empty() {
        let packed = Sql::new("SELECT files FROM image_inside WHERE digest = ").bind(&digest);
        let packed = packed.one(p.store.read(), WHAT).await?.ok_or(Problem::NotFound)?.s("files")?;
        let words = q.file.clone();
        let search = tokio::task::spawn_blocking(move || find_files(&packed, &words, MOST as usize));
        let odd = |detail: String| StoreError::Row { what: "image_inside.files", detail };
        let found = search.await.map_err(|e| odd(e.to_string()))?.map_err(|e| odd(e.to_string()))?;
        let layers: Vec<String> =
            image.iter().flat_map(|i| &i.steps).filter_map(|s| Some(s.layer.as_ref()?.0.clone())).collect();
        let layer = |n: u32| layers.get(n as usize).cloned().unwrap_or_default();
        view.files = found.0.into_iter().map(|(path, bytes, n)| FileInside { path, bytes, layer: layer(n) }).collect();
        view.files_found = found.1;
    }
    if view.feed.is_some() {
        let all = matches(p, &digest).await?.unwrap_or_default();
        view.vulnerabilities_total = all.len() as u64;
        view.vulnerabilities = all.iter().take(MOST as usize).cloned().collect();
    }
    Ok(view)
}

/// What an image's packages have; `None`: it has not been read.
async fn matches(p: &PadisPortal, digest: &str) -> Result<Option<Arc<Vec<Match>>>, StoreError> {
    if let Some(found) = p.known.found(digest) {
        return Ok(Some(found));
    }
    let all = rows::all(&p.store, digest).await?;
    Ok(all.map(|(os, packages)| p.known.matches(digest, &os, &packages)))
}

/// Asks for a version to be read. A team's own may be asked for by its members.
pub async fn ask(p: &PadisPortal, c: &Caller, registry: &str, name: &str, tag: &str) -> Answer<()> {
    may_change(c, name)?;
    let team = crate::images::team(name);
    let (digest, _) = digest(p, c, registry, name, tag).await?;
    let mut tx = p.store.begin().await?;
    if rows::ask(&mut tx, &digest, registry, name).await? {
        let entry = Entry {
            who: c.account.clone(),
            what: "image.look-inside".to_owned(),
            subject: format!("image:{registry}/{name}:{tag}"),
            team: Some(team.to_owned()).filter(|t| !t.is_empty()),
            ..Entry::default()
        };
        journal::append(&p.store, &mut tx, &entry).await?;
    }
    tx.commit().await.what("ask for an image to be read")?;
    p.registries.asked.notify_waiters();
    p.changes.publish("images", None);
    p.changes.publish("journal", None);
    Ok(())
}

/// A version's software bill of materials, CycloneDX in JSON.
pub async fn materials(p: &PadisPortal, c: &Caller, registry: &str, name: &str, tag: &str) -> Answer<String> {
    let (digest, image) = digest(p, c, registry, name, tag).await?;
    let Some((os, packages)) = rows::all(&p.store, &digest).await? else { return Err(Problem::NotFound) };
    let of = bill::Of { digest: &digest, name, tag, image: image.as_ref(), os: &os, packages: &packages };
    Ok(bill::write(&of)?)
}

/// The applications that the caller may see, by the image that they run.
async fn running(p: &PadisPortal, c: &Caller) -> Result<BTreeMap<String, Vec<AppRef>>, StoreError> {
    let rows = Sql::new(
        "SELECT a.team, a.name, r.digest FROM app a JOIN release r ON r.app_id = a.id AND r.number = a.release WHERE ",
    )
    .scope("a.team", &c.scope())
    .text(" ORDER BY a.team, a.name")
    .all(p.store.read(), "who runs which image")
    .await?;
    let mut out: BTreeMap<String, Vec<AppRef>> = BTreeMap::new();
    for r in &rows {
        out.entry(r.s("digest")?).or_default().push(AppRef { team: r.s("team")?, app: r.s("name")? });
    }
    Ok(out)
}

/// Every vulnerability of what runs, with the applications that have it.
pub async fn vulnerabilities(p: &PadisPortal, c: &Caller, q: &ListQuery) -> Answer<VulnerabilitiesView> {
    let (feed, paging) = (p.known.view(), Paging::of(q));
    let (mut unread, mut all) = (Vec::new(), HashMap::<String, (VulnerabilityRow, BTreeSet<String>)>::new());
    if feed.is_some() {
        for (digest, apps) in running(p, c).await? {
            let Some(found) = matches(p, &digest).await? else {
                unread.extend(apps);
                continue;
            };
            let mut here = BTreeSet::new();
            for m in found.iter() {
                let new = || (VulnerabilityRow { one: m.clone(), ..VulnerabilityRow::default() }, BTreeSet::new());
                let (row, packages) = all.entry(m.id.clone()).or_insert_with(new);
                if (m.severity, m.score) > (row.one.severity, row.one.score) {
                    row.one = m.clone();
                }
                packages.insert(m.package.clone());
                // An image may have it in several packages.
                if here.insert(m.id.clone()) {
                    row.apps.extend(apps.iter().cloned());
                }
            }
        }
    }
    let words: Vec<String> = q.q.to_lowercase().split_whitespace().map(str::to_owned).collect();
    let fits = |row: &VulnerabilityRow, packages: &BTreeSet<String>| {
        let apps = row.apps.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ");
        let packages = packages.iter().cloned().collect::<Vec<_>>().join(" ");
        let text = format!("{} {} {packages} {apps}", row.one.id, row.one.summary).to_lowercase();
        words.iter().all(|w| text.contains(w.as_str()))
    };
    let mut found: Vec<VulnerabilityRow> = all
        .into_values()
        .filter(|(row, packages)| fits(row, packages))
        .map(|(mut row, packages)| {
            row.more = packages.len().saturating_sub(1) as u64;
            row.apps.sort();
            row
        })
        .collect();
    found.sort_by(|a, b| {
        let rank = |r: &VulnerabilityRow| Reverse((r.one.severity, r.one.score, r.apps.len()));
        rank(a).cmp(&rank(b)).then_with(|| a.one.id.cmp(&b.one.id))
    });
    let total = i64::try_from(found.len()).unwrap_or(i64::MAX);
    let from = (paging.page as usize - 1).saturating_mul(paging.per_page as usize);
    let page = found.into_iter().skip(from).take(paging.per_page as usize).collect();
    Ok(VulnerabilitiesView { feed, unread, page: paging.wrap(page, total) })
}
