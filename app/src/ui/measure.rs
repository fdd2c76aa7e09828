//! Measures: solid is used, hatched is held, hollow is free.
//!
//! Bars are SVG with geometry in attributes, because a `style` attribute is
//! forbidden by the Content-Security-Policy. The hatch is one pattern, `#hatch`,
//! that the shell defines once.

use super::Erase;
use crate::text::units::fixed;
use leptos::prelude::*;

/// What a capacity bar shows; all in the same unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Capacity {
    /// In use.
    pub used: u64,
    /// Promised.
    pub held: u64,
    /// Everything.
    pub total: u64,
}

fn percent(part: u64, total: u64) -> f64 {
    if total == 0 { 0.0 } else { ((part as f64 / total as f64) * 1000.0).round() / 10.0 }
}

/// A bar of used, held and free; `label` says the same in words.
pub fn capacity(c: Capacity, label: impl Into<String>, thin: bool) -> AnyView {
    let label: String = label.into();
    let u = percent(c.used, c.total).min(100.0);
    let h = percent(c.held, c.total).min(100.0 - u);
    let [u, h] = [u, h].map(|p| format!("{}%", fixed(p, 1)));
    let class = if thin { "capbar thin" } else { "capbar" };
    view! {
        <svg class=class role="img" aria-label=label>
            <rect class="f" x="0" y="0" width="100%" height="100%" rx="2"></rect>
            <rect class="u" x="0" y="0" width=u.clone() height="100%" rx="2"></rect>
            <rect class="h" x=u y="0" width=h height="100%" rx="2"></rect>
        </svg>
    }
    .erase()
}

/// The legend of a capacity bar: words for used, held, free.
pub fn legend(used: impl Into<String>, held: impl Into<String>, free: impl Into<String>) -> AnyView {
    let (used, held, free): (String, String, String) = (used.into(), held.into(), free.into());
    view! {
        <p class="legend">
            <span><i class="key u"></i><span>{used}</span></span>
            <span><i class="key h"></i><span>{held}</span></span>
            <span><i class="key f"></i><span>{free}</span></span>
        </p>
    }
    .erase()
}

/// A small meter: blue below 80 %, amber to 95 %, red above, unless `calm`.
pub fn meter(value: f64, max: f64, label: impl Into<String>, calm: bool) -> AnyView {
    let label: String = label.into();
    let part = if max > 0.0 { (value / max).clamp(0.0, 1.0) } else { 0.0 };
    let part = fixed(part, 3);
    if calm {
        view! { <meter value=part min="0" max="1" aria-label=label></meter> }.erase()
    } else {
        view! { <meter value=part min="0" max="1" low="0.8" high="0.95" optimum="0" aria-label=label></meter> }.erase()
    }
}
