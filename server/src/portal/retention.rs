//! What of a repository nothing needs: shown before, then taken away by the reconciler.
//!
//! Who may put into a repository may tidy it. One could get it wrong by deleting what the
//! rule gives now instead of what was seen: only digests that stood in the list that
//! somebody agreed to go, and of those only what the rule still gives.

use super::promotions::may_change;
use super::{PadisPortal, images, once};
use crate::images::judge;
use crate::store::journal::{self, Entry};
use crate::store::retention::{self, Run};
use crate::store::{What, now_ms, work};
use padis_domain::Problem;
use padis_domain::caller::Caller;
use padis_domain::portal::Answer;
use padis_domain::problem::{FieldChange, ValueFault};
use padis_domain::view::{Retention, RetentionView};

/// The form's name among tokens.
const TIDY: &str = "apply_retention";
/// The largest values of a rule.
const MOST: Retention = Retention { newest: 10_000, days: 36_500 };

fn check(rule: Retention) -> Answer<()> {
    for (field, value, max) in [("newest", rule.newest, MOST.newest), ("days", rule.days, MOST.days)] {
        if value > max {
            return Err(Problem::field(field, ValueFault::OutOfRange { min: 0, max: i64::from(max) }));
        }
    }
    Ok(())
}

/// What would go.
pub async fn view(
    p: &PadisPortal,
    c: &Caller,
    registry: &str,
    name: &str,
    rule: Option<Retention>,
) -> Answer<RetentionView> {
    images::known(p, c, registry, name).await?;
    let place = p.registries.find(registry).ok_or(Problem::NotFound)?;
    let may = place.takes && may_change(c, name).is_ok();
    let rows = match rule.filter(|_| may) {
        None => Vec::new(),
        Some(rule) => {
            check(rule)?;
            judge(&p.store, registry, name, rule, now_ms()).await?
        }
    };
    let (runs, kept) =
        (retention::last(&p.store, registry, name, 5).await?, retention::rule(&p.store, registry, name).await?);
    Ok(RetentionView { rows, runs, kept, may })
}

/// Who may change the repository may have it kept tidy.
async fn may_keep(p: &PadisPortal, c: &Caller, registry: &str, name: &str) -> Answer<()> {
    may_change(c, name)?;
    images::known(p, c, registry, name).await
}

/// Keeps a rule from now on.
pub async fn keep(p: &PadisPortal, c: &Caller, registry: &str, name: &str, rule: Retention) -> Answer<()> {
    may_keep(p, c, registry, name).await?;
    check(rule)?;
    if !p.registries.find(registry).is_some_and(|place| place.takes) {
        return Err(Problem::NotFound);
    }
    let before = retention::rule(&p.store, registry, name).await?.map(|kept| words(kept.rule)).unwrap_or_default();
    let mut tx = p.store.begin().await?;
    if retention::keep_rule(&mut tx, (registry, name), rule, (&c.account, &c.name)).await? {
        let entry = entry(c, "image.keep-rule", registry, name, before, words(rule));
        journal::append(&p.store, &mut tx, &entry).await?;
    }
    tx.commit().await.what("record a rule")?;
    told(p);
    Ok(())
}

/// Keeps none any more.
pub async fn end(p: &PadisPortal, c: &Caller, registry: &str, name: &str) -> Answer<()> {
    may_keep(p, c, registry, name).await?;
    let mut tx = p.store.begin().await?;
    if let Some(rule) = retention::end_rule(&mut tx, registry, name).await? {
        let entry = entry(c, "image.end-rule", registry, name, words(rule), String::new());
        journal::append(&p.store, &mut tx, &entry).await?;
    }
    tx.commit().await.what("end a rule")?;
    told(p);
    Ok(())
}

/// A rule as the journal has it.
fn words(rule: Retention) -> String {
    format!("newest {}, days {}", rule.newest, rule.days)
}

fn entry(c: &Caller, what: &str, registry: &str, name: &str, before: String, after: String) -> Entry {
    Entry {
        who: c.account.clone(),
        what: what.to_owned(),
        subject: format!("image:{registry}/{name}"),
        changes: vec![FieldChange { field: "rule".to_owned(), before, after }],
        ..Entry::default()
    }
}

/// After the commit: wakes who looks by rules, and tells the browsers.
fn told(p: &PadisPortal) {
    p.registries.asked.notify_waiters();
    p.platform_changed(&["images", "journal"]);
}

/// Lets it be done.
pub async fn apply(
    p: &PadisPortal,
    c: &Caller,
    registry: &str,
    name: &str,
    rule: Retention,
    seen: &[String],
    token: &str,
) -> Answer<()> {
    may_change(c, name)?;
    images::known(p, c, registry, name).await?;
    check(rule)?;
    if !p.registries.find(registry).is_some_and(|place| place.takes) {
        return Err(Problem::NotFound);
    }
    let rows = judge(&p.store, registry, name, rule, now_ms()).await?;
    let go = rows.iter().filter(|row| row.stays.is_empty() && seen.contains(&row.digest));
    let items: Vec<(String, u64)> = go.map(|row| (row.digest.clone(), row.bytes)).collect();
    let id = uuid::Uuid::now_v7().simple().to_string();
    let run = Run {
        registry: registry.to_owned(),
        repository: name.to_owned(),
        rule,
        account: c.account.clone(),
        left: Vec::new(),
        by_hand: Vec::new(),
    };
    let mut tx = p.store.begin().await?;
    if once::before::<()>(&mut tx, p.store.kind(), c, token, TIDY).await?.is_some() {
        return Ok(());
    }
    // All of it is needed by now, or gone.
    if items.is_empty() {
        return Err(Problem::NotReady);
    }
    retention::ask(&mut tx, &id, &run, &c.name, &items).await?;
    work::touch(&mut tx, &retention::key(&id)).await?;
    once::keep(&mut tx, token, TIDY, &()).await?;
    tx.commit().await.what("record what is taken away")?;
    p.wake.notify_one();
    p.platform_changed(&["images", "work"]);
    Ok(())
}
