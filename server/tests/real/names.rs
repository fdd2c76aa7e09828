//! Every instance has a name of its own, there and back, for as long as it holds
//! its address: judged by `dig` against the running name server.

use super::Outcome;
use crate::portal::Portal;
use crate::world::{containers, docker, docker_socket, instances, scale, small_site, test};
use std::collections::BTreeMap;
use tokio::process::Command;

struct Dig(u16);

impl Dig {
    async fn ask(&self, args: &[&str]) -> Outcome<String> {
        let port = self.0.to_string();
        let server = ["@127.0.0.1", "-p", &port, "+tries=1", "+time=2", "+norec"];
        let out = Command::new("dig").args(server).args(args).output().await?;
        Ok(String::from_utf8(out.stdout)?)
    }

    /// The records alone, without white space of dig's own.
    async fn records(&self, args: &[&str]) -> Outcome<Vec<String>> {
        let text = self.ask(&[args, &["+noall", "+answer"]].concat()).await?;
        Ok(text.lines().map(|l| l.split_whitespace().collect::<Vec<_>>().join(" ")).collect())
    }
}

/// Name to address of the instances that the portal shows.
async fn wanted(p: &Portal, app: &str) -> Outcome<BTreeMap<String, String>> {
    let mut out = BTreeMap::new();
    for i in instances(p, app).await? {
        let Some(ip) = i["address"].as_str() else { continue };
        out.insert(format!("r{}-{}.{app}.default.inst.dev.padis.localhost.", i["release"], i["slot"]), ip.to_owned());
    }
    Ok(out)
}

fn reverse(ip: &str) -> String {
    let octets: Vec<&str> = ip.rsplit('.').collect();
    format!("{}.in-addr.arpa.", octets.join("."))
}

/// Waits until each instance's name and address lead to one another; gives them.
async fn until_named(p: &Portal, dig: &Dig, app: &str, n: usize) -> Outcome<BTreeMap<String, String>> {
    let mut found = BTreeMap::new();
    p.until("every instance has its name", 60, async |p| {
        found = wanted(p, app).await?;
        for (name, ip) in &found {
            // The time to live is the pool's.
            if dig.records(&[name, "A"]).await? != [format!("{name} 5 IN A {ip}")]
                || dig.records(&["-x", ip]).await? != [format!("{} 5 IN PTR {name}", reverse(ip))]
            {
                return Ok(false);
            }
        }
        Ok(found.len() == n)
    })
    .await?;
    Ok(found)
}

async fn until_nameless(p: &Portal, dig: &Dig, name: &str, ip: &str) -> Outcome<()> {
    p.until("the address points nowhere", 60, async |_| {
        let (there, back) = (dig.ask(&[name, "A"]).await?, dig.ask(&["-x", ip]).await?);
        Ok(there.contains("status: NXDOMAIN") && back.contains("status: NXDOMAIN"))
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn every_instance_has_a_name_there_and_back() {
    test("names", async |place| {
        let mut p = Portal::start(place).await?;
        let dig = Dig(place.ports[4]);
        let package = small_site(&p).await?;
        p.go_online("shop", &package, 2).await?;
        let both = until_named(&p, &dig, "shop", 2).await?;
        authority(&dig, both.values().next().ok_or("an address")?).await?;

        // One goes: its name goes with its address, the other one's stays.
        scale(&p, "shop", 1).await?;
        p.until("one is left", 60, async |p| Ok(wanted(p, "shop").await?.len() == 1)).await?;
        let one = until_named(&p, &dig, "shop", 1).await?;
        for (name, ip) in both.iter().filter(|(name, _)| !one.contains_key(*name)) {
            until_nameless(&p, &dig, name, ip).await?;
        }

        // Killed behind the portal's back: the slot's name moves to the replacement's address.
        for id in containers("shop").await? {
            docker(&docker_socket(), &["kill", &id]).await?;
        }
        let (name, old) = one.iter().next().ok_or("one")?;
        p.until("another address", 60, async |p| Ok(wanted(p, "shop").await?.get(name).is_some_and(|ip| ip != old)))
            .await?;
        let new = until_named(&p, &dig, "shop", 1).await?;
        assert_eq!(dig.records(&["-x", old]).await?, Vec::<String>::new(), "{old} rests and points nowhere");

        // The name server lives in the portal; after a kill it knows everything again.
        p.child.kill().await?;
        p = Portal::launch(place).await?;
        p.sign_in().await?;
        assert_eq!(until_named(&p, &dig, "shop", 1).await?, new, "the same instance at the same address");

        p.delete("shop").await?;
        for (name, ip) in &new {
            until_nameless(&p, &dig, name, ip).await?;
        }
        let gone = dig.ask(&["shop.dev.padis.localhost", "A"]).await?;
        assert!(gone.contains("status: NXDOMAIN"), "{gone}");
        p.stop().await;
        Ok(())
    })
    .await;
}

/// SOA, NS, what is not there, and the same over TCP.
async fn authority(dig: &Dig, ip: &str) -> Outcome<()> {
    let reverse_zone = reverse(ip).split_once('.').map(|(_, zone)| zone.to_owned()).unwrap_or_default();
    for zone in ["dev.padis.localhost.", &reverse_zone] {
        let soa = dig.records(&[zone, "SOA"]).await?;
        assert!(
            soa.len() == 1 && soa[0].contains("IN SOA ns.padis.localhost. hostmaster.padis.localhost. "),
            "{zone}: {soa:?}"
        );
        let ns = dig.records(&[zone, "NS"]).await?;
        assert!(ns.len() == 1 && ns[0].ends_with("IN NS ns.padis.localhost."), "{zone}: {ns:?}");
        let nothing = dig.ask(&[&format!("nothing.{zone}"), "A"]).await?;
        assert!(nothing.contains("status: NXDOMAIN") && nothing.contains("SOA"), "{nothing}");
    }
    let other_kind = dig.ask(&["shop.dev.padis.localhost", "AAAA"]).await?;
    assert!(other_kind.contains("status: NOERROR") && other_kind.contains("ANSWER: 0"), "{other_kind}");
    assert!(other_kind.contains("SOA"), "{other_kind}");
    let above = dig.ask(&["inst.dev.padis.localhost", "A"]).await?;
    assert!(above.contains("status: NOERROR") && above.contains("ANSWER: 0"), "{above}");
    let foreign = dig.ask(&["www.example.com", "A"]).await?;
    assert!(foreign.contains("status: REFUSED"), "{foreign}");
    assert_eq!(dig.records(&["-x", ip, "+tcp"]).await?, dig.records(&["-x", ip]).await?);
    assert_eq!(
        dig.records(&["shop.dev.padis.localhost", "A", "+tcp"]).await?,
        ["shop.dev.padis.localhost. 5 IN A 127.0.0.1"]
    );
    Ok(())
}
