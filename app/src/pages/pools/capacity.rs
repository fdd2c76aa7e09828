//! Used, held and free of a pool's four dimensions, and which of them is scarce.

use crate::text::{Texts, texts, units};
use crate::ui::{Capacity, Erase, capacity, legend};
use leptos::prelude::*;
use padis_domain::quantity::{Amount, Dimension};
use padis_domain::view::PoolRow;

/// The share of the total below which a dimension is called scarce, in percent.
const SCARCE_PERCENT: u64 = 10;

/// The number alone, in the dimension's usual unit.
pub fn plain(d: Dimension, n: u64) -> String {
    match d {
        Dimension::Cpu => units::cores(n),
        Dimension::Memory => units::fixed(n as f64 / 1024.0, 1),
        Dimension::Instances | Dimension::Addresses => units::count(n),
    }
}

/// The unit behind it.
pub fn unit(d: Dimension) -> &'static str {
    match d {
        Dimension::Cpu => "CPU",
        Dimension::Memory => "GiB",
        Dimension::Instances | Dimension::Addresses => "",
    }
}

/// Used, held, free and total of each dimension that has a total.
fn lines(row: &PoolRow) -> Vec<(Dimension, u64, u64, u64, u64)> {
    let free = row.total.minus(row.used).minus(row.held);
    let each = |a: Amount| a.each().map(|(_, n)| n);
    let (used, held, free, total) = (each(row.used), each(row.held), each(free), each(row.total));
    row.total.each().iter().enumerate().map(|(i, (d, _))| (*d, used[i], held[i], free[i], total[i])).collect()
}

/// The scarcest dimension, if one is scarce: which, free and total. A pool
/// without any capacity is not scarce but empty; the hosts' section says so.
pub fn scarce(row: &PoolRow) -> Option<(Dimension, u64)> {
    let short =
        |(_, _, _, free, total): &(Dimension, u64, u64, u64, u64)| *total > 0 && free * 100 < total * SCARCE_PERCENT;
    let part = |(_, _, _, free, total): &(Dimension, u64, u64, u64, u64)| free * 1000 / (*total).max(1);
    lines(row).into_iter().filter(short).min_by_key(part).map(|(d, _, _, free, _)| (d, free))
}

/// `141 free of 254 addresses`, for bars and their labels.
pub fn free_words(t: &Texts, d: Dimension, free: u64, total: u64) -> String {
    format!("{}: {}", t.dimension(d), (t.pools.free_of)(&t.amount(d, free), &t.amount(d, total)))
}

/// The legend beside the heading.
pub fn capacity_legend() -> AnyView {
    let p = &texts().pools;
    legend(p.used_long, p.held_long, texts().shell.free)
}

/// The table with a bar for each dimension.
pub fn capacity_table(row: &PoolRow) -> AnyView {
    let t = texts();
    let p = &t.pools;
    let rows = lines(row)
        .into_iter()
        .map(|(d, used, held, free, total)| {
            // What has no natural total (instances, where hosts set no limit) has no bar.
            let bar =
                (total > 0).then(|| capacity(Capacity { used, held, total }, free_words(t, d, free, total), false));
            view! {
                <tr>
                    <th scope="row">{t.dimension(d)}</th>
                    <td class="b">{bar}</td>
                    <td>{plain(d, used)}</td>
                    <td>{plain(d, held)}</td>
                    <td class="big">{if total > 0 { plain(d, free) } else { "—".to_owned() }}</td>
                    <td class="unit">{(total > 0).then(|| format!("/ {} {}", plain(d, total), unit(d)))}</td>
                </tr>
            }
            .erase()
        })
        .collect_view();
    view! {
        <table class="capt">
            <thead>
                <tr>
                    <th scope="col"><span class="vh">{p.what}</span></th>
                    <th scope="col" class="b"><span class="vh">{p.bar}</span></th>
                    <th scope="col">{t.shell.used}</th>
                    <th scope="col">{t.shell.held}</th>
                    <th scope="col">{t.shell.free}</th>
                    <th scope="col">{p.total}</th>
                </tr>
            </thead>
            <tbody>{rows}</tbody>
        </table>
    }
    .erase()
}
