//! The ways to change an application that exists. The frame that they share is
//! [`super::frame`].
//!
//! One could get it wrong by changing a release: every roll-out records a new one,
//! also a restart and the way back. Only the number of instances is changed in place.

use super::PadisPortal;
use super::check::{self, Problems};
use super::create::{Stack, must_fit, package, stack};
use super::diff;
use super::frame::{Begun, begin};
use super::records::{self, ReleaseRec, wanted_word};
use super::rollout::{NewRec, give_up};
use super::standards::{Choice, may_choose, stage_of};
use padis_domain::Problem;
use padis_domain::action::{Action, AppState, Reason};
use padis_domain::app::{AppRef, Wanted};
use padis_domain::caller::{Caller, Permit, Run};
use padis_domain::portal::Answer;
use padis_domain::problem::{FieldChange, ValueFault};
use padis_domain::view::NewRelease;
use padis_domain::words::TeamRole;

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
    if let Some(s) = &chosen {
        let stage = stage_of(&mut o.tx, &o.was.pool).await?;
        may_choose(&mut o.tx, &mut out, &s.key, Choice::Stays(&old.stack_key), stage).await?;
    }
    if let Some(s) = chosen {
        rec.spec.stack.clone_from(&s.contract.name);
        rec.spec.image = s.image;
        rec.contract = s.contract;
        rec.stack_key = s.key;
    }
    if parts {
        let sha = new.package.clone().unwrap_or_else(|| old.spec.package.clone());
        if let Some(g) = package(&mut o.tx, &mut out, &team, &sha).await? {
            let s = Stack { key: rec.stack_key.clone(), image: String::new(), contract: rec.contract.clone() };
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
        rec.spec.env = p.settings.sealer.env(&o.app.id, check::keep_secrets(e, &old.spec.env), &old.spec.env)?;
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
    may_choose(&mut o.tx, &mut out, &back.stack_key, Choice::Stays(&back.stack_key), None).await?;
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
