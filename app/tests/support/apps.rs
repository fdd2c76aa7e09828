//! Made-up applications, deliveries, releases, logs and charts.

use super::NOW;
use padis_domain::action::{Action, AppState, Offer, allowed};
use padis_domain::app::{AppRef, EnvVar, HealthRule};
use padis_domain::delivery::{Finding, Note, Step, StepState, StepView};
use padis_domain::package::{PackageFacts, PackageKind};
use padis_domain::ports::PageSeen;
use padis_domain::problem::FieldChange;
use padis_domain::quantity::{Amount, Size};
use padis_domain::view::*;
use padis_domain::words::{Stage, Zone};

pub fn app_ref(team: &str, app: &str) -> AppRef {
    AppRef { team: team.into(), app: app.into() }
}

/// Team, name, title, state, well, wanted, pool.
const APPS: &[(&str, &str, &str, AppState, u32, u32, &str)] = &[
    ("motor", "claims-portal", "Claims portal", AppState::Online, 3, 3, "sf-prod"),
    ("motor", "photo-intake", "Photo intake", AppState::Delivering, 1, 2, "sf-prod"),
    ("agency", "desk", "Agency desk", AppState::Waiting, 0, 4, "sf-prod"),
    ("actuarial", "quote-engine", "Quote engine", AppState::Online, 2, 2, "sf-prod"),
    ("life", "policy-print", "Policy print", AppState::Degraded, 1, 2, "sf-prod"),
    ("agency", "partner-gateway", "Partner gateway", AppState::Failing, 0, 2, "dmz-prod"),
    ("motor", "garage-finder", "Garage finder", AppState::Stopped, 0, 2, "web-test"),
    ("life", "letters", "信函中心", AppState::Online, 2, 2, "web-prod"),
];

pub fn rows() -> Vec<AppRow> {
    let mut v: Vec<AppRow> = APPS
        .iter()
        .map(|(team, app, title, state, well, wanted, pool)| AppRow {
            app: app_ref(team, app),
            title: (*title).into(),
            team_title: team_title(team).into(),
            state: *state,
            well: *well,
            wanted: *wanted,
            pool: (*pool).into(),
            stage: if pool.ends_with("test") { Stage::Test } else { Stage::Prod },
            stack: if *app == "letters" { "nginx:1.22.1" } else { "tomcat:10.1" }.into(),
            size: Size { cpu_milli: 1000, mem_mib: 2048 },
            release: 13,
            url: format!("http://{app}.prod.padis.localhost:8000/"),
            changed_at: NOW - 12_000,
        })
        .collect();
    for i in 1..64 {
        let mut r = v[i % 8].clone();
        r.app.app = format!("{}-{i}", r.app.app);
        r.title = format!("{} {i}", r.title);
        r.state = AppState::Online;
        r.well = r.wanted;
        r.changed_at = NOW - 86_400_000 * i as i64;
        v.push(r);
    }
    v
}

pub fn team_title(slug: &str) -> &'static str {
    match slug {
        "motor" => "Motor claims",
        "life" => "Life policies",
        "agency" => "Agency",
        _ => "Actuarial",
    }
}

/// What a made-up instance answers: `<b>UP</b>`, whatever it is asked.
pub fn tried(rule: &HealthRule) -> Tried {
    let body = "<b>UP</b>".to_owned();
    let finding = if body.contains(&rule.expect) {
        Finding::Well { status: 200, ms: 12 }
    } else {
        Finding::WrongText { expect: rule.expect.clone(), got: body.clone() }
    };
    Tried {
        slot: 0,
        release: 13,
        address: "198.18.24.61:8080".into(),
        path: rule.path.clone(),
        expect: rule.expect.clone(),
        seen: PageSeen { finding, status: Some(200), ms: 12, location: None, body, more: false },
    }
}

pub fn package() -> PackageRow {
    PackageRow {
        sha256: "9f2c41d7a0b1c2d3e4f5061728394a5b6c7d8e9f00112233445566775be01a00".into(),
        team: "motor".into(),
        file_name: "claims-portal-4.18.0.war".into(),
        bytes: 61_200_000,
        facts: PackageFacts {
            kind: PackageKind::War,
            files: 1284,
            unpacked_bytes: 142_000_000,
            version: Some("4.18.0".into()),
            class_major: Some(61),
            built_with: vec!["Spring Boot 3.3.4".into(), "Hibernate 6.5".into()],
            health_path: Some("/actuator/health".into()),
            site_root: None,
            main_class: None,
            javax: false,
        },
        by: "Lin Wei".into(),
        at: NOW - 300_000,
        used_by: vec![(app_ref("motor", "claims-portal"), 13)],
    }
}

pub fn site() -> PackageRow {
    let mut p = package();
    p.sha256 = "1b2c41d7a0b1c2d3e4f5061728394a5b6c7d8e9f00112233445566775be01a11".into();
    p.file_name = "letters-web.zip".into();
    p.bytes = 2_310_000;
    p.facts = PackageFacts {
        kind: PackageKind::Zip,
        files: 212,
        unpacked_bytes: 6_400_000,
        version: None,
        class_major: None,
        built_with: vec![],
        health_path: None,
        site_root: Some("dist".into()),
        main_class: None,
        javax: false,
    };
    p.used_by = vec![];
    p
}

fn step(step: Step, from: i64, to: i64, note: Note) -> StepView {
    let began = NOW - 52_000;
    StepView {
        step,
        state: StepState::Done,
        began_at: Some(began + from),
        ended_at: Some(began + to),
        note: Some(note),
    }
}

pub fn delivery(app: &str) -> DeliveryView {
    let a = |n: &[&str]| Note::Addresses { addresses: n.iter().map(|s| (*s).to_owned()).collect() };
    let mut steps = vec![
        step(Step::Submitted, 0, 100, Note::By { name: "Lin Wei".into() }),
        step(Step::QuotaHeld, 100, 300, Note::Held { cpu_milli: 3000, mem_mib: 6144, addresses: 3 }),
        step(
            Step::Recorded,
            300,
            500,
            Note::Parts { release: 13, stack: "Tomcat 10.1".into(), package: "claims-portal-4.18.0.war".into() },
        ),
        step(Step::Asked, 500, 1100, Note::MarathonApp { id: "/motor/claims-portal/r13".into(), instances: 3 }),
        step(
            Step::Running,
            1100,
            11_900,
            Note::Hosts { hosts: vec!["sf-h07".into(), "sf-h11".into(), "sf-h14".into()] },
        ),
        step(Step::Allocated, 11_900, 12_200, a(&["198.18.24.61", "198.18.24.62", "198.18.24.63"])),
        step(
            Step::Attached,
            12_200,
            13_600,
            Note::Network { subnet: "198.18.24.0/24".into(), gateway: "198.18.24.1".into(), vlan: Some(1240) },
        ),
        step(Step::Healthy, 13_600, 35_400, Note::Answer { path: "/actuator/health".into(), expect: "OK".into() }),
        step(Step::Balanced, 35_400, 36_500, Note::Members { members: 3, backend: "motor_claims-portal".into() }),
        step(
            Step::Named,
            36_500,
            39_100,
            Note::Resolves { name: "claims-portal.prod.padis.localhost".into(), address: "198.18.20.15".into() },
        ),
        step(Step::Told, 36_500, 38_200, Note::Told { record: "CI-0048213".into() }),
        step(
            Step::Answered,
            39_100,
            40_600,
            Note::FirstAnswer { status: 200, ms: 84, url: "http://claims-portal/".into() },
        ),
        step(Step::PreviousLeft, 40_600, 52_000, Note::Previous { release: 12, leaving: 1 }),
    ];
    let mut d = DeliveryView {
        release: 13,
        state: DeliveryState::Online,
        by: "Lin Wei".into(),
        began_at: NOW - 52_000,
        answered_at: Some(NOW - 52_000 + 40_600),
        steps: vec![],
        earlier_ms: [38, 52, 44, 43, 71, 40, 45, 39, 0, 42, 47, 44].map(|s| (s > 0).then_some(s * 1000)).to_vec(),
        ask: vec![],
        now: NOW,
    };
    let last = steps.len() - 1;
    steps[last].state = StepState::Running;
    steps[last].ended_at = None;
    match app {
        "photo-intake" => {
            d.state = DeliveryState::Running;
            d.answered_at = None;
            d.release = 6;
            cut(&mut steps, 7, StepState::Running, Some(Note::Count { done: 1, of: 2 }));
        }
        "desk" => {
            d.state = DeliveryState::Waiting;
            d.answered_at = None;
            d.release = 4;
            cut(&mut steps, 4, StepState::Waiting, Some(no_host()));
        }
        "partner-gateway" => {
            d.state = DeliveryState::Failed;
            d.answered_at = None;
            d.release = 2;
            cut(
                &mut steps,
                7,
                StepState::Failed,
                Some(Note::Crashes {
                    times: 4,
                    message: "exit code 1".into(),
                    log: vec![
                        "14:02:58 INFO  Starting Gateway using Java 17".into(),
                        "14:03:01 ERROR Port 8443 is already in use".into(),
                    ],
                }),
            );
        }
        _ => {}
    }
    if matches!(d.state, DeliveryState::Waiting | DeliveryState::Failed) {
        d.ask = vec!["Zhao Min (zhao.min@example)".into()];
    }
    d.steps = steps;
    d
}

pub fn no_host() -> Note {
    Note::NoHost {
        pool: "sf-prod".into(),
        cpu_milli: 2000,
        mem_mib: 4096,
        hosts: 13,
        best_cpu_milli: 1500,
        best_mem_mib: 9000,
    }
}

fn cut(steps: &mut [StepView], at: usize, state: StepState, note: Option<Note>) {
    for (i, s) in steps.iter_mut().enumerate() {
        if i == at {
            s.state = state;
            s.ended_at = None;
            s.note = note.clone();
        } else if i > at {
            *s = StepView { step: s.step, state: StepState::Pending, began_at: None, ended_at: None, note: None };
        }
    }
    if let Some(last) = steps.last_mut().filter(|s| s.step == Step::PreviousLeft && s.state == StepState::Pending) {
        last.note = Some(Note::Previous { release: 5, leaving: 2 });
    }
}

fn instance(slot: u32, release: u32, state: InstanceState, ip: u8, cpu: u32, mem: u32) -> InstanceRow {
    InstanceRow {
        slot,
        release,
        state,
        finding: match state {
            InstanceState::Sick => Finding::WrongText { expect: "OK".into(), got: "DOWN".into() },
            InstanceState::Warming => Finding::Refused,
            _ => Finding::Well { status: 200, ms: 12 },
        },
        failures: u32::from(state == InstanceState::Sick) * 3,
        address: Some(format!("198.18.24.{ip}")),
        host: format!("sf-h{:02}", 3 + slot * 4),
        started_at: Some(NOW - 40_000 * i64::from(slot + 1)),
        cpu_milli: Some(cpu),
        mem_mib: Some(mem),
        sessions: (state == InstanceState::Leaving).then_some(14),
        task_id: format!("motor_claims-portal_r{release}.instance-{slot}._app.1"),
    }
}

pub fn view(app: &AppRef) -> Option<AppView> {
    let row = rows().into_iter().find(|r| r.app == *app)?;
    let d = delivery(&app.app);
    let well = InstanceState::Well;
    let mut instances = vec![
        instance(0, 13, well, 61, 310, 1147),
        instance(1, 13, well, 62, 280, 1116),
        instance(2, 13, well, 63, 860, 1126),
        instance(2, 12, InstanceState::Leaving, 58, 70, 1444),
    ];
    match row.state {
        AppState::Stopped => instances.clear(),
        AppState::Degraded => instances[1] = instance(1, 13, InstanceState::Sick, 62, 980, 2001),
        AppState::Delivering => instances[1] = instance(1, 13, InstanceState::Warming, 62, 500, 700),
        AppState::Waiting => instances.truncate(2),
        _ => {}
    }
    Some(AppView {
        app: app.clone(),
        title: row.title,
        team_title: row.team_title,
        state: row.state,
        revision: 17,
        pool: row.pool,
        stage: row.stage,
        zone: Zone::Sf,
        host_name: format!("{}.prod.padis.localhost", app.app),
        url: row.url,
        wanted: row.wanted,
        release: d.release,
        spec: SpecView {
            size: row.size,
            health: HealthRule { expect: "OK".into(), ..HealthRule::fresh("/actuator/health") },
            env: [
                ("DB_URL".to_owned(), EnvVar { secret: false, value: "jdbc:db2://db01/claims".into() }),
                ("DB_PASSWORD".to_owned(), EnvVar { secret: true, value: String::new() }),
            ]
            .into(),
            stack: "tomcat:10.1".into(),
            image: "127.0.0.1:5000/stacks/tomcat@sha256:77aa".into(),
        },
        package: package(),
        stack_title: ("Tomcat 10.1 · Java 17".into(), "Tomcat 10.1 · Java 17".into()),
        instances,
        waiting: (row.state == AppState::Waiting).then(no_host),
        delivery: Some(d),
        offers: Action::ALL.iter().map(|a| Offer { action: *a, refused: allowed(row.state, *a).err() }).collect(),
        quota: quota(),
        now: NOW,
    })
}

pub fn quota() -> QuotaView {
    QuotaView {
        quota: Amount { cpu_milli: 40_000, mem_mib: 131_072, instances: 60, addresses: 60 },
        used: Amount { cpu_milli: 26_000, mem_mib: 77_824, instances: 21, addresses: 21 },
        held: Amount { cpu_milli: 1000, mem_mib: 2048, instances: 1, addresses: 1 },
    }
}

pub fn releases() -> Vec<ReleaseRow> {
    let row = |release: u32, package: &str, by: &str, ago: i64, delivery, took: Option<u64>| ReleaseRow {
        release,
        at: NOW - ago,
        by: by.into(),
        stack: "Tomcat 10.1".into(),
        package: format!("claims-portal-{package}.war"),
        sha256: package_sha(release),
        size: Size { cpu_milli: 1000, mem_mib: 2048 },
        changes: vec![FieldChange {
            field: "package".into(),
            before: "claims-portal-4.17.2.war".into(),
            after: format!("claims-portal-{package}.war"),
        }],
        delivery,
        took_ms: took,
        active: release == 13,
        roll_back: if release == 13 { Err(padis_domain::action::Reason::NoEarlierRelease) } else { Ok(()) },
    };
    const DAY: i64 = 86_400_000;
    vec![
        row(13, "4.18.0", "Lin Wei", 52_000, DeliveryState::Online, Some(40_600)),
        row(12, "4.17.2", "Lin Wei", 9 * DAY, DeliveryState::Online, Some(44_100)),
        row(11, "4.17.1", "Chen Hao", 16 * DAY, DeliveryState::Online, Some(42_000)),
        row(10, "4.17.0", "Chen Hao", 16 * DAY + 2_600_000, DeliveryState::Failed, None),
        row(9, "4.16.4", "Lin Wei", 31 * DAY, DeliveryState::Online, Some(39_300)),
    ]
}

fn package_sha(n: u32) -> String {
    format!("{n:064x}")
}

pub fn timeline() -> Vec<TimelineItem> {
    let at = |ago: i64, event| TimelineItem { at: NOW - ago, event };
    vec![
        at(12_000, Event::Online { release: 13, took_ms: 40_600 }),
        at(20_000, Event::Well { slot: 0, release: 13, address: "198.18.24.61".into() }),
        at(
            41_000,
            Event::Started { slot: 0, release: 13, host: "sf-h07".into(), address: Some("198.18.24.61".into()) },
        ),
        at(
            52_000,
            Event::Did {
                by: "Lin Wei".into(),
                action: "release".into(),
                changes: vec![FieldChange { field: "package".into(), before: "4.17.2".into(), after: "4.18.0".into() }],
            },
        ),
        at(
            8_200_000,
            Event::Replaced {
                slot: 2,
                release: 12,
                finding: Finding::WrongText { expect: "OK".into(), got: "DOWN".into() },
                times: 3,
            },
        ),
        at(
            9_000_000,
            Event::Died {
                slot: Some(1),
                release: 12,
                state: "TASK_FAILED".into(),
                message: "exit code 137".into(),
                host: "sf-h11".into(),
            },
        ),
        at(9_100_000, Event::Left { slot: 1, release: 12, drained: true, host: None }),
        at(9_200_000, Event::Stuck { release: 12, step: Step::Running, note: no_host() }),
        at(9_300_000, Event::Released { kind: "address".into(), what: "198.18.24.58".into() }),
        at(9_400_000, Event::Gap { from: NOW - 9_500_000, to: NOW - 9_400_000, cause: None, found: None }),
    ]
}

pub fn claims() -> Vec<ClaimRow> {
    let row = |kind: &str, what: &str, slot, gone: bool| ClaimRow {
        kind: kind.into(),
        what: what.into(),
        release: Some(13),
        slot,
        since: NOW - 40_000,
        released_at: gone.then_some(NOW - 5_000),
    };
    vec![
        row("address", "198.18.24.61", Some(0), false),
        row("member", "motor_claims-portal/0", Some(0), false),
        row("name", "claims-portal.prod.padis.localhost", None, false),
        row("address", "198.18.24.58", Some(2), true),
    ]
}

pub fn log_sources() -> Vec<LogSource> {
    let s = |slot, release, alive| LogSource {
        task_id: format!("motor_claims-portal_r{release}.instance-{slot}._app.1"),
        slot: Some(slot),
        release,
        alive,
        written_at: Some(NOW - 1000),
        files: vec![("stdout".into(), Some(48_211)), ("access.log".into(), Some(9_100)), ("stderr".into(), None)],
    };
    vec![s(0, 13, true), s(1, 13, true), s(2, 13, true), s(2, 12, false)]
}

pub fn log(find: &str) -> LogPiece {
    let lines = [
        "14:03:31.204 INFO  GET /claims/20418/photos 200 41 ms",
        "14:03:31.377 INFO  GET /claims/20377 200 18 ms",
        "14:03:31.902 INFO  POST /claims/20419/estimate 201 126 ms",
        "14:03:32.011 WARN  HikariPool-1: connection took 412 ms to acquire (10 of 10 in use)",
        "14:03:32.118 INFO  GET /actuator/health from 198.18.24.2 200 2 ms OK",
        "14:03:33.005 ERROR PdfRenderer: font Noto Serif CJK not found, falling back",
        "14:03:33.190 INFO  PUT /claims/20402/state 200 35 ms",
        "14:03:33.871 INFO  GET /actuator/health from 198.18.24.2 200 2 ms OK",
    ];
    let mut at = 0;
    let lines = lines
        .iter()
        .map(|l| {
            at += l.len() as u64 + 1;
            (at, (*l).to_owned())
        })
        .filter(|(_, l)| l.to_lowercase().contains(&find.to_lowercase()))
        .collect();
    LogPiece { lines, next: at, length: 48_211, alive: true }
}

pub fn charts(minutes: u32) -> AppCharts {
    let n = 48;
    let step = i64::from(minutes) * 60_000 / n;
    let wave = |base: f64, amp: f64, phase: f64, limit: Option<f64>| Series {
        points: (0..=n)
            .map(|i| {
                let x = i as f64;
                (NOW - (n - i) * step, base + amp * ((x / 5.0 + phase).sin() + 0.4 * (x / 1.7).sin()))
            })
            .collect(),
        limit,
    };
    AppCharts {
        cpu: wave(1.1, 0.25, 0.0, Some(3.0)),
        mem: wave(3.3, 0.08, 1.0, Some(6.0)),
        requests: wave(150.0, 32.0, 2.0, None),
        failed: Series { points: (0..=n).map(|i| (NOW - (n - i) * step, 0.0)).collect(), limit: None },
        online: vec![(NOW - 12_000 - 20 * step, 13)],
    }
}
