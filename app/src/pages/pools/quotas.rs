//! Teams and their quotas in a pool, changed in place.
//!
//! Which row is open stands in the address (`?quota=team`), so changing works
//! without scripts and the link can be sent to whoever may press the button.

use super::capacity::free_words;
use crate::api::form::QuotaForm;
use crate::api::{self, PutQuota};
use crate::pages::parts::{Act, act_form, hidden, operator_refused};
use crate::shell::use_here;
use crate::text::{Texts, texts, units};
use crate::ui::{
    Button, ButtonSize, Capacity, Erase, LinkButton, SelectField, Table, TextField, Tone, capacity, col, col_num, empty,
};
use leptos::prelude::*;
use padis_domain::quantity::Dimension;
use padis_domain::view::{PoolView, QuotaView};

/// The fields of the form, whose faults stand beside them.
pub const FIELDS: &[&str] = &["team", "cpu", "mem", "instances", "addresses"];

/// What the section needs besides the pool.
#[derive(Clone)]
pub struct Quotas {
    /// The form's function.
    pub act: Act<PutQuota>,
    /// The team whose row is open, `+` for a new one, empty for none.
    pub open: String,
    /// What was typed when the form came back.
    pub kept: Option<QuotaForm>,
    /// All teams: slug and title.
    pub teams: Vec<(String, String)>,
}

/// The section's content.
pub fn quotas(v: &PoolView, q: Quotas) -> AnyView {
    let t = texts();
    let p = &t.pools;
    let quota_of = |slug: &str| v.row.quotas.get(slug).copied();
    let given: Vec<(String, String, u32, QuotaView)> = v
        .teams
        .iter()
        .filter_map(|(slug, title, apps)| quota_of(slug).map(|q| (slug.clone(), title.clone(), *apps, q)))
        .collect();
    let free: Vec<(String, String)> = q.teams.iter().filter(|(s, _)| quota_of(s).is_none()).cloned().collect();
    let add = add(t, v, &q, free);
    if given.is_empty() {
        return view! {
            {empty(p.quota_none_title, p.quota_none, ().into_any())}
            {add}
        }
        .erase();
    }
    let cols = view! {
        {col(t.shell.team, "")}
        {col_num(p.apps, "lo")}
        {col("CPU", "lo")}
        {col_num("CPU", "")}
        {col_num(p.memory, "")}
        {col_num(p.instances, "md")}
        {col_num(p.addresses, "lo")}
        <th scope="col"><span class="vh">{t.shell.action}</span></th>
    }
    .erase();
    let rows = given
        .into_iter()
        .map(|(slug, title, apps, quota)| {
            let open = v.may_change && q.open == slug;
            let form = open.then(|| form_row(t, v, &q, &slug, &title, quota));
            view! {
                {row(t, v, &slug, &title, apps, quota)}
                {form}
            }
            .erase()
        })
        .collect_view();
    view! {
        <Table label=p.quotas head=cols.into_any()>{rows}</Table>
        {add}
    }
    .erase()
}

fn of(used: String, total: String) -> AnyView {
    view! { {used} <span class="unit">" / " {total}</span> }.erase()
}

fn row(t: &'static Texts, v: &PoolView, slug: &str, title: &str, apps: u32, q: QuotaView) -> AnyView {
    let taken = q.used.plus(q.held);
    let left = q.quota.minus(taken);
    let bar = capacity(
        Capacity { used: q.used.cpu_milli, held: q.held.cpu_milli, total: q.quota.cpu_milli },
        free_words(t, Dimension::Cpu, left.cpu_milli, q.quota.cpu_milli),
        true,
    );
    let edit = v.may_change.then(|| {
        let href = format!("{}?quota={}#quotas", api::pool_path(&v.row.spec.name), api::query::escape(slug));
        view! { <LinkButton href=href label=t.shell.edit size=ButtonSize::Tiny/> }.erase()
    });
    view! {
        <tr>
            <th scope="row">{title.to_owned()}<span class="tech techonly">{slug.to_owned()}</span></th>
            <td class="num lo">{apps}</td>
            <td class="lo wide">{bar}</td>
            <td class="num">{of(units::cores(taken.cpu_milli), units::cores(q.quota.cpu_milli))}</td>
            <td class="num">{of(units::mib(taken.mem_mib), units::mib(q.quota.mem_mib))}</td>
            <td class="num md">{of(taken.instances.to_string(), q.quota.instances.to_string())}</td>
            <td class="num lo">{of(taken.addresses.to_string(), q.quota.addresses.to_string())}</td>
            <td class="num">{edit}</td>
        </tr>
    }
    .erase()
}

/// The quota as the form's texts.
fn fresh(pool: &str, team: &str, q: QuotaView) -> QuotaForm {
    QuotaForm {
        pool: pool.to_owned(),
        team: team.to_owned(),
        cpu: units::fixed(q.quota.cpu_milli as f64 / 1000.0, 3),
        mem: units::mib(q.quota.mem_mib),
        instances: q.quota.instances.to_string(),
        addresses: q.quota.addresses.to_string(),
    }
}

/// The four fields; what is used already stands below each as the hint.
fn fields(t: &'static Texts, q: &Quotas, f: &QuotaForm, used: Option<QuotaView>) -> AnyView {
    let (p, told) = (&t.pools, q.act.told);
    let used = used.map(|q| q.used.plus(q.held));
    let hint = |d: Dimension, n: Option<u64>, otherwise: &str| {
        n.filter(|n| *n > 0).map_or_else(|| otherwise.to_owned(), |n| (p.used_word)(&t.amount(d, n)))
    };
    view! {
        <TextField
            id="q-cpu" name="cpu" label="CPU" value=f.cpu.clone() inputmode="decimal" autocomplete="off"
            hint=hint(Dimension::Cpu, used.map(|u| u.cpu_milli), p.cpu_hint) error=told.error("cpu")
        />
        <TextField
            id="q-mem" name="mem" label=p.memory value=f.mem.clone() autocomplete="off"
            hint=hint(Dimension::Memory, used.map(|u| u.mem_mib), p.mem_hint) error=told.error("mem")
        />
        <TextField
            id="q-instances" name="instances" label=p.instances value=f.instances.clone() inputmode="numeric" autocomplete="off"
            hint=hint(Dimension::Instances, used.map(|u| u.instances), "") error=told.error("instances")
        />
        <TextField
            id="q-addresses" name="addresses" label=p.addresses value=f.addresses.clone() inputmode="numeric" autocomplete="off"
            hint=hint(Dimension::Addresses, used.map(|u| u.addresses), "") error=told.error("addresses")
        />
    }
    .erase()
}

fn form_row(t: &'static Texts, v: &PoolView, q: &Quotas, slug: &str, title: &str, quota: QuotaView) -> AnyView {
    let pool = &v.row.spec.name;
    let kept = q.kept.clone().filter(|k| k.team == slug);
    let f = kept.unwrap_or_else(|| fresh(pool, slug, quota));
    let body = view! {
        {hidden("pool", pool.clone())}
        {hidden("team", slug)}
        <div class="four">{fields(t, q, &f, Some(quota))}</div>
        <div class="row">
            <Button label=t.shell.save tone=Tone::Primary size=ButtonSize::Small/>
            <LinkButton href=api::pool_path(pool) label=t.shell.cancel tone=Tone::Quiet size=ButtonSize::Small/>
            <span class="hint">{t.pools.quota_take}</span>
        </div>
    }
    .erase();
    view! {
        <tr class="sel">
            <td colspan="8" class="inrow">
                <h3>{(t.pools.quota_of)(title)}</h3>
                {act_form(q.act, "quota-form", "inform", body.into_any())}
            </td>
        </tr>
    }
    .erase()
}

/// The form for a team that has no quota yet, or the button that opens it.
fn add(t: &'static Texts, v: &PoolView, q: &Quotas, teams: Vec<(String, String)>) -> AnyView {
    let (p, pool) = (&t.pools, &v.row.spec.name);
    let here = use_here();
    if !v.may_change {
        return ().into_any();
    }
    if teams.is_empty() {
        return view! { <p class="hint gap">{p.quota_every}</p> }.erase();
    }
    if q.open != "+" {
        let href = here.get_untracked().with(&[("quota", "+"), ("done", "")]) + "#quotas";
        return view! {
            <p class="gap"><LinkButton id="quota-add" href=href label=p.quota_new refused=operator_refused(t)/></p>
        }
        .erase();
    }
    let kept = q.kept.clone().filter(|k| teams.iter().any(|(s, _)| *s == k.team));
    let f = kept.unwrap_or_default();
    let body = view! {
        {hidden("pool", pool.clone())}
        <div class="five">
            <SelectField id="q-team" name="team" label=t.shell.team options=teams value=f.team.clone() error=q.act.told.error("team")/>
            {fields(t, q, &f, None)}
        </div>
        <div class="row">
            <Button label=t.shell.save tone=Tone::Primary size=ButtonSize::Small/>
            <LinkButton href=api::pool_path(pool) label=t.shell.cancel tone=Tone::Quiet size=ButtonSize::Small/>
        </div>
    }.erase();
    view! { <div class="well gap"><h3>{p.quota_new}</h3>{act_form(q.act, "quota-form", "inform", body.into_any())}</div> }.erase()
}
