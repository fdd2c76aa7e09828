//! CPU, memory and requests as small charts with their limits.

use crate::shell::use_here;
use crate::text::{Texts, clock, texts, units};
use crate::ui::{Erase, Line, line_chart, section_with, seg_links};
use leptos::prelude::*;
use leptos_router::hooks::use_query_map;
use padis_domain::view::{AppCharts, Series};

/// The span that the address asks for, in minutes.
pub fn use_minutes() -> Memo<u32> {
    let query = use_query_map();
    Memo::new(move |_| match query.with(|q| q.get("span")).as_deref() {
        Some("day") => 1440,
        Some("month") => 43_200,
        _ => 60,
    })
}

/// The section.
pub fn charts(c: AppCharts, minutes: u32) -> AnyView {
    let t = texts();
    let a = &t.app;
    let url = use_here().get_untracked();
    let link = |value: &str, word: &str, m: u32| (url.with(&[("span", value)]), word.to_owned(), m == minutes);
    let spans = seg_links(
        a.span,
        vec![link("", a.span_hour, 60), link("day", a.span_day, 1440), link("month", a.span_month, 43_200)],
    );
    let marks: Vec<f64> = c.online.iter().map(|(at, _)| *at as f64).collect();
    let failed = c.failed.points.last().map_or(0.0, |p| p.1);
    let note = if marks.is_empty() { "" } else { a.dotted_online };
    let body = view! {
        <div class="charts">
            {chart(t, "CPU", "CPU", &c.cpu, &marks, minutes, |v| units::fixed(v, 2), "", |v| v)}
            {chart(t, a.memory, "GiB", &c.mem, &marks, minutes, |v| format!("{} GiB", units::fixed(v, 2)), "", |v| v)}
            {chart(t, a.requests, a.per_second, &c.requests, &marks, minutes, |v| units::fixed(v, 1), note, move |v| {
                (a.per_s)(&v, &units::fixed(failed, 1))
            })}
        </div>
    }
    .erase();
    section_with("chh", a.charts, a.all_together, spans, body.into_any())
}

#[expect(clippy::too_many_arguments, reason = "three calls, side by side, differ in exactly these")]
fn chart(
    t: &'static Texts,
    title: &str,
    unit: &str,
    s: &Series,
    marks: &[f64],
    minutes: u32,
    say: fn(f64) -> String,
    middle: &str,
    figure: impl Fn(String) -> String,
) -> AnyView {
    let a = &t.app;
    let stamp = |at: i64| if minutes > 1440 { clock::date(at) } else { clock::short_time(at) };
    let (lo, hi) = s.points.iter().fold((f64::MAX, 0.0_f64), |(lo, hi), p| (lo.min(p.1), hi.max(p.1)));
    let label = if s.points.is_empty() { a.not_measured.to_owned() } else { (a.between)(title, &say(lo), &say(hi)) };
    let now = s.points.last().map(|p| say(p.1));
    let value = match (now, s.limit) {
        (None, _) => a.not_measured.to_owned(),
        (Some(v), Some(l)) => (a.of_limit)(&v, &say(l)),
        (Some(v), None) => figure(v),
    };
    let middle = s.limit.map_or_else(|| middle.to_owned(), |l| (t.shell.limit)(&say(l)));
    // About ten points in the table: the shape stands in the picture, the table is for exact values.
    let step = (s.points.len() / 10).max(1);
    let rows = s.points.iter().step_by(step).map(|p| [stamp(p.0), say(p.1)]).collect();
    line_chart(Line {
        title: title.to_owned(),
        figure: value,
        label,
        points: s.points.iter().map(|p| (p.0 as f64, p.1)).collect(),
        limit: s.limit,
        marks: marks.to_vec(),
        axis: [
            s.points.first().map(|p| stamp(p.0)).unwrap_or_default(),
            middle,
            s.points.last().map(|p| stamp(p.0)).unwrap_or_default(),
        ],
        table: ([a.time.to_owned(), unit.to_owned()], rows),
        figures: t.shell.figures.to_owned(),
    })
}
