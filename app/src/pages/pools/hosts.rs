//! The hosts of a pool as they were last seen; taking one out of service and
//! putting it back.
//!
//! Which host's form is open stands in the address (`?host=agent`), as with quotas.

use crate::api::{PutHostBack, PutHostOut, pool_path, query};
use crate::pages::parts::{Act, act_form, hidden};
use crate::text::{Texts, texts, units};
use crate::ui::{
    Button, ButtonSize, Erase, LinkButton, Shape, Table, TextField, Tone, col, col_num, empty, meter, state,
};
use leptos::prelude::*;
use padis_domain::ports::Duty;
use padis_domain::view::{HostRow, PoolView};
use padis_domain::words::UnixMs;

/// What the section needs besides the pool.
#[derive(Clone)]
pub struct Hosts {
    /// The function that takes one out.
    pub out: Act<PutHostOut>,
    /// The function that puts one back.
    pub back: Act<PutHostBack>,
    /// The agent id whose form is open; empty for none.
    pub open: String,
    /// Now, by the server's clock.
    pub now: UnixMs,
}

/// The table of hosts, or what to do when there is none.
pub fn hosts(v: &PoolView, h: &Hosts) -> AnyView {
    let t = texts();
    let p = &t.pools;
    if v.hosts.is_empty() {
        let edit = v.may_change.then(|| {
            let href = format!("{}/edit", pool_path(&v.row.spec.name));
            view! { <LinkButton href=href label=p.edit/> }.erase()
        });
        return empty(p.no_host_title, p.no_host, edit.into_any());
    }
    let cols = view! {
        {col(p.host, "")}
        {col(t.shell.state, "")}
        {col(p.labels, "lo")}
        {col_num(p.cpu_used, "")}
        {col_num(p.mem_used, "lo")}
        {col_num(p.instances, "")}
        <th scope="col"><span class="vh">{t.shell.action}</span></th>
    }
    .erase();
    let rows = v
        .hosts
        .iter()
        .map(|r| {
            let form = (v.may_change && h.open == r.host.id && r.out.is_none()).then(|| form(t, v, r, h));
            view! { {row(t, v, r, h)} {form} }.erase()
        })
        .collect_view();
    let lost = |r: &&HostRow| !r.host.active && !matches!(r.duty, Some(Duty::Draining | Duty::Drained));
    let silent: Vec<&str> = v.hosts.iter().filter(lost).map(|r| r.host.name.as_str()).collect();
    let silent = (!silent.is_empty()).then(|| view! { <p class="hint gap">{(p.silent)(&t.list(&silent))}</p> }.erase());
    view! {
        <Table label=p.hosts head=cols.into_any()>{rows}</Table>
        {silent}
    }
    .erase()
}

/// MiB in GiB, one decimal: a host's memory is a large figure.
fn gib(mib: u64) -> String {
    units::fixed(mib as f64 / 1024.0, 1)
}

/// Whether it works, and for one that does not: who wanted it, when and why.
fn duty(t: &'static Texts, r: &HostRow, now: UnixMs) -> AnyView {
    let (p, heard) = (&t.pools, r.host.active);
    let wanted = r.out.as_ref().map(|o| o.out);
    let (shape, words) = match (r.duty, wanted) {
        (Some(Duty::Draining), Some(true) | None) => (Shape::Leave, (p.draining)(r.host.tasks)),
        (Some(Duty::Drained), Some(true) | None) => (Shape::Off, p.drained.to_owned()),
        (_, Some(false)) => (Shape::Run, p.returning.to_owned()),
        (Some(Duty::Silent), _) => (Shape::Bad, p.lost.to_owned()),
        (_, Some(true)) => (Shape::Run, p.leaving.to_owned()),
        (Some(_), None) => (Shape::Ok, p.heard.to_owned()),
        (None, None) if heard => (Shape::Ok, p.heard.to_owned()),
        (None, None) => (Shape::Bad, p.lost.to_owned()),
    };
    let why = match (&r.out, r.duty) {
        (Some(o), _) => {
            let reason = (!o.reason.is_empty()).then(|| view! { {o.reason.clone()} " · " }.erase());
            Some(view! { <span class="tech">{reason}{o.by.clone()} " · " {t.when(o.since, now)}</span> }.erase())
        }
        (None, Some(Duty::Draining | Duty::Drained)) => Some(view! { <span class="tech">{p.outside}</span> }.erase()),
        _ => None,
    };
    view! { {state(shape, words)}{why} }.erase()
}

fn row(t: &'static Texts, v: &PoolView, r: &HostRow, h: &Hosts) -> AnyView {
    let (p, x) = (&t.pools, &r.host);
    let chips = x
        .attributes
        .iter()
        .map(|(k, v)| view! { <span class="chip">{k.clone()} ":" {v.clone()}</span> }.erase())
        .collect_view();
    // What is out of service on purpose is known all the same.
    let known = x.active || matches!(r.duty, Some(Duty::Draining | Duty::Drained));
    let measure = |class: &'static str, used: u64, total: u64, label: &str, words: (String, String)| {
        let class = format!("num {class}");
        if known {
            let bar = meter(used as f64, total as f64, label, false);
            view! { <td class=class><div class="mv">{bar}<span>{words.0} <span class="unit">" / " {words.1}</span></span></div></td> }
                .erase()
        } else {
            view! { <td class=format!("{class} quiet")>{p.unknown}</td> }.erase()
        }
    };
    let tasks = if known { x.tasks.to_string() } else { "—".to_owned() };
    let change = (v.may_change && r.duty.is_some()).then(|| change(t, v, r, h));
    view! {
        <tr>
            <th scope="row">{x.name.clone()}<span class="tech techonly">{x.id.clone()}</span></th>
            <td class="wrap">{duty(t, r, h.now)}</td>
            <td class="lo"><span class="row tight">{chips}</span></td>
            {measure("", x.cpu_used_milli, x.cpu_milli, p.cpu_used, (units::cores(x.cpu_used_milli), units::cores(x.cpu_milli)))}
            {measure("lo", x.mem_used_mib, x.mem_mib, p.mem_used, (gib(x.mem_used_mib), format!("{} GiB", gib(x.mem_mib))))}
            <td class="num">{tasks}</td>
            <td class="num">{change}</td>
        </tr>
    }
    .erase()
}

fn change(t: &'static Texts, v: &PoolView, r: &HostRow, h: &Hosts) -> AnyView {
    let (p, pool) = (&t.pools, &v.row.spec.name);
    let is_out = match &r.out {
        Some(o) => o.out,
        None => matches!(r.duty, Some(Duty::Draining | Duty::Drained)),
    };
    if is_out {
        let body = view! {
            {hidden("host", r.host.id.clone())}
            {hidden("pool", pool.clone())}
            <Button label=p.put_back size=ButtonSize::Tiny aria=format!("{} {}", p.put_back, r.host.name)/>
        }
        .erase();
        return act_form(h.back, format!("back-{}", r.host.id), "", body.into_any());
    }
    let href = format!("{}?host={}#hosts", pool_path(pool), query::escape(&r.host.id));
    view! { <LinkButton href=href label=p.take_out size=ButtonSize::Tiny/> }.erase()
}

fn form(t: &'static Texts, v: &PoolView, r: &HostRow, h: &Hosts) -> AnyView {
    let (p, pool) = (&t.pools, &v.row.spec.name);
    let body = view! {
        {hidden("host", r.host.id.clone())}
        {hidden("pool", pool.clone())}
        <TextField
            id="host-reason" name="reason" label=p.take_out_why hint=p.take_out_hint autocomplete="off" required=true
            error=h.out.told.error("reason")
        />
        <div class="row">
            <Button id="host-out" label=p.take_out tone=Tone::Primary size=ButtonSize::Small/>
            <LinkButton href=pool_path(pool) label=t.shell.cancel tone=Tone::Quiet size=ButtonSize::Small/>
        </div>
    }
    .erase();
    view! {
        <tr class="sel">
            <td colspan="7" class="inrow">
                <h3>{(p.take_out_named)(&r.host.name)}</h3>
                <p class="second">{p.take_out_what}</p>
                {act_form(h.out, "host-form", "inform narrow", body.into_any())}
            </td>
        </tr>
    }
    .erase()
}
