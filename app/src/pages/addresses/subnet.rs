//! One subnet: head, filter, blocks, map with card, reserved ranges, table.

use super::map::{Filter, map};
use super::reserve::{FIELDS, ranges, reserve};
use super::{card::card, shape, state_word, still, table::table};
use crate::api::form::RangeForm;
use crate::api::{self, AddressBlock, Reserve, Unreserve, block_base, use_kept};
use crate::fetch::Fetch;
use crate::pages::page;
use crate::pages::parts::{Act, act, operator_refused, use_param};
use crate::shell::{PageTitle, use_here};
use crate::text::{Texts, texts, units};
use crate::ui::{Erase, Icon, LinkButton, Tone, UrlState, facts, head, mark};
use leptos::prelude::*;
use leptos_router::hooks::use_params_map;
use padis_domain::address::{AddressState, dotted};

/// A subnet's map.
#[component]
pub fn AddressMap() -> AnyView {
    let t = texts();
    let params = use_params_map();
    let pool = Memo::new(move |_| params.with(|p| p.get("pool")).unwrap_or_default());
    let (block, at, q, state) = (use_param("block"), use_param("at"), use_param("q"), use_param("state"));
    let from = use_param("from");
    let (take, free) = (act::<Reserve>(), act::<Unreserve>());
    let kept = use_kept::<RangeForm>("reserve");
    let (changed, set_changed) = signal(0_u32);
    crate::live::on(format!("addresses:{}", pool.get_untracked()), move || set_changed.update(|n| *n += 1));
    // The chosen address only decides which block a link without a block leads to.
    let first_at = Memo::new(move |_| if block.get().is_empty() { at.get() } else { String::new() });
    let data = Fetch::new(
        move || {
            let answers = (take.told.version.get(), free.told.version.get(), changed.get());
            (pool.get(), block.get().parse().unwrap_or(0), first_at.get(), answers)
        },
        |(pool, block, at, _)| api::address_block(pool, block, at),
    );
    let here = use_here();
    view! {
        <PageTitle text=Signal::derive(move || format!("{} · {}", pool.get(), t.shell.addresses))/>
        {page(t.shell.addresses, data, move |b: AddressBlock| {
            let filter = Filter { q: q.get(), state: state.get() };
            let typed = kept.get().flatten().unwrap_or_else(|| RangeForm { from: from.get(), ..RangeForm::default() });
            body(t, b, here, at, filter, typed, take, free)
        })}
    }
    .erase()
}

#[expect(clippy::too_many_arguments, reason = "the page's state, each of its own kind")]
fn body(
    t: &'static Texts,
    b: AddressBlock,
    here: Memo<UrlState>,
    at: Memo<String>,
    filter: Filter,
    typed: RangeForm,
    take: Act<Reserve>,
    free: Act<Unreserve>,
) -> AnyView {
    let url = here.get_untracked();
    let shown = StoredValue::new(b.clone());
    let side = move || shown.with_value(|b| card(t, b, &at.get(), &here.get(), free));
    view! {
        {title(t, &b)}
        {take.told.notice(FIELDS, t.net.reserved_done)}
        {free.told.notice(&[], t.net.unreserved_done)}
        {filters(t, &b, &url, &filter)}
        {blocks(t, &b, &url)}
        <div class="mapwrap">
            <div>{map(t, &b, here, at, &filter)}</div>
            {move || side()}
        </div>
        {ranges(t, &b, free)}
        {reserve(t, &b, take, typed)}
        {table(t, &b, &filter)}
    }
    .erase()
}

fn title(t: &'static Texts, b: &AddressBlock) -> AnyView {
    let (n, s) = (&t.net, &b.spec);
    let items = vec![
        view! { <a href=api::pool_path(&s.name)>{s.name.clone()}</a> }.erase(),
        s.vlan.map_or_else(|| t.pools.no_vlan.to_owned(), |v| (t.pools.vlan)(v)).into_any(),
        view! { {n.gateway} " " <code>{s.gateway.clone()}</code> }.erase(),
        (n.free_of)(u64::from(b.counts.free), u64::from(b.counts.total())).into_any(),
    ];
    let refused = if b.may_change { None } else { operator_refused(t) };
    let reserve = view! {
        <LinkButton id="to-reserve" href="#reserve" label=n.reserve tone=Tone::Primary glyph=Icon::Lock refused=refused external=true/>
    }.erase();
    head(view! { <h1>{s.subnet.to_string()}</h1> }.erase(), facts(items), reserve.into_any())
}

fn filters(t: &'static Texts, b: &AddressBlock, url: &UrlState, filter: &Filter) -> AnyView {
    let n = &t.net;
    let counts = [
        (AddressState::Allocated, b.counts.allocated),
        (AddressState::Free, b.counts.free),
        (AddressState::Reserved, b.counts.reserved),
        (AddressState::Quarantined, b.counts.quarantined),
    ];
    let buttons = counts
        .into_iter()
        .map(|(s, count)| {
            let on = filter.state == s.as_str();
            let href = url.with(&[("state", if on { "" } else { s.as_str() }), ("done", "")]);
            view! {
                <a {..still()} class="fbtn" href=href aria-current=on.then_some("true")>
                    {mark(shape(s))}
                    <span>{state_word(t, s)}</span>
                    <b>{count}</b>
                </a>
            }
            .erase()
        })
        .collect_view();
    view! {
        <div class="filt">
            <form method="get" action=url.path.clone() role="search">
                {url.hidden(&["q", "at", "done", "failed", "problem"])}
                <input class="in" type="search" name="q" value=filter.q.clone() aria-label=n.filter_label placeholder=n.filter_hint/>
            </form>
            <div class="row" role="group" aria-label=n.only>{buttons}</div>
        </div>
    }
    .erase()
}

/// The /24 blocks of a larger subnet, with how many of each are not free.
fn blocks(t: &'static Texts, b: &AddressBlock, url: &UrlState) -> AnyView {
    if b.blocks.len() < 2 {
        return ().into_any();
    }
    let n = &t.net;
    let links = b
        .blocks
        .iter()
        .enumerate()
        .map(|(i, taken)| {
            let number = u32::try_from(i).unwrap_or_default();
            let base = dotted(block_base(&b.spec, number));
            let name = base.strip_suffix(".0").unwrap_or(&base).to_owned();
            let current = number == b.block;
            let href = url.with(&[("block", &i.to_string()), ("at", ""), ("done", "")]);
            let words = t.taken(*taken);
            let title = words.clone();
            let bar = format!("{}%", units::fixed((f64::from(*taken) / 2.56).min(100.0), 0));
            view! {
                <a {..still()} class="block" href=href title=title aria-current=current.then_some("true")>
                    <code>{name}</code>
                    <span class="vh">{words}</span>
                    <svg class="blockbar" aria-hidden="true"><rect x="0" y="0" height="100%" width=bar></rect></svg>
                </a>
            }
            .erase()
        })
        .collect_view();
    view! { <nav class="blocks" aria-label=n.blocks>{links}</nav> }.erase()
}
