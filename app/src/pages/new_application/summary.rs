//! The summary beside the steps: what will be, what it takes of the quota, and
//! the button with the reason why it can't be pressed yet.

use super::draft::Draft;
use super::place::left;
use super::stack::title;
use super::upload::Upload;
use crate::text::{Texts, clock, texts, units};
use crate::ui::{Button, ButtonSize, Capacity, Erase, Icon, Shape, Tone, capacity, legend, state, why};
use leptos::prelude::*;
use padis_domain::quantity::{Amount, Dimension};
use padis_domain::view::QuotaView;

/// The summary.
pub fn summary(d: Draft) -> AnyView {
    let t = texts();
    let n = &t.new_app;
    let name = move || d.name.with(|x| if x.is_empty() { n.unnamed.to_owned() } else { x.clone() });
    let usual = d.options.with_untracked(|o| o.usual_ms).map(|ms| (n.usually)(&clock::stopwatch(ms as i64)));
    let refused = Signal::derive(move || if d.live.get() { missing(t, d) } else { None });
    view! {
        <aside class="sum" aria-labelledby="sumh">
            <div class="row apart">
                <h2 id="sumh">{name}</h2>
                {state(Shape::Wait, n.draft)}
            </div>
            <dl>{move || lines(t, d)}</dl>
            {move || budget(t, d)}
            <div class="go">
                <Button id="go" label=n.go tone=Tone::Primary size=ButtonSize::Wide refused=refused bare=true/>
                {move || refused.get().map(|r| why("go-why".to_owned(), Icon::Clock, r))}
                {usual.map(|u| view! { <small>{u}</small> }.erase())}
            </div>
        </aside>
    }
    .erase()
}

/// What is still needed before it can go online.
fn missing(t: &'static Texts, d: Draft) -> Option<String> {
    let n = &t.new_app;
    if d.options.with_untracked(|o| o.teams.is_empty()) {
        return Some(n.need_team.to_owned());
    }
    if let Upload::Sending { sent, total, .. } | Upload::Broken { sent, total, .. } = d.uploading.now() {
        return Some((n.need_upload)(&units::bytes(total.saturating_sub(sent))));
    }
    if d.package.with(String::is_empty) {
        return Some(n.need_package.to_owned());
    }
    if d.chosen_stack().is_none() {
        return Some(n.need_stack.to_owned());
    }
    if d.chosen_pool().is_none() {
        return Some(n.need_pool.to_owned());
    }
    if d.name.with(String::is_empty) {
        return Some(n.need_name.to_owned());
    }
    d.is_wrong().then(|| n.problems_title.to_owned())
}

fn line(term: &'static str, value: AnyView) -> AnyView {
    view! {
        <dt>{term}</dt>
        <dd>{value}</dd>
    }
    .erase()
}

fn lines(t: &'static Texts, d: Draft) -> AnyView {
    let n = &t.new_app;
    let open = || view! { <span class="quiet">{n.not_chosen}</span> }.erase();
    let stack = d.chosen_stack().map_or_else(open, |s| title(&s).into_any());
    let package = match d.uploading.now() {
        Upload::Sending { name, sent, total, .. } | Upload::Broken { name, sent, total, .. } => {
            let pct = sent * 100 / total.max(1);
            view! { {name}<br/>{state(Shape::Run, format!("{pct} %"))} }.erase()
        }
        Upload::Inspecting { name } => view! { {name}<br/>{state(Shape::Run, n.inspecting)} }.erase(),
        _ => d.chosen_package().map_or_else(open, |p| p.file_name.into_any()),
    };
    let pool = d.chosen_pool().map_or_else(open, |p| {
        view! { {p.spec.name}" "<span class="quiet">"· "{t.stage(p.spec.stage)}</span> }.erase()
    });
    let size = match (d.chosen_size(), d.count()) {
        (Some(s), Some(c)) => {
            let a = s.times(c);
            format!("{c} × {} = {} · {}", t.size_short(s), t.cpu(a.cpu_milli), units::mib(a.mem_mib)).into_any()
        }
        _ => open(),
    };
    let expect = d.health_expect.get();
    let says = if expect.is_empty() { n.any_answer.to_owned() } else { (n.contains)(&expect) };
    let well = view! { <code>{d.health_path.get()}</code><br/>{says} }.erase();
    let port = d.options.with_untracked(|o| o.balancer_port);
    let port = if port == 80 { String::new() } else { format!(":{port}") };
    let name = d.name.get();
    let domain = d
        .chosen_pool()
        .filter(|_| !name.is_empty())
        .map_or_else(open, |p| view! { <code>"http://"{p.spec.host_name(&name)}{port}"/"</code> }.erase());
    view! {
        {line(n.stack, stack)}
        {line(n.package, package)}
        {line(n.sum_pool, pool)}
        {line(n.sum_size, size)}
        {line(n.sum_well, well)}
        {line(n.sum_domain, domain)}
    }
    .erase()
}

fn budget(t: &'static Texts, d: Draft) -> AnyView {
    let n = &t.new_app;
    let team = d.team.get();
    let found = d.chosen_pool().and_then(|p| p.quotas.get(&team).map(|q| (p.spec.name.clone(), *q)));
    let (Some((pool, q)), Some(s), Some(c)) = (found, d.chosen_size(), d.count()) else { return ().into_any() };
    let want = s.times(c);
    let title = d.options.with_untracked(|o| o.teams.iter().find(|x| x.0 == team).map(|x| x.1.clone()));
    view! {
        <div class="budget">
            <h3>{(n.quota_of)(&title.unwrap_or(team), &pool)}</h3>
            {bar(t, Dimension::Cpu, &q, want)}
            {bar(t, Dimension::Memory, &q, want)}
            {bar(t, Dimension::Instances, &q, want)}
            {legend(t.shell.used, n.this_app, t.shell.left)}
        </div>
    }
    .erase()
}

fn of(a: Amount, d: Dimension) -> u64 {
    a.each().into_iter().find(|(x, _)| *x == d).map_or(0, |(_, n)| n)
}

fn bar(t: &'static Texts, dim: Dimension, q: &QuotaView, want: Amount) -> AnyView {
    let n = &t.new_app;
    let (total, rest, this) = (of(q.quota, dim), of(left(q), dim), of(want, dim));
    let used = total - rest.min(total);
    let short = |v: u64| match dim {
        Dimension::Cpu => units::cores(v),
        Dimension::Memory => units::mib(v),
        _ => v.to_string(),
    };
    let words = if this > rest {
        view! { <span class="st" data-s="bad">{(n.over)(&short(this - rest))}</span> }.erase()
    } else {
        view! { <span class="unit">{(n.after_this)(&short(rest - this), &short(total))}</span> }.erase()
    };
    let label = (n.quota_bar)(t.dimension(dim), &short(used), &short(this), &short(rest.saturating_sub(this)));
    view! {
        <div>
            <div class="l"><span>{t.dimension(dim)}</span>{words}</div>
            {capacity(Capacity { used, held: this, total }, label, true)}
        </div>
    }
    .erase()
}
