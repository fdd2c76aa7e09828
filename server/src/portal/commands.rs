//! Changing an application that exists.
//!
//! Every command runs the same way: lock the form's token, lock the application,
//! compare `seen`, ask the one table whether the action is possible, record,
//! raise the revision, touch work, journal, keep the answer, commit; then wake
//! and tell. One could get it wrong by taking the locks in another order (token,
//! application, quota, work, journal: two commands would wait for each other), or
//! by telling the browsers before the commit.

use super::PadisPortal;
use super::admit::{Ask, admit};
use super::check::{self, Problems};
use super::create::{must_fit, package, stack};
use super::records::{self, AppRec, ReleaseRec, wanted_word};
use super::rollout::{NewRec, give_up, record};
use super::{diff, once};
use crate::store::apps::read_pool;
use crate::store::journal::{self, Entry};
use crate::store::{StoreError, Tx, What, now_ms, work};
use padis_domain::Problem;
use padis_domain::action::{Action, AppState, Reason, allowed};
use padis_domain::app::{AppRef, Wanted};
use padis_domain::caller::{Caller, Permit, Run};
use padis_domain::portal::Answer;
use padis_domain::problem::{FieldChange, ValueFault};
use padis_domain::quantity::Amount;
use padis_domain::view::{Event, NewRelease};
use padis_domain::words::TeamRole;
use serde::Serialize;
use serde::de::DeserializeOwned;

/// The field under which the journal keeps the revision; not shown.
pub const REVISION: &str = "revision";

/// The changes with the revision that they made.
pub fn with_revision(mut changes: Vec<FieldChange>, before: i64, after: i64) -> Vec<FieldChange> {
    changes.push(diff::change(REVISION, before.to_string(), after.to_string()));
    changes
}

/// A command under way.
struct Open<'a> {
    p: &'a PadisPortal,
    c: &'a Caller,
    tx: Tx<'static>,
    /// The application as it was.
    was: AppRec,
    /// As it will be.
    app: AppRec,
    action: Action,
    token: &'a str,
    key: String,
}

enum Begun<'a, T> {
    /// Sent before: this was the answer.
    Before(T),
    Now(Box<Open<'a>>),
}

async fn begin<'a, T: DeserializeOwned>(
    p: &'a PadisPortal,
    may: Permit<'a, Run>,
    app: &AppRef,
    action: Action,
    seen: Option<i64>,
    token: &'a str,
) -> Answer<Begun<'a, T>> {
    let mut tx = p.store.begin().await?;
    let key = format!("app.{action} {app}");
    if let Some(first) = once::before(&mut tx, p.store.kind(), may.caller, token, &key).await? {
        return Ok(Begun::Before(first));
    }
    let was = records::lock(&mut tx, p.store.kind(), app).await?;
    if seen.is_some_and(|s| s != was.revision) {
        return Err(meanwhile(&mut tx, &was, seen.unwrap_or_default()).await?);
    }
    allowed(was.state, action).map_err(|reason| Problem::NotNow { reason })?;
    Ok(Begun::Now(Box::new(Open { p, c: may.caller, tx, app: was.clone(), was, action, token, key })))
}

/// What others did since the revision that the page was loaded with.
async fn meanwhile(tx: &mut Tx<'_>, app: &AppRec, seen: i64) -> Result<Problem, StoreError> {
    let rows = sqlx::query(
        "SELECT * FROM journal WHERE app_id = $1 AND what IN ('app.scale', 'app.release', 'app.roll-back', 'app.restart', \
                'app.stop', 'app.start', 'app.configure', 'app.delete') ORDER BY seq DESC LIMIT 50",
    )
    .bind(&app.id)
    .fetch_all(&mut **tx)
    .await
    .what("read what changed meanwhile")?;
    let mut changes = Vec::new();
    for r in rows.iter().rev() {
        let stored = journal::read(r)?;
        let made = stored.entry.changes.iter().find(|c| c.field == REVISION).and_then(|c| c.after.parse::<i64>().ok());
        if made.is_some_and(|m| m > seen) {
            changes.extend(stored.entry.changes.into_iter().filter(|c| c.field != REVISION));
        }
    }
    Ok(Problem::ChangedMeanwhile { by: app.changed_by.clone(), at: app.changed_at, changes })
}

impl Open<'_> {
    /// The active release.
    async fn active(&mut self) -> Result<ReleaseRec, StoreError> {
        let found = records::release(&mut self.tx, &self.was.id, self.was.release).await?;
        found.ok_or_else(|| StoreError::Row {
            what: "release",
            detail: format!("{} of {} is missing", self.was.release, self.was.app),
        })
    }

    /// Adds what stands against the room that the change needs.
    async fn room(&mut self, out: &mut Problems) -> Result<(), StoreError> {
        let row = sqlx::query("SELECT * FROM pool WHERE name = $1")
            .bind(&self.app.pool)
            .fetch_one(&mut *self.tx)
            .await
            .what("read a pool")?;
        let pool = read_pool(&row)?;
        let (before, after) = (self.was.held(), self.app.held());
        if after.minus(before) == Amount::default() {
            return Ok(());
        }
        let ask = Ask { pool: &pool, team: &self.app.app.team, before, after, size: self.app.size };
        out.0.extend(admit(self.p, &mut self.tx, true, ask).await?);
        Ok(())
    }

    /// Records a release that goes online (or, of a stopped application, waits for its start).
    async fn roll_out(&mut self, new: NewRec) -> Result<u32, StoreError> {
        let online = self.app.wanted == Wanted::Online;
        let replaces = self.was.wanted == Wanted::Online;
        if online {
            self.app.state = AppState::Delivering;
        }
        record(&mut self.tx, &mut self.app, &self.c.name, &new, online, replaces).await
    }

    /// Writes the application, the journal and the answer, commits and tells.
    async fn done<T: Serialize>(mut self, changes: Vec<FieldChange>, answer: T) -> Answer<T> {
        let (a, tx) = (&self.app, &mut self.tx);
        let revision = self.was.revision + 1;
        sqlx::query(
            "UPDATE app SET wanted = $2, instances = $3, release = $4, cpu_milli = $5, mem_mib = $6, state = $7, \
                            revision = $8, changed_at = $9, changed_by = $10 WHERE id = $1",
        )
        .bind(&a.id)
        .bind(wanted_word(a.wanted))
        .bind(i64::from(a.instances))
        .bind(i64::from(a.release))
        .bind(i64::from(a.size.cpu_milli))
        .bind(i64::from(a.size.mem_mib))
        .bind(a.state.as_str())
        .bind(revision)
        .bind(now_ms())
        .bind(&self.c.name)
        .execute(&mut **tx)
        .await
        .what("change an application")?;
        work::touch(tx, &a.app.work_key()).await?;
        let action = self.action.to_string();
        let entry = Entry {
            who: self.c.account.clone(),
            what: format!("app.{action}"),
            subject: a.app.work_key(),
            team: Some(a.app.team.clone()),
            app_id: Some(a.id.clone()),
            event: Some(Event::Did { by: self.c.name.clone(), action, changes: changes.clone() }),
            changes: with_revision(changes, self.was.revision, revision),
        };
        once::keep(tx, self.token, &self.key, &answer).await?;
        journal::append(&self.p.store, tx, &entry).await?;
        self.tx.commit().await.what("change an application")?;
        self.p.app_changed(&self.app.app);
        if self.was.held() != self.app.held() {
            self.p.changes.publish("pools", Some(&self.app.app.team));
        }
        Ok(answer)
    }
}

/// Another package, middleware or configuration. With a package or a middleware
/// a stopped application goes online; a mere configuration leaves it stopped.
pub async fn release(
    p: &PadisPortal,
    may: Permit<'_, Run>,
    app: &AppRef,
    new: &NewRelease,
    seen: i64,
    token: &str,
) -> Answer<u32> {
    let parts = new.stack.is_some() || new.package.is_some();
    if !parts && new.size.is_none() && new.health.is_none() && new.env.is_none() {
        return Err(Problem::missing("package"));
    }
    let action = if parts { Action::Release } else { Action::Configure };
    let mut o = match begin(p, may, app, action, Some(seen), token).await? {
        Begun::Before(n) => return Ok(n),
        Begun::Now(o) => o,
    };
    let old = o.active().await?;
    let mut out = Problems::default();
    let mut rec = NewRec {
        spec: old.spec.clone(),
        contract: old.contract.clone(),
        stack_key: old.stack_key.clone(),
        package_kind: old.package_kind.clone(),
        package_name: old.package_name.clone(),
        cause: if parts { "release" } else { "configure" },
        changes: Vec::new(),
    };
    let team = app.team.clone();
    let chosen = match &new.stack {
        Some(key) => stack(&mut o.tx, &mut out, key).await?,
        None => None,
    };
    if let Some(s) = chosen {
        rec.spec.stack.clone_from(&s.contract.name);
        rec.spec.image = s.image;
        rec.contract = s.contract;
        rec.stack_key = s.key;
    }
    if parts {
        let sha = new.package.clone().unwrap_or_else(|| old.spec.package.clone());
        if let Some(g) = package(&mut o.tx, &mut out, &team, &sha).await? {
            let s = super::create::Stack {
                key: rec.stack_key.clone(),
                image: String::new(),
                contract: rec.contract.clone(),
            };
            must_fit(&mut out, &s, &g);
            rec.spec.package = sha;
            rec.package_kind = g.kind.to_string();
            rec.package_name = g.file_name;
        }
        o.app.wanted = Wanted::Online;
    }
    rec.spec.size = new.size.unwrap_or(old.spec.size);
    check::size(&mut out, rec.spec.size, rec.contract.min_mem_mib);
    if let Some(h) = &new.health {
        check::health(&mut out, h);
        rec.spec.health = h.clone();
    }
    if let Some(e) = &new.env {
        check::env(&mut out, e, &old.spec.env);
        rec.spec.env = check::keep_secrets(e, &old.spec.env);
    }
    o.app.size = rec.spec.size;
    o.room(&mut out).await?;
    out.done()?;
    rec.changes = diff::diff(named(&old), named_new(&rec));
    let changes = rec.changes.clone();
    let number = o.roll_out(rec).await?;
    o.done(with_release(&old, number, changes), number).await
}

fn named(r: &ReleaseRec) -> diff::Named<'_> {
    diff::Named { stack_key: &r.stack_key, package_name: &r.package_name, spec: &r.spec }
}
fn named_new(r: &NewRec) -> diff::Named<'_> {
    diff::Named { stack_key: &r.stack_key, package_name: &r.package_name, spec: &r.spec }
}
fn with_release(old: &ReleaseRec, number: u32, changes: Vec<FieldChange>) -> Vec<FieldChange> {
    let release = diff::change("release", format!("r{}", old.number), format!("r{number}"));
    std::iter::once(release).chain(changes).collect()
}

/// An earlier release again, as a new one.
pub async fn roll_back(
    p: &PadisPortal,
    may: Permit<'_, Run>,
    app: &AppRef,
    to: u32,
    seen: i64,
    token: &str,
) -> Answer<()> {
    let mut o = match begin(p, may, app, Action::RollBack, Some(seen), token).await? {
        Begun::Before(()) => return Ok(()),
        Begun::Now(o) => o,
    };
    if to == o.was.release {
        return Err(Problem::NotNow { reason: Reason::NoEarlierRelease });
    }
    let old = o.active().await?;
    let id = o.was.id.clone();
    let back = records::release(&mut o.tx, &id, to).await?.ok_or_else(|| Problem::field("to", ValueFault::Unknown))?;
    let mut out = Problems::default();
    // Are its parts still there? The image stays the one by digest that it had.
    stack(&mut o.tx, &mut out, &back.stack_key).await?;
    package(&mut o.tx, &mut out, &app.team, &back.spec.package).await?;
    o.app.wanted = Wanted::Online;
    o.app.size = back.spec.size;
    o.room(&mut out).await?;
    out.done()?;
    let mut changes = vec![diff::change("release", format!("r{}", old.number), format!("r{to}"))];
    changes.extend(diff::diff(named(&old), named(&back)));
    o.roll_out(again_of(back, "roll-back", changes.clone())).await?;
    o.done(changes, ()).await
}

fn again_of(r: ReleaseRec, cause: &'static str, changes: Vec<FieldChange>) -> NewRec {
    NewRec {
        spec: r.spec,
        contract: r.contract,
        stack_key: r.stack_key,
        package_kind: r.package_kind,
        package_name: r.package_name,
        cause,
        changes,
    }
}

/// The same release once more.
#[derive(Debug, Clone, Copy)]
pub enum Again {
    /// Replace all instances.
    Restart,
    /// From stopped.
    Start,
}

/// Restarts or starts.
pub async fn again(
    p: &PadisPortal,
    may: Permit<'_, Run>,
    app: &AppRef,
    how: Again,
    seen: i64,
    token: &str,
) -> Answer<()> {
    let (action, cause) = match how {
        Again::Restart => (Action::Restart, "restart"),
        Again::Start => (Action::Start, "start"),
    };
    let mut o = match begin(p, may, app, action, Some(seen), token).await? {
        Begun::Before(()) => return Ok(()),
        Begun::Now(o) => o,
    };
    let old = o.active().await?;
    o.app.wanted = Wanted::Online;
    let mut out = Problems::default();
    o.room(&mut out).await?;
    out.done()?;
    let mut changes = Vec::new();
    if o.was.wanted != Wanted::Online {
        changes.push(diff::change("state", wanted_word(o.was.wanted), wanted_word(Wanted::Online)));
    }
    let number = o.roll_out(again_of(old.clone(), cause, Vec::new())).await?;
    o.done(with_release(&old, number, changes), ()).await
}

/// Changes the number of instances.
pub async fn scale(p: &PadisPortal, may: Permit<'_, Run>, app: &AppRef, n: u32, seen: i64, token: &str) -> Answer<()> {
    let mut o = match begin(p, may, app, Action::Scale, Some(seen), token).await? {
        Begun::Before(()) => return Ok(()),
        Begun::Now(o) => o,
    };
    let mut out = Problems::default();
    check::instances(&mut out, n);
    out.done()?;
    o.app.instances = n;
    let mut out = Problems::default();
    o.room(&mut out).await?;
    out.done()?;
    let changes = vec![diff::change("instances", o.was.instances.to_string(), n.to_string())];
    o.done(changes, ()).await
}

/// Stops.
pub async fn stop(p: &PadisPortal, may: Permit<'_, Run>, app: &AppRef, seen: i64, token: &str) -> Answer<()> {
    let mut o = match begin(p, may, app, Action::Stop, Some(seen), token).await? {
        Begun::Before(()) => return Ok(()),
        Begun::Now(o) => o,
    };
    let id = o.was.id.clone();
    give_up(&mut o.tx, &id).await?;
    o.app.wanted = Wanted::Stopped;
    o.app.state = AppState::Stopping;
    let changes = vec![diff::change("state", wanted_word(Wanted::Online), wanted_word(Wanted::Stopped))];
    o.done(changes, ()).await
}

/// Whether the caller may delete the team's applications: its leads and operators.
pub fn may_delete(c: &Caller, team: &str) -> bool {
    c.operator().is_ok() || c.teams.get(team) == Some(&TeamRole::Lead)
}

/// Deletes: a tombstone, until everything is released.
pub async fn delete(p: &PadisPortal, may: Permit<'_, Run>, app: &AppRef, confirm: &str, token: &str) -> Answer<()> {
    let lead = may_delete(may.caller, &app.team);
    let mut o = match begin(p, may, app, Action::Delete, None, token).await? {
        Begun::Before(()) => return Ok(()),
        Begun::Now(o) => o,
    };
    if !lead {
        return Err(Problem::NotNow { reason: Reason::NeedsLead });
    }
    if confirm.trim() != app.app {
        return Err(Problem::field("confirm", ValueFault::NotConfirmed));
    }
    let id = o.was.id.clone();
    give_up(&mut o.tx, &id).await?;
    o.app.wanted = Wanted::Deleted;
    o.app.state = AppState::Deleting;
    let changes = vec![diff::change("state", wanted_word(o.was.wanted), wanted_word(Wanted::Deleted))];
    o.done(changes, ()).await
}
