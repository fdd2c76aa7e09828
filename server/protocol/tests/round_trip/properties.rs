//! Any app and any group of apps comes back from JSON as it was.

use padis_protocol::app::{
    App, Artifact, EnvVar, ResourceLimit, ResourceLimits, Secret, Unlimited, UnreachableStrategy, UnreachableTimes,
    UpgradeStrategy,
};
use padis_protocol::check::{Check, ExecCheck, HttpCheck, MesosCommand};
use padis_protocol::container::{
    Container, Docker, Network, NetworkMode, Parameter, PersistentVolume, PortMapping, Volume,
};
use padis_protocol::group::{Group, GroupUpdate};
use padis_protocol::health::{HealthCheck, HealthProtocol};
use padis_protocol::readiness::ReadinessCheck;
use proptest::collection::{btree_map, vec};
use proptest::option::of;
use proptest::prelude::*;
use serde_json::{Value, json};

/// A number with few digits: JSON's text of it is exact.
fn number() -> impl Strategy<Value = f64> {
    (0_u32..4_000_000).prop_map(|n| f64::from(n) / 64.0)
}

fn word() -> impl Strategy<Value = String> {
    prop_oneof!["[a-z][a-z0-9-]{0,8}", "\\PC{0,6}"]
}

fn path() -> impl Strategy<Value = String> {
    vec("[a-z][a-z0-9-]{0,5}", 1..4).prop_map(|parts| format!("/{}", parts.join("/")))
}

fn env() -> impl Strategy<Value = EnvVar> {
    prop_oneof![word().prop_map(EnvVar::Text), word().prop_map(|secret| EnvVar::Secret { secret })]
}

fn network() -> impl Strategy<Value = Network> {
    let mode = prop_oneof![Just(NetworkMode::Container), Just(NetworkMode::Bridge), Just(NetworkMode::Host)];
    (of(mode), of(word())).prop_map(|(mode, name)| Network { mode, name, ..Network::default() })
}

fn mapping() -> impl Strategy<Value = PortMapping> {
    (of(any::<u16>()), of(any::<u16>()), of(word()), of(vec(word(), 0..2))).prop_map(
        |(container_port, host_port, name, network_names)| PortMapping {
            container_port,
            host_port,
            name,
            network_names,
            ..PortMapping::default()
        },
    )
}

fn volume() -> impl Strategy<Value = Volume> {
    (word(), of(word()), of((of(any::<u64>()), of(word()))), of(word())).prop_map(
        |(container_path, host_path, persistent, secret)| Volume {
            container_path,
            host_path,
            persistent: persistent.map(|(size, kind)| PersistentVolume { size, kind, ..PersistentVolume::default() }),
            secret,
            ..Volume::default()
        },
    )
}

fn container() -> impl Strategy<Value = Container> {
    let docker =
        (word(), of(any::<bool>()), of(vec((word(), word()), 0..3))).prop_map(|(image, privileged, options)| {
            let parameters = options.map(|l| l.into_iter().map(|(key, value)| Parameter { key, value }).collect());
            Docker { image, privileged, parameters, ..Docker::default() }
        });
    (of(word()), of(docker), of(vec(volume(), 0..3)), of(vec(mapping(), 0..3))).prop_map(
        |(kind, docker, volumes, port_mappings)| Container {
            kind,
            docker,
            volumes,
            port_mappings,
            ..Container::default()
        },
    )
}

fn health() -> impl Strategy<Value = HealthCheck> {
    let protocol =
        prop_oneof![Just(HealthProtocol::Http), Just(HealthProtocol::MesosTcp), Just(HealthProtocol::Command)];
    (of(protocol), of(word()), of(any::<u32>()), of(any::<u16>()), of(any::<bool>())).prop_map(
        |(protocol, path, grace_period_seconds, port, ignore_http1xx)| HealthCheck {
            protocol,
            path,
            grace_period_seconds,
            port,
            ignore_http1xx,
            ..HealthCheck::default()
        },
    )
}

fn check() -> impl Strategy<Value = Check> {
    let http = (of(word()), of(any::<u32>())).prop_map(|(path, port_index)| HttpCheck {
        path,
        port_index,
        ..HttpCheck::default()
    });
    let exec = (of(word()), of(vec(word(), 0..3))).prop_map(|(shell, argv)| ExecCheck {
        command: MesosCommand { shell, argv, ..MesosCommand::default() },
        ..ExecCheck::default()
    });
    (of(http), of(exec), of(any::<u32>())).prop_map(|(http, exec, interval_seconds)| Check {
        http,
        exec,
        interval_seconds,
        ..Check::default()
    })
}

fn unreachable() -> impl Strategy<Value = UnreachableStrategy> {
    let times = (of(any::<u64>()), of(any::<u64>())).prop_map(|(inactive_after_seconds, expunge_after_seconds)| {
        UnreachableStrategy::Enabled(UnreachableTimes {
            inactive_after_seconds,
            expunge_after_seconds,
            ..UnreachableTimes::default()
        })
    });
    prop_oneof![Just(UnreachableStrategy::DISABLED), times]
}

fn limit() -> impl Strategy<Value = ResourceLimit> {
    prop_oneof![number().prop_map(ResourceLimit::Number), Just(ResourceLimit::Unlimited(Unlimited::Unlimited))]
}

fn unknown() -> impl Strategy<Value = Value> {
    prop_oneof![Just(json!(null)), any::<bool>().prop_map(|b| json!(b)), word().prop_map(|t| json!({"x": [t]}))]
}

fn app() -> impl Strategy<Value = App> {
    let size = (of(any::<u32>()), of(number()), of(number()), of(number()), of(any::<u32>()));
    let run = (of(word()), of(vec(word(), 0..3)), of(btree_map(word(), env(), 0..4)), of(container()));
    let place = (of(vec(vec(word(), 2..4), 0..3)), of(vec(network(), 0..3)), of(unreachable()), of(word()));
    let check = (of(vec(health(), 0..3)), of(check()), of(vec((of(word()), of(any::<u32>())), 0..2)));
    let rest = (
        of(vec((word(), of(any::<bool>()), of(word())), 0..3)),
        of(btree_map(word(), word(), 0..3)),
        of((of(limit()), of(limit()))),
        of((of(number()), of(number()))),
        btree_map("x[a-z]{3,6}", unknown(), 0..3),
    );
    (path(), size, run, place, check, rest).prop_map(|(id, size, run, place, check, rest)| {
        let mut app = App { id, ..App::default() };
        (app.instances, app.cpus, app.mem, app.disk, app.gpus) = size;
        (app.cmd, app.args, app.env, app.container) = run;
        let strategy;
        (app.constraints, app.networks, strategy, app.role) = place;
        if let Some(strategy) = strategy {
            app.set_unreachable(&strategy);
            assert_eq!(app.unreachable(), strategy);
        }
        (app.health_checks, app.check) = (check.0, check.1);
        app.readiness_checks = check.2.map(|list| {
            let one = |(name, interval_seconds)| ReadinessCheck { name, interval_seconds, ..ReadinessCheck::default() };
            list.into_iter().map(one).collect()
        });
        app.fetch = rest.0.map(|list| {
            let one = |(uri, extract, dest_path)| Artifact { uri, extract, dest_path, ..Artifact::default() };
            list.into_iter().map(one).collect()
        });
        app.secrets =
            rest.1.map(|map| map.into_iter().map(|(k, source)| (k, Secret { source, ..Secret::default() })).collect());
        app.resource_limits = rest.2.map(|(cpus, mem)| ResourceLimits { cpus, mem, ..ResourceLimits::default() });
        app.upgrade_strategy =
            rest.3.map(|(over, least)| UpgradeStrategy { maximum_over_capacity: over, minimum_health_capacity: least });
        app.extra = rest.4;
        app
    })
}

fn group() -> impl Strategy<Value = GroupUpdate> {
    let leaf = (of(path()), of(vec(app(), 0..2)), of(number()), of(any::<bool>())).prop_map(
        |(id, apps, scale_by, enforce_role)| GroupUpdate { id, apps, scale_by, enforce_role, ..GroupUpdate::default() },
    );
    leaf.prop_recursive(3, 8, 3, |inner| {
        (of(path()), of(vec(inner, 0..3)), of(vec(path(), 0..3))).prop_map(|(id, groups, dependencies)| GroupUpdate {
            id,
            groups,
            dependencies,
            ..GroupUpdate::default()
        })
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn any_app(app in app()) {
        let text = serde_json::to_string(&app).unwrap();
        prop_assert_eq!(serde_json::from_str::<App>(&text).unwrap(), app.clone());
        let value = serde_json::to_value(&app).unwrap();
        prop_assert_eq!(serde_json::from_value::<App>(value).unwrap(), app);
    }

    #[test]
    fn any_group(group in group()) {
        let text = serde_json::to_string(&group).unwrap();
        prop_assert_eq!(serde_json::from_str::<GroupUpdate>(&text).unwrap(), group.clone());
        // What is asked for can be read as what is, and nothing is lost on the way.
        let seen: Group = serde_json::from_str(&text).unwrap();
        let back: GroupUpdate = serde_json::from_value(serde_json::to_value(&seen).unwrap()).unwrap();
        let named = |g: GroupUpdate| GroupUpdate { id: g.id.or(Some(String::new())), ..g };
        let top = |g: GroupUpdate| GroupUpdate { groups: None, ..named(g) };
        prop_assert_eq!(top(back), top(group));
    }
}
