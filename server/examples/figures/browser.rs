//! The browser's half: its weight, and when the first page stands before its reader.

use super::Outcome;
use super::portal::Portal;
use super::table::{Table, median_p99};
use serde::Deserialize;

const ROUNDS: usize = 10;

/// A page in a language, as `end2end/paint.mjs` found it.
#[derive(Deserialize)]
struct Found {
    name: String,
    lang: String,
    /// wasm and JavaScript, as they came over the wire.
    bytes: u64,
    /// Largest Contentful Paint, ms, of each round with an empty cache.
    paints: Vec<f64>,
}

/// Measures.
pub async fn measure(p: &Portal, t: &mut Table) -> Outcome<()> {
    let script =
        std::env::var("PADIS_BENCH_PAINT").map_err(|_| "PADIS_BENCH_PAINT is not set: run this by 'make bench'")?;
    let said = tokio::process::Command::new("node")
        .args([&script, &p.base, &ROUNDS.to_string()])
        .env("PADIS_ADMIN_PASSWORD", super::portal::PASSWORD)
        .stderr(std::process::Stdio::inherit())
        .output()
        .await?;
    if !said.status.success() {
        return Err(format!("{script} ended with {}", said.status).into());
    }
    let found: Vec<Found> = serde_json::from_slice(&said.stdout)?;
    for f in &found {
        let kb = f.bytes as f64 / 1000.0;
        t.row(
            &format!("browser: wasm and JavaScript, {} ({})", f.name, f.lang),
            "≤ 400 kB",
            format!("{kb:.1} kB compressed"),
            Some(f.bytes > 0 && kb <= 400.0),
        );
    }
    for f in &found {
        let (m, p99) = median_p99(&f.paints).ok_or("no rounds")?;
        t.row(
            &format!("browser: largest paint, {} ({})", f.name, f.lang),
            "≤ 1 s",
            format!("median {:.2} s, p99 {:.2} s", m / 1000.0, p99 / 1000.0),
            Some(p99 <= 1000.0),
        );
    }
    Ok(())
}
