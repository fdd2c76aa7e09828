//! Repositories, versions and images as the last look at the registries found them.
//!
//! Everybody who is signed in sees what is everybody's, and of teams' repositories those
//! of his own teams. One could get it wrong by asking a registry to draw a page: only one
//! repository's tags are looked at while somebody waits, and not for long.

use super::sql::{Cols, Paging, Sql};
use super::{PadisPortal, room, search};
use crate::images::{Place, Registries};
use crate::store::StoreError;
use padis_domain::Problem;
use padis_domain::app::AppRef;
use padis_domain::caller::{Caller, Scope};
use padis_domain::portal::Answer;
use padis_domain::ports::Image;
use padis_domain::view::{
    Hit, ImageView, ImagesView, ListQuery, RegistryRow, RepositoryRow, RepositoryView, VersionRow,
};
use padis_domain::words::{Stage, UnixMs};
use sqlx::any::AnyRow;
use std::collections::{BTreeSet, HashMap};
use std::time::Duration;

/// A page does not wait longer for a registry.
const LIVE: Duration = Duration::from_secs(2);

fn moment(ms: i64) -> Option<UnixMs> {
    Some(ms).filter(|ms| *ms > 0)
}

/// Rows that the caller may see.
pub(super) fn visible(sql: Sql, scope: &Scope) -> Sql {
    sql.text("(r.team = '' OR ").scope("r.team", scope).text(")")
}

fn filtered(sql: Sql, p: &PadisPortal, scope: &Scope, q: &ListQuery) -> Sql {
    let mut sql = visible(sql.text(" FROM repository r WHERE "), scope);
    // Only what is configured: a registry that was taken out is not shown any more.
    let names = |stage: Option<Stage>| {
        let fits = move |place: &&Place| stage.is_none() || place.stage.is_none() || place.stage == stage;
        p.registries.all().iter().filter(fits).map(|place| place.name.clone()).collect::<Vec<_>>()
    };
    sql = sql.text(" AND r.registry IN ").list(names(q.stage));
    if !q.state.is_empty() {
        sql = sql.text(" AND r.registry = ").bind(&q.state);
    }
    // Each word has to be found, in any order. What is searched is lower case already.
    for word in q.q.split_whitespace().take(8) {
        sql = sql.text(" AND r.words LIKE ").bind(super::sql::like(word)).text(" ESCAPE '!'");
    }
    sql
}

/// The list.
pub async fn list(p: &PadisPortal, c: &Caller, q: &ListQuery) -> Answer<ImagesView> {
    const WHAT: &str = "list repositories";
    let (paging, scope) = (Paging::of(q), c.scope());
    let (column, desc) = match q.sort.as_str() {
        "versions" => ("r.versions", q.desc),
        "bytes" => ("r.bytes", q.desc),
        "newest_at" => ("r.newest_at", q.desc),
        "registry" => ("r.registry", q.desc),
        _ => ("r.name", q.desc),
    };
    // What is searched is long, and all of it: it is looked through once, keeping names only, and
    // counted on the way; the rest is read of one page.
    let rows = filtered(
        Sql::new(
            "SELECT r.registry, r.name, r.title, r.title_zh, r.versions, r.newest, r.newest_at, r.bytes, k.n \
             FROM (SELECT r.registry, r.name, COUNT(*) OVER () AS n",
        ),
        p,
        &scope,
        q,
    )
    .order(column, desc, ", r.name, r.registry")
    .page(paging)
    .text(") k JOIN repository r ON r.registry = k.registry AND r.name = k.name")
    .order(column, desc, ", r.name, r.registry")
    .all(p.store.read(), WHAT)
    .await?;
    let total = match rows.first() {
        Some(row) => row.i("n")?,
        None if q.page <= 1 => 0,
        // Behind the last page.
        None => filtered(Sql::new("SELECT COUNT(*)"), p, &scope, q).number(p.store.read(), WHAT).await?,
    };
    let rows = rows.iter().map(|r| repository_row(&p.registries, r)).collect::<Result<_, _>>()?;
    Ok(ImagesView { registries: registries(p).await?, page: paging.wrap(rows, total) })
}

fn repository_row(all: &Registries, r: &AnyRow) -> Result<RepositoryRow, StoreError> {
    let registry = r.s("registry")?;
    Ok(RepositoryRow {
        stage: all.find(&registry).and_then(|place| place.stage),
        registry,
        name: r.s("name")?,
        title: r.s("title")?,
        title_zh: r.s("title_zh")?,
        versions: r.n("versions")?,
        newest: r.s("newest")?,
        newest_at: moment(r.i("newest_at")?),
        bytes: r.n("bytes")?,
    })
}

/// The registries with what is known of them.
pub(super) async fn registries(p: &PadisPortal) -> Result<Vec<RegistryRow>, StoreError> {
    const WHAT: &str = "list registries";
    let looks = Sql::new("SELECT * FROM registry_look").all(p.store.read(), WHAT).await?;
    let counts =
        Sql::new("SELECT registry, COUNT(*) AS n FROM repository GROUP BY registry").all(p.store.read(), WHAT).await?;
    let mut many = HashMap::new();
    for r in &counts {
        many.insert(r.s("registry")?, r.n("n")?);
    }
    let mut seen = HashMap::new();
    for r in &looks {
        seen.insert(r.s("registry")?, (moment(r.i("at")?), !r.s("fault")?.is_empty()));
    }
    let row = |place: &Place| {
        let (seen_at, silent) = seen.get(&place.name).copied().unwrap_or_default();
        RegistryRow {
            name: place.name.clone(),
            place: place.place.clone(),
            stage: place.stage,
            takes: place.takes,
            repositories: many.get(&place.name).copied().unwrap_or_default(),
            seen_at,
            silent,
        }
    };
    Ok(p.registries.all().iter().map(row).collect())
}

/// Those that images can be copied to.
pub(super) async fn targets(p: &PadisPortal) -> Result<Vec<RegistryRow>, StoreError> {
    Ok(registries(p).await?.into_iter().filter(|r| r.takes).collect())
}

/// The repository's row, if the caller may see it.
pub(super) async fn find(p: &PadisPortal, c: &Caller, registry: &str, name: &str) -> Answer<RepositoryRow> {
    if p.registries.find(registry).is_none() {
        return Err(Problem::NotFound);
    }
    let rows = visible(Sql::new("SELECT r.* FROM repository r WHERE "), &c.scope())
        .text(" AND r.registry = ")
        .bind(registry)
        .text(" AND r.name = ")
        .bind(name)
        .all(p.store.read(), "read a repository")
        .await?;
    Ok(repository_row(&p.registries, rows.first().ok_or(Problem::NotFound)?)?)
}

/// One repository; its tags are read now, if the registry answers in time.
pub async fn repository(p: &PadisPortal, c: &Caller, registry: &str, name: &str) -> Answer<RepositoryView> {
    // Who may not see it does not make us ask for it.
    let known = find(p, c, registry, name).await;
    if known.is_err() {
        may_ask(p, c, registry, name)?;
    }
    let live = p.registries.look_now(&p.store, registry, name, LIVE).await;
    let row = find(p, c, registry, name).await?;
    let versions = versions(p, c, registry, name, None).await?;
    let room = match p.registries.find(registry) {
        Some(place) => room::of(p, place, name).await?,
        None => None,
    };
    Ok(RepositoryView { row, versions, live, room, targets: targets(p).await? })
}

/// Whether the caller may make us ask a registry for a repository of which nothing is known.
fn may_ask(p: &PadisPortal, c: &Caller, registry: &str, name: &str) -> Answer<()> {
    let team = crate::images::team(name);
    if p.registries.find(registry).is_none() || (!team.is_empty() && c.sees(team).is_err()) {
        return Err(Problem::NotFound);
    }
    Ok(())
}

/// Versions, newest first.
async fn versions(
    p: &PadisPortal,
    c: &Caller,
    registry: &str,
    name: &str,
    tag: Option<&str>,
) -> Answer<Vec<VersionRow>> {
    const WHAT: &str = "list versions";
    let mut sql = Sql::new(
        "SELECT t.tag, t.digest, t.since, i.bytes, i.made_at, i.fault FROM image_tag t LEFT JOIN image i ON i.digest = t.digest \
         WHERE t.registry = ",
    )
    .bind(registry)
    .text(" AND t.repository = ")
    .bind(name);
    if let Some(tag) = tag {
        sql = sql.text(" AND t.tag = ").bind(tag);
    }
    let rows = sql.text(" ORDER BY i.made_at DESC, t.tag DESC").all(p.store.read(), WHAT).await?;
    let digests: BTreeSet<String> = rows.iter().map(|r| r.s("digest")).collect::<Result<_, _>>()?;
    let users = users(p, c, &digests).await?;
    let mut stages: HashMap<String, BTreeSet<Stage>> = HashMap::new();
    for (digest, registry, _, _) in places(p, c, &digests).await? {
        if let Some(stage) = p.registries.find(&registry).and_then(|place| place.stage) {
            stages.entry(digest).or_default().insert(stage);
        }
    }
    let one = |r: &AnyRow| -> Result<VersionRow, StoreError> {
        let digest = r.s("digest")?;
        Ok(VersionRow {
            tag: r.s("tag")?,
            bytes: r.oi("bytes")?.and_then(|n| u64::try_from(n).ok()).unwrap_or_default(),
            made_at: r.oi("made_at")?.and_then(moment),
            since: moment(r.i("since")?),
            fault: r.os("fault")?.unwrap_or_default(),
            // Two tags of one digest both show its users.
            used_by: users.get(&digest).cloned().unwrap_or_default(),
            stages: stages.get(&digest).map(|s| s.iter().copied().collect()).unwrap_or_default(),
            digest,
        })
    };
    Ok(rows.iter().map(one).collect::<Result<_, _>>()?)
}

/// Applications that run exactly these, by digest.
async fn users(
    p: &PadisPortal,
    c: &Caller,
    digests: &BTreeSet<String>,
) -> Result<HashMap<String, Vec<AppRef>>, StoreError> {
    let rows = Sql::new(
        "SELECT a.team, a.name, r.digest FROM release r JOIN app a ON a.id = r.app_id AND a.release = r.number WHERE ",
    )
    .scope("a.team", &c.scope())
    .text(" AND r.digest IN ")
    .list(digests)
    .text(" ORDER BY a.team, a.name")
    .all(p.store.read(), "who runs an image")
    .await?;
    let mut out: HashMap<String, Vec<AppRef>> = HashMap::new();
    for r in &rows {
        out.entry(r.s("digest")?).or_default().push(AppRef { team: r.s("team")?, app: r.s("name")? });
    }
    Ok(out)
}

/// Where these digests are, of what the caller may see: digest, registry, repository, tag.
async fn places(
    p: &PadisPortal,
    c: &Caller,
    digests: &BTreeSet<String>,
) -> Result<Vec<(String, String, String, String)>, StoreError> {
    let sql = Sql::new(
        "SELECT t.digest, t.registry, t.repository, t.tag FROM image_tag t \
         JOIN repository r ON r.registry = t.registry AND r.name = t.repository WHERE ",
    );
    let rows = visible(sql, &c.scope())
        .text(" AND t.digest IN ")
        .list(digests)
        .text(" ORDER BY t.registry, t.repository, t.tag")
        .all(p.store.read(), "where an image is")
        .await?;
    rows.iter().map(|r| Ok((r.s("digest")?, r.s("registry")?, r.s("repository")?, r.s("tag")?))).collect()
}

/// Whether the caller may see a repository.
pub(super) async fn known(p: &PadisPortal, c: &Caller, registry: &str, name: &str) -> Answer<()> {
    find(p, c, registry, name).await.map(|_| ())
}

/// One version, if the caller may see its repository.
pub(super) async fn version(p: &PadisPortal, c: &Caller, registry: &str, name: &str, tag: &str) -> Answer<VersionRow> {
    if let Some(known) = known_version(p, c, registry, name, tag).await? {
        return Ok(known);
    }
    // It may have been put there a moment ago.
    may_ask(p, c, registry, name)?;
    p.registries.look_now(&p.store, registry, name, LIVE).await;
    known_version(p, c, registry, name, tag).await?.ok_or(Problem::NotFound)
}

/// A version, if the catalogue has it.
async fn known_version(
    p: &PadisPortal,
    c: &Caller,
    registry: &str,
    name: &str,
    tag: &str,
) -> Answer<Option<VersionRow>> {
    match find(p, c, registry, name).await {
        Ok(_) => Ok(versions(p, c, registry, name, Some(tag)).await?.pop()),
        Err(Problem::NotFound) => Ok(None),
        Err(problem) => Err(problem),
    }
}

/// One version, whole.
pub async fn image(p: &PadisPortal, c: &Caller, registry: &str, name: &str, tag: &str) -> Answer<ImageView> {
    let version = version(p, c, registry, name, tag).await?;
    let row = find(p, c, registry, name).await?;
    let rows = Sql::new("SELECT facts FROM image WHERE fault = '' AND digest = ")
        .bind(&version.digest)
        .all(p.store.read(), "read an image")
        .await?;
    let image = rows.first().map(|r| r.json::<Image>("facts")).transpose()?;
    let places = places(p, c, &BTreeSet::from([version.digest.clone()])).await?;
    let places = places.into_iter().map(|(_, registry, repository, tag)| (registry, repository, tag)).collect();
    Ok(ImageView { row, version, image, places, targets: targets(p).await? })
}

/// Looks at all registries now.
pub fn look(p: &PadisPortal, _may: padis_domain::caller::Permit<'_, padis_domain::caller::Publish>) {
    p.registries.look_at_all();
}

/// Repositories for the search across everything.
pub async fn hits(p: &PadisPortal, c: &Caller, q: &str, most: i64) -> Result<Vec<Hit>, StoreError> {
    let query = ListQuery { q: q.to_owned(), ..ListQuery::default() };
    let rows = filtered(Sql::new("SELECT r.registry, r.name, r.title"), p, &c.scope(), &query)
        .text(" ORDER BY r.name, r.registry LIMIT ")
        .bind(most)
        .all(p.store.read(), "search repositories")
        .await?;
    let one = |r: &AnyRow| {
        let (registry, name) = (r.s("registry")?, r.s("name")?);
        let title = r.s("title")?;
        let detail = if title.is_empty() { registry.clone() } else { format!("{registry} · {title}") };
        let path = name.split('/').map(search::part).collect::<Vec<_>>().join("/");
        Ok(search::hit("image", name, detail, format!("/images/{}/{path}", search::part(&registry))))
    };
    rows.iter().map(one).collect()
}
