//! "Go online" to the first good answer; and what a killed container costs.

use super::Outcome;
use super::portal::Portal;
use super::table::{Table, median_p99};
use std::io::Write;
use std::time::{Duration, Instant};
use tokio::process::Command;

const ROUNDS: usize = 10;

/// A small web site as a zip; `mark` makes each a different package.
pub fn site(mark: &str) -> Outcome<Vec<u8>> {
    let mut z = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    let plain = zip::write::SimpleFileOptions::default().compression_method(zip::CompressionMethod::Stored);
    z.start_file("index.html", plain)?;
    z.write_all(format!("<!doctype html><title>bench</title><p>bench {mark}").as_bytes())?;
    Ok(z.finish()?.into_inner())
}

/// Uploads a small site.
pub async fn upload_site(p: &Portal, mark: &str) -> Outcome<String> {
    let z = site(mark)?;
    let n = z.len() as u64;
    p.upload("site.zip", z, n).await
}

/// Measures.
pub async fn measure(p: &Portal, t: &mut Table) -> Outcome<()> {
    let package = upload_site(p, "one").await?;
    let mut ours = Vec::new();
    for n in 0..=ROUNDS {
        let name = format!("speed{n}");
        let began = Instant::now();
        p.go_online(&name, &package, 1).await?;
        p.until("the first good answer", 60, async |p| Ok(p.answers(&name).await)).await?;
        // The first round pulls the image; "image present" is what is promised.
        if n > 0 {
            ours.push(began.elapsed().as_secs_f64());
        }
        if n < ROUNDS {
            p.delete(&name).await?;
        }
    }
    let last = format!("speed{ROUNDS}");
    let plain = plain_docker(p, &package, &last).await?;
    p.delete(&last).await?;
    let (Some((m, p99)), Some((d, _))) = (median_p99(&ours), median_p99(&plain)) else {
        return Err("no rounds".into());
    };
    t.row(
        "\"Go online\" to the first good answer through the name",
        "median ≤ 3 s",
        format!("median {m:.2} s, p99 {p99:.2} s"),
        Some(m <= 3.0),
    );
    t.row(
        "  the same container by plain docker run",
        "beside it",
        format!("median {d:.2} s, ratio {:.1}", m / d),
        None,
    );
    Ok(())
}

/// The same image and mounts by plain `docker run`, until the first good answer at its address.
async fn plain_docker(p: &Portal, package: &str, running: &str) -> Outcome<Vec<f64>> {
    let image = p.app(running).await?["spec"]["image"].as_str().unwrap_or_default().to_owned();
    let tree = p.data.join("packages").join(&package[..2]).join(format!("{package}.tree"));
    let mount = format!("{}:/package:ro", tree.display());
    let mut out = Vec::new();
    for n in 0..ROUNDS {
        let (name, ip) = (format!("bench-plain-{n}"), format!("10.210.16.{}", 200 + n));
        let began = Instant::now();
        let run = [
            "run",
            "-d",
            "--name",
            &name,
            "--network",
            "padis-sf-dev",
            "--ip",
            &ip,
            "-v",
            &mount,
            "--cpus",
            "0.1",
            "-m",
            "64m",
            &image,
        ];
        let done = Command::new("docker").args(run).output().await?;
        if !done.status.success() {
            return Err(format!("docker run: {}", String::from_utf8_lossy(&done.stderr)).into());
        }
        let url = format!("http://{ip}:8080/");
        p.until("plain docker answers", 30, async |p| {
            Ok(p.http.get(&url).timeout(Duration::from_secs(1)).send().await.is_ok_and(|a| a.status().is_success()))
        })
        .await?;
        out.push(began.elapsed().as_secs_f64());
        Command::new("docker").args(["rm", "-f", &name]).output().await?;
    }
    Ok(out)
}

/// Members of the application's service that take requests, as HAProxy itself says.
async fn members_up(p: &Portal, name: &str) -> Outcome<Vec<String>> {
    let socket = p.data.join("balancer").join("worker.sock");
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let mut s = tokio::net::UnixStream::connect(&socket).await?;
    s.write_all(b"show stat\n").await?;
    let mut text = String::new();
    s.read_to_string(&mut text).await?;
    let service = format!("default.{name}");
    Ok(text
        .lines()
        .map(|l| l.split(',').collect::<Vec<_>>())
        .filter(|c| c.len() > 17 && c[0].ends_with(&service) && !matches!(c[1], "FRONTEND" | "BACKEND"))
        .filter(|c| c[17].starts_with("UP") || c[17].starts_with("no check"))
        .map(|c| c[1].to_owned())
        .collect())
}

/// The task that has run longest, if it has for three seconds.
fn oldest(app: &serde_json::Value) -> Option<String> {
    let started = |i: &serde_json::Value| i["started_at"].as_i64();
    let first = app["instances"].as_array()?.iter().filter(|i| started(i).is_some()).min_by_key(|i| started(i))?;
    (app["now"].as_i64()? - started(first)? >= 3000).then(|| first["task_id"].as_str().map(str::to_owned))?
}

/// A container is killed behind the portal's back.
pub async fn healing(p: &Portal, t: &mut Table) -> Outcome<()> {
    let package = upload_site(p, "heal").await?;
    p.go_online("heal", &package, 3).await?;
    p.until("three members", 60, async |p| Ok(members_up(p, "heal").await?.len() == 3)).await?;
    let (mut out, mut back) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        // One that has been running for a while: what dies as soon as it started is held
        // back by Marathon, longer each time, and that is not what is measured here.
        p.until("an instance that has run", 30, async |p| Ok(oldest(&p.app("heal").await?).is_some())).await?;
        let before = members_up(p, "heal").await?;
        let task = oldest(&p.app("heal").await?).ok_or("no instance")?;
        let listed = Command::new("docker")
            .args(["ps", "-q", "--filter", &format!("label=MESOS_TASK_ID={task}")])
            .output()
            .await?;
        let id = String::from_utf8_lossy(&listed.stdout).trim().to_owned();
        let began = Instant::now();
        let killed = Command::new("docker").args(["kill", &id]).output();
        let gone = async {
            p.until("out of the balancer", 30, async |p| {
                Ok(members_up(p, "heal").await?.iter().filter(|m| before.contains(m)).count() == 2)
            })
            .await?;
            Ok::<_, Box<dyn std::error::Error + Send + Sync>>(began.elapsed().as_secs_f64())
        };
        let (killed, gone) = tokio::join!(killed, gone);
        killed?;
        out.push(gone? * 1000.0);
        p.until("three members again", 60, async |p| {
            Ok(members_up(p, "heal").await?.iter().filter(|m| !before.contains(m)).count() == 1)
        })
        .await?;
        back.push(began.elapsed().as_secs_f64());
        p.until("the portal has seen it", 30, async |p| {
            Ok(p.app("heal").await?["instances"]
                .as_array()
                .is_some_and(|i| i.len() == 3 && i.iter().all(|i| i["state"] == "well")))
        })
        .await?;
    }
    p.delete("heal").await?;
    let (Some((o, o99)), Some((b, b99))) = (median_p99(&out), median_p99(&back)) else {
        return Err("no rounds".into());
    };
    t.row(
        "container killed → out of the balancer",
        "≤ 250 ms",
        format!("median {o:.0} ms, p99 {o99:.0} ms (with docker kill's own time)"),
        Some(o <= 250.0),
    );
    t.row(
        "  → replacement in the balancer and answering",
        "≤ 3 s",
        format!("median {b:.2} s, p99 {b99:.2} s"),
        Some(b <= 3.0),
    );
    Ok(())
}
