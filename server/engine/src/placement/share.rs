//! What is free on an agent for whom: reserved resources and the rest.
//!
//! Only an agent of a Mesos cluster has shares: its offers say for which role each
//! piece is reserved. An app that accepts some roles only may use the pieces of those.
//! One could get it wrong by asking whether a role is there at all and then for the sum
//! of everything: the launch would find too little. Pieces are taken in the order in
//! which the launch takes them (`runtime::mesos::task`), reserved ones first, because
//! what everybody may use is left for everybody.

use super::{Need, Room};

/// What is free for one role; `*` is what is not reserved.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Share {
    pub role: String,
    pub cpus: f64,
    pub mem: f64,
    pub disk: f64,
    pub gpus: u32,
    /// First and last of each range, those in use included.
    pub ports: Vec<(u16, u16)>,
    /// Ports that are not in use.
    pub ports_free: usize,
}

/// What an app can have on an agent.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct Free {
    pub cpus: f64,
    pub mem: f64,
    pub disk: f64,
    pub gpus: u32,
    pub ports: usize,
}

/// Whether an app that accepts these roles (all, if it names none) may use a role's pieces.
pub(crate) fn accepts(roles: &[String], role: &str) -> bool {
    roles.is_empty() || roles.iter().any(|r| r == role)
}

impl Room {
    /// What is free for these roles; `None` if nothing here is theirs.
    pub(super) fn free(&self, roles: &[String]) -> Option<Free> {
        if self.shares.is_empty() || roles.is_empty() {
            let theirs = self.roles.iter().any(|role| accepts(roles, role));
            return (theirs || roles.is_empty()).then_some(Free {
                cpus: self.cpus_free,
                mem: self.mem_free,
                disk: self.disk_free,
                gpus: self.gpus_free,
                ports: self.ports_free,
            });
        }
        let mut theirs = self.shares.iter().filter(|s| accepts(roles, &s.role)).peekable();
        theirs.peek()?;
        Some(theirs.fold(Free::default(), |sum, s| Free {
            cpus: sum.cpus + s.cpus,
            mem: sum.mem + s.mem,
            disk: sum.disk + s.disk,
            gpus: sum.gpus + s.gpus,
            ports: sum.ports + s.ports_free,
        }))
    }

    /// An instance takes its pieces, with these ports among them.
    pub(crate) fn take(&mut self, need: &Need<'_>, ports: &[u16]) {
        // The stable sort keeps the order of the offers, as the launch does.
        self.shares.sort_by_key(|s| s.role == "*");
        let (mut cpus, mut mem, mut disk, mut gpus) = (need.cpus, need.mem, need.disk, need.gpus);
        for share in self.shares.iter_mut().filter(|s| accepts(need.roles, &s.role)) {
            for (free, missing) in
                [(&mut share.cpus, &mut cpus), (&mut share.mem, &mut mem), (&mut share.disk, &mut disk)]
            {
                let part = free.min(*missing);
                *free -= part;
                *missing -= part;
            }
            let part = share.gpus.min(gpus);
            share.gpus -= part;
            gpus -= part;
            let inside = |port: &&u16| share.ports.iter().any(|(first, last)| (*first..=*last).contains(*port));
            share.ports_free = share.ports_free.saturating_sub(ports.iter().filter(inside).count());
        }
        self.gpus_free = self.gpus_free.saturating_sub(need.gpus);
    }
}
