//! Going online for the first time.
//!
//! One function judges, for "check while I type" and for the command, so that the
//! two can't disagree; the command calls it inside its transaction. One could get
//! it wrong by judging outside: the quota could be gone a moment later.

use super::PadisPortal;
use super::admit::{Ask, admit};
use super::check::{self, Problems};
use super::pools::visible;
use super::records::AppRec;
use super::rollout::{NewRec, record};
use super::sql::{Cols, Sql, for_share};
use super::standards::{Choice, may_choose};
use super::{diff, once};
use crate::store::apps::read_pool;
use crate::store::journal::{self, Entry};
use crate::store::{Kind, StoreError, What, now_ms, work};
use padis_domain::Problem;
use padis_domain::action::AppState;
use padis_domain::app::{AppRef, Env, ReleaseSpec, Wanted};
use padis_domain::caller::Caller;
use padis_domain::package::PackageKind;
use padis_domain::pool::PoolSpec;
use padis_domain::portal::Answer;
use padis_domain::problem::ValueFault;
use padis_domain::quantity::Amount;
use padis_domain::stack::Contract;
use padis_domain::view::{Event, NewApp, fits};
use sqlx::AnyConnection;

/// A middleware as chosen.
#[derive(Debug, Clone)]
pub struct Stack {
    /// `name:version`.
    pub key: String,
    /// Image by digest.
    pub image: String,
    /// Contract.
    pub contract: Contract,
}

/// A package as chosen.
#[derive(Debug, Clone)]
pub struct Package {
    /// Kind.
    pub kind: PackageKind,
    /// File name.
    pub file_name: String,
}

/// The middleware of this key, if its image is there.
pub async fn stack(conn: &mut AnyConnection, out: &mut Problems, key: &str) -> Result<Option<Stack>, StoreError> {
    if key.is_empty() {
        out.0.push(Problem::missing("stack"));
        return Ok(None);
    }
    let row = sqlx::query("SELECT image, contract, gone_at FROM stack WHERE key = $1")
        .bind(key)
        .fetch_optional(conn)
        .await
        .what("read a middleware")?;
    match row {
        None => out.add("stack", ValueFault::Unknown),
        Some(r) if r.oi("gone_at")?.is_some() => out.0.push(Problem::StackGone { stack: key.to_owned() }),
        Some(r) => return Ok(Some(Stack { key: key.to_owned(), image: r.s("image")?, contract: r.json("contract")? })),
    }
    Ok(None)
}

/// The team's package with this digest.
pub async fn package(
    conn: &mut AnyConnection,
    out: &mut Problems,
    team: &str,
    sha256: &str,
) -> Result<Option<Package>, StoreError> {
    if sha256.is_empty() {
        out.0.push(Problem::missing("package"));
        return Ok(None);
    }
    let row = sqlx::query("SELECT kind, file_name FROM package WHERE sha256 = $1 AND team = $2")
        .bind(sha256)
        .bind(team)
        .fetch_optional(conn)
        .await
        .what("read a package")?;
    let Some(r) = row else {
        out.add("package", ValueFault::Unknown);
        return Ok(None);
    };
    Ok(Some(Package { kind: r.word("kind", PackageKind::parse)?, file_name: r.s("file_name")? }))
}

/// Says so if the package does not fit the middleware.
pub fn must_fit(out: &mut Problems, stack: &Stack, package: &Package) {
    if !fits(package.kind, &stack.contract) {
        out.0.push(Problem::PackageDoesNotFit { kind: package.kind.to_string(), stack: stack.key.clone() });
    }
}

/// The pool, if the caller may know of it. `lock`: for the command, nobody may
/// move its subnet or domain away until the application stands in it.
async fn pool(
    conn: &mut AnyConnection,
    out: &mut Problems,
    lock: Option<Kind>,
    c: &Caller,
    name: &str,
) -> Result<Option<PoolSpec>, StoreError> {
    if name.is_empty() {
        out.0.push(Problem::missing("pool"));
        return Ok(None);
    }
    let sql = visible(Sql::new("SELECT p.* FROM pool p WHERE p.name = ").bind(name).text(" AND "), &c.scope());
    let sql = sql.text(lock.map(for_share).unwrap_or_default());
    let row = sql.query().fetch_optional(conn).await.what("read a pool")?;
    if row.is_none() {
        out.add("pool", ValueFault::Unknown);
    }
    row.as_ref().map(read_pool).transpose()
}

struct Judged {
    stack: Stack,
    package: Package,
    pool: PoolSpec,
}

/// Everything that is wrong with it, or what it names.
async fn judge(
    p: &PadisPortal,
    conn: &mut AnyConnection,
    lock: bool,
    c: &Caller,
    new: &NewApp,
) -> Result<Result<Judged, Problems>, StoreError> {
    let mut out = Problems::default();
    let known: Option<String> = sqlx::query_scalar("SELECT slug FROM team WHERE slug = $1")
        .bind(&new.team)
        .fetch_optional(&mut *conn)
        .await
        .what("read a team")?;
    if known.is_none() {
        out.add("team", ValueFault::Unknown);
    }
    out.name("name", &new.name);
    out.text("title", &new.title, check::MAX_TITLE);
    let stack = stack(conn, &mut out, &new.stack).await?;
    let package = package(conn, &mut out, &new.team, &new.package).await?;
    if let (Some(s), Some(g)) = (&stack, &package) {
        must_fit(&mut out, s, g);
    }
    check::instances(&mut out, new.instances);
    check::size(&mut out, new.size, stack.as_ref().map_or(0, |s| s.contract.min_mem_mib));
    check::health(&mut out, &new.health);
    check::env(&mut out, &new.env, &Env::new());
    let pool = pool(conn, &mut out, lock.then(|| p.store.kind()), c, &new.pool).await?;
    if let Some(s) = &stack {
        may_choose(conn, &mut out, &s.key, Choice::Fresh, pool.as_ref().map(|p| p.stage)).await?;
    }
    if let Some(pool) = &pool {
        let ask = Ask {
            pool,
            team: &new.team,
            before: Amount::default(),
            after: new.size.times(new.instances),
            size: new.size,
        };
        out.0.extend(admit(p, conn, lock, ask).await?);
        if taken(conn, new, pool).await? {
            out.0.push(Problem::NameTaken { field: "name".into(), name: new.name.clone() });
        }
    }
    Ok(match (stack, package, pool) {
        (Some(stack), Some(package), Some(pool)) if out.0.is_empty() => Ok(Judged { stack, package, pool }),
        _ => Err(out),
    })
}

async fn taken(conn: &mut AnyConnection, new: &NewApp, pool: &PoolSpec) -> Result<bool, StoreError> {
    let n: i64 = sqlx::query_scalar("SELECT COUNT(*) FROM app WHERE (team = $1 AND name = $2) OR host_name = $3")
        .bind(&new.team)
        .bind(&new.name)
        .bind(pool.host_name(&new.name))
        .fetch_one(conn)
        .await
        .what("look for the name")?;
    Ok(n > 0)
}

/// A team that is not named is a fault of the form, somebody else's does not exist.
fn may(c: &Caller, new: &NewApp) -> Answer<()> {
    if new.team.is_empty() {
        return Err(Problem::missing("team"));
    }
    c.runs(&new.team).map(|_| ())
}

/// Everything that is wrong with it.
pub async fn check(p: &PadisPortal, c: &Caller, new: &NewApp) -> Answer<Vec<Problem>> {
    match may(c, new) {
        Err(missing @ Problem::Field { .. }) => return Ok(vec![missing]),
        other => other?,
    }
    let mut conn = p.store.read().acquire().await.what("check a form")?;
    Ok(judge(p, &mut conn, false, c, new).await?.err().map(|o| o.0).unwrap_or_default())
}

/// Goes online.
pub async fn create(p: &PadisPortal, c: &Caller, new: &NewApp, token: &str) -> Answer<AppRef> {
    const WHAT: &str = "app.create";
    may(c, new)?;
    let mut tx = p.store.begin().await?;
    if let Some(first) = once::before(&mut tx, p.store.kind(), c, token, WHAT).await? {
        return Ok(first);
    }
    let judged = match judge(p, &mut tx, true, c, new).await? {
        Ok(j) => j,
        Err(faults) => {
            faults.done()?;
            // Nothing was said against it and yet something is not there: not reached, and not ignored.
            return Err(Problem::NotFound);
        }
    };
    let app = AppRef { team: new.team.clone(), app: new.name.clone() };
    match insert(p, &mut tx, c, new, judged).await {
        Ok(()) => {}
        // Somebody took the name between the look and the insertion.
        Err(e) if e.is_unique() => return Err(Problem::NameTaken { field: "name".into(), name: new.name.clone() }),
        Err(e) => return Err(e.into()),
    }
    once::keep(&mut tx, token, WHAT, &app).await?;
    tx.commit().await.what("create an application")?;
    p.app_changed(&app);
    p.changes.publish("pools", Some(&app.team));
    Ok(app)
}

async fn insert(
    p: &PadisPortal,
    tx: &mut crate::store::Tx<'_>,
    c: &Caller,
    new: &NewApp,
    j: Judged,
) -> Result<(), StoreError> {
    let now = now_ms();
    let title = if new.title.trim().is_empty() { new.name.clone() } else { new.title.trim().to_owned() };
    let mut app = AppRec {
        id: uuid::Uuid::now_v7().simple().to_string(),
        app: AppRef { team: new.team.clone(), app: new.name.clone() },
        title,
        pool: j.pool.name.clone(),
        host_name: j.pool.host_name(&new.name),
        wanted: Wanted::Online,
        instances: new.instances,
        release: 0,
        size: new.size,
        state: AppState::Delivering,
        revision: 1,
        changed_at: now,
        changed_by: c.name.clone(),
    };
    let env = p.settings.sealer.env(&app.id, new.env.clone(), &Env::new())?;
    let rec = NewRec {
        spec: ReleaseSpec {
            stack: j.stack.contract.name.clone(),
            image: j.stack.image,
            package: new.package.clone(),
            size: new.size,
            health: new.health.clone(),
            env,
        },
        contract: j.stack.contract,
        stack_key: j.stack.key,
        package_kind: j.package.kind.to_string(),
        package_name: j.package.file_name,
        cause: "create",
        changes: Vec::new(),
    };
    // The application first: its unique names decide before anything else is written.
    sqlx::query(
        "INSERT INTO app (id, team, name, title, pool, host_name, wanted, instances, release, cpu_milli, mem_mib, state, well, \
                          revision, created_at, changed_at, changed_by) \
         VALUES ($1, $2, $3, $4, $5, $6, 'online', $7, 1, $8, $9, $10, 0, 1, $11, $11, $12)",
    )
    .bind(&app.id)
    .bind(&app.app.team)
    .bind(&app.app.app)
    .bind(&app.title)
    .bind(&app.pool)
    .bind(&app.host_name)
    .bind(i64::from(app.instances))
    .bind(i64::from(app.size.cpu_milli))
    .bind(i64::from(app.size.mem_mib))
    .bind(app.state.as_str())
    .bind(now)
    .bind(&app.changed_by)
    .execute(&mut **tx)
    .await
    .what("insert an application")?;
    record(tx, &mut app, &c.name, &rec, true, false).await?;
    work::touch(tx, &app.app.work_key()).await?;
    let changes = vec![
        diff::change("pool", "", &app.pool),
        diff::change("stack", "", &rec.stack_key),
        diff::change("package", "", &rec.package_name),
        diff::change("instances", "", app.instances.to_string()),
        diff::change("size", "", diff::size(app.size)),
    ];
    let event = Event::Did { by: c.name.clone(), action: "create".into(), changes: changes.clone() };
    let entry = Entry {
        who: c.account.clone(),
        what: "app.create".into(),
        subject: app.app.work_key(),
        team: Some(app.app.team.clone()),
        app_id: Some(app.id.clone()),
        event: Some(event),
        changes: super::frame::with_revision(changes, 0, 1),
    };
    journal::append(&p.store, tx, &entry).await.map(|_| ())
}
