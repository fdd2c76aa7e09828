//! Reserved ranges with their reasons, and the form that reserves one.

use crate::api::form::RangeForm;
use crate::api::{AddressBlock, Reserve, Unreserve, range_words};
use crate::pages::parts::{Act, act_form, hidden, operator_refused};
use crate::text::Texts;
use crate::ui::{Button, ButtonSize, Erase, Icon, Shape, TextField, Tone, mark, section};
use leptos::prelude::*;
use padis_domain::address::dotted;

/// The fields of the form, whose faults stand beside them.
pub const FIELDS: &[&str] = &["from", "to", "reason"];

/// The list of ranges.
pub fn ranges(t: &'static Texts, b: &AddressBlock, free: Act<Unreserve>) -> AnyView {
    let n = &t.net;
    let refused = if b.may_change { None } else { operator_refused(t) };
    let rows = b
        .ranges
        .iter()
        .enumerate()
        .map(|(i, r)| {
            let body = view! {
                {hidden("pool", b.spec.name.clone())}
                {hidden("from", dotted(r.from))}
                {hidden("to", dotted(r.to))}
                <Button
                    id=format!("free-{i}") label=n.release_this size=ButtonSize::Tiny bare=true
                    refused=Signal::stored(refused.clone()) aria=format!("{} {}", n.release_this, range_words(r.from, r.to))
                />
            }.erase();
            view! {
                <li class="rsv">
                    {mark(Shape::Held)}
                    <code>{range_words(r.from, r.to)}</code>
                    <span>{r.reason.clone()}</span>
                    <span class="second nowrap">{t.when(r.since, b.now)}</span>
                    {act_form(free, format!("free-form-{i}"), "", body.into_any())}
                </li>
            }.erase()
        })
        .collect_view();
    let more = (b.more_ranges > 0)
        .then(|| view! { <p class="hint gap">{(n.ranges_more)(&t.more_ranges(b.more_ranges))}</p> }.erase());
    let body = if b.ranges.is_empty() {
        view! { <p class="second">{n.ranges_none}</p> }.erase()
    } else {
        view! { <ul class="ruled">{rows}</ul>{more} }.erase()
    };
    section("ranges", n.ranges, t.addresses(u64::from(b.counts.reserved)), body)
}

/// The form.
pub fn reserve(t: &'static Texts, b: &AddressBlock, act: Act<Reserve>, f: RangeForm) -> AnyView {
    let (n, told) = (&t.net, act.told);
    let refused = if b.may_change { None } else { operator_refused(t) };
    let body = view! {
        {hidden("pool", b.spec.name.clone())}
        <div class="three">
            <TextField id="from" label=n.first value=f.from code=true autocomplete="off" required=true error=told.error("from")/>
            <TextField id="to" label=n.last value=f.to hint=n.last_hint code=true autocomplete="off" error=told.error("to")/>
            <TextField id="reason" label=n.why value=f.reason hint=n.why_hint autocomplete="off" required=true error=told.error("reason")/>
        </div>
        <div class="row">
            <Button id="reserve-go" label=n.reserve tone=Tone::Primary glyph=Icon::Lock refused=Signal::stored(refused)/>
        </div>
    }.erase();
    section("reserve", n.reserve, n.reserve_lead, act_form(act, "reserve-form", "inform", body.into_any()))
}
