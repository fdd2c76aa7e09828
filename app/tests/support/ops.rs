//! Made-up pools, addresses, names, journal, people.

use super::NOW;
use super::apps::{app_ref, quota};
use padis_domain::address::{AddressState, parse_ip};
use padis_domain::package::PackageKind;
use padis_domain::pool::PoolSpec;
use padis_domain::ports::{Duty, Host, Member, MemberSeen, MemberState, Service, ServiceSeen};
use padis_domain::problem::{FieldChange, System};
use padis_domain::quantity::Amount;
use padis_domain::stack::{Contract, PackageForm};
use padis_domain::view::*;
use padis_domain::words::{PlatformRole, Stage, TeamRole, Zone};

pub fn stacks() -> Vec<StackView> {
    let s = |name: &str, en: &str, zh: &str, version: &str, kinds: &[PackageKind], health: &str| StackView {
        key: format!("{name}:{version}"),
        contract: Contract {
            name: name.into(),
            title_en: en.into(),
            title_zh: zh.into(),
            version: version.into(),
            kinds: kinds.to_vec(),
            form: PackageForm::File,
            package_path: "/package".into(),
            port: 8080,
            log_path: "/logs".into(),
            health_path: health.into(),
            uid: 1000,
            min_mem_mib: 256,
            start_s: 8,
        },
        image: format!("127.0.0.1:5000/stacks/{name}@sha256:77aa"),
        bytes: 148_000_000,
        created: "2026-11-20T08:00:00Z".into(),
        used_by: vec![app_ref("motor", "claims-portal")],
        mark: StackMark::default(),
    };
    vec![
        s("tomcat", "Tomcat 10.1 · Java 17", "Tomcat 10.1 · Java 17", "10.1", &[PackageKind::War], "/"),
        s("java", "Java 17", "Java 17", "17", &[PackageKind::Jar], "/health"),
        s(
            "nginx",
            "Web site · Nginx 1.22",
            "网站 · Nginx 1.22",
            "1.22.1",
            &[PackageKind::Zip, PackageKind::TarGz],
            "/",
        ),
    ]
}

pub fn pool_specs() -> Vec<PoolSpec> {
    let p = |name: &str, stage, zone, net: &str, gw: &str| PoolSpec {
        name: name.into(),
        stage,
        zone,
        hosts: [("zone".to_owned(), "SF".to_owned())].into(),
        subnet: net.parse().expect("a subnet"),
        gateway: gw.into(),
        vlan: Some(1240),
        domain: "prod.padis.localhost".into(),
        ttl_s: 5,
        quarantine_s: 300,
    };
    vec![
        p("sf-prod", Stage::Prod, Zone::Sf, "198.18.24.0/24", "198.18.24.1"),
        p("web-prod", Stage::Prod, Zone::Web, "198.18.25.0/24", "198.18.25.1"),
        p("dmz-prod", Stage::Prod, Zone::Dmz, "198.18.26.0/26", "198.18.26.1"),
        p("web-test", Stage::Test, Zone::Web, "198.18.27.0/24", "198.18.27.1"),
        p("large-test", Stage::Test, Zone::Db, "198.19.0.0/20", "198.19.0.1"),
    ]
}

pub fn pools() -> Vec<PoolRow> {
    let total = Amount { cpu_milli: 192_000, mem_mib: 524_288, instances: 0, addresses: 253 };
    pool_specs()
        .into_iter()
        .enumerate()
        .map(|(i, spec)| PoolRow {
            total,
            used: Amount {
                cpu_milli: 166_000 - 40_000 * i as u64,
                mem_mib: 400_000 - 90_000 * i as u64,
                instances: 81,
                addresses: 81,
            },
            held: Amount { cpu_milli: 9000, mem_mib: 20_000, instances: 4, addresses: 4 },
            hosts: 13,
            apps: 22,
            quotas: if i < 3 { [("motor".to_owned(), quota())].into() } else { [("life".to_owned(), quota())].into() },
            spec,
        })
        .collect()
}

/// One that is not heard, one being emptied, one empty, the others at work.
fn host_row(host: Host, n: u32) -> HostRow {
    let out =
        |reason: &str| Some(HostOut { out: true, reason: reason.into(), since: NOW - 90_000, by: "Li Na".into() });
    let (duty, out) = match n {
        4 => (Duty::Draining, out("new memory")),
        6 => (Duty::Drained, out("kernel update")),
        9 => (Duty::Silent, None),
        _ => (Duty::Working, None),
    };
    HostRow { duty: Some(duty), out, host }
}

pub fn pool(name: &str) -> Option<PoolView> {
    let row = pools().into_iter().find(|p| p.spec.name == name)?;
    let host = |n: u32, active: bool| Host {
        id: format!("a{n}"),
        name: format!("sf-h{n:02}"),
        attributes: [("zone".to_owned(), "SF".to_owned()), ("rack".to_owned(), format!("b{}", n % 3))].into(),
        active,
        cpu_milli: 16_000,
        cpu_used_milli: 9_000 + u64::from(n) * 500,
        mem_mib: 65_536,
        mem_used_mib: 40_000 + u64::from(n) * 900,
        tasks: 6 + n,
    };
    let others = pool_specs().into_iter().filter(|p| p.name != name);
    let neighbours = others
        .map(|o| Neighbour {
            hosts: if o.zone == Zone::Web { vec!["sf-h03".into(), "sf-h07".into()] } else { Vec::new() },
            overlaps: row.spec.subnet.overlaps(o.subnet),
            vlan: if o.zone == Zone::Db { None } else { o.vlan },
            stage: o.stage,
            zone: o.zone,
            subnet: o.subnet,
            pool: o.name,
        })
        .collect();
    Some(PoolView {
        neighbours,
        row,
        revision: 4,
        hosts: (1..=13).map(|n| host_row(host(n, n != 9), n)).collect(),
        teams: vec![
            ("motor".into(), "Motor claims".into(), 9),
            ("life".into(), "Life policies".into(), 7),
            ("agency".into(), "Agency".into(), 6),
        ],
        observed_at: Some(NOW - 2000),
        may_change: true,
    })
}

pub fn addresses(pool: &str) -> Option<AddressMap> {
    let spec = pool_specs().into_iter().find(|p| p.name == pool)?;
    let base = spec.subnet.base();
    let cell = |n: u32, state, app: Option<&str>, reason: &str| AddressCell {
        ip: base + n,
        state,
        app: app.map(|a| app_ref("motor", a)),
        slot: app.map(|_| n % 4),
        release: app.map(|_| 13),
        reason: reason.into(),
        since: NOW - 400_000,
        until: (state == AddressState::Quarantined).then_some(NOW + 200_000),
    };
    let mut cells = Vec::new();
    for n in 2..6 {
        cells.push(cell(n, AddressState::Reserved, None, "Core switches"));
    }
    for n in 10..72 {
        let state = if n % 17 == 0 { AddressState::Quarantined } else { AddressState::Allocated };
        if n % 5 != 0 {
            cells.push(cell(n, state, Some("claims-portal"), ""));
        }
    }
    if spec.subnet.count() > 256 {
        for n in 256..3300 {
            if n % 3 != 0 {
                cells.push(cell(n, AddressState::Allocated, (n % 2 == 0).then_some("claims-portal"), ""));
            }
        }
    }
    for n in 40..48 {
        if spec.subnet.count() > 64 {
            cells.push(cell(n + 100, AddressState::Reserved, None, "Old scanners, until March"));
        }
    }
    Some(AddressMap {
        spec,
        cells,
        may_change: true,
        pools: pool_specs().into_iter().map(|p| p.name).collect(),
        now: NOW,
    })
}

pub fn names() -> Vec<NameRow> {
    let row = |team: &str, app: &str, n: u8| NameRow {
        name: format!("{app}.prod.padis.localhost"),
        addresses: vec![format!("198.18.20.{n}")],
        ttl_s: 5,
        app: app_ref(team, app),
        pool: "sf-prod".into(),
        since: NOW - 9_000_000,
    };
    vec![row("motor", "claims-portal", 15), row("life", "letters", 15), row("agency", "desk", 16)]
}

pub fn services() -> Vec<(padis_domain::app::AppRef, ServiceSeen)> {
    let member = |n: u8, state, up, sessions, failed, check: &str| MemberSeen {
        member: Member { key: format!("s{n}"), ip: format!("198.18.24.{}", 60 + n), port: 8080, state },
        up,
        sessions,
        requests: 182_400 + u64::from(n),
        failed,
        check: check.into(),
    };
    let service = |team: &str, app: &str, members: Vec<MemberSeen>, rate| {
        let seen = ServiceSeen {
            service: Service {
                key: format!("{team}.{app}"),
                host: format!("{app}.prod.padis.localhost"),
                health_path: "/actuator/health".into(),
                expect: "OK".into(),
                interval_ms: 2000,
            },
            rate,
            requests: 547_203,
            failed: members.iter().map(|m| m.failed).sum(),
            members,
        };
        (app_ref(team, app), seen)
    };
    let (ready, drain) = (MemberState::Ready, MemberState::Drain);
    vec![
        service(
            "motor",
            "claims-portal",
            vec![
                member(1, ready, true, 4, 3, "L7OK/200 in 1ms"),
                member(2, ready, true, 5, 0, "L7OK/200 in 2ms"),
                member(3, ready, false, 0, 12, "L7STS/503 in 1ms"),
                member(4, drain, true, 14, 0, "L7OK/200 in 1ms"),
            ],
            41,
        ),
        service("life", "letters", vec![member(9, ready, true, 1, 0, "L7OK/200 in 1ms")], 3),
        service("agency", "desk", vec![], 0),
    ]
}

pub fn journal() -> Vec<JournalRow> {
    let row = |seq: i64, who: &str, what: &str, subject: &str| JournalRow {
        seq,
        at: NOW - (214 - seq) * 60_000,
        who: who.into(),
        what: what.into(),
        subject: subject.into(),
        team: Some("motor".into()),
        changes: vec![FieldChange { field: "instances".into(), before: "2".into(), after: "3".into() }],
        hash: "9f2c41d7a0b1c2d3".into(),
        intact: true,
    };
    vec![
        row(214, "lin.wei", "app.release", "app:motor/claims-portal"),
        row(213, "padis", "instance.replace", "app:motor/claims-portal"),
        row(212, "chen.hao", "app.scale", "app:motor/claims-portal"),
        row(211, "lin.wei", "quota.set", "pool:sf-prod"),
        row(210, "lin.wei", "address.reserve", "pool:sf-prod"),
        row(209, "lin.wei", "person.password", "person:chen.hao"),
    ]
}

pub fn work() -> Vec<WorkRow> {
    vec![
        WorkRow {
            key: "app:agency/desk".into(),
            state: "parked".into(),
            wanted: 9,
            done: 8,
            attempts: 5,
            due_at: NOW + 30_000,
            lease: None,
            outcome: "refused by the balancer: backend name too long".into(),
        },
        WorkRow {
            key: "app:life/policy-print".into(),
            state: "backing-off".into(),
            wanted: 12,
            done: 11,
            attempts: 2,
            due_at: NOW + 8_000,
            lease: None,
            outcome: "the balancer does not answer: connection refused".into(),
        },
        WorkRow {
            key: "app:motor/photo-intake".into(),
            state: "running".into(),
            wanted: 4,
            done: 3,
            attempts: 0,
            due_at: NOW,
            lease: Some("w1".into()),
            outcome: String::new(),
        },
        WorkRow {
            key: "app:motor/claims-portal".into(),
            state: "idle".into(),
            wanted: 40,
            done: 40,
            attempts: 0,
            due_at: NOW + 60_000,
            lease: None,
            outcome: "ok".into(),
        },
    ]
}

pub fn systems() -> Vec<SystemRow> {
    [System::Scheduler, System::Registry, System::Dns, System::Balancer, System::Directory]
        .into_iter()
        .map(|system| SystemRow {
            system,
            up: system != System::Directory,
            since: NOW - 86_400_000,
            at: "127.0.0.1".into(),
            detail: "answers".into(),
        })
        .collect()
}

pub fn teams() -> Vec<TeamView> {
    let motor = TeamView {
        slug: "motor".into(),
        title: "Motor claims".into(),
        people: vec![
            ("lin.wei".into(), "Lin Wei".into(), TeamRole::Lead, false),
            ("chen.hao".into(), "Chen Hao".into(), TeamRole::Member, true),
        ],
        groups: vec![("cn=motor,ou=groups,dc=padis,dc=example".into(), TeamRole::Member)],
        apps: 9,
    };
    let other = |slug: &str, title: &str, apps| TeamView {
        slug: slug.into(),
        title: title.into(),
        apps,
        people: vec![],
        groups: vec![(format!("cn={slug},ou=groups,dc=padis,dc=example"), TeamRole::Member)],
    };
    vec![motor, other("life", "Life policies", 7), other("agency", "Agency", 0)]
}

pub fn people() -> Vec<PersonRow> {
    vec![
        PersonRow {
            account: "lin.wei".into(),
            name: "Lin Wei".into(),
            built_in: true,
            enabled: true,
            platform: Some(PlatformRole::Operator),
            teams: [("motor".to_owned(), TeamRole::Lead)].into(),
            last_seen: Some(NOW - 5000),
        },
        PersonRow {
            account: "chen.hao".into(),
            name: "Chen Hao".into(),
            built_in: false,
            enabled: true,
            platform: None,
            teams: [("motor".to_owned(), TeamRole::Member)].into(),
            last_seen: None,
        },
    ]
}

pub fn sessions() -> Vec<SessionRow> {
    vec![
        SessionRow {
            id: "s1".into(),
            account: "lin.wei".into(),
            address: "127.0.0.1".into(),
            agent: "Chromium 156, Linux".into(),
            began_at: NOW - 3_600_000,
            seen_at: NOW - 1000,
            current: true,
        },
        SessionRow {
            id: "s2".into(),
            account: "lin.wei".into(),
            address: "198.18.30.7".into(),
            agent: "Firefox 140, Windows".into(),
            began_at: NOW - 90_000_000,
            seen_at: NOW - 80_000_000,
            current: false,
        },
    ]
}

pub fn ip(s: &str) -> u32 {
    parse_ip(s).expect("an address")
}

/// A stream that stands, with two gaps behind it.
pub fn stream() -> StreamReport {
    let gap = |ago: i64, for_ms: i64, cause, found| GapRow {
        from: NOW - ago,
        to: Some(NOW - ago + for_ms),
        cause,
        detail: "connection reset by peer".into(),
        found,
    };
    let count = |kind: &str, count, minute| EventCount { kind: kind.into(), count, minute };
    let slow = |app: &str, last_ms, longest_ms| SlowApp {
        app: app_ref("motor", app),
        last_ms,
        longest_ms,
        longest_at: NOW - 900_000,
    };
    StreamReport {
        state: StreamState::Connected { to: "http://marathon-1.bank:8080".into(), since: NOW - 4_000_000 },
        heard_at: Some(NOW - 1_200),
        event_at: Some(NOW - 3_400),
        lag: Some(StreamLag { last_ms: 4, p99_minute_ms: Some(32) }),
        events: 1_204_331,
        events_minute: 4_120,
        kinds: vec![count("status_update_event", 1_100_020, 4_000), count("deployment_step_success", 4_311, 120)],
        gaps: vec![
            gap(300_000, 8_000, StreamEnd::Broken, Some(GapFound { instances: 3, apps: 2, looked: 40, took_ms: 210 })),
            gap(90_000_000, 61_000, StreamEnd::Off, Some(GapFound { looked: 40, took_ms: 180, ..GapFound::default() })),
        ],
        sweep: Some(SweepRow { at: NOW - 9_000, took_ms: 212, apps: 40, instances: 131, changed: 0 }),
        work: WorkLoad { due: 2, waiting: 7, in_work: 1, parked: 1, oldest_due: Some(NOW - 40_000), at: NOW - 500 },
        slowest: vec![slow("claims", 210, 8_200), slow("quotes", 90, 1_900)],
        since: NOW - 86_000_000,
        now: NOW,
    }
}
