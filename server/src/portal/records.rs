//! Rows of applications and releases as the portal needs them, for reading and,
//! locked, for changing.
//!
//! One could get it wrong by handing a [`ReleaseRec`] out: its specification
//! holds the secrets. What leaves goes through [`ReleaseRec::shown`].

use super::PadisPortal;
use super::sql::{Cols, for_update};
use crate::store::{Kind, StoreError, What};
use padis_domain::Problem;
use padis_domain::action::AppState;
use padis_domain::app::{AppRef, Env, EnvVar, ReleaseSpec, Wanted};
use padis_domain::problem::FieldChange;
use padis_domain::quantity::{Amount, Size};
use padis_domain::stack::Contract;
use padis_domain::view::SpecView;
use padis_domain::words::UnixMs;
use sqlx::AnyConnection;
use sqlx::any::AnyRow;

/// An application's row.
#[derive(Debug, Clone)]
pub struct AppRec {
    /// Id.
    pub id: String,
    /// Key.
    pub app: AppRef,
    /// Title.
    pub title: String,
    /// Pool.
    pub pool: String,
    /// Host name.
    pub host_name: String,
    /// Wanted as a whole.
    pub wanted: Wanted,
    /// Wanted instances.
    pub instances: u32,
    /// Active release.
    pub release: u32,
    /// Size of one instance of it.
    pub size: Size,
    /// State as last written.
    pub state: AppState,
    /// Revision of the intent.
    pub revision: i64,
    /// Last change.
    pub changed_at: UnixMs,
    /// By whom.
    pub changed_by: String,
}

/// `wanted` as the column has it.
pub fn wanted_word(w: Wanted) -> &'static str {
    match w {
        Wanted::Online => "online",
        Wanted::Stopped => "stopped",
        Wanted::Deleted => "deleted",
    }
}

/// The state to show: what is wanted wins over what was seen before it was wanted.
pub fn effective(wanted: Wanted, seen: AppState) -> AppState {
    match (wanted, seen) {
        (Wanted::Deleted, _) => AppState::Deleting,
        (Wanted::Stopped, AppState::Stopped) => AppState::Stopped,
        (Wanted::Stopped, _) => AppState::Stopping,
        (Wanted::Online, AppState::Stopped | AppState::Stopping | AppState::Deleting) => AppState::Delivering,
        (Wanted::Online, s) => s,
    }
}

/// Reads `wanted` and `state` of an `app` row.
pub fn read_state(r: &AnyRow) -> Result<(Wanted, AppState), StoreError> {
    let wanted = r.word("wanted", |s| {
        [Wanted::Online, Wanted::Stopped, Wanted::Deleted].into_iter().find(|w| wanted_word(*w) == s)
    })?;
    Ok((wanted, effective(wanted, r.word("state", AppState::parse)?)))
}

/// Reads an `app` row.
pub fn read_app(r: &AnyRow) -> Result<AppRec, StoreError> {
    let (wanted, state) = read_state(r)?;
    Ok(AppRec {
        id: r.s("id")?,
        app: AppRef { team: r.s("team")?, app: r.s("name")? },
        title: r.s("title")?,
        pool: r.s("pool")?,
        host_name: r.s("host_name")?,
        wanted,
        instances: r.u("instances")?,
        release: r.u("release")?,
        size: Size { cpu_milli: r.u("cpu_milli")?, mem_mib: r.u("mem_mib")? },
        state,
        revision: r.i("revision")?,
        changed_at: r.i("changed_at")?,
        changed_by: r.s("changed_by")?,
    })
}

impl AppRec {
    /// What its team's quota has to hold for it.
    pub fn held(&self) -> Amount {
        match self.wanted {
            Wanted::Online => self.size.times(self.instances),
            Wanted::Stopped | Wanted::Deleted => Amount::default(),
        }
    }
}

/// The application, or [`Problem::NotFound`].
pub async fn find(p: &PadisPortal, app: &AppRef) -> Result<AppRec, Problem> {
    let row = sqlx::query("SELECT * FROM app WHERE team = $1 AND name = $2")
        .bind(&app.team)
        .bind(&app.app)
        .fetch_optional(p.store.read())
        .await
        .what("read an application")?;
    Ok(read_app(&row.ok_or(Problem::NotFound)?)?)
}

/// The application, locked until the end of the transaction.
pub async fn lock(conn: &mut AnyConnection, kind: Kind, app: &AppRef) -> Result<AppRec, Problem> {
    let text = format!("SELECT * FROM app WHERE team = $1 AND name = $2{}", for_update(kind));
    let row =
        sqlx::query(&text).bind(&app.team).bind(&app.app).fetch_optional(conn).await.what("lock an application")?;
    Ok(read_app(&row.ok_or(Problem::NotFound)?)?)
}

/// A release's row, secrets inside.
#[derive(Debug, Clone)]
pub struct ReleaseRec {
    /// Number.
    pub number: u32,
    /// What it fixes.
    pub spec: ReleaseSpec,
    /// The contract as it was.
    pub contract: Contract,
    /// `name:version`.
    pub stack_key: String,
    /// The package's kind.
    pub package_kind: String,
    /// The package's file name.
    pub package_name: String,
    /// What differs from the release before.
    pub changes: Vec<FieldChange>,
    /// When.
    pub at: UnixMs,
    /// By whom.
    pub by_name: String,
}

/// Reads a `release` row.
pub fn read_release(r: &AnyRow) -> Result<ReleaseRec, StoreError> {
    Ok(ReleaseRec {
        number: r.u("number")?,
        spec: r.json("spec")?,
        contract: r.json("contract")?,
        stack_key: r.s("stack_key")?,
        package_kind: r.s("package_kind")?,
        package_name: r.s("package_name")?,
        changes: r.json("changes")?,
        at: r.i("at")?,
        by_name: r.s("by_name")?,
    })
}

/// One release of an application.
pub async fn release(conn: &mut AnyConnection, app_id: &str, number: u32) -> Result<Option<ReleaseRec>, StoreError> {
    sqlx::query("SELECT * FROM release WHERE app_id = $1 AND number = $2")
        .bind(app_id)
        .bind(i64::from(number))
        .fetch_optional(conn)
        .await
        .what("read a release")?
        .as_ref()
        .map(read_release)
        .transpose()
}

/// The environment without the values of secrets.
pub fn without_secrets(env: &Env) -> Env {
    let hide = |v: &EnvVar| if v.secret { EnvVar { secret: true, value: String::new() } } else { v.clone() };
    env.iter().map(|(k, v)| (k.clone(), hide(v))).collect()
}

impl ReleaseRec {
    /// What may leave the server.
    pub fn shown(&self) -> SpecView {
        SpecView {
            size: self.spec.size,
            health: self.spec.health.clone(),
            env: without_secrets(&self.spec.env),
            stack: self.spec.stack.clone(),
            image: self.spec.image.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_wanted_wins_over_what_was_seen() {
        use AppState as S;
        assert_eq!(effective(Wanted::Deleted, S::Online), S::Deleting);
        assert_eq!(effective(Wanted::Stopped, S::Online), S::Stopping);
        assert_eq!(effective(Wanted::Stopped, S::Stopped), S::Stopped);
        assert_eq!(effective(Wanted::Online, S::Stopped), S::Delivering);
        assert_eq!(effective(Wanted::Online, S::Degraded), S::Degraded);
    }
}
