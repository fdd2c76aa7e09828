//! Addresses: every subnet, and one subnet as a live map with its table.

mod card;
mod list;
mod map;
mod reserve;
mod subnet;
mod table;

pub use list::Addresses;
pub use subnet::AddressMap;

use crate::text::{Texts, lowercase};
use crate::ui::Shape;
use leptos::attr::custom::{CustomAttr, custom_attribute};
use padis_domain::address::{AddressState, dotted};
use padis_domain::pool::PoolSpec;
use padis_domain::view::AddressCell;

/// Keeps the page where it is when the link is followed: the router's `noscroll`.
fn still() -> CustomAttr<&'static str, &'static str> {
    custom_attribute("noscroll", "true")
}

/// What an address is, those included that are never given out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    State(AddressState),
    Gateway,
    Network,
    Broadcast,
}

fn kind(spec: &PoolSpec, ip: u32, cell: Option<&AddressCell>) -> Kind {
    let net = spec.subnet;
    if ip == net.base() {
        Kind::Network
    } else if ip == net.last() + 1 {
        Kind::Broadcast
    } else if Some(ip) == spec.gateway_ip() {
        Kind::Gateway
    } else {
        Kind::State(cell.map_or(AddressState::Free, |c| c.state))
    }
}

fn shape(s: AddressState) -> Shape {
    match s {
        AddressState::Free => Shape::Free,
        AddressState::Reserved => Shape::Held,
        AddressState::Allocated => Shape::Used,
        AddressState::Quarantined => Shape::Leave,
    }
}

fn state_word(t: &Texts, s: AddressState) -> &'static str {
    match s {
        AddressState::Free => t.net.free,
        AddressState::Reserved => t.net.reserved,
        AddressState::Allocated => t.net.allocated,
        AddressState::Quarantined => t.net.quarantined,
    }
}

fn kind_word(t: &Texts, k: Kind) -> &'static str {
    match k {
        Kind::State(s) => state_word(t, s),
        Kind::Gateway => t.net.is_gateway,
        Kind::Network => t.net.is_network,
        Kind::Broadcast => t.net.is_broadcast,
    }
}

/// Who has it, in words; empty if nobody.
fn owner(t: &Texts, c: &AddressCell) -> String {
    match (&c.app, c.slot, c.state) {
        (Some(app), Some(slot), _) => format!("{app} · {}", (t.net.slot)(slot)),
        (Some(app), None, _) => app.to_string(),
        (None, _, AddressState::Allocated | AddressState::Quarantined) => t.net.other_team.to_owned(),
        (None, ..) => c.reason.clone(),
    }
}

/// Whether a cell is meant by the text in the filter.
fn hit(ip: u32, cell: Option<&AddressCell>, q: &str) -> bool {
    let q = lowercase(q);
    dotted(ip).contains(&q)
        || cell.is_some_and(|c| {
            lowercase(&c.reason).contains(&q) || c.app.as_ref().is_some_and(|a| a.to_string().contains(&q))
        })
}
