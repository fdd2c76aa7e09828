//! One pool: capacity, hosts, teams and quotas, isolation, deleting.

use super::capacity::{capacity_legend, capacity_table, scarce};
use super::hosts::{Hosts, hosts};
use super::isolation::isolation;
use super::quotas::{FIELDS, Quotas, quotas};
use crate::api::form::QuotaForm;
use crate::api::{self, DeletePool, PutHostBack, PutHostOut, PutQuota, Said, use_kept};
use crate::fetch::Fetch;
use crate::pages::page;
use crate::pages::parts::{Act, act, act_form, hidden, live, now, operator_refused, use_param};
use crate::shell::PageTitle;
use crate::text::{Texts, texts, units};
use crate::ui::{
    Button, Erase, Icon, LinkButton, Shape, TextField, Tone, facts, head, notice, section, section_with, state_tag,
};
use leptos::prelude::*;
use leptos_router::hooks::use_params_map;
use padis_domain::view::PoolView;

/// A pool's page.
#[component]
pub fn Pool() -> AnyView {
    let t = texts();
    let params = use_params_map();
    let name = Memo::new(move |_| params.with(|p| p.get("pool")).unwrap_or_default());
    let (open, changed) = (use_param("quota"), live(&["pools"]));
    let (quota, delete) = (act::<PutQuota>(), act::<DeletePool>());
    let (out, back, host) = (act::<PutHostOut>(), act::<PutHostBack>(), use_param("host"));
    let version = quota.told.version;
    let kept = use_kept::<QuotaForm>("put_quota");
    let data = Fetch::new(
        move || (name.get(), changed.get(), version.get()),
        |(name, _, _)| async move {
            let pool = api::pool(name).await?;
            // Only who may give a quota needs the teams that have none.
            let teams = if pool.may_change { api::teams().await? } else { Vec::new() };
            let teams: Vec<(String, String)> = teams.into_iter().map(|t| (t.slug, t.title)).collect();
            Ok((pool, teams, now())) as Said<_>
        },
    );
    view! {
        <PageTitle text=name/>
        {page(t.shell.pools, data, move |(v, teams, now)| {
            let q = Quotas { act: quota, open: open.get(), kept: kept.get().flatten(), teams };
            let h = Hosts { out, back, open: host.get(), now };
            body(t, v, q, h, delete)
        })}
    }
    .erase()
}

fn body(t: &'static Texts, v: PoolView, q: Quotas, h: Hosts, delete: Act<DeletePool>) -> AnyView {
    let (p, r) = (&t.pools, &v.row);
    let short = scarce(r);
    let warning = short.map(|(d, free)| {
        let title = (p.short_title)(&t.leading(t.dimension(d)), &t.amount(d, free));
        notice(Shape::Warn, title, p.short_next, ().into_any())
    });
    let labels: Vec<String> = r.spec.hosts.iter().map(|(k, v)| format!("{k}={v}")).collect();
    let chosen = if labels.is_empty() { p.chosen_all.to_owned() } else { (p.chosen_by)(&t.list(&labels)) };
    let given = r.quotas.values().fold(0_u64, |n, q| n.saturating_add(q.quota.cpu_milli));
    let promised = (p.promised)(&t.cpu(given), &units::cores(r.total.cpu_milli));
    let told = q.act.told;
    view! {
        {title(t, &v, short.is_some())}
        {delete.told.notice(&["confirm"], p.deleted)}
        {told.notice(FIELDS, p.quota_saved)}
        {h.out.told.notice(&["reason"], p.host_changed)}
        {h.back.told.notice(&[], p.host_changed)}
        {warning}
        {section_with("capacity", p.capacity, "", capacity_legend(), capacity_table(r))}
        {section("hosts", p.hosts, chosen, hosts(&v, &h))}
        {section("quotas", p.quotas, promised, quotas(&v, q))}
        {section("isolation", p.isolation, "", isolation(&v))}
        {v.may_change.then(|| section("danger", p.danger, "", danger(t, &v, delete)))}
    }
    .erase()
}

fn title(t: &'static Texts, v: &PoolView, short: bool) -> AnyView {
    let (p, r) = (&t.pools, &v.row);
    let tag = match scarce(r) {
        Some((d, _)) if short => state_tag(Shape::Warn, (p.short)(&t.leading(t.dimension(d)))),
        _ if r.hosts == 0 => state_tag(Shape::Bad, p.no_host_title),
        _ => state_tag(Shape::Ok, p.roomy),
    };
    let map = format!("/addresses/{}", api::query::escape(&r.spec.name));
    let items = vec![
        t.zone_short(r.spec.zone).into_any(),
        t.stage(r.spec.stage).into_any(),
        view! { <a href=map><code>{r.spec.subnet.to_string()}</code></a> }.erase(),
        r.spec.vlan.map_or_else(|| p.no_vlan.to_owned(), |v| (p.vlan)(v)).into_any(),
        t.hosts(u64::from(r.hosts)).into_any(),
        t.teams(r.quotas.len()).into_any(),
        view! { <code>{r.spec.domain.clone()}</code> }.erase(),
    ];
    let edit = format!("{}/edit", api::pool_path(&r.spec.name));
    let edit =
        view! { <LinkButton id="pool-edit" href=edit label=p.edit glyph=Icon::Size refused=operator_refused(t)/> }
            .erase();
    head(view! { <h1>{r.spec.name.clone()}</h1>{tag} }.erase(), facts(items), edit.into_any())
}

fn danger(t: &'static Texts, v: &PoolView, delete: Act<DeletePool>) -> AnyView {
    let (p, name) = (&t.pools, &v.row.spec.name);
    let refused = (v.row.apps > 0).then(|| (p.delete_in_use)(&t.applications(u64::from(v.row.apps))));
    let fields = view! {
        {hidden("name", name.clone())}
        <TextField
            id="pool-confirm" name="confirm" label=(t.shell.confirm_type)(name) code=true autocomplete="off"
            error=delete.told.error("confirm")
        />
        <div class="row"><Button id="pool-delete" label=p.delete tone=Tone::Destroy refused=Signal::stored(refused)/></div>
    }.erase();
    view! {
        <p class="second">{(p.delete_what)(name)}</p>
        {act_form(delete, "pool-delete-form", "inform narrow gap", fields.into_any())}
    }
    .erase()
}
