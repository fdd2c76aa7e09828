//! The map: 16 addresses in a row, each a link that shows its owner.
//!
//! Without scripts every cell can be reached by Tab. With them the map is one
//! tab stop and the arrow keys move inside it (the "roving tabindex" of the ARIA
//! authoring practices). One could get it wrong by setting `tabindex="-1"` on
//! the server: the map would be closed to a keyboard without scripts.

use super::{Kind, hit, kind, kind_word, owner, still};
use crate::api::{AddressBlock, block_base};
use crate::text::Texts;
use crate::ui::{Erase, UrlState, effect};
use leptos::{ev, prelude::*};
use padis_domain::address::{AddressState, dotted};
use padis_domain::view::AddressCell;

/// Which cells stand out; an empty filter dims nothing.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// Text.
    pub q: String,
    /// State's word, empty for all.
    pub state: String,
}

impl Filter {
    pub(super) fn is_empty(&self) -> bool {
        self.q.is_empty() && self.state.is_empty()
    }
    pub(super) fn meets(&self, k: Kind, ip: u32, cell: Option<&AddressCell>) -> bool {
        let state = match k {
            Kind::State(s) => s.as_str(),
            _ => "",
        };
        (self.state.is_empty() || self.state == state) && (self.q.is_empty() || hit(ip, cell, &self.q))
    }
}

fn class(k: Kind) -> &'static str {
    match k {
        Kind::State(AddressState::Free) => "c f",
        Kind::State(AddressState::Reserved) => "c r",
        Kind::State(AddressState::Allocated) => "c a",
        Kind::State(AddressState::Quarantined) => "c q",
        Kind::Gateway | Kind::Network | Kind::Broadcast => "c n",
    }
}

/// The map of one block.
pub fn map(t: &'static Texts, b: &AddressBlock, url: Memo<UrlState>, at: Memo<String>, filter: &Filter) -> AnyView {
    let (base, end) = (block_base(&b.spec, b.block), b.spec.subnet.base() + (b.spec.subnet.count() - 1));
    let here = url.get_untracked();
    let mut cells = b.cells.iter().peekable();
    let rows: Vec<AnyView> = (0..16_u32)
        .map(|r| base + r * 16)
        .take_while(|ip| *ip <= end)
        .map(|first| {
            let row: Vec<AnyView> = (first..=end.min(first + 15))
                .map(|ip| {
                    while cells.next_if(|c| c.ip < ip).is_some() {}
                    let c = cells.next_if(|c| c.ip == ip);
                    cell(t, b, &here, at, filter, ip, c)
                })
                .collect();
            view! { <tr><th scope="row">"." {first & 255}</th>{row}</tr> }.erase()
        })
        .collect();
    let heads = (0..16).map(|n| view! { <th scope="col">"+" {n}</th> }.erase()).collect_view();
    let net = b.spec.subnet.to_string();
    let class = if filter.is_empty() { "map" } else { "map dim" };
    let (first, last) = (base & 255, (end.min(base + 255)) & 255);
    effect(move || rove(first, last, at.get_untracked().rsplit('.').next().and_then(|n| n.parse().ok())));
    view! {
        <table class=class on:keydown=move |e| keys(&e, first, last)>
            <caption class="vh">{(t.net.map_of)(&net)}</caption>
            <thead>
                <tr><td class="cor"></td>{heads}</tr>
            </thead>
            <tbody>{rows}</tbody>
        </table>
        <p class="hint gap">{t.net.map_hint}</p>
    }
    .erase()
}

fn cell(
    t: &'static Texts,
    b: &AddressBlock,
    here: &UrlState,
    at: Memo<String>,
    filter: &Filter,
    ip: u32,
    c: Option<&AddressCell>,
) -> AnyView {
    let k = kind(&b.spec, ip, c);
    let address = dotted(ip);
    let who = c.map(|c| owner(t, c)).filter(|w| !w.is_empty());
    let said = match &who {
        Some(w) => format!("{address} {}, {w}", kind_word(t, k)),
        None => format!("{address} {}", kind_word(t, k)),
    };
    let class =
        if !filter.is_empty() && filter.meets(k, ip, c) { format!("{} hit", class(k)) } else { class(k).to_owned() };
    let href = here.with(&[("at", &address), ("done", ""), ("failed", ""), ("problem", "")]);
    let chosen = move || (at.with(|a| *a == address)).then_some("true");
    view! {
        <td>
            <a {..still()} class=class id=format!("c-{}", ip & 255) href=href title=said.clone() aria-label=said aria-current=chosen>
                {ip & 255}
            </a>
        </td>
    }
    .erase()
}

fn at(n: u32) -> Option<web_sys::HtmlElement> {
    use wasm_bindgen::JsCast;
    document().get_element_by_id(&format!("c-{n}")).and_then(|e| e.dyn_into().ok())
}

/// Leaves one cell in the tab order.
fn rove(first: u32, last: u32, to: Option<u32>) {
    let to = to.filter(|n| (first..=last).contains(n)).unwrap_or(first);
    for n in first..=last {
        if let Some(e) = at(n) {
            let _ = e.set_attribute("tabindex", if n == to { "0" } else { "-1" });
        }
    }
}

/// Moves with the arrow keys; everything else is the browser's.
fn keys(e: &ev::KeyboardEvent, first: u32, last: u32) {
    use wasm_bindgen::JsCast;
    let Some(n) = e
        .target()
        .and_then(|t| t.dyn_into::<web_sys::Element>().ok())
        .and_then(|t| t.id().strip_prefix("c-").and_then(|n| n.parse::<u32>().ok()))
    else {
        return;
    };
    let row = first + (n - first) / 16 * 16;
    let to = match e.key().as_str() {
        "ArrowRight" => n + 1,
        "ArrowLeft" => n.wrapping_sub(1),
        "ArrowDown" => n + 16,
        "ArrowUp" => n.wrapping_sub(16),
        "Home" => row,
        "End" => (row + 15).min(last),
        "PageDown" => last,
        "PageUp" => first,
        _ => return,
    };
    e.prevent_default();
    if let Some(target) = (first..=last).contains(&to).then(|| at(to)).flatten() {
        rove(first, last, Some(to));
        let _ = target.focus();
    }
}
