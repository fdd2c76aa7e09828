//! What a pool shares with each other one, as a table: hosts, subnet, VLAN.
//!
//! It tells what Padis itself knows: labels and hosts as last seen, subnets and
//! VLANs as set. One could get it wrong by promising more: what may pass between
//! zones is the network's own rule, and the sentence above the table says so.

use crate::api::pool_path;
use crate::text::{Texts, texts};
use crate::ui::{Erase, Shape, Table, col, state};
use leptos::prelude::*;
use padis_domain::view::{Neighbour, PoolView};

/// The section's content.
pub fn isolation(v: &PoolView) -> AnyView {
    let t = texts();
    let p = &t.pools;
    let spec = &v.row.spec;
    let table = if v.neighbours.is_empty() {
        view! { <p class="quiet gap">{p.no_neighbour}</p> }.erase()
    } else {
        let cols = view! {
            {col(p.beside, "")}
            {col(p.zone, "")}
            {col(p.hosts_common, "")}
            {col(p.subnet, "")}
            {col("VLAN", "")}
        }
        .erase();
        let rows = v.neighbours.iter().map(|n| row(t, v, n)).collect_view();
        let label = (p.shares)(&spec.name);
        view! { <div class="gap"><Table label=label head=cols.into_any()>{rows}</Table></div> }.erase()
    };
    view! {
        <p class="lead">{(p.isolation_text)(&spec.subnet.to_string())}</p>
        <p class="second gap">{t.zone(spec.zone)}</p>
        {table}
    }
    .erase()
}

fn row(t: &'static Texts, v: &PoolView, n: &Neighbour) -> AnyView {
    let (p, spec) = (&t.pools, &v.row.spec);
    let zone = if n.zone == spec.zone {
        state(Shape::Plain, (p.zone_same)(t.zone_short(n.zone)))
    } else {
        state(Shape::Ok, (p.zone_other)(t.zone_short(n.zone)))
    };
    let hosts = match (v.observed_at, n.hosts.as_slice()) {
        (None, _) => state(Shape::Off, p.unknown),
        (_, []) => state(Shape::Ok, p.hosts_none),
        (_, all) => state(Shape::Warn, (p.hosts_shared)(&t.hosts(all.len() as u64), &few(t, all))),
    };
    let subnet = n.subnet.to_string();
    let subnet = if n.overlaps {
        state(Shape::Bad, (p.subnet_overlaps)(&subnet))
    } else {
        state(Shape::Ok, (p.subnet_apart)(&subnet))
    };
    let vlan = match (spec.vlan, n.vlan) {
        (Some(a), Some(b)) if a == b => state(Shape::Warn, (p.vlan_same)(a)),
        (Some(_), Some(b)) => state(Shape::Ok, (p.vlan_other)(b)),
        (None, None) => state(Shape::Off, p.vlan_neither),
        (Some(_), None) => state(Shape::Off, p.vlan_not_there),
        (None, Some(b)) => state(Shape::Off, (p.vlan_only_there)(b)),
    };
    view! {
        <tr>
            <th scope="row">
                <a href=pool_path(&n.pool)>{n.pool.clone()}</a>
                " "
                <span class="quiet">{t.stage(n.stage)}</span>
            </th>
            <td>{zone}</td>
            <td class="wrap">{hosts}</td>
            <td>{subnet}</td>
            <td>{vlan}</td>
        </tr>
    }
    .erase()
}

/// The first names of a list, and that there are more.
fn few(t: &Texts, names: &[String]) -> String {
    const SHOWN: usize = 3;
    let first = t.list(&names[..names.len().min(SHOWN)]);
    if names.len() > SHOWN { format!("{first} …") } else { first }
}
