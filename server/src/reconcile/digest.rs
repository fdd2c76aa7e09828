//! What was found outside of an application, as one number: the sweep compares it with
//! what the last finished look had found.
//!
//! The order of what is found says nothing, so the parts are added up. One could get it
//! wrong by leaving out something that the plan looks at: then its drift would be seen
//! only when the application's turn in the round comes. Figures (sessions, requests)
//! move all the time and are left out; while they matter, a look is due anyway.

use padis_domain::ports::{SchedSeen, ServiceSeen, TaskState};
use std::hash::{DefaultHasher, Hash, Hasher};

/// The number.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(super) struct Digest(u64);

impl Digest {
    fn add(&mut self, part: impl Hash) {
        let mut h = DefaultHasher::new();
        part.hash(&mut h);
        self.0 = self.0.wrapping_add(h.finish());
    }

    /// An app of Marathon's with its tasks.
    pub(super) fn sched(&mut self, s: &SchedSeen) {
        self.add(("app", &s.id, s.instances, &s.image));
        for t in s.tasks.iter().filter(|t| t.state != TaskState::Ended) {
            self.add(("task", &t.id, t.state as u8));
        }
    }

    /// A task that has an address.
    pub(super) fn attached(&mut self, task_id: &str, ip: u32) {
        self.add(("attached", task_id, ip));
    }

    /// The balancer's service.
    pub(super) fn service(&mut self, s: &ServiceSeen) {
        let v = &s.service;
        self.add(("service", &v.key, &v.host, &v.health_path, &v.expect, v.interval_ms));
        for m in &s.members {
            self.add(("member", &v.key, &m.member.key, &m.member.ip, m.member.port, m.member.state as u8));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use padis_domain::ports::SchedTask;
    use std::collections::BTreeMap;

    fn app(tasks: &[(&str, TaskState)]) -> SchedSeen {
        let task = |(id, state): &(&str, TaskState)| SchedTask {
            id: (*id).into(),
            app_id: "/t/a/r1".into(),
            state: *state,
            host: String::new(),
            agent_id: String::new(),
            staged_at: None,
            started_at: None,
        };
        SchedSeen {
            id: "/t/a/r1".into(),
            instances: 2,
            image: String::new(),
            labels: BTreeMap::new(),
            tasks: tasks.iter().map(task).collect(),
            deployments: vec![],
            last_failure: None,
        }
    }

    fn of(s: &SchedSeen) -> Digest {
        let mut d = Digest::default();
        d.sched(s);
        d
    }

    #[test]
    fn order_says_nothing_and_everything_else_does() {
        use TaskState::{Ended, Running, Staging};
        let one = of(&app(&[("1", Running), ("2", Running)]));
        assert_eq!(one, of(&app(&[("2", Running), ("1", Running), ("0", Ended)])));
        assert_ne!(one, of(&app(&[("1", Running), ("2", Staging)])));
        assert_ne!(one, of(&app(&[("1", Running)])));
        assert_ne!(one, of(&SchedSeen { instances: 3, ..app(&[("1", Running), ("2", Running)]) }));
        let mut attached = one;
        attached.attached("1", 7);
        assert_ne!(attached, one);
    }
}
