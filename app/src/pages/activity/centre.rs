//! The message centre: how Marathon's event stream is, what was missed, how much there
//! is to do, and looking again by hand.

use super::activity_tabs;
use crate::api::LookAgain;
use crate::pages::parts::{act, delegated};
use crate::pages::written::{Part, written_every};
use crate::shell::PageTitle;
use crate::text::texts;
use crate::ui::{Erase, head};
use leptos::prelude::*;
use std::time::Duration;

/// Figures change without anybody telling.
const EVERY: Duration = Duration::from_secs(2);

/// The page.
#[component]
pub fn Centre() -> AnyView {
    let t = texts();
    let look = act::<LookAgain>();
    view! {
        <PageTitle text=t.activity.centre/>
        {head(
            view! { <h1>{t.activity.centre}</h1> }.erase(),
            view! { <p class="lead">{t.activity.centre_lead}</p> }.erase(),
            ().into_any(),
        )}
        {activity_tabs(t, "/activity/centre")}
        {look.told.notice(&[], t.activity.look_done)}
        {delegated(look, written_every(t.activity.centre, Part::Centre, &["stream"], EVERY))}
    }
    .erase()
}

#[cfg(feature = "ssr")]
pub use server::write;
#[cfg(feature = "ssr")]
mod server {
    use crate::api::{LookAgain, app_path};
    use crate::pages::parts::operator_refused;
    use crate::text::centre::Centre;
    use crate::text::{Texts, clock, units};
    use crate::ui::{
        Button, ButtonSize, Erase, Icon, Shape, Table, col, col_num, empty, notice, section, section_with, state,
    };
    use leptos::prelude::*;
    use leptos::server_fn::ServerFn;
    use padis_domain::view::{GapRow, StreamReport, StreamState};
    use padis_domain::words::UnixMs;

    /// The whole body.
    pub fn write(t: &'static Texts, r: StreamReport) -> AnyView {
        let c = t.centre();
        let swept = r.sweep.map(|s| {
            let (apps, instances) = (t.applications(u64::from(s.apps)), t.instances(u64::from(s.instances)));
            let took = t.took(i64::try_from(s.took_ms).unwrap_or(i64::MAX));
            view! { {(c.swept)(&apps, &instances, &took)} " · " {t.when(s.at, r.now)} }.erase()
        });
        view! {
            {how(t, c, &r)}
            <div class="figures gap">{figures(t, c, &r)}</div>
            <div class="row gap">
                {look(t, "", c.look_all, ButtonSize::Small)}
                <span class="hint">{swept}</span>
            </div>
            {section("gaps", c.gaps, c.gaps_aside, gaps(t, c, &r))}
            {section("slow", c.slow, c.slow_aside, slow(t, c, &r))}
            {section_with("kinds", c.kinds, "", ().into_any(), kinds(c, &r))}
        }
        .erase()
    }

    /// A form that asks for a look at `key`, or at everything.
    fn look(t: &'static Texts, key: &str, label: &str, size: ButtonSize) -> AnyView {
        if let Some(refused) = operator_refused(t) {
            if key.is_empty() {
                return view! { <Button id="look-all" label=label size=size refused=Signal::stored(Some(refused))/> }
                    .erase();
            }
            return ().into_any();
        }
        let aria = if key.is_empty() { String::new() } else { format!("{label}: {key}") };
        let button = if key.is_empty() {
            view! { <Button id="look-all" label=label size=size glyph=Icon::Search/> }.erase()
        } else {
            view! { <Button label=label size=size aria=aria/> }.erase()
        };
        view! {
            <form method="post" action=LookAgain::PATH>
                <input type="hidden" name="key" value=key.to_owned()/>
                {button}
            </form>
        }
        .erase()
    }

    /// The stream's state as a line, and as a notice when it is not well.
    fn how(t: &'static Texts, c: &'static Centre, r: &StreamReport) -> AnyView {
        let lasting = |since: &UnixMs| view! { " " {c.since} " " {t.since(*since, r.now)} }.erase();
        let trouble = |words: &'static str, failures: u32, cause: Option<_>, detail: &str| {
            let why = cause.map(|c| t.stream_end(c)).unwrap_or_default();
            let tries = if failures > 0 { (c.tried)(failures) } else { String::new() };
            let parts = [why.to_owned(), tries, detail.to_owned()];
            let rest = parts.into_iter().filter(|p| !p.is_empty()).collect::<Vec<_>>().join(" · ");
            notice(Shape::Bad, words, rest, ().into_any())
        };
        match &r.state {
            StreamState::Connected { to, since } => {
                view! { <p class="gap">{state(Shape::Ok, (c.connected)(to))}{lasting(since)}</p> }.erase()
            }
            StreamState::Silent { to, since } => {
                let line = view! { <p class="gap">{state(Shape::Warn, (c.connected)(to))}</p> }.erase();
                view! { {line} {notice(Shape::Warn, c.silent, t.lasting(r.now - since), ().into_any())} }.erase()
            }
            StreamState::Connecting { failures, cause, detail, .. } if *failures > 0 => {
                trouble(c.connecting, *failures, *cause, detail)
            }
            StreamState::Connecting { since, .. } => {
                view! { <p class="gap">{state(Shape::Run, c.connecting)}{lasting(since)}</p> }.erase()
            }
            StreamState::Reconnecting { failures, cause, detail, .. } => {
                trouble(c.reconnecting, *failures, Some(*cause), detail)
            }
        }
    }

    fn figures(t: &'static Texts, c: &'static Centre, r: &StreamReport) -> AnyView {
        let one = |title: &'static str, value: AnyView, text: String| {
            view! { <figure><figcaption><h3>{title}</h3><p class="fig">{value}</p><p class="say">{text}</p></figcaption></figure> }
                .erase()
        };
        let heard = r.heard_at.map_or_else(|| c.never.into_any(), |at| t.when(at, r.now));
        let (lag, within) = match r.lag {
            None => (c.never.into_any(), c.lag_none.to_owned()),
            Some(l) => {
                let within = l.p99_minute_ms.map_or_else(|| c.lag_none.to_owned(), |p| (c.lag_text)(&ms(t, p)));
                (ms(t, l.last_ms).into_any(), within)
            }
        };
        let w = r.work;
        let queue = match w.oldest_due {
            Some(at) if w.due > 0 => (c.oldest)(&t.lasting(r.now - at)),
            _ => (c.queue_text)(&units::count(w.waiting), &units::count(w.in_work), &units::count(w.parked)),
        };
        view! {
            {one(c.heard, heard, c.heard_text.to_owned())}
            {one(c.lag, lag, within)}
            {one(c.events, units::count(r.events).into_any(), (c.minute)(&units::count(r.events_minute)))}
            {one(
                c.queue,
                view! { <a href="/activity/work">{units::count(w.due)} " " <small>{c.due}</small></a> }.erase(),
                queue,
            )}
        }
        .erase()
    }

    /// Milliseconds below a second, else seconds.
    fn ms(t: &'static Texts, ms: i64) -> String {
        if ms.abs() < 1000 { t.pick_with(|| format!("{ms} 毫秒"), || format!("{ms} ms")) } else { t.took(ms) }
    }

    fn gaps(t: &'static Texts, c: &'static Centre, r: &StreamReport) -> AnyView {
        if r.gaps.is_empty() {
            return empty(c.gaps_none, c.gaps_none_text, ().into_any());
        }
        let cols = view! {
            {col(c.when, "")}
            {col_num(c.lasted, "")}
            {col(c.why, "md")}
            {col(c.found, "")}
        }
        .erase();
        let rows = r.gaps.iter().map(|g| gap(t, c, g, r.now)).collect_view();
        view! { <Table label=c.gaps head=cols.into_any()>{rows}</Table> }.erase()
    }

    fn gap(t: &'static Texts, c: &'static Centre, g: &GapRow, now: UnixMs) -> AnyView {
        let to = g.to.map_or_else(|| c.still.to_owned(), clock::clock_time);
        let found = match (g.found, g.to) {
            (Some(f), _) if f.instances > 0 => state(Shape::Warn, t.gap_found(f)),
            (Some(f), _) => state(Shape::Ok, t.gap_found(f)),
            (None, Some(_)) => state(Shape::Run, c.looking),
            (None, None) => "—".into_any(),
        };
        let detail =
            (!g.detail.is_empty()).then(|| view! { <span class="tech techonly">{g.detail.clone()}</span> }.erase());
        view! {
            <tr>
                <th scope="row">
                    {clock::clock_time(g.from)}" – "{to}
                    <span class="tech">{t.when(g.from, now)}</span>
                </th>
                <td class="num">{t.lasting(g.to.unwrap_or(now) - g.from)}</td>
                <td class="md wrap">{t.stream_end(g.cause)}{detail}</td>
                <td class="wrap">{found}</td>
            </tr>
        }
        .erase()
    }

    fn slow(t: &'static Texts, c: &'static Centre, r: &StreamReport) -> AnyView {
        if r.slowest.is_empty() {
            return empty(c.slow_none, c.slow_none_text, ().into_any());
        }
        let cols = view! {
            {col(c.app, "")}
            {col_num(c.last, "")}
            {col_num(c.longest, "")}
            {col(c.when, "lo")}
            <th scope="col"><span class="vh">{t.shell.action}</span></th>
        }
        .erase();
        let long = |n: u64| ms(t, i64::try_from(n).unwrap_or(i64::MAX));
        let rows = r
            .slowest
            .iter()
            .map(|s| {
                view! {
                    <tr>
                        <th scope="row"><a href=app_path(&s.app)>{s.app.app.clone()}</a><span class="tech">{s.app.team.clone()}</span></th>
                        <td class="num">{long(s.last_ms)}</td>
                        <td class="num">{long(s.longest_ms)}</td>
                        <td class="lo">{t.when(s.longest_at, r.now)}</td>
                        <td class="num">{look(t, &s.app.to_string(), c.look, ButtonSize::Tiny)}</td>
                    </tr>
                }
                .erase()
            })
            .collect_view();
        view! { <Table label=c.slow head=cols.into_any()>{rows}</Table> }.erase()
    }

    fn kinds(c: &'static Centre, r: &StreamReport) -> AnyView {
        if r.kinds.is_empty() {
            return empty(c.kinds_none, c.kinds_none_text, ().into_any());
        }
        let cols = view! {
            {col(c.kind, "")}
            {col_num(c.all, "")}
            {col_num(c.last_minute, "")}
        }
        .erase();
        let rows = r
            .kinds
            .iter()
            .map(|k| {
                view! {
                    <tr>
                        <th scope="row"><code>{k.kind.clone()}</code></th>
                        <td class="num">{units::count(k.count)}</td>
                        <td class="num">{units::count(k.minute)}</td>
                    </tr>
                }
                .erase()
            })
            .collect_view();
        view! { <Table label=c.kinds head=cols.into_any()>{rows}</Table> }.erase()
    }
}
