//! Workbenches, the versions that are made of them, and when their terminals were open.
//!
//! The state of a workbench is the intent, too: whoever writes `ending` wants it gone. One
//! could get it wrong by letting the worker that has made it write `open` over that.

use super::{Store, StoreError, Tx, What, from_json, now_ms, to_json};
use padis_domain::ports::{BenchChanges, BenchSpec};
use padis_domain::view::{BenchRecord, BenchRow, BenchState, CommitRow, CommitState};
use sqlx::Row;
use sqlx::any::AnyRow;
use std::collections::BTreeMap;

/// The work key of a workbench.
pub fn key(id: &str) -> String {
    format!("bench:{id}")
}

/// The work key of a version that is made of one.
pub fn commit_key(id: &str) -> String {
    format!("commit:{id}")
}

fn text(r: &AnyRow, column: &str) -> Result<String, StoreError> {
    r.try_get::<String, _>(column).what("read a workbench")
}

fn number(r: &AnyRow, column: &str) -> Result<u64, StoreError> {
    Ok(u64::try_from(r.try_get::<i64, _>(column).what("read a workbench")?).unwrap_or_default())
}

fn word<T>(what: &'static str, word: &str, parse: impl Fn(&str) -> Option<T>) -> Result<T, StoreError> {
    parse(word).ok_or_else(|| StoreError::Row { what, detail: format!("{word} is no state") })
}

/// A workbench for the pages; without a column `versions` it has none.
pub fn row(r: &AnyRow) -> Result<BenchRow, StoreError> {
    const WHAT: &str = "read a workbench";
    Ok(BenchRow {
        id: text(r, "id")?,
        repository: text(r, "repository")?,
        tag: text(r, "tag")?,
        digest: text(r, "digest")?,
        pool: text(r, "pool")?,
        host: text(r, "host")?,
        by: text(r, "by_name")?,
        by_account: text(r, "by_account")?,
        asked_at: r.try_get("asked_at").what(WHAT)?,
        ended_at: r.try_get("ended_at").what(WHAT)?,
        state: word("bench.state", &text(r, "state")?, BenchState::parse)?,
        why: text(r, "why")?,
        versions: number(r, "versions").unwrap_or_default(),
    })
}

/// Records that one is wanted.
pub async fn ask(tx: &mut Tx<'_>, spec: &BenchSpec, tag: &str, pool: &str, by: (&str, &str)) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO bench (id, repository, tag, digest, pool, host, cpu_milli, mem_mib, state, why, by_account, by_name, \
         asked_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 'starting', '', $9, $10, $11)",
    )
    .bind(&spec.id)
    .bind(&spec.repository)
    .bind(tag)
    .bind(&spec.digest)
    .bind(pool)
    .bind(&spec.host)
    .bind(i64::from(spec.cpu_milli))
    .bind(i64::try_from(spec.mem_mib).unwrap_or(i64::MAX))
    .bind(by.0)
    .bind(by.1)
    .bind(now_ms())
    .execute(&mut **tx)
    .await
    .what("record a workbench")
    .map(|_| ())
}

/// What is wanted of one, and its state.
pub async fn find(store: &Store, id: &str) -> Result<Option<(BenchSpec, BenchRow)>, StoreError> {
    let found = sqlx::query("SELECT * FROM bench WHERE id = $1").bind(id).fetch_optional(store.read());
    let Some(r) = found.await.what("read a workbench")? else { return Ok(None) };
    let row = row(&r)?;
    let spec = BenchSpec {
        id: row.id.clone(),
        host: row.host.clone(),
        repository: row.repository.clone(),
        digest: row.digest.clone(),
        cpu_milli: u32::try_from(number(&r, "cpu_milli")?).unwrap_or(u32::MAX),
        mem_mib: number(&r, "mem_mib")?,
    };
    Ok(Some((spec, row)))
}

/// Ids of those that have not ended.
pub async fn alive(store: &Store) -> Result<Vec<String>, StoreError> {
    sqlx::query_scalar("SELECT id FROM bench WHERE state <> 'ended' ORDER BY id")
        .fetch_all(store.read())
        .await
        .what("list workbenches")
}

/// Notes that it can be worked in (`why` is empty), or why it can't for now; one that
/// somebody wants gone is left alone.
pub async fn opened(store: &Store, id: &str, why: &str) -> Result<(), StoreError> {
    let sql = if why.is_empty() {
        "UPDATE bench SET state = 'open', why = $2 WHERE id = $1 AND state IN ('starting', 'open')"
    } else {
        "UPDATE bench SET why = $2 WHERE id = $1 AND state <> 'ended'"
    };
    sqlx::query(sql).bind(id).bind(why).execute(store.write()).await.what("note how a workbench is").map(|_| ())
}

/// Wants it gone; whether it was not already.
pub async fn end(tx: &mut Tx<'_>, id: &str) -> Result<bool, StoreError> {
    let done =
        sqlx::query("UPDATE bench SET state = 'ending', why = '' WHERE id = $1 AND state IN ('starting', 'open')")
            .bind(id)
            .execute(&mut **tx)
            .await
            .what("end a workbench")?;
    Ok(done.rows_affected() == 1)
}

/// Notes that it is gone.
pub async fn ended(store: &Store, id: &str) -> Result<(), StoreError> {
    sqlx::query("UPDATE bench SET state = 'ended', why = '', ended_at = $2 WHERE id = $1 AND state = 'ending'")
        .bind(id)
        .bind(now_ms())
        .execute(store.write())
        .await
        .what("note that a workbench is gone")
        .map(|_| ())
}

/// A version that is to be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted {
    /// Id.
    pub id: String,
    /// The workbench.
    pub bench: String,
    /// Repository.
    pub repository: String,
    /// Tag.
    pub tag: String,
    /// What it is good for.
    pub description: String,
    /// Whether what should not go into an image is left out.
    pub leave_out: bool,
    /// Labels that it gets.
    pub labels: BTreeMap<String, String>,
    /// Paths that an earlier run has left out; none to begin with.
    pub left_out: Vec<String>,
    /// Account of who asked.
    pub account: String,
    /// Name of who asked.
    pub name: String,
}

/// Records one; `false`: somebody else is making the same version.
pub async fn ask_commit(tx: &mut Tx<'_>, w: &Wanted) -> Result<bool, StoreError> {
    let done = sqlx::query(
        "INSERT INTO bench_commit (id, bench, repository, tag, digest, description, leave_out, labels, state, pushed, \
         pushed_of, why, changes, left_out, by_account, by_name, asked_at) VALUES ($1, $2, $3, $4, '', $5, $6, $7, 'open', \
         0, 0, '', $8, '[]', $9, $10, $11) ON CONFLICT DO NOTHING",
    )
    .bind(&w.id)
    .bind(&w.bench)
    .bind(&w.repository)
    .bind(&w.tag)
    .bind(&w.description)
    .bind(i64::from(w.leave_out))
    .bind(to_json("bench_commit.labels", &w.labels)?)
    .bind(to_json("bench_commit.changes", &BenchChanges::default())?)
    .bind(&w.account)
    .bind(&w.name)
    .bind(now_ms())
    .execute(&mut **tx)
    .await
    .what("record a version of a workbench")?;
    Ok(done.rows_affected() == 1)
}

/// What is wanted, while it is open.
pub async fn find_commit(store: &Store, id: &str) -> Result<Option<Wanted>, StoreError> {
    let found = sqlx::query("SELECT * FROM bench_commit WHERE id = $1 AND state = 'open'").bind(id);
    let Some(r) = found.fetch_optional(store.read()).await.what("read a version of a workbench")? else {
        return Ok(None);
    };
    Ok(Some(Wanted {
        id: id.to_owned(),
        bench: text(&r, "bench")?,
        repository: text(&r, "repository")?,
        tag: text(&r, "tag")?,
        description: text(&r, "description")?,
        leave_out: number(&r, "leave_out")? == 1,
        labels: from_json("bench_commit.labels", &text(&r, "labels")?)?,
        left_out: from_json("bench_commit.left_out", &text(&r, "left_out")?)?,
        account: text(&r, "by_account")?,
        name: text(&r, "by_name")?,
    }))
}

/// Whether a version is being made of it.
pub async fn busy(tx: &mut Tx<'_>, bench: &str) -> Result<bool, StoreError> {
    let n: i64 = sqlx::query_scalar("SELECT COUNT(*) FROM bench_commit WHERE bench = $1 AND state = 'open'")
        .bind(bench)
        .fetch_one(&mut **tx)
        .await
        .what("see whether a version is being made")?;
    Ok(n > 0)
}

/// Notes what goes into it and what does not.
pub async fn taken(store: &Store, id: &str, changes: &BenchChanges, left_out: &[String]) -> Result<(), StoreError> {
    sqlx::query("UPDATE bench_commit SET changes = $2, left_out = $3 WHERE id = $1 AND state = 'open'")
        .bind(id)
        .bind(to_json("bench_commit.changes", changes)?)
        .bind(to_json("bench_commit.left_out", &left_out)?)
        .execute(store.write())
        .await
        .what("note what goes into a version")
        .map(|_| ())
}

/// Notes how far it is, or (`why`) why it does not go on for now.
pub async fn progress(store: &Store, id: &str, (at, of): (u64, u64), why: &str) -> Result<(), StoreError> {
    sqlx::query("UPDATE bench_commit SET pushed = $2, pushed_of = $3, why = $4 WHERE id = $1 AND state = 'open'")
        .bind(id)
        .bind(i64::try_from(at).unwrap_or(i64::MAX))
        .bind(i64::try_from(of).unwrap_or(i64::MAX))
        .bind(why)
        .execute(store.write())
        .await
        .what("note how far a version is")
        .map(|_| ())
}

/// Ends it with its digest, or with why there is none; whether it was open.
pub async fn end_commit(tx: &mut Tx<'_>, id: &str, made: Result<&str, &str>) -> Result<bool, StoreError> {
    let (state, digest, why) = match made {
        Ok(digest) => (CommitState::Done, digest, ""),
        Err(why) => (CommitState::Failed, "", why),
    };
    let done = sqlx::query(
        "UPDATE bench_commit SET state = $2, digest = $3, why = $4, ended_at = $5 WHERE id = $1 AND state = 'open'",
    )
    .bind(id)
    .bind(state.as_str())
    .bind(digest)
    .bind(why)
    .bind(now_ms())
    .execute(&mut **tx)
    .await
    .what("end a version of a workbench")?;
    Ok(done.rows_affected() == 1)
}

/// A version, joined with its workbench's `base_repo` and `base_digest`, for the pages.
pub fn commit_row(r: &AnyRow) -> Result<CommitRow, StoreError> {
    const WHAT: &str = "read a version of a workbench";
    Ok(CommitRow {
        id: text(r, "id")?,
        bench: text(r, "bench")?,
        repository: text(r, "repository")?,
        tag: text(r, "tag")?,
        digest: text(r, "digest")?,
        base: (text(r, "base_repo")?, text(r, "base_digest")?),
        description: text(r, "description")?,
        state: word("bench_commit.state", &text(r, "state")?, CommitState::parse)?,
        pushed: (number(r, "pushed")?, number(r, "pushed_of")?),
        why: text(r, "why")?,
        changes: from_json("bench_commit.changes", &text(r, "changes")?)?,
        left_out: from_json("bench_commit.left_out", &text(r, "left_out")?)?,
        by: text(r, "by_name")?,
        asked_at: r.try_get("asked_at").what(WHAT)?,
        ended_at: r.try_get("ended_at").what(WHAT)?,
    })
}

/// Versions that were made of a workbench, or that are exactly this digest; newest first.
pub async fn commits(store: &Store, bench: Option<&str>, digest: Option<&str>) -> Result<Vec<CommitRow>, StoreError> {
    let (column, value) = match (bench, digest) {
        (Some(bench), _) => ("c.bench", bench),
        (None, Some(digest)) if !digest.is_empty() => ("c.digest", digest),
        _ => return Ok(Vec::new()),
    };
    let sql = format!(
        "SELECT c.*, b.repository AS base_repo, b.digest AS base_digest FROM bench_commit c JOIN bench b ON b.id = c.bench \
         WHERE {column} = $1 ORDER BY c.asked_at DESC, c.id DESC LIMIT 50"
    );
    let rows = sqlx::query(&sql).bind(value).fetch_all(store.read()).await.what("list versions of workbenches")?;
    rows.iter().map(commit_row).collect()
}

/// Records that a terminal is open; its number.
pub async fn record(tx: &mut Tx<'_>, bench: &str, by: (&str, &str)) -> Result<u32, StoreError> {
    const WHAT: &str = "record a terminal";
    let last: Option<i64> = sqlx::query_scalar("SELECT MAX(number) FROM bench_record WHERE bench = $1")
        .bind(bench)
        .fetch_one(&mut **tx)
        .await
        .what(WHAT)?;
    let number = last.unwrap_or_default() + 1;
    sqlx::query("INSERT INTO bench_record (bench, number, by_account, by_name, began_at) VALUES ($1, $2, $3, $4, $5)")
        .bind(bench)
        .bind(number)
        .bind(by.0)
        .bind(by.1)
        .bind(now_ms())
        .execute(&mut **tx)
        .await
        .what(WHAT)?;
    Ok(u32::try_from(number).unwrap_or(u32::MAX))
}

/// Notes that a terminal has ended.
pub async fn recorded(store: &Store, bench: &str, number: u32) -> Result<(), StoreError> {
    sqlx::query("UPDATE bench_record SET ended_at = $3 WHERE bench = $1 AND number = $2")
        .bind(bench)
        .bind(i64::from(number))
        .bind(now_ms())
        .execute(store.write())
        .await
        .what("note that a terminal has ended")
        .map(|_| ())
}

/// Terminals of a workbench, newest first.
pub async fn records(store: &Store, bench: &str) -> Result<Vec<BenchRecord>, StoreError> {
    const WHAT: &str = "list terminals";
    let rows = sqlx::query("SELECT * FROM bench_record WHERE bench = $1 ORDER BY number DESC LIMIT 100")
        .bind(bench)
        .fetch_all(store.read())
        .await
        .what(WHAT)?;
    let one = |r: &AnyRow| {
        Ok(BenchRecord {
            number: u32::try_from(number(r, "number")?).unwrap_or(u32::MAX),
            by: text(r, "by_name")?,
            began_at: r.try_get("began_at").what(WHAT)?,
            ended_at: r.try_get("ended_at").what(WHAT)?,
        })
    };
    rows.iter().map(one).collect()
}
