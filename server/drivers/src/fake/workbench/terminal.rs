//! A terminal that writes back what is typed; `exit` and Enter end it.

use super::{FakeWorkbench, Inner, refused};
use crate::fake::faults::lock;
use async_trait::async_trait;
use futures::StreamExt;
use futures::stream;
use padis_domain::ports::{PortResult, Terminal, TerminalInput};
use std::sync::{Arc, Mutex};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

/// One that is open.
pub(super) struct Open {
    pub size: (u16, u16),
    /// What was typed since the last Enter.
    line: Vec<u8>,
    output: UnboundedSender<Vec<u8>>,
}

/// Hangs up when both halves of the terminal are gone.
struct Hold {
    inner: Arc<Mutex<Inner>>,
    bench: String,
    number: u64,
}

impl Hold {
    fn with<T>(&self, f: impl FnOnce(&mut Open) -> T) -> Option<T> {
        lock(&self.inner).benches.get_mut(&self.bench)?.terminals.get_mut(&self.number).map(f)
    }
    fn end(&self) {
        if let Some(bench) = lock(&self.inner).benches.get_mut(&self.bench) {
            bench.terminals.remove(&self.number);
        }
    }
}

impl Drop for Hold {
    fn drop(&mut self) {
        self.end();
    }
}

struct Typed(Arc<Hold>);

impl FakeWorkbench {
    pub(super) fn open(&self, host: &str, id: &str, columns: u16, rows: u16) -> PortResult<Terminal> {
        let number = {
            let mut inner = lock(&self.inner);
            inner.next_terminal += 1;
            inner.next_terminal
        };
        let (output, came) = unbounded_channel();
        self.with(host, id, |bench| {
            if !bench.running {
                return Err(refused("the workbench does not run: it has to be started first"));
            }
            bench.terminals.insert(number, Open { size: (columns.max(1), rows.max(1)), line: Vec::new(), output });
            Ok(())
        })?;
        let hold = Arc::new(Hold { inner: Arc::clone(&self.inner), bench: id.to_owned(), number });
        let next = async |(mut came, hold): (UnboundedReceiver<Vec<u8>>, Arc<Hold>)| {
            came.recv().await.map(|bytes| (Ok(bytes), (came, hold)))
        };
        let output = stream::unfold((came, Arc::clone(&hold)), next).boxed();
        Ok(Terminal { output, input: Box::new(Typed(hold)) })
    }
}

#[async_trait]
impl TerminalInput for Typed {
    async fn write(&mut self, bytes: &[u8]) -> PortResult<()> {
        let typed = self.0.with(|open| {
            let mut echo = Vec::new();
            for byte in bytes {
                if *byte == b'\r' {
                    echo.extend_from_slice(b"\r\n");
                    if std::mem::take(&mut open.line) == b"exit" {
                        return (open.output.send(echo).is_ok(), true);
                    }
                } else {
                    echo.push(*byte);
                    open.line.push(*byte);
                }
            }
            (open.output.send(echo).is_ok(), false)
        });
        match typed {
            Some((true, false)) => Ok(()),
            Some((_, true)) => {
                self.0.end();
                Ok(())
            }
            _ => Err(refused("the terminal has ended")),
        }
    }
    async fn resize(&mut self, columns: u16, rows: u16) -> PortResult<()> {
        self.0.with(|open| open.size = (columns.max(1), rows.max(1)));
        Ok(())
    }
}
