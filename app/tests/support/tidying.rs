//! Made-up collections, and versions that are deleted.

use super::portal::FakePortal;
use super::{NOW, images};
use async_trait::async_trait;
use padis_domain::Problem;
use padis_domain::caller::Caller;
use padis_domain::portal::Answer;
use padis_domain::ports::{CollectPhase, CollectProgress, Collected};
use padis_domain::problem::ValueFault;
use padis_domain::tidying::Tidying;
use padis_domain::view::*;

fn run(id: &str, state: CopyState) -> CollectionRow {
    let done = Collected {
        manifests: 40,
        layers: 321,
        removed: 12,
        freed: 1_200_000_000,
        young: 3,
        named: 1,
        remembered: 2,
        unclear: 5,
        unreadable: vec!["a/b@sha256:<odd>".into()],
        foreign: 1,
        uploads: 2,
    };
    CollectionRow {
        id: id.into(),
        registry: "padis".into(),
        state,
        at: CollectProgress {
            phase: CollectPhase::Check,
            manifests: (1_234, 2_000),
            layers: (10, 40),
            freed: 5_000_000,
        },
        result: (state == CopyState::Done).then_some(done),
        why: if state == CopyState::Running { "the registry <sleeps>".into() } else { String::new() },
        by: "Lin <Wu>".into(),
        asked_at: NOW - 60_000,
        ended_at: (!state.open()).then_some(NOW - 1_000),
    }
}

#[async_trait]
impl Tidying for FakePortal {
    async fn version_fate(&self, c: &Caller, _: &str, _: &str, tag: &str) -> Answer<Fate> {
        let stays = if tag == "broken" { Vec::new() } else { vec![Stays::Used, Stays::Standard] };
        let tags = vec![tag.to_owned(), "also-<this>".into()];
        Ok(Fate { digest: "sha256:9f2c".into(), tags, stays, may: c.publisher().is_ok(), takes: true })
    }
    async fn delete_version(&self, c: &Caller, which: &VersionToDelete, _: &str) -> Answer<bool> {
        c.publisher()?;
        if which.confirm != which.tag {
            return Err(Problem::field("confirm", ValueFault::NotConfirmed));
        }
        self.did(format!("delete {}:{} with {}", which.repository, which.tag, which.tags.join(" "))).map(|()| true)
    }
    async fn keep_rule(&self, c: &Caller, _: &str, name: &str, rule: Retention) -> Answer<()> {
        c.publisher()?;
        self.did(format!("keep {name} tidy: {} {}", rule.newest, rule.days))
    }
    async fn end_rule(&self, c: &Caller, _: &str, name: &str) -> Answer<()> {
        c.publisher()?;
        self.did(format!("keep {name} tidy no longer"))
    }
    async fn collections(&self, c: &Caller) -> Answer<CollectionsView> {
        if c.publisher().is_err() {
            c.inspector()?;
        }
        let row = |registry: RegistryRow| StorageRow {
            reached: registry.name == "padis",
            young_s: 7_200,
            runs: match registry.name.as_str() {
                "padis" => vec![run("2", CopyState::Running), run("1", CopyState::Done)],
                _ => Vec::new(),
            },
            registry,
        };
        Ok(CollectionsView { rows: images::registries().into_iter().map(row).collect(), may: c.operator().is_ok() })
    }
    async fn collect(&self, c: &Caller, registry: &str, _: &str) -> Answer<()> {
        c.operator()?;
        self.did(format!("collect {registry}"))
    }
    async fn cancel_collection(&self, c: &Caller, id: &str) -> Answer<()> {
        c.operator()?;
        self.did(format!("stop collection {id}"))
    }
}
