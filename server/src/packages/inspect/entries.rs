//! What both archive readers tell, and the limits that both keep.

use super::names;
use padis_domain::package::{MAX_RATIO, PackageFault};
use std::io;

/// Why an archive is not accepted, or could not be read.
#[derive(Debug, thiserror::Error)]
pub enum Refusal {
    /// The archive is at fault.
    #[error("refused: {0:?}")]
    Fault(PackageFault),
    /// The disk is at fault.
    #[error("reading the package")]
    Io(#[source] io::Error),
}
impl From<PackageFault> for Refusal {
    fn from(f: PackageFault) -> Self {
        Self::Fault(f)
    }
}
impl From<io::Error> for Refusal {
    fn from(e: io::Error) -> Self {
        Self::Io(e)
    }
}

/// Something is wrong in this entry.
pub fn corrupt<T>(entry: &[u8]) -> Result<T, Refusal> {
    Err(PackageFault::Corrupt { entry: names::shown(entry) }.into())
}

/// Who is told of every entry, in the archive's order: `begin`, any number of `data`, `end`.
pub trait Visitor {
    /// A file or a folder; `name` has been checked.
    fn begin(&mut self, name: &[u8], folder: bool) -> Result<(), Refusal>;
    /// Some of its bytes.
    fn data(&mut self, bytes: &[u8]) -> Result<(), Refusal>;
    /// All of its bytes, so many, were read before and came to the right checksum.
    /// `false`: they are wanted all the same.
    fn skip(&mut self, unpacked: u64) -> bool;
    /// Its checksum was right.
    fn end(&mut self) -> Result<(), Refusal>;
}

/// How much an archive may hold.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Unpacked bytes.
    pub unpacked_bytes: u64,
    /// Entries.
    pub entries: u64,
}

/// Below this unpacked size no ratio is suspicious: a log or a map file of zeros
/// compresses a thousandfold and harms nobody.
const HARMLESS_BYTES: u64 = 64 << 20;

impl Limits {
    /// The most bytes that an archive of `packed` bytes may unpack to.
    pub fn unpacked(&self, packed: u64) -> u64 {
        packed.saturating_mul(MAX_RATIO).max(HARMLESS_BYTES).min(self.unpacked_bytes)
    }
}

/// Names seen so far, to refuse what would be unpacked twice to one place. Kept
/// in one buffer: 200,000 names cost about 16 MiB.
#[derive(Debug, Default)]
pub struct Names {
    bytes: Vec<u8>,
    spans: Vec<(u32, u16, bool)>,
}

/// The most bytes of names.
const MAX_NAMES: usize = 32 << 20;

impl Names {
    /// Notes a checked name.
    pub fn add(&mut self, name: &[u8], folder: bool) -> Result<(), Refusal> {
        let (Ok(at), Ok(len)) = (u32::try_from(self.bytes.len()), u16::try_from(name.len())) else {
            return corrupt(name);
        };
        if self.bytes.len() + name.len() > MAX_NAMES {
            return Err(PackageFault::TooManyEntries { limit: self.spans.len() as u64 }.into());
        }
        self.bytes.extend_from_slice(name);
        self.spans.push((at, len, folder));
        Ok(())
    }

    fn name(&self, span: &(u32, u16, bool)) -> &[u8] {
        let at = span.0 as usize;
        self.bytes.get(at..at + usize::from(span.1)).unwrap_or_default()
    }

    /// Refuses a name given twice, and a file in the place of a folder. A folder
    /// may be named more than once.
    pub fn judge(&mut self) -> Result<(), Refusal> {
        let mut spans = std::mem::take(&mut self.spans);
        spans.sort_unstable_by(|a, b| self.name(a).cmp(self.name(b)));
        for pair in spans.windows(2) {
            if self.name(&pair[0]) == self.name(&pair[1]) && !(pair[0].2 && pair[1].2) {
                return corrupt(self.name(&pair[0]));
            }
        }
        for s in &spans {
            let name = self.name(s);
            for (i, _) in name.iter().enumerate().filter(|(_, b)| **b == b'/') {
                let parent = &name[..i];
                if let Ok(at) = spans.binary_search_by(|x| self.name(x).cmp(parent))
                    && !spans[at].2
                {
                    return corrupt(name);
                }
            }
        }
        Ok(())
    }
}
