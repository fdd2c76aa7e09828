//! Making room: one version is deleted by hand, and the bytes of a registry are freed that
//! nothing names.
//!
//! What may go is judged by the same rules as what goes by itself ([`crate::images::judge_one`])
//! and taken away by the same work ([`super::retention`]). One could get it wrong by deleting
//! the tag that somebody looked at: a registry deletes a digest, with every tag that names it,
//! so both have to be those that were shown.

use super::promotions::may_change;
use super::sql::Sql;
use super::{PadisPortal, images, once};
use crate::images::judge_one;
use crate::store::journal::{self, Entry};
use crate::store::retention::{self, Run};
use crate::store::{What, collections as rows, work};
use async_trait::async_trait;
use padis_domain::Problem;
use padis_domain::caller::Caller;
use padis_domain::portal::Answer;
use padis_domain::problem::ValueFault;
use padis_domain::tidying::Tidying;
use padis_domain::view::{CollectionsView, CopyState, Fate, Retention, StorageRow, VersionToDelete};

/// The forms' names among tokens.
const DELETE: &str = "delete_version";
const COLLECT: &str = "collect_registry";
/// Collections of a registry that are shown.
const SHOWN: i64 = 5;

#[async_trait]
impl Tidying for PadisPortal {
    async fn version_fate(&self, c: &Caller, registry: &str, repository: &str, tag: &str) -> Answer<Fate> {
        let version = images::version(self, c, registry, repository, tag).await?;
        let place = self.registries.find(registry).ok_or(Problem::NotFound)?;
        let may = may_change(c, repository).is_ok();
        let fate = Fate { digest: version.digest, may, takes: place.takes, ..Fate::default() };
        if !may || !place.takes {
            return Ok(fate);
        }
        let row = judge_one(&self.store, place, repository, &fate.digest).await?.ok_or(Problem::NotFound)?;
        Ok(Fate { tags: row.tags, stays: row.stays, ..fate })
    }

    async fn delete_version(&self, c: &Caller, which: &VersionToDelete, token: &str) -> Answer<bool> {
        may_change(c, &which.repository)?;
        let version = images::version(self, c, &which.registry, &which.repository, &which.tag).await?;
        let place = self.registries.find(&which.registry).filter(|p| p.takes).ok_or(Problem::NotFound)?;
        if which.confirm != which.tag {
            return Err(Problem::field("confirm", ValueFault::NotConfirmed));
        }
        let row = judge_one(&self.store, place, &which.repository, &version.digest).await?.ok_or(Problem::NotFound)?;
        let run = Run {
            registry: which.registry.clone(),
            repository: which.repository.clone(),
            rule: Retention { newest: 0, days: 0 },
            account: c.account.clone(),
            left: Vec::new(),
            by_hand: row.tags.clone(),
        };
        let others = Sql::new("SELECT COUNT(*) FROM image_tag WHERE registry = ")
            .bind(&which.registry)
            .text(" AND repository = ")
            .bind(&which.repository)
            .text(" AND digest <> ")
            .bind(&row.digest);
        let others = others.number(self.store.read(), "count versions").await? > 0;
        let mut tx = self.store.begin().await?;
        if let Some(others) = once::before::<bool>(&mut tx, self.store.kind(), c, token, DELETE).await? {
            return Ok(others);
        }
        // The page shows what is different by now.
        if row.digest != which.digest || row.tags != which.tags || !row.stays.is_empty() {
            return Err(Problem::NotReady);
        }
        let id = uuid::Uuid::now_v7().simple().to_string();
        retention::ask(&mut tx, &id, &run, &c.name, &[(row.digest, row.bytes)]).await?;
        work::touch(&mut tx, &retention::key(&id)).await?;
        once::keep(&mut tx, token, DELETE, &others).await?;
        tx.commit().await.what("record a version that is deleted")?;
        self.wake.notify_one();
        self.platform_changed(&["images", "work"]);
        Ok(others)
    }

    async fn keep_rule(&self, c: &Caller, registry: &str, repository: &str, rule: Retention) -> Answer<()> {
        super::retention::keep(self, c, registry, repository, rule).await
    }

    async fn end_rule(&self, c: &Caller, registry: &str, repository: &str) -> Answer<()> {
        super::retention::end(self, c, registry, repository).await
    }

    async fn collections(&self, c: &Caller) -> Answer<CollectionsView> {
        if c.publisher().is_err() {
            c.inspector()?;
        }
        let mut out = Vec::new();
        for registry in images::registries(self).await? {
            let files = self.registries.files(&registry.name);
            out.push(StorageRow {
                reached: files.is_some(),
                young_s: files.map(|f| f.young.as_secs()).unwrap_or_default(),
                runs: rows::last(&self.store, &registry.name, SHOWN).await?,
                registry,
            });
        }
        Ok(CollectionsView { rows: out, may: c.operator().is_ok() })
    }

    async fn collect(&self, c: &Caller, registry: &str, token: &str) -> Answer<()> {
        c.operator()?;
        self.registries.find(registry).ok_or(Problem::NotFound)?;
        if self.registries.files(registry).is_none() {
            return Err(Problem::NotReady);
        }
        let id = uuid::Uuid::now_v7().simple().to_string();
        let mut tx = self.store.begin().await?;
        if once::before::<()>(&mut tx, self.store.kind(), c, token, COLLECT).await?.is_some() {
            return Ok(());
        }
        // One that goes on is what was wanted.
        if rows::ask(&mut tx, &id, registry, (&c.account, &c.name)).await? {
            work::touch(&mut tx, &rows::key(&id)).await?;
            journal::append(&self.store, &mut tx, &entry(c, "registry.collect", registry)).await?;
        }
        once::keep(&mut tx, token, COLLECT, &()).await?;
        tx.commit().await.what("record a collection")?;
        told(self);
        Ok(())
    }

    async fn cancel_collection(&self, c: &Caller, id: &str) -> Answer<()> {
        c.operator()?;
        let row = rows::find(&self.store, id).await?.ok_or(Problem::NotFound)?;
        let mut tx = self.store.begin().await?;
        if rows::end(&mut tx, id, CopyState::Cancelled, None, "").await? {
            work::touch(&mut tx, &rows::key(id)).await?;
            journal::append(&self.store, &mut tx, &entry(c, "registry.collect-stop", &row.registry)).await?;
        }
        tx.commit().await.what("stop a collection")?;
        told(self);
        Ok(())
    }
}

fn entry(c: &Caller, what: &str, registry: &str) -> Entry {
    Entry { who: c.account.clone(), what: what.to_owned(), subject: format!("registry:{registry}"), ..Entry::default() }
}

/// After the commit: wakes the reconciler and tells the browsers.
fn told(p: &PadisPortal) {
    p.registries.asked.notify_waiters();
    p.platform_changed(&["images", "work"]);
}
