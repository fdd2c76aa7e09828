//! What needs attention: one line each, with its cause and the way to it.

use crate::api::{app_path, pool_path};
use crate::text::{Texts, clock, texts, units};
use crate::ui::{ButtonSize, Erase, LinkButton, Shape, mark, notice};
use leptos::prelude::*;
use padis_domain::view::{Attention, AttentionKind, Overview};

/// The list, or that there is nothing.
pub fn attention(d: &Overview) -> AnyView {
    let t = texts();
    let o = &t.overview;
    if d.attention.is_empty() {
        return notice(Shape::Ok, o.all_well, o.all_well_text, ().into_any());
    }
    let items = d.attention.iter().map(|a| item(t, a, d.now)).collect_view();
    view! {
        <section aria-labelledby="ath">
            <div class="sec-h tight">
                <h2 id="ath">{o.attention}</h2>
                <span class="quiet">{d.attention.len()}</span>
            </div>
            <ol class="attn">{items}</ol>
        </section>
    }
    .erase()
}

struct Line {
    what: String,
    why: String,
    href: String,
    actions: Vec<(String, &'static str)>,
}

fn line(t: &Texts, a: &Attention, now: i64) -> Line {
    let o = &t.overview;
    let app = a.app.as_ref().map(|r| r.app.clone()).unwrap_or_default();
    let at_app = a.app.as_ref().map(app_path).unwrap_or_default();
    let at_pool = a.pool.as_deref().map(pool_path).unwrap_or_default();
    let logs = (format!("{at_app}/logs"), o.read_log);
    match &a.what {
        AttentionKind::Delivery { release, note } => {
            let mut actions = vec![(at_app.clone(), o.see_delivery)];
            if matches!(note, padis_domain::delivery::Note::NoHost { .. }) {
                actions.push((format!("{at_app}/settings"), o.smaller_size));
            }
            Line {
                what: (o.delivery_waits)(&app, *release, t.waits_for(note)),
                why: format!("{} {}", t.note(note, now), t.note_next(note)),
                href: at_app,
                actions,
            }
        }
        AttentionKind::Degraded { well, wanted, finding } => Line {
            what: (o.degraded)(&app, *well, *wanted),
            why: finding.as_ref().map(|f| t.finding(f)).unwrap_or_default(),
            href: at_app,
            actions: vec![logs],
        },
        AttentionKind::Replaced { times, finding } => Line {
            what: (o.replaced)(&app),
            why: [(o.replaced_times)(&t.times(*times)), finding.as_ref().map(|f| t.finding(f)).unwrap_or_default()]
                .join(t.pick("，", ": ")),
            href: format!("{at_app}/events"),
            actions: vec![logs],
        },
        AttentionKind::Writes { bytes, most } => Line {
            what: (o.writes)(&app),
            why: (o.writes_text)(&units::bytes(*bytes), &units::bytes(*most)),
            href: format!("{at_app}/instances"),
            actions: vec![logs],
        },
        AttentionKind::PoolShort { dimension, free, total } => Line {
            what: (o.pool_short)(a.pool.as_deref().unwrap_or_default(), t.dimension(*dimension)),
            why: (o.pool_left)(&t.amount(*dimension, *free), &t.amount(*dimension, *total)),
            href: at_pool.clone(),
            actions: vec![(at_pool, o.see_pool)],
        },
        AttentionKind::HostLost { host } => Line {
            what: (o.host_lost)(host),
            why: o.host_lost_text.to_owned(),
            href: at_pool.clone(),
            actions: vec![(at_pool, o.see_pool)],
        },
        AttentionKind::SystemDown { system } => Line {
            what: (o.system_down)(t.system(*system)),
            why: o.system_down_text.to_owned(),
            href: "/admin/systems".into(),
            actions: vec![("/admin/systems".into(), o.see_systems)],
        },
        AttentionKind::WorkParked { key, reason } => Line {
            what: (o.work_parked)(key),
            why: reason.clone(),
            href: "/activity/work".into(),
            actions: vec![("/activity/work".into(), o.see_work)],
        },
    }
}

fn item(t: &'static Texts, a: &Attention, now: i64) -> AnyView {
    let l = line(t, a, now);
    let since = (t.overview.since)(&clock::short_time(a.since));
    let about = match (&a.app, &a.pool) {
        (Some(r), _) => format!("{since} · {}", r.team),
        (None, Some(p)) => format!("{since} · {p}"),
        _ => since,
    };
    let actions = l
        .actions
        .into_iter()
        .filter(|(href, _)| href.starts_with('/'))
        .map(|(href, label)| view! { <LinkButton href=href label=label size=ButtonSize::Small/> }.erase())
        .collect_view();
    let what = if l.href.is_empty() {
        view! { <span>{l.what}</span> }.erase()
    } else {
        view! { <a href=l.href>{l.what}</a> }.erase()
    };
    view! {
        <li>
            {mark(if a.bad { Shape::Bad } else { Shape::Warn })}
            <div>
                <h3>
                    {what}
                    " "
                    <small><time datetime=clock::machine(a.since) title=clock::exact(a.since)>{about}</time></small>
                </h3>
                <p>{l.why}</p>
            </div>
            <div class="acts">{actions}</div>
        </li>
    }
    .erase()
}
