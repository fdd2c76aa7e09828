//! Promotions of images from stage to stage, by digest.
//!
//! Somebody asks, what can be checked is checked, somebody else agrees where the target
//! wants that, and a copy ([`super::copies`]) brings it there; the row tells what people
//! decided, the copy how far it is. Roll-back puts back what the target's version named
//! before. One could get it wrong by promoting "the tag": what is asked for, agreed to and
//! copied is one digest, and what may be replaced is what stood there when it was asked for.

mod ask;
mod check;
mod judge;
mod list;

pub use ask::{ask, offers};
pub use check::may_change;
pub use judge::{judge, roll_back, withdraw};
pub use list::list;

use super::PadisPortal;
use super::diff::change;
use super::sql::{Cols, Sql};
use crate::store::copies::{self, Asked};
use crate::store::journal::{self, Entry};
use crate::store::{StoreError, Tx, What, work};
use padis_domain::Problem;
use padis_domain::caller::Caller;
use padis_domain::portal::Answer;
use padis_domain::ports::{CopyFrom, CopyTo};
use padis_domain::view::PromotionState;
use sqlx::any::AnyRow;

/// Characters of a note.
const MAX_NOTE: usize = 300;

/// A promotion as it stands.
struct Row {
    id: String,
    team: String,
    from: String,
    repository: String,
    tag: String,
    digest: String,
    to: String,
    before: String,
    state: PromotionState,
    by_account: String,
    /// The copy that brings it there; empty: none.
    copy: String,
}

fn row(r: &AnyRow) -> Result<Row, StoreError> {
    Ok(Row {
        id: r.s("id")?,
        team: r.s("team")?,
        from: r.s("from_place")?,
        repository: r.s("repository")?,
        tag: r.s("tag")?,
        digest: r.s("digest")?,
        to: r.s("to_place")?,
        before: r.s("before")?,
        state: r.word("state", PromotionState::parse)?,
        by_account: r.s("by_account")?,
        copy: r.s("copy")?,
    })
}

/// Rows that the caller may see: of everybody's repositories, and of his own teams'.
fn visible(sql: Sql, c: &Caller) -> Sql {
    sql.text("(p.team = '' OR ").scope("p.team", &c.scope()).text(")")
}

/// One that the caller may see.
async fn find(p: &PadisPortal, c: &Caller, id: &str) -> Answer<Row> {
    let rows = visible(Sql::new("SELECT p.* FROM promotion p WHERE "), c)
        .text(" AND p.id = ")
        .bind(id)
        .all(p.store.read(), "read a promotion")
        .await?;
    Ok(row(rows.first().ok_or(Problem::NotFound)?)?)
}

fn entry(c: &Caller, verb: &str, r: &Row, note: &str) -> Entry {
    let changes = [
        change("from", String::new(), format!("{}/{}:{}", r.from, r.repository, r.tag)),
        change("digest", r.before.as_str(), r.digest.as_str()),
        change("note", String::new(), note),
    ];
    Entry {
        who: c.account.clone(),
        what: format!("image.{verb}"),
        subject: format!("image:{}/{}:{}", r.to, r.repository, r.tag),
        changes: changes.into_iter().filter(|c| c.before != c.after).collect(),
        ..Entry::default()
    }
}

/// Begins a copy for it: to the target, or, at the target, of what was there before. Gives its id.
async fn begin(tx: &mut Tx<'_>, c: &Caller, r: &Row, back: bool) -> Answer<String> {
    let something = |digest: &str| Some(digest.to_owned()).filter(|d| !d.is_empty());
    let (registry, digest, instead_of) =
        if back { (&r.to, &r.before, something(&r.digest)) } else { (&r.from, &r.digest, something(&r.before)) };
    let asked = Asked {
        id: uuid::Uuid::now_v7().simple().to_string(),
        from: CopyFrom { registry: registry.clone(), repository: r.repository.clone(), digest: digest.clone() },
        from_tag: r.tag.clone(),
        to: CopyTo { registry: r.to.clone(), repository: r.repository.clone(), tag: r.tag.clone(), instead_of },
        account: c.account.clone(),
        name: c.name.clone(),
    };
    copies::ask(tx, &asked).await?;
    work::touch(tx, &copies::key(&asked.id)).await?;
    Ok(asked.id)
}

/// Records a decision about it, if nobody was faster, in one transaction with what it leads to.
async fn decided(p: &PadisPortal, mut tx: Tx<'_>, journal: &Entry, changed: u64) -> Answer<()> {
    if changed == 0 {
        return Err(Problem::NotReady);
    }
    journal::append(&p.store, &mut tx, journal).await?;
    tx.commit().await.what("decide about a promotion")?;
    told(p);
    Ok(())
}

/// A copy may have been asked for, and pages show something else now.
fn told(p: &PadisPortal) {
    p.registries.asked.notify_waiters();
    p.platform_changed(&["images", "copies", "work"]);
}
