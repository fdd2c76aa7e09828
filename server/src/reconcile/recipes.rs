//! Work of kind `build:ID`: an image is built from a recipe.
//!
//! What a build says goes into a file as it is said. A build that was cut off begins anew, and
//! its output goes on in the same file after a line that says so. One could get it wrong by
//! letting the output grow without an end: a program may say the same for an hour.

use super::Reconciler;
use super::worker::RunError;
use crate::recipes::{blob_path, output_path};
use crate::store::journal::{self, Entry};
use crate::store::work::Outcome;
use crate::store::{What, recipes};
use padis_domain::ports::{BuildFile, BuildStep, CommitStep, ImageBuild, PortError};
use padis_domain::problem::{FieldChange, System};
use padis_domain::stack::LABEL_PREFIX;
use padis_domain::view::{BuildRow, CopyState};
use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// Between two notes of how far a build is; browsers read what is new of its output then.
const NOTE: Duration = Duration::from_millis(700);
/// Bytes of output that are kept.
const MOST: u64 = 4 << 20;
/// Until the process is asked for again that has the files, in ms.
const ELSEWHERE_MS: i64 = 2_000;

/// How far it is, and where its output goes.
struct Far {
    file: Option<File>,
    written: u64,
    step: (u32, u32),
    pushed: (u64, u64),
    /// Something is new since it was noted last.
    new: bool,
}

impl Far {
    fn open(path: &Path) -> std::io::Result<Self> {
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder)?;
        }
        let file = OpenOptions::new().create(true).append(true).open(path)?;
        let written = file.metadata()?.len();
        let mut far = Self { file: Some(file), written, step: (0, 0), pushed: (0, 0), new: false };
        if written > 0 {
            far.say("\n— again —\n");
        }
        Ok(far)
    }

    fn say(&mut self, text: &str) {
        let Some(file) = &mut self.file else { return };
        let full = self.written + text.len() as u64 > MOST;
        let text = if full { "\n— more is not kept —\n" } else { text };
        if let Err(e) = file.write_all(text.as_bytes()) {
            tracing::error!(cause = %e, "what a build says can't be kept any more");
            self.file = None;
        }
        self.written += text.len() as u64;
        if full {
            self.file = None;
        }
    }

    fn take(&mut self, step: BuildStep) {
        self.new = true;
        match step {
            BuildStep::Said(text) => self.say(&text),
            BuildStep::At(at, of) => self.step = (at, of),
            BuildStep::Commit(CommitStep::Pushed { at, of }) => self.pushed = (at, of),
            BuildStep::Commit(CommitStep::Kept) => {}
        }
    }
}

/// Takes one as far as it goes.
pub(super) async fn reconcile(r: &Arc<Reconciler>, id: &str) -> Result<Outcome, RunError> {
    let Some((row, holder, labels)) = recipes::find_build(&r.store, id).await? else { return Ok(Outcome::Forget) };
    if !matches!(row.state, CopyState::Waiting | CopyState::Running) {
        if row.state == CopyState::Cancelled {
            r.ports.workbench.clear_build(&row.host, id).await?;
        }
        return Ok(Outcome::Forget);
    }
    if holder != r.set.archives.holder {
        return Ok(Outcome::Again(ELSEWHERE_MS));
    }
    let folder = r.set.recipes.join(&row.recipe);
    let wanted = match wanted(id, &row, labels, &folder) {
        Ok(wanted) => wanted,
        Err(why) => {
            end(r, id, &row, Err(why)).await?;
            return Ok(Outcome::Forget);
        }
    };
    let opened = Far::open(&output_path(&folder, row.number));
    let far = Mutex::new(opened.map_err(|e| PortError::transient(System::Disk, "keep what a build says", e))?);
    let tell = |step| super::lock(&far).take(step);
    let built = tokio::select! {
        built = r.ports.workbench.build(&wanted, &tell) => built,
        stopped = noting(r, id, &far) => {
            stopped?;
            tracing::info!(build.id = id, "a build was stopped");
            r.changes.publish("benches", None);
            return Ok(Outcome::Again(0));
        }
    };
    let outcome = match built {
        Ok(digest) => {
            note(r, id, &far, "").await?;
            end(r, id, &row, Ok(&digest)).await?;
            let own = r.ports.registries.all().first().map(|own| own.name.clone());
            r.ports.registries.look_at(&own.unwrap_or_default(), &row.text.repository);
            Ok(Outcome::Forget)
        }
        Err(PortError::Refused { reason, cause, system }) => {
            let error = PortError::Refused { reason: reason.clone(), cause, system };
            tracing::warn!(build.id = id, cause = %error.chain(), "a build has failed");
            note(r, id, &far, "").await?;
            end(r, id, &row, Err(&reason)).await?;
            Ok(Outcome::Forget)
        }
        Err(e) => {
            note(r, id, &far, &e.to_string()).await?;
            Err(e.into())
        }
    };
    r.changes.publish("benches", None);
    outcome
}

/// What the port is asked for; `Err` where the row says what nobody can build.
fn wanted(
    id: &str,
    row: &BuildRow,
    labels: BTreeMap<String, String>,
    folder: &Path,
) -> Result<ImageBuild, &'static str> {
    let text = &row.text;
    let file = |f: &padis_domain::view::RecipeFile| BuildFile {
        path: f.path.clone(),
        from: blob_path(folder, &f.sha256),
        bytes: f.bytes,
        executable: f.executable,
    };
    Ok(ImageBuild {
        id: id.to_owned(),
        host: row.host.clone(),
        base: (text.base_repository.clone(), row.base_digest.clone()),
        packages: text.packages().map_err(|_| "its packages can't be read")?,
        files: row.files.iter().map(file).collect(),
        env: text.env().map_err(|_| "its environment can't be read")?,
        start: text.start().ok_or("its start command can't be read")?,
        repository: text.repository.clone(),
        tag: text.tag.clone(),
        ports: labels.get(&format!("{LABEL_PREFIX}port")).and_then(|p| p.parse().ok()).into_iter().collect(),
        labels,
    })
}

/// Notes how far it is now; whether it is still wanted.
async fn note(r: &Arc<Reconciler>, id: &str, far: &Mutex<Far>, why: &str) -> Result<bool, RunError> {
    let (step, pushed) = {
        let mut far = super::lock(far);
        far.new = false;
        (far.step, far.pushed)
    };
    Ok(recipes::progress(&r.store, id, step, pushed, why).await?)
}

/// Notes again and again how far it is; ends when somebody has stopped it.
async fn noting(r: &Arc<Reconciler>, id: &str, far: &Mutex<Far>) -> Result<(), RunError> {
    loop {
        let new = super::lock(far).new;
        if !note(r, id, far, "").await? {
            return Ok(());
        }
        if new {
            r.changes.publish("benches", None);
        }
        tokio::time::sleep(NOTE).await;
    }
}

async fn end(r: &Arc<Reconciler>, id: &str, row: &BuildRow, made: Result<&str, &str>) -> Result<(), RunError> {
    let (state, what, field) = match made {
        Ok(_) => (CopyState::Done, "recipe.built", "digest"),
        Err(_) => (CopyState::Failed, "recipe.build-failed", "state"),
    };
    let mut tx = r.store.begin().await?;
    if recipes::end_build(&mut tx, id, state, made.unwrap_or_default(), made.err().unwrap_or_default()).await? {
        let after = made.unwrap_or_else(|why| why).to_owned();
        let entry = Entry {
            who: "padis".to_owned(),
            what: what.to_owned(),
            subject: format!("image:{}:{}", row.text.repository, row.text.tag),
            changes: vec![FieldChange { field: field.to_owned(), before: String::new(), after }],
            ..Entry::default()
        };
        journal::append(&r.store, &mut tx, &entry).await?;
    }
    tx.commit().await.what("end a build")?;
    r.changes.publish("journal", None);
    Ok(())
}
