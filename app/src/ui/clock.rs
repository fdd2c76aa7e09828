//! The stopwatch: begins with the server's figure and goes on counting in the
//! browser from the moment the page came alive, so a wrong clock on the reader's
//! computer changes nothing.

use super::Erase;
use super::effect;
use leptos::prelude::*;
use std::time::Duration;

fn parts(ms: i64) -> (String, String) {
    let s = (ms.max(0)) / 1000;
    if s < 3600 {
        (format!("{:02}", s / 60), format!("{:02}", s % 60))
    } else {
        (format!("{}:{:02}", s / 3600, s % 3600 / 60), format!("{:02}", s % 60))
    }
}

/// Milliseconds that have passed, counted on every `every` while `running`;
/// starts at `base_ms` and never runs on the server.
fn counted(base_ms: i64, running: bool, every: Duration) -> ReadSignal<i64> {
    let (ms, set) = signal(base_ms);
    let handle = StoredValue::new(None::<IntervalHandle>);
    effect(move || {
        if !running || handle.get_value().is_some() {
            return;
        }
        let from = now_ms();
        let tick = move || {
            let _ = set.try_set(base_ms + (now_ms() - from));
        };
        handle.set_value(set_interval_with_handle(tick, every).ok());
    });
    on_cleanup(move || {
        if let Some(h) = handle.try_get_value().flatten() {
            h.clear();
        }
    });
    ms
}

fn now_ms() -> i64 {
    window().performance().map_or(0, |p| p.now() as i64)
}

/// The large clock.
#[component]
pub fn Stopwatch(
    /// Milliseconds at the moment of rendering.
    base_ms: i64,
    /// Whether it goes on.
    running: bool,
) -> AnyView {
    // One that stands is rounded like the figures in the text; one that runs shows whole seconds passed.
    let base_ms = if running { base_ms } else { base_ms + 500 };
    let ms = counted(base_ms, running, Duration::from_millis(200));
    let time = move || {
        let (m, s) = parts(ms.get());
        view! { {m}<i>":"</i>{s} }.erase()
    };
    view! {
        <p class="clock">
            <time role="timer" datetime=move || format!("PT{}S", ms.get().max(0) / 1000)>{move || time()}</time>
        </p>
    }
    .erase()
}

/// A small running number of seconds with one decimal and its unit.
#[component]
pub fn Ticker(
    /// Milliseconds at the moment of rendering.
    base_ms: i64,
    /// The unit, e.g. "s".
    unit: &'static str,
) -> AnyView {
    let ms = counted(base_ms, true, Duration::from_millis(100));
    view! {
        <span>
            {move || {
                let t = ms.get().max(0) / 100;
                format!("{}.{} {unit}", t / 10, t % 10)
            }}
        </span>
    }
    .erase()
}
