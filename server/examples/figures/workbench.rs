//! A workbench kept as a version, beside `docker commit` and `docker push` of the same.
//!
//! Both begin with fresh noise of the same size in the same container, so that neither finds
//! a layer that the other has put into the registry; who is first changes from round to
//! round. Ours has been made when the registry's tag answers, whatever the portal says of it.

use super::Outcome;
use super::portal::Portal;
use super::table::{Table, median_p99};
use std::time::{Duration, Instant};
use tokio::process::Command;

const ROUNDS: usize = 5;
/// Between two questions for the tag; what is measured is longer than true by as much at most.
const ASKED_EVERY: Duration = Duration::from_millis(25);
/// MiB of what is new in the container.
const MIB: usize = 64;

/// Measures.
pub async fn measure(p: &Portal, t: &mut Table) -> Outcome<()> {
    let tags: serde_json::Value =
        p.http.get(format!("http://{}/v2/stacks/nginx/tags/list", p.registry)).send().await?.json().await?;
    let tag = tags["tags"][0].as_str().ok_or("no middleware")?.to_owned();
    let form = |pairs: &[(&'static str, String)]| pairs.to_vec();
    let began = Instant::now();
    let start = form(&[
        ("repository", "stacks/nginx".to_owned()),
        ("tag", tag),
        ("pool", "sf-dev".to_owned()),
        ("once", p.once().await?),
    ]);
    p.post("start_bench", &start).await?;
    let list = p.get("/images/workbenches").await?.text().await?;
    let id = list.split("/images/workbenches/").nth(1).and_then(|s| s.split('"').next()).ok_or("no workbench")?;
    p.until("the workbench is open", 60, async |p| {
        Ok(p.get(&format!("/images/workbenches/{id}")).await?.text().await?.contains("bench-terminal"))
    })
    .await?;
    t.row("workbench: pressed to open", "", format!("{:.2} s", began.elapsed().as_secs_f64()), None);
    let container = format!("padis-bench-{id}");
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    for round in 0..ROUNDS {
        for turn in 0..2 {
            let noise = format!("head -c {} /dev/urandom >/opt/noise && sync", MIB << 20);
            docker(&["exec", &container, "sh", "-c", &noise]).await?;
            let tag = format!("{round}-{turn}");
            if (round + turn) % 2 == 0 {
                let commit = form(&[
                    ("bench", id.to_owned()),
                    ("repository", "bench/kept".to_owned()),
                    ("tag", tag.clone()),
                    ("description", "noise".to_owned()),
                    ("leave_out", "yes".to_owned()),
                    ("once", p.once().await?),
                ]);
                let began = Instant::now();
                p.post("commit_bench", &commit).await?;
                let url = format!("http://{}/v2/bench/kept/manifests/{tag}", p.registry);
                p.until("the version is there", 120, async |p| {
                    // Whoever asks more often takes the processor from those who pack and push.
                    tokio::time::sleep(ASKED_EVERY).await;
                    let asked =
                        p.http.head(&url).header("Accept", "application/vnd.docker.distribution.manifest.v2+json");
                    Ok(asked.send().await.is_ok_and(|a| a.status().is_success()))
                })
                .await?;
                ours.push(began.elapsed().as_secs_f64());
                p.until("it is noted", 30, async |p| {
                    let page = p.get(&format!("/images/workbenches/{id}")).await?.text().await?;
                    Ok(!page.contains("On its way"))
                })
                .await?;
            } else {
                let image = format!("{}/bench/plain:{tag}", p.registry);
                let began = Instant::now();
                docker(&["commit", &container, &image]).await?;
                docker(&["push", "-q", &image]).await?;
                theirs.push(began.elapsed().as_secs_f64());
                docker(&["rmi", &image]).await?;
            }
        }
        let last = |v: &[f64]| v.last().copied().unwrap_or_default();
        println!("  round {round}: padis {:.2} s, docker {:.2} s", last(&ours), last(&theirs));
    }
    p.post("end_bench", &form(&[("id", id.to_owned())])).await?;
    let (Some((ours, _)), Some((theirs, _))) = (median_p99(&ours), median_p99(&theirs)) else {
        return Err("no rounds".into());
    };
    let ratio = ours / theirs;
    t.row(
        "workbench of 64 MiB kept as a version, beside docker commit && docker push",
        "≤ 1.1 of docker's time",
        format!("median {ours:.2} s, docker {theirs:.2} s: {ratio:.2}"),
        Some(ratio <= 1.1),
    );
    Ok(())
}

async fn docker(args: &[&str]) -> Outcome<()> {
    let done = Command::new("docker").args(args).output().await?;
    if done.status.success() {
        return Ok(());
    }
    Err(format!("docker {}: {}", args.join(" "), String::from_utf8_lossy(&done.stderr)).into())
}
