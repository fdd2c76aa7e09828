//! The whole product with real components, killed on purpose: `padis serve` as a
//! process, the Docker Engine, the registry, HAProxy and the name server.
//!
//! SIGKILL at several moments of a delivery; after the restart everything
//! converges, nothing is left behind and nothing is there twice.
#![expect(clippy::expect_used, reason = "a test says what it expected")]

#[path = "../examples/figures/portal.rs"]
#[expect(dead_code, reason = "the bench uses more of it")]
mod portal;

use portal::{Place, Portal};
use std::collections::BTreeSet;
use std::io::Write;
use std::path::PathBuf;
use std::time::{Duration, Instant};
use tokio::process::Command;

type Outcome<T> = Result<T, Box<dyn std::error::Error + Send + Sync>>;

fn free_ports() -> [u16; 6] {
    // Held together, so that they differ; released together.
    let held: Vec<_> = (0..6).map(|_| std::net::TcpListener::bind("127.0.0.1:0").expect("a free port")).collect();
    std::array::from_fn(|i| held[i].local_addr().expect("its address").port())
}

fn place() -> Place {
    let lab = std::env::var("PADIS_LAB")
        .expect("this test needs the laboratory: end2end/lab/run cargo test -p padis --test real");
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("..");
    Place {
        server: env!("CARGO_BIN_EXE_padis").into(),
        push: root.join("server/stacks/push"),
        data: PathBuf::from(lab).join(format!("real{}", std::process::id())),
        ports: free_ports(),
    }
}

fn site() -> Outcome<Vec<u8>> {
    let mut z = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    let plain = zip::write::SimpleFileOptions::default().compression_method(zip::CompressionMethod::Stored);
    z.start_file("index.html", plain)?;
    z.write_all(b"<!doctype html><title>bench</title><p>bench")?;
    Ok(z.finish()?.into_inner())
}

/// Containers of an application, running or not.
async fn containers(name: &str) -> Outcome<usize> {
    let filter = format!("label=io.padis.engine.app=/default/{name}/r1");
    let out =
        Command::new("docker").args(["ps", "-aq", "--filter", "status=running", "--filter", &filter]).output().await?;
    Ok(String::from_utf8_lossy(&out.stdout).lines().count())
}

/// Addresses and members that the application holds, and whether any is doubled.
async fn held(p: &Portal, name: &str) -> Outcome<(usize, usize, usize)> {
    let claims = p.ask(&format!("claims?app[team]=default&app[app]={name}")).await?;
    let living = |kind: &str| -> Vec<String> {
        let all = claims.as_array().map(Vec::as_slice).unwrap_or_default();
        all.iter()
            .filter(|c| c["kind"] == kind && c["released_at"].is_null())
            .filter_map(|c| c["what"].as_str().map(str::to_owned))
            .collect()
    };
    let addresses = living("address");
    let distinct: BTreeSet<_> = addresses.iter().collect();
    Ok((addresses.len(), distinct.len(), living("member").len()))
}

#[tokio::test(flavor = "multi_thread")]
async fn sigkill_at_any_moment_of_a_delivery_leaks_nothing_and_doubles_nothing() {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let place = place();
    let run = async {
        let mut p = Portal::start(&place).await?;
        let z = site()?;
        let n = z.len() as u64;
        let package = p.upload("site.zip", z, n).await?;
        for (k, after_ms) in [0u64, 20, 120, 250, 400, 700, 1_000].into_iter().enumerate() {
            let name = format!("kill{k}");
            p.go_online(&name, &package, 2).await?;
            tokio::time::sleep(Duration::from_millis(after_ms)).await;
            p.child.kill().await?;
            p = Portal::launch(&place).await?;
            p.sign_in().await?;
            p.until("online after the restart", 60, async |p| {
                Ok(p.app(&name).await?["state"] == "online" && p.answers(&name).await)
            })
            .await
            .map_err(|e| format!("killed after {after_ms} ms: {e}"))?;
            p.until("exactly two of everything", 20, async |p| {
                Ok(containers(&name).await? == 2 && held(p, &name).await? == (2, 2, 2))
            })
            .await
            .map_err(|e| format!("killed after {after_ms} ms: {e}"))?;
        }
        // HAProxy is killed: it comes back with its members by itself.
        let mut killed = 0;
        for pid in descendants(&p.pid()?.to_string()).await {
            if tokio::fs::read_to_string(format!("/proc/{pid}/comm")).await.is_ok_and(|c| c.trim() == "haproxy") {
                Command::new("kill").args(["-9", &pid]).status().await?;
                killed += 1;
            }
        }
        assert!(killed > 0, "no HAProxy below the portal");
        p.until("HAProxy is back with its members", 30, async |p| Ok(p.answers("kill0").await)).await?;

        for k in 0..7 {
            p.delete(&format!("kill{k}")).await?;
        }
        let began = Instant::now();
        for k in 0..7 {
            while containers(&format!("kill{k}")).await? > 0 {
                assert!(began.elapsed() < Duration::from_secs(30), "containers are left");
            }
        }
        let map = p.ask("addresses?pool=sf-dev").await?;
        let used = map["cells"].as_array().map_or(0, |c| c.iter().filter(|c| c["state"] == "allocated").count());
        assert_eq!(used, 0, "addresses are left");
        p.stop().await;
        Outcome::Ok(())
    };
    if let Err(e) = run.await {
        let log = std::fs::read_to_string(place.data.with_extension("log")).unwrap_or_default();
        let tail: Vec<&str> = log.lines().rev().take(40).collect();
        panic!("{e}\n{}", tail.into_iter().rev().collect::<Vec<_>>().join("\n"));
    }
}

/// All processes below these, they themselves included.
async fn descendants(pids: &str) -> Vec<String> {
    let mut all: Vec<String> = pids.split_whitespace().map(str::to_owned).collect();
    let mut n = 0;
    while n < all.len() {
        let pid = all[n].clone();
        if let Ok(mut threads) = tokio::fs::read_dir(format!("/proc/{pid}/task")).await {
            while let Ok(Some(t)) = threads.next_entry().await {
                let more = tokio::fs::read_to_string(t.path().join("children")).await.unwrap_or_default();
                all.extend(more.split_whitespace().map(str::to_owned));
            }
        }
        n += 1;
    }
    all
}
