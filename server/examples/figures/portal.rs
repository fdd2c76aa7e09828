//! A portal of its own: the release binary with a fresh data folder, used through
//! HTTP as a browser does.

use super::Outcome;
use serde_json::Value;
use std::io::{Read, Write};
use std::path::PathBuf;
use std::time::{Duration, Instant};

/// The first administrator's.
pub const PASSWORD: &str = "bench-bench-bench";
const FORM: &str = "application/x-www-form-urlencoded";

fn encoded<V: AsRef<str>>(form: &[(&str, V)]) -> String {
    url::form_urlencoded::Serializer::new(String::new()).extend_pairs(form).finish()
}

/// Where everything listens, and what is started.
pub struct Place {
    /// The server's binary.
    pub server: PathBuf,
    /// The script that puts the middleware into a registry.
    pub push: PathBuf,
    /// Data folder; kept over restarts.
    pub data: PathBuf,
    /// Ports: portal, Marathon, Mesos, registry, names, balancer.
    pub ports: [u16; 6],
}

/// The running portal.
pub struct Portal {
    /// Where it listens.
    pub base: String,
    /// Where the balancer listens.
    pub balancer: String,
    /// Its data folder.
    pub data: PathBuf,
    /// For calls.
    pub http: reqwest::Client,
    cookie: String,
    pub registry: String,
    /// The server's process.
    pub child: tokio::process::Child,
}

/// The headers of an upload's bytes.
fn pouring() -> Outcome<reqwest::header::HeaderMap> {
    let pairs =
        [("tus-resumable", "1.0.0"), ("upload-offset", "0"), ("content-type", "application/offset+octet-stream")];
    let pair = |(k, v): (&'static str, &str)| Ok((reqwest::header::HeaderName::from_static(k), v.parse()?));
    pairs.into_iter().map(pair).collect()
}

/// The package's sha-256 from an upload's answer.
fn package(text: &str) -> Outcome<String> {
    let v: Value = serde_json::from_str(text).map_err(|e| format!("upload: {e}: {text}"))?;
    v["package"]["sha256"].as_str().map(str::to_owned).ok_or_else(|| format!("upload: {text}").into())
}

fn need(name: &str) -> Outcome<String> {
    std::env::var(name).map_err(|_| format!("{name} is not set: run this by 'make bench'").into())
}

impl Portal {
    /// Starts it, puts the middleware in and signs in.
    pub async fn start(place: &Place) -> Outcome<Self> {
        let mut it = Self::launch(place).await?;
        it.furnish(place).await?;
        Ok(it)
    }

    /// Puts the middleware in and signs in.
    pub async fn furnish(&mut self, place: &Place) -> Outcome<()> {
        let push = tokio::process::Command::new(&place.push).arg(&self.registry).status().await?;
        if !push.success() {
            return Err("the middleware could not be put into the registry".into());
        }
        self.sign_in().await?;
        self.until("the middleware is known", 60, async |p| {
            Ok(p.options().await?["stacks"].as_array().is_some_and(|s| s.len() >= 3))
        })
        .await
    }

    /// Starts it and waits until it and its registry answer.
    pub async fn launch(place: &Place) -> Outcome<Self> {
        Self::launch_with(place, &[]).await
    }

    /// The same with more settings, as the environment gives them.
    pub async fn launch_with(place: &Place, more: &[(&str, String)]) -> Outcome<Self> {
        std::fs::create_dir_all(&place.data)?;
        let log = std::fs::OpenOptions::new().create(true).append(true).open(place.data.with_extension("log"))?;
        let [portal, marathon, mesos, registry, names, balancer] = place.ports.map(|p| format!("127.0.0.1:{p}"));
        let child = tokio::process::Command::new(&place.server)
            .arg("serve")
            .current_dir(&place.data)
            .env("PADIS_DATA", &place.data)
            .env("PADIS_ADMIN_PASSWORD", PASSWORD)
            .env("PADIS_DOCKER_SOCKET", need("PADIS_TEST_DOCKER")?)
            .env("PADIS_LISTEN", &portal)
            .env("PADIS_ENGINE_MARATHON_LISTEN", &marathon)
            .env("PADIS_ENGINE_MESOS_LISTEN", &mesos)
            .env("PADIS_REGISTRY_LISTEN", &registry)
            .env("PADIS_DNS_LISTEN", &names)
            .env("PADIS_BALANCER_LISTEN", &balancer)
            .envs(more.iter().map(|(k, v)| (k, v)))
            .stdout(log.try_clone()?)
            .stderr(log)
            .kill_on_drop(true)
            .spawn()?;
        let http = reqwest::Client::builder().no_proxy().redirect(reqwest::redirect::Policy::none()).build()?;
        let it = Self {
            base: format!("http://{portal}"),
            balancer: format!("http://{balancer}"),
            data: place.data.clone(),
            http,
            cookie: String::new(),
            registry,
            child,
        };
        let began = Instant::now();
        it.until("the portal answers", 60, async |p| Ok(p.http.get(format!("{}/health", p.base)).send().await.is_ok()))
            .await?;
        println!("  the portal answers after {} ms", began.elapsed().as_millis());
        let url = format!("http://{}/v2/", it.registry);
        it.until("the registry answers", 30, async |p| Ok(p.http.get(&url).send().await.is_ok())).await?;
        Ok(it)
    }

    /// Signs in as the first administrator.
    pub async fn sign_in(&mut self) -> Outcome<()> {
        let form = [("account", "admin"), ("password", PASSWORD), ("next", "/")];
        let answer = self
            .http
            .post(format!("{}/auth/sign-in", self.base))
            .header("Origin", &self.base)
            .header("Content-Type", FORM)
            .body(encoded(&form))
            .send()
            .await?;
        let cookies: Vec<String> = answer
            .headers()
            .get_all("set-cookie")
            .iter()
            .filter_map(|c| c.to_str().ok()?.split(';').next().map(str::to_owned))
            .collect();
        self.cookie = cookies.join("; ");
        Ok(())
    }

    /// Waits for a condition.
    pub async fn until(
        &self,
        what: &str,
        seconds: u64,
        mut cond: impl AsyncFnMut(&Self) -> Outcome<bool>,
    ) -> Outcome<()> {
        let end = Instant::now() + Duration::from_secs(seconds);
        let mut last = None;
        while Instant::now() < end {
            match cond(self).await {
                Ok(true) => return Ok(()),
                Ok(false) => {}
                Err(e) => last = Some(e.to_string()),
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        Err(format!("did not come about in {seconds} s: {what} {}", last.unwrap_or_default()).into())
    }

    /// A GET with the session.
    pub async fn get(&self, path: &str) -> Outcome<reqwest::Response> {
        Ok(self.http.get(format!("{}{path}", self.base)).header("Cookie", &self.cookie).send().await?)
    }

    /// A server function that reads.
    pub async fn ask(&self, path: &str) -> Outcome<Value> {
        let a = self.get(&format!("/api/{path}")).await?;
        let status = a.status();
        let text = a.text().await?;
        if !status.is_success() {
            return Err(format!("{path}: {status} {text}").into());
        }
        Ok(serde_json::from_str(&text)?)
    }

    /// What the new application's form offers.
    pub async fn options(&self) -> Outcome<Value> {
        self.ask("new_app_options").await
    }

    /// A request that changes something.
    pub fn change(&self, method: reqwest::Method, path: &str) -> reqwest::RequestBuilder {
        self.http
            .request(method, format!("{}{path}", self.base))
            .header("Cookie", &self.cookie)
            .header("Origin", &self.base)
    }

    /// A server function that changes something.
    pub async fn post(&self, endpoint: &str, form: &[(&str, String)]) -> Outcome<()> {
        let a = self
            .change(reqwest::Method::POST, &format!("/api/{endpoint}"))
            .header("Content-Type", FORM)
            .body(encoded(form))
            .send()
            .await?;
        let status = a.status();
        if status.is_success() || status.is_redirection() {
            return Ok(());
        }
        Err(format!("{endpoint}: {status} {}", a.text().await?).into())
    }

    /// A fresh token.
    pub async fn once(&self) -> Outcome<String> {
        Ok(self.options().await?["once"].as_str().unwrap_or_default().to_owned())
    }

    /// Uploads bytes as the browser does; the package's sha-256.
    pub async fn upload(&self, name: &str, body: impl Into<reqwest::Body>, length: u64) -> Outcome<String> {
        let at = self.begin_upload(name, length).await?;
        let done = self.change(reqwest::Method::PATCH, &at).headers(pouring()?).body(body).send().await?;
        package(&done.text().await?)
    }

    /// The same with a file that the kernel sends (sendfile), so that the portal and not
    /// this program is what is measured.
    pub async fn upload_file(&self, name: &str, path: &std::path::Path) -> Outcome<String> {
        let file = std::fs::File::open(path)?;
        let length = file.metadata()?.len();
        let at = self.begin_upload(name, length).await?;
        let request = self.change(reqwest::Method::PATCH, &at).headers(pouring()?).build()?;
        let host = self.base.trim_start_matches("http://").to_owned();
        let mut head =
            format!("PATCH {at} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\ncontent-length: {length}\r\n");
        for (k, v) in request.headers() {
            head.push_str(&format!("{k}: {}\r\n", v.to_str()?));
        }
        head.push_str("\r\n");
        let answer = tokio::task::spawn_blocking(move || {
            let mut to = std::net::TcpStream::connect(host)?;
            to.write_all(head.as_bytes())?;
            let mut left = usize::try_from(length).unwrap_or(usize::MAX);
            while left > 0 {
                left -= rustix::fs::sendfile(&to, &file, None, left.min(1 << 20))?;
            }
            let mut answer = String::new();
            to.read_to_string(&mut answer)?;
            Ok::<_, std::io::Error>(answer)
        })
        .await??;
        let body = answer.split_once("\r\n\r\n").map(|(_, body)| body).unwrap_or_default();
        // The answer may come in chunks; there is one object in it.
        package(&body[body.find('{').unwrap_or(0)..body.rfind('}').map_or(body.len(), |at| at + 1)])
    }

    async fn begin_upload(&self, name: &str, length: u64) -> Outcome<String> {
        let b64 = |s: &str| base64(s.as_bytes());
        let begun = self
            .change(reqwest::Method::POST, "/uploads")
            .header("Tus-Resumable", "1.0.0")
            .header("Upload-Length", length)
            .header("Upload-Metadata", format!("filename {},team {}", b64(name), b64("default")))
            .send()
            .await?;
        let at = begun.headers().get("location").and_then(|l| l.to_str().ok()).map(str::to_owned);
        let Some(at) = at else { return Err(format!("upload: {} {}", begun.status(), begun.text().await?).into()) };
        Ok(at)
    }

    /// Presses "Go online".
    pub async fn go_online(&self, name: &str, package: &str, instances: u32) -> Outcome<()> {
        let options = self.options().await?;
        let stack = options["stacks"]
            .as_array()
            .and_then(|s| s.iter().find_map(|s| s["key"].as_str().filter(|k| k.starts_with("nginx"))));
        let form = [
            ("team", "default".to_owned()),
            ("name", name.to_owned()),
            ("stack", stack.unwrap_or_default().to_owned()),
            ("package", package.to_owned()),
            ("pool", "sf-dev".to_owned()),
            ("instances", instances.to_string()),
            ("size", String::new()),
            ("cpu", "0.1".to_owned()),
            ("mem", "64".to_owned()),
            ("health_path", "/".to_owned()),
            ("health_expect", "bench".to_owned()),
            ("once", options["once"].as_str().unwrap_or_default().to_owned()),
        ];
        self.post("create_app", &form).await
    }

    /// One application's page as data.
    pub async fn app(&self, name: &str) -> Outcome<Value> {
        self.ask(&format!("app?app[team]=default&app[app]={name}")).await
    }

    /// Acts on an application.
    pub async fn act(&self, endpoint: &str, name: &str, more: &[(&str, String)]) -> Outcome<()> {
        let seen = self.app(name).await?["revision"].to_string();
        let mut form = vec![
            ("team", "default".to_owned()),
            ("app", name.to_owned()),
            ("seen", seen),
            ("once", self.once().await?),
        ];
        form.extend_from_slice(more);
        self.post(endpoint, &form).await
    }

    /// Deletes an application and waits until everything is given back.
    pub async fn delete(&self, name: &str) -> Outcome<()> {
        self.act("delete_app", name, &[("confirm", name.to_owned())]).await?;
        self.until("it is gone", 60, async |p| Ok(p.app(name).await.is_err())).await
    }

    /// The host name of an application.
    pub fn host(name: &str) -> String {
        format!("{name}.dev.padis.localhost")
    }

    /// Whether the application answers well through the balancer.
    pub async fn answers(&self, name: &str) -> bool {
        let sent =
            self.http.get(&self.balancer).header("Host", Self::host(name)).timeout(Duration::from_secs(2)).send().await;
        match sent {
            Ok(a) if a.status().is_success() => a.text().await.is_ok_and(|t| t.contains("bench")),
            _ => false,
        }
    }

    /// The server's process id.
    pub fn pid(&self) -> Outcome<u32> {
        self.child.id().ok_or_else(|| "the portal has ended".into())
    }

    /// Resident memory of the server process in MiB.
    pub fn rss_mib(&self) -> Outcome<u64> {
        self.memory_mib("VmRSS:")
    }

    /// The most that it ever was.
    pub fn peak_mib(&self) -> Outcome<u64> {
        self.memory_mib("VmHWM:")
    }

    fn memory_mib(&self, line: &str) -> Outcome<u64> {
        let pid = self.pid()?;
        let status = std::fs::read_to_string(format!("/proc/{pid}/status"))?;
        let kib = status
            .lines()
            .find_map(|l| l.strip_prefix(line))
            .and_then(|l| l.split_whitespace().next()?.parse::<u64>().ok());
        Ok(kib.ok_or("no such line of memory")? / 1024)
    }

    /// Stops it in order.
    pub async fn stop(mut self) {
        if let Some(pid) = self.child.id() {
            let _ = tokio::process::Command::new("kill").arg(pid.to_string()).status().await;
        }
        let _ = tokio::time::timeout(Duration::from_secs(20), self.child.wait()).await;
    }
}

fn base64(b: &[u8]) -> String {
    const A: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    b.chunks(3)
        .map(|c| {
            let n = c.iter().fold(0u32, |n, b| n << 8 | u32::from(*b)) << (8 * (3 - c.len()));
            let s: String = (0..4).map(|i| A[(n >> (18 - 6 * i) & 63) as usize] as char).collect();
            format!("{}{}", &s[..c.len() + 1], "=".repeat(3 - c.len()))
        })
        .collect()
}
