//! The rail: each step with state, evidence, duration, and a trace on one time
//! axis; the moment of arrival runs as one line through all of them.

use super::Erase;
use super::Shape;
use crate::text::units::fixed;
use leptos::prelude::*;

/// When a step began and ended, in seconds from the start; `None` end: goes on.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Trace {
    /// Begin.
    pub from: f64,
    /// End, or now.
    pub to: f64,
}

/// A step.
#[derive(Debug)]
pub struct Stop {
    /// Shape of its node.
    pub shape: Shape,
    /// Its plain name.
    pub name: String,
    /// Its state, for those who don't see the node.
    pub state: String,
    /// Evidence.
    pub evidence: AnyView,
    /// Duration.
    pub took: AnyView,
    /// Where it lies on the axis.
    pub trace: Option<Trace>,
    /// The step of arrival.
    pub arrive: bool,
    /// What opens in place when it failed or waits.
    pub open: Option<AnyView>,
}

fn pct(v: f64, span: f64) -> String {
    percent((v / span).clamp(0.0, 1.0) * 100.0)
}

fn percent(v: f64) -> String {
    format!("{}%", fixed(v, 1))
}

/// The span of the axis in seconds: the next round number, so that six ticks are round too.
fn round_span(s: f64) -> f64 {
    const SPANS: [f64; 14] =
        [0.6, 1.2, 3.0, 6.0, 12.0, 18.0, 30.0, 60.0, 120.0, 300.0, 600.0, 1800.0, 3600.0, 21_600.0];
    SPANS.into_iter().find(|n| *n >= s).unwrap_or_else(|| (s / 21_600.0).ceil() * 21_600.0)
}

/// The rail. `on` is the moment of arrival in seconds; `took_head` heads the durations.
pub fn rail(stops: Vec<Stop>, on: Option<f64>, took_head: impl Into<String>, unit: &'static str) -> AnyView {
    let took_head: String = took_head.into();
    let end = stops.iter().filter_map(|s| s.trace).map(|t| t.to).fold(0.0_f64, f64::max);
    let span = round_span(end * 1.02);
    let ticks = (0..=6)
        .map(|i| {
            let v = fixed(span * f64::from(i) / 6.0, 1);
            // The unit stands at the zero, where there is room: two labels at the end would touch.
            view! { <span>{if i == 0 { format!("{v} {unit}") } else { v }}</span> }.erase()
        })
        .collect_view();
    let stops = stops.into_iter().map(|s| stop(s, span, on)).collect_view();
    view! {
        <div class="rail">
            <div class="scale" aria-hidden="true">
                <span class="d">{took_head}</span>
                <span class="ticks">{ticks}</span>
            </div>
            <ol>{stops}</ol>
        </div>
    }
    .erase()
}

fn stop(s: Stop, span: f64, on: Option<f64>) -> AnyView {
    let class = match (s.arrive && s.shape == Shape::Ok, s.open.is_some()) {
        (true, _) => "stop arrive",
        (_, true) => "stop failed",
        _ => "stop",
    };
    let bar = s.trace.map(|t| {
        let width = ((t.to - t.from) / span * 100.0).max(0.6);
        view! {
            <rect class="bar" x=pct(t.from, span) width=percent(width) y="0" height="8" rx="2"></rect>
        }
        .erase()
    });
    let grid = (0..=6)
        .map(|i| {
            let x = percent(f64::from(i) * 100.0 / 6.0);
            view! { <line class="grid" x1=x.clone() x2=x y1="0" y2="100%"></line> }.erase()
        })
        .collect_view();
    let on = on.map(|v| {
        let x = pct(v, span);
        view! { <line class="on" x1=x.clone() x2=x y1="0" y2="100%"></line> }.erase()
    });
    let open = s.open.map(|o| view! { <div class="open">{o}</div> }.erase());
    view! {
        <li class=class data-s=s.shape.as_str()>
            <span class="node"></span>
            <span class="name"><span>{s.name}</span><span class="vh">{s.state}</span></span>
            <span class="ev">{s.evidence}</span>
            <span class="dur">{s.took}</span>
            <svg class="trace" aria-hidden="true">
                {grid}
                <svg class="mid" y="50%" overflow="visible"><g transform="translate(0 -4)">{bar}</g></svg>
                {on}
            </svg>
            {open}
        </li>
    }
    .erase()
}
