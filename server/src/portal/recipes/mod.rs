//! Recipes: images that are described in a form and built from that.
//!
//! A recipe is a person's, as a workbench is, and kept as it was typed. One could get it wrong
//! by judging it when it is kept: whoever is in the middle of it would lose what is not right
//! yet. It is judged when it is built.

mod build;
mod files;

use super::benches::{offered_pools, own_below};
use super::diff::change;
use super::sql::{Paging, Sql};
use super::{PadisPortal, images, once};
use crate::store::journal::{self, Entry};
use crate::store::{What, recipes};
use async_trait::async_trait;
use futures::stream::BoxStream;
use padis_domain::Problem;
use padis_domain::action::Reason;
use padis_domain::caller::Caller;
use padis_domain::portal::Answer;
use padis_domain::ports::{Image, PortResult};
use padis_domain::problem::{FieldChange, ValueFault};
use padis_domain::recipes::{NewRecipeFile, Recipes};
use padis_domain::stack::LABEL_PREFIX;
use padis_domain::view::{BuildView, CopyState, ListQuery, Page, RecipeFile, RecipeRow, RecipeText, RecipeView};
use std::path::PathBuf;

/// The form's name among tokens.
const START: &str = "start_recipe";
/// Characters of all that is typed; a form is larger than that only if somebody means harm.
const MOST_TYPED: usize = 64 << 10;

#[async_trait]
impl Recipes for PadisPortal {
    async fn start_recipe(&self, c: &Caller, repository: &str, tag: &str, token: &str) -> Answer<String> {
        start(self, c, repository, tag, token).await
    }
    async fn recipes(&self, c: &Caller, q: &ListQuery) -> Answer<Page<RecipeRow>> {
        list(self, c, q).await
    }
    async fn recipe(&self, c: &Caller, id: &str) -> Answer<RecipeView> {
        view(self, c, id).await
    }
    async fn save_recipe(&self, c: &Caller, id: &str, text: &RecipeText) -> Answer<()> {
        save(self, c, id, text).await
    }
    async fn add_recipe_file(
        &self,
        c: &Caller,
        id: &str,
        new: &NewRecipeFile,
        file: BoxStream<'_, PortResult<Vec<u8>>>,
    ) -> Answer<()> {
        files::add(self, c, id, new, file).await
    }
    async fn drop_recipe_file(&self, c: &Caller, id: &str, path: &str) -> Answer<()> {
        files::drop(self, c, id, path).await
    }
    async fn build_recipe(&self, c: &Caller, id: &str, token: &str) -> Answer<u32> {
        build::ask(self, c, id, token).await
    }
    async fn end_recipe(&self, c: &Caller, id: &str) -> Answer<()> {
        end(self, c, id).await
    }
    async fn build(&self, c: &Caller, id: &str, number: u32) -> Answer<BuildView> {
        build::view(self, c, id, number).await
    }
    async fn build_output(&self, c: &Caller, id: &str, number: u32) -> Answer<Vec<u8>> {
        build::output(self, c, id, number).await
    }
    async fn cancel_build(&self, c: &Caller, id: &str, number: u32) -> Answer<()> {
        build::cancel(self, c, id, number).await
    }
}

/// Where all of a recipe lies.
fn folder(p: &PadisPortal, id: &str) -> PathBuf {
    p.settings.recipes.join(id)
}

/// One that the caller may know of; `true`: it is his own, to change.
async fn known(p: &PadisPortal, c: &Caller, id: &str) -> Answer<(RecipeRow, RecipeText, Vec<RecipeFile>, bool)> {
    let (row, text, files) = recipes::find(&p.store, id).await?.ok_or(Problem::NotFound)?;
    let own = row.by_account == c.account;
    if !own && c.inspector().is_err() {
        return Err(Problem::NotFound);
    }
    Ok((row, text, files, own && !c.read_only()))
}

/// One that the caller may change.
async fn own(p: &PadisPortal, c: &Caller, id: &str) -> Answer<(RecipeRow, RecipeText, Vec<RecipeFile>)> {
    match known(p, c, id).await? {
        (row, text, files, true) => Ok((row, text, files)),
        _ => Err(Problem::NotAllowed { needs: "owner".to_owned() }),
    }
}

async fn start(p: &PadisPortal, c: &Caller, repository: &str, tag: &str, token: &str) -> Answer<String> {
    if c.read_only() || (c.publisher().is_err() && c.teams.is_empty()) {
        return Err(Problem::NotAllowed { needs: "member".to_owned() });
    }
    let own = p.registries.all().first().ok_or(Problem::NotFound)?;
    let version = images::version(p, c, &own.name, repository, tag).await?;
    let facts = Sql::new("SELECT facts FROM image WHERE fault = '' AND digest = ").bind(&version.digest);
    let rows = facts.all(p.store.read(), "read a base's contract").await?;
    let image: Option<Image> = rows.first().map(|r| super::sql::Cols::json(r, "facts")).transpose()?;
    let labels = image.map(|i| i.labels).unwrap_or_default().into_iter();
    let pools = offered_pools(p, c).await?;
    let name = repository.rsplit('/').next().unwrap_or_default();
    let goes = match own_below(c).first() {
        Some(first) if !own_below(c).iter().any(|b| repository.starts_with(b)) => format!("{first}{name}"),
        _ => repository.to_owned(),
    };
    let text = RecipeText {
        base_repository: repository.to_owned(),
        base_tag: tag.to_owned(),
        pool: pools.into_iter().next().unwrap_or_default(),
        repository: goes,
        contract: labels.filter_map(|(k, v)| Some((k.strip_prefix(LABEL_PREFIX)?.to_owned(), v))).collect(),
        ..RecipeText::default()
    };
    let id = uuid::Uuid::now_v7().simple().to_string();
    let mut tx = p.store.begin().await?;
    if let Some(id) = once::before::<String>(&mut tx, p.store.kind(), c, token, START).await? {
        return Ok(id);
    }
    recipes::begin(&mut tx, &id, &text, (&c.account, &c.name)).await?;
    let changes = vec![change("from", "", format!("{repository}:{tag}"))];
    journal::append(&p.store, &mut tx, &entry(c, "recipe.start", &id, changes)).await?;
    once::keep(&mut tx, token, START, &id).await?;
    tx.commit().await.what("begin a recipe")?;
    told(p);
    Ok(id)
}

async fn save(p: &PadisPortal, c: &Caller, id: &str, text: &RecipeText) -> Answer<()> {
    own(p, c, id).await?;
    let short = [&text.base_repository, &text.base_tag, &text.pool, &text.start, &text.repository, &text.tag];
    let short = short.into_iter().chain([&text.packages, &text.env, &text.description]);
    let all: usize = short.chain(text.contract.values()).map(String::len).sum();
    if all > MOST_TYPED || text.contract.len() > 40 {
        let max = u32::try_from(MOST_TYPED).unwrap_or(u32::MAX);
        return Err(Problem::field("packages", ValueFault::TooLong { max }));
    }
    let mut tx = p.store.begin().await?;
    recipes::save(&mut tx, id, text).await?;
    tx.commit().await.what("keep a recipe")?;
    told(p);
    Ok(())
}

async fn end(p: &PadisPortal, c: &Caller, id: &str) -> Answer<()> {
    let (row, .., own) = known(p, c, id).await?;
    if !own {
        c.operator()?;
    }
    let mut tx = p.store.begin().await?;
    if !recipes::end(&mut tx, id).await? {
        return Err(Problem::NotNow { reason: Reason::Building });
    }
    let changes = vec![change("image", format!("{}:{}", row.to.0, row.to.1), "")];
    journal::append(&p.store, &mut tx, &entry(c, "recipe.end", id, changes)).await?;
    tx.commit().await.what("end a recipe")?;
    // What builds have said stays.
    files::forget(folder(p, id)).await;
    told(p);
    Ok(())
}

async fn list(p: &PadisPortal, c: &Caller, q: &ListQuery) -> Answer<Page<RecipeRow>> {
    const WHAT: &str = "list recipes";
    let paging = Paging::of(q);
    let filtered = |sql: Sql| {
        let mut sql = sql.text(" FROM recipe r WHERE r.ended_at IS NULL");
        if c.inspector().is_err() {
            sql = sql.text(" AND r.by_account = ").bind(&c.account);
        }
        let found = ["r.base_repository", "r.base_tag", "r.repository", "r.tag", "r.by_name"];
        sql.find(p.store.kind(), &found, &q.q)
    };
    let total = filtered(Sql::new("SELECT COUNT(*)")).number(p.store.read(), WHAT).await?;
    let rows = filtered(Sql::new(
        "SELECT r.*, (SELECT COUNT(*) FROM build b WHERE b.recipe = r.id) AS builds, \
         (SELECT b.state FROM build b WHERE b.recipe = r.id ORDER BY b.number DESC LIMIT 1) AS last",
    ))
    .order("r.changed_at", true, ", r.id DESC")
    .page(paging)
    .all(p.store.read(), WHAT)
    .await?;
    Ok(paging.wrap(rows.iter().map(recipes::row).collect::<Result<_, _>>()?, total))
}

async fn view(p: &PadisPortal, c: &Caller, id: &str) -> Answer<RecipeView> {
    let (mut row, text, files, may) = known(p, c, id).await?;
    let builds = recipes::builds(&p.store, id).await?;
    row.builds = builds.first().map_or(0, |b| u64::from(b.number));
    row.last = builds.first().map(|b| b.state);
    Ok(RecipeView {
        row,
        text,
        files,
        most_bytes: files::MOST_BYTES,
        builds,
        registry: own_registry(p),
        pools: if may { offered_pools(p, c).await? } else { Vec::new() },
        may,
        below: own_below(c),
    })
}

fn own_registry(p: &PadisPortal) -> String {
    p.registries.all().first().map(|own| own.name.clone()).unwrap_or_default()
}

fn open(state: CopyState) -> bool {
    matches!(state, CopyState::Waiting | CopyState::Running)
}

fn entry(c: &Caller, what: &str, id: &str, changes: Vec<FieldChange>) -> Entry {
    let subject = format!("recipe:{id}");
    Entry { who: c.account.clone(), what: what.to_owned(), subject, changes, ..Entry::default() }
}

/// After the commit of a change: wakes the reconciler and tells the browsers.
fn told(p: &PadisPortal) {
    p.registries.asked.notify_waiters();
    p.platform_changed(&["benches", "work"]);
}
