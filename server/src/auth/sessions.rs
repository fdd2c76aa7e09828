//! Sessions: rows of the database, known by the SHA-256 of a random token.
//!
//! The token (256 bits) stands in the cookie only; a copy of the database signs
//! nobody in. A session has a public id for lists and revocation. `tower-sessions`
//! was considered and left: its record id is the cookie's value itself (128
//! bits, stored as it is), and it knows neither address, agent, listing nor
//! revocation by another id, so that nothing of it would have remained but the
//! name.
//!
//! What a session allows is remembered for [`FRESH`] at most. One could get it
//! wrong by remembering what was read before a revocation: every revocation
//! raises a generation, and what was read under an older one is not kept.

use crate::store::{Store, StoreError, What, now_ms};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use padis_domain::caller::Caller;
use padis_domain::words::{PlatformRole, TeamRole, UnixMs};
use rand::RngCore;
use sha2::{Digest, Sha256};
use sqlx::Row;
use std::collections::{BTreeMap, HashMap};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// How long roles and teams are remembered; in this process a change takes effect at once.
const FRESH: Duration = Duration::from_secs(2);
/// How often "last used" is written.
const SEEN_EVERY_MS: i64 = 60_000;
/// Entries after which stale ones are thrown out.
const CACHE: usize = 10_000;
/// The longest browser name that is kept, in characters.
const MAX_AGENT: usize = 120;

/// How long sessions live.
#[derive(Debug, Clone, Copy)]
pub struct Lifetimes {
    /// Without a request.
    pub idle: Duration,
    /// In any case.
    pub absolute: Duration,
}

/// Where a request comes from.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Peer {
    /// The client's IP address as text.
    pub address: String,
    /// `User-Agent`.
    pub agent: String,
}

/// A session row, for lists.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    /// Public id.
    pub id: String,
    /// Account.
    pub account: String,
    /// Client's address.
    pub address: String,
    /// Browser, shortened.
    pub agent: String,
    /// Signed in at.
    pub began_at: UnixMs,
    /// Last used at, to the minute.
    pub seen_at: UnixMs,
}

struct Remembered {
    caller: Caller,
    at: Instant,
}

#[derive(Default)]
struct Memory {
    generation: u64,
    by_hash: HashMap<String, Remembered>,
}

/// All sessions.
pub struct Sessions {
    store: Store,
    lifetimes: Lifetimes,
    memory: Mutex<Memory>,
}

fn hash(token: &str) -> String {
    Sha256::digest(token.as_bytes()).iter().map(|b| format!("{b:02x}")).collect()
}

fn millis(d: Duration) -> i64 {
    i64::try_from(d.as_millis()).unwrap_or(i64::MAX)
}

impl Sessions {
    /// Over a store.
    pub fn new(store: Store, lifetimes: Lifetimes) -> Self {
        Self { store, lifetimes, memory: Mutex::default() }
    }

    fn memory(&self) -> MutexGuard<'_, Memory> {
        self.memory.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A new session; gives the token for the cookie. `old` is the token that
    /// the browser had before: its session ends, so that nobody who planted or
    /// knew it comes in with this person.
    pub async fn begin(&self, account: &str, peer: &Peer, old: Option<&str>) -> Result<String, StoreError> {
        let mut secret = [0u8; 32];
        rand::rng().fill_bytes(&mut secret);
        let token = URL_SAFE_NO_PAD.encode(secret);
        let now = now_ms();
        let agent: String = peer.agent.chars().filter(|c| !c.is_control()).take(MAX_AGENT).collect();
        let mut tx = self.store.begin().await?;
        sqlx::query(
            "INSERT INTO session (id, token_hash, account, address, agent, began_at, seen_at, expires_at, revoked_at) \
             VALUES ($1, $2, $3, $4, $5, $6, $6, $7, NULL)",
        )
        .bind(uuid::Uuid::new_v4().to_string())
        .bind(hash(&token))
        .bind(account)
        .bind(&peer.address)
        .bind(agent)
        .bind(now)
        .bind(now.saturating_add(millis(self.lifetimes.absolute)))
        .execute(&mut *tx)
        .await
        .what("begin a session")?;
        if let Some(old) = old {
            sqlx::query("UPDATE session SET revoked_at = $2 WHERE token_hash = $1 AND revoked_at IS NULL")
                .bind(hash(old))
                .bind(now)
                .execute(&mut *tx)
                .await
                .what("end the session before")?;
        }
        sqlx::query("UPDATE account SET last_seen = $2 WHERE name = $1")
            .bind(account)
            .bind(now)
            .execute(&mut *tx)
            .await
            .what("note the sign-in")?;
        tx.commit().await.what("begin a session")?;
        if old.is_some() {
            self.forget_all();
        }
        Ok(token)
    }

    /// The person behind a token, with roles and teams as they are now. `use_it`:
    /// this is a request of a person and postpones the end by idleness; an event
    /// stream that only stays open does not.
    pub async fn caller(&self, token: &str, use_it: bool) -> Result<Option<Caller>, StoreError> {
        // Ours are 43 characters; anything else is not worth a query.
        if token.len() != 43 {
            return Ok(None);
        }
        let hash = hash(token);
        let generation = {
            let m = self.memory();
            if let Some(r) = m.by_hash.get(&hash).filter(|r| r.at.elapsed() < FRESH) {
                return Ok(Some(r.caller.clone()));
            }
            m.generation
        };
        let caller = self.load(&hash, use_it).await?;
        let mut m = self.memory();
        match &caller {
            Some(c) if m.generation == generation => {
                if m.by_hash.len() >= CACHE {
                    m.by_hash.retain(|_, r| r.at.elapsed() < FRESH);
                }
                m.by_hash.insert(hash, Remembered { caller: c.clone(), at: Instant::now() });
            }
            Some(_) => {}
            None => {
                m.by_hash.remove(&hash);
            }
        }
        Ok(caller)
    }

    async fn load(&self, hash: &str, use_it: bool) -> Result<Option<Caller>, StoreError> {
        const WHAT: &str = "read a session";
        let now = now_ms();
        let row = sqlx::query(
            "SELECT s.id, s.account, s.seen_at, a.display, a.platform FROM session s JOIN account a ON a.name = s.account \
             WHERE s.token_hash = $1 AND s.revoked_at IS NULL AND s.expires_at > $2 AND s.seen_at > $3 AND a.enabled = 1",
        )
        .bind(hash)
        .bind(now)
        .bind(now - millis(self.lifetimes.idle))
        .fetch_optional(self.store.read())
        .await
        .what(WHAT)?;
        let Some(row) = row else { return Ok(None) };
        let (id, account): (String, String) = (row.try_get("id").what(WHAT)?, row.try_get("account").what(WHAT)?);
        let platform: Option<String> = row.try_get("platform").what(WHAT)?;
        let bad = |detail: String| StoreError::Row { what: "account", detail };
        let platform = match platform.as_deref() {
            None | Some("") => None,
            Some(w) => Some(PlatformRole::parse(w).ok_or_else(|| bad(format!("platform role {w:?}")))?),
        };
        let mut teams = BTreeMap::new();
        let rows = sqlx::query("SELECT team, role FROM membership WHERE account = $1")
            .bind(&account)
            .fetch_all(self.store.read())
            .await
            .what(WHAT)?;
        for r in rows {
            let (team, role): (String, String) = (r.try_get("team").what(WHAT)?, r.try_get("role").what(WHAT)?);
            teams.insert(team, TeamRole::parse(&role).ok_or_else(|| bad(format!("team role {role:?}")))?);
        }
        let seen_at: i64 = row.try_get("seen_at").what(WHAT)?;
        if use_it && now - seen_at >= SEEN_EVERY_MS.min(millis(self.lifetimes.idle) / 4) {
            let noted = sqlx::query("UPDATE session SET seen_at = $2 WHERE id = $1 AND seen_at < $2")
                .bind(&id)
                .bind(now)
                .execute(self.store.write())
                .await;
            // A database that can be read and not written (its disk is full) still shows its pages.
            if let Err(e) = noted {
                tracing::warn!(cause = %e, "a session's use could not be noted");
            }
        }
        Ok(Some(Caller { account, name: row.try_get("display").what(WHAT)?, teams, platform, session: id }))
    }

    /// Living sessions, the last used first; of one account or all.
    pub async fn list(&self, account: Option<&str>) -> Result<Vec<Session>, StoreError> {
        const WHAT: &str = "list sessions";
        let now = now_ms();
        let rows = sqlx::query(
            "SELECT id, account, address, agent, began_at, seen_at FROM session \
             WHERE revoked_at IS NULL AND expires_at > $1 AND seen_at > $2 AND ($3 = '' OR account = $3) \
             ORDER BY seen_at DESC, id LIMIT 1000",
        )
        .bind(now)
        .bind(now - millis(self.lifetimes.idle))
        .bind(account.unwrap_or_default())
        .fetch_all(self.store.read())
        .await
        .what(WHAT)?;
        rows.iter()
            .map(|r| {
                Ok(Session {
                    id: r.try_get("id").what(WHAT)?,
                    account: r.try_get("account").what(WHAT)?,
                    address: r.try_get("address").what(WHAT)?,
                    agent: r.try_get("agent").what(WHAT)?,
                    began_at: r.try_get("began_at").what(WHAT)?,
                    seen_at: r.try_get("seen_at").what(WHAT)?,
                })
            })
            .collect()
    }

    /// Ends the session with this public id; `account` limits it to that person's.
    /// Gives whether one was ended.
    pub async fn revoke(&self, id: &str, account: Option<&str>) -> Result<bool, StoreError> {
        let n = sqlx::query(
            "UPDATE session SET revoked_at = $2 WHERE id = $1 AND revoked_at IS NULL AND ($3 = '' OR account = $3)",
        )
        .bind(id)
        .bind(now_ms())
        .bind(account.unwrap_or_default())
        .execute(self.store.write())
        .await
        .what("revoke a session")?
        .rows_affected();
        self.forget_all();
        Ok(n > 0)
    }

    /// Ends all sessions of an account but `keep`.
    pub async fn revoke_account(&self, account: &str, keep: Option<&str>) -> Result<(), StoreError> {
        sqlx::query("UPDATE session SET revoked_at = $2 WHERE account = $1 AND revoked_at IS NULL AND id <> $3")
            .bind(account)
            .bind(now_ms())
            .bind(keep.unwrap_or_default())
            .execute(self.store.write())
            .await
            .what("revoke an account's sessions")?;
        self.forget_all();
        Ok(())
    }

    /// Forgets what is remembered: the next request of everybody reads anew.
    /// To be called after a change of accounts, roles, teams or memberships.
    pub fn forget_all(&self) {
        let mut m = self.memory();
        m.generation += 1;
        m.by_hash.clear();
    }

    /// Deletes rows that ended more than 30 days ago.
    pub async fn sweep(&self) -> Result<(), StoreError> {
        let before = now_ms() - 30 * 86_400_000;
        sqlx::query("DELETE FROM session WHERE expires_at < $1 OR revoked_at < $1")
            .bind(before)
            .execute(self.store.write())
            .await
            .what("sweep sessions")
            .map(|_| ())
    }
}
