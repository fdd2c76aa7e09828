//! Made-up images that were brought in as files.

use super::portal::FakePortal;
use super::{NOW, images};
use async_trait::async_trait;
use futures::stream::{self, BoxStream, StreamExt};
use padis_domain::Problem;
use padis_domain::archives::{Archives, Download};
use padis_domain::caller::Caller;
use padis_domain::portal::Answer;
use padis_domain::ports::PortResult;
use padis_domain::view::*;

fn row(id: &str, state: CopyState) -> ArchiveRow {
    let failed = state == CopyState::Failed;
    ArchiveRow {
        id: id.into(),
        registry: "padis".into(),
        repository: "teams/motor/claims".into(),
        tag: if failed { String::new() } else { "2.4".into() },
        file_name: "claims <2.4>.tar".into(),
        bytes: 400_000_000,
        named: "motor/claims:2.4".into(),
        platforms: vec!["linux/arm64".into()],
        runs_here: false,
        digest: if state == CopyState::Done { "sha256:9f2c41d7a0b1c2d3".into() } else { String::new() },
        state,
        at: if failed { (0, 0) } else { (100_000_000, 400_000_000) },
        fault: failed.then(|| ArchiveFault::Several { names: vec!["a:1".into(), "b:<2>".into()] }),
        why: if state == CopyState::Running { "the registry <sleeps>".into() } else { String::new() },
        by: "Chen Hao".into(),
        asked_at: NOW - 60_000,
        ended_at: None,
        may: false,
    }
}

#[async_trait]
impl Archives for FakePortal {
    async fn archive(&self, _: &Caller, _: &str, _: &str, _: &str) -> Answer<Download> {
        Ok(Download { name: "x.tar".into(), bytes: 0, body: stream::empty().boxed() })
    }
    async fn archive_offer(&self, c: &Caller, into: Option<(&str, &str)>) -> Answer<ArchiveOffer> {
        if c.read_only() {
            return Ok(ArchiveOffer::default());
        }
        let takes = |r: &RegistryRow| r.takes && into.is_none_or(|(registry, _)| registry == r.name);
        let registries = images::registries().into_iter().filter(takes).collect();
        let below = if c.publisher().is_ok() { Vec::new() } else { vec!["teams/motor/".into()] };
        Ok(ArchiveOffer { registries, below, most_bytes: 32_000_000_000 })
    }
    async fn bring_archive(
        &self,
        _: &Caller,
        new: &NewArchive,
        _: BoxStream<'_, PortResult<Vec<u8>>>,
        _: &str,
    ) -> Answer<String> {
        self.did(format!("bring {}:{}", new.repository, new.tag)).map(|()| "1".to_owned())
    }
    async fn archives(&self, c: &Caller, q: &ListQuery) -> Answer<Page<ArchiveRow>> {
        let rows: Vec<ArchiveRow> = [("1", CopyState::Running), ("2", CopyState::Done), ("3", CopyState::Failed)]
            .into_iter()
            .map(|(id, state)| ArchiveRow { may: state.open() && !c.read_only(), ..row(id, state) })
            .filter(|r| q.state.is_empty() || r.state.as_str() == q.state)
            .collect();
        Ok(Page { total: rows.len() as u64, rows, page: 1, per_page: 50 })
    }
    async fn cancel_archive(&self, c: &Caller, id: &str) -> Answer<()> {
        if c.read_only() {
            return Err(Problem::NotAllowed { needs: "member".into() });
        }
        self.did(format!("cancel archive {id}"))
    }
}
