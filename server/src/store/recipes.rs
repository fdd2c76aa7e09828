//! Recipes and their builds.
//!
//! A build has its own copy of what was typed. One could get it wrong by noting how far it is
//! in a row that somebody has meanwhile ended: every such note asks for an open one.

use super::{Store, StoreError, Tx, What, from_json, now_ms, to_json};
use padis_domain::view::{BuildRow, CopyState, RecipeFile, RecipeRow, RecipeText};
use sqlx::Row;
use sqlx::any::AnyRow;
use std::collections::BTreeMap;

/// The work key of a build.
pub fn key(recipe: &str, number: u32) -> String {
    format!("{}{}", super::work::BUILD, id_of(recipe, number))
}

/// A build's id.
pub fn id_of(recipe: &str, number: u32) -> String {
    format!("{recipe}-{number}")
}

const OPEN: &str = "state IN ('waiting', 'running')";

fn text(r: &AnyRow, column: &str) -> Result<String, StoreError> {
    r.try_get::<String, _>(column).what("read a recipe")
}

fn number<T: TryFrom<i64> + Default>(r: &AnyRow, column: &str) -> Result<T, StoreError> {
    Ok(T::try_from(r.try_get::<i64, _>(column).what("read a recipe")?).unwrap_or_default())
}

fn state(word: &str) -> Result<CopyState, StoreError> {
    let bad = || StoreError::Row { what: "build.state", detail: format!("{word} is no state") };
    CopyState::parse(word).ok_or_else(bad)
}

/// A recipe for the pages; without columns `builds` and `last` it has no builds.
pub fn row(r: &AnyRow) -> Result<RecipeRow, StoreError> {
    let last = r.try_get::<Option<String>, _>("last").unwrap_or_default();
    Ok(RecipeRow {
        id: text(r, "id")?,
        base: (text(r, "base_repository")?, text(r, "base_tag")?),
        to: (text(r, "repository")?, text(r, "tag")?),
        by: text(r, "by_name")?,
        by_account: text(r, "by_account")?,
        changed_at: number(r, "changed_at")?,
        builds: number(r, "builds").unwrap_or_default(),
        last: last.as_deref().map(state).transpose()?,
    })
}

/// One that nobody has taken away, with what was typed and its files.
pub async fn find(store: &Store, id: &str) -> Result<Option<(RecipeRow, RecipeText, Vec<RecipeFile>)>, StoreError> {
    let found = sqlx::query("SELECT * FROM recipe WHERE id = $1 AND ended_at IS NULL").bind(id);
    let Some(r) = found.fetch_optional(store.read()).await.what("read a recipe")? else { return Ok(None) };
    let typed = from_json("recipe.recipe", &text(&r, "recipe")?)?;
    Ok(Some((row(&r)?, typed, from_json("recipe.files", &text(&r, "files")?)?)))
}

/// Begins one.
pub async fn begin(tx: &mut Tx<'_>, id: &str, typed: &RecipeText, by: (&str, &str)) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO recipe (id, base_repository, base_tag, repository, tag, recipe, files, by_account, by_name, changed_at) \
         VALUES ($1, $2, $3, $4, $5, $6, '[]', $7, $8, $9)",
    )
    .bind(id)
    .bind(&typed.base_repository)
    .bind(&typed.base_tag)
    .bind(&typed.repository)
    .bind(&typed.tag)
    .bind(to_json("recipe.recipe", typed)?)
    .bind(by.0)
    .bind(by.1)
    .bind(now_ms())
    .execute(&mut **tx)
    .await
    .what("begin a recipe")
    .map(|_| ())
}

/// Keeps what was typed.
pub async fn save(tx: &mut Tx<'_>, id: &str, typed: &RecipeText) -> Result<(), StoreError> {
    sqlx::query(
        "UPDATE recipe SET base_repository = $2, base_tag = $3, repository = $4, tag = $5, recipe = $6, changed_at = $7 \
         WHERE id = $1 AND ended_at IS NULL",
    )
    .bind(id)
    .bind(&typed.base_repository)
    .bind(&typed.base_tag)
    .bind(&typed.repository)
    .bind(&typed.tag)
    .bind(to_json("recipe.recipe", typed)?)
    .bind(now_ms())
    .execute(&mut **tx)
    .await
    .what("keep a recipe")
    .map(|_| ())
}

/// Its files, with the row locked until the transaction ends.
pub async fn files(tx: &mut Tx<'_>, id: &str) -> Result<Option<Vec<RecipeFile>>, StoreError> {
    const WHAT: &str = "read a recipe's files";
    // On both databases a write locks it.
    let locked = sqlx::query("UPDATE recipe SET changed_at = changed_at WHERE id = $1 AND ended_at IS NULL").bind(id);
    if locked.execute(&mut **tx).await.what(WHAT)?.rows_affected() == 0 {
        return Ok(None);
    }
    let found: String =
        sqlx::query_scalar("SELECT files FROM recipe WHERE id = $1").bind(id).fetch_one(&mut **tx).await.what(WHAT)?;
    from_json("recipe.files", &found).map(Some)
}

/// Keeps which files it has.
pub async fn set_files(tx: &mut Tx<'_>, id: &str, files: &[RecipeFile]) -> Result<(), StoreError> {
    sqlx::query("UPDATE recipe SET files = $2, changed_at = $3 WHERE id = $1")
        .bind(id)
        .bind(to_json("recipe.files", &files)?)
        .bind(now_ms())
        .execute(&mut **tx)
        .await
        .what("keep a recipe's files")
        .map(|_| ())
}

/// Takes it away, unless one of its builds is open; whether it is gone now.
pub async fn end(tx: &mut Tx<'_>, id: &str) -> Result<bool, StoreError> {
    let sql = format!(
        "UPDATE recipe SET ended_at = $2 WHERE id = $1 AND ended_at IS NULL \
         AND NOT EXISTS (SELECT 1 FROM build WHERE recipe = $1 AND {OPEN})"
    );
    let done = sqlx::query(&sql).bind(id).bind(now_ms()).execute(&mut **tx).await.what("end a recipe")?;
    Ok(done.rows_affected() == 1)
}

/// A build that is asked for.
#[derive(Debug, Clone)]
pub struct Asked {
    /// The recipe.
    pub recipe: String,
    /// What was typed.
    pub text: RecipeText,
    /// Files.
    pub files: Vec<RecipeFile>,
    /// The base's digest.
    pub base_digest: String,
    /// Host.
    pub host: String,
    /// The process on whose disk the files lie.
    pub holder: String,
    /// Labels that it gets.
    pub labels: BTreeMap<String, String>,
    /// Who asks.
    pub account: String,
    /// The same as a name.
    pub name: String,
}

/// Records that it is wanted; its number, or none if somebody else makes the same version.
pub async fn ask(tx: &mut Tx<'_>, a: &Asked) -> Result<Option<u32>, StoreError> {
    const WHAT: &str = "record a build";
    let last: Option<i64> = sqlx::query_scalar("SELECT MAX(number) FROM build WHERE recipe = $1")
        .bind(&a.recipe)
        .fetch_one(&mut **tx)
        .await
        .what(WHAT)?;
    let number = last.unwrap_or_default() + 1;
    let short = u32::try_from(number).unwrap_or(u32::MAX);
    let done = sqlx::query(
        "INSERT INTO build (id, recipe, number, asked, files, base_digest, host, holder, labels, repository, tag, state, \
         digest, step, steps, pushed, pushed_of, why, by_account, by_name, asked_at) VALUES ($1, $2, $3, $4, $5, $6, $7, \
         $8, $9, $10, $11, 'waiting', '', 0, 0, 0, 0, '', $12, $13, $14) ON CONFLICT DO NOTHING",
    )
    .bind(id_of(&a.recipe, short))
    .bind(&a.recipe)
    .bind(number)
    .bind(to_json("build.asked", &a.text)?)
    .bind(to_json("build.files", &a.files)?)
    .bind(&a.base_digest)
    .bind(&a.host)
    .bind(&a.holder)
    .bind(to_json("build.labels", &a.labels)?)
    .bind(&a.text.repository)
    .bind(&a.text.tag)
    .bind(&a.account)
    .bind(&a.name)
    .bind(now_ms())
    .execute(&mut **tx)
    .await
    .what(WHAT)?;
    Ok((done.rows_affected() == 1).then_some(short))
}

/// How many builds of somebody are under way.
pub async fn under_way(tx: &mut Tx<'_>, account: &str) -> Result<i64, StoreError> {
    let sql = format!("SELECT COUNT(*) FROM build WHERE by_account = $1 AND {OPEN}");
    sqlx::query_scalar(&sql).bind(account).fetch_one(&mut **tx).await.what("count somebody's builds")
}

/// A build for the pages.
pub fn build_row(r: &AnyRow) -> Result<BuildRow, StoreError> {
    const WHAT: &str = "read a build";
    Ok(BuildRow {
        recipe: text(r, "recipe")?,
        number: number(r, "number")?,
        text: from_json("build.asked", &text(r, "asked")?)?,
        files: from_json("build.files", &text(r, "files")?)?,
        base_digest: text(r, "base_digest")?,
        host: text(r, "host")?,
        state: state(&text(r, "state")?)?,
        digest: text(r, "digest")?,
        step: (number(r, "step")?, number(r, "steps")?),
        pushed: (number(r, "pushed")?, number(r, "pushed_of")?),
        why: text(r, "why")?,
        by: text(r, "by_name")?,
        asked_at: r.try_get("asked_at").what(WHAT)?,
        ended_at: r.try_get("ended_at").what(WHAT)?,
    })
}

/// A build by its id, with its holder and labels.
pub async fn find_build(
    store: &Store,
    id: &str,
) -> Result<Option<(BuildRow, String, BTreeMap<String, String>)>, StoreError> {
    let found = sqlx::query("SELECT * FROM build WHERE id = $1").bind(id);
    let Some(r) = found.fetch_optional(store.read()).await.what("read a build")? else { return Ok(None) };
    Ok(Some((build_row(&r)?, text(&r, "holder")?, from_json("build.labels", &text(&r, "labels")?)?)))
}

/// Builds of a recipe, newest first.
pub async fn builds(store: &Store, recipe: &str) -> Result<Vec<BuildRow>, StoreError> {
    let rows = sqlx::query("SELECT * FROM build WHERE recipe = $1 ORDER BY number DESC LIMIT 50").bind(recipe);
    rows.fetch_all(store.read()).await.what("list builds")?.iter().map(build_row).collect()
}

/// The build that made exactly this digest.
pub async fn built(store: &Store, digest: &str) -> Result<Option<BuildRow>, StoreError> {
    if digest.is_empty() {
        return Ok(None);
    }
    let found = sqlx::query("SELECT * FROM build WHERE digest = $1 ORDER BY asked_at DESC LIMIT 1").bind(digest);
    found.fetch_optional(store.read()).await.what("find who built an image")?.as_ref().map(build_row).transpose()
}

/// Whose a recipe is, also of one that was taken away.
pub async fn whose(store: &Store, id: &str) -> Result<Option<String>, StoreError> {
    let found = sqlx::query_scalar("SELECT by_account FROM recipe WHERE id = $1").bind(id);
    found.fetch_optional(store.read()).await.what("see whose a recipe is")
}

/// Notes how far it is, or (`why`) why it does not go on for now; whether it is still wanted.
pub async fn progress(
    store: &Store,
    id: &str,
    (step, steps): (u32, u32),
    (at, of): (u64, u64),
    why: &str,
) -> Result<bool, StoreError> {
    let sql = format!(
        "UPDATE build SET state = 'running', step = $2, steps = $3, pushed = $4, pushed_of = $5, why = $6 \
         WHERE id = $1 AND {OPEN}"
    );
    let bytes = |n: u64| i64::try_from(n).unwrap_or(i64::MAX);
    let done = sqlx::query(&sql)
        .bind(id)
        .bind(i64::from(step))
        .bind(i64::from(steps))
        .bind(bytes(at))
        .bind(bytes(of))
        .bind(why)
        .execute(store.write())
        .await
        .what("note how far a build is")?;
    Ok(done.rows_affected() == 1)
}

/// Ends it; whether it was open.
pub async fn end_build(
    tx: &mut Tx<'_>,
    id: &str,
    state: CopyState,
    digest: &str,
    why: &str,
) -> Result<bool, StoreError> {
    let sql = format!("UPDATE build SET state = $2, digest = $3, why = $4, ended_at = $5 WHERE id = $1 AND {OPEN}");
    let done = sqlx::query(&sql)
        .bind(id)
        .bind(state.as_str())
        .bind(digest)
        .bind(why)
        .bind(now_ms())
        .execute(&mut **tx)
        .await
        .what("end a build")?;
    Ok(done.rows_affected() == 1)
}
