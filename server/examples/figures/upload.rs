//! An upload of 1 GiB beside `cp` of the same file on the same disk, in turns:
//! what a disk does in a second differs from second to second.

use super::Outcome;
use super::portal::Portal;
use super::table::{Table, median_p99};
use std::io::Write;
use std::time::Instant;

const GIB: usize = 1 << 30;
const ROUNDS: usize = 3;

/// Measures.
pub async fn measure(p: &Portal, t: &mut Table) -> Outcome<()> {
    let (mut cp, mut ours, mut grew) = (Vec::new(), Vec::new(), 0);
    for round in 0..ROUNDS {
        let path = p.data.join("bench-upload.zip");
        let made = path.clone();
        tokio::task::spawn_blocking(move || make(&made, round)).await??;
        cp.push(copied(&path).await?);
        let (seconds, memory) = uploaded(p, &path).await?;
        ours.push(seconds);
        grew = grew.max(memory);
        std::fs::remove_file(&path)?;
    }
    let (Some((cp, _)), Some((ours, _))) = (median_p99(&cp), median_p99(&ours)) else { return Err("no rounds".into()) };
    let (share, speed) = (cp / ours * 100.0, |s: f64| GIB as f64 / s / 1e6);
    t.row(
        "upload of 1 GiB, checked, unpacked and stored",
        "≥ 70 % of cp's speed",
        format!("median {:.0} MB/s, cp and sync {:.0} MB/s: {share:.0} %", speed(ours), speed(cp)),
        Some(share >= 70.0),
    );
    t.row("  memory grows", "< 32 MiB", format!("{grew} MiB"), Some(grew < 32));
    Ok(())
}

/// Seconds that `cp` takes until the copy is on the disk; nothing else is waiting to be written.
async fn copied(path: &std::path::Path) -> Outcome<f64> {
    let other = path.with_extension("copy");
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
async fn uploaded(p: &Portal, path: &std::path::Path) -> Outcome<(f64, u64)> {
    tokio::process::Command::new("sync").status().await?;
    let before = p.rss_mib()?;
    let length = std::fs::metadata(path)?.len();
    let file = tokio::fs::File::open(path).await?;
    let body = reqwest::Body::wrap_stream(tokio_util::io::ReaderStream::with_capacity(file, 1 << 18));
    let began = Instant::now();
    let sent = p.upload("big.zip", body, length);
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

/// A zip of noise that can't be compressed, with an index page.
fn make(path: &std::path::Path, round: usize) -> Outcome<()> {
    let mut z = zip::ZipWriter::new(std::io::BufWriter::new(std::fs::File::create(path)?));
    let plain = zip::write::SimpleFileOptions::default().compression_method(zip::CompressionMethod::Stored);
    z.start_file("index.html", plain)?;
    z.write_all(b"<p>bench")?;
    z.start_file("noise.bin", plain)?;
    let (mut x, mut block) = (0x9e37_79b9_7f4a_7c15_u64 + round as u64, vec![0u8; 1 << 20]);
    for _ in 0..GIB / block.len() {
        for c in block.chunks_exact_mut(8) {
            x ^= x << 13;
            x ^= x >> 7;
            x ^= x << 17;
            c.copy_from_slice(&x.to_le_bytes());
        }
        z.write_all(&block)?;
    }
    z.finish()?.flush()?;
    Ok(())
}
