//! Finding anything by its name.
//!
//! Each kind is one query with the caller's scope and a small limit. One could
//! get it wrong by answering "no such thing" differently for a thing that exists
//! in another team: what the scope does not hold is simply not found.

use super::pools::visible;
use super::sql::{Cols, Sql};
use super::{PadisPortal, cluster, images};
use crate::store::StoreError;
use padis_domain::address::{dotted, parse_ip};
use padis_domain::caller::Caller;
use padis_domain::portal::Answer;
use padis_domain::view::Hit;
use sqlx::any::AnyRow;

/// Hits in all.
const MOST: usize = 20;
/// Hits of one kind.
const EACH: i64 = 6;
/// Characters of a question that are looked at.
const MAX_Q: usize = 100;
const WHAT: &str = "search";

/// One part of a path, escaped.
pub(super) fn part(s: &str) -> String {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"-._~".contains(&b);
    s.bytes().map(|b| if plain(b) { char::from(b).to_string() } else { format!("%{b:02X}") }).collect()
}

/// A hit.
pub(super) fn hit(kind: &str, title: impl Into<String>, detail: impl Into<String>, path: String) -> Hit {
    Hit { kind: kind.into(), title: title.into(), detail: detail.into(), path }
}

/// The addresses that begin with this text: `10.1.2.3`, `10.1.2.`, `10.1`.
fn span(q: &str) -> Option<(u32, u32)> {
    if let Some(ip) = parse_ip(q) {
        return Some((ip, ip));
    }
    let parts: Vec<&str> = q.strip_suffix('.').unwrap_or(q).split('.').collect();
    if !(2..=3).contains(&parts.len()) {
        return None;
    }
    let n = parts.len() as u32;
    let head = parts.iter().try_fold(0u32, |acc, p| Some(acc << 8 | u32::from(p.parse::<u8>().ok()?)))?;
    let first = head << (8 * (4 - n));
    Some((first, first + (1 << (8 * (4 - n))) - 1))
}

/// Looks for it.
pub async fn search(p: &PadisPortal, c: &Caller, q: &str) -> Answer<Vec<Hit>> {
    let q: String = q.trim().chars().take(MAX_Q).collect();
    if q.is_empty() {
        return Ok(Vec::new());
    }
    let mut out = Vec::new();
    if let Some(span) = span(&q) {
        out.extend(addresses(p, c, span).await?);
    }
    out.extend(apps(p, c, &q).await?);
    out.extend(names(p, c, &q).await?);
    out.extend(pools(p, c, &q).await?);
    out.extend(stacks(p, &q).await?);
    out.extend(images::hits(p, c, &q, EACH).await?);
    out.extend(packages(p, c, &q).await?);
    out.extend(teams(p, c, &q).await?);
    if c.inspector().is_ok() {
        out.extend(people(p, &q).await?);
        out.extend(cluster::hits(p, &q, EACH as usize));
    }
    out.truncate(MOST);
    Ok(out)
}

async fn rows(
    p: &PadisPortal,
    sql: Sql,
    columns: &[&'static str],
    q: &str,
    order: &'static str,
) -> Result<Vec<AnyRow>, StoreError> {
    sql.find(p.store.kind(), columns, q)
        .text(" ORDER BY ")
        .text(order)
        .text(" LIMIT ")
        .bind(EACH)
        .all(p.store.read(), WHAT)
        .await
}

fn app_path(r: &AnyRow) -> Result<String, StoreError> {
    Ok(format!("/applications/{}/{}", part(&r.s("team")?), part(&r.s("name")?)))
}

async fn addresses(p: &PadisPortal, c: &Caller, (from, to): (u32, u32)) -> Result<Vec<Hit>, StoreError> {
    let scope = c.scope();
    let mut sql = Sql::new("SELECT c.pool, c.address, c.state, c.reason, c.team, c.app FROM claim c WHERE c.released_at IS NULL AND c.address >= ")
        .bind(from)
        .text(" AND c.address <= ")
        .bind(to)
        .text(" AND ");
    sql = sql.scope("c.team", &scope).text(" ORDER BY c.address LIMIT ").bind(EACH);
    let found = sql.all(p.store.read(), WHAT).await?;
    let one = |r: &AnyRow| {
        let (pool, ip) = (r.os("pool")?.unwrap_or_default(), dotted(r.u("address")?));
        let detail = match (r.os("team")?, r.os("app")?) {
            (Some(t), Some(a)) => format!("{t}/{a} · {pool}"),
            _ => format!("{} · {pool}", r.s("reason")?),
        };
        Ok(hit("address", ip.clone(), detail, format!("/addresses/{}?at={ip}", part(&pool))))
    };
    found.iter().map(one).collect()
}

async fn apps(p: &PadisPortal, c: &Caller, q: &str) -> Result<Vec<Hit>, StoreError> {
    let sql = Sql::new("SELECT team, name, title, host_name FROM app WHERE ").scope("team", &c.scope());
    let found = rows(p, sql, &["name", "title", "team"], q, "name, team").await?;
    found
        .iter()
        .map(|r| Ok(hit("app", r.s("title")?, format!("{}/{}", r.s("team")?, r.s("name")?), app_path(r)?)))
        .collect()
}

async fn names(p: &PadisPortal, c: &Caller, q: &str) -> Result<Vec<Hit>, StoreError> {
    // Shorter than a host name's interesting part, it would only repeat the applications.
    if !q.contains('.') {
        return Ok(Vec::new());
    }
    let sql = Sql::new("SELECT team, name, host_name FROM app WHERE ").scope("team", &c.scope());
    let found = rows(p, sql, &["host_name"], q, "host_name").await?;
    found
        .iter()
        .map(|r| Ok(hit("name", r.s("host_name")?, format!("{}/{}", r.s("team")?, r.s("name")?), app_path(r)?)))
        .collect()
}

async fn pools(p: &PadisPortal, c: &Caller, q: &str) -> Result<Vec<Hit>, StoreError> {
    let sql = visible(Sql::new("SELECT p.name, p.subnet, p.stage, p.zone FROM pool p WHERE "), &c.scope());
    let found = rows(p, sql, &["p.name", "p.subnet", "p.domain"], q, "p.name").await?;
    let one = |r: &AnyRow| {
        let name = r.s("name")?;
        let path = format!("/pools/{}", part(&name));
        Ok(hit("pool", name, format!("{} · {} · {}", r.s("stage")?, r.s("zone")?, r.s("subnet")?), path))
    };
    found.iter().map(one).collect()
}

async fn stacks(p: &PadisPortal, q: &str) -> Result<Vec<Hit>, StoreError> {
    let found = rows(
        p,
        Sql::new("SELECT key, repository, tag FROM stack WHERE gone_at IS NULL"),
        &["key", "repository"],
        q,
        "key",
    )
    .await?;
    let one = |r: &AnyRow| {
        let key = r.s("key")?;
        let path = format!("/middleware#{}", part(&key));
        Ok(hit("stack", key, format!("{}:{}", r.s("repository")?, r.s("tag")?), path))
    };
    found.iter().map(one).collect()
}

async fn packages(p: &PadisPortal, c: &Caller, q: &str) -> Result<Vec<Hit>, StoreError> {
    let sql = Sql::new("SELECT sha256, team, file_name FROM package WHERE ").scope("team", &c.scope());
    let found = rows(p, sql, &["file_name", "sha256"], q, "at DESC, sha256").await?;
    let one = |r: &AnyRow| {
        let sha = r.s("sha256")?;
        let detail = format!("{} · {}", r.s("team")?, sha.chars().take(12).collect::<String>());
        Ok(hit("package", r.s("file_name")?, detail, format!("/packages?q={}", part(&sha))))
    };
    found.iter().map(one).collect()
}

async fn teams(p: &PadisPortal, c: &Caller, q: &str) -> Result<Vec<Hit>, StoreError> {
    let sql = Sql::new("SELECT slug, title FROM team WHERE ").scope("slug", &c.scope());
    let found = rows(p, sql, &["slug", "title"], q, "slug").await?;
    let one = |r: &AnyRow| {
        let slug = r.s("slug")?;
        let path = format!("/applications?team={}", part(&slug));
        Ok(hit("team", r.s("title")?, slug, path))
    };
    found.iter().map(one).collect()
}

async fn people(p: &PadisPortal, q: &str) -> Result<Vec<Hit>, StoreError> {
    let found =
        rows(p, Sql::new("SELECT name, display FROM account WHERE 1 = 1"), &["name", "display", "mail"], q, "name")
            .await?;
    let one = |r: &AnyRow| {
        let account = r.s("name")?;
        let path = format!("/admin/people?q={}", part(&account));
        Ok(hit("person", r.s("display")?, account, path))
    };
    found.iter().map(one).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_or_its_beginning_is_a_span() {
        assert_eq!(span("10.0.0.7"), Some((0x0a00_0007, 0x0a00_0007)));
        assert_eq!(span("10.1.2."), Some((0x0a01_0200, 0x0a01_02ff)));
        assert_eq!(span("10.1"), Some((0x0a01_0000, 0x0a01_ffff)));
        for not in ["10", "10.", "1.2.3.4.5", "10.x", "10.300", "claims.prod", ""] {
            assert_eq!(span(not), None, "{not:?}");
        }
        assert_eq!(part("a b/c"), "a%20b%2Fc");
    }
}
