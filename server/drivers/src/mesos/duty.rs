//! Taking a host out of service, and back.
//!
//! Mesos since 1.9 drains an agent itself: the operator call DRAIN_AGENT stops its
//! offers and kills its tasks with a bounded grace; REACTIVATE_AGENT undoes it.
//! Before, it can only be announced: a maintenance window makes frameworks that
//! care go elsewhere, and the tasks stay until somebody moves them.
//!
//! What one could get wrong: the grace period is `{"seconds": …}` in the request,
//! and `{"nanoseconds": …}` there is taken without complaint as zero, although the
//! answer is written that way; "Agent is not deactivated" is the state that was
//! wanted; an agent that still drains can't be reactivated; the maintenance
//! schedule is one document, so a window is added to what others have announced.

use super::MesosClient;
use super::agents::Agent;
use crate::http::{Answer, Request};
use padis_domain::ports::{Duty, PortError, PortResult};
use padis_domain::problem::System;
use padis_protocol::mesos::{Slave, Slaves, scalar};
use reqwest::Method;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

const SCHEDULE: &str = "/master/maintenance/schedule";

pub(super) fn deactivated(slave: &Slave) -> bool {
    slave.extra.get("deactivated").and_then(Value::as_bool).unwrap_or(false)
}

/// Of a host that gets no new tasks.
fn leaving(slave: &Slave) -> Duty {
    let empty = scalar(&slave.used_resources, "cpus") <= 0.0 && scalar(&slave.used_resources, "mem") <= 0.0;
    if empty { Duty::Drained } else { Duty::Draining }
}

/// What the agent's own entry says: all that there is to know since Mesos 1.9.
pub(super) fn of(slave: &Slave) -> Duty {
    match slave.extra.get("drain_info").and_then(|info| info["state"].as_str()) {
        Some("DRAINING") => Duty::Draining,
        Some("DRAINED") => Duty::Drained,
        _ if deactivated(slave) => leaving(slave),
        _ if slave.active => Duty::Working,
        _ => Duty::Silent,
    }
}

fn machine(agent: &Agent) -> Value {
    json!({"hostname": agent.name, "ip": agent.ip()})
}

fn same(machine: &Value, other: &Value) -> bool {
    let name = |m: &Value| m["hostname"].as_str().unwrap_or_default().to_ascii_lowercase();
    machine["ip"] == other["ip"] && name(machine) == name(other)
}

/// Takes a machine out of every window; windows without machines go.
fn without(mut schedule: Value, machine: &Value) -> Vec<Value> {
    let windows = schedule["windows"].as_array_mut().map(std::mem::take).unwrap_or_default();
    let keep = |mut window: Value| {
        let machines = window["machine_ids"].as_array_mut()?;
        machines.retain(|m| !same(m, machine));
        (!machines.is_empty()).then_some(window)
    };
    windows.into_iter().filter_map(keep).collect()
}

impl MesosClient {
    pub(super) async fn read_duties(&self) -> PortResult<BTreeMap<String, Duty>> {
        let Slaves { slaves, recovered_slaves } = self.master("list the agents", "/master/slaves").await?;
        self.agents.learn(&slaves);
        self.duties_of(&slaves, &recovered_slaves).await
    }

    /// Of agents that the master has told, and of those that have not come back to it.
    pub(super) async fn duties_of(&self, slaves: &[Slave], recovered: &[Value]) -> PortResult<BTreeMap<String, Duty>> {
        let mut duties: BTreeMap<_, _> = slaves.iter().map(|s| (s.id.clone(), of(s))).collect();
        // The registry knows them, and they have not come back since the master leads.
        let away = recovered.iter().filter_map(|s| s["id"].as_str());
        duties.extend(away.map(|id| (id.to_owned(), Duty::Silent)));
        let old: Vec<_> = slaves.iter().filter(|s| s.active && !Agent::of(s, false).drains).collect();
        if !old.is_empty() {
            let status: Value = self.master("read the maintenance status", "/master/maintenance/status").await?;
            let draining = status["draining_machines"].as_array().into_iter().flatten().map(|m| &m["id"]);
            let down = status["down_machines"].as_array().into_iter().flatten();
            let out: Vec<_> = draining.chain(down).collect();
            for slave in old {
                let this = machine(&Agent::of(slave, false));
                if out.iter().any(|m| same(m, &this)) {
                    duties.insert(slave.id.clone(), leaving(slave));
                }
            }
        }
        Ok(duties)
    }

    pub(super) async fn deactivate_agent(&self, id: &str) -> PortResult<bool> {
        let what = format!("deactivate agent {id}");
        let call = json!({"type": "DEACTIVATE_AGENT", "deactivate_agent": {"agent_id": {"value": id}}});
        let answer = self.operate(&what, &call).await?;
        match (answer.status.as_u16(), answer.text()) {
            (200, _) => Ok(true),
            (400, why) if why.contains("Unknown agent") => Err(gone(id)),
            (400, why) if why.contains("already") || why.contains("is deactivated") => Ok(true),
            (400, why) if why.contains("'type'") || why.contains("capab") => Ok(false),
            (404 | 405 | 501, _) => Ok(false),
            _ => Err(self.refusal(&what, &answer)),
        }
    }

    pub(super) async fn drain_agent(&self, id: &str, grace: Duration) -> PortResult<()> {
        let grace = json!({"seconds": grace.as_secs(), "nanos": grace.subsec_nanos()});
        let config = json!({"agent_id": {"value": id}, "max_grace_period": grace, "mark_gone": false});
        let what = format!("drain agent {id}");
        let answer = self.operate(&what, &json!({"type": "DRAIN_AGENT", "drain_agent": config})).await?;
        match (answer.status.as_u16(), answer.text()) {
            (200, _) => Ok(()),
            (400, why) if why.contains("Unknown agent") => Err(gone(id)),
            // An agent or a master that does not know the call: before Mesos 1.9.
            (400, why) if why.contains("'type'") || why.contains("capab") => self.announce(id).await,
            (404 | 405 | 501, _) => self.announce(id).await,
            _ => Err(self.refusal(&what, &answer)),
        }
    }

    pub(super) async fn reactivate_agent(&self, id: &str) -> PortResult<()> {
        let what = format!("reactivate agent {id}");
        let call = json!({"type": "REACTIVATE_AGENT", "reactivate_agent": {"agent_id": {"value": id}}});
        let answer = self.operate(&what, &call).await?;
        match (answer.status.as_u16(), answer.text()) {
            (200, _) => Ok(()),
            // Said of agents that the master has never heard of, too.
            (400, why) if why.contains("not deactivated") => {
                self.agents(true).await?;
                self.withdraw_if_old(id).await
            }
            (400, why) if why.contains("DRAINING") => Err(PortError::transient(System::Cluster, what, why)),
            (400, why) if why.contains("'type'") => self.withdraw(id).await,
            (404 | 405 | 501, _) => self.withdraw(id).await,
            _ => Err(self.refusal(&what, &answer)),
        }
    }

    /// A master of today may have agents of yesterday, whose draining was announced.
    async fn withdraw_if_old(&self, id: &str) -> PortResult<()> {
        let agent = self.agent(id).await?;
        if agent.drains { Ok(()) } else { self.withdraw(id).await }
    }

    /// Announces that the agent's machine is under maintenance from now on, without
    /// an end. Kills nothing. Twice is as good as once.
    pub async fn announce(&self, id: &str) -> PortResult<()> {
        let machine = machine(&self.agent(id).await?);
        let mut windows = without(self.schedule().await?, &machine);
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_nanos();
        let start = u64::try_from(now).unwrap_or(u64::MAX);
        windows.push(json!({"machine_ids": [machine], "unavailability": {"start": {"nanoseconds": start}}}));
        self.write("announce maintenance", SCHEDULE, &json!({"windows": windows})).await
    }

    /// Takes that back, and takes the machine up if an operator had taken it down.
    /// A machine that is down has no agent in the master's list: then only a client
    /// that has heard of it before knows which one it is, and another is refused.
    pub async fn withdraw(&self, id: &str) -> PortResult<()> {
        let machine = machine(&self.agent(id).await?);
        let status: Value = self.master("read the maintenance status", "/master/maintenance/status").await?;
        if status["down_machines"].as_array().into_iter().flatten().any(|m| same(m, &machine)) {
            return self.write("take a machine up", "/master/machine/up", &json!([machine])).await;
        }
        let schedule = self.schedule().await?;
        let before = schedule.clone();
        let windows = json!({"windows": without(schedule, &machine)});
        if windows["windows"] == before["windows"] || before["windows"].is_null() {
            return Ok(()); // nobody had announced anything
        }
        self.write("take back the announced maintenance", SCHEDULE, &windows).await
    }

    async fn schedule(&self) -> PortResult<Value> {
        let what = "read the maintenance schedule";
        let request = Request { what, method: Method::GET, path: SCHEDULE.to_owned(), body: None };
        let answer = self.http.send(&request).await?;
        if answer.status.as_u16() == 404 {
            return Err(PortError::refused(System::Cluster, "this cluster can't take a host out of service"));
        }
        self.http.json(what, &answer)
    }

    async fn operate(&self, what: &str, call: &Value) -> PortResult<Answer> {
        let path = "/master/api/v1".to_owned();
        self.http.send(&Request { what, method: Method::POST, path, body: Some(call.to_string()) }).await
    }

    async fn write(&self, what: &str, path: &str, body: &Value) -> PortResult<()> {
        let request = Request { what, method: Method::POST, path: path.to_owned(), body: Some(body.to_string()) };
        let answer = self.http.send(&request).await?;
        if answer.status.is_success() { Ok(()) } else { Err(self.refusal(what, &answer)) }
    }

    /// A 400 is the master's last word; for the rest the client knows better.
    fn refusal(&self, what: &str, answer: &Answer) -> PortError {
        if answer.status.as_u16() != 400 {
            return self.http.unexpected(what, answer, true);
        }
        let reason = format!("the cluster does not {what}");
        PortError::Refused { system: System::Cluster, reason, cause: Some(crate::http::excerpt(&answer.text()).into()) }
    }
}

fn gone(id: &str) -> PortError {
    PortError::refused(System::Cluster, format!("host {id} is not part of the cluster (any more)"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn slave(entry: Value) -> Slave {
        let mut whole = json!({"id": "S", "active": true, "used_resources": {"cpus": 0.5, "mem": 32.0}});
        whole.as_object_mut().unwrap().extend(entry.as_object().unwrap().clone());
        serde_json::from_value(whole).unwrap()
    }

    #[test]
    fn an_emptied_host_is_told_from_one_that_fell_silent() {
        let drain = |state: &str| json!({"active": false, "deactivated": true, "drain_info": {"state": state}});
        for (entry, duty) in [
            (json!({"deactivated": false}), Duty::Working),
            (json!({"active": false, "deactivated": false}), Duty::Silent),
            (json!({"active": false}), Duty::Silent),
            (drain("DRAINING"), Duty::Draining),
            (drain("DRAINED"), Duty::Drained),
            (json!({"active": false, "deactivated": true}), Duty::Draining),
            (json!({"active": false, "deactivated": true, "used_resources": {}}), Duty::Drained),
        ] {
            assert_eq!(of(&slave(entry.clone())), duty, "{entry}");
        }
    }

    #[test]
    fn what_others_have_announced_stays() {
        let (ours, theirs) = (json!({"hostname": "A", "ip": "1.1.1.1"}), json!({"hostname": "b", "ip": "1.1.1.2"}));
        let schedule = json!({"windows": [
            {"machine_ids": [{"hostname": "a", "ip": "1.1.1.1"}, theirs], "unavailability": 1},
            {"machine_ids": [ours], "unavailability": 2}]});
        let left = without(schedule, &ours);
        assert_eq!(left, [json!({"machine_ids": [theirs], "unavailability": 1})]);
        assert!(without(json!({}), &ours).is_empty());
    }
}
