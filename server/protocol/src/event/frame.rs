//! The frames of the event stream.
//!
//! A frame is `event: TYPE`, one line `data: JSON`, an empty line; blank lines
//! alone are heartbeats. There is no `id:`, nothing is replayed. A reader that
//! trusts the other side gets two things wrong: it keeps a line that never ends,
//! or joins `data:` lines without end; both are bounded here.

use super::Event;

/// One frame of the stream, or a heartbeat.
#[derive(Debug, Clone, PartialEq)]
pub enum Frame {
    /// An event with its type as the `event:` line gave it.
    Event(String, Box<Event>),
    /// Data that is no JSON object: the stream lives, its content is lost.
    Garbled(String),
    /// A blank line or a comment: the stream lives.
    Heartbeat,
}

/// One frame as it came, its data not looked into.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RawFrame {
    /// An event: its type as the `event:` line gave it (may be empty), and its data.
    Data {
        /// Type.
        kind: String,
        /// JSON, if all is well.
        data: String,
        /// The data exceeded the limit; this is its beginning.
        cut: bool,
    },
    /// A blank line or a comment: the stream lives.
    Heartbeat,
}

impl From<RawFrame> for Frame {
    fn from(raw: RawFrame) -> Self {
        match raw {
            RawFrame::Heartbeat => Self::Heartbeat,
            RawFrame::Data { data, cut: true, .. } => Self::Garbled(data),
            RawFrame::Data { kind, data, cut: false } => match serde_json::from_str::<Event>(&data) {
                Ok(event) if kind.is_empty() => Self::Event(event.kind().to_owned(), Box::new(event)),
                Ok(event) => Self::Event(kind, Box::new(event)),
                Err(_) => Self::Garbled(data),
            },
        }
    }
}

/// Writes a frame.
pub fn frame(event: &Event) -> Result<String, serde_json::Error> {
    // A type from outside could bring its own line break and with it lines of its own.
    let kind: String = event.kind().chars().filter(|c| !c.is_control()).collect();
    Ok(format!("event: {kind}\r\ndata: {}\r\n\r\n", serde_json::to_string(event)?))
}

/// Cuts a byte stream into frames, whatever the pieces it arrives in.
#[derive(Debug)]
pub struct FrameReader {
    limit: usize,
    cut: bool,
    line: Vec<u8>,
    kind: String,
    data: String,
    has_data: bool,
}

/// The longest event that is kept; a longer one is [`Frame::Garbled`] with its
/// beginning. Deployment events of very large clusters carry whole groups, thus the room.
pub const MAX_LINE_BYTES: usize = 64 * 1024 * 1024;

impl Default for FrameReader {
    fn default() -> Self {
        Self::with_limit(MAX_LINE_BYTES)
    }
}

impl FrameReader {
    /// A reader that keeps at most so many bytes of a line and of an event's data.
    pub fn with_limit(limit: usize) -> Self {
        Self { limit, cut: false, line: Vec::new(), kind: String::new(), data: String::new(), has_data: false }
    }

    /// Bytes that wait for their end.
    pub fn buffered(&self) -> usize {
        self.line.len() + self.kind.len() + self.data.len()
    }

    /// Takes the next piece and gives the frames that it completed.
    pub fn push(&mut self, piece: &[u8]) -> Vec<Frame> {
        self.push_raw(piece).into_iter().map(Frame::from).collect()
    }

    /// The same for one who looks into the data himself.
    pub fn push_raw(&mut self, piece: &[u8]) -> Vec<RawFrame> {
        let mut out = Vec::new();
        let mut rest = piece;
        while let Some(end) = rest.iter().position(|&b| b == b'\n') {
            let (line, after) = rest.split_at(end);
            rest = after.get(1..).unwrap_or_default();
            self.keep(line);
            let bytes = std::mem::take(&mut self.line);
            let text = String::from_utf8_lossy(&bytes);
            self.end_of_line(text.trim_end_matches('\r'), &mut out);
        }
        self.keep(rest);
        out
    }

    fn keep(&mut self, bytes: &[u8]) {
        let room = self.limit.saturating_sub(self.line.len());
        self.cut |= bytes.len() > room;
        self.line.extend_from_slice(bytes.get(..room).unwrap_or(bytes));
    }

    fn end_of_line(&mut self, line: &str, out: &mut Vec<RawFrame>) {
        if line.is_empty() {
            let kind = std::mem::take(&mut self.kind);
            let data = std::mem::take(&mut self.data);
            let cut = std::mem::take(&mut self.cut);
            out.push(match std::mem::take(&mut self.has_data) {
                false => RawFrame::Heartbeat,
                true => RawFrame::Data { kind, data, cut },
            });
            return;
        }
        if line.starts_with(':') {
            out.push(RawFrame::Heartbeat);
            return;
        }
        let (field, value) = line.split_once(':').unwrap_or((line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match field {
            "event" => value.clone_into(&mut self.kind),
            "data" => {
                let more = std::mem::replace(&mut self.has_data, true);
                if self.data.len().saturating_add(value.len()) >= self.limit {
                    self.cut = true;
                    return;
                }
                if more {
                    self.data.push('\n');
                }
                self.data.push_str(value);
            }
            _ => {}
        }
    }
}
