//! Something of ours that may not stand yet: a port in use, a program missing.
//!
//! The portal starts without it, says so, and tries again. Until then every call
//! is [`PortError::Transient`] with the last cause, which is what the rest of the
//! system knows how to wait for. One could get it wrong by failing the start: the
//! page that tells the operator what is missing would be missing, too.

use async_trait::async_trait;
use padis_domain::address::Subnet;
use padis_domain::ports::{Balancer, Dns, Member, NameRecord, PortError, PortResult, Service, ServiceSeen};
use padis_domain::problem::System;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// Between two tries; the first wait is the shorter one.
const FIRST_WAIT: Duration = Duration::from_secs(1);
const MOST_WAIT: Duration = Duration::from_secs(15);

enum State<T> {
    /// Not yet, and why.
    Waiting(String),
    Ready(Arc<T>),
    Ended,
}

/// A thing that may not stand yet.
pub struct Late<T> {
    system: System,
    name: &'static str,
    state: RwLock<State<T>>,
}

impl<T: Send + Sync + 'static> Late<T> {
    /// Nothing has been tried.
    pub fn new(system: System, name: &'static str) -> Arc<Self> {
        Arc::new(Self { system, name, state: RwLock::new(State::Waiting("being started".into())) })
    }

    /// The thing, or why it does not stand.
    pub fn get(&self) -> PortResult<Arc<T>> {
        let waiting = |why: &str| PortError::Transient {
            system: self.system,
            what: format!("{} is not running: {why}", self.name),
            cause: None,
        };
        match &*self.state.read().unwrap_or_else(PoisonError::into_inner) {
            State::Ready(t) => Ok(t.clone()),
            State::Waiting(why) => Err(waiting(why)),
            State::Ended => Err(waiting("the portal is stopping")),
        }
    }

    fn set(&self, state: State<T>) {
        *self.state.write().unwrap_or_else(PoisonError::into_inner) = state;
    }

    /// Takes it away for good, to be stopped.
    pub fn end(&self) -> Option<Arc<T>> {
        let before = std::mem::replace(&mut *self.state.write().unwrap_or_else(PoisonError::into_inner), State::Ended);
        if let State::Ready(t) = before { Some(t) } else { None }
    }

    /// Starts it, and again until it stands or `stop` is cancelled. A start that
    /// is under way is finished, so that nothing is left half-started.
    pub async fn keep_trying<E, F>(&self, stop: &CancellationToken, start: impl Fn() -> F)
    where
        E: std::error::Error + 'static,
        F: Future<Output = Result<T, E>>,
    {
        let mut wait = FIRST_WAIT;
        let mut told = String::new();
        while !stop.is_cancelled() {
            match start().await {
                Ok(t) => return self.set(State::Ready(Arc::new(t))),
                Err(e) => {
                    let why = chain(&e);
                    if why != told {
                        tracing::error!(system = self.name, cause = %why, "could not be started; it is tried again");
                        told.clone_from(&why);
                    }
                    self.set(State::Waiting(why));
                }
            }
            tokio::select! { () = stop.cancelled() => return, () = tokio::time::sleep(wait) => {} }
            wait = (wait * 2).min(MOST_WAIT);
        }
    }
}

/// An error with all its causes in one line.
pub fn chain(e: &(dyn std::error::Error + 'static)) -> String {
    let mut out = e.to_string();
    let mut next = e.source();
    while let Some(c) = next {
        out.push_str(": ");
        out.push_str(&c.to_string());
        next = c.source();
    }
    out
}

#[async_trait]
impl<T: Balancer + 'static> Balancer for Late<T> {
    async fn list(&self) -> PortResult<Vec<ServiceSeen>> {
        self.get()?.list().await
    }
    async fn get(&self, service: &str) -> PortResult<Option<ServiceSeen>> {
        Late::get(self)?.get(service).await
    }
    async fn put_service(&self, service: &Service) -> PortResult<()> {
        Late::get(self)?.put_service(service).await
    }
    async fn delete_service(&self, key: &str) -> PortResult<()> {
        Late::get(self)?.delete_service(key).await
    }
    async fn put_member(&self, service: &str, member: &Member) -> PortResult<()> {
        Late::get(self)?.put_member(service, member).await
    }
    async fn delete_member(&self, service: &str, member: &str) -> PortResult<()> {
        Late::get(self)?.delete_member(service, member).await
    }
    async fn ping(&self) -> PortResult<()> {
        Late::get(self)?.ping().await
    }
}

#[async_trait]
impl<T: Dns + 'static> Dns for Late<T> {
    async fn list(&self) -> PortResult<Vec<NameRecord>> {
        self.get()?.list().await
    }
    async fn put(&self, record: &NameRecord) -> PortResult<()> {
        self.get()?.put(record).await
    }
    async fn delete(&self, name: &str) -> PortResult<()> {
        self.get()?.delete(name).await
    }
    async fn ensure_zone(&self, domain: &str, subnet: Subnet) -> PortResult<()> {
        self.get()?.ensure_zone(domain, subnet).await
    }
    async fn ping(&self) -> PortResult<()> {
        self.get()?.ping().await
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicU32, Ordering};

    #[tokio::test]
    async fn it_is_tried_until_it_stands_and_says_why_meanwhile() {
        let late = Late::<u32>::new(System::Balancer, "HAProxy");
        let tries = AtomicU32::new(0);
        let stop = CancellationToken::new();
        let start = || async {
            match tries.fetch_add(1, Ordering::Relaxed) {
                0 => Err(std::io::Error::other("port in use")),
                n => Ok(n),
            }
        };
        tokio::join!(late.keep_trying(&stop, start), async {
            while tries.load(Ordering::Relaxed) == 0 {
                tokio::task::yield_now().await;
            }
            let e = Late::get(&late).expect_err("not yet");
            assert!(e.chain().contains("port in use"), "{}", e.chain());
        });
        assert_eq!(*Late::get(&late).expect("stands"), 1);
        assert!(late.end().is_some() && Late::get(&late).is_err());
    }
}
