//! What operators ask of the master.

use super::shapes::{self, Lists};
use super::{
    Asked, DRAIN, LEVEL, METRICS, OF_AGENT, PATH, READ, SCHEDULE, Side, TEARDOWN, carried_out, files, named_values,
    told,
};
use crate::mesos::facts::{AgentFacts, Amounts, Us};
use crate::mesos::proto::whole;
use crate::mesos::state::Picture;
use crate::mesos::{Mesos, Shared, answer, elsewhere, events, flags, maintenance, metrics};
use crate::world::{NotBack, World};
use axum::extract::Request;
use axum::response::Response;
use serde_json::{Value, json};

/// Calls that need content are refused without it, those that are refused anyway too.
pub(super) const SIDE: Side = Side {
    name: "master",
    prefix: "Failed to convert JSON into Call protobuf: ",
    bare: &[
        "UNKNOWN",
        "GET_HEALTH",
        "GET_FLAGS",
        "GET_VERSION",
        "GET_LOGGING_LEVEL",
        "GET_STATE",
        "GET_AGENTS",
        "GET_FRAMEWORKS",
        "GET_EXECUTORS",
        "GET_OPERATIONS",
        "GET_TASKS",
        "GET_ROLES",
        "GET_WEIGHTS",
        "GET_MASTER",
        "GET_MAINTENANCE_STATUS",
        "GET_MAINTENANCE_SCHEDULE",
        "GET_QUOTA",
        "SUBSCRIBE",
    ],
    with: &[
        ("GET_METRICS", METRICS),
        ("SET_LOGGING_LEVEL", LEVEL),
        ("LIST_FILES", PATH),
        ("READ_FILE", READ),
        ("UPDATE_MAINTENANCE_SCHEDULE", SCHEDULE),
        ("START_MAINTENANCE", maintenance::MACHINES),
        ("STOP_MAINTENANCE", maintenance::MACHINES),
        ("DRAIN_AGENT", DRAIN),
        ("DEACTIVATE_AGENT", OF_AGENT),
        ("REACTIVATE_AGENT", OF_AGENT),
        ("MARK_AGENT_GONE", OF_AGENT),
        ("TEARDOWN", TEARDOWN),
        ("UPDATE_WEIGHTS", &[]),
        ("UPDATE_QUOTA", &[]),
        ("SET_QUOTA", &[]),
        ("REMOVE_QUOTA", &[]),
        ("RESERVE_RESOURCES", &[]),
        ("UNRESERVE_RESOURCES", &[]),
        ("CREATE_VOLUMES", &[]),
        ("DESTROY_VOLUMES", &[]),
        ("GROW_VOLUME", &[]),
        ("SHRINK_VOLUME", &[]),
    ],
};

/// `/master/api/v1`
pub(in crate::mesos) async fn call(mesos: Shared, request: Request) -> Response {
    if let Some(leader) = elsewhere(&mesos, request.uri()) {
        return leader;
    }
    match SIDE.read(request).await {
        Ok(asked) => carry_out(&mesos, &asked).await.unwrap_or_else(|no| no),
        Err(no) => no,
    }
}

async fn carry_out(mesos: &Mesos, asked: &Asked) -> Result<Response, Response> {
    let content = &asked.content;
    match asked.kind.as_str() {
        "UNKNOWN" => Err(answer::not_implemented()),
        "SUBSCRIBE" => Ok(events::subscribe(mesos)),
        "LIST_FILES" | "READ_FILE" => Ok(files(mesos, asked).await),
        "UPDATE_MAINTENANCE_SCHEDULE" => {
            maintenance::replace(mesos, &content["schedule"]).await.map(|()| carried_out())
        }
        "START_MAINTENANCE" => maintenance::set(mesos, &content["machines"], true).await.map(|()| carried_out()),
        "STOP_MAINTENANCE" => maintenance::set(mesos, &content["machines"], false).await.map(|()| carried_out()),
        "DRAIN_AGENT" if content["mark_gone"] == true => Err(answer::forbidden()),
        "DRAIN_AGENT" => {
            let grace = content.get("max_grace_period").filter(|g| !g.is_null()).map(google);
            of_agent(mesos, content, |world, index| world.drain(index, grace)).await
        }
        "DEACTIVATE_AGENT" => of_agent(mesos, content, World::deactivate).await,
        "REACTIVATE_AGENT" => {
            let back = maintenance::order(mesos, |world| {
                let index = index(world, content);
                world.reactivate(index).map_err(|why| match why {
                    NotBack::InService => String::from("Agent is not deactivated"),
                    NotBack::Draining => String::from("Agent is still in the DRAINING state"),
                })
            });
            back.await.map(|()| carried_out())
        }
        "TEARDOWN" if content["framework_id"]["value"] != Us::of(&mesos.core).framework.as_str() => {
            Err(answer::bad("No framework found with specified ID"))
        }
        kind => match read(mesos, kind) {
            Some(Value::Null) => Ok(answer::json(json!({"type": kind}).to_string().into_bytes())),
            Some(content) => Ok(told(kind, &content)),
            None => Err(answer::forbidden()),
        },
    }
}

/// Google's `Duration` in nanoseconds.
fn google(duration: &Value) -> i64 {
    let number = |name: &str| whole(&duration[name]).unwrap_or(0);
    number("seconds").saturating_mul(1_000_000_000).saturating_add(number("nanos"))
}

fn index(world: &World, content: &Value) -> Option<usize> {
    let id = content["agent_id"]["value"].as_str()?;
    world.hosts.agents.iter().enumerate().position(|(i, agent)| agent.id == id && !world.is_down(i))
}

/// An order about an agent that must be known.
async fn of_agent(mesos: &Mesos, content: &Value, order: impl FnOnce(&mut World, usize)) -> Result<Response, Response> {
    let done = maintenance::order(mesos, |world| {
        let index = index(world, content).ok_or_else(|| String::from("Unknown agent"))?;
        order(world, index);
        Ok(())
    });
    done.await.map(|()| carried_out())
}

/// The content of an answer; null: there is nothing to tell. `None`: it is no question.
fn read(mesos: &Mesos, kind: &str) -> Option<Value> {
    let us = Us::of(&mesos.core);
    let lists = |of: &dyn Fn(&Lists<'_>) -> Value| {
        let p = Picture::take(mesos);
        of(&Lists { us: &p.us, agents: &p.agents, live: &p.live, ended: &p.ended })
    };
    Some(match kind {
        "GET_HEALTH" => json!({"healthy": true}),
        "GET_FLAGS" => {
            let flags = flags::master(&mesos.core).into_iter().map(|(name, value)| (name, json!(value)));
            json!({"flags": named_values(flags)})
        }
        "GET_VERSION" => shapes::version(),
        "GET_METRICS" => {
            let metrics = metrics::collect(mesos).into_iter().map(|(name, value)| (name, json!(value)));
            json!({"metrics": named_values(metrics)})
        }
        "GET_LOGGING_LEVEL" => json!({"level": 0}),
        "GET_STATE" => lists(&|l| l.state()),
        "GET_AGENTS" | "GET_FRAMEWORKS" => {
            let agents = mesos.core.look(|w| AgentFacts::all(&mesos.core, w));
            let lists = Lists { us: &us, agents: &agents, live: &[], ended: &[] };
            if kind == "GET_AGENTS" { lists.agents() } else { lists.frameworks() }
        }
        "GET_TASKS" => lists(&|l| l.tasks()),
        "GET_EXECUTORS" => Lists::executors(),
        "GET_OPERATIONS" => json!({}),
        "GET_ROLES" => {
            let mut used = Amounts::default();
            mesos.core.look(|w| w.tasks.values().for_each(|t| used.add(t)));
            // Ports are not summed here, unlike in version 0.
            let resources = Amounts { ports: Vec::new(), ..used }.v1();
            let mut role = json!({"name": us.role, "weight": 1.0, "frameworks": [{"value": us.framework}]});
            if !resources.is_empty() {
                role["resources"] = json!(resources);
            }
            json!({"roles": [role]})
        }
        "GET_WEIGHTS" => Value::Null,
        "GET_MASTER" => shapes::master(&us),
        "GET_MAINTENANCE_STATUS" => json!({"status": maintenance::so_far(mesos)}),
        "GET_MAINTENANCE_SCHEDULE" => json!({"schedule": maintenance::planned(mesos)}),
        "GET_QUOTA" => json!({"status": {}}),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_grace_is_googles_duration() {
        assert_eq!(google(&json!({"seconds": 3, "nanos": 5})), 3_000_000_005);
        assert_eq!(google(&json!({"seconds": "3"})), 3_000_000_000);
        assert_eq!(google(&json!({"nanoseconds": 3_000_000_000_i64})), 0, "Mesos takes this for none, too");
    }
}
