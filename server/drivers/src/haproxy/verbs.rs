//! The port's verbs.

use super::cli::Processes;
use super::config::replace;
use super::files::{self, Held};
use super::stat::{self, Row};
use super::{HaproxyChild, Inner, State, cli, render, runtime};
use async_trait::async_trait;
use futures::future::join_all;
use padis_domain::ports::{Balancer, Member, MemberSeen, MemberState, PortError, PortResult, Service, ServiceSeen};
use padis_domain::problem::System;
use std::collections::HashSet;
use std::io;
use std::path::Path;

fn refused(why: String) -> PortError {
    PortError::refused(System::Balancer, why)
}

fn failed(what: impl Into<String>) -> impl FnOnce(io::Error) -> PortError {
    let what = what.into();
    move |cause| PortError::transient(System::Balancer, what, cause)
}

fn current(processes: &Processes) -> io::Result<u32> {
    processes.current.ok_or_else(|| io::Error::other("HAProxy has no current worker"))
}

/// After something was written or sent: it may have happened, or will when HAProxy
/// comes back and reads its files.
fn unsure(what: impl Into<String>) -> impl FnOnce(io::Error) -> PortError {
    let what = what.into();
    move |cause| PortError::unknown(System::Balancer, what, cause)
}

/// Rows of one look at all workers.
struct Look {
    current: Vec<Row>,
    old: Vec<Row>,
}

impl Inner {
    async fn look(&self, state: &mut State, which: &str) -> io::Result<Look> {
        let processes = self.cli.processes().await?;
        let current = current(&processes)?;
        state.totals.alive(&processes.workers().collect::<HashSet<u32>>());
        let mut look = Look { current: Vec::new(), old: Vec::new() };
        for pid in processes.workers() {
            let answer = self.cli.worker(pid, &format!("show stat {which} 6 -1")).await;
            let rows = match answer {
                Ok(text) => stat::parse(&text),
                // An old worker may end between two questions.
                Err(_) if pid != current => continue,
                Err(error) => return Err(error),
            };
            state.totals.saw(pid, &rows);
            if pid == current { look.current = rows } else { look.old.extend(rows) }
        }
        Ok(look)
    }

    async fn put_member(&self, key: &str, member: &Member) -> PortResult<()> {
        let what = format!("put member {} of service {key}", member.key);
        let ticket = {
            let mut state = self.state.lock().await;
            let Some(held) = state.book.get_mut(key) else {
                let what = format!("{what}, which does not exist");
                return Err(PortError::Transient { system: System::Balancer, what, cause: None });
            };
            if held.members.insert(member.key.clone(), member.clone()).as_ref() != Some(member) {
                files::write_service(&self.paths, held).map_err(failed(&*what))?;
            }
            if held.loaded {
                return self.put_now(&held.service, member).await.map_err(unsure(what));
            }
            // The service's own reload is under way or has failed: this one carries both.
            self.want_reload()
        };
        self.reload_for(ticket).await.map_err(unsure(what))
    }

    async fn put_now(&self, service: &Service, member: &Member) -> io::Result<()> {
        runtime::put(&self.cli, current(&self.cli.processes().await?)?, service, member).await
    }

    async fn delete_member(&self, service: &str, member: &str) -> PortResult<()> {
        let what = || format!("delete member {member} of service {service}");
        let mut state = match self.state.try_lock() {
            Ok(state) => state,
            Err(_) => {
                // A reload may hold the lock for 40 ms: out of the accepting worker first.
                // If this fails, the way below reports it.
                let commands = runtime::delete_commands(service, member).join(";");
                drop(cli::once(&self.paths.worker(), &commands).await);
                self.state.lock().await
            }
        };
        let Some(held) = state.book.get_mut(service) else { return Ok(()) };
        let known = held.members.remove(member).is_some();
        let done = self.delete_everywhere(service, member).await;
        if known {
            files::write_service(&self.paths, held).map_err(failed(what()))?;
        }
        state.totals.forget(&render::backend(service), Some(member));
        done.map_err(unsure(what()))
    }

    async fn delete_everywhere(&self, service: &str, member: &str) -> io::Result<()> {
        let processes = self.cli.processes().await?;
        let pid = current(&processes)?;
        let removed = runtime::delete(&self.cli, pid, service, member);
        let cut = join_all(processes.old.iter().map(|old| runtime::cut(&self.cli, *old, service, member)));
        // An old worker may end before it is told to cut.
        let (removed, _) = tokio::join!(removed, cut);
        if !removed? {
            let (service, member) = (service.to_owned(), member.to_owned());
            tokio::spawn(runtime::remove_later(self.cli.clone(), pid, service, member));
        }
        Ok(())
    }

    async fn put_service(&self, service: &Service) -> PortResult<()> {
        render::check_service(service).map_err(refused)?;
        let what = || format!("put service {}", service.key);
        {
            let state = self.state.lock().await;
            host_is_free(&state, service)?;
            if state.book.get(&service.key).is_some_and(|h| h.loaded && h.service == *service) {
                return Ok(());
            }
        }
        let trial = self.paths.trial(&format!("{}-{}.cfg", service.key, random_word()));
        let verdict = self.try_out(service, &trial).await;
        drop(std::fs::remove_file(&trial));
        if let Err(complaint) = verdict.map_err(failed(what()))? {
            return Err(PortError::Refused {
                system: System::Balancer,
                reason: "the load balancer does not accept this health rule or host name".to_owned(),
                cause: Some(complaint.into()),
            });
        }
        let ticket = {
            let mut state = self.state.lock().await;
            host_is_free(&state, service)?;
            let held = state.book.entry(service.key.clone()).or_insert_with(|| Held {
                service: service.clone(),
                members: Default::default(),
                loaded: false,
            });
            held.service = service.clone();
            held.loaded = false;
            files::write_service(&self.paths, held).map_err(failed(what()))?;
            files::write_map(&self.paths, &state.book).map_err(failed(what()))?;
            self.want_reload()
        };
        self.reload_for(ticket).await.map_err(unsure(what()))
    }

    /// Lets HAProxy check the service alone; outside the lock, as it takes 40 ms.
    async fn try_out(&self, service: &Service, trial: &Path) -> io::Result<Result<(), String>> {
        replace(trial, render::service(service, std::iter::empty())?.as_bytes())?;
        files::validate(&self.config.program, &[&self.paths.global(), trial]).await
    }

    async fn delete_service(&self, key: &str) -> PortResult<()> {
        let what = || format!("delete service {key}");
        let mut state = self.state.lock().await;
        let Some(held) = state.book.remove(key) else { return Ok(()) };
        files::delete_service(&self.paths, key).map_err(failed(what()))?;
        files::write_map(&self.paths, &state.book).map_err(failed(what()))?;
        state.totals.forget(&render::backend(key), None);
        // No reload: without its name in the map and without members, the backend is
        // unreachable; the next reload drops it.
        let unmap = format!("del map {} {}", self.paths.map().display(), held.service.host);
        let processes = self.cli.processes().await.map_err(unsure(what()))?;
        let pid = current(&processes).map_err(unsure(what()))?;
        self.cli.worker(pid, &unmap).await.map_err(unsure(what()))?;
        for member in held.members.keys() {
            self.delete_everywhere(key, member).await.map_err(unsure(what()))?;
        }
        Ok(())
    }

    async fn get(&self, key: &str) -> PortResult<Option<ServiceSeen>> {
        let mut state = self.state.lock().await;
        if !state.book.contains_key(key) {
            return Ok(None);
        }
        let look =
            self.look(&mut state, &render::backend(key)).await.map_err(failed(format!("look at service {key}")))?;
        Ok(state.book.get(key).and_then(|held| seen(held, &look, &state.totals)))
    }

    async fn list(&self) -> PortResult<Vec<ServiceSeen>> {
        let mut state = self.state.lock().await;
        let look = self.look(&mut state, "-1").await.map_err(failed("look at all services"))?;
        let by_backend = split(look);
        let none = Look { current: Vec::new(), old: Vec::new() };
        let of = |key: &str| by_backend.get(&render::backend(key)).unwrap_or(&none);
        Ok(state.book.iter().filter_map(|(key, held)| seen(held, of(key), &state.totals)).collect())
    }
}

fn split(look: Look) -> std::collections::HashMap<String, Look> {
    let mut out = std::collections::HashMap::<String, Look>::new();
    let empty = || Look { current: Vec::new(), old: Vec::new() };
    for row in look.current {
        out.entry(row.backend.clone()).or_insert_with(empty).current.push(row);
    }
    for row in look.old {
        out.entry(row.backend.clone()).or_insert_with(empty).old.push(row);
    }
    out
}

/// A service as HAProxy has it; `None` if it has not loaded it.
fn seen(held: &Held, look: &Look, totals: &stat::Totals) -> Option<ServiceSeen> {
    let backend = render::backend(&held.service.key);
    let total = look.current.iter().find(|r| r.is_total()).filter(|_| held.loaded)?;
    let counts = totals.of(&backend, &total.server);
    let rate = total.rate + look.old.iter().filter(|r| r.is_total()).map(|r| r.rate).sum::<u64>();
    let members = look.current.iter().filter(|r| !r.is_total() && !r.status.starts_with("MAINT"));
    let member = |row: &Row| {
        let (ip, port) = row.address.rsplit_once(':')?;
        let old: u64 = look.old.iter().filter(|r| r.server == row.server).map(|r| r.sessions).sum();
        let counts = totals.of(&backend, &row.server);
        Some(MemberSeen {
            member: Member {
                key: row.server.clone(),
                ip: ip.trim_start_matches('[').trim_end_matches(']').to_owned(),
                port: port.parse().ok()?,
                state: if row.weight == 0 { MemberState::Drain } else { MemberState::Ready },
            },
            up: row.status.starts_with("UP"),
            sessions: row.sessions + old,
            requests: counts.requests,
            failed: counts.failed,
            check: row.check.clone(),
        })
    };
    Some(ServiceSeen {
        service: held.service.clone(),
        members: members.filter_map(member).collect(),
        rate,
        requests: counts.requests,
        failed: counts.failed,
    })
}

fn host_is_free(state: &State, service: &Service) -> PortResult<()> {
    let taken = state.book.values().find(|h| h.service.host == service.host && h.service.key != service.key);
    taken.map_or(Ok(()), |other| {
        Err(refused(format!("the host name “{}” belongs to service “{}”", service.host, other.service.key)))
    })
}

/// A name for one trial file.
fn random_word() -> String {
    format!("{:016x}", rand::random::<u64>())
}

#[async_trait]
impl Balancer for HaproxyChild {
    async fn list(&self) -> PortResult<Vec<ServiceSeen>> {
        self.inner.list().await
    }
    async fn get(&self, service: &str) -> PortResult<Option<ServiceSeen>> {
        self.inner.get(service).await
    }
    async fn put_service(&self, service: &Service) -> PortResult<()> {
        self.inner.put_service(service).await
    }
    async fn delete_service(&self, key: &str) -> PortResult<()> {
        self.inner.delete_service(key).await
    }
    async fn put_member(&self, service: &str, member: &Member) -> PortResult<()> {
        render::check_member(member).map_err(refused)?;
        self.inner.put_member(service, member).await
    }
    async fn delete_member(&self, service: &str, member: &str) -> PortResult<()> {
        self.inner.delete_member(service, member).await
    }
    async fn ping(&self) -> PortResult<()> {
        let processes = self.inner.cli.processes().await.map_err(failed("ask the load balancer for its processes"))?;
        current(&processes).map(drop).map_err(failed("ask for the current worker"))
    }
}
