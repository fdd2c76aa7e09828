//! Maintenance of machines: `/maintenance/*`, `/machine/*`, and the same calls of version 1.
//!
//! The schedule is one document that is replaced whole, so whoever adds a window writes
//! the others again. A machine that is down can't be left out of it; only setting it up
//! takes it out. What the engine does about it is in `world::operator`.

use super::proto::{self, Field, Kind, may, must};
use super::{Shared, answer};
use crate::world::{World, same_machine};
use axum::Json;
use axum::extract::Request;
use axum::http::{Method, StatusCode};
use axum::response::{IntoResponse, Response};
use padis_protocol::mesos::v1::{ClusterStatus, DrainingMachine, MachineId, Schedule, Window};
use serde_json::{Value, json};

const TIME: &[Field] = &[must("nanoseconds", Kind::Number)];
const UNAVAILABILITY: &[Field] = &[must("start", Kind::Message(TIME)), may("duration", Kind::Message(TIME))];
const MACHINE: &[Field] = &[may("hostname", Kind::Text), may("ip", Kind::Text)];
const WINDOW: &[Field] =
    &[may("machine_ids", Kind::List(MACHINE)), must("unavailability", Kind::Message(UNAVAILABILITY))];
pub(super) const SCHEDULE: &[Field] = &[may("windows", Kind::List(WINDOW))];
pub(super) const MACHINES: &[Field] = &[may("machines", Kind::List(MACHINE))];

/// A machine as messages name it.
fn named(machine: &MachineId) -> String {
    let mut parts = Vec::new();
    for (name, value) in [("hostname", &machine.hostname), ("ip", &machine.ip)] {
        parts.extend(value.as_ref().map(|v| format!("\"{name}\":{}", Value::from(v.as_str()))));
    }
    format!("Machine '{{{}}}'", parts.join(","))
}

fn valid(machine: &MachineId) -> Result<(), String> {
    let empty = |text: &Option<String>| text.as_deref().unwrap_or_default().is_empty();
    if empty(&machine.hostname) && empty(&machine.ip) {
        return Err(String::from("Both 'hostname' and 'ip' for a machine are empty"));
    }
    match machine.ip.as_deref().filter(|ip| !ip.is_empty()) {
        Some(ip) if ip.parse::<std::net::Ipv4Addr>().is_err() => Err(format!("Failed to parse IPv4: {ip}")),
        _ => Ok(()),
    }
}

/// Each is a machine and comes once.
fn each_once<'m>(machines: impl Iterator<Item = &'m MachineId>, seen: &mut Vec<MachineId>) -> Result<(), String> {
    for machine in machines {
        valid(machine)?;
        if seen.iter().any(|m| same_machine(m, machine)) {
            return Err(format!("{} appears more than once in the schedule", named(machine)));
        }
        seen.push(machine.clone());
    }
    Ok(())
}

fn check_schedule(windows: &[Window], down: &[MachineId]) -> Result<(), String> {
    let mut seen = Vec::new();
    for window in windows {
        if window.machine_ids.is_empty() {
            return Err(String::from("List of machines in the maintenance window is empty"));
        }
        if window.unavailability.duration.as_ref().is_some_and(|d| d.as_nanoseconds() < 0) {
            return Err(String::from("Unavailability 'duration' is negative"));
        }
        each_once(window.machine_ids.iter(), &mut seen)?;
    }
    match down.iter().find(|d| !seen.iter().any(|m| same_machine(m, d))) {
        Some(left) => Err(format!("{} is deactivated and cannot be removed from the schedule", named(left))),
        None => Ok(()),
    }
}

fn scheduled(world: &World) -> impl Iterator<Item = &MachineId> {
    world.operator.maintenance.windows.iter().flat_map(|w| &w.machine_ids)
}

/// Whether the machines can be set down, or up.
fn check_machines(world: &World, machines: &[MachineId], down: bool) -> Result<(), String> {
    if machines.is_empty() {
        return Err(String::from("List of machines is empty"));
    }
    each_once(machines.iter(), &mut Vec::new())?;
    let out = &world.operator.maintenance.down;
    for machine in machines {
        let is_down = out.iter().any(|m| same_machine(m, machine));
        let planned = scheduled(world).any(|m| same_machine(m, machine));
        let known = planned || (0..world.hosts.agents.len()).any(|i| same_machine(&world.machine(i), machine));
        if !known {
            return Err(format!("{} is not part of a maintenance schedule", named(machine)));
        }
        if down && (is_down || !planned) {
            return Err(format!("{} is not in DRAINING mode and cannot be brought down", named(machine)));
        }
        if !down && !is_down {
            return Err(format!("{} is not in DOWN mode and cannot be brought up", named(machine)));
        }
    }
    Ok(())
}

/// An order: carried out, on disk, and only then answered.
pub(super) async fn order(
    mesos: &super::Mesos,
    change: impl FnOnce(&mut World) -> Result<(), String>,
) -> Result<(), Response> {
    let (done, seq) = mesos.core.change(change);
    done.map_err(answer::bad)?;
    mesos.core.durable(seq).await.map_err(answer::unavailable)
}

/// Replaces the schedule.
pub(super) async fn replace(mesos: &super::Mesos, schedule: &Value) -> Result<(), Response> {
    let schedule: Schedule = serde_json::from_value(schedule.clone()).map_err(|e| answer::bad(e.to_string()))?;
    order(mesos, |world| {
        check_schedule(&schedule.windows, &world.operator.maintenance.down)?;
        world.put_windows(schedule.windows);
        Ok(())
    })
    .await
}

/// Sets machines down or up.
pub(super) async fn set(mesos: &super::Mesos, machines: &Value, down: bool) -> Result<(), Response> {
    let machines: Vec<MachineId> = match machines {
        Value::Null => Vec::new(),
        machines => serde_json::from_value(machines.clone()).map_err(|e| answer::bad(e.to_string()))?,
    };
    order(mesos, |world| {
        check_machines(world, &machines, down)?;
        if down {
            world.set_down(&machines)
        } else {
            world.set_up(&machines)
        }
        Ok(())
    })
    .await
}

/// The schedule, as both versions write it.
pub(super) fn planned(mesos: &super::Mesos) -> Schedule {
    let windows = mesos.core.look(|w| w.operator.maintenance.windows.clone());
    Schedule { windows, ..Schedule::default() }
}

/// How far it is, as both versions write it.
pub(super) fn so_far(mesos: &super::Mesos) -> ClusterStatus {
    mesos.core.look(|world| {
        let down = &world.operator.maintenance.down;
        let up = scheduled(world).filter(|m| !down.iter().any(|d| same_machine(d, m)));
        let draining = up.map(|id| DrainingMachine { id: id.clone(), ..DrainingMachine::default() });
        ClusterStatus { draining_machines: draining.collect(), down_machines: down.clone(), ..ClusterStatus::default() }
    })
}

fn done(result: Result<(), Response>) -> Response {
    result.err().unwrap_or_else(|| StatusCode::OK.into_response())
}

/// `/maintenance/schedule`
pub(super) async fn schedule(mesos: Shared, request: Request) -> Response {
    match *request.method() {
        Method::GET => Json(planned(&mesos)).into_response(),
        Method::POST => {
            let body = match super::body(request).await.and_then(|text| proto::parse(&text)) {
                Ok(body) => body,
                Err(why) => return answer::bad(why),
            };
            if !body.is_object() {
                return answer::bad("Unexpected JSON type parsed");
            }
            if let Err(why) = proto::check(&body, SCHEDULE) {
                return answer::bad(why);
            }
            done(replace(&mesos, &body).await)
        }
        _ => answer::wrong_method(&["GET", "POST"], request.method()),
    }
}

/// `/maintenance/status`
pub(super) async fn status(mesos: Shared, request: Request) -> Response {
    if request.method() != Method::GET {
        return answer::wrong_method(&["GET"], request.method());
    }
    Json(so_far(&mesos)).into_response()
}

async fn machine(mesos: Shared, request: Request, down: bool) -> Response {
    if request.method() != Method::POST {
        return answer::wrong_method(&["POST"], request.method());
    }
    let body = match super::body(request).await.and_then(|text| proto::parse(&text)) {
        Ok(body) => body,
        Err(why) => return answer::bad(why),
    };
    if !body.is_array() {
        return answer::bad("Unexpected JSON type parsed");
    }
    match proto::check(&json!({"machines": body}), MACHINES) {
        Ok(()) => done(set(&mesos, &body, down).await),
        Err(why) => answer::bad(why),
    }
}

/// `/machine/down`
pub(super) async fn down(mesos: Shared, request: Request) -> Response {
    machine(mesos, request, true).await
}

/// `/machine/up`
pub(super) async fn up(mesos: Shared, request: Request) -> Response {
    machine(mesos, request, false).await
}
