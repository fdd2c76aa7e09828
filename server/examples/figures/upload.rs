//! An upload of 1 GiB beside `cp` of the same file on the same disk, in turns:
//! what a disk does in a second differs from second to second.

use super::Outcome;
use super::portal::Portal;
use super::table::{Table, median_p99};
use std::io::Write;
use std::time::Instant;

const GIB: usize = 1 << 30;
const ROUNDS: usize = 5;

/// Measures.
pub async fn measure(p: &Portal, t: &mut Table) -> Outcome<()> {
    // A web application is stored as it came; of a site the tree is written as well.
    upload(p, t, "upload of 1 GiB, checked and stored (war)", "bench.war", "WEB-INF/web.xml", true).await?;
    upload(p, t, "  the same for a site, unpacked too (zip)", "bench.zip", "index.html", false).await
}

async fn upload(p: &Portal, t: &mut Table, what: &str, name: &str, first: &'static str, judged: bool) -> Outcome<()> {
    let (mut cp, mut ours, mut grew) = (Vec::new(), Vec::new(), 0);
    for round in 0..ROUNDS {
        let path = p.data.join(name);
        let made = path.clone();
        tokio::task::spawn_blocking(move || make(&made, first, round)).await??;
        cp.push(copied(&path).await?);
        let (seconds, memory) = uploaded(p, name, &path).await?;
        ours.push(seconds);
        grew = grew.max(memory);
        println!("  round {round}: cp {:.3} s, upload {seconds:.3} s", cp.last().copied().unwrap_or_default());
        std::fs::remove_file(&path)?;
    }
    let (Some((cp, _)), Some((ours, _))) = (median_p99(&cp), median_p99(&ours)) else { return Err("no rounds".into()) };
    let (share, speed) = (cp / ours * 100.0, |s: f64| GIB as f64 / s / 1e6);
    let found = format!("median {:.0} MB/s, cp and sync {:.0} MB/s: {share:.0} %", speed(ours), speed(cp));
    t.row(what, if judged { "≥ 70 % of cp's speed" } else { "beside it" }, found, judged.then_some(share >= 70.0));
    t.row("  memory grows", "< 32 MiB", format!("{grew} MiB"), Some(grew < 32));
    Ok(())
}

/// Fills and frees as much of the disk's cache as an upload needs. In a virtual machine
/// that gives unused memory back to its host, the first touch of a page costs three
/// times what copying it does, and whoever is measured first would pay for both. What it
/// began to write is waited for by the caller (`sync`), or that would be paid for as well.
fn warm(beside: &std::path::Path) -> Outcome<()> {
    let path = beside.with_extension("warm");
    let mut file = std::fs::File::create(&path)?;
    let block = vec![0x55; 1 << 20];
    for _ in 0..3 * GIB / block.len() {
        file.write_all(&block)?;
    }
    drop(file);
    std::fs::remove_file(&path)?;
    Ok(())
}

/// Seconds that `cp` takes until the copy is on the disk; nothing else is waiting to be written.
async fn copied(path: &std::path::Path) -> Outcome<f64> {
    let other = path.with_extension("copy");
    warm(path)?;
    tokio::process::Command::new("sync").status().await?;
    let began = Instant::now();
    let done = tokio::process::Command::new("cp").arg(path).arg(&other).status().await?;
    let synced = tokio::process::Command::new("sync").arg(&other).status().await?;
    let seconds = began.elapsed().as_secs_f64();
    if !done.success() || !synced.success() {
        return Err("cp failed".into());
    }
    std::fs::remove_file(&other)?;
    Ok(seconds)
}

/// Seconds that the upload takes until it is a package, and MiB by which the portal grew.
async fn uploaded(p: &Portal, name: &str, path: &std::path::Path) -> Outcome<(f64, u64)> {
    warm(path)?;
    tokio::process::Command::new("sync").status().await?;
    let before = p.rss_mib()?;
    let began = Instant::now();
    let sent = p.upload_file(name, path);
    tokio::pin!(sent);
    let mut peak = before;
    let mut tick = tokio::time::interval(std::time::Duration::from_millis(20));
    loop {
        tokio::select! {
            r = &mut sent => { r?; break; }
            _ = tick.tick() => peak = peak.max(p.rss_mib()?),
        }
    }
    Ok((began.elapsed().as_secs_f64(), peak.saturating_sub(before)))
}

/// An archive of noise that can't be compressed, with the file that makes it what it is.
fn make(path: &std::path::Path, first: &str, round: usize) -> Outcome<()> {
    let mut z = zip::ZipWriter::new(std::io::BufWriter::new(std::fs::File::create(path)?));
    let plain = zip::write::SimpleFileOptions::default().compression_method(zip::CompressionMethod::Stored);
    z.start_file(first, plain)?;
    z.write_all(b"<p>bench")?;
    z.start_file("noise.bin", plain)?;
    super::noise::write(&mut z, round as u64, GIB >> 20)?;
    z.finish()?.flush()?;
    Ok(())
}
