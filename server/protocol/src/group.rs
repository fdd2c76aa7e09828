//! Groups: the tree that apps and pods hang in.
//!
//! What is read and what is written differ: a group that is read has apps with
//! their state, one that is written may instead say "all instances times 1.5"
//! (`scaleBy`) or "as it was then" (`version`). In an update, absent means
//! unchanged and an empty list means none, so both stay apart.

use crate::app::{App, AppInfo};
use crate::pod::PodStatus;

message! {
    /// A group as it is (`GET /v2/groups`).
    #[serde(rename_all = "camelCase")]
    Group {
        /// Path; the root is `/`.
        id: String,
        /// Its apps.
        apps: Option<Vec<AppInfo>>,
        /// Its pods.
        pods: Option<Vec<PodStatus>>,
        /// Groups below it.
        groups: Option<Vec<Group>>,
        /// Groups and apps that must run first.
        dependencies: Option<Vec<String>>,
        /// Timestamp of this definition.
        version: Option<String>,
        /// Whether apps must have the group's role.
        enforce_role: Option<bool>,
    }

    /// A group as it shall be (`POST` and `PUT /v2/groups`).
    #[serde(rename_all = "camelCase")]
    GroupUpdate {
        /// Path; relative to the parent's if it does not begin with `/`.
        id: Option<String>,
        /// Its apps; absent means unchanged.
        apps: Option<Vec<App>>,
        /// Groups below it; absent means unchanged.
        groups: Option<Vec<GroupUpdate>>,
        /// Groups and apps that must run first.
        dependencies: Option<Vec<String>>,
        /// Factor for the instances of all apps below; nothing else is changed then.
        scale_by: Option<f64>,
        /// Timestamp of the definition to go back to; nothing else is changed then.
        version: Option<String>,
        /// Whether apps must have the group's role.
        enforce_role: Option<bool>,
    }

    /// `PATCH /v2/groups/{id}`: what can be changed without a deployment.
    #[serde(rename_all = "camelCase")]
    GroupPartialUpdate {
        /// Whether apps must have the group's role.
        enforce_role: Option<bool>,
    }
}

impl Group {
    /// This group and all below, parents first.
    pub fn walk(&self) -> impl Iterator<Item = &Group> {
        let mut waiting = vec![self];
        std::iter::from_fn(move || {
            let group = waiting.pop()?;
            waiting.extend(group.groups.iter().flatten().rev());
            Some(group)
        })
    }
    /// The apps of this group and of all below.
    pub fn all_apps(&self) -> impl Iterator<Item = &AppInfo> {
        self.walk().flat_map(|g| g.apps.iter().flatten())
    }
}
