//! The delivery: a stopwatch, where the time went, and the rail of steps.

use super::header::keys;
use super::refused;
use crate::api::{Retry, app_path};
use crate::pages::parts::{Act, act_form};
use crate::text::words::{delivery_shape, step_shape};
use crate::text::{Texts, clock, texts, units};
use crate::ui::{
    Button, ButtonSize, Erase, Icon, LinkButton, Shape, Stop, Stopwatch, Ticker, Trace, mark, rail, state,
};
use leptos::prelude::*;
use padis_domain::action::Action;
use padis_domain::delivery::{Note, Step, StepState, StepView};
use padis_domain::view::{AppView, DeliveryState, DeliveryView};

/// The whole delivery.
pub fn delivery(v: &AppView, d: &DeliveryView, retry: Act<Retry>, once: &str) -> AnyView {
    let t = texts();
    view! {
        <section class="delivery" aria-labelledby="dlh">
            {watch(t, d)}
            {steps(t, v, d, retry, once)}
        </section>
    }
    .erase()
}

/// When it ended, or now while it goes on.
fn end(d: &DeliveryView) -> i64 {
    let last = d.steps.iter().filter_map(|s| s.ended_at).max();
    match d.state {
        DeliveryState::Online => d.answered_at.unwrap_or(d.now),
        DeliveryState::GivenUp => last.unwrap_or(d.began_at),
        DeliveryState::Running | DeliveryState::Waiting | DeliveryState::Failed => d.now,
    }
}

fn watch(t: &'static Texts, d: &DeliveryView) -> AnyView {
    let a = &t.app;
    let running = matches!(d.state, DeliveryState::Running | DeliveryState::Waiting | DeliveryState::Failed);
    let label = match d.state {
        DeliveryState::Online => a.online_after,
        DeliveryState::Failed => a.failed_after,
        DeliveryState::GivenUp => a.given_up_after,
        DeliveryState::Running | DeliveryState::Waiting => a.running_for,
    };
    let line = match d.answered_at {
        Some(at) => (a.first_answer_at)(&clock::clock_time(at)),
        None => (a.began_at)(&clock::clock_time(d.began_at), &d.by),
    };
    view! {
        <div class="watch">
            <div class="row apart">
                <h2 id="dlh">{(a.delivery_of)(d.release)}</h2>
                {state(delivery_shape(d.state), t.delivery_state(d.state))}
            </div>
            <p class="lab">{label}</p>
            <Stopwatch base_ms={end(d) - d.began_at} running=running/>
            <p class="second">{line}</p>
            {where_time(t, d)}
            {past(t, d)}
        </div>
    }
    .erase()
}

/// How the time divides between the application, the containers and Padis.
fn where_time(t: &'static Texts, d: &DeliveryView) -> AnyView {
    let Some(answered) = d.answered_at else { return ().into_any() };
    let lasted = |step: Step| {
        d.steps
            .iter()
            .find(|s| s.step == step)
            .and_then(|s| s.began_at.zip(s.ended_at))
            .map_or(0, |(a, b)| (b - a).max(0))
    };
    let total = (answered - d.began_at).max(1);
    let app = lasted(Step::Healthy).min(total);
    let container = lasted(Step::Running).min(total - app);
    let parts = [
        ("p1", t.app.part_app, app),
        ("p2", t.app.part_container, container),
        ("p3", t.app.part_padis, total - app - container),
    ];
    let mut x = 0.0;
    let mut bars = Vec::new();
    for (class, _, ms) in parts {
        let w = (ms as f64 / total as f64 * 1000.0).round() / 10.0;
        bars.push(view! { <rect class=class x=percent(x) width=percent(w) height="100%" rx="2"></rect> }.erase());
        x = ((x + w) * 10.0).round() / 10.0;
    }
    let words = parts.iter().map(|(_, w, ms)| format!("{w} {}", t.took(*ms))).collect::<Vec<_>>();
    let rows = parts
        .iter()
        .map(|(class, w, ms)| {
            view! {
                <dt><i class=*class></i></dt>
                <dd>{*w}</dd>
                <dd class="num">{t.took(*ms)}</dd>
            }
            .erase()
        })
        .collect_view();
    view! {
        <div class="where">
            <h3>{t.app.where_time}</h3>
            <svg class="capbar parts" role="img" aria-label=t.list(&words)>{bars}</svg>
            <dl>{rows}</dl>
        </div>
    }
    .erase()
}

fn percent(v: f64) -> String {
    format!("{}%", units::fixed(v, 1))
}

fn past(t: &'static Texts, d: &DeliveryView) -> AnyView {
    let mut ms: Vec<u64> = d.earlier_ms.iter().flatten().copied().collect();
    if ms.len() < 2 {
        return ().into_any();
    }
    ms.sort_unstable();
    let mid = clock::stopwatch(ms[ms.len() / 2] as i64);
    let failed = d.earlier_ms.len() - ms.len();
    let mine = d.answered_at.map(|at| (at - d.began_at).max(0) as u64);
    let top = ms.iter().copied().chain(mine).max().unwrap_or(1).max(1) as f64 * 1.1;
    let line = |ms: f64, class: &'static str, y: &'static str| {
        let x = percent(ms / top * 100.0);
        view! { <line class=class x1=x.clone() x2=x y1=y y2="28"></line> }.erase()
    };
    let lines = ms.iter().map(|v| line(*v as f64, "", "6")).collect_view();
    // A failed one has no duration: it stands at the end of the axis.
    let fails = (failed > 0).then(|| line(top, "fail", "0"));
    let me = mine.map(|v| line(v as f64, "me", "0"));
    let n = t.deliveries(d.earlier_ms.len());
    view! {
        <div class="past">
            <h3>{(t.app.last_deliveries)(&n)}</h3>
            <svg role="img" aria-label=(t.app.past_label)(&n, failed, &mid)>{lines} {fails} {me}</svg>
            <p class="ax">
                <span>"00:00"</span>
                <span>{(t.app.middle)(&mid)}</span>
                <span>{clock::stopwatch(top as i64)}</span>
            </p>
        </div>
    }
    .erase()
}

fn steps(t: &'static Texts, v: &AppView, d: &DeliveryView, retry: Act<Retry>, once: &str) -> AnyView {
    let at = |ms: i64| (ms - d.began_at) as f64 / 1000.0;
    let stops = d
        .steps
        .iter()
        .filter(|s| s.state != StepState::Skipped)
        .map(|s| Stop {
            shape: step_shape(s.state),
            name: t.step_of(s),
            state: t.step_state(s.state).to_owned(),
            evidence: evidence(t, s, d.now),
            took: took(t, s, d.now),
            trace: s.began_at.map(|b| Trace { from: at(b), to: at(s.ended_at.unwrap_or(d.now)) }),
            arrive: s.step == Step::Answered,
            open: opened(t, v, d, s, retry, once),
        })
        .collect();
    rail(stops, d.answered_at.map(at), t.app.took, t.pick("秒", "s"))
}

fn stuck(s: &StepView) -> bool {
    matches!(s.state, StepState::Failed | StepState::Waiting)
}

fn evidence(t: &'static Texts, s: &StepView, now: i64) -> AnyView {
    match &s.note {
        Some(n) if stuck(s) => t.waits_for(n).into_any(),
        Some(n @ (Note::MarathonApp { .. } | Note::Addresses { .. })) => {
            view! { <code>{t.note(n, now)}</code> }.erase()
        }
        Some(n) => t.note(n, now).into_any(),
        None => ().into_any(),
    }
}

fn took(t: &'static Texts, s: &StepView, now: i64) -> AnyView {
    match (s.began_at, s.ended_at) {
        (Some(b), Some(e)) => t.took(e - b).into_any(),
        (Some(b), None) => view! { <Ticker base_ms=now - b unit=t.pick("秒", "s")/> }.erase(),
        _ => ().into_any(),
    }
}

/// What opens in place under a step that failed or waits.
fn opened(
    t: &'static Texts,
    v: &AppView,
    d: &DeliveryView,
    s: &StepView,
    retry: Act<Retry>,
    once: &str,
) -> Option<AnyView> {
    let now = d.now;
    let note = s.note.as_ref().filter(|_| stuck(s))?;
    let shape = if s.state == StepState::Failed { Shape::Bad } else { Shape::Warn };
    let path = app_path(&v.app);
    let log = match note {
        Note::Crashes { log, .. } if !log.is_empty() => {
            let lines = log.join("\n");
            Some(
                view! {
                    <p class="hint">{t.app.log_end}</p>
                    <pre class="tail">{lines}</pre>
                }
                .erase(),
            )
        }
        _ => None,
    };
    let fix = match note {
        Note::Sick { .. } | Note::NoHost { .. } => Some((format!("{path}/settings"), t.app.change_settings)),
        Note::Crashes { .. } | Note::ImageGone { .. } => Some((format!("{path}/release"), t.app.new_release)),
        _ => None,
    };
    let read = matches!(note, Note::Sick { .. } | Note::Crashes { .. });
    // Once it was given up there is nothing left to try again.
    let again = (d.state != DeliveryState::GivenUp).then(|| {
        let id = format!("retry-{}", s.step);
        let fields = view! {
            {keys(v, once)}
            <Button
                id=id.clone()
                label=t.app.retry
                size=ButtonSize::Small
                glyph=Icon::Restart
                refused=Signal::stored(refused(v, Action::Retry))
            />
        }
        .erase();
        act_form(retry, format!("{id}-form"), "", fields.into_any())
    });
    let actions = view! {
        {again}
        {fix.map(|(href, label)| view! { <LinkButton href=href label=label size=ButtonSize::Small/> }.erase())}
        {read.then(|| view! { <LinkButton href=format!("{path}/logs") label=t.app.read_log size=ButtonSize::Small/> }.erase())}
    }.erase();
    Some(
        view! {
            <div class="note" data-s=shape.as_str() role="status">
                {mark(shape)}
                <div>
                    <p><b>{t.note(note, now)}</b></p>
                    <p>{t.note_next(note)}</p>
                    <p class="second">{t.note_ask(note, &v.pool, &d.by, &d.ask)}</p>
                    {log}
                    <div class="row gap-s">{actions}</div>
                </div>
            </div>
        }
        .erase(),
    )
}
