use super::PortResult;
use async_trait::async_trait;

/// A person as the directory knows them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DirectoryPerson {
    /// Account, lower case.
    pub account: String,
    /// Display name.
    pub name: String,
    /// Mail, may be empty.
    pub mail: String,
    /// Distinguished names of all groups, nested ones included, normalised to lower case.
    pub groups: Vec<String>,
}

/// LDAP or Active Directory.
#[async_trait]
pub trait Directory: Send + Sync {
    /// Searches, then binds as the found entry. `Ok(None)`: unknown account or wrong
    /// password, indistinguishably. An empty password is never sent (it would be an
    /// anonymous bind, RFC 4513 section 5.1.2).
    async fn sign_in(&self, account: &str, password: &str) -> PortResult<Option<DirectoryPerson>>;
    /// Whether one of the servers answers.
    async fn ping(&self) -> PortResult<()>;
}
