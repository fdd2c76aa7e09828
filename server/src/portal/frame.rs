//! The frame of every command on an application that exists.
//!
//! Every command runs the same way: lock the form's token, lock the application,
//! compare `seen`, ask the one table whether the action is possible, record,
//! raise the revision, touch work, journal, keep the answer, commit; then wake
//! and tell. One could get it wrong by taking the locks in another order (token,
//! application, quota, work, journal: two commands would wait for each other), or
//! by telling the browsers before the commit.

use super::admit::{Ask, admit};
use super::check::Problems;
use super::records::{self, AppRec, ReleaseRec, wanted_word};
use super::rollout::{NewRec, record};
use super::{PadisPortal, diff, once};
use crate::store::apps::read_pool;
use crate::store::journal::{self, Entry};
use crate::store::{StoreError, Tx, What, now_ms, work};
use padis_domain::Problem;
use padis_domain::action::{Action, AppState, allowed};
use padis_domain::app::{AppRef, Wanted};
use padis_domain::caller::{Caller, Permit, Run};
use padis_domain::portal::Answer;
use padis_domain::problem::FieldChange;
use padis_domain::quantity::Amount;
use padis_domain::view::Event;
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
pub struct Open<'a> {
    p: &'a PadisPortal,
    c: &'a Caller,
    /// The transaction.
    pub tx: Tx<'static>,
    /// The application as it was.
    pub was: AppRec,
    /// As it will be.
    pub app: AppRec,
    action: Action,
    token: &'a str,
    key: String,
}

/// A command that begins.
pub enum Begun<'a, T> {
    /// Sent before: this was the answer.
    Before(T),
    /// Under way, everything locked.
    Now(Box<Open<'a>>),
}

/// Begins a command, unless it was sent before.
pub async fn begin<'a, T: DeserializeOwned>(
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
    Ok(Problem::ChangedMeanwhile { by: app.changed_by.clone(), at: app.changed_at, revision: app.revision, changes })
}

impl Open<'_> {
    /// The active release.
    pub async fn active(&mut self) -> Result<ReleaseRec, StoreError> {
        let found = records::release(&mut self.tx, &self.was.id, self.was.release).await?;
        found.ok_or_else(|| StoreError::Row {
            what: "release",
            detail: format!("{} of {} is missing", self.was.release, self.was.app),
        })
    }

    /// Adds what stands against the room that the change needs.
    pub async fn room(&mut self, out: &mut Problems) -> Result<(), StoreError> {
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
    pub async fn roll_out(&mut self, new: NewRec) -> Result<u32, StoreError> {
        let online = self.app.wanted == Wanted::Online;
        let replaces = self.was.wanted == Wanted::Online;
        if online {
            self.app.state = AppState::Delivering;
        }
        record(&mut self.tx, &mut self.app, &self.c.name, &new, online, replaces).await
    }

    /// Writes the application, the journal and the answer, commits and tells.
    pub async fn done<T: Serialize>(mut self, changes: Vec<FieldChange>, answer: T) -> Answer<T> {
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
