//! Resources: a list in which a name may come many times.
//!
//! "4 cores" on an agent can be three entries: 2 unreserved, 1 reserved for a role,
//! 1 with a volume on it. Adding up all entries of a name is right for a total and
//! wrong for what a framework may use, hence [`Resources::of_role`]. Where the
//! reservation stands depends on the API: `reservations` (a stack, the last counts)
//! since 1.4, `role` and `reservation` in what is written for older readers.

use super::{Label, Labels, Range, Ranges, ResourceProviderId, Scalar, Set, ValueType, Volume};
use crate::wire::Member;
use serde::{Deserialize, Serialize};

/// Resources, in the order they came.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Resources(pub Vec<Resource>);

impl Member for Resources {
    fn absent(&self) -> bool {
        self.0.is_empty()
    }
}

impl FromIterator<Resource> for Resources {
    fn from_iter<I: IntoIterator<Item = Resource>>(list: I) -> Self {
        Self(list.into_iter().collect())
    }
}

impl Resources {
    /// The sum of a scalar over all entries.
    pub fn scalar(&self, name: &str) -> f64 {
        self.0.iter().filter(|r| r.name == name).filter_map(|r| r.scalar.as_ref()).map(|s| s.value).sum()
    }
    /// All ranges of a name, `ports`.
    pub fn ranges(&self, name: &str) -> impl Iterator<Item = &Range> {
        self.0.iter().filter(move |r| r.name == name).filter_map(|r| r.ranges.as_ref()).flat_map(|r| &r.range)
    }
    /// The entries that are reserved for a role; `*` means those that are not reserved.
    pub fn of_role(&self, role: &str) -> Self {
        self.0.iter().filter(|r| r.reserved_for() == role).cloned().collect()
    }
    /// The entries that are ordinary: neither shared, nor revocable, nor a volume.
    pub fn plain(&self) -> Self {
        let plain = |r: &&Resource| r.shared.is_none() && r.revocable.is_none() && r.disk.is_none();
        self.0.iter().filter(plain).cloned().collect()
    }
}

message! {
    /// One entry of a list of resources.
    Resource {
        /// Its provider, if it is none of the agent's own.
        provider_id: Option<ResourceProviderId>,
        /// `cpus`, `mem` and `disk` (MiB), `gpus`, `ports`, or anything else.
        name: String,
        /// What kind of value it has.
        #[serde(rename = "type")]
        kind: ValueType,
        /// A number.
        scalar: Option<Scalar>,
        /// Ranges.
        ranges: Option<Ranges>,
        /// A set.
        set: Option<Set>,
        /// Role that it is reserved for, in the old form.
        role: Option<String>,
        /// Role that it is offered or given to.
        allocation_info: Option<AllocationInfo>,
        /// A dynamic reservation, in the old form.
        reservation: Option<ReservationInfo>,
        /// Its reservations, the narrowest last.
        reservations: Vec<ReservationInfo>,
        /// More about a disk.
        disk: Option<DiskInfo>,
        /// There: it may be taken away any time.
        revocable: Option<super::Nothing>,
        /// There: several tasks may use it.
        shared: Option<super::Nothing>,
    }

    /// To whom resources are offered or given.
    AllocationInfo {
        /// Role.
        role: Option<String>,
    }

    /// A reservation.
    ReservationInfo {
        /// By the agent's configuration or at run time; absent in the old form.
        #[serde(rename = "type")]
        kind: ReservationType,
        /// Role.
        role: Option<String>,
        /// Who made it.
        principal: Option<String>,
        /// Labels, to know it again.
        labels: Option<Labels>,
    }

    /// More about a disk.
    DiskInfo {
        /// It survives its task.
        persistence: Option<Persistence>,
        /// Where it appears in the container.
        volume: Option<Volume>,
        /// What disk it is on; absent means the agent's work directory.
        source: Option<DiskSource>,
    }

    /// A volume's identity.
    Persistence {
        /// Id, unique for role and agent.
        id: String,
        /// Who made it.
        principal: Option<String>,
    }

    /// What disk it is on.
    DiskSource {
        /// What kind of disk it is.
        #[serde(rename = "type")]
        kind: DiskSourceType,
        /// Of a PATH.
        path: Option<DiskRoot>,
        /// Of a MOUNT.
        mount: Option<DiskRoot>,
        /// Vendor, for volumes of CSI plugins.
        vendor: Option<String>,
        /// Id, for volumes of CSI plugins.
        id: Option<String>,
        /// Labels, for volumes of CSI plugins.
        metadata: Option<Labels>,
        /// Storage profile.
        profile: Option<String>,
    }

    /// Where a disk is mounted on the agent.
    DiskRoot {
        /// Path.
        root: Option<String>,
    }
}

names! {
    /// How a reservation came to be.
    ReservationType {
        Static = "STATIC",
        Dynamic = "DYNAMIC",
    }

    /// What kind of disk it is.
    DiskSourceType {
        Path = "PATH",
        Mount = "MOUNT",
        Block = "BLOCK",
        Raw = "RAW",
    }
}

impl Resource {
    /// A number of something.
    pub fn scalar(name: impl Into<String>, value: f64) -> Self {
        let scalar = Some(Scalar { value, ..Scalar::default() });
        Self { name: name.into(), kind: ValueType::Scalar, scalar, ..Self::default() }
    }
    /// Ranges of something, each with both ends.
    pub fn ranges(name: impl Into<String>, ranges: impl IntoIterator<Item = (u64, u64)>) -> Self {
        let range = ranges.into_iter().map(|(begin, end)| Range { begin, end, ..Range::default() }).collect();
        let ranges = Some(Ranges { range, ..Ranges::default() });
        Self { name: name.into(), kind: ValueType::Ranges, ranges, ..Self::default() }
    }
    /// The same, given to a role (which `ACCEPT` of a multi-role framework demands).
    #[must_use]
    pub fn allocated_to(mut self, role: impl Into<String>) -> Self {
        self.allocation_info = Some(AllocationInfo { role: Some(role.into()), ..AllocationInfo::default() });
        self
    }
    /// The same, with one more dynamic reservation.
    #[must_use]
    pub fn reserved(mut self, role: impl Into<String>, principal: Option<String>, labels: Vec<Label>) -> Self {
        self.reservations.push(ReservationInfo {
            kind: ReservationType::Dynamic,
            role: Some(role.into()),
            principal,
            labels: (!labels.is_empty()).then(|| Labels { labels, ..Labels::default() }),
            ..ReservationInfo::default()
        });
        self
    }
    /// The role that it is reserved for; `*` if for none.
    pub fn reserved_for(&self) -> &str {
        let narrowest = self.reservations.last().and_then(|r| r.role.as_deref());
        narrowest.or(self.role.as_deref()).unwrap_or("*")
    }
}
