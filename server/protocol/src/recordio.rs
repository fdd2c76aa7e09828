//! RecordIO, the framing of Mesos' event streams: a length in decimal, a line break,
//! so many bytes, and again.
//!
//! The length comes from outside. Taking it at its word allocates what a stranger
//! says; so memory grows only with bytes that arrived, up to a limit. After a length
//! that is none there is no way to find the next record: the stream is broken and
//! stays so (connect again), which is why an error is kept. The length counts bytes,
//! not characters.

use std::fmt;

/// The largest record that is taken. The first event of an operator's subscription
/// carries the whole state of the cluster, thus the room.
pub const MAX_RECORD_BYTES: usize = 128 * 1024 * 1024;

/// Digits of the largest 64-bit number.
const MAX_DIGITS: usize = 20;

/// Why a stream is broken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RecordError {
    /// Where a length should be is none.
    Length,
    /// A record is larger than the limit, in bytes.
    TooLarge {
        /// The limit.
        limit: usize,
    },
    /// The stream ended inside a record.
    Truncated,
}

impl fmt::Display for RecordError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Length => f.write_str("no record length where one should be"),
            Self::TooLarge { limit } => write!(f, "a record of more than {limit} bytes"),
            Self::Truncated => f.write_str("the stream ended inside a record"),
        }
    }
}

impl std::error::Error for RecordError {}

/// Cuts a byte stream into records, whatever the pieces it arrives in.
#[derive(Debug)]
pub struct RecordReader {
    limit: usize,
    header: Vec<u8>,
    missing: Option<usize>,
    body: Vec<u8>,
    broken: Option<RecordError>,
}

impl Default for RecordReader {
    fn default() -> Self {
        Self::with_limit(MAX_RECORD_BYTES)
    }
}

impl RecordReader {
    /// A reader that takes records of so many bytes at most.
    pub fn with_limit(limit: usize) -> Self {
        Self { limit, header: Vec::new(), missing: None, body: Vec::new(), broken: None }
    }

    /// Bytes that wait for their end.
    pub fn buffered(&self) -> usize {
        self.header.len() + self.body.len()
    }

    /// Takes the next piece and adds the records that it completed, those before an
    /// error too.
    ///
    /// # Errors
    ///
    /// The stream is broken; all later pieces give the same error.
    pub fn push(&mut self, piece: &[u8], out: &mut Vec<Vec<u8>>) -> Result<(), RecordError> {
        if let Some(error) = self.broken {
            return Err(error);
        }
        let result = self.cut(piece, out);
        if let Err(error) = result {
            *self = Self { broken: Some(error), ..Self::with_limit(self.limit) };
        }
        result
    }

    fn cut(&mut self, mut rest: &[u8], out: &mut Vec<Vec<u8>>) -> Result<(), RecordError> {
        loop {
            match self.missing {
                None => {
                    let Some((&byte, after)) = rest.split_first() else { return Ok(()) };
                    rest = after;
                    if byte == b'\n' {
                        self.missing = Some(self.length()?);
                        self.header.clear();
                    } else if byte.is_ascii_digit() && self.header.len() < MAX_DIGITS {
                        self.header.push(byte);
                    } else {
                        return Err(RecordError::Length);
                    }
                }
                Some(missing) => {
                    let (now, after) = rest.split_at(missing.min(rest.len()));
                    self.body.extend_from_slice(now);
                    rest = after;
                    if now.len() < missing {
                        self.missing = Some(missing - now.len());
                        return Ok(());
                    }
                    self.missing = None;
                    out.push(std::mem::take(&mut self.body));
                }
            }
        }
    }

    fn length(&self) -> Result<usize, RecordError> {
        let text = std::str::from_utf8(&self.header).map_err(|_| RecordError::Length)?;
        if text.is_empty() {
            return Err(RecordError::Length);
        }
        // Only digits: what does not fit is too large.
        match text.parse::<usize>() {
            Ok(length) if length <= self.limit => Ok(length),
            _ => Err(RecordError::TooLarge { limit: self.limit }),
        }
    }

    /// Says whether the stream may end here.
    ///
    /// # Errors
    ///
    /// It was broken before, or ends inside a record.
    pub fn finish(&self) -> Result<(), RecordError> {
        match self.broken {
            Some(error) => Err(error),
            None if self.missing.is_some() || !self.header.is_empty() => Err(RecordError::Truncated),
            None => Ok(()),
        }
    }
}

/// Frames one record.
pub fn record(body: &[u8]) -> Vec<u8> {
    let mut out = body.len().to_string().into_bytes();
    out.reserve_exact(body.len() + 1);
    out.push(b'\n');
    out.extend_from_slice(body);
    out
}
