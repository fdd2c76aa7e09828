//! What is looked at before an image is promoted.
//!
//! All of it comes from what the portal knows, so that a page can show it; only what the
//! two tags name is asked of the registries, by whoever asks for a promotion. One could get
//! it wrong by checking once: what was true when somebody asked is looked at again when
//! somebody agrees.

use crate::images::{Place, team};
use crate::inside::find;
use crate::portal::PadisPortal;
use crate::portal::room;
use crate::portal::sql::{Cols, Sql};
use crate::store::StoreError;
use padis_domain::Problem;
use padis_domain::caller::Caller;
use padis_domain::portal::Answer;
use padis_domain::ports::{BenchChange, ChangeKind, Image};
use padis_domain::view::{Doubt, PromotionCheck, TeamRoom, doubt};
use padis_domain::words::Stage;

/// What is to be promoted.
pub struct What<'a> {
    /// Source.
    pub from: &'a Place,
    /// Repository, the same on both sides.
    pub repository: &'a str,
    /// Tag, the same on both sides.
    pub tag: &'a str,
    /// What exactly.
    pub digest: &'a str,
}

/// Whether the caller may change a repository: whoever publishes for everybody, and a team's
/// people what is the team's. To promote from it they need the right on both stages, too
/// ([`PromotionCheck::Right`]).
///
/// # Errors
/// He may not; of a stranger's repository he does not hear that it exists.
pub fn may_change(c: &Caller, repository: &str) -> Answer<()> {
    let team = team(repository);
    if team.is_empty() {
        return c.publisher().map(|_| ());
    }
    c.runs(team).map(|_| ())
}

/// What is checked for this target, and how many bytes the image has. `open` is left out for
/// a promotion that has been asked for: it is the one that is open.
pub async fn all(
    p: &PadisPortal,
    c: &Caller,
    what: &What<'_>,
    to: &Place,
    open: bool,
) -> Result<(Vec<PromotionCheck>, u64), StoreError> {
    let rows = Sql::new("SELECT bytes, fault, facts FROM image WHERE digest = ")
        .bind(what.digest)
        .all(p.store.read(), "read an image")
        .await?;
    let known = rows.first();
    let readable = match known {
        Some(r) => r.s("fault")?.is_empty(),
        None => false,
    };
    let image = known.filter(|_| readable).map(|r| r.json::<Image>("facts")).transpose()?;
    let bytes = known.map(|r| r.n("bytes")).transpose()?.unwrap_or_default();
    let mut out = vec![PromotionCheck::Readable(image.as_ref().is_some_and(|i| !i.platforms.is_empty()))];
    if let Some(image) = &image {
        out.push(PromotionCheck::RunsHere(image.runs_here));
    }
    if let Some(most) = to.rules.most_bytes {
        out.push(PromotionCheck::Size { bytes, most });
    }
    if to.rules.clean {
        out.push(clean(p, what.digest).await?);
    }
    if let Some(room) = room::of(p, to, what.repository).await? {
        // As it would be with it, unless it takes the place of another.
        let more = u64::from(!there(p, to, what).await?);
        let room = TeamRoom { versions: room.versions + more, bytes: room.bytes + more * bytes, ..room };
        out.push(PromotionCheck::Room(room));
    }
    if to.rules.must_run {
        out.push(PromotionCheck::Runs(runs(p, what.digest, what.from.stage).await?));
    }
    let team = team(what.repository);
    if !team.is_empty() && c.operator().is_err() {
        let mut right = true;
        for stage in [what.from.stage, to.stage].into_iter().flatten() {
            right = right && has_quota(p, team, stage).await?;
        }
        out.push(PromotionCheck::Right(right));
    }
    if open {
        let rows = Sql::new("SELECT by_name FROM promotion WHERE state = 'asked' AND to_place = ")
            .bind(&to.name)
            .text(" AND repository = ")
            .bind(what.repository)
            .text(" AND tag = ")
            .bind(what.tag)
            .all(p.store.read(), "who has asked for a promotion")
            .await?;
        if let Some(r) = rows.first() {
            out.push(PromotionCheck::Free { by: r.s("by_name")? });
        }
    }
    Ok((out, bytes))
}

/// Whether the target has a version of that name.
async fn there(p: &PadisPortal, to: &Place, what: &What<'_>) -> Result<bool, StoreError> {
    let n = Sql::new("SELECT COUNT(*) FROM image_tag WHERE registry = ")
        .bind(&to.name)
        .text(" AND repository = ")
        .bind(what.repository)
        .text(" AND tag = ")
        .bind(what.tag)
        .number(p.store.read(), "whether a version is there")
        .await?;
    Ok(n > 0)
}

/// Whether anything in it looks like a private key or like what somebody typed.
async fn clean(p: &PadisPortal, digest: &str) -> Result<PromotionCheck, StoreError> {
    let rows = Sql::new("SELECT files FROM image_inside WHERE state = 'read' AND digest = ")
        .bind(digest)
        .all(p.store.read(), "what is inside an image")
        .await?;
    let Some(row) = rows.first() else {
        return Ok(PromotionCheck::Clean { read: false, found: 0, first: String::new() });
    };
    let packed = row.s("files")?;
    let odd = |detail: String| StoreError::Row { what: "image_inside.files", detail };
    let search = tokio::task::spawn_blocking(move || find(&packed, "", usize::MAX));
    let (all, _) = search.await.map_err(|e| odd(e.to_string()))?.map_err(|e| odd(e.to_string()))?;
    let mut found = all.into_iter().filter_map(|(path, bytes, _)| {
        let file = BenchChange { path: format!("/{path}"), kind: ChangeKind::Added, folder: false, bytes };
        matches!(doubt(&file, None), Some(Doubt::Key | Doubt::History)).then_some(file.path)
    });
    let first = found.next();
    let n = u64::from(first.is_some()) + found.count() as u64;
    Ok(PromotionCheck::Clean { read: true, found: n, first: first.unwrap_or_default() })
}

/// # Errors
/// One of them does not hold.
pub fn hold(checks: &[PromotionCheck]) -> Answer<()> {
    if checks.iter().all(PromotionCheck::holds) { Ok(()) } else { Err(Problem::NotReady) }
}

/// Whether an application that is online in a stage runs exactly this.
async fn runs(p: &PadisPortal, digest: &str, stage: Option<Stage>) -> Result<bool, StoreError> {
    let mut sql = Sql::new(
        "SELECT COUNT(*) FROM app a JOIN release r ON r.app_id = a.id AND r.number = a.release JOIN pool o ON o.name = a.pool \
         WHERE a.wanted = 'online' AND a.state = 'online' AND r.digest = ",
    )
    .bind(digest);
    if let Some(stage) = stage {
        sql = sql.text(" AND o.stage = ").bind(stage.as_str());
    }
    Ok(sql.number(p.store.read(), "who runs an image in a stage").await? > 0)
}

async fn has_quota(p: &PadisPortal, team: &str, stage: Stage) -> Result<bool, StoreError> {
    let n = Sql::new("SELECT COUNT(*) FROM quota q JOIN pool o ON o.name = q.pool WHERE q.team = ")
        .bind(team)
        .text(" AND o.stage = ")
        .bind(stage.as_str())
        .number(p.store.read(), "whether a team has a quota in a stage")
        .await?;
    Ok(n > 0)
}
