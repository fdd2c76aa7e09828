//! Four figures. Each says what it leaves out; one that is not known is not shown as zero.

use crate::text::words::app_shape;
use crate::text::{Texts, clock, lowercase, texts, units};
use crate::ui::{Bars, Erase, bar_chart, mark, section};
use leptos::prelude::*;
use padis_domain::action::AppState;
use padis_domain::view::Overview;

/// The figures.
pub fn figures(d: &Overview) -> AnyView {
    let t = texts();
    let body = view! {
        <div class="figures">
            {online(t, d)}
            {deliveries(t, d)}
            {requests(t, d)}
            {healed(t, d)}
        </div>
    }
    .erase();
    section("fih", t.overview.going, "", body.into_any())
}

fn figure(title: &'static str, value: String, unit: String, text: String, chart: AnyView) -> AnyView {
    view! {
        <figure>
            <figcaption>
                <h3>{title}</h3>
                <p class="fig">{value}" "<small>{unit}</small></p>
                <p class="say">{text}</p>
            </figcaption>
            {chart}
        </figure>
    }
    .erase()
}

fn online(t: &'static Texts, d: &Overview) -> AnyView {
    let o = &t.overview;
    let up = |s: &AppState| matches!(s, AppState::Online);
    let n = d.apps.iter().filter(|(_, s)| up(s)).count();
    let mut rest: Vec<String> = Vec::new();
    for s in AppState::ALL.iter().filter(|s| !up(s)) {
        let k = d.apps.iter().filter(|(_, x)| x == s).count();
        if k > 0 {
            rest.push(format!("{k} {}", lowercase(t.app_state(*s))));
        }
    }
    // At most 126 squares: more would be dust; the list has them all.
    let mut apps: Vec<_> = d.apps.iter().collect();
    apps.sort_by_key(|(_, s)| !up(s));
    let skip = apps.len().saturating_sub(126);
    let squares = apps
        .into_iter()
        .skip(skip)
        .map(|(_, s)| if up(s) { mark(crate::ui::Shape::Used) } else { mark(app_shape(*s)) })
        .collect_view();
    let label = (o.squares)(n, d.apps.len() - n);
    let chart = view! {
        <div>
            <div class="squares" role="img" aria-label=label>{squares}</div>
            <p class="ax"><span>{o.each_square}</span></p>
        </div>
    }
    .erase();
    figure(o.online_now, n.to_string(), (o.of)(d.apps.len()), t.list(&rest), chart.into_any())
}

fn deliveries(t: &'static Texts, d: &Overview) -> AnyView {
    let o = &t.overview;
    let mut ms = d.delivery_ms.clone();
    ms.sort_unstable();
    let n = ms.len();
    let Some(mid) = ms.get(n / 2).copied() else {
        return figure(o.to_answer, "–".into(), String::new(), o.no_deliveries.into(), ().into_any());
    };
    let slow = ms.get(n * 9 / 10).copied().unwrap_or(mid);
    let mut text = (o.deliveries_7d)(&t.deliveries(n), d.deliveries_failed);
    if n >= 10 {
        text.push_str(&(o.one_in_ten)(&clock::stopwatch(slow as i64)));
    }
    const BINS: usize = 35;
    let top = ms.last().copied().unwrap_or(1).max(1);
    let mut bins = vec![0.0; BINS];
    for v in &ms {
        bins[((v * (BINS as u64 - 1)) / top) as usize] += 1.0;
    }
    let rows = bins
        .iter()
        .enumerate()
        .filter(|(_, n)| **n > 0.0)
        .map(|(i, n)| {
            let from = i as u64 * top / (BINS as u64 - 1);
            [clock::stopwatch(from as i64), units::fixed(*n, 0)]
        })
        .collect();
    let chart = bar_chart(Bars {
        label: (o.durations)(&t.deliveries(n)),
        values: bins,
        bad: vec![],
        axis: ["00:00".into(), String::new(), clock::stopwatch(top as i64)],
        table: ([o.duration.into(), o.deliveries_n.into()], rows),
        figures: t.shell.figures.into(),
    });
    figure(o.to_answer, clock::stopwatch(mid as i64), o.middle.into(), text, chart)
}

fn requests(t: &'static Texts, d: &Overview) -> AnyView {
    let o = &t.overview;
    let (all, bad) = d.requests.iter().fold((0, 0), |(a, b), (x, y)| (a + x, b + y));
    if all == 0 {
        return figure(o.answered_well, "–".into(), String::new(), o.no_requests.into(), ().into_any());
    }
    // Cut, not rounded: 99.9996 % must not read 100 %.
    let share = (((all - bad.min(all)) as f64 / all as f64) * 100_000.0).floor() / 1000.0;
    let half_hour = |i: usize| d.now - ((d.requests.len() - i) as i64) * 1_800_000;
    let rows = d
        .requests
        .iter()
        .enumerate()
        .filter(|(_, r)| r.1 > 0)
        .map(|(i, r)| [clock::short_time(half_hour(i)), units::count(r.1)])
        .collect();
    let chart = bar_chart(Bars {
        label: o.failed_half_hours.into(),
        values: d.requests.iter().map(|r| r.1 as f64).collect(),
        bad: d.requests.iter().map(|r| r.1 > 0).collect(),
        axis: [o.hours_ago_24.into(), String::new(), o.now.into()],
        table: ([t.shell.when.into(), o.failed.into()], rows),
        figures: t.shell.figures.into(),
    });
    figure(
        o.answered_well,
        units::fixed(share, 3),
        "%".into(),
        (o.failed_of)(&units::count(bad), &units::count(all)),
        chart,
    )
}

fn healed(t: &'static Texts, d: &Overview) -> AnyView {
    let o = &t.overview;
    let n: u32 = d.replaced_per_day.iter().sum();
    let days = d.replaced_per_day.len();
    let rows = d
        .replaced_per_day
        .iter()
        .enumerate()
        .map(|(i, v)| [clock::date(d.now - ((days - 1 - i) as i64) * 86_400_000), v.to_string()])
        .collect();
    let chart = bar_chart(Bars {
        label: o.replaced_days.into(),
        values: d.replaced_per_day.iter().map(|v| f64::from(*v)).collect(),
        bad: vec![],
        axis: [o.days_ago_14.into(), String::new(), o.today.into()],
        table: ([o.day.into(), o.instances.into()], rows),
        figures: t.shell.figures.into(),
    });
    figure(o.healed, n.to_string(), o.instances.into(), o.in_14_days.into(), chart)
}
