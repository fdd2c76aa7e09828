//! From the network into a thread that reads: a few pieces are under way, no more.
//!
//! One could get it wrong by taking a sender that is gone for the end: only what says that it
//! has ended has.

use std::io::{self, Read};
use tokio::sync::mpsc;

/// Pieces between the network and the thread.
const PIECES: usize = 4;

/// What goes in.
pub enum Piece {
    /// Some bytes.
    Bytes(Vec<u8>),
    /// There are no more.
    End,
}

/// The thread's end.
pub struct Pipe {
    from: mpsc::Receiver<Piece>,
    now: Vec<u8>,
    at: usize,
    ended: bool,
}

/// Both ends.
pub fn pipe() -> (mpsc::Sender<Piece>, Pipe) {
    let (to, from) = mpsc::channel(PIECES);
    (to, Pipe { from, now: Vec::new(), at: 0, ended: false })
}

impl Read for Pipe {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        while self.at == self.now.len() && !self.ended {
            match self.from.blocking_recv() {
                Some(Piece::Bytes(bytes)) => (self.now, self.at) = (bytes, 0),
                Some(Piece::End) => self.ended = true,
                None => return Err(io::ErrorKind::UnexpectedEof.into()),
            }
        }
        let n = (self.now.len() - self.at).min(into.len());
        into[..n].copy_from_slice(&self.now[self.at..self.at + n]);
        self.at += n;
        Ok(n)
    }
}
