//! Terminals in workbenches, and the record of what they showed.
//!
//! What is typed is not recorded, only what is shown: a password that somebody types is not
//! shown. The record is asciicast v2 (docs.asciinema.org/manual/asciicast/v2), which players
//! and `cat` can read. One could get it wrong by cutting a character in two where the engine
//! cuts its pieces, or by letting a record that can't be written end the work.

use super::{entry, known, live, own};
use crate::portal::PadisPortal;
use crate::store::{Store, What, benches, journal};
use async_trait::async_trait;
use futures::StreamExt;
use padis_domain::Problem;
use padis_domain::action::Reason;
use padis_domain::caller::Caller;
use padis_domain::portal::Answer;
use padis_domain::ports::{PortResult, Terminal, TerminalInput};
use padis_domain::view::BenchState;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;
use tokio::fs::File;
use tokio::io::AsyncWriteExt;
use tokio::sync::Mutex;

/// Columns and rows that a terminal may have.
const SIZES: std::ops::RangeInclusive<u16> = 2..=500;
/// Bytes of a record; what is shown after that is not kept, and the record says so.
const MOST: u64 = 32 << 20;

fn place(p: &PadisPortal, id: &str, number: u32) -> PathBuf {
    p.settings.benches.join(id).join(format!("{number}.cast"))
}

/// Opens one.
pub async fn open(p: &PadisPortal, c: &Caller, id: &str, columns: u16, rows: u16) -> Answer<Terminal> {
    let (spec, row) = own(p, c, id).await?;
    if row.state != BenchState::Open {
        return Err(Problem::NotNow { reason: Reason::BenchNotOpen });
    }
    let (columns, rows) = (columns.clamp(*SIZES.start(), *SIZES.end()), rows.clamp(*SIZES.start(), *SIZES.end()));
    let terminal = live(p.workbench.terminal(&spec.host, id, columns, rows)).await?;
    let mut tx = p.store.begin().await?;
    let number = benches::record(&mut tx, id, (&c.account, &c.name)).await?;
    journal::append(&p.store, &mut tx, &entry(c, "bench.terminal", id, Vec::new())).await?;
    tx.commit().await.what("record a terminal")?;
    p.platform_changed(&["benches"]);
    let file = begin(&place(p, id, number), columns, rows).await.map_err(|e| crate::store::incident(&e))?;
    let record = Record { file: Some(file), begun: Instant::now(), bytes: 0, rest: Vec::new() };
    let record = Arc::new(Mutex::new(record));
    let end = End { store: p.store.clone(), changes: p.changes.clone(), bench: id.to_owned(), number };
    let input = Input { inner: terminal.input, record: record.clone() };
    let output = futures::stream::unfold((terminal.output, record, end), |(mut from, record, end)| async move {
        let piece = from.next().await?;
        if let Ok(bytes) = &piece {
            record.lock().await.shown(bytes).await;
        }
        Some((piece, (from, record, end)))
    });
    Ok(Terminal { output: Box::pin(output), input: Box::new(input) })
}

/// What one showed.
pub async fn record(p: &PadisPortal, c: &Caller, id: &str, number: u32) -> Answer<Vec<u8>> {
    known(p, c, id).await?;
    match tokio::fs::read(place(p, id, number)).await {
        Ok(bytes) => Ok(bytes),
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => Err(Problem::NotFound),
        Err(e) => Err(crate::store::incident(&e)),
    }
}

async fn begin(path: &Path, columns: u16, rows: u16) -> std::io::Result<File> {
    if let Some(folder) = path.parent() {
        tokio::fs::create_dir_all(folder).await?;
    }
    let mut file = File::create(path).await?;
    let head = serde_json::json!({
        "version": 2,
        "width": columns,
        "height": rows,
        "timestamp": crate::store::now_ms() / 1000,
        "env": { "TERM": "xterm-256color" },
    });
    file.write_all(format!("{head}\n").as_bytes()).await?;
    Ok(file)
}

/// The record of a terminal that is open.
struct Record {
    /// `None`: nothing more is kept.
    file: Option<File>,
    begun: Instant,
    bytes: u64,
    /// The beginning of a character whose other bytes have not come.
    rest: Vec<u8>,
}

impl Record {
    async fn shown(&mut self, bytes: &[u8]) {
        self.rest.extend_from_slice(bytes);
        let whole = whole(&self.rest);
        let text = String::from_utf8_lossy(&self.rest[..whole]).into_owned();
        self.rest.drain(..whole);
        if !text.is_empty() {
            self.event("o", &text).await;
        }
    }

    async fn event(&mut self, kind: &str, data: &str) {
        let Some(file) = &mut self.file else { return };
        let line = serde_json::json!([self.begun.elapsed().as_secs_f64(), kind, data]).to_string() + "\n";
        self.bytes += line.len() as u64;
        let full = self.bytes > MOST;
        let line = if full {
            let end = "\r\n[padis: the record ends here, it is full]\r\n";
            serde_json::json!([self.begun.elapsed().as_secs_f64(), "o", end]).to_string() + "\n"
        } else {
            line
        };
        let written = async {
            file.write_all(line.as_bytes()).await?;
            file.flush().await
        };
        if let Err(e) = written.await {
            tracing::error!(cause = %e, "what a terminal shows can't be recorded any more");
            self.file = None;
        } else if full {
            self.file = None;
        }
    }
}

/// How many bytes hold whole characters: all but the beginning of one at the end.
fn whole(bytes: &[u8]) -> usize {
    match std::str::from_utf8(bytes) {
        Ok(_) => bytes.len(),
        // What is cut off at the end; anything else that is no UTF-8 is replaced where it stands.
        Err(_) => {
            let tail = bytes.len().saturating_sub(3);
            let cut = (tail..bytes.len()).find(|&n| {
                matches!(std::str::from_utf8(&bytes[n..]), Err(e) if e.error_len().is_none() && e.valid_up_to() == 0)
            });
            cut.unwrap_or(bytes.len())
        }
    }
}

/// What is typed, on its way.
struct Input {
    inner: Box<dyn TerminalInput>,
    record: Arc<Mutex<Record>>,
}

#[async_trait]
impl TerminalInput for Input {
    async fn write(&mut self, bytes: &[u8]) -> PortResult<()> {
        self.inner.write(bytes).await
    }
    async fn resize(&mut self, columns: u16, rows: u16) -> PortResult<()> {
        let fit = |n: u16| n.clamp(*SIZES.start(), *SIZES.end());
        let (columns, rows) = (fit(columns), fit(rows));
        self.record.lock().await.event("r", &format!("{columns}x{rows}")).await;
        self.inner.resize(columns, rows).await
    }
}

/// Notes the end of a terminal, however it ends.
struct End {
    store: Store,
    changes: crate::changes::Changes,
    bench: String,
    number: u32,
}

impl Drop for End {
    fn drop(&mut self) {
        let (store, changes, bench, number) =
            (self.store.clone(), self.changes.clone(), std::mem::take(&mut self.bench), self.number);
        // Outside a runtime nothing is left that could be told.
        let Ok(runtime) = tokio::runtime::Handle::try_current() else { return };
        runtime.spawn(async move {
            if let Err(e) = benches::recorded(&store, &bench, number).await {
                tracing::warn!(cause = %e, "the end of a terminal was not noted");
            }
            changes.publish("benches", None);
        });
    }
}

#[cfg(test)]
mod tests {
    use super::whole;

    #[test]
    fn a_character_is_not_cut_in_two() {
        let text = "好 ok".as_bytes();
        assert_eq!(whole(text), text.len());
        assert_eq!((whole(&text[..1]), whole(&text[..2]), whole(&text[..3])), (0, 0, 3));
        assert_eq!(whole("a€".as_bytes().split_last().unwrap().1), 1);
        // What is no UTF-8 at all does not wait for ever.
        assert_eq!(whole(b"a\xff\xfe"), 3);
        assert_eq!(whole(b"a\xffb"), 3);
    }
}
