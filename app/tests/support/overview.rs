//! A made-up overview.

use super::{NOW, apps, ops};
use padis_domain::app::AppRef;
use padis_domain::delivery::Step;
use padis_domain::quantity::Dimension;
use padis_domain::view::*;
use padis_domain::words::Stage;

pub fn overview(stage: Option<Stage>) -> Overview {
    let rows: Vec<_> = apps::rows().into_iter().filter(|r| stage.is_none_or(|s| r.stage == s)).collect();
    let delivery = |i: usize, step, state, took: Option<i64>, ago: i64| DeliveryRow {
        app: rows[i].app.clone(),
        title: rows[i].title.clone(),
        release: 13 - i as u32,
        by: "Lin Wei".into(),
        state,
        step,
        began_at: NOW - ago,
        ended_at: took.map(|t| NOW - ago + t),
    };
    Overview {
        attention: attention(),
        apps: rows.iter().map(|r| (r.app.clone(), r.state)).collect(),
        delivery_ms: (0..61).map(|i| 32_000 + (i * 7919) % 30_000 + if i % 11 == 0 { 50_000 } else { 0 }).collect(),
        deliveries_failed: 4,
        replaced_per_day: vec![2, 0, 1, 3, 0, 0, 1, 2, 1, 0, 4, 1, 0, 2],
        requests: (0..48)
            .map(|i| {
                (
                    48_000,
                    if i == 17 {
                        180
                    } else if i > 43 {
                        60
                    } else {
                        0
                    },
                )
            })
            .collect(),
        deliveries: vec![
            delivery(0, Step::Answered, DeliveryState::Online, Some(40_600), 52_000),
            delivery(1, Step::Healthy, DeliveryState::Running, None, 19_000),
            delivery(2, Step::Running, DeliveryState::Waiting, None, 253_000),
            delivery(3, Step::Answered, DeliveryState::Online, Some(52_000), 2_280_000),
            delivery(5, Step::Healthy, DeliveryState::Failed, Some(3_000), 10_800_000),
        ],
        pools: ops::pools(),
        now: NOW,
    }
}

fn attention() -> Vec<Attention> {
    use padis_domain::delivery::Finding;
    let a = |bad, what, ago: i64, app: Option<AppRef>, pool: Option<&str>| Attention {
        bad,
        what,
        since: NOW - ago,
        app,
        pool: pool.map(str::to_owned),
    };
    let down = Finding::WrongText { expect: "OK".into(), got: "DOWN".into() };
    vec![
        a(
            true,
            AttentionKind::Replaced { times: 9, finding: Some(down.clone()) },
            1_200_000,
            Some(apps::app_ref("life", "policy-print")),
            None,
        ),
        a(
            true,
            AttentionKind::Degraded { well: 1, wanted: 2, finding: Some(down) },
            600_000,
            Some(apps::app_ref("life", "policy-print")),
            None,
        ),
        a(
            false,
            AttentionKind::Delivery { release: 4, note: apps::no_host() },
            240_000,
            Some(apps::app_ref("agency", "desk")),
            Some("sf-prod"),
        ),
        a(
            false,
            AttentionKind::PoolShort { dimension: Dimension::Addresses, free: 6, total: 253 },
            3_600_000,
            None,
            Some("dmz-prod"),
        ),
        a(
            false,
            AttentionKind::Writes { bytes: 9_100_000_000, most: 10_737_418_240 },
            60_000,
            Some(apps::app_ref("motor", "letters-web")),
            Some("web-test"),
        ),
        a(false, AttentionKind::HostLost { host: "sf-h09".into() }, 372_000, None, Some("sf-prod")),
    ]
}
