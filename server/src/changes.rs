//! "Topic X changed": the one signal from the store and the reconciler to the
//! browsers.
//!
//! A change carries no data, only a topic and a revision; the page fetches what
//! it shows again. One could get it wrong in two ways: by using one revision for
//! everything (a stranger could then count another team's activity), or by
//! sending a topic to somebody who may not know that the thing exists; therefore
//! revisions count per topic and [`Change::visible_to`] decides who hears it.
//!
//! A page is rendered before its stream stands. What changed in between is not
//! told; [`Changes::mark`] differs then, and the page fetches everything anew.

use padis_domain::caller::Caller;
use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::broadcast;

/// Changes that a slow listener may be behind before it is told to fetch
/// everything again. A change is about 100 bytes.
const BACKLOG: usize = 1024;

/// Something changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// `app:<team>/<app>`, `apps`, `pools`, `addresses:<pool>`, `work`, `journal`,
    /// `packages`, `stacks`, `images`, `archives`, `benches`, `copies`, `systems`, `sessions`, `stream`.
    pub topic: String,
    /// The team whose thing it is; `None` for the platform's own things.
    pub team: Option<String>,
    /// Counts up with every change of this topic for this team, from 1, since start.
    pub revision: u64,
}

impl Change {
    /// Whether the caller may hear of it. `addresses:<pool>` without a team is
    /// for inspectors only: who changes addresses names the team whose they are.
    pub fn visible_to(&self, caller: &Caller) -> bool {
        if let Some(team) = &self.team {
            return caller.sees(team).is_ok();
        }
        match self.topic.as_str() {
            "apps" | "pools" | "stacks" | "packages" | "images" | "archives" | "benches" => true,
            "copies" => caller.inspector().is_ok() || caller.publisher().is_ok(),
            _ => caller.inspector().is_ok(),
        }
    }
}

#[derive(Debug, Default)]
struct Told {
    revisions: HashMap<(String, Option<String>), u64>,
    /// Changes in all, of every team; leaves the process only as a mark.
    all: u64,
}

/// The sender's and the listeners' handle; cheap to clone.
#[derive(Debug, Clone)]
pub struct Changes {
    sender: broadcast::Sender<Change>,
    told: Arc<Mutex<Told>>,
    key: RandomState,
}

impl Default for Changes {
    fn default() -> Self {
        Self::new()
    }
}

impl Changes {
    /// A channel without listeners.
    pub fn new() -> Self {
        Self { sender: broadcast::channel(BACKLOG).0, told: Arc::default(), key: RandomState::new() }
    }

    /// Tells every listener that may know. Never blocks, never fails: without a
    /// listener nothing happens.
    pub fn publish(&self, topic: impl Into<String>, team: Option<&str>) {
        let key = (topic.into(), team.map(str::to_owned));
        // Sent under the lock, so that revisions of one topic arrive in order.
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        told.all += 1;
        let revision = told.revisions.entry(key.clone()).and_modify(|r| *r += 1).or_insert(1);
        let change = Change { topic: key.0, team: key.1, revision: *revision };
        // An error only means that nobody listens.
        let _ = self.sender.send(change);
    }

    /// Another one after every change, and in every process; nothing can be read from
    /// it, so that nobody learns how much goes on in other teams.
    pub fn mark(&self) -> String {
        let all = self.told.lock().unwrap_or_else(PoisonError::into_inner).all;
        format!("{:016x}", self.key.hash_one(all))
    }

    /// Everything published from now on.
    pub fn subscribe(&self) -> broadcast::Receiver<Change> {
        self.sender.subscribe()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use padis_domain::words::{PlatformRole, TeamRole};

    fn caller(team: &str, platform: Option<PlatformRole>) -> Caller {
        Caller {
            account: "a".into(),
            name: "A".into(),
            teams: [(team.to_owned(), TeamRole::Member)].into(),
            platform,
            session: "s".into(),
        }
    }

    #[test]
    fn a_stranger_hears_nothing_of_another_team_not_even_its_pace() {
        let changes = Changes::new();
        let mut rx = changes.subscribe();
        for _ in 0..3 {
            changes.publish("apps", Some("life"));
        }
        changes.publish("apps", Some("motor"));
        let mut heard = Vec::new();
        while let Ok(c) = rx.try_recv() {
            if c.visible_to(&caller("motor", None)) {
                heard.push(c);
            }
        }
        assert_eq!(heard, [Change { topic: "apps".into(), team: Some("motor".into()), revision: 1 }]);
    }

    #[test]
    fn the_mark_tells_whether_anything_changed_and_nothing_else() {
        let (changes, other) = (Changes::new(), Changes::new());
        let before = changes.mark();
        assert_eq!(before, changes.clone().mark());
        assert_ne!(before, other.mark(), "another process, another key");
        changes.publish("apps", Some("life"));
        assert_ne!(before, changes.mark());
    }

    #[test]
    fn the_platforms_inside_is_for_inspectors() {
        for topic in ["work", "journal", "systems", "sessions", "stream", "addresses:sf-prod"] {
            let c = Change { topic: topic.into(), team: None, revision: 1 };
            assert!(!c.visible_to(&caller("motor", None)), "{topic}");
            assert!(c.visible_to(&caller("motor", Some(PlatformRole::Auditor))), "{topic}");
        }
    }
}
