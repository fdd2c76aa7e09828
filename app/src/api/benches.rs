//! Workbenches. What is read of them is written by the server (`pages::written`).

use super::ask::Ask;
use super::fault::Said;
use super::form::{BenchEndForm, BenchForm, CommitForm};
use super::query;
use leptos::prelude::*;
use leptos::server_fn::codec::PostUrl;
use {super::call, leptos::server_fn::ServerFn};

/// The page of a workbench.
pub fn bench_path(id: &str) -> String {
    format!("/images/workbenches/{}", query::escape(id))
}

/// Asks for a workbench.
#[server(protocol = Ask<PostUrl>, prefix = "/api", endpoint = "start_bench")]
pub async fn start_bench(#[server(flatten)] form: BenchForm) -> Said<String> {
    let (c, portal) = call::begin()?;
    let said = async { portal.start_bench(&c, &form.read(), &form.once).await }.await;
    let to = said.as_ref().ok().map(|id| bench_path(id));
    call::settle(StartBench::PATH, &c, &form, said, to)
}

/// Takes one away.
#[server(protocol = Ask<PostUrl>, prefix = "/api", endpoint = "end_bench")]
pub async fn end_bench(#[server(flatten)] form: BenchEndForm) -> Said<()> {
    let (c, portal) = call::begin()?;
    let said = async { portal.end_bench(&c, &form.id).await }.await;
    call::settle(EndBench::PATH, &c, &form, said, None)
}

/// Makes a version of one.
#[server(protocol = Ask<PostUrl>, prefix = "/api", endpoint = "commit_bench")]
pub async fn commit_bench(#[server(flatten)] form: CommitForm) -> Said<String> {
    let (c, portal) = call::begin()?;
    let said = async { portal.commit_bench(&c, &form.read(), &form.once).await }.await;
    call::settle(CommitBench::PATH, &c, &form, said, None)
}
