//! Made-up recipes.

use super::NOW;
use super::portal::FakePortal;
use async_trait::async_trait;
use futures::stream::BoxStream;
use padis_domain::Problem;
use padis_domain::caller::Caller;
use padis_domain::portal::Answer;
use padis_domain::ports::PortResult;
use padis_domain::recipes::{NewRecipeFile, Recipes};
use padis_domain::view::{
    BuildRow, BuildView, CopyState, ListQuery, Page, RecipeFile, RecipeRow, RecipeText, RecipeView,
};

/// The one that is there.
pub const ID: &str = "0193c5d2a1b07f3e8a55d0c4e1f2a3b5";

fn text() -> RecipeText {
    RecipeText {
        base_repository: "stacks/nginx".into(),
        base_tag: "1.22".into(),
        pool: "web-test".into(),
        packages: "curl\n<b>".into(),
        env: "MODE=\"1\"".into(),
        start: "nginx -g 'daemon off;'".into(),
        repository: "teams/motor/nginx".into(),
        tag: "2".into(),
        description: "With <curl>".into(),
        contract: [("port".to_owned(), "8080".to_owned())].into(),
    }
}

fn files() -> Vec<RecipeFile> {
    let file =
        |path: &str, executable| RecipeFile { path: path.into(), bytes: 1_500, sha256: "ab".repeat(32), executable };
    vec![file("/etc/nginx/<x>.conf", false), file("/opt/run", true)]
}

fn row() -> RecipeRow {
    RecipeRow {
        id: ID.into(),
        base: ("stacks/nginx".into(), "1.22".into()),
        to: ("teams/motor/nginx".into(), "2".into()),
        by: "Chen Hao".into(),
        by_account: "chen.hao".into(),
        changed_at: NOW - 60_000,
        builds: 2,
        last: Some(CopyState::Running),
    }
}

/// A build of it.
pub fn build(number: u32, state: CopyState) -> BuildRow {
    BuildRow {
        recipe: ID.into(),
        number,
        text: text(),
        files: files(),
        base_digest: format!("sha256:{}", "9".repeat(64)),
        host: "agent-a".into(),
        state,
        digest: if state == CopyState::Done { format!("sha256:{}", "8".repeat(64)) } else { String::new() },
        step: (3, 9),
        pushed: (1_000_000, 4_000_000),
        why: if state == CopyState::Failed { "step 3 of 9 ended with code 100".into() } else { String::new() },
        by: "Chen Hao".into(),
        asked_at: NOW - 60_000,
        ended_at: (state != CopyState::Running).then_some(NOW - 30_000),
    }
}

#[async_trait]
impl Recipes for FakePortal {
    async fn start_recipe(&self, _: &Caller, repository: &str, tag: &str, _: &str) -> Answer<String> {
        self.did(format!("begin a recipe on {repository}:{tag}"))?;
        Ok(ID.into())
    }
    async fn recipes(&self, _: &Caller, q: &ListQuery) -> Answer<Page<RecipeRow>> {
        let rows: Vec<RecipeRow> = if q.q.is_empty() { vec![row()] } else { Vec::new() };
        Ok(Page { total: rows.len() as u64, rows, page: 1, per_page: 50 })
    }
    async fn recipe(&self, c: &Caller, id: &str) -> Answer<RecipeView> {
        if id == "absent" {
            return Err(Problem::NotFound);
        }
        Ok(RecipeView {
            row: row(),
            text: text(),
            files: files(),
            most_bytes: 512 << 20,
            builds: vec![build(2, CopyState::Running), build(1, CopyState::Failed)],
            registry: "padis".into(),
            pools: if id == "nowhere" { Vec::new() } else { vec!["web-test".into()] },
            may: !c.read_only(),
            below: vec!["teams/motor/".into()],
        })
    }
    async fn save_recipe(&self, _: &Caller, _: &str, _: &RecipeText) -> Answer<()> {
        Ok(())
    }
    async fn add_recipe_file(
        &self,
        _: &Caller,
        _: &str,
        _: &NewRecipeFile,
        _: BoxStream<'_, PortResult<Vec<u8>>>,
    ) -> Answer<()> {
        Ok(())
    }
    async fn drop_recipe_file(&self, _: &Caller, _: &str, _: &str) -> Answer<()> {
        Ok(())
    }
    async fn build_recipe(&self, _: &Caller, _: &str, _: &str) -> Answer<u32> {
        Ok(1)
    }
    async fn end_recipe(&self, _: &Caller, id: &str) -> Answer<()> {
        self.did(format!("end recipe {id}"))
    }
    async fn build(&self, c: &Caller, _: &str, number: u32) -> Answer<BuildView> {
        let state = match number {
            1 => CopyState::Failed,
            2 => CopyState::Running,
            3 => CopyState::Done,
            _ => return Err(Problem::NotFound),
        };
        Ok(BuildView {
            row: build(number, state),
            output: "Step 3/9 : RUN <apt>\nE: Unable to locate package\n".into(),
            cut: number == 1,
            registry: "padis".into(),
            may: state == CopyState::Running && !c.read_only(),
        })
    }
    async fn build_output(&self, _: &Caller, _: &str, _: u32) -> Answer<Vec<u8>> {
        Ok(b"Step 1/9\n".to_vec())
    }
    async fn cancel_build(&self, _: &Caller, id: &str, number: u32) -> Answer<()> {
        self.did(format!("stop build {number} of {id}"))
    }
}
