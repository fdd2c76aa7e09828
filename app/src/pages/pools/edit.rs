//! The form for a new pool and for changing one.

use crate::api::form::PoolForm;
use crate::api::{self, PutPool, Said, use_kept};
use crate::fetch::Fetch;
use crate::pages::page;
use crate::pages::parts::{Act, act, act_form, hidden, operator_refused, seen};
use crate::shell::PageTitle;
use crate::text::{Texts, texts};
use crate::ui::{Button, Erase, LinkButton, NumberField, SelectField, TextArea, TextField, Tone, head, section};
use leptos::prelude::*;
use leptos_router::hooks::use_params_map;
use padis_domain::words::{Stage, Zone};

const FIELDS: &[&str] =
    &["name", "stage", "zone", "hosts", "subnet", "gateway", "vlan", "domain", "ttl_s", "quarantine_s"];

/// A new pool.
#[component]
pub fn PoolNew() -> AnyView {
    form_page(None)
}

/// An existing pool.
#[component]
pub fn PoolEdit() -> AnyView {
    let params = use_params_map();
    form_page(Some(Memo::new(move |_| params.with(|p| p.get("pool")).unwrap_or_default())))
}

fn form_page(of: Option<Memo<String>>) -> AnyView {
    let t = texts();
    let put = act::<PutPool>();
    let version = put.told.version;
    let kept = use_kept::<PoolForm>("put_pool");
    let fresh = Fetch::new(
        move || (of.map(|n| n.get()), version.get()),
        |(name, _)| async move {
            let once = api::once().await?;
            Ok(match name {
                Some(name) => {
                    let v = api::pool(name).await?;
                    PoolForm::of(&v.row.spec, v.revision, once)
                }
                None => PoolForm { ttl_s: "5".to_owned(), quarantine_s: "60".to_owned(), once, ..PoolForm::default() },
            }) as Said<_>
        },
    );
    let title = move || of.map_or_else(|| t.pools.new.to_owned(), |n| (t.pools.edit_named)(&n.get()));
    view! {
        <PageTitle text=Signal::derive(title)/>
        {move || head(view! { <h1>{title()}</h1> }.erase(), ().into_any(), ().into_any())}
        {page(t.shell.pools, fresh, move |fresh: PoolForm| {
            // What was typed comes back, but on the present revision and with a fresh token.
            let form = match kept.get().flatten() {
                Some(k) => PoolForm { seen: fresh.seen.clone(), once: fresh.once.clone(), ..k },
                None => fresh,
            };
            body(t, form, put, of.is_none())
        })}
    }
    .erase()
}

fn body(t: &'static Texts, f: PoolForm, put: Act<PutPool>, new: bool) -> AnyView {
    let (p, told) = (&t.pools, put.told);
    let refused = operator_refused(t);
    let stages = Stage::ALL.iter().map(|s| (s.to_string(), t.stage(*s).to_owned())).collect();
    let zones = Zone::ALL.iter().map(|z| (z.to_string(), t.zone_short(*z).to_owned())).collect();
    let name = if new {
        view! {
            <TextField id="name" label=p.pool value=f.name.clone() hint=p.name_hint code=true autocomplete="off" required=true error=told.error("name")/>
        }
        .erase()
    } else {
        view! {
            {hidden("name", f.name.clone())}
        }
        .into_any()
    };
    let what = view! {
        {name}
        <div class="half">
            <SelectField id="stage" label=t.shell.stage options=stages value=f.stage error=told.error("stage")/>
            <SelectField id="zone" label=p.zone options=zones value=f.zone error=told.error("zone")/>
        </div>
        <TextArea id="hosts" label=p.labels note=t.shell.optional value=f.hosts hint=p.labels_hint code=true error=told.error("hosts")/>
    }.erase();
    let net = view! {
        <div class="half">
            <TextField id="subnet" label=p.subnet value=f.subnet hint=p.subnet_hint code=true autocomplete="off" required=true error=told.error("subnet")/>
            <TextField id="gateway" label=p.gateway value=f.gateway hint=p.gateway_hint code=true autocomplete="off" required=true error=told.error("gateway")/>
            <TextField id="vlan" label=p.vlan_label note=t.shell.optional value=f.vlan hint=p.vlan_hint code=true inputmode="numeric" autocomplete="off" error=told.error("vlan")/>
            <NumberField id="quarantine_s" label=p.quarantine value=f.quarantine_s min=0 max=86_400 unit=p.seconds hint=p.quarantine_hint error=told.error("quarantine_s")/>
        </div>
    }.erase();
    let names = view! {
        <div class="half">
            <TextField id="domain" label=p.domain value=f.domain hint=p.domain_hint code=true autocomplete="off" required=true error=told.error("domain")/>
            <NumberField id="ttl_s" label=p.ttl value=f.ttl_s min=0 max=86_400 unit=p.seconds hint=p.ttl_hint error=told.error("ttl_s")/>
        </div>
    }.erase();
    let back = if new { "/pools".to_owned() } else { api::pool_path(&f.name) };
    let fields = view! {
        {seen(told, f.seen)}
        {hidden("once", f.once)}
        {section("what", p.section_what, "", view! { <div class="fields">{what}</div> }.erase())}
        {section("net", p.section_net, "", net.into_any())}
        {section("dom", p.section_names, "", names.into_any())}
        <div class="row foot">
            <Button id="pool-save" label=if new { p.create } else { t.shell.save } tone=Tone::Primary refused=Signal::stored(refused)/>
            <LinkButton href=back label=t.shell.cancel tone=Tone::Quiet/>
        </div>
    }.erase();
    let several = told.notice(FIELDS, p.saved);
    view! {
        <div class="column">
            {several}
            {act_form(put, "pool-form", "", fields.into_any())}
        </div>
    }
    .erase()
}
