//! Images as one file: out of a registry ([`Export`]) and into one ([`Spool`], [`open`],
//! [`bring`]).
//!
//! A file that comes in lies in a folder of its own until its image is in the registry; it is
//! read there entry by entry, never unpacked to disk by the names that stand in it. What one
//! could get wrong: to believe what an archive says of itself. Every blob's digest is computed
//! before it is sent, every list has a limit, and memory does not grow with anything's size.

mod bring;
mod choose;
mod export;
mod index;
mod pack;
mod plan;
mod spool;
mod words;

pub use bring::bring;
pub use choose::{Chosen, open};
pub use export::Export;
pub use plan::Plan;
pub use spool::{Spool, Spooled};

use padis_domain::Problem;
use padis_domain::ports::PortError;
use padis_domain::view::ArchiveFault;

/// Why an archive does not come in.
#[derive(Debug, thiserror::Error)]
pub enum Stop {
    /// Something is wrong with it, and stays so.
    #[error("the archive is refused: {0:?}")]
    Fault(ArchiveFault),
    /// The disk here.
    #[error("the disk of the portal")]
    Disk(#[from] std::io::Error),
    /// Whoever sends it has stopped.
    #[error("what was sent has broken off")]
    Broken(#[source] PortError),
    /// The registry.
    #[error(transparent)]
    Port(#[from] PortError),
    /// Something that a person is told as it is.
    #[error(transparent)]
    Problem(#[from] Problem),
}

impl From<ArchiveFault> for Stop {
    fn from(fault: ArchiveFault) -> Self {
        Self::Fault(fault)
    }
}

#[cfg(test)]
mod tests;
