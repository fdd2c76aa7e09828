//! How much of a registry a team's images take, and whether more may be put into it.
//!
//! Judged by the catalogue when something is asked for. One could get it wrong by counting
//! only what was put there through the portal: people push, too, and what they have pushed
//! takes the same room.

use super::PadisPortal;
use super::sql::{Cols, Sql};
use crate::images::{Place, team};
use crate::store::StoreError;
use padis_domain::Problem;
use padis_domain::portal::Answer;
use padis_domain::view::TeamRoom;

/// How much the images of a repository's team take; `None`: it is everybody's, or there is no
/// limit.
pub async fn of(p: &PadisPortal, place: &Place, repository: &str) -> Result<Option<TeamRoom>, StoreError> {
    const WHAT: &str = "how much a team's images take";
    let (team, rules) = (team(repository), &place.rules);
    if team.is_empty() || (rules.team_versions == 0 && rules.team_bytes == 0) {
        return Ok(None);
    }
    let tags = |sql: Sql| {
        sql.text(" FROM image_tag t JOIN repository r ON r.registry = t.registry AND r.name = t.repository WHERE t.registry = ")
            .bind(&place.name)
            .text(" AND r.team = ")
            .bind(team)
    };
    let versions = tags(Sql::new("SELECT COUNT(*)")).number(p.store.read(), WHAT).await?;
    let bytes = tags(Sql::new(
        "SELECT CAST(COALESCE(SUM(bytes), 0) AS BIGINT) AS bytes FROM image WHERE digest IN (SELECT t.digest",
    ));
    let rows = bytes.text(")").all(p.store.read(), WHAT).await?;
    Ok(Some(TeamRoom {
        team: team.to_owned(),
        versions: u64::try_from(versions).unwrap_or_default(),
        most_versions: rules.team_versions,
        bytes: rows.first().map(|r| r.n("bytes")).transpose()?.unwrap_or_default(),
        most_bytes: rules.team_bytes,
    }))
}

/// Whether one version more, of so many bytes, may be put into a repository.
///
/// # Errors
/// The team's images have no room.
pub async fn for_one_more(p: &PadisPortal, place: &Place, repository: &str, bytes: u64) -> Answer<()> {
    match of(p, place, repository).await? {
        Some(room) if !room.has(1, bytes) => Err(Problem::NoRoomForImages { room }),
        _ => Ok(()),
    }
}

/// The bytes of a digest, as far as they are known.
pub async fn bytes(p: &PadisPortal, digest: &str) -> Result<u64, StoreError> {
    let rows = Sql::new("SELECT bytes FROM image WHERE digest = ")
        .bind(digest)
        .all(p.store.read(), "how large an image is")
        .await?;
    Ok(rows.first().map(|r| r.n("bytes")).transpose()?.unwrap_or_default())
}
