//! One suite for the fake and for the built-in name server, and what only a resolver
//! can judge: the server is asked by Debian's `dig` on a loopback port of its own.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

use padis_domain::ports::{Dns, NameRecord, PortError};
use padis_drivers::dns::{DnsConfig, DnsServer};
use padis_drivers::fake::FakeDns;
use std::net::{SocketAddr, UdpSocket};
use std::process::Command;
use std::time::Instant;

fn record(name: &str, addresses: &[&str], ttl_s: u32, ptr: bool) -> NameRecord {
    let addresses = addresses.iter().map(|a| (*a).to_owned()).collect();
    NameRecord { name: name.to_owned(), addresses, ttl_s, ptr }
}

/// What a resolver hears, for the contract: of the fake by asking it, of the server by dig.
#[async_trait::async_trait]
trait Heard {
    async fn addresses(&self, name: &str) -> Vec<String>;
    async fn names(&self, address: &str) -> Vec<String>;
}

#[async_trait::async_trait]
impl Heard for FakeDns {
    async fn addresses(&self, name: &str) -> Vec<String> {
        self.resolve(name)
    }
    async fn names(&self, address: &str) -> Vec<String> {
        self.points_back(address)
    }
}

#[async_trait::async_trait]
impl Heard for DnsServer {
    async fn addresses(&self, name: &str) -> Vec<String> {
        short(self.address(), &[name, "A"]).await
    }
    async fn names(&self, address: &str) -> Vec<String> {
        let names = short(self.address(), &["-x", address]).await;
        names.iter().map(|n| n.trim_end_matches('.').to_owned()).collect()
    }
}

/// The names of instances: there and back, while another one takes over, and gone with the address.
async fn instances(dns: &(impl Dns + Heard)) {
    let name = |release: u32| format!("r{release}-0.shop.claims.inst.dev.padis.localhost");
    dns.put(&record("shop.dev.padis.localhost", &["127.0.0.1"], 5, false)).await.unwrap();
    dns.put(&record(&name(3), &["10.210.16.5"], 5, true)).await.unwrap();
    dns.put(&record(&name(4), &["10.210.16.6"], 5, true)).await.unwrap();
    assert_eq!(dns.addresses(&name(3)).await, ["10.210.16.5"]);
    assert_eq!(dns.names("10.210.16.5").await, [name(3)]);
    assert_eq!(dns.names("10.210.16.6").await, [name(4)]);
    assert_eq!(dns.names("127.0.0.1").await, [""; 0], "the balancer's address points nowhere");
    // Healed: the slot's name moves to another address, and the old one points nowhere.
    dns.put(&record(&name(4), &["10.210.16.7"], 5, true)).await.unwrap();
    assert_eq!(dns.names("10.210.16.6").await, [""; 0]);
    assert_eq!(dns.names("10.210.16.7").await, [name(4)]);
    // The freed address goes to somebody else.
    dns.delete(&name(3)).await.unwrap();
    assert_eq!((dns.addresses(&name(3)).await, dns.names("10.210.16.5").await), (vec![], vec![]));
    dns.put(&record("r1-0.other.team.inst.dev.padis.localhost", &["10.210.16.5"], 5, true)).await.unwrap();
    assert_eq!(dns.names("10.210.16.5").await, ["r1-0.other.team.inst.dev.padis.localhost"]);
    for n in dns.list().await.unwrap() {
        dns.delete(&n.name).await.unwrap();
    }
    assert_eq!(dns.names("10.210.16.7").await, [""; 0]);
}

/// What every name service does.
async fn contract(dns: &(impl Dns + Heard)) {
    instances(dns).await;
    dns.ping().await.unwrap();
    assert_eq!(dns.list().await.unwrap(), []);
    let a = record("a.team.padis.localhost", &["10.210.16.5"], 30, true);
    let b = record("b.team.padis.localhost", &["10.210.16.6", "10.210.16.7", "fd00::6"], 5, false);
    dns.put(&a).await.unwrap();
    dns.put(&b).await.unwrap();
    dns.put(&a).await.unwrap();
    let mut listed = dns.list().await.unwrap();
    listed.sort_by(|x, y| x.name.cmp(&y.name));
    assert_eq!(listed, [a.clone(), b.clone()]);
    let moved = record(&a.name, &["10.210.16.9"], 60, false);
    dns.put(&moved).await.unwrap();
    dns.delete(&b.name).await.unwrap();
    dns.delete(&b.name).await.unwrap();
    dns.delete("never.was.padis.localhost").await.unwrap();
    assert_eq!(dns.list().await.unwrap(), [moved]);
    dns.delete(&a.name).await.unwrap();
    assert_eq!(dns.list().await.unwrap(), []);
}

#[tokio::test]
async fn the_fake_keeps_the_contract() {
    contract(&FakeDns::new()).await;
}

#[tokio::test]
async fn the_server_keeps_the_contract() {
    contract(&server().await).await;
}

async fn server() -> DnsServer {
    let config = DnsConfig {
        listen: "127.0.0.1:0".parse().unwrap(),
        reverse: vec!["10.210.16.0/24".parse().unwrap()],
        ..DnsConfig::default()
    };
    DnsServer::start(config).await.unwrap()
}

/// Runs dig; its whole output.
async fn dig(at: SocketAddr, args: &[&str]) -> String {
    let mut command = Command::new("dig");
    command
        .arg(format!("@{}", at.ip()))
        .arg("-p")
        .arg(at.port().to_string())
        .args(["+tries=1", "+time=2", "+norec"])
        .args(args);
    let out = tokio::task::spawn_blocking(move || command.output()).await.unwrap();
    let out = out.expect("dig is part of Debian's bind9-dnsutils");
    String::from_utf8(out.stdout).unwrap()
}

async fn short(at: SocketAddr, args: &[&str]) -> Vec<String> {
    let out = dig(at, &[args, &["+short"]].concat()).await;
    let mut lines: Vec<String> = out.lines().map(str::to_owned).collect();
    lines.sort();
    lines
}

#[tokio::test]
async fn a_resolver_sees_changes_at_once() {
    let dns = server().await;
    let at = dns.address();
    dns.put(&record("shop.team.padis.localhost", &["10.210.16.5", "fd00::5"], 30, true)).await.unwrap();
    let name = "shop.team.padis.localhost";
    assert_eq!(short(at, &[name, "A"]).await, ["10.210.16.5"]);
    assert_eq!(short(at, &[name, "AAAA"]).await, ["fd00::5"]);
    assert_eq!(short(at, &["-x", "10.210.16.5"]).await, ["shop.team.padis.localhost."]);
    assert_eq!(short(at, &["padis.localhost", "NS"]).await, ["ns.padis.localhost."]);
    assert_eq!(short(at, &["ns.padis.localhost", "A"]).await, ["127.0.0.1"]);
    let answer = dig(at, &["ShOp.tEam.padis.LOCALHOST", "A"]).await;
    assert!(answer.contains("ShOp.tEam.padis.LOCALHOST. 30\tIN\tA\t10.210.16.5"), "{answer}");
    assert!(answer.contains("flags: qr aa;"), "{answer}");
    dns.put(&record(name, &["10.210.16.9"], 30, true)).await.unwrap();
    assert_eq!(short(at, &[name, "A"]).await, ["10.210.16.9"]);
    assert_eq!(short(at, &["-x", "10.210.16.9"]).await, ["shop.team.padis.localhost."]);
    assert_eq!(short(at, &["-x", "10.210.16.5"]).await, Vec::<String>::new());
    dns.delete(name).await.unwrap();
    assert!(dig(at, &[name, "A"]).await.contains("status: NXDOMAIN"));
}

#[tokio::test]
async fn absence_is_told_apart_and_carries_the_soa() {
    let dns = server().await;
    let at = dns.address();
    dns.put(&record("shop.team.padis.localhost", &["10.210.16.5"], 30, true)).await.unwrap();
    let soa = "padis.localhost.\t5\tIN\tSOA\tns.padis.localhost. hostmaster.padis.localhost. ";
    let missing = dig(at, &["nothing.padis.localhost", "A"]).await;
    assert!(missing.contains("status: NXDOMAIN") && missing.contains(soa), "{missing}");
    let no_such_type = dig(at, &["shop.team.padis.localhost", "AAAA"]).await;
    assert!(no_such_type.contains("status: NOERROR") && no_such_type.contains(soa), "{no_such_type}");
    assert!(no_such_type.contains("ANSWER: 0"), "{no_such_type}");
    let between = dig(at, &["team.padis.localhost", "A"]).await;
    assert!(between.contains("status: NOERROR") && between.contains("ANSWER: 0"), "{between}");
    let foreign = dig(at, &["www.example.com", "A"]).await;
    assert!(foreign.contains("status: REFUSED") && foreign.contains("ANSWER: 0"), "{foreign}");
    let recursion = dig(at, &["www.example.com", "A", "+rec"]).await;
    assert!(
        recursion.contains("status: REFUSED") && recursion.contains("recursion requested but not available"),
        "{recursion}"
    );
    let transfer = dig(at, &["padis.localhost", "AXFR"]).await;
    assert!(transfer.contains("Transfer failed") && !transfer.contains("10.210.16.5"), "{transfer}");
    let version = dig(at, &["padis.localhost", "SOA", "+edns=7", "+noednsneg"]).await;
    assert!(version.contains("status: BADVERS"), "{version}");
}

#[tokio::test]
async fn the_serial_number_increases() {
    let dns = server().await;
    let serial = async || -> u32 {
        let soa = short(dns.address(), &["padis.localhost", "SOA"]).await;
        soa[0].split(' ').nth(2).unwrap().parse().unwrap()
    };
    let first = serial().await;
    dns.put(&record("x.padis.localhost", &["10.210.16.5"], 30, false)).await.unwrap();
    assert_eq!(serial().await, first + 1);
    dns.delete("x.padis.localhost").await.unwrap();
    assert_eq!(serial().await, first + 2);
}

#[tokio::test]
async fn a_large_answer_comes_over_tcp() {
    let dns = server().await;
    let addresses: Vec<String> = (1..=200).map(|n| format!("10.210.16.{n}")).collect();
    let addresses: Vec<&str> = addresses.iter().map(String::as_str).collect();
    dns.put(&record("many.padis.localhost", &addresses, 30, false)).await.unwrap();
    let udp = dig(dns.address(), &["many.padis.localhost", "A", "+ignore"]).await;
    assert!(udp.contains("flags: qr aa tc;"), "{udp}");
    // dig asks again over TCP by itself, as every resolver must.
    assert_eq!(short(dns.address(), &["many.padis.localhost", "A"]).await.len(), 200);
    assert_eq!(short(dns.address(), &["many.padis.localhost", "A", "+tcp"]).await.len(), 200);
}

#[tokio::test]
async fn zones_and_subnets_are_added_while_it_runs() {
    let dns = server().await;
    let at = dns.address();
    let record = record("shop.apps.example.test", &["10.99.3.4"], 30, true);
    let error = dns.put(&record).await.unwrap_err();
    assert!(
        matches!(&error, PortError::Refused { reason, .. } if reason.contains("outside the zones") && reason.contains("“padis.localhost”")),
        "{error}"
    );
    assert!(dig(at, &["shop.apps.example.test", "A"]).await.contains("status: REFUSED"));
    dns.add_zone("apps.example.test").unwrap();
    dns.add_zone("apps.example.test").unwrap();
    dns.put(&record).await.unwrap();
    assert_eq!(short(at, &["shop.apps.example.test", "A"]).await, ["10.99.3.4"]);
    assert!(dig(at, &["-x", "10.99.3.4"]).await.contains("status: REFUSED"));
    dns.ensure_zone("apps.example.test", "10.99.0.0/16".parse().unwrap()).await.unwrap();
    assert_eq!(short(at, &["-x", "10.99.3.4"]).await, ["shop.apps.example.test."]);
    assert!(dns.zones().contains(&"99.10.in-addr.arpa".to_owned()));
    assert!(dns.add_zone("not a zone").is_err());
}

#[tokio::test]
async fn garbage_does_not_disturb_it() {
    let dns = server().await;
    dns.put(&record("x.padis.localhost", &["10.210.16.5"], 30, false)).await.unwrap();
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    let mut seed = 7u32;
    for length in (0..600).chain([1232, 4096]) {
        let noise: Vec<u8> = (0..length)
            .map(|_| {
                seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                (seed >> 24) as u8
            })
            .collect();
        socket.send_to(&noise, dns.address()).unwrap();
    }
    for torn in [&b"\x00"[..], b"\x00\x05ab", b"\xff\xff", b"\x00\x02\x00\x00"] {
        use std::io::Write;
        std::net::TcpStream::connect(dns.address()).unwrap().write_all(torn).unwrap();
    }
    dns.ping().await.unwrap();
    assert_eq!(short(dns.address(), &["x.padis.localhost", "A"]).await, ["10.210.16.5"]);
    assert_eq!(short(dns.address(), &["x.padis.localhost", "A", "+tcp"]).await, ["10.210.16.5"]);
}

#[tokio::test]
async fn stopping_frees_the_port_and_the_ping_says_so() {
    let dns = server().await;
    let at = dns.address();
    dns.stop().await;
    assert!(matches!(dns.ping().await, Err(PortError::Transient { .. })));
    let again = DnsConfig { listen: at, ..DnsConfig::default() };
    let second = DnsServer::start(again.clone()).await.unwrap();
    second.ping().await.unwrap();
    let error = DnsServer::start(again).await.err().expect("the port is taken");
    assert!(error.to_string().contains(&format!("cannot listen on {at}")), "{error}");
}

fn resident_kib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|l| l.strip_prefix("VmRSS:")).unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}

#[tokio::test]
async fn a_hundred_thousand_names_are_put_and_answered() {
    let dns = server().await;
    dns.add_reverse("10.0.0.0/16".parse().unwrap());
    dns.add_reverse("10.1.0.0/16".parse().unwrap());
    let (before, begun) = (resident_kib(), Instant::now());
    for n in 0..100_000u32 {
        let ip = format!("10.{}.{}.{}", n >> 16, n >> 8 & 255, n & 255);
        dns.put(&record(&format!("app-{n}.team.padis.localhost"), &[&ip], 30, true)).await.unwrap();
    }
    let grown = resident_kib() - before;
    println!("100,000 names put in {} ms, memory grew by {grown} KiB", begun.elapsed().as_millis());
    assert!(grown < 64 * 1024, "{grown} KiB for 100,000 names");
    let begun = Instant::now();
    assert_eq!(dns.list().await.unwrap().len(), 100_000);
    println!("listed in {} ms", begun.elapsed().as_millis());
    assert_eq!(short(dns.address(), &["app-99999.team.padis.localhost", "A"]).await, ["10.1.134.159"]);
    assert_eq!(short(dns.address(), &["-x", "10.1.134.159"]).await, ["app-99999.team.padis.localhost."]);
}
