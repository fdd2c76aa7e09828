//! The part of the portal that workbenches are: a person changes a middleware in a
//! container and keeps the result as a new version.
//!
//! One could get it wrong by treating a workbench as the team's: it is a person's, and
//! another member does not even hear of it.

use crate::caller::Caller;
use crate::portal::Answer;
use crate::ports::Terminal;
use crate::view::{BenchOffer, BenchRow, BenchView, ListQuery, NewBench, NewCommit, Page};
use async_trait::async_trait;

/// What people do with workbenches. All of it checks the caller.
#[async_trait]
pub trait Benches: Send + Sync {
    /// Where one can be started from a version, and what the version was made of.
    async fn bench_offer(&self, c: &Caller, registry: &str, repository: &str, tag: &str) -> Answer<BenchOffer>;
    /// The caller's own; those who oversee the platform see all.
    async fn benches(&self, c: &Caller, q: &ListQuery) -> Answer<Page<BenchRow>>;
    /// One; what was changed in it is asked of its host, with a deadline.
    async fn bench(&self, c: &Caller, id: &str) -> Answer<BenchView>;
    /// Asks for one; its id.
    async fn start_bench(&self, c: &Caller, new: &NewBench, once: &str) -> Answer<String>;
    /// Takes one away with everything in it.
    async fn end_bench(&self, c: &Caller, id: &str) -> Answer<()>;
    /// Makes a version of it; the id of that.
    async fn commit_bench(&self, c: &Caller, new: &NewCommit, once: &str) -> Answer<String>;
    /// Opens a terminal in it, which is recorded.
    async fn bench_terminal(&self, c: &Caller, id: &str, columns: u16, rows: u16) -> Answer<Terminal>;
    /// What a terminal showed, as asciicast v2.
    async fn bench_record(&self, c: &Caller, id: &str, number: u32) -> Answer<Vec<u8>>;
}
