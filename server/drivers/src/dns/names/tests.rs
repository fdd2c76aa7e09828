use super::*;
use crate::dns::DnsConfig;

fn names() -> Names {
    let mut names = Names::new(DnsConfig::default().authority().unwrap());
    names.ensure_zone("padis.localhost").unwrap();
    names.ensure_reverse("10.210.16.0/20".parse().unwrap());
    names
}

fn record(name: &str, ip: &str) -> NameRecord {
    NameRecord { name: name.to_owned(), addresses: vec![ip.to_owned()], ttl_s: 30, ptr: true }
}

fn ask(names: &Names, name: &str, kind: RecordType) -> String {
    match names.answer(&Name::from_ascii(name).unwrap(), kind) {
        Answer::Refused => "refused".to_owned(),
        Answer::Records(r) => r.iter().map(|r| r.data.to_string()).collect::<Vec<_>>().join(" "),
        Answer::NoData(_) => "nodata".to_owned(),
        Answer::NoName(_) => "nxdomain".to_owned(),
    }
}

#[test]
fn a_name_above_another_exists_without_a_record() {
    let mut n = names();
    n.put(&record("shop.team.padis.localhost", "10.210.16.5")).unwrap();
    assert_eq!(ask(&n, "shop.team.padis.localhost.", RecordType::A), "10.210.16.5");
    assert_eq!(ask(&n, "shop.team.padis.localhost.", RecordType::AAAA), "nodata");
    assert_eq!(ask(&n, "team.padis.localhost.", RecordType::A), "nodata");
    assert_eq!(ask(&n, "tea.padis.localhost.", RecordType::A), "nxdomain");
    assert_eq!(ask(&n, "x.shop.team.padis.localhost.", RecordType::A), "nxdomain");
    assert_eq!(ask(&n, "localhost.", RecordType::A), "refused");
    assert_eq!(ask(&n, "xpadis.localhost.", RecordType::A), "refused");
    n.delete("shop.team.padis.localhost");
    assert_eq!(ask(&n, "team.padis.localhost.", RecordType::A), "nxdomain");
}

#[test]
fn addresses_point_back_only_while_the_name_is_there() {
    let mut n = names();
    n.put(&record("a.padis.localhost", "10.210.31.9")).unwrap();
    assert_eq!(ask(&n, "9.31.210.10.in-addr.arpa.", RecordType::PTR), "a.padis.localhost.");
    assert_eq!(ask(&n, "9.31.210.10.in-addr.arpa.", RecordType::A), "nodata");
    assert_eq!(ask(&n, "8.31.210.10.in-addr.arpa.", RecordType::PTR), "nxdomain");
    assert_eq!(ask(&n, "9.32.210.10.in-addr.arpa.", RecordType::PTR), "refused");
    n.put(&record("a.padis.localhost", "10.210.17.1")).unwrap();
    assert_eq!(ask(&n, "9.31.210.10.in-addr.arpa.", RecordType::PTR), "nxdomain");
    n.delete("a.padis.localhost");
    assert_eq!(ask(&n, "1.17.210.10.in-addr.arpa.", RecordType::PTR), "nxdomain");
    assert!(n.reverse.is_empty() && n.forward.is_empty());
}

#[test]
fn empty_non_terminals_of_a_wide_reverse_zone_exist() {
    let mut n = names();
    n.ensure_reverse("10.3.0.0/16".parse().unwrap());
    n.put(&record("b.padis.localhost", "10.3.255.1")).unwrap();
    assert_eq!(ask(&n, "255.3.10.in-addr.arpa.", RecordType::PTR), "nodata");
    assert_eq!(ask(&n, "254.3.10.in-addr.arpa.", RecordType::PTR), "nxdomain");
    assert_eq!(ask(&n, "01.255.3.10.in-addr.arpa.", RecordType::PTR), "nxdomain");
}

#[test]
fn serials_increase_with_every_change_and_only_then() {
    let mut n = names();
    let serial = |n: &Names| n.zones["localhost.padis"];
    let start = serial(&n);
    n.put(&record("a.padis.localhost", "10.210.16.5")).unwrap();
    n.put(&record("a.padis.localhost", "10.210.16.5")).unwrap();
    n.delete("missing.padis.localhost");
    assert_eq!(serial(&n), start + 1);
    n.delete("a.padis.localhost");
    assert_eq!(serial(&n), start + 2);
}

#[test]
fn a_dot_inside_a_label_matches_nothing() {
    let mut n = names();
    n.put(&record("a.b.padis.localhost", "10.210.16.5")).unwrap();
    assert_eq!(ask(&n, "a\\.b.padis.localhost.", RecordType::A), "nxdomain");
}

#[test]
fn what_cannot_be_served_is_refused_in_words() {
    let mut n = names();
    let why = |n: &mut Names, name: &str, ip: &str| n.put(&record(name, ip)).unwrap_err().to_string();
    assert!(why(&mut n, "a.example.com", "10.0.0.1").contains("outside the zones"));
    assert!(why(&mut n, "A.padis.localhost", "10.0.0.1").contains("not a host name"));
    assert!(why(&mut n, "a..padis.localhost", "10.0.0.1").contains("not a host name"));
    assert!(why(&mut n, "ns.padis.localhost", "10.0.0.1").contains("own name"));
    assert!(why(&mut n, "a.padis.localhost", "10.0.0").contains("not an IP address"));
    assert!(why(&mut n, "5.16.210.10.in-addr.arpa", "10.0.0.1").contains("outside the zones"));
}
