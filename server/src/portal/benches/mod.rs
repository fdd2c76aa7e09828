//! Workbenches: starting one, ending it, making a version of it.
//!
//! A workbench is a person's. One could get it wrong by asking for the role alone: who has
//! left a team goes on seeing what he once started, and may end it, but what he may start
//! and where a version may go is asked anew each time.

mod commit;
mod terminal;

use super::sql::{Cols, Paging, Sql};
use super::{PadisPortal, images, once};
use crate::store::journal::{self, Entry};
use crate::store::{StoreError, What, benches, work};
use async_trait::async_trait;
use padis_domain::Problem;
use padis_domain::action::Reason;
use padis_domain::benches::Benches;
use padis_domain::caller::Caller;
use padis_domain::portal::Answer;
use padis_domain::ports::{BenchChanges, BenchSpec, Host, PortError, PortResult, Terminal};
use padis_domain::problem::{FieldChange, System, ValueFault};
use padis_domain::stack::LABEL_PREFIX;
use padis_domain::view::{BenchOffer, BenchRow, BenchState, BenchView, ListQuery, NewBench, NewCommit, Page};
use std::collections::BTreeMap;
use std::time::Duration;

/// The form's name among tokens.
const START: &str = "start_bench";
/// How many a person has at the same time; the sentence of [`Reason::EnoughBenches`] names it.
const MOST_OF_ONE: i64 = 3;
/// What one may use: a core, and memory for a JVM that is tried out.
const CPU_MILLI: u32 = 1000;
const MEM_MIB: u64 = 1024;
/// How long somebody waits for a host to say what was changed.
const LIVE: Duration = Duration::from_secs(5);
/// Changed paths that are shown: each is asked for its size.
const MOST_CHANGES: usize = 1000;

#[async_trait]
impl Benches for PadisPortal {
    async fn bench_offer(&self, c: &Caller, registry: &str, repository: &str, tag: &str) -> Answer<BenchOffer> {
        let version = images::version(self, c, registry, repository, tag).await?;
        let own = self.registries.all().first().is_some_and(|own| own.name == registry);
        if !own {
            return Ok(BenchOffer::default());
        }
        let made = benches::commits(&self.store, None, Some(&version.digest)).await?.into_iter().next();
        let built = crate::store::recipes::built(&self.store, &version.digest).await?;
        let known = version.fault.is_empty();
        Ok(BenchOffer { pools: if known { offered_pools(self, c).await? } else { Vec::new() }, made, built })
    }
    async fn benches(&self, c: &Caller, q: &ListQuery) -> Answer<Page<BenchRow>> {
        list(self, c, q).await
    }
    async fn bench(&self, c: &Caller, id: &str) -> Answer<BenchView> {
        view(self, c, id).await
    }
    async fn start_bench(&self, c: &Caller, new: &NewBench, token: &str) -> Answer<String> {
        start(self, c, new, token).await
    }
    async fn end_bench(&self, c: &Caller, id: &str) -> Answer<()> {
        end(self, c, id).await
    }
    async fn commit_bench(&self, c: &Caller, new: &NewCommit, token: &str) -> Answer<String> {
        commit::ask(self, c, new, token).await
    }
    async fn bench_terminal(&self, c: &Caller, id: &str, columns: u16, rows: u16) -> Answer<Terminal> {
        terminal::open(self, c, id, columns, rows).await
    }
    async fn bench_record(&self, c: &Caller, id: &str, number: u32) -> Answer<Vec<u8>> {
        terminal::record(self, c, id, number).await
    }
}

/// One that the caller may know of; `true`: it is his own.
async fn known(p: &PadisPortal, c: &Caller, id: &str) -> Answer<(BenchSpec, BenchRow, bool)> {
    let (spec, row) = benches::find(&p.store, id).await?.ok_or(Problem::NotFound)?;
    let own = row.by_account == c.account;
    if !own && c.inspector().is_err() {
        return Err(Problem::NotFound);
    }
    Ok((spec, row, own && !c.read_only()))
}

/// One that the caller may change; operators clear up what others have left.
async fn own(p: &PadisPortal, c: &Caller, id: &str) -> Answer<(BenchSpec, BenchRow)> {
    match known(p, c, id).await? {
        (spec, row, true) => Ok((spec, row)),
        _ => Err(Problem::NotAllowed { needs: "owner".to_owned() }),
    }
}

/// Hosts of a pool on which one can run, the emptiest first.
fn hosts(p: &PadisPortal, spec: &padis_domain::pool::PoolSpec) -> Vec<Host> {
    let seen = p.live.hosts();
    let mut hosts: Vec<Host> = super::pools::hosts_of(p, spec)
        .into_iter()
        .filter(|h| h.active && !p.live.is_out(&h.id) && p.workbench.serves(&h.name))
        .collect();
    drop(seen);
    let free = |h: &Host| h.mem_mib.saturating_sub(h.mem_used_mib);
    hosts.sort_by(|a, b| free(b).cmp(&free(a)).then_with(|| a.name.cmp(&b.name)));
    hosts
}

/// Pools in which the caller may start one or build: those who decide about images in all,
/// others where a team of theirs has a quota.
pub(super) async fn offered_pools(p: &PadisPortal, c: &Caller) -> Answer<Vec<String>> {
    if c.read_only() {
        return Ok(Vec::new());
    }
    let teams: Vec<String> = c.teams.keys().cloned().collect();
    let mut out = Vec::new();
    for spec in crate::store::apps::pools(&p.store).await? {
        if hosts(p, &spec).is_empty() {
            continue;
        }
        let may = c.publisher().is_ok() || (!teams.is_empty() && has_quota(p, &teams, &spec.name).await?);
        if may {
            out.push(spec.name);
        }
    }
    Ok(out)
}

/// The host in a pool that has the most room, if the caller may use that pool.
pub(super) async fn host_in(p: &PadisPortal, c: &Caller, pool: &str) -> Answer<Option<String>> {
    if !offered_pools(p, c).await?.iter().any(|offered| offered == pool) {
        return Ok(None);
    }
    let spec = crate::store::apps::pools(&p.store).await?.into_iter().find(|s| s.name == pool);
    Ok(spec.and_then(|s| hosts(p, &s).into_iter().next()).map(|h| h.name))
}

/// What the names of repositories begin with into which the caller may put a version; empty:
/// with anything.
pub(super) fn own_below(c: &Caller) -> Vec<String> {
    match c.publisher() {
        Ok(_) => Vec::new(),
        Err(_) => c.teams.keys().map(|team| format!("teams/{team}/")).collect(),
    }
}

async fn has_quota(p: &PadisPortal, teams: &[String], pool: &str) -> Result<bool, StoreError> {
    let n = Sql::new("SELECT COUNT(*) FROM quota WHERE pool = ")
        .bind(pool)
        .text(" AND team IN ")
        .list(teams.iter().map(String::as_str))
        .number(p.store.read(), "whether a team has a quota in a pool")
        .await?;
    Ok(n > 0)
}

async fn start(p: &PadisPortal, c: &Caller, new: &NewBench, token: &str) -> Answer<String> {
    if c.read_only() || (c.publisher().is_err() && c.teams.is_empty()) {
        return Err(Problem::NotAllowed { needs: "member".to_owned() });
    }
    let own = p.registries.all().first().ok_or(Problem::NotFound)?;
    let version = images::version(p, c, &own.name, &new.repository, &new.tag).await?;
    if new.pool.is_empty() {
        return Err(Problem::missing("pool"));
    }
    let host = host_in(p, c, &new.pool).await?.ok_or_else(|| Problem::field("pool", ValueFault::Unknown))?;
    let spec = BenchSpec {
        id: uuid::Uuid::now_v7().simple().to_string(),
        host,
        repository: new.repository.clone(),
        digest: version.digest,
        cpu_milli: CPU_MILLI,
        mem_mib: MEM_MIB,
    };
    let mut tx = p.store.begin().await?;
    if let Some(id) = once::before::<String>(&mut tx, p.store.kind(), c, token, START).await? {
        return Ok(id);
    }
    // Two forms of one person at the very same moment may make one more: what is counted is there
    // against forgetting, not against somebody who means it.
    let has: i64 = sqlx::query_scalar("SELECT COUNT(*) FROM bench WHERE by_account = $1 AND state <> 'ended'")
        .bind(&c.account)
        .fetch_one(&mut *tx)
        .await
        .what("count somebody's workbenches")?;
    if has >= MOST_OF_ONE {
        return Err(Problem::NotNow { reason: Reason::EnoughBenches });
    }
    benches::ask(&mut tx, &spec, &new.tag, &new.pool, (&c.account, &c.name)).await?;
    work::touch(&mut tx, &benches::key(&spec.id)).await?;
    let changes = vec![
        change("image", &format!("{}:{}", new.repository, new.tag)),
        change("digest", &spec.digest),
        change("pool", &new.pool),
        change("host", &spec.host),
    ];
    journal::append(&p.store, &mut tx, &entry(c, "bench.start", &spec.id, changes)).await?;
    once::keep(&mut tx, token, START, &spec.id).await?;
    tx.commit().await.what("record a workbench")?;
    told(p);
    Ok(spec.id)
}

async fn end(p: &PadisPortal, c: &Caller, id: &str) -> Answer<()> {
    let (_, row, own) = known(p, c, id).await?;
    if !own {
        c.operator()?;
    }
    let mut tx = p.store.begin().await?;
    if benches::busy(&mut tx, id).await? {
        return Err(Problem::NotNow { reason: Reason::BenchKeeping });
    }
    if benches::end(&mut tx, id).await? {
        work::touch(&mut tx, &benches::key(id)).await?;
        let changes = vec![change("image", &format!("{}:{}", row.repository, row.tag))];
        journal::append(&p.store, &mut tx, &entry(c, "bench.end", id, changes)).await?;
    }
    tx.commit().await.what("end a workbench")?;
    told(p);
    Ok(())
}

async fn list(p: &PadisPortal, c: &Caller, q: &ListQuery) -> Answer<Page<BenchRow>> {
    const WHAT: &str = "list workbenches";
    let paging = Paging::of(q);
    let filtered = |sql: Sql| {
        let mut sql = sql.text(" FROM bench b WHERE 1 = 1");
        if c.inspector().is_err() {
            sql = sql.text(" AND b.by_account = ").bind(&c.account);
        }
        if !q.state.is_empty() {
            sql = sql.text(" AND b.state = ").bind(&q.state);
        }
        sql.find(p.store.kind(), &["b.repository", "b.tag", "b.by_name", "b.host", "b.pool"], &q.q)
    };
    let total = filtered(Sql::new("SELECT COUNT(*)")).number(p.store.read(), WHAT).await?;
    let rows = filtered(Sql::new(
        "SELECT b.*, (SELECT COUNT(*) FROM bench_commit m WHERE m.bench = b.id AND m.state = 'done') AS versions",
    ))
    .order("b.asked_at", true, ", b.id DESC")
    .page(paging)
    .all(p.store.read(), WHAT)
    .await?;
    Ok(paging.wrap(rows.iter().map(benches::row).collect::<Result<_, _>>()?, total))
}

async fn view(p: &PadisPortal, c: &Caller, id: &str) -> Answer<BenchView> {
    let (spec, mut row, may) = known(p, c, id).await?;
    let commits = benches::commits(&p.store, Some(id), None).await?;
    row.versions = commits.iter().filter(|m| !m.digest.is_empty()).count() as u64;
    let (changes, changes_why) = match row.state {
        BenchState::Open => match live(p.workbench.changes(&spec.host, id, MOST_CHANGES)).await {
            Ok(changes) => (changes, None),
            Err(problem) => (BenchChanges::default(), Some(problem)),
        },
        _ => (BenchChanges::default(), None),
    };
    let contract = contract(p, &spec).await?;
    Ok(BenchView {
        may: may && matches!(row.state, BenchState::Starting | BenchState::Open),
        row,
        registry: p.registries.all().first().map(|own| own.name.clone()).unwrap_or_default(),
        changes,
        changes_why,
        logs: contract.get("logs").cloned(),
        contract,
        commits,
        records: benches::records(&p.store, id).await?,
        below: own_below(c),
    })
}

/// The labels of the contract that the base has, without their prefix.
async fn contract(p: &PadisPortal, spec: &BenchSpec) -> Answer<BTreeMap<String, String>> {
    let rows = Sql::new("SELECT facts FROM image WHERE fault = '' AND digest = ")
        .bind(&spec.digest)
        .all(p.store.read(), "read an image's contract")
        .await?;
    let image = rows.first().map(|r| r.json::<padis_domain::ports::Image>("facts")).transpose()?;
    let labels = image.map(|i| i.labels).unwrap_or_default();
    Ok(labels.into_iter().filter_map(|(k, v)| Some((k.strip_prefix(LABEL_PREFIX)?.to_owned(), v))).collect())
}

/// What a host says, for somebody who waits.
async fn live<T>(asked: impl Future<Output = PortResult<T>>) -> Answer<T> {
    let said = tokio::time::timeout(LIVE, asked).await;
    let said = said.unwrap_or_else(|_| {
        Err(PortError::transient(System::Docker, "ask a workbench's host", "no answer within 5 s"))
    });
    said.map_err(|e| match crate::store::incident(&e) {
        Problem::Internal { incident } => Problem::Unavailable { system: System::Docker, incident },
        other => other,
    })
}

fn change(field: &str, after: &str) -> FieldChange {
    FieldChange { field: field.to_owned(), before: String::new(), after: after.to_owned() }
}

fn entry(c: &Caller, what: &str, id: &str, changes: Vec<FieldChange>) -> Entry {
    Entry { who: c.account.clone(), what: what.to_owned(), subject: format!("bench:{id}"), changes, ..Entry::default() }
}

/// After the commit of a change: wakes the reconciler and tells the browsers.
fn told(p: &PadisPortal) {
    p.registries.asked.notify_waiters();
    p.platform_changed(&["benches", "work"]);
}
