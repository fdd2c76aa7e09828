//! What the tests of this folder share: a place for a portal, and looks at Docker,
//! processes and names from outside.

use super::Outcome;
use crate::portal::{Place, Portal};
use serde_json::Value;
use std::collections::BTreeSet;
use std::io::Write;
use std::path::PathBuf;
use std::process::Stdio;
use tokio::process::{Child, Command};
use tokio::sync::Mutex;

/// One portal at a time: they would meet on the pools' subnets.
static ALONE: Mutex<()> = Mutex::const_new(());

fn free_ports() -> [u16; 6] {
    // Held together, so that they differ; released together.
    let held: Vec<_> = (0..6).map(|_| std::net::TcpListener::bind("127.0.0.1:0").expect("a free port")).collect();
    std::array::from_fn(|i| held[i].local_addr().expect("its address").port())
}

/// The laboratory's folder.
pub fn lab() -> PathBuf {
    std::env::var_os("PADIS_LAB")
        .expect("this test needs the laboratory: end2end/lab/run cargo test -p padis --test real")
        .into()
}

/// The laboratory's Docker Engine.
pub fn docker_socket() -> String {
    std::env::var("PADIS_TEST_DOCKER").expect("the laboratory's Docker Engine")
}

/// A place of its own for a portal.
pub fn place(name: &str) -> Place {
    Place {
        server: env!("CARGO_BIN_EXE_padis").into(),
        push: PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../server/stacks/push"),
        data: lab().join(format!("{name}{}", std::process::id())),
        ports: free_ports(),
    }
}

/// Runs a test in a place of its own; when it fails, with the portal's last words.
pub async fn test(name: &str, body: impl AsyncFnOnce(&Place) -> Outcome<()>) {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let _alone = ALONE.lock().await;
    let place = place(name);
    if let Err(e) = body(&place).await {
        // What it left holds addresses that the next test wants.
        let left = docker(&docker_socket(), &["ps", "-aq", "--filter", "label=io.padis.engine.app"]).await;
        for id in left.unwrap_or_default().lines() {
            let _ = docker(&docker_socket(), &["rm", "-f", id]).await;
        }
        let log = std::fs::read_to_string(place.data.with_extension("log")).unwrap_or_default();
        let tail: Vec<&str> = log.lines().rev().take(40).collect();
        panic!("{e}\n{}", tail.into_iter().rev().collect::<Vec<_>>().join("\n"));
    }
}

/// A web site as an archive: a page, and `filler` bytes that don't get smaller.
pub fn site(filler: usize) -> Outcome<Vec<u8>> {
    let mut z = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    let plain = zip::write::SimpleFileOptions::default().compression_method(zip::CompressionMethod::Stored);
    z.start_file("index.html", plain)?;
    z.write_all(b"<!doctype html><title>bench</title><p>bench")?;
    if filler > 0 {
        let mut seed = 7u64;
        let noise = std::iter::repeat_with(|| {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (seed >> 56) as u8
        });
        z.start_file("filler.bin", plain)?;
        z.write_all(&noise.take(filler).collect::<Vec<u8>>())?;
    }
    Ok(z.finish()?.into_inner())
}

/// Uploads a small site; its sha-256.
pub async fn small_site(p: &Portal) -> Outcome<String> {
    let z = site(0)?;
    let n = z.len() as u64;
    p.upload("site.zip", z, n).await
}

/// `docker` on one engine; what it printed.
pub async fn docker(socket: &str, args: &[&str]) -> Outcome<String> {
    let out = Command::new("docker").args(["-H", socket]).args(args).output().await?;
    if !out.status.success() {
        return Err(format!("docker {args:?}: {}", String::from_utf8_lossy(&out.stderr)).into());
    }
    Ok(String::from_utf8(out.stdout)?)
}

/// Containers of an application, all its releases: running ones, or with `all` every one.
pub async fn containers_on(socket: &str, name: &str, all: bool) -> Outcome<BTreeSet<String>> {
    let show = "{{.ID}} {{.Label \"io.padis.engine.app\"}}";
    let which = if all { "--all" } else { "--filter=status=running" };
    let text = docker(socket, &["ps", which, "--filter", "label=io.padis.engine.app", "--format", show]).await?;
    let mine = format!("/default/{name}/r");
    let found = text.lines().filter_map(|l| l.split_once(' ')).filter(|(_, app)| app.starts_with(&mine));
    Ok(found.map(|(id, _)| id.to_owned()).collect())
}

/// Running containers of an application on the laboratory's engine.
pub async fn containers(name: &str) -> Outcome<BTreeSet<String>> {
    containers_on(&docker_socket(), name, false).await
}

/// Addresses that an application holds, how many of them differ, and its members.
pub async fn held(p: &Portal, name: &str) -> Outcome<(usize, usize, usize)> {
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

/// Whether the application is gone and holds nothing; what it held may still be told.
pub async fn is_gone(p: &Portal, name: &str) -> bool {
    p.app(name).await.is_err() && matches!(held(p, name).await, Ok((0, 0, 0)) | Err(_))
}

/// Waits until the application serves with exactly `n` of everything.
pub async fn exactly(p: &Portal, socket: &str, name: &str, n: usize, seconds: u64) -> Outcome<()> {
    let mut seen = String::new();
    let met = p
        .until("", seconds, async |p| {
            let state = p.app(name).await?["state"].clone();
            let found = (containers_on(socket, name, true).await?.len(), held(p, name).await?, p.answers(name).await);
            seen = format!("{state}, containers, (addresses, distinct, members), answers: {found:?}");
            Ok(state == "online" && found == (n, (n, n, n), true))
        })
        .await;
    met.map_err(|e| format!("{name} should be online with {n} of everything, found {seen}{e}").into())
}

/// Addresses of the pool that are allocated.
pub async fn allocated(p: &Portal) -> Outcome<usize> {
    let map = p.ask("addresses?pool=sf-dev").await?;
    Ok(map["cells"].as_array().map_or(0, |c| c.iter().filter(|c| c["state"] == "allocated").count()))
}

/// An application's instances as the portal shows them.
pub async fn instances(p: &Portal, name: &str) -> Outcome<Vec<Value>> {
    Ok(p.app(name).await?["instances"].as_array().cloned().unwrap_or_default())
}

/// Changes the number of instances.
pub async fn scale(p: &Portal, name: &str, n: u32) -> Outcome<()> {
    p.act("scale", name, &[("instances", n.to_string())]).await
}

/// The words of a delivery's rail, as the portal gives them.
pub async fn rail(p: &Portal, name: &str, release: u32) -> Outcome<String> {
    Ok(p.ask(&format!("delivery?app[team]=default&app[app]={name}&release={release}")).await?.to_string())
}

/// One system's row of the systems page.
pub async fn system(p: &Portal, name: &str) -> Outcome<Value> {
    let all = p.ask("systems").await?;
    let found = all.as_array().into_iter().flatten().find(|s| s["system"] == name).cloned();
    found.ok_or_else(|| format!("no system {name} in {all}").into())
}

/// `padis engine` alone, at the place's ports, with a data folder of its own.
pub fn engine(place: &Place) -> Outcome<Child> {
    let data = place.data.with_extension("engine");
    std::fs::create_dir_all(&data)?;
    let log = std::fs::File::create(data.with_extension("engine.log"))?;
    let at = |port: u16| format!("127.0.0.1:{port}");
    let child = Command::new(&place.server)
        .args(["engine", "--listen", &at(place.ports[1]), "--mesos-listen", &at(place.ports[2])])
        .args(["--data", &data.display().to_string(), "--docker", &docker_socket()])
        .current_dir(&data)
        .stdin(Stdio::null())
        .stdout(log.try_clone()?)
        .stderr(log)
        .kill_on_drop(true)
        .spawn()?;
    Ok(child)
}

/// The pool `sf-dev` on hosts with this attribute and with this /24 (its first three
/// octets), where no engine of the portal's own made it make one at its first start.
pub async fn make_pool(p: &Portal, hosts: &str, net: &str) -> Outcome<()> {
    let own = |pairs: &[(&'static str, &str)]| -> Vec<(&'static str, String)> {
        pairs.iter().map(|(k, v)| (*k, (*v).to_owned())).collect()
    };
    let mut pool = own(&[
        ("name", "sf-dev"),
        ("stage", "dev"),
        ("zone", "SF"),
        ("hosts", hosts),
        ("subnet", &format!("{net}.0/24")),
        ("gateway", &format!("{net}.1")),
        ("domain", "dev.padis.localhost"),
        ("ttl_s", "5"),
        ("quarantine_s", "60"),
    ]);
    pool.push(("once", p.once().await?));
    p.post("put_pool", &pool).await?;
    let quota = [
        ("pool", "sf-dev"),
        ("team", "default"),
        ("cpu", "8"),
        ("mem", "4096"),
        ("instances", "50"),
        ("addresses", "50"),
    ];
    p.post("put_quota", &own(&quota)).await
}

/// Sends a signal to a process.
pub async fn signal(pid: &str, name: &str) -> Outcome<()> {
    Command::new("kill").args([&format!("-{name}"), pid]).status().await?;
    Ok(())
}

/// Processes below the portal whose program's name begins so.
pub async fn children(p: &Portal, program: &str) -> Outcome<Vec<String>> {
    let mut out = Vec::new();
    for pid in descendants(&p.pid()?.to_string()).await {
        let name = tokio::fs::read_to_string(format!("/proc/{pid}/comm")).await.unwrap_or_default();
        // The kernel keeps fifteen characters of it.
        if name.trim() == program.get(..15).unwrap_or(program) {
            out.push(pid);
        }
    }
    Ok(out)
}

/// All processes below this one, it included.
async fn descendants(pid: &str) -> Vec<String> {
    let mut all = vec![pid.to_owned()];
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
