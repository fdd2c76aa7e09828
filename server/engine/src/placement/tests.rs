use super::*;
use proptest::prelude::*;

fn room(name: &str, attributes: &[(&str, &str)], cpus: f64, mem: f64) -> Room {
    Room {
        name: name.to_owned(),
        attributes: attributes.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect(),
        cpus_total: cpus,
        mem_total: mem,
        cpus_free: cpus,
        mem_free: mem,
        ports_free: 100,
        up: true,
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

fn pick(constraint: &[&str], beside: &[&str]) -> Option<String> {
    let constraints = [c(constraint)];
    let need = Need { cpus: 0.1, mem: 10.0, disk: 0.0, gpus: 0, ports: 0, constraints: &constraints };
    let rooms = rooms();
    choose(&rooms, &need, beside).ok().map(|i| rooms[i].name.clone())
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
    let need = Need { cpus: 1.0, mem: 10.0, disk: 0.0, gpus: 0, ports: 0, constraints: &constraints };
    assert_eq!(
        choose(&rooms, &need, &[]),
        Err(vec![
            (0, Refusal::UnfulfilledConstraint),
            (1, Refusal::InsufficientCpus),
            (2, Refusal::InsufficientMemory)
        ])
    );
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
        let need = Need { cpus: f64::from(cpus) / 10.0, mem: f64::from(mem), disk: 0.0, gpus: 0, ports: 0, constraints: &[] };
        let mut beside: Vec<String> = Vec::new();
        for _ in 0..wanted {
            let names: Vec<&str> = beside.iter().map(String::as_str).collect();
            let open: Vec<usize> = rooms.iter()
                .filter(|r| fits(&rooms, r, &need, &names).is_ok())
                .map(|r| names.iter().filter(|n| **n == r.name).count())
                .collect();
            match choose(&rooms, &need, &names) {
                Ok(i) => {
                    let mine = names.iter().filter(|n| **n == rooms[i].name).count();
                    prop_assert_eq!(Some(&mine), open.iter().min());
                    rooms[i].cpus_free -= need.cpus;
                    rooms[i].mem_free -= need.mem;
                    prop_assert!(rooms[i].cpus_free > -0.01 && rooms[i].mem_free > -0.01);
                    beside.push(rooms[i].name.clone());
                }
                Err(refused) => {
                    prop_assert!(open.is_empty());
                    prop_assert_eq!(refused.len(), rooms.len());
                    break;
                }
            }
        }
    }
}
