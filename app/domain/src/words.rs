//! The small closed vocabularies: stage, zone, role. Their wire form is the
//! lower-case word, which is also what a URL and a Mesos attribute carry.

use serde::{Deserialize, Serialize};

/// Milliseconds since 1970-01-01T00:00:00Z, UTC. Signed, so that differences are safe.
pub type UnixMs = i64;

macro_rules! words {
    ($(#[$m:meta])* $name:ident { $($(#[$vm:meta])* $v:ident = $s:literal),+ $(,)? }) => {
        $(#[$m])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        pub enum $name { $($(#[$vm])* #[serde(rename = $s)] $v),+ }
        impl $name {
            /// Every value, in the order in which they are shown.
            pub const ALL: &'static [Self] = &[$(Self::$v),+];
            /// The wire form.
            pub const fn as_str(self) -> &'static str { match self { $(Self::$v => $s),+ } }
            /// The value whose wire form is `s`.
            pub fn parse(s: &str) -> Option<Self> { match s { $($s => Some(Self::$v),)+ _ => None } }
        }
        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result { f.write_str(self.as_str()) }
        }
    };
}
pub(crate) use words;

words! {
    /// Where in its life an application runs.
    Stage {
        /// Development.
        Dev = "dev",
        /// Test.
        Test = "test",
        /// Production.
        Prod = "prod",
    }
}
words! {
    /// A security zone of the enterprise network.
    Zone {
        /// Internal web.
        Web = "WEB",
        /// Public and partners.
        Dmz = "DMZ",
        /// Application logic.
        Sf = "SF",
        /// Databases.
        Db = "DB",
    }
}
words! {
    /// What a person may do inside one team.
    TeamRole {
        /// Runs the team's applications.
        Member = "member",
        /// Member who also sees the team's people and deletes applications.
        Lead = "lead",
    }
}
words! {
    /// What a person may do on the platform.
    PlatformRole {
        /// Pools, quotas, network, work queue.
        Operator = "operator",
        /// Sees everything, changes nothing.
        Auditor = "auditor",
        /// Images and standard middleware for everybody; of teams' things only those of his own.
        Engineer = "engineer",
    }
}
