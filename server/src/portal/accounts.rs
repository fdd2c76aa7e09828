//! What the portal asks of sign-in: passwords and the ends of sessions.
//!
//! Why a trait: sessions are remembered in memory for a moment, so ending one by
//! a mere `UPDATE` here would let it live on; and the tests of the portal need no
//! slow hash. One could get it wrong by changing an account's roles without
//! [`Accounts::forget_all`].

use crate::auth::{Auth, Session};
use crate::store::incident;
use async_trait::async_trait;
use padis_domain::portal::Answer;

/// Passwords and sessions.
#[async_trait]
pub trait Accounts: Send + Sync {
    /// A salted, slow hash to store.
    async fn hash(&self, password: &str) -> Answer<String>;
    /// Whether it is the built-in account's password; counted like a sign-in.
    async fn is_password(&self, account: &str, password: &str) -> Answer<bool>;
    /// Living sessions, the last used first; of one account or all.
    async fn sessions(&self, account: Option<&str>) -> Answer<Vec<Session>>;
    /// Ends a session; `account` limits it to that person's. `false`: there was none.
    async fn revoke(&self, id: &str, account: Option<&str>) -> Answer<bool>;
    /// Ends all sessions of an account but `keep`.
    async fn revoke_account(&self, account: &str, keep: Option<&str>) -> Answer<()>;
    /// Accounts, roles, teams or memberships have changed: nobody's remembered ones count any more.
    fn forget_all(&self);
}

#[async_trait]
impl Accounts for Auth {
    async fn hash(&self, password: &str) -> Answer<String> {
        self.passwords.hash(password).await.map_err(|e| incident(&e))
    }
    async fn is_password(&self, account: &str, password: &str) -> Answer<bool> {
        Auth::is_password(self, account, password).await
    }
    async fn sessions(&self, account: Option<&str>) -> Answer<Vec<Session>> {
        Ok(self.sessions.list(account).await?)
    }
    async fn revoke(&self, id: &str, account: Option<&str>) -> Answer<bool> {
        Ok(self.sessions.revoke(id, account).await?)
    }
    async fn revoke_account(&self, account: &str, keep: Option<&str>) -> Answer<()> {
        Ok(self.sessions.revoke_account(account, keep).await?)
    }
    fn forget_all(&self) {
        self.sessions.forget_all();
    }
}
