//! Two reads cut to what one page shows: a /24 of a subnet's map, and a page of
//! the balancer's services. The portal answers with everything, which for a /20
//! would be half a megabyte in every page. One could get it wrong by counting
//! only what is left after the cut: the counts are those of the whole subnet.

use super::ask::Ask;
#[cfg(feature = "ssr")]
use super::call;
use super::fault::Said;
use leptos::prelude::*;
use leptos::server_fn::codec::GetUrl;
use padis_domain::address::{AddressState, dotted, parse_ip};
use padis_domain::app::AppRef;
use padis_domain::pool::PoolSpec;
use padis_domain::ports::ServiceSeen;
use padis_domain::view::{AddressCell, AddressMap, BalancerView, Page};
use padis_domain::words::UnixMs;
use serde::{Deserialize, Serialize};

/// The most reserved ranges that a page lists.
const RANGES: usize = 50;
/// Services on one page of the balancer.
const SERVICES: usize = 25;

/// How many addresses are in which state.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// Can be given.
    pub free: u32,
    /// Kept aside.
    pub reserved: u32,
    /// In use.
    pub allocated: u32,
    /// Resting.
    pub quarantined: u32,
}

impl Counts {
    fn add(&mut self, state: AddressState) {
        match state {
            AddressState::Free => self.free += 1,
            AddressState::Reserved => self.reserved += 1,
            AddressState::Allocated => self.allocated += 1,
            AddressState::Quarantined => self.quarantined += 1,
        }
    }
    /// Everything that can belong to an instance.
    pub fn total(self) -> u32 {
        self.free + self.taken()
    }
    /// Everything that is not free.
    pub fn taken(self) -> u32 {
        self.reserved + self.allocated + self.quarantined
    }
}

/// Neighbouring addresses that are reserved for one reason.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Range {
    /// First.
    pub from: u32,
    /// Last.
    pub to: u32,
    /// Why.
    pub reason: String,
    /// Since.
    pub since: UnixMs,
}

/// At most 256 addresses of a subnet, and what there is around them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AddressBlock {
    /// The pool.
    pub spec: PoolSpec,
    /// Which block, from 0.
    pub block: u32,
    /// Addresses that are not free, for each block.
    pub blocks: Vec<u32>,
    /// Of the whole subnet.
    pub counts: Counts,
    /// What is not free in this block, by address.
    pub cells: Vec<AddressCell>,
    /// Reserved ranges of the whole subnet, at most 50.
    pub ranges: Vec<Range>,
    /// Ranges that are not listed.
    pub more_ranges: usize,
    /// May the caller reserve?
    pub may_change: bool,
    /// Pools to switch to.
    pub pools: Vec<String>,
    /// Now.
    pub now: UnixMs,
}

/// The first address of a block.
pub fn block_base(spec: &PoolSpec, block: u32) -> u32 {
    spec.subnet.base().saturating_add(block.saturating_mul(256))
}

/// Cuts a map down to one block. `at`, a dotted address, chooses the block if it is given.
pub fn cut(map: AddressMap, block: u32, at: &str) -> AddressBlock {
    let net = map.spec.subnet;
    let of = |ip: u32| (ip - net.base()) / 256;
    let blocks = net.count().div_ceil(256);
    let at = parse_ip(at).filter(|ip| net.contains(*ip)).map(of);
    let block = at.unwrap_or(block).min(blocks - 1);
    let gateway = map.spec.gateway_ip();
    let mut taken = vec![0; blocks as usize];
    let mut counts = Counts::default();
    let mut ranges: Vec<Range> = Vec::new();
    let usable = |ip: u32| (net.first()..=net.last()).contains(&ip) && Some(ip) != gateway;
    let mut cells: Vec<AddressCell> = map.cells;
    cells.retain(|c| c.state != AddressState::Free && usable(c.ip));
    cells.sort_by_key(|c| c.ip);
    for c in &cells {
        counts.add(c.state);
        taken[of(c.ip) as usize] += 1;
        if c.state == AddressState::Reserved {
            match ranges.last_mut() {
                Some(r) if r.to + 1 == c.ip && r.reason == c.reason => r.to = c.ip,
                _ => ranges.push(Range { from: c.ip, to: c.ip, reason: c.reason.clone(), since: c.since }),
            }
        }
    }
    let all =
        net.last() - net.first() + 1 - u32::from(gateway.is_some_and(|g| (net.first()..=net.last()).contains(&g)));
    counts.free = all.saturating_sub(counts.taken());
    cells.retain(|c| of(c.ip) == block);
    let more_ranges = ranges.len().saturating_sub(RANGES);
    ranges.truncate(RANGES);
    AddressBlock {
        spec: map.spec,
        block,
        blocks: taken,
        counts,
        cells,
        ranges,
        more_ranges,
        may_change: map.may_change,
        pools: map.pools,
        now: map.now,
    }
}

/// One block of the pool's subnet: number `block`, or the one in which `at` lies.
#[server(name = GetAddressBlock, protocol = Ask<GetUrl>, prefix = "/api", endpoint = "address_block")]
pub async fn address_block(pool: String, block: u32, #[server(default)] at: String) -> Said<AddressBlock> {
    let (c, portal) = call::begin()?;
    call::tell(portal.addresses(&c, &pool).await.map(|map| cut(map, block, &at)))
}

/// A page of the balancer's services.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BalancerPage {
    /// Whether it answers.
    pub up: bool,
    /// Where it listens.
    pub listen: String,
    /// Last observed at.
    pub observed_at: Option<UnixMs>,
    /// The services.
    pub services: Page<(AppRef, ServiceSeen)>,
}

/// Cuts the balancer's view to the page `page` of what matches `q`.
pub fn cut_services(view: BalancerView, q: &str, page: u32) -> BalancerPage {
    let q = q.trim().to_lowercase();
    let hit = |(app, s): &(AppRef, ServiceSeen)| {
        q.is_empty()
            || s.service.host.contains(&q)
            || app.to_string().contains(&q)
            || s.members.iter().any(|m| m.member.ip.contains(&q))
    };
    let mut rows: Vec<_> = view.services.into_iter().filter(hit).collect();
    rows.sort_by(|a, b| a.1.service.host.cmp(&b.1.service.host));
    let total = rows.len();
    let last = total.div_ceil(SERVICES).max(1);
    let page = (page.max(1) as usize).min(last);
    let rows = rows.into_iter().skip((page - 1) * SERVICES).take(SERVICES).collect();
    let services = Page { rows, total: total as u64, page: page as u32, per_page: SERVICES as u32 };
    BalancerPage { up: view.up, listen: view.listen, observed_at: view.observed_at, services }
}

/// A page of the balancer's services that match `q`.
#[server(name = GetBalancerPage, protocol = Ask<GetUrl>, prefix = "/api", endpoint = "balancer_page")]
pub async fn balancer_page(#[server(default)] q: String, page: u32) -> Said<BalancerPage> {
    let (c, portal) = call::begin()?;
    call::tell(portal.balancer(&c).await.map(|view| cut_services(view, &q, page)))
}

/// `10.1.0.1 – .4`, or the address alone.
pub fn range_words(from: u32, to: u32) -> String {
    let (a, b) = (dotted(from), dotted(to));
    if from == to {
        return a;
    }
    if from >> 8 == to >> 8 { format!("{a} – .{}", to & 255) } else { format!("{a} – {b}") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use padis_domain::words::{Stage, Zone};

    fn map(subnet: &str, cells: &[(u32, AddressState, &str)]) -> AddressMap {
        let subnet: padis_domain::address::Subnet = match subnet.parse() {
            Ok(s) => s,
            Err(e) => panic!("{e}"),
        };
        let spec = PoolSpec {
            name: "p".into(),
            stage: Stage::Dev,
            zone: Zone::Web,
            hosts: Default::default(),
            subnet,
            gateway: dotted(subnet.first()),
            vlan: None,
            domain: "d".into(),
            ttl_s: 5,
            quarantine_s: 60,
        };
        let cell = |(n, state, reason): &(u32, AddressState, &str)| AddressCell {
            ip: subnet.base() + n,
            state: *state,
            app: None,
            slot: None,
            release: None,
            reason: (*reason).to_owned(),
            since: 0,
            until: None,
        };
        let cells = cells.iter().map(cell).collect();
        AddressMap { spec, cells, may_change: true, pools: vec![], now: 0 }
    }

    #[test]
    fn counts_are_of_the_whole_subnet_and_cells_of_the_block() {
        use AddressState::*;
        let m = map("10.1.0.0/22", &[(5, Reserved, "a"), (4, Reserved, "a"), (6, Reserved, "b"), (300, Allocated, "")]);
        let b = cut(m.clone(), 1, "");
        // 1024 less network, broadcast and gateway.
        assert_eq!((b.counts.total(), b.counts.taken(), b.counts.allocated), (1021, 4, 1));
        assert_eq!(b.blocks, [3, 1, 0, 0]);
        assert_eq!(b.cells.len(), 1);
        let ranges: Vec<_> = b.ranges.iter().map(|r| range_words(r.from, r.to)).collect();
        assert_eq!(ranges, ["10.1.0.4 – .5", "10.1.0.6"]);
        assert_eq!(cut(m.clone(), 0, "10.1.1.44").block, 1);
        assert_eq!(cut(m, 99, "8.8.8.8").block, 3);
    }

    #[test]
    fn a_small_subnet_is_one_block() {
        let b = cut(map("10.1.0.8/29", &[]), 0, "");
        assert_eq!((b.blocks.len(), b.counts.free), (1, 5));
    }
}
