//! How often one may try to sign in.
//!
//! Counted per account and per address, in the database, so that neither a
//! restart nor a second replica gives new tries. An attempt is counted before
//! the password is looked at and given back when it was right: counting
//! afterwards would let a hundred parallel guesses through at once.
//!
//! A wait that ends later than any that could begin now was written by a clock that
//! was ahead and has been set right; nobody is kept out for that.

use crate::store::{Store, StoreError, What};
use padis_domain::words::UnixMs;
use sqlx::Row;
use std::time::Duration;

/// The first wait after too many failures; each further failure doubles it up to the window.
const FIRST_WAIT_MS: i64 = 30_000;

/// How many failures are accepted in which time.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Failures per account.
    pub per_account: u32,
    /// Failures per address; higher, because an office shares one.
    pub per_address: u32,
    /// Failures older than this are forgotten.
    pub window: Duration,
}

/// An attempt that was admitted; it counts as a failure until it is given back.
#[derive(Debug)]
pub struct Attempt {
    account: String,
    address: String,
}

/// What the throttle says.
#[derive(Debug)]
pub enum Admission {
    /// Go on.
    Admitted(Attempt),
    /// Wait.
    Wait {
        /// Seconds, at least 1.
        retry_after_s: u32,
    },
}

fn millis(d: Duration) -> i64 {
    i64::try_from(d.as_millis()).unwrap_or(i64::MAX)
}

/// Milliseconds to wait after failure number `n` (from 1) where `limit` are accepted.
fn wait_ms(n: i64, limit: i64, window_ms: i64) -> i64 {
    if n < limit {
        return 0;
    }
    let doublings = u32::try_from(n - limit).unwrap_or(u32::MAX).min(20);
    FIRST_WAIT_MS.saturating_mul(1 << doublings).min(window_ms.max(1_000))
}

/// Counts an attempt, unless one of the two has to wait.
pub async fn admit(s: &Store, l: &Limits, account: &str, address: &str, now: UnixMs) -> Result<Admission, StoreError> {
    const WHAT: &str = "count a sign-in";
    let window = millis(l.window);
    let keys = [
        (format!("account:{account}"), i64::from(l.per_account)),
        (format!("address:{address}"), i64::from(l.per_address)),
    ];
    let mut tx = s.begin().await?;
    for (key, limit) in &keys {
        // No row comes back when the key has to wait: then nothing is counted, for neither of the two.
        let counted = sqlx::query(
            "INSERT INTO signin_failure (key, failures, first_at, last_at, blocked_until) VALUES ($1, 1, $2, $2, 0) \
             ON CONFLICT (key) DO UPDATE SET \
             failures = CASE WHEN signin_failure.first_at < $3 OR signin_failure.first_at > $4 THEN 1 ELSE signin_failure.failures + 1 END, \
             first_at = CASE WHEN signin_failure.first_at < $3 OR signin_failure.first_at > $4 THEN excluded.first_at ELSE signin_failure.first_at END, \
             last_at = excluded.last_at \
             WHERE signin_failure.blocked_until <= excluded.last_at OR signin_failure.blocked_until > $4 RETURNING failures",
        )
        .bind(key)
        .bind(now)
        .bind(now - window)
        .bind(now + window.max(1_000))
        .fetch_optional(&mut *tx)
        .await
        .what(WHAT)?;
        let Some(row) = counted else {
            let until: i64 = sqlx::query_scalar("SELECT blocked_until FROM signin_failure WHERE key = $1")
                .bind(key)
                .fetch_one(&mut *tx)
                .await
                .what(WHAT)?;
            tx.rollback().await.what(WHAT)?;
            let wait_s = (until - now).clamp(1, window.max(1_000)).div_euclid(1_000) + 1;
            return Ok(Admission::Wait { retry_after_s: u32::try_from(wait_s).unwrap_or(u32::MAX) });
        };
        let n: i64 = row.try_get("failures").what(WHAT)?;
        let wait = wait_ms(n, *limit, window);
        if wait > 0 {
            sqlx::query("UPDATE signin_failure SET blocked_until = $2 WHERE key = $1")
                .bind(key)
                .bind(now + wait)
                .execute(&mut *tx)
                .await
                .what(WHAT)?;
        }
    }
    tx.commit().await.what(WHAT)?;
    Ok(Admission::Admitted(Attempt { account: account.to_owned(), address: address.to_owned() }))
}

/// The password was right: the account's failures are forgotten, the address
/// gets this attempt back (not more: one account of one's own would otherwise
/// buy any number of guesses at others).
pub async fn succeeded(s: &Store, a: Attempt) -> Result<(), StoreError> {
    const WHAT: &str = "forget failed sign-ins";
    sqlx::query("DELETE FROM signin_failure WHERE key = $1")
        .bind(format!("account:{}", a.account))
        .execute(s.write())
        .await
        .what(WHAT)?;
    give_back(s, &format!("address:{}", a.address)).await
}

/// Nothing was compared (the directory was down): the attempt does not count.
pub async fn undecided(s: &Store, a: Attempt) -> Result<(), StoreError> {
    give_back(s, &format!("account:{}", a.account)).await?;
    give_back(s, &format!("address:{}", a.address)).await
}

async fn give_back(s: &Store, key: &str) -> Result<(), StoreError> {
    sqlx::query("UPDATE signin_failure SET failures = failures - 1, blocked_until = 0 WHERE key = $1 AND failures > 0")
        .bind(key)
        .execute(s.write())
        .await
        .what("give a sign-in attempt back")
        .map(|_| ())
}

/// Removes what no longer matters.
pub async fn sweep(s: &Store, l: &Limits, now: UnixMs) -> Result<(), StoreError> {
    sqlx::query("DELETE FROM signin_failure WHERE last_at < $1 AND blocked_until < $2")
        .bind(now - millis(l.window))
        .bind(now)
        .execute(s.write())
        .await
        .what("sweep failed sign-ins")
        .map(|_| ())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_to_the_window() {
        let w = 900_000;
        assert_eq!(wait_ms(9, 10, w), 0);
        assert_eq!(wait_ms(10, 10, w), 30_000);
        assert_eq!(wait_ms(12, 10, w), 120_000);
        assert_eq!(wait_ms(1_000_000, 10, w), w);
    }
}
