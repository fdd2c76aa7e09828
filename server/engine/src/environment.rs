//! The environment of a task, as Marathon's `TaskBuilder` makes it: what the app
//! says, then what a program needs to know about itself. One could get it wrong in
//! `PORT_…`: those of mapped ports carry the port *inside* in their name.

use crate::record::TaskRecord;
use padis_protocol::app::{App, EnvVar};
use padis_protocol::container::NetworkMode;
use std::collections::BTreeMap;

/// What Marathon tells every task.
pub(crate) fn of(task: &TaskRecord, app: &App, image: &str) -> BTreeMap<String, String> {
    let mut env = BTreeMap::new();
    for (key, value) in app.env.iter().flatten() {
        if let EnvVar::Text(text) = value {
            env.insert(key.clone(), text.clone());
        }
    }
    let upper = |name: &str| -> String {
        name.chars().map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_uppercase() } else { '_' }).collect()
    };
    let mut set = |key: String, value: String| drop(env.insert(key, value));
    set("MESOS_TASK_ID".into(), task.id.clone());
    set("MESOS_CONTAINER_NAME".into(), task.container.clone());
    set("MARATHON_APP_ID".into(), task.app_id.clone());
    set("MARATHON_APP_VERSION".into(), task.version.clone());
    set("MARATHON_APP_DOCKER_IMAGE".into(), image.to_owned());
    set("MARATHON_APP_RESOURCE_CPUS".into(), task.cpus.to_string());
    set("MARATHON_APP_RESOURCE_MEM".into(), task.mem.to_string());
    set("MARATHON_APP_RESOURCE_DISK".into(), app.disk_or_default().to_string());
    set("MARATHON_APP_RESOURCE_GPUS".into(), app.gpus.unwrap_or(0).to_string());
    let labels = app.labels.clone().unwrap_or_default();
    // Marathon leaves out what is too long for an environment, and so do we.
    let short = |(k, v): &(&String, &String)| k.len() <= 255 && v.len() <= 512;
    let names: Vec<String> = labels.iter().filter(short).map(|(k, _)| upper(k)).collect();
    set("MARATHON_APP_LABELS".into(), names.join(" "));
    for (key, value) in labels.iter().filter(short) {
        set(format!("MARATHON_APP_LABEL_{}", upper(key)), value.clone());
    }
    set("HOST".into(), task.agent.clone());
    if let Some(first) = task.ports.first() {
        let all: Vec<String> = task.ports.iter().map(u16::to_string).collect();
        set("PORT".into(), first.to_string());
        set("PORTS".into(), all.join(","));
    }
    let host_mode = app.network_list().first().and_then(|n| n.mode) == Some(NetworkMode::Host);
    let definitions = app.port_definitions.as_deref().unwrap_or_default();
    for (index, port) in task.ports.iter().enumerate() {
        set(format!("PORT{index}"), port.to_string());
        if let Some(name) = definitions.get(index).filter(|_| host_mode).and_then(|d| d.name.as_deref()) {
            set(format!("PORT_{}", upper(name)), port.to_string());
        }
    }
    if !host_mode {
        for (index, mapping) in app.mappings().iter().enumerate() {
            let inside = mapping.container_port.filter(|p| *p != 0).or(task.ports.get(index).copied());
            let outside = task.ports.get(index).copied().or(inside);
            if let (Some(inside), Some(outside)) = (inside, outside) {
                set(format!("PORT_{inside}"), outside.to_string());
                if let Some(name) = &mapping.name {
                    set(format!("PORT_{}", upper(name)), outside.to_string());
                }
            }
        }
    }
    env
}
