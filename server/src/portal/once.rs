//! The same form sent twice has one effect.
//!
//! A token is a row made when the form is rendered; the command that uses it
//! stores its answer there in its own transaction, so that the answer and the
//! effect are there together or not at all. One could get it wrong by looking
//! before the transaction: on PostgreSQL the row is locked, so that the second of
//! two simultaneous sendings waits and then gets the first one's answer.

use super::PadisPortal;
use super::sql::for_update;
use crate::store::{Kind, StoreError, Tx, What, from_json, now_ms, to_json};
use padis_domain::Problem;
use padis_domain::caller::Caller;
use padis_domain::portal::Answer;
use padis_domain::problem::ValueFault;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use sqlx::Row;
use std::sync::atomic::Ordering;

/// A form is forgotten after two days.
const KEPT_MS: i64 = 2 * 24 * 3600 * 1000;
/// Old tokens are swept out every so many fresh ones.
const SWEEP_EVERY: u64 = 256;

#[derive(Serialize, Deserialize)]
struct Kept<T> {
    what: String,
    answer: T,
}

/// A fresh token for the caller.
pub async fn fresh(p: &PadisPortal, c: &Caller) -> Answer<String> {
    let token = uuid::Uuid::new_v4().simple().to_string();
    let now = now_ms();
    sqlx::query("INSERT INTO once (token, account, at) VALUES ($1, $2, $3)")
        .bind(&token)
        .bind(&c.account)
        .bind(now)
        .execute(p.store.write())
        .await
        .what("make a form's token")?;
    if p.once_count.fetch_add(1, Ordering::Relaxed).is_multiple_of(SWEEP_EVERY) {
        sqlx::query("DELETE FROM once WHERE at < $1")
            .bind(now - KEPT_MS)
            .execute(p.store.write())
            .await
            .what("sweep forms' tokens")?;
    }
    Ok(token)
}

/// The first answer, if the token was used; `None` if it is unused and now locked.
pub async fn before<T: DeserializeOwned>(
    tx: &mut Tx<'_>,
    kind: Kind,
    c: &Caller,
    token: &str,
    what: &str,
) -> Answer<Option<T>> {
    let unknown = || Problem::field("once", ValueFault::Unknown);
    let text = format!("SELECT answer FROM once WHERE token = $1 AND account = $2{}", for_update(kind));
    let row =
        sqlx::query(&text).bind(token).bind(&c.account).fetch_optional(&mut **tx).await.what("read a form's token")?;
    let answer: Option<String> = row.ok_or_else(unknown)?.try_get("answer").what("read a form's token")?;
    let Some(answer) = answer else { return Ok(None) };
    // A token of another form is no token of this one.
    let kept: Kept<serde_json::Value> = from_json("once.answer", &answer)?;
    if kept.what != what {
        return Err(unknown());
    }
    let answer = serde_json::from_value(kept.answer);
    Ok(Some(answer.map_err(|e| StoreError::Row { what: "once.answer", detail: e.to_string() })?))
}

/// Stores the answer.
pub async fn keep<T: Serialize>(tx: &mut Tx<'_>, token: &str, what: &str, answer: &T) -> Result<(), StoreError> {
    sqlx::query("UPDATE once SET answer = $2 WHERE token = $1")
        .bind(token)
        .bind(to_json("once.answer", &Kept { what: what.to_owned(), answer })?)
        .execute(&mut **tx)
        .await
        .what("store a form's answer")
        .map(|_| ())
}
