//! 500 requests a second through the balancer while the application changes.

use super::Outcome;
use super::delivery::upload_site;
use super::portal::Portal;
use super::table::Table;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

/// Requests a second.
const RATE: u64 = 500;

/// Measures.
pub async fn measure(p: &Portal, t: &mut Table) -> Outcome<()> {
    let (one, two) = (upload_site(p, "load one").await?, upload_site(p, "load two").await?);
    p.go_online("load", &one, 3).await?;
    settled(p, 3).await?;
    let (stop, sent, failed) =
        (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)), Arc::new(AtomicU64::new(0)));
    let generator =
        tokio::spawn(generate(p.balancer.clone(), Arc::clone(&stop), Arc::clone(&sent), Arc::clone(&failed)));
    let changes = async {
        p.act("scale", "load", &[("instances", "1".into())]).await?;
        settled(p, 1).await?;
        p.act("scale", "load", &[("instances", "3".into())]).await?;
        settled(p, 3).await?;
        p.act("release_app", "load", &[("package", two.clone())]).await?;
        p.until("the new release alone", 120, async |p| {
            let v = p.app("load").await?;
            let all = v["instances"].as_array().cloned().unwrap_or_default();
            Ok(v["release"] == 2 && all.len() == 3 && all.iter().all(|i| i["release"] == 2 && i["state"] == "well"))
        })
        .await
    }
    .await;
    // A little longer, for what comes late.
    tokio::time::sleep(Duration::from_secs(1)).await;
    stop.store(true, Ordering::Relaxed);
    generator.await?;
    changes?;
    p.delete("load").await?;
    let (n, f) = (sent.load(Ordering::Relaxed), failed.load(Ordering::Relaxed));
    t.row(
        "3→1→3 and a release change under 500 requests/s",
        "0 failed requests",
        format!("{f} failed of {n}"),
        Some(f == 0 && n > 1_000),
    );
    Ok(())
}

async fn settled(p: &Portal, n: usize) -> Outcome<()> {
    p.until("settled", 120, async |p| {
        let v = p.app("load").await?;
        let all = v["instances"].as_array().cloned().unwrap_or_default();
        Ok(v["state"] == "online" && all.len() == n && all.iter().all(|i| i["state"] == "well"))
    })
    .await
}

/// An open loop: the next request goes out on time, whether or not the one before was answered.
async fn generate(url: String, stop: Arc<AtomicBool>, sent: Arc<AtomicU64>, failed: Arc<AtomicU64>) {
    let Ok(http) = reqwest::Client::builder().no_proxy().timeout(Duration::from_secs(10)).build() else { return };
    let mut tick = tokio::time::interval(Duration::from_micros(1_000_000 / RATE));
    let mut running = tokio::task::JoinSet::new();
    while !stop.load(Ordering::Relaxed) {
        tick.tick().await;
        let (http, url, sent, failed) = (http.clone(), url.clone(), Arc::clone(&sent), Arc::clone(&failed));
        running.spawn(async move {
            let good = match http.get(&url).header("Host", Portal::host("load")).send().await {
                Ok(a) if a.status().is_success() => a.text().await.is_ok_and(|t| t.contains("bench")),
                _ => false,
            };
            sent.fetch_add(1, Ordering::Relaxed);
            if !good {
                failed.fetch_add(1, Ordering::Relaxed);
            }
        });
        while running.try_join_next().is_some() {}
    }
    running.join_all().await;
}
