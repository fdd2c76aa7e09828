//! Charts: SVG drawn on the server, stretched without distorting the line; words
//! stand outside it, and the same figures stand in a table below.

use super::Erase;
use crate::text::units::fixed;
use leptos::prelude::*;
use std::fmt::Write as _;

/// A line with the area below it.
#[derive(Debug, Clone, Default)]
pub struct Line {
    /// What it shows.
    pub title: String,
    /// The present figure, with its limit and units.
    pub figure: String,
    /// One sentence for those who don't see it.
    pub label: String,
    /// `(x, y)`, x ascending.
    pub points: Vec<(f64, f64)>,
    /// A limit to draw.
    pub limit: Option<f64>,
    /// Moments to mark.
    pub marks: Vec<f64>,
    /// Words below: left, middle, right.
    pub axis: [String; 3],
    /// Heads and rows of the table with the same figures.
    pub table: ([String; 2], Vec<[String; 2]>),
    /// The summary that opens it.
    pub figures: String,
}

/// The view box; the same figures stand as text below, because no float is printed
/// in the browser: the printer would cost it 20 kB.
const W: f64 = 240.0;
const H: f64 = 64.0;

fn tenth(v: f64) -> String {
    fixed(v, 1)
}

/// A line chart.
pub fn line_chart(c: Line) -> AnyView {
    let top = c.points.iter().map(|p| p.1).chain(c.limit).fold(0.0_f64, f64::max).max(1e-9) * 1.15;
    let (x0, x1) = match (c.points.first(), c.points.last()) {
        (Some(a), Some(b)) if b.0 > a.0 => (a.0, b.0),
        (Some(a), _) => (a.0, a.0 + 1.0),
        _ => (0.0, 1.0),
    };
    let x = |v: f64| tenth((v - x0) / (x1 - x0) * W);
    let y = |v: f64| tenth(H - v / top * H);
    let mut d = String::with_capacity(c.points.len() * 10);
    for (i, p) in c.points.iter().enumerate() {
        let _ = write!(d, "{}{} {}", if i == 0 { 'M' } else { 'L' }, x(p.0), y(p.1));
    }
    let area = match (c.points.first(), c.points.last()) {
        (Some(a), Some(b)) => format!("{d}L{} 64L{} 64z", x(b.0), x(a.0)),
        _ => String::new(),
    };
    let marks: String = c.marks.iter().filter(|m| (x0..=x1).contains(*m)).fold(String::new(), |mut s, m| {
        let _ = write!(s, "M{} 0V64", x(*m));
        s
    });
    let limit = c.limit.map(|l| format!("M0 {}H240", y(l))).unwrap_or_default();
    view! {
        <figure class="chart">
            <figcaption><span>{c.title}</span><b>{c.figure}</b></figcaption>
            <svg viewBox="0 0 240 64" preserveAspectRatio="none" role="img" aria-label=c.label>
                <path class="area" d=area></path>
                <path class="base" d="M0 63.5H240"></path>
                <path class="mark" d=marks></path>
                <path class="line" d=d></path>
                <path class="limit" d=limit></path>
            </svg>
            {axis(c.axis)}
            {figures(c.figures, c.table)}
        </figure>
    }
    .erase()
}

/// Bars; those in `bad` take the colour of failure.
#[derive(Debug, Clone, Default)]
pub struct Bars {
    /// One sentence for those who don't see it.
    pub label: String,
    /// Heights in any unit.
    pub values: Vec<f64>,
    /// Which are bad.
    pub bad: Vec<bool>,
    /// Words below: left, middle, right.
    pub axis: [String; 3],
    /// Heads and rows of the table with the same figures.
    pub table: ([String; 2], Vec<[String; 2]>),
    /// The summary that opens it.
    pub figures: String,
}

/// A small bar chart without a caption.
pub fn bar_chart(c: Bars) -> AnyView {
    let n = c.values.len().max(1) as f64;
    let top = c.values.iter().copied().fold(0.0_f64, f64::max).max(1e-9);
    let step = W / n;
    let bars = c
        .values
        .iter()
        .enumerate()
        .map(|(i, v)| {
            // Nothing is drawn as one unit of height, so that the axis is seen to have been measured.
            let h = (v / top * 38.0).max(1.0);
            let bad = c.bad.get(i).copied().unwrap_or(false);
            view! {
                <rect
                    class=if bad { "bar b" } else { "bar" }
                    x=tenth(i as f64 * step + step * 0.1)
                    y=tenth(40.0 - h)
                    width=tenth(step * 0.8)
                    height=tenth(h)
                ></rect>
            }
            .erase()
        })
        .collect_view();
    view! {
        <div class="chart">
            <svg class="bars" viewBox="0 0 240 40" preserveAspectRatio="none" role="img" aria-label=c.label>
                <path class="base" d="M0 39.5H240"></path>
                {bars}
            </svg>
            {axis(c.axis)}
            {figures(c.figures, c.table)}
        </div>
    }
    .erase()
}

fn axis([a, b, c]: [String; 3]) -> AnyView {
    view! { <p class="ax"><span>{a}</span><span>{b}</span><span>{c}</span></p> }.erase()
}

fn figures(summary: String, (heads, rows): ([String; 2], Vec<[String; 2]>)) -> AnyView {
    let [a, b] = heads;
    let rows =
        rows.into_iter().map(|[a, b]| view! { <tr><td>{a}</td><td class="num">{b}</td></tr> }.erase()).collect_view();
    view! {
        <details class="figs">
            <summary>{summary}</summary>
            <table class="tbl">
                <thead><tr><th scope="col">{a}</th><th scope="col" class="num">{b}</th></tr></thead>
                <tbody>{rows}</tbody>
            </table>
        </details>
    }
    .erase()
}
