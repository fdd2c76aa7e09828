//! `make bench`: the figures that the project promises, measured in one run with
//! everything real: the release server, the Docker Engine, the registry, HAProxy.
//!
//! Runs inside the laboratory (`end2end/lab/run`), started by `end2end/bench`.
//! One could get it wrong by measuring the portal's own word for it: "online" here
//! is the first good answer that this program gets through the balancer.

mod addresses;
mod browser;
mod delivery;
mod engine;
mod images;
mod load;
mod noise;
mod pages;
mod portal;
mod scale;
mod table;
mod upload;
mod workbench;

use portal::{Place, Portal};
use table::Table;

type Outcome<T> = Result<T, Box<dyn std::error::Error + Send + Sync>>;

#[tokio::main]
async fn main() -> Outcome<()> {
    // A second provider in one process is refused and changes nothing.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let only: Vec<String> = std::env::args().skip(1).collect();
    let wants = |name: &str| only.is_empty() || only.iter().any(|o| o == name);
    let mut t = Table::default();
    if wants("addresses") {
        addresses::measure(&mut t).await?;
    }
    let need = |name: &str| std::env::var(name).map_err(|_| format!("{name} is not set: run this by 'make bench'"));
    if wants("engine") {
        engine::measure(need("PADIS_BENCH_SERVER")?.as_ref(), &mut t).await?;
    }
    if wants("scale") {
        // A portal of its own, with another Marathon than the built-in one.
        let place = Place {
            server: need("PADIS_BENCH_SERVER")?.into(),
            push: need("PADIS_BENCH_PUSH")?.into(),
            data: std::path::PathBuf::from(need("PADIS_LAB")?).join("scale"),
            ports: [3010, 8090, 5060, 5010, 5363, 8010],
        };
        scale::measure(&place, &mut t).await?;
    }
    if wants("images") {
        // A portal of its own, with more registries than the built-in one.
        let place = Place {
            server: need("PADIS_BENCH_SERVER")?.into(),
            push: need("PADIS_BENCH_PUSH")?.into(),
            data: std::path::PathBuf::from(need("PADIS_LAB")?).join("images"),
            ports: [3020, 8091, 5061, 5011, 5364, 8011],
        };
        images::measure(&place, &mut t).await?;
    }
    if !only.is_empty() && only.iter().all(|o| ["engine", "addresses", "scale", "images"].contains(&o.as_str())) {
        t.print();
        return Ok(());
    }
    let place = Place {
        server: need("PADIS_BENCH_SERVER")?.into(),
        push: need("PADIS_BENCH_PUSH")?.into(),
        data: std::path::PathBuf::from(need("PADIS_LAB")?).join("data"),
        ports: [3000, 8080, 5050, 5000, 5353, 8000],
    };
    let portal = Portal::start(&place).await?;
    let measured = async {
        if wants("delivery") {
            delivery::measure(&portal, &mut t).await?;
        }
        if wants("healing") {
            delivery::healing(&portal, &mut t).await?;
        }
        if wants("load") {
            load::measure(&portal, &mut t).await?;
        }
        if wants("workbench") {
            workbench::measure(&portal, &mut t).await?;
        }
        if wants("upload") {
            upload::measure(&portal, &mut t).await?;
        }
        if wants("pages") {
            pages::measure(&portal, &mut t).await?;
        }
        if wants("browser") {
            browser::measure(&portal, &mut t).await?;
        }
        Ok(())
    }
    .await;
    t.row(
        "the portal's memory after all this",
        "≤ 200 MiB",
        format!("{} MiB", portal.rss_mib()?),
        Some(portal.rss_mib()? <= 200),
    );
    portal.stop().await;
    t.print();
    measured
}
