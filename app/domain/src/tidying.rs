//! The part of the portal that makes room: one version is deleted by hand, and a registry's
//! bytes that nothing names any more are freed.
//!
//! One could get it wrong by deleting what a tag names now: what goes is the digest that was
//! seen, with the tags that were seen to go with it, or nothing.

use crate::caller::Caller;
use crate::portal::Answer;
use crate::view::{CollectionsView, Fate, Retention, VersionToDelete};
use async_trait::async_trait;

/// What people do to make room. All of it checks the caller.
#[async_trait]
pub trait Tidying: Send + Sync {
    /// What would go with a version, and why it can't. `live`: where the repository has versions
    /// for several platforms, the registry is asked what they consist of, with a deadline.
    async fn version_fate(&self, c: &Caller, registry: &str, repository: &str, tag: &str) -> Answer<Fate>;
    /// Lets it be deleted; whether the repository has other versions. `live` as
    /// [`Tidying::version_fate`].
    async fn delete_version(&self, c: &Caller, which: &VersionToDelete, once: &str) -> Answer<bool>;
    /// From now on what goes by the rule is taken out of the repository once a day, for the first
    /// time at once; instead of a rule that was kept before. The same once more changes nothing.
    async fn keep_rule(&self, c: &Caller, registry: &str, repository: &str, rule: Retention) -> Answer<()>;
    /// No longer; what is not gone by then stays.
    async fn end_rule(&self, c: &Caller, registry: &str, repository: &str) -> Answer<()>;
    /// Every registry with what was freed in it (operators, auditors and engineers).
    async fn collections(&self, c: &Caller) -> Answer<CollectionsView>;
    /// Lets the bytes of a registry be freed that nothing names; one that goes on is enough.
    async fn collect(&self, c: &Caller, registry: &str, once: &str) -> Answer<()>;
    /// Stops it; what is deleted by then is deleted, what is aside is put back.
    async fn cancel_collection(&self, c: &Caller, id: &str) -> Answer<()>;
}
