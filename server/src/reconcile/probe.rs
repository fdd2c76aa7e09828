//! The probe: asks every instance's health page, because Marathon's health checks
//! never look at the body.
//!
//! It holds opinions, not decisions: the reconciler reads them when it looks and
//! is woken when one changes. One could get it wrong by sharing connections
//! between probes (a half-dead server then looks well), by reading an endless
//! body, or by following a redirect to another host.

use padis_domain::app::HealthRule;
use padis_domain::delivery::Finding;
use padis_domain::plan::Health;
use std::collections::HashMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use tokio::task::AbortHandle;

/// The most of a body that is read, in bytes; the expected text must stand in it.
pub const MAX_BODY: usize = 256 * 1024;
/// Milliseconds between probes of an instance that has not been well yet.
const WARMING_MS: u64 = 60;
/// … and after this many of them, the slower pace.
const WARMING_FAST: u32 = 100;
/// The slower pace in ms.
const WARMING_SLOW_MS: u64 = 500;

/// One instance to watch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// Task.
    pub task_id: String,
    /// Its address.
    pub ip: u32,
    /// Its port.
    pub port: u16,
    /// The rule.
    pub rule: HealthRule,
    /// The `Host` header.
    pub host: String,
    /// Whether it was well before this process began to watch.
    pub was_well: bool,
}

/// What is known of one instance.
#[derive(Debug, Clone)]
pub struct Opinion {
    /// The last finding.
    pub finding: Finding,
    /// Failures in a row.
    pub failures: u32,
    /// Whether it has ever been well.
    pub was_well: bool,
    /// Since when it is watched.
    pub since: Instant,
}

impl Opinion {
    /// What the plan needs to know.
    pub fn health(&self, rule: &HealthRule) -> Health {
        let sick = || Health::Sick { finding: self.finding.clone(), times: self.failures };
        if self.finding.is_well() {
            Health::Well
        } else if self.was_well {
            match (&self.finding, self.failures >= rule.failures) {
                (Finding::Unknown, _) => Health::Warming,
                (_, true) => sick(),
                (_, false) => Health::Well,
            }
        } else if self.since.elapsed() > Duration::from_secs(u64::from(rule.grace_s)) && self.failures > 0 {
            sick()
        } else {
            Health::Warming
        }
    }
}

struct Watched {
    target: Target,
    opinion: Opinion,
    abort: AbortHandle,
}
impl Drop for Watched {
    fn drop(&mut self) {
        self.abort.abort();
    }
}

type Table = Arc<Mutex<HashMap<String, Watched>>>;

/// Called with the application's work key when an opinion changes.
pub type Changed = Arc<dyn Fn(&str) + Send + Sync>;

/// The probe.
#[derive(Clone)]
pub struct Prober {
    table: Table,
    changed: Changed,
    client: reqwest::Client,
}

impl std::fmt::Debug for Prober {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Prober")
    }
}

/// No shared connections, no redirects, no proxy.
pub(super) fn client() -> Result<reqwest::Client, reqwest::Error> {
    // A client wants a provider even for plain HTTP; one that is installed already stays.
    let _already = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::builder()
        .pool_max_idle_per_host(0)
        .redirect(reqwest::redirect::Policy::none())
        .no_proxy()
        .user_agent("padis-probe")
        .build()
}

/// The finding about a body that does not hold the text.
pub(super) fn wrong_text(expect: &str, body: &[u8]) -> Finding {
    let got: String = String::from_utf8_lossy(body).split_whitespace().collect::<Vec<_>>().join(" ");
    Finding::WrongText { expect: expect.to_owned(), got: got.chars().filter(|c| !c.is_control()).take(80).collect() }
}

impl Prober {
    /// A probe that reports changes to `changed`.
    pub fn new(changed: Changed) -> Result<Self, reqwest::Error> {
        Ok(Self { table: Table::default(), changed, client: client()? })
    }

    /// Watches exactly these instances of the application with work key `key`.
    pub fn watch(&self, key: &str, targets: &[Target], known: &[String]) {
        let mut table = self.table.lock().unwrap_or_else(PoisonError::into_inner);
        for id in known {
            if !targets.iter().any(|t| t.task_id == *id) {
                table.remove(id);
            }
        }
        for t in targets {
            match table.get(&t.task_id) {
                // `was_well` only seeds a fresh watch.
                Some(w) if Target { was_well: t.was_well, ..w.target.clone() } == *t => continue,
                _ => {}
            }
            let opinion =
                Opinion { finding: Finding::Unknown, failures: 0, was_well: t.was_well, since: Instant::now() };
            let abort = tokio::spawn(run(self.clone(), key.to_owned(), t.clone())).abort_handle();
            table.insert(t.task_id.clone(), Watched { target: t.clone(), opinion, abort });
        }
    }

    /// Stops watching one instance.
    pub fn forget(&self, task_id: &str) {
        self.table.lock().unwrap_or_else(PoisonError::into_inner).remove(task_id);
    }

    /// What is known of one instance.
    pub fn opinion(&self, task_id: &str) -> Option<Opinion> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner).get(task_id).map(|w| w.opinion.clone())
    }

    /// Takes a finding; gives whether the reconciler should look, and the next pause.
    fn take(&self, t: &Target, round: u32, finding: Finding) -> Option<(bool, Duration)> {
        let mut table = self.table.lock().unwrap_or_else(PoisonError::into_inner);
        let w = table.get_mut(&t.task_id)?;
        let before = w.opinion.health(&t.rule);
        let o = &mut w.opinion;
        if finding.is_well() {
            o.failures = 0;
            o.was_well = true;
        } else {
            o.failures = o.failures.saturating_add(1);
        }
        o.finding = finding;
        let after = o.health(&t.rule);
        let kind = |h: &Health| std::mem::discriminant(h);
        // A sick instance is reported again at each probe: its removal may have failed.
        let wake =
            kind(&before) != kind(&after) || matches!(after, Health::Sick { .. }) || o.failures == 1 && o.was_well;
        let pause = if o.was_well {
            Duration::from_millis(u64::from(t.rule.interval_ms))
        } else {
            Duration::from_millis(if round < WARMING_FAST { WARMING_MS } else { WARMING_SLOW_MS })
        };
        Some((wake, pause))
    }

    /// Asks the page once.
    pub async fn ask(&self, addr: SocketAddr, host: &str, rule: &HealthRule) -> Finding {
        let limit = Duration::from_millis(u64::from(rule.timeout_ms));
        let began = Instant::now();
        match tokio::time::timeout(limit, self.ask_unbounded(addr, host, rule, began)).await {
            Ok(f) => f,
            Err(_) => Finding::TimedOut { ms: rule.timeout_ms },
        }
    }

    async fn ask_unbounded(&self, addr: SocketAddr, host: &str, rule: &HealthRule, began: Instant) -> Finding {
        let url = format!("http://{addr}{}", rule.path);
        let sent = self.client.get(url).header(reqwest::header::HOST, host).send().await;
        let mut answer = match sent {
            Ok(a) => a,
            Err(e) if e.is_connect() => return Finding::Refused,
            Err(_) => return Finding::Broken,
        };
        let status = answer.status().as_u16();
        if !(200..400).contains(&status) {
            return Finding::WrongStatus { status };
        }
        let ms = || u32::try_from(began.elapsed().as_millis()).unwrap_or(u32::MAX);
        if rule.expect.is_empty() {
            return Finding::Well { status, ms: ms() };
        }
        let mut body: Vec<u8> = Vec::new();
        loop {
            match answer.chunk().await {
                Ok(Some(c)) => {
                    body.extend_from_slice(&c[..c.len().min(MAX_BODY - body.len())]);
                    if String::from_utf8_lossy(&body).contains(&rule.expect) {
                        return Finding::Well { status, ms: ms() };
                    }
                    if body.len() >= MAX_BODY {
                        break;
                    }
                }
                Ok(None) => break,
                Err(_) => return Finding::Broken,
            }
        }
        wrong_text(&rule.expect, &body)
    }
}

/// Watches one instance until it is forgotten. Pauses are monotonic: a clock that jumps changes nothing.
async fn run(p: Prober, key: String, t: Target) {
    let addr = SocketAddr::from((Ipv4Addr::from(t.ip), t.port));
    for round in 0u32.. {
        let finding = p.ask(addr, &t.host, &t.rule).await;
        let Some((wake, pause)) = p.take(&t, round, finding) else { return };
        if wake {
            (p.changed)(&key);
        }
        tokio::time::sleep(pause).await;
    }
}
