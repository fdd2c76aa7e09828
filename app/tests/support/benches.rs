//! Made-up workbenches.

use super::NOW;
use super::portal::FakePortal;
use async_trait::async_trait;
use futures::StreamExt;
use padis_domain::Problem;
use padis_domain::benches::Benches;
use padis_domain::caller::Caller;
use padis_domain::portal::Answer;
use padis_domain::ports::{BenchChange, BenchChanges, ChangeKind, PortResult, Terminal, TerminalInput};
use padis_domain::problem::ValueFault;
use padis_domain::view::*;

pub const ID: &str = "0193c5d2a1b07f3e8a55d0c4e1f2a3b4";
const DIGEST: &str = "sha256:9f2c41d7a0b1c2d3e4f5061728394a5b6c7d8e9f00112233445566775be01a00";

fn row(id: &str, state: BenchState) -> BenchRow {
    BenchRow {
        id: id.into(),
        repository: "stacks/nginx".into(),
        tag: "1.22.1-9".into(),
        digest: DIGEST.into(),
        pool: "web-test".into(),
        host: "sf-h03".into(),
        by: "Chen Hao".into(),
        by_account: "chen.hao".into(),
        asked_at: NOW - 3_600_000,
        ended_at: None,
        state,
        why: if state == BenchState::Starting { "no <image> there".into() } else { String::new() },
        versions: 1,
    }
}

fn change(path: &str, kind: ChangeKind, bytes: u64) -> BenchChange {
    BenchChange { path: path.into(), kind, folder: false, bytes }
}

fn commit(state: CommitState) -> CommitRow {
    CommitRow {
        id: "c1".into(),
        bench: ID.into(),
        repository: "stacks/nginx".into(),
        tag: "1.22.1-10".into(),
        digest: if state == CommitState::Done { DIGEST.into() } else { String::new() },
        base: ("stacks/nginx".into(), DIGEST.into()),
        description: "With <gzip> for JSON".into(),
        state,
        pushed: (1_000_000, 4_000_000),
        why: String::new(),
        changes: BenchChanges { rows: vec![change("/etc/nginx/nginx.conf", ChangeKind::Modified, 1_500)], more: 0 },
        left_out: vec!["/root/.bash_history".into()],
        by: "Chen Hao".into(),
        asked_at: NOW - 60_000,
        ended_at: None,
    }
}

pub fn view(id: &str) -> BenchView {
    let rows = vec![
        change("/etc/nginx/conf.d/<gzip>.conf", ChangeKind::Added, 900),
        change("/etc/nginx/nginx.conf", ChangeKind::Modified, 1_500),
        change("/root/.bash_history", ChangeKind::Added, 64),
        change("/usr/share/nginx/html/index.html", ChangeKind::Deleted, 0),
        change("/var/log/nginx/error.log", ChangeKind::Added, 12_345),
    ];
    let contract = [("name", "nginx"), ("title.en", "Web site"), ("port", "8080"), ("logs", "/var/log/nginx")];
    BenchView {
        row: row(id, if id == ID { BenchState::Open } else { BenchState::Starting }),
        registry: "padis".into(),
        changes: BenchChanges { rows, more: 3 },
        changes_why: None,
        logs: Some("/var/log/nginx".into()),
        contract: contract.into_iter().map(|(k, v)| (k.to_owned(), v.to_owned())).collect(),
        commits: vec![commit(CommitState::Open), commit(CommitState::Done)],
        records: vec![
            BenchRecord { number: 2, by: "Chen Hao".into(), began_at: NOW - 60_000, ended_at: None },
            BenchRecord { number: 1, by: "Chen Hao".into(), began_at: NOW - 600_000, ended_at: Some(NOW - 300_000) },
        ],
        may: true,
        below: Vec::new(),
    }
}

/// A terminal that repeats what is typed.
struct Echo(futures::channel::mpsc::UnboundedSender<Vec<u8>>);

#[async_trait]
impl TerminalInput for Echo {
    async fn write(&mut self, bytes: &[u8]) -> PortResult<()> {
        let _ = self.0.unbounded_send(bytes.to_vec());
        Ok(())
    }
    async fn resize(&mut self, _: u16, _: u16) -> PortResult<()> {
        Ok(())
    }
}

#[async_trait]
impl Benches for FakePortal {
    async fn bench_offer(&self, c: &Caller, registry: &str, _: &str, _: &str) -> Answer<BenchOffer> {
        if registry != "padis" || c.read_only() {
            return Ok(BenchOffer::default());
        }
        Ok(BenchOffer {
            pools: vec!["web-test".into()],
            made: Some(commit(CommitState::Done)),
            built: Some(super::recipes::build(3, CopyState::Done)),
        })
    }
    async fn benches(&self, _: &Caller, q: &ListQuery) -> Answer<Page<BenchRow>> {
        let rows: Vec<BenchRow> = [(ID, BenchState::Open), ("other", BenchState::Starting)]
            .into_iter()
            .map(|(id, state)| row(id, state))
            .filter(|r| q.state.is_empty() || r.state.as_str() == q.state)
            .collect();
        Ok(Page { total: rows.len() as u64, rows, page: 1, per_page: 50 })
    }
    async fn bench(&self, c: &Caller, id: &str) -> Answer<BenchView> {
        if id == "absent" {
            return Err(Problem::NotFound);
        }
        let below = if c.publisher().is_ok() { Vec::new() } else { vec!["teams/motor/".into()] };
        Ok(BenchView { may: !c.read_only(), below, ..view(id) })
    }
    async fn start_bench(&self, _: &Caller, new: &NewBench, _: &str) -> Answer<String> {
        if new.pool.is_empty() {
            return Err(Problem::missing("pool"));
        }
        self.did(format!("start a workbench from {}:{} in {}", new.repository, new.tag, new.pool))?;
        Ok(ID.into())
    }
    async fn end_bench(&self, _: &Caller, id: &str) -> Answer<()> {
        self.did(format!("end workbench {id}"))
    }
    async fn commit_bench(&self, _: &Caller, new: &NewCommit, _: &str) -> Answer<String> {
        let port = new.contract.get("port").cloned().unwrap_or_default();
        let mut problems = Vec::new();
        if new.tag == "1.22.1-9" {
            problems.push(Problem::NameTaken { field: "tag".into(), name: new.tag.clone() });
        }
        if port.parse::<u16>().is_err() {
            problems.push(Problem::field("contract_port", ValueFault::Malformed));
        }
        if !problems.is_empty() {
            return Err(Problem::Fields { problems });
        }
        self.did(format!("keep {}:{} without doubts: {}, port {port}", new.repository, new.tag, new.leave_out))?;
        Ok("c2".into())
    }
    async fn bench_terminal(&self, _: &Caller, _: &str, _: u16, _: u16) -> Answer<Terminal> {
        let (to, from) = futures::channel::mpsc::unbounded();
        Ok(Terminal { output: from.map(Ok).boxed(), input: Box::new(Echo(to)) })
    }
    async fn bench_record(&self, _: &Caller, _: &str, _: u32) -> Answer<Vec<u8>> {
        Ok(b"{\"version\": 2, \"width\": 80, \"height\": 24}\n".to_vec())
    }
}
