//! Step 3: where and how big.

use super::draft::Draft;
use super::stack::problem;
use crate::text::{texts, units};
use crate::ui::{Erase, NumberField, Pick, SelectField, Shape, TextField, meter, notice};
use leptos::prelude::*;
use padis_domain::app::MAX_INSTANCES;
use padis_domain::quantity::{Amount, Size};
use padis_domain::view::{PoolRow, QuotaView};

/// What is left of a quota.
pub fn left(q: &QuotaView) -> Amount {
    q.quota.minus(q.used.plus(q.held))
}

/// What the team can still take in a pool: the quota, but not more than the pool has.
fn available(p: &PoolRow, q: &QuotaView) -> Amount {
    let (quota, pool) = (left(q), p.total.minus(p.used.plus(p.held)));
    Amount {
        cpu_milli: quota.cpu_milli.min(pool.cpu_milli),
        mem_mib: quota.mem_mib.min(pool.mem_mib),
        instances: quota.instances,
        addresses: quota.addresses.min(pool.addresses),
    }
}

/// The step.
pub fn step(d: Draft) -> AnyView {
    let t = texts();
    let n = &t.new_app;
    let (name_error, pool_error) = (d.error("name"), d.error("pool"));
    let done = Signal::derive(move || {
        name_error.with(Option::is_none)
            && pool_error.with(Option::is_none)
            && d.chosen_pool().is_some()
            && d.chosen_size().is_some()
            && d.count().is_some()
            && d.name.with(|n| padis_domain::name::check_name(n).is_ok())
    });
    let teams = d.options.with_untracked(|o| o.teams.clone());
    let team = view! {
        <SelectField
            id="team"
            label=n.team
            options=teams
            value=d.team.get_untracked()
            error=d.error("team")
            on_change=Callback::new(move |v| {
                d.team.set(v);
                d.choose_only_pool();
            })
        />
    }
    .erase();
    let body = view! {
        <div class="half-field">{team}</div>
        <fieldset class="pools gap" aria-describedby="pool-line">
            <legend class="vh">{t.shell.pools}</legend>
            {move || pools(d)}
        </fieldset>
        {problem("pool-line", d.error("pool"))}
        {sizes(d)}
        <div class="subgrid">
            <NumberField
                id="instances"
                label=n.instances
                value=d.instances.get_untracked()
                min=1
                max=i64::from(MAX_INSTANCES)
                hint=n.instances_hint
                error=d.error("instances")
                on_input=Callback::new(move |v| d.instances.set(v))
            />
            <TextField
                id="title"
                label=n.display_title
                note=t.shell.optional
                value=d.title.get_untracked()
                hint=n.title_hint
                error=d.error("title")
                on_input=Callback::new(move |v| d.title.set(v))
            />
            <div class="whole">{name(d)}</div>
        </div>
    }
    .erase();
    super::step(3, "s3", n.place, n.place_lead.to_owned(), done, body.into_any())
}

fn pools(d: Draft) -> AnyView {
    let t = texts();
    let team = d.team.get();
    let pools = d.options.with(|o| o.pools.clone());
    if pools.is_empty() {
        return notice(Shape::Warn, t.new_app.no_pools, "", ().into_any());
    }
    let (mine, others): (Vec<_>, Vec<_>) = pools.into_iter().partition(|p| p.quotas.contains_key(&team));
    let cards = mine.iter().filter_map(|p| Some(card(d, p, p.quotas.get(&team)?))).collect_view();
    let none = others
        .iter()
        .map(|p| {
            view! {
                <div class="pick poolc no">
                    <span>
                        <b class="quiet">{p.spec.name.clone()}</b>
                        " "
                        <span class="say">"· "{(t.new_app.no_quota_here)(&team)}</span>
                    </span>
                </div>
            }
            .erase()
        })
        .collect_view();
    view! { {cards} {none} }.erase()
}

fn figure(label: &'static str, value: String, of: String, part: f64) -> AnyView {
    view! {
        <span class="left">
            <span>{label}</span>
            <b>{value}" "<span class="unit">{of}</span></b>
            {meter(part, 1.0, label, true)}
        </span>
    }
    .erase()
}

fn card(d: Draft, p: &PoolRow, q: &QuotaView) -> AnyView {
    let t = texts();
    let n = &t.new_app;
    let a = available(p, q);
    let part = |x: u64, of: u64| if of == 0 { 0.0 } else { x as f64 / of as f64 };
    let name = p.spec.name.clone();
    let me = name.clone();
    let checked = d.pool.with_untracked(|x| *x == name);
    let gib = |m: u64| units::fixed(m as f64 / 1024.0, 1);
    let figures = view! {
        {figure(
            n.cpu_left,
            units::cores(a.cpu_milli),
            format!("/ {}", units::cores(q.quota.cpu_milli)),
            part(a.cpu_milli, q.quota.cpu_milli),
        )}
        {figure(
            n.mem_left,
            gib(a.mem_mib),
            format!("/ {} GiB", gib(q.quota.mem_mib)),
            part(a.mem_mib, q.quota.mem_mib),
        )}
        {figure(n.addr_left, (n.free_n)(a.addresses), String::new(), part(a.addresses, q.quota.addresses))}
    }
    .erase();
    let (stage, zone, title) = (t.stage(p.spec.stage), t.zone(p.spec.zone), name.clone());
    view! {
        <Pick
            name="pool"
            value=name
            checked=checked
            follow=Signal::derive(move || d.pool.with(|x| *x == me))
            class="poolc"
            on_pick=Callback::new(move |v| d.pool.set(v))
        >
            <span>
                <b>{title}</b>
                " "
                <span class="quiet">{stage}</span>
                <br/>
                <span class="say">{zone}</span>
            </span>
            {figures}
        </Pick>
    }
    .erase()
}

fn sizes(d: Draft) -> AnyView {
    let t = texts();
    let n = &t.new_app;
    let about = |letter: &str| match letter {
        "S" => n.size_s,
        "M" => n.size_m,
        _ => n.size_l,
    };
    let pick = move |value: &'static str, figures: String, say: &'static str, word: &'static str| {
        view! {
            <Pick
                name="size"
                value=value
                checked=d.size.with_untracked(|s| s == value)
                follow=Signal::derive(move || d.size.with(|s| s == value))
                class="size"
                on_pick=Callback::new(move |v| d.size.set(v))
            >
                <b>{word}</b>
                <span>{figures}</span>
                <span class="say">{say}</span>
            </Pick>
        }
        .erase()
    };
    let presets = Size::PRESETS.into_iter().map(|(l, s)| pick(l, t.size(s), about(l), l)).collect_view();
    let range = format!(
        "{}–{} CPU",
        units::cores(u64::from(Size::MIN.cpu_milli)),
        units::cores(u64::from(Size::MAX.cpu_milli))
    );
    view! {
        <div class="field gap">
            <span class="lab" id="size-label">{n.size_label}</span>
            <div class="grid4 sizes" role="radiogroup" aria-labelledby="size-label">
                {presets}
                {pick("exact", range, n.exact_hint, n.exact)}
            </div>
            <div class="subgrid exact">
                <TextField id="cpu" label=n.exact_cpu value=d.cpu.get_untracked() inputmode="decimal" hint=n.exact_cpu_hint error=d.error("cpu") on_input=Callback::new(move |v| d.cpu.set(v))/>
                <TextField id="mem" label=n.exact_mem value=d.mem.get_untracked() hint=n.exact_mem_hint error=d.error("mem") on_input=Callback::new(move |v| d.mem.set(v))/>
            </div>
        </div>
    }
    .erase()
}

fn name(d: Draft) -> AnyView {
    let n = &texts().new_app;
    let domain = Signal::derive(move || d.chosen_pool().map(|p| format!(".{}", p.spec.domain)));
    let fine = Signal::derive(move || {
        let host = d.chosen_pool().map(|p| p.spec.host_name(&d.name.get()));
        host.filter(|_| d.name_is_free()).map(|h| (n.name_free)(&h))
    });
    view! {
        <TextField
            id="name"
            label=n.name
            code=true
            value=d.name.get_untracked()
            follow=d.name
            autocomplete="off"
            hint=n.name_hint
            suffix=domain
            fine=fine
            error=d.error("name")
            on_input=Callback::new(move |v: String| {
                d.own_name.set(!v.is_empty());
                d.name.set(v);
            })
        />
    }
    .erase()
}
