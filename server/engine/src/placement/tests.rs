use super::*;
use proptest::prelude::*;

fn room(name: &str, attributes: &[(&str, &str)], cpus: f64, mem: f64) -> Room {
    Room {
        name: name.into(),
        attributes: Arc::new(attributes.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect()),
        cpus_total: cpus,
        mem_total: mem,
        disk_total: 0.0,
        cpus_free: cpus,
        mem_free: mem,
        disk_free: 0.0,
        ports_free: 100,
        gpus_free: 0,
        roles: Arc::new(vec!["*".to_owned()]),
        shares: Vec::new(),
        offered: true,
        up: true,
        draining: false,
    }
}

fn c(parts: &[&str]) -> Vec<String> {
    parts.iter().map(|p| (*p).to_owned()).collect()
}

fn rooms() -> Vec<Room> {
    vec![
        room("a1", &[("rack", "r1"), ("pool", "web")], 4.0, 1000.0),
        room("a2", &[("rack", "r1"), ("pool", "web")], 4.0, 1000.0),
        room("a3", &[("rack", "r2")], 4.0, 1000.0),
    ]
}

fn place<'a>(rooms: &[Room], need: Need<'a>, beside: &[usize]) -> Placer<'a> {
    Placer::new(rooms, need, beside, BTreeSet::new())
}

fn need(cpus: f64, mem: f64, constraints: &[Vec<String>]) -> Need<'_> {
    Need { cpus, mem, disk: 0.0, gpus: 0, ports: 0, roles: &[], constraints }
}

fn pick(constraint: &[&str], beside: &[&str]) -> Option<String> {
    let constraints = [c(constraint)];
    let rooms = rooms();
    let beside: Vec<usize> = beside.iter().map(|n| rooms.iter().position(|r| *r.name == **n).unwrap()).collect();
    let found = place(&rooms, need(0.1, 10.0, &constraints), &beside).next(&rooms);
    found.map(|i| rooms[i].name.to_string())
}

#[test]
fn constraints_as_marathon_has_them() {
    assert_eq!(pick(&["hostname", "UNIQUE"], &["a1", "a2"]).as_deref(), Some("a3"));
    assert_eq!(pick(&["hostname", "UNIQUE"], &["a1", "a2", "a3"]), None);
    assert_eq!(pick(&["rack", "UNIQUE"], &["a1"]).as_deref(), Some("a3"));
    assert_eq!(pick(&["hostname", "CLUSTER", "a2"], &[]).as_deref(), Some("a2"));
    assert_eq!(pick(&["rack", "CLUSTER"], &["a3"]).as_deref(), Some("a3"));
    assert_eq!(pick(&["pool", "CLUSTER", "dmz"], &[]), None);
    assert_eq!(pick(&["pool", "IS", "web"], &["a1"]).as_deref(), Some("a2"));
    assert_eq!(pick(&["hostname", "LIKE", "a[23]"], &["a2"]).as_deref(), Some("a3"));
    assert_eq!(pick(&["hostname", "LIKE", "a"], &[]), None, "the whole value must match");
    assert_eq!(pick(&["pool", "UNLIKE", "web"], &[]).as_deref(), Some("a3"), "an absent attribute is unlike");
    assert_eq!(
        pick(&["pool", "LIKE", ".*"], &["a1", "a2"]).as_deref(),
        Some("a1"),
        "an absent attribute is like nothing"
    );
    assert_eq!(pick(&["rack", "MAX_PER", "1"], &["a1"]).as_deref(), Some("a3"));
    assert_eq!(pick(&["rack", "MAX_PER", "1"], &["a1", "a3"]), None);
    assert_eq!(pick(&["rack", "GROUP_BY"], &["a1"]).as_deref(), Some("a3"));
    assert_eq!(pick(&["rack", "GROUP_BY", "3"], &["a1", "a3"]), None, "a third rack is awaited");
    assert_eq!(pick(&["hostname", "NEAR", "a1"], &[]), None);
}

#[test]
fn the_first_stage_that_fails_is_named() {
    let mut rooms = rooms();
    rooms[1].cpus_free = 0.5;
    rooms[2].mem_free = 5.0;
    let constraints = [c(&["hostname", "UNLIKE", "a1"])];
    let mut placer = place(&rooms, need(1.0, 10.0, &constraints), &[]);
    assert_eq!(placer.next(&rooms), None);
    assert_eq!(
        placer.refusals(&rooms),
        vec![(0, Refusal::UnfulfilledConstraint), (1, Refusal::InsufficientCpus), (2, Refusal::InsufficientMemory)]
    );
}

#[test]
fn groups_are_filled_evenly_and_open_again() {
    let constraints = [c(&["rack", "GROUP_BY"])];
    let mut rooms = rooms();
    let mut placer = place(&rooms, need(0.1, 10.0, &constraints), &[]);
    let mut racks = Vec::new();
    for _ in 0..6 {
        let index = placer.next(&rooms).unwrap();
        rooms[index].cpus_free -= 0.1;
        racks.push(rooms[index].attributes["rack"].clone());
        placer.placed(&rooms, index);
    }
    for pair in racks.chunks(2) {
        assert_ne!(pair[0], pair[1], "{racks:?}");
    }
}

#[test]
fn a_role_and_a_host_that_is_emptied_are_kept() {
    let mut rooms = rooms();
    rooms[0].roles = Arc::new(vec!["web".to_owned()]);
    rooms[1].draining = true;
    let roles = [String::from("web")];
    let wanted = Need { roles: &roles, ..need(1.0, 10.0, &[]) };
    assert_eq!(place(&rooms, wanted, &[]).next(&rooms), Some(0));
    assert_eq!(place(&rooms, need(1.0, 10.0, &[]), &[0]).next(&rooms), Some(2), "the emptier one");
    let refused = place(&rooms, wanted, &[]).refusals(&rooms);
    assert_eq!(refused, vec![(1, Refusal::UnfulfilledRole), (2, Refusal::UnfulfilledRole)]);
    let refused = place(&rooms, need(1.0, 10.0, &[]), &[]).refusals(&rooms);
    assert_eq!(refused, vec![(1, Refusal::DrainingHost)]);
}

#[test]
fn every_operator_is_checked() {
    assert!(check(&c(&["hostname", "UNIQUE"])).is_ok());
    assert!(check(&c(&["hostname", "LIKE", "("])).is_err());
    assert!(check(&c(&["hostname", "MAX_PER"])).is_err());
    assert!(check(&c(&["hostname", "NEAR", "a"])).is_err());
}

proptest! {
    /// Instances are placed one after the other until nothing fits: no agent is
    /// ever overcommitted, the spread is even while there is room everywhere,
    /// and the placement stops only when really nothing fits.
    #[test]
    fn never_overcommitted_and_evenly_spread(
        sizes in prop::collection::vec((1_u32..32, 64_u32..4096), 1..6),
        cpus in 1_u32..40,
        mem in 16_u32..600,
        wanted in 1_usize..40,
    ) {
        let mut rooms: Vec<Room> = sizes.iter().enumerate()
            .map(|(i, (c, m))| room(&format!("h{i}"), &[], f64::from(*c), f64::from(*m)))
            .collect();
        let need = need(f64::from(cpus) / 10.0, f64::from(mem), &[]);
        let mut placer = place(&rooms, need, &[]);
        let mut beside: Vec<usize> = Vec::new();
        let of = |beside: &[usize], i: usize| beside.iter().filter(|n| **n == i).count();
        for _ in 0..wanted {
            let open: Vec<usize> = (0..rooms.len())
                .filter(|i| placer.fits(*i, &rooms[*i]).is_ok())
                .map(|i| of(&beside, i))
                .collect();
            match placer.next(&rooms) {
                Some(i) => {
                    prop_assert_eq!(Some(of(&beside, i)), open.into_iter().min());
                    rooms[i].cpus_free -= need.cpus;
                    rooms[i].mem_free -= need.mem;
                    prop_assert!(rooms[i].cpus_free > -0.01 && rooms[i].mem_free > -0.01);
                    beside.push(i);
                    placer.placed(&rooms, i);
                }
                None => {
                    prop_assert!(open.is_empty());
                    prop_assert_eq!(placer.refusals(&rooms).len(), rooms.len());
                    break;
                }
            }
        }
    }

    /// Asking with the instances counted in gives what placing them one by one gave.
    #[test]
    fn counted_and_placed_are_the_same(racks in prop::collection::vec(0_u8..4, 2..8), beside in prop::collection::vec(0_usize..8, 0..12), op in 0_usize..4) {
        let constraint = [c(&["rack", "GROUP_BY"]), c(&["rack", "MAX_PER", "2"]), c(&["rack", "UNIQUE"]), c(&["rack", "CLUSTER"])][op].clone();
        let rooms: Vec<Room> = racks.iter().enumerate()
            .map(|(i, r)| room(&format!("h{i}"), &[("rack", &format!("r{r}"))], 100.0, 10_000.0)).collect();
        let beside: Vec<usize> = beside.into_iter().filter(|i| *i < rooms.len()).collect();
        let constraints = [constraint];
        let mut one_by_one = place(&rooms, need(0.1, 1.0, &constraints), &[]);
        for i in &beside {
            one_by_one.placed(&rooms, *i);
        }
        let mut at_once = place(&rooms, need(0.1, 1.0, &constraints), &beside);
        prop_assert_eq!(one_by_one.refusals(&rooms), at_once.refusals(&rooms));
        prop_assert_eq!(one_by_one.next(&rooms).is_some(), at_once.next(&rooms).is_some());
    }
}

#[test]
fn an_app_has_what_its_roles_have_and_leaves_the_rest() {
    let mut rooms = rooms();
    let share = |role: &str, cpus: f64, ports: (u16, u16)| Share {
        role: role.to_owned(),
        cpus,
        mem: 500.0,
        ports: vec![ports],
        ports_free: 2,
        ..Share::default()
    };
    rooms[0].shares = vec![share("*", 3.0, (100, 101)), share("db", 1.0, (200, 201))];
    rooms[0].disk_free = 10.0;
    let (star, db) = ([String::from("*")], [String::from("db")]);
    let fits = |room: &Room, cpus: f64, roles: &[String]| {
        let need = Need { roles, ports: 1, ..need(cpus, 10.0, &[]) };
        place(std::slice::from_ref(room), need, &[]).fits(0, room)
    };
    assert_eq!(fits(&rooms[0], 4.0, &[]), Ok(()));
    assert_eq!(fits(&rooms[0], 3.0, &star), Ok(()));
    assert_eq!(fits(&rooms[0], 3.5, &star), Err(Refusal::InsufficientCpus), "the fourth is not theirs");
    assert_eq!(fits(&rooms[0], 1.5, &db), Err(Refusal::InsufficientCpus));
    assert_eq!(fits(&rooms[0], 0.1, &[String::from("web")]), Err(Refusal::UnfulfilledRole));
    // Who accepts all takes what is reserved first.
    rooms[0].take(&need(1.5, 10.0, &[]), &[200, 201]);
    assert_eq!(fits(&rooms[0], 2.5, &star), Ok(()));
    assert_eq!(fits(&rooms[0], 2.6, &star), Err(Refusal::InsufficientCpus));
    assert_eq!(fits(&rooms[0], 0.0, &db), Err(Refusal::InsufficientPorts));
}
