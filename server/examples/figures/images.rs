//! Images: a copy from registry to registry beside `skopeo copy` of the same one, the
//! search in a large stock, and the page of one version in it.
//!
//! The copy is asked for as a person does it, and it has been made when the target's own
//! tag answers with the digest, whatever the portal says of it. Each copy finds a target
//! that is empty, on a disk in memory, so that neither tool finds what the other has left.
//! One could get it wrong by a stock that a look of the portal's takes away again: the
//! registry that it is said to be in does not answer.

use super::Outcome;
use super::portal::{Place, Portal};
use super::table::{Table, median_p99};
use padis_domain::ports::{Image, ImageStep};
use padis_server::images::words;
use padis_server::store::{Store, now_ms};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::path::Path;
use std::time::{Duration, Instant};
use tokio::process::{Child, Command};

/// MiB of each layer: 500 MiB in all.
const LAYERS: [usize; 6] = [200, 100, 100, 50, 30, 20];
const ROUNDS: usize = 7;
const TARGET: u16 = 5012;
/// The registry of the stock, at which nobody listens.
const STOCK: &str = "stock";
const REPOSITORIES: usize = 10_000;
/// Versions of each.
const VERSIONS: usize = 10;
const SEARCHES: usize = 600;
const PAGES: usize = 400;
const MANIFEST: &str = "application/vnd.docker.distribution.manifest.v2+json";

/// Measures.
pub async fn measure(place: &Place, t: &mut Table) -> Outcome<()> {
    std::fs::create_dir_all(&place.data)?;
    let store = Store::open(&format!("sqlite:{}", place.data.join("padis.db").display())).await?;
    let began = Instant::now();
    fill(&store).await?;
    println!("  the stock is in the database after {:.1} s", began.elapsed().as_secs_f64());
    let own = place.ports[3];
    let source = Disk::serve(&place.data, "source", own).await?;
    let target = Disk::serve(&place.data, "target", TARGET).await?;
    let digest = source.put_image().await?;
    let others = format!(
        "[{{name = \"target\", url = \"http://127.0.0.1:{TARGET}\", writable = true}}, \
         {{name = \"{STOCK}\", url = \"http://127.0.0.1:{}\"}}]",
        TARGET + 1
    );
    let more = [
        ("PADIS_REGISTRY_CHILD", "false".to_owned()),
        ("PADIS_REGISTRY_URL", format!("http://127.0.0.1:{own}")),
        ("PADIS_REGISTRIES", others),
    ];
    let mut p = Portal::launch_with(place, &more).await?;
    p.sign_in().await?;
    copies(&p, &store, own, target, &digest, t).await?;
    drop(source);
    search(&p, t).await?;
    pages(&p, t).await?;
    p.stop().await;
    store.close().await;
    Ok(())
}

/// Debian's registry with all of its data in memory, which goes with it.
struct Disk {
    child: Child,
    base: String,
    http: reqwest::Client,
}

impl Disk {
    async fn serve(folder: &Path, name: &str, port: u16) -> Outcome<Self> {
        let (data, config) = (folder.join(name), folder.join(format!("{name}.yml")));
        std::fs::create_dir_all(&data)?;
        let (shown, address) = (data.display(), format!("127.0.0.1:{port}"));
        let text = format!(
            "version: 0.1\nlog: {{level: error, accesslog: {{disabled: true}}}}\nhttp: {{addr: \"{address}\", secret: s}}\n\
             storage: {{filesystem: {{rootdirectory: {shown}}}}}\n"
        );
        std::fs::write(&config, text)?;
        // A mount that nobody else sees and that ends with the process.
        let serve = format!(
            "mount -t tmpfs -o size=1500m none {shown} && exec docker-registry serve {} 2>/dev/null",
            config.display()
        );
        let child = Command::new("unshare").args(["-m", "sh", "-c", &serve]).kill_on_drop(true).spawn()?;
        let http = reqwest::Client::builder().no_proxy().build()?;
        let it = Self { child, base: format!("http://{address}/v2"), http };
        let began = Instant::now();
        while it.http.get(format!("{}/", it.base)).send().await.is_err() {
            if began.elapsed() > Duration::from_secs(10) {
                return Err(format!("the registry {name} does not answer").into());
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        Ok(it)
    }

    async fn stop(mut self) -> Outcome<()> {
        Ok(self.child.kill().await?)
    }

    async fn put_blob(&self, bytes: Vec<u8>, kind: &str) -> Outcome<Value> {
        let (digest, size) = (sha256(&bytes), bytes.len());
        let begun = self.http.post(format!("{}/bench/blobs/uploads/", self.base)).send().await?;
        let at = begun.headers().get("location").and_then(|l| l.to_str().ok()).ok_or("no place for a blob")?;
        let put = self.http.put(format!("{at}&digest={digest}")).header("content-type", "application/octet-stream");
        put.body(bytes).send().await?.error_for_status()?;
        Ok(json!({"mediaType": kind, "size": size, "digest": digest}))
    }

    /// Pushes the image; its digest.
    async fn put_image(&self) -> Outcome<String> {
        let mut layers = Vec::new();
        for (seed, mib) in (1..).zip(LAYERS) {
            let bytes = tokio::task::spawn_blocking(move || layer(seed, mib)).await??;
            layers.push(self.put_blob(bytes, "application/vnd.docker.image.rootfs.diff.tar.gzip").await?);
        }
        let config = json!({"created": "2026-11-22T08:00:00Z", "architecture": "amd64", "os": "linux", "config": {},
            "rootfs": {"type": "layers", "diff_ids": []}});
        let config =
            self.put_blob(config.to_string().into_bytes(), "application/vnd.docker.container.image.v1+json").await?;
        let manifest =
            json!({"schemaVersion": 2, "mediaType": MANIFEST, "config": config, "layers": layers}).to_string();
        let digest = sha256(manifest.as_bytes());
        let put = self.http.put(format!("{}/bench/manifests/1", self.base)).header("content-type", MANIFEST);
        put.body(manifest).send().await?.error_for_status()?;
        Ok(digest)
    }

    /// Whether the copy's tag names this.
    async fn names(&self, digest: &str) -> bool {
        let asked = self.http.head(format!("{}/copied/manifests/1", self.base)).header("accept", MANIFEST).send().await;
        asked.is_ok_and(|a| a.headers().get("docker-content-digest").is_some_and(|d| d == digest))
    }
}

fn sha256(bytes: &[u8]) -> String {
    format!("sha256:{}", Sha256::digest(bytes).iter().map(|b| format!("{b:02x}")).collect::<String>())
}

/// A layer of noise, as gzip: what is not, skopeo would compress.
fn layer(seed: u64, mib: usize) -> std::io::Result<Vec<u8>> {
    let mut z = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::none());
    super::noise::write(&mut z, seed, mib)?;
    z.finish()
}

async fn copies(p: &Portal, store: &Store, own: u16, first: Disk, digest: &str, t: &mut Table) -> Outcome<()> {
    let (mut ours, mut theirs, mut waits, mut target) = (Vec::new(), Vec::new(), Vec::new(), Some(first));
    for round in 0..ROUNDS {
        for turn in 0..2 {
            if let Some(used) = target.take() {
                used.stop().await?;
            }
            let to = Disk::serve(&p.data, "target", TARGET).await?;
            // Who is first changes from round to round.
            if (round + turn) % 2 == 0 {
                let (seconds, wait) = ours_once(p, store, &to, digest).await?;
                ours.push(seconds);
                waits.push(wait);
            } else {
                theirs.push(skopeo_once(own).await?);
                if !to.names(digest).await {
                    return Err("skopeo has copied something else".into());
                }
            }
            target = Some(to);
        }
        let last = |v: &[f64]| v.last().copied().unwrap_or_default();
        println!("  round {round}: padis {:.3} s, skopeo {:.3} s", last(&ours), last(&theirs));
    }
    let (Some((ours, _)), Some((theirs, _)), Some((wait, most))) =
        (median_p99(&ours), median_p99(&theirs), median_p99(&waits))
    else {
        return Err("no rounds".into());
    };
    let ratio = ours / theirs;
    t.row(
        "registry-to-registry copy of 500 MB, asked of the portal, beside skopeo",
        "≤ 1.1 of skopeo's time",
        format!("median {ours:.2} s, skopeo {theirs:.2} s: {ratio:.2}"),
        Some(ratio <= 1.1),
    );
    let found = format!("median {:.0} ms, most {:.0} ms", wait * 1000.0, most * 1000.0);
    t.row("  of that until a worker has taken it", "in it", found, None);
    Ok(())
}

/// Seconds from asking until the target's tag names the digest, and until a worker had it.
async fn ours_once(p: &Portal, store: &Store, to: &Disk, digest: &str) -> Outcome<(f64, f64)> {
    let form = [
        ("from_registry", "padis"),
        ("from_repository", "bench"),
        ("from_tag", "1"),
        ("to_registry", "target"),
        ("to_repository", "copied"),
        ("to_tag", "1"),
    ];
    let mut form: Vec<_> = form.into_iter().map(|(k, v)| (k, v.to_owned())).collect();
    form.push(("once", p.once().await?));
    let began = Instant::now();
    p.post("copy_image", &form).await?;
    p.until("a worker has the copy", 10, async |_| {
        let text = "SELECT COUNT(*) FROM work WHERE key LIKE 'copy:%' AND lease IS NOT NULL";
        Ok(sqlx::query_scalar::<_, i64>(text).fetch_one(store.read()).await? > 0)
    })
    .await?;
    let wait = began.elapsed().as_secs_f64();
    p.until("the target names the copy", 60, async |_| Ok(to.names(digest).await)).await?;
    let seconds = began.elapsed().as_secs_f64();
    p.until("the copy is done and looked at", 10, async |_| {
        let text = "SELECT (SELECT COUNT(*) FROM image_copy WHERE state <> 'done') + (SELECT COUNT(*) FROM work WHERE key LIKE 'copy:%')";
        Ok(sqlx::query_scalar::<_, i64>(text).fetch_one(store.read()).await? == 0)
    })
    .await?;
    Ok((seconds, wait))
}

async fn skopeo_once(own: u16) -> Outcome<f64> {
    let began = Instant::now();
    let done = Command::new("skopeo")
        .args(["--insecure-policy", "copy", "-q", "--src-tls-verify=false", "--dest-tls-verify=false"])
        .args([format!("docker://127.0.0.1:{own}/bench:1"), format!("docker://127.0.0.1:{TARGET}/copied:1")])
        .status()
        .await?;
    if !done.success() {
        return Err("skopeo could not copy".into());
    }
    Ok(began.elapsed().as_secs_f64())
}

const AREAS: [&str; 12] =
    ["payments", "cards", "loans", "risk", "motor", "claims", "ledger", "mobile", "search", "mail", "reports", "idm"];
const KINDS: [&str; 10] = ["api", "web", "batch", "worker", "gateway", "proxy", "admin", "cron", "cache", "agent"];
const BASES: [&str; 8] =
    ["nginx-1.22", "tomcat-9.0", "jdk-17", "jdk-21", "python-3.11", "node-20", "php-8.2", "redis-7.0"];

fn pick<'a>(from: &[&'a str], n: usize) -> &'a str {
    from[n % from.len()]
}

fn repository(n: usize) -> String {
    format!("{}/{}-{n:05}", pick(&AREAS, n), pick(&KINDS, n / AREAS.len()))
}

fn tag(n: usize, v: usize) -> String {
    format!("{}.{v}.{}", 1 + n % 4, n % 23)
}

/// Version `v` of repository `n` as a look finds such.
fn image(n: usize, v: usize, at: i64) -> Outcome<Image> {
    let (name, version) = (repository(n), tag(n, v));
    let hash = |what: &str| sha256(format!("{what} {n} {v}").as_bytes());
    let made = time::OffsetDateTime::from_unix_timestamp(at / 1000)?;
    let created = made.format(&time::format_description::well_known::Rfc3339)?;
    let revision = hash("revision")[7..47].to_owned();
    let label = |k: &str, v: String| (format!("org.opencontainers.image.{k}"), v);
    let labels = [
        label("title", format!("{} of {}", pick(&KINDS, n / AREAS.len()), pick(&AREAS, n))),
        label("description", format!("Service number {n} of the department {}", pick(&AREAS, n))),
        label("version", version),
        label("revision", revision),
        label("created", created.clone()),
        label("source", format!("https://git.bank.example/{name}")),
        label("documentation", format!("https://wiki.bank.example/{name}")),
        label("vendor", "Example Bank".to_owned()),
        label("licenses", "Apache-2.0".to_owned()),
        label("base.name", format!("registry.bank.example/base/{}", pick(&BASES, n + v / 5))),
        ("com.bank.owner".to_owned(), format!("{}-team@bank.example", pick(&AREAS, n))),
        ("com.bank.cost-centre".to_owned(), format!("cc{}", 4_000 + n % 300)),
    ];
    let step = |s: usize| ImageStep {
        created: created.clone(),
        made_by: format!("/bin/sh -c #(nop) COPY dir:{} in /opt/app/part-{s}", &hash("step")[7..39]),
        layer: s.is_multiple_of(2).then(|| (hash(&format!("layer {s}")), 1_000_000 + (n * 7 + s) as u64)),
    };
    Ok(Image {
        digest: hash("image"),
        media_type: MANIFEST.to_owned(),
        platforms: vec!["linux/amd64".to_owned()],
        runs_here: true,
        bytes: 80_000_000 + (n * 131 + v) as u64,
        created: created.clone(),
        author: format!("{}-team", pick(&AREAS, n)),
        user: "app".to_owned(),
        working_dir: "/opt/app".to_owned(),
        entry_point: vec!["/opt/app/bin/start".to_owned()],
        command: vec!["--port".to_owned(), "8080".to_owned()],
        env: ["PATH=/usr/local/bin:/usr/bin:/bin", "LANG=C.UTF-8", "TZ=Asia/Taipei"].map(str::to_owned).into(),
        ports: vec!["8080/tcp".to_owned()],
        volumes: vec!["/var/log/app".to_owned()],
        labels: BTreeMap::from(labels),
        steps: (0..14).map(step).collect(),
    })
}

/// The stock: repositories, versions and what these are.
async fn fill(store: &Store) -> Outcome<()> {
    let (now, mut tx) = (now_ms(), store.begin().await?);
    for n in 0..REPOSITORIES {
        let name = repository(n);
        let (mut tags, mut images) = (Vec::new(), Vec::new());
        for v in 0..VERSIONS {
            let made_at = now - ((VERSIONS - v) * 86_400_000 + n * 1_000) as i64;
            let image = image(n, v, made_at)?;
            tags.push(tag(n, v));
            sqlx::query(
                "INSERT INTO image (digest, bytes, made_at, facts, fault, seen_at) VALUES ($1, $2, $3, $4, '', $5)",
            )
            .bind(&image.digest)
            .bind(image.bytes as i64)
            .bind(made_at)
            .bind(serde_json::to_string(&image)?)
            .bind(now)
            .execute(&mut *tx)
            .await?;
            sqlx::query("INSERT INTO image_tag (registry, repository, tag, digest, since) VALUES ($1, $2, $3, $4, $5)")
                .bind(STOCK)
                .bind(&name)
                .bind(&tags[v])
                .bind(&image.digest)
                .bind(now)
                .execute(&mut *tx)
                .await?;
            images.push(image);
        }
        let said = words(&name, tags.iter().map(String::as_str), &images.iter().collect::<Vec<_>>());
        sqlx::query("INSERT INTO repository (registry, name, team, words, title, versions, newest, newest_at, bytes) VALUES ($1, $2, '', $3, $4, $5, $6, $7, $8)")
            .bind(STOCK)
            .bind(&name)
            .bind(said)
            .bind(format!("{} of {}", pick(&KINDS, n / AREAS.len()), pick(&AREAS, n)))
            .bind(VERSIONS as i64)
            .bind(&tags[VERSIONS - 1])
            .bind(now - 86_400_000)
            .bind(80_000_000_i64)
            .execute(&mut *tx)
            .await?;
    }
    tx.commit().await?;
    Ok(())
}

/// What somebody types.
fn typed(n: usize) -> String {
    let n = n * 7_919 % REPOSITORIES;
    match n % 6 {
        0 => repository(n),
        1 => format!("{}-{:03}", pick(&KINDS, n), n % 100),
        2 => tag(n, n % VERSIONS),
        3 => format!("cc{}", 4_000 + n % 300),
        4 => format!("{} {}", pick(&AREAS, n), pick(&BASES, n / 3)),
        _ => format!("nobody-{n}-has-this"),
    }
}

async fn search(p: &Portal, t: &mut Table) -> Outcome<()> {
    let (mut ms, mut found) = (Vec::new(), 0);
    for n in 0..SEARCHES {
        let q: String = url::form_urlencoded::byte_serialize(typed(n).as_bytes()).collect();
        let began = Instant::now();
        let answer = p.get(&format!("/images?q={q}")).await?;
        let status = answer.status();
        let text = answer.text().await?;
        ms.push(began.elapsed().as_secs_f64() * 1000.0);
        if !status.is_success() {
            return Err(format!("/images?q={q}: {status}").into());
        }
        found += usize::from(text.contains(&format!("/images/{STOCK}/")));
    }
    // All but those that nobody has.
    if found < SEARCHES / 2 || found == SEARCHES {
        return Err(format!("{found} of {SEARCHES} searches have found something").into());
    }
    let (m, p99) = median_p99(&ms).ok_or("no rounds")?;
    t.row(
        "search among 10,000 repositories, 100,000 tags",
        "p99 ≤ 100 ms",
        format!("median {m:.0} ms, p99 {p99:.0} ms of {SEARCHES}, {found} with hits"),
        Some(p99 <= 100.0),
    );
    Ok(())
}

async fn pages(p: &Portal, t: &mut Table) -> Outcome<()> {
    let mut ms = Vec::new();
    for n in 0..PAGES {
        let at = n * 7_919 % REPOSITORIES;
        let version = tag(at, n % VERSIONS);
        let path = format!("/images/{STOCK}/{}:{version}", repository(at));
        let answer = p.get(&path).await?;
        let (status, timing) = (answer.status(), super::pages::server_ms(&answer));
        let whole = answer.text().await?.contains("com.bank.cost-centre");
        let Some(dur) = timing.filter(|_| status.is_success() && whole) else {
            return Err(format!("{path}: {status}, whole: {whole}, Server-Timing: {timing:?}").into());
        };
        ms.push(dur);
    }
    let (m, p99) = median_p99(&ms).ok_or("no rounds")?;
    t.row(
        "page: image, one of 100,000",
        "p99 ≤ 50 ms",
        format!("median {m:.1} ms, p99 {p99:.1} ms of {PAGES}"),
        Some(p99 <= 50.0),
    );
    Ok(())
}
