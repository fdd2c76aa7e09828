//! The database: SQLite by default, PostgreSQL for several replicas.
//!
//! SQL is written once, in the subset that both share, through sqlx's `Any`
//! driver; uniqueness is judged by indexes, never by locks in this process.
//! One could get it wrong by writing through the read pool on SQLite: two
//! writers there would meet as "database is locked". Everything that changes a
//! row goes through [`Store::write`] or [`Store::begin`], a single connection
//! on SQLite, so that writers queue here instead of failing there.

pub mod apps;
pub mod archives;
pub mod benches;
pub mod claims;
pub mod collections;
pub mod copies;
pub mod hosts;
pub mod images;
pub mod inside;
pub mod journal;
pub mod recipes;
pub mod retention;
pub mod work;

use padis_domain::Problem;
use padis_domain::words::UnixMs;
use sqlx::AnyConnection;
use sqlx::any::AnyPoolOptions;
use sqlx::{Any, AnyPool, Executor, Transaction};
use std::time::Duration;

/// A transaction on the write side.
pub type Tx<'a> = Transaction<'a, Any>;

/// Which database it is; only for the few statements that can't be shared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// The embedded default.
    Sqlite,
    /// PostgreSQL 15 or newer.
    Postgres,
}

/// A failure of the database.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The database answered with an error or not at all.
    #[error("database: {what}")]
    Sql {
        /// What was attempted.
        what: &'static str,
        /// Why.
        #[source]
        cause: sqlx::Error,
    },
    /// A row holds what it should not.
    #[error("database: {what} is not readable: {detail}")]
    Row {
        /// Which row.
        what: &'static str,
        /// What is wrong with it.
        detail: String,
    },
    /// The schema could not be brought up to date.
    #[error("database: migration failed")]
    Migrate(#[source] sqlx::migrate::MigrateError),
    /// The address of the database is not usable.
    #[error("database: the address {0:?} is neither sqlite:… nor postgres:…")]
    Url(String),
}

/// Attaches what was attempted to a database error.
pub trait What<T> {
    /// With `what` as the attempt.
    fn what(self, what: &'static str) -> Result<T, StoreError>;
}
impl<T> What<T> for Result<T, sqlx::Error> {
    fn what(self, what: &'static str) -> Result<T, StoreError> {
        self.map_err(|cause| StoreError::Sql { what, cause })
    }
}

impl StoreError {
    /// Whether a unique index refused the row.
    pub fn is_unique(&self) -> bool {
        matches!(self, Self::Sql { cause: sqlx::Error::Database(e), .. } if e.is_unique_violation())
    }

    /// Whether the database's disk is full: SQLITE_FULL, SQLITE_IOERR_SHMSIZE (its shared
    /// memory is a file, too), or PostgreSQL's disk_full.
    pub fn is_full(&self) -> bool {
        let Self::Sql { cause: sqlx::Error::Database(e), .. } = self else { return false };
        matches!(e.code().as_deref(), Some("13" | "4874" | "53100"))
    }
}

/// Logs the chain of causes under a fresh incident id and gives the user's voice of it.
pub fn incident(e: &(dyn std::error::Error + 'static)) -> Problem {
    let id = new_incident();
    let mut chain = e.to_string();
    let mut next = e.source();
    while let Some(c) = next {
        chain.push_str(": ");
        chain.push_str(&c.to_string());
        next = c.source();
    }
    tracing::error!(incident = %id, cause = %chain, "a request failed inside");
    Problem::Internal { incident: id }
}

/// An id that is short enough to read out on the telephone.
pub fn new_incident() -> String {
    let u = uuid::Uuid::new_v4().simple().to_string();
    u[..10].to_owned()
}

impl From<StoreError> for Problem {
    fn from(e: StoreError) -> Self {
        let problem = incident(&e);
        // The transaction is rolled back: nothing is half-done.
        if e.is_full() { Self::DiskFull { free_bytes: 0, need_bytes: 0 } } else { problem }
    }
}

/// The database.
#[derive(Debug, Clone)]
pub struct Store {
    read: AnyPool,
    write: AnyPool,
    kind: Kind,
}

/// The server's clock.
pub fn now_ms() -> UnixMs {
    let d = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    i64::try_from(d.as_millis()).unwrap_or(i64::MAX)
}

/// Settings of a fresh SQLite connection. `NORMAL` with WAL loses nothing when
/// the process is killed; after a power cut the last commits may be missing, and
/// the reconciler then finds what they had made by looking (claims carry our
/// labels outside).
const SQLITE_PRAGMAS: &str = "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA busy_timeout = 10000; \
     PRAGMA foreign_keys = ON; PRAGMA cache_size = -16000; PRAGMA temp_store = MEMORY; PRAGMA mmap_size = 0;";

async fn prepare(c: &mut AnyConnection, kind: Kind) -> Result<(), sqlx::Error> {
    if kind == Kind::Sqlite {
        c.execute(SQLITE_PRAGMAS).await?;
    }
    Ok(())
}

impl Store {
    /// Opens the database, makes it if it is a file that does not exist, and
    /// brings the schema up to date. `url`: `sqlite:/path/to/file` or `postgres://…`.
    pub async fn open(url: &str) -> Result<Self, StoreError> {
        sqlx::any::install_default_drivers();
        let kind = match url.split(':').next() {
            Some("sqlite") => Kind::Sqlite,
            Some("postgres" | "postgresql") => Kind::Postgres,
            _ => return Err(StoreError::Url(url.split('@').next_back().unwrap_or_default().to_owned())),
        };
        let url = match kind {
            Kind::Sqlite if !url.contains('?') => format!("{url}?mode=rwc"),
            _ => url.to_owned(),
        };
        let pool = |max: u32| {
            AnyPoolOptions::new()
                .max_connections(max)
                .min_connections(1)
                .acquire_timeout(Duration::from_secs(10))
                .after_connect(move |c, _| Box::pin(prepare(c, kind)))
        };
        let write = pool(if kind == Kind::Sqlite { 1 } else { 8 }).connect(&url).await.what("connect")?;
        sqlx::migrate!("../migrations").run(&write).await.map_err(StoreError::Migrate)?;
        let read = if kind == Kind::Sqlite { pool(4).connect(&url).await.what("connect")? } else { write.clone() };
        Ok(Self { read, write, kind })
    }

    /// For statements that change nothing.
    pub fn read(&self) -> &AnyPool {
        &self.read
    }
    /// For single statements that change something.
    pub fn write(&self) -> &AnyPool {
        &self.write
    }
    /// A transaction that may change something.
    pub async fn begin(&self) -> Result<Tx<'static>, StoreError> {
        self.write.begin().await.what("begin")
    }
    /// Which database it is.
    pub fn kind(&self) -> Kind {
        self.kind
    }
    /// Closes all connections.
    pub async fn close(&self) {
        self.read.close().await;
        self.write.close().await;
    }
    /// A value of `meta`.
    pub async fn meta(&self, key: &str) -> Result<Option<String>, StoreError> {
        sqlx::query_scalar("SELECT value FROM meta WHERE key = $1")
            .bind(key)
            .fetch_optional(&self.read)
            .await
            .what("read meta")
    }
    /// Sets a value of `meta`.
    pub async fn set_meta(&self, key: &str, value: &str) -> Result<(), StoreError> {
        sqlx::query(
            "INSERT INTO meta (key, value) VALUES ($1, $2) ON CONFLICT (key) DO UPDATE SET value = excluded.value",
        )
        .bind(key)
        .bind(value)
        .execute(&self.write)
        .await
        .what("set meta")
        .map(|_| ())
    }
}

/// JSON of a column, in the form of today or of former times.
pub fn from_json<T: serde::de::DeserializeOwned>(what: &'static str, s: &str) -> Result<T, StoreError> {
    let found = serde_json::from_str(s);
    let found =
        found.or_else(|e| serde_json::from_str(s).ok().and_then(|v| serde_json::from_value(former(v)).ok()).ok_or(e));
    found.map_err(|e| StoreError::Row { what, detail: e.to_string() })
}

/// What was written before November 2026 as it is written now. Then the word of an
/// event, a note or a finding stood among its fields (`{"event":"died","slot":0}`),
/// now it stands around them (`{"died":{"slot":0}}`). The journal's rows can't be
/// rewritten: each is sealed by the next one's hash.
fn former(v: serde_json::Value) -> serde_json::Value {
    use serde_json::Value;
    match v {
        Value::Array(all) => all.into_iter().map(former).collect(),
        Value::Object(mut fields) => {
            // Looked for before what is inside is changed: a finding without fields becomes a mere word.
            let tag = ["event", "note", "finding"].into_iter().find(|t| fields.get(*t).is_some_and(Value::is_string));
            let word = tag.and_then(|t| fields.remove(t));
            let rest: serde_json::Map<_, _> = fields.into_iter().map(|(k, v)| (k, former(v))).collect();
            match word {
                Some(Value::String(word)) if rest.is_empty() => Value::String(word),
                Some(Value::String(word)) => Value::Object([(word, Value::Object(rest))].into_iter().collect()),
                _ => Value::Object(rest),
            }
        }
        other => other,
    }
}

/// JSON for a column.
pub fn to_json<T: serde::Serialize>(what: &'static str, v: &T) -> Result<String, StoreError> {
    serde_json::to_string(v).map_err(|e| StoreError::Row { what, detail: e.to_string() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use padis_domain::delivery::{Finding, Note, StepView};
    use padis_domain::view::Event;

    #[test]
    fn what_earlier_versions_wrote_is_still_read() {
        let old = r#"{"event":"replaced","slot":1,"release":2,"finding":{"finding":"refused"},"times":3}"#;
        let replaced = Event::Replaced { slot: 1, release: 2, finding: Finding::Refused, times: 3 };
        assert_eq!(from_json::<Event>("event", old).expect("old"), replaced);
        let new = to_json("event", &replaced).expect("new");
        assert_eq!(from_json::<Event>("event", &new).expect("new"), replaced);
        let old = r#"{"note":"sick","finding":{"finding":"wrong_text","expect":"OK","got":"no"},"address":"10.0.0.2","path":"/"}"#;
        let finding = Finding::WrongText { expect: "OK".into(), got: "no".into() };
        let sick = Note::Sick { finding, address: "10.0.0.2".into(), path: "/".into() };
        assert_eq!(from_json::<Note>("note", old).expect("old"), sick);
        let steps =
            r#"[{"step":"submitted","state":"done","began_at":1,"ended_at":2,"note":{"note":"by","name":"Lin"}}]"#;
        let steps = from_json::<Vec<StepView>>("steps", steps).expect("old");
        assert_eq!(steps[0].note, Some(Note::By { name: "Lin".into() }));
        assert!(from_json::<Event>("event", r#"{"event":"never heard of"}"#).is_err());
    }
}
