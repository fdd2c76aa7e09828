//! Faults on demand, and the list of calls that were made.

use padis_domain::ports::{PortError, PortResult};
use padis_domain::problem::System;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Locks, also after a test thread has panicked: the next message is the useful one.
pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// On which side of the effect a call fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum When {
    /// Nothing has happened.
    Before,
    /// It has happened and the caller does not hear of it.
    After,
}

/// How a call fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// [`PortError::Transient`].
    Transient,
    /// [`PortError::Refused`].
    Refused,
    /// [`PortError::Unknown`].
    Unknown,
    /// It never returns: for deadlines, and for a process that dies in the middle
    /// (the test drops the future).
    Hang,
}

/// One call that was made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call {
    /// The verb: the port's method name.
    pub verb: &'static str,
    /// What it was about: the key that the method takes, or nothing.
    pub key: String,
}

#[derive(Debug, Default)]
struct Inner {
    /// (verb or `*`, side, fault, calls to let pass first)
    next: Vec<(String, When, Fault, u32)>,
    down: Option<Fault>,
    calls: Vec<Call>,
}

/// The faults of one fake.
#[derive(Debug)]
pub struct Faults {
    system: System,
    inner: Mutex<Inner>,
}

impl Faults {
    pub(super) fn new(system: System) -> Self {
        Self { system, inner: Mutex::default() }
    }

    /// The next call of `verb` (`*`: of any verb) fails in this way, once. Several may be queued.
    pub fn fail_next(&self, verb: &str, when: When, fault: Fault) {
        self.fail_nth(verb, 1, when, fault);
    }

    /// The `nth` call of `verb` from now on (1: the next) fails, once.
    pub fn fail_nth(&self, verb: &str, nth: u32, when: When, fault: Fault) {
        lock(&self.inner).next.push((verb.to_owned(), when, fault, nth.saturating_sub(1)));
    }

    /// Every call fails before its effect until this is called with `None`.
    pub fn down(&self, fault: Option<Fault>) {
        lock(&self.inner).down = fault;
    }

    /// Faults that are queued and were not met yet.
    pub fn left(&self) -> usize {
        lock(&self.inner).next.len()
    }

    /// Forgets every queued fault.
    pub fn clear(&self) {
        let mut inner = lock(&self.inner);
        inner.next.clear();
        inner.down = None;
    }

    /// All calls so far, failed ones included.
    pub fn calls(&self) -> Vec<Call> {
        lock(&self.inner).calls.clone()
    }

    /// How often `verb` was called.
    pub fn count(&self, verb: &str) -> usize {
        lock(&self.inner).calls.iter().filter(|c| c.verb == verb).count()
    }

    fn take(&self, verb: &str, when: When) -> Option<Fault> {
        let mut inner = lock(&self.inner);
        if when == When::Before && inner.down.is_some() {
            return inner.down;
        }
        let mut hit = None;
        for (at, (v, w, fault, left)) in inner.next.iter_mut().enumerate() {
            if (v == verb || v == "*") && *w == when {
                if *left == 0 {
                    hit = Some((at, *fault));
                    break;
                }
                *left -= 1;
            }
        }
        let (at, fault) = hit?;
        inner.next.remove(at);
        Some(fault)
    }

    async fn meet(&self, verb: &str, when: When) -> PortResult<()> {
        let what = format!("{verb} (a fault of the test, {when:?} its effect)");
        match self.take(verb, when) {
            None => Ok(()),
            Some(Fault::Transient) => Err(PortError::Transient { system: self.system, what, cause: None }),
            Some(Fault::Refused) => Err(PortError::refused(self.system, what)),
            Some(Fault::Unknown) => Err(PortError::Unknown { system: self.system, what, cause: None }),
            Some(Fault::Hang) => std::future::pending().await,
        }
    }

    /// Runs one verb: record, fault before, effect, fault after.
    pub(super) async fn run<T>(
        &self,
        verb: &'static str,
        key: &str,
        effect: impl FnOnce() -> PortResult<T>,
    ) -> PortResult<T> {
        lock(&self.inner).calls.push(Call { verb, key: key.to_owned() });
        // A real driver always yields; so that races of the test's caller show.
        tokio::task::yield_now().await;
        self.meet(verb, When::Before).await?;
        let done = effect()?;
        self.meet(verb, When::After).await?;
        Ok(done)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_fault_after_the_effect_leaves_the_effect() {
        let faults = Faults::new(System::Dns);
        let mut effects = 0;
        let mut effect = || {
            effects += 1;
            Ok(())
        };
        faults.fail_next("put", When::After, Fault::Unknown);
        let first = faults.run("put", "a", &mut effect).await;
        assert!(matches!(first, Err(PortError::Unknown { .. })));
        faults.fail_next("put", When::Before, Fault::Transient);
        let second = faults.run("put", "a", &mut effect).await;
        assert!(matches!(second, Err(PortError::Transient { .. })));
        faults.run("put", "a", &mut effect).await.unwrap();
        assert_eq!((effects, faults.count("put"), faults.left()), (2, 3, 0));
    }

    #[tokio::test]
    async fn the_nth_call_fails_and_no_other() {
        let faults = Faults::new(System::Dns);
        faults.fail_nth("*", 3, When::Before, Fault::Refused);
        let mut outcomes = Vec::new();
        for verb in ["list", "put", "delete", "put"] {
            outcomes.push(faults.run(verb, "", || Ok(())).await.is_ok());
        }
        assert_eq!(outcomes, [true, true, false, true]);
    }
}
