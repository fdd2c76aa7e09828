//! The configuration of the image that a workbench becomes. Pure.
//!
//! Docker's commit fills what the configuration leaves empty from the container's, in which our
//! own entry point stands. So each field is written as the base has it; an entry point that the
//! base does not have is an empty list, which Docker leaves alone, and not absent, which it
//! fills. Labels that the base has can't be taken away so, because the container has them too:
//! they are emptied, and an empty label of a contract counts as none
//! (`padis_domain::stack::Contract`).

use bollard::models::{ContainerConfig, ImageConfig};
use padis_domain::ports::BenchCommit;
use std::collections::{BTreeMap, BTreeSet};

/// What the commit is asked for.
pub(super) fn wanted(base: ImageConfig, wanted: &BenchCommit) -> ContainerConfig {
    let mut ports: BTreeSet<String> = base.exposed_ports.unwrap_or_default().into_iter().collect();
    ports.extend(wanted.ports.iter().map(|p| format!("{p}/tcp")));
    let labels = labels(base.labels.unwrap_or_default().into_iter().collect(), &wanted.labels);
    ContainerConfig {
        user: base.user,
        exposed_ports: Some(ports.into_iter().collect()),
        env: Some(base.env.unwrap_or_default()),
        cmd: Some(base.cmd.unwrap_or_default()),
        entrypoint: Some(base.entrypoint.unwrap_or_default()),
        healthcheck: base.healthcheck,
        args_escaped: base.args_escaped,
        volumes: base.volumes,
        working_dir: base.working_dir,
        on_build: base.on_build,
        labels: Some(labels.into_iter().collect()),
        stop_signal: base.stop_signal,
        shell: base.shell,
        ..ContainerConfig::default()
    }
}

/// The labels that the image gets.
pub(crate) fn labels(
    mut base: BTreeMap<String, String>,
    wanted: &BTreeMap<String, String>,
) -> BTreeMap<String, String> {
    for (label, value) in wanted {
        if !value.is_empty() || base.contains_key(label) {
            base.insert(label.clone(), value.clone());
        }
    }
    base
}

/// Whether an image has all of the labels that are wanted.
pub(crate) fn has_all(labels: &BTreeMap<String, String>, wanted: &BTreeMap<String, String>) -> bool {
    wanted.iter().all(|(label, value)| labels.get(label).map_or("", String::as_str) == value)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashMap;

    #[test]
    fn everything_is_the_base_s_but_what_is_wanted() {
        let base = ImageConfig {
            exposed_ports: Some(vec!["80/tcp".to_owned()]),
            labels: Some(HashMap::from([("a".to_owned(), "1".to_owned()), ("b".to_owned(), "2".to_owned())])),
            stop_signal: Some("SIGQUIT".to_owned()),
            ..ImageConfig::default()
        };
        let label = |label: &str, value: &str| (label.to_owned(), value.to_owned());
        let commit = BenchCommit {
            id: String::new(),
            host: String::new(),
            base: (String::new(), String::new()),
            repository: String::new(),
            tag: String::new(),
            leave_out: Vec::new(),
            labels: BTreeMap::from([label("a", ""), label("c", "3"), label("d", "")]),
            ports: vec![80, 8080],
            author: String::new(),
            comment: String::new(),
        };
        let made = wanted(base, &commit);
        assert_eq!(made.exposed_ports.unwrap(), ["80/tcp", "8080/tcp"]);
        assert_eq!((made.entrypoint, made.cmd), (Some(vec![]), Some(vec![])));
        assert_eq!(made.stop_signal.as_deref(), Some("SIGQUIT"));
        let labels: BTreeMap<_, _> = made.labels.unwrap().into_iter().collect();
        assert_eq!(labels, BTreeMap::from([label("a", ""), label("b", "2"), label("c", "3")]));
        assert!(has_all(&labels, &commit.labels));
        assert!(!has_all(&labels, &BTreeMap::from([label("b", "")])));
    }
}
