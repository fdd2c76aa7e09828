//! Addresses: 64 clients that allocate and give back, on SQLite.

use super::Outcome;
use super::table::Table;
use padis_domain::app::AppRef;
use padis_server::store::Store;
use padis_server::store::claims::{self, Given, Owner};
use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// Measures.
pub async fn measure(t: &mut Table) -> Outcome<()> {
    let folder = tempfile::tempdir()?;
    let store = Store::open(&format!("sqlite:{}", folder.path().join("padis.db").display())).await?;
    let net = "10.20.0.0/20".parse()?;
    let (end, taken) = (Instant::now() + Duration::from_secs(5), Arc::new(Mutex::new(BTreeSet::new())));
    let mut clients = tokio::task::JoinSet::new();
    for c in 0..64u32 {
        let (store, taken) = (store.clone(), Arc::clone(&taken));
        clients.spawn(async move {
            let app = AppRef { team: "t".into(), app: "a".into() };
            let (mut n, mut doubled) = (0u64, 0u64);
            while Instant::now() < end {
                let task = format!("c{c}n{n}");
                let owner = Owner { app_id: "a", app: &app };
                let got = claims::allocate(&store, &owner, 1, c, &task, "p", net, net.first()).await;
                let Ok(Given::Address(ip)) = got else { return (n, u64::MAX) };
                doubled += u64::from(!taken.lock().is_ok_and(|mut s| s.insert(ip)));
                if let Ok(mut s) = taken.lock() {
                    s.remove(&ip);
                }
                if claims::give_back(&store, &task, 0, "").await.is_err() {
                    return (n, u64::MAX);
                }
                n += 1;
            }
            (n, doubled)
        });
    }
    let all = clients.join_all().await;
    let (pairs, doubled) = all.iter().fold((0, 0u64), |(a, b), (n, d)| (a + n, b.saturating_add(*d)));
    // One pair is two operations, as "allocating and releasing" counts them.
    let rate = pairs * 2 / 5;
    t.row(
        "addresses: 64 clients allocating and releasing",
        "≥ 2,000 a second, none twice",
        format!("{rate} a second, {doubled} twice"),
        Some(rate >= 2_000 && doubled == 0),
    );
    Ok(())
}
