//! The router as browsers and strangers meet it, on a real portal and database.

mod archives;
mod door;
mod gate;
mod hooks;
mod materials;
mod stream;
mod upload;

use super::*;
use crate::config::{self, Secret};
use crate::portal::{Accounts, Outside, PadisPortal, PortalSettings};
use crate::reconcile::live::Live;
use crate::store::Store;
use axum::body::Body;
use http::header::{COOKIE, HOST, HeaderName, LOCATION, SET_COOKIE};
use http::{HeaderMap, Method, Request, StatusCode};
use http_body_util::BodyExt;
use tower::ServiceExt;

pub const PASSWORD: &str = "correct horse battery";

pub struct World {
    pub router: Router,
    pub auth: Arc<Auth>,
    pub store: Store,
    pub changes: Changes,
    pub stop: CancellationToken,
    pub dir: tempfile::TempDir,
    pub secure: bool,
}

pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Vec<u8>,
}

impl Answer {
    pub fn header(&self, name: impl AsRef<str>) -> &str {
        self.headers.get(name.as_ref()).map(|v| v.to_str().expect("text")).unwrap_or_default()
    }
    pub fn to(&self) -> &str {
        self.header(LOCATION)
    }
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|e| panic!("{e}: {}", self.text()))
    }
    /// The session's cookie, `name=value`.
    pub fn cookie(&self) -> String {
        let set = self.headers.get_all(SET_COOKIE).iter().filter_map(|v| v.to_str().ok());
        set.map(|c| c.split(';').next().unwrap_or_default().to_owned())
            .find(|c| c.contains("session"))
            .unwrap_or_default()
    }
}

pub async fn world() -> World {
    world_with(&[]).await
}

/// Real pages and a cluster in which nothing is.
pub fn outside() -> Outside {
    Outside {
        pages: Arc::new(crate::reconcile::ask::Asker::new().expect("a client")),
        cluster: Arc::new(padis_drivers::fake::FakeCluster::new()),
        stream: Arc::new(crate::reconcile::stream::Stream::new()),
        registries: Arc::default(),
        known: Arc::default(),
        workbench: Arc::new(padis_drivers::fake::FakeWorkbench::new(Arc::default(), [])),
    }
}

pub async fn world_with(env: &[(&str, &str)]) -> World {
    world_of(env, Arc::default()).await
}

/// With registries.
pub async fn world_of(env: &[(&str, &str)], registries: Arc<crate::images::Registries>) -> World {
    let dir = tempfile::tempdir().expect("folder");
    let site = dir.path().join("site");
    std::fs::create_dir_all(site.join("pkg")).expect("site");
    let manifest = r#"{"css":"a.1.css",
        "zh":{"js":"z.1.js","wasm":"z.1.wasm"},
        "en":{"js":"a.1.js","wasm":"a.1.wasm"}}"#;
    std::fs::write(site.join("manifest.json"), manifest).expect("manifest");
    std::fs::write(site.join("pkg/a.1.js"), "export const long = 1;").expect("js");
    std::fs::write(site.join("pkg/a.1.js.br"), "compressed").expect("br");
    let own = [("PADIS_DATA", dir.path().to_str().expect("text")), ("PADIS_SITE", site.to_str().expect("text"))];
    let env = own
        .iter()
        .chain([&("PADIS_UPLOAD_KEEP_FREE_BYTES", "0")])
        .chain(env)
        .map(|(k, v)| ((*k).to_owned(), (*v).to_owned()));
    let c = config::from(None, env.collect::<Vec<_>>(), None).expect("settings");
    let store = Store::open(c.database.reveal()).await.expect("store");
    for q in [
        "INSERT INTO team VALUES ('motor', 'Motor', 0), ('life', 'Life', 0)",
        "INSERT INTO account VALUES ('anna', 'Anna', '', 1, 1, NULL, NULL, 0, NULL), ('bob', 'Bob', '', 1, 1, NULL, NULL, 0, NULL)",
        "INSERT INTO membership VALUES ('anna', 'motor', 'member', 0), ('bob', 'life', 'member', 0)",
    ] {
        sqlx::query(q).execute(store.write()).await.expect("people");
    }
    let changes = Changes::new();
    let auth = Auth::new(store.clone(), None, crate::auth::Settings::from(&c), changes.clone()).await.expect("auth");
    auth.first_administrator(Some(&Secret::new(PASSWORD))).await.expect("administrator");
    let auth = Arc::new(auth);
    let accounts: Arc<dyn Accounts> = auth.clone();
    let settings = PortalSettings {
        balancer_port: 8000,
        balancer_address: "127.0.0.1".into(),
        balancer_listen: "127.0.0.1:8000".into(),
        max_package_bytes: c.upload.max_bytes,
        logs: c.below("logs"),
        packages: c.below("packages"),
        writable_bytes: 1 << 30,
        benches: c.below("benches"),
        recipes: c.below("recipes"),
        sealer: Arc::new(crate::seal::Sealer::random().expect("a key")),
        archives: crate::archives::Spool {
            folder: c.below("archives"),
            most_bytes: 1 << 20,
            keep_free: 0,
            holder: "here".into(),
        },
        public_url: "http://localhost".into(),
    };
    let wake = Arc::new(tokio::sync::Notify::new());
    let outside = Outside { registries: registries.clone(), ..outside() };
    let portal = PadisPortal::new(store.clone(), Arc::default(), changes.clone(), settings, wake, accounts, outside);
    let packages = Packages::new(store.clone(), &c.data, c.upload.clone(), changes.clone()).expect("packages");
    let stop = CancellationToken::new();
    let web = Web::new(
        &c,
        auth.clone(),
        Arc::new(portal),
        Arc::new(packages),
        registries.clone(),
        changes.clone(),
        stop.clone(),
    );
    World { router: router(web), auth, store, changes, stop, dir, secure: c.cookies_secure() }
}

impl World {
    /// A cookie of a fresh session.
    pub async fn session(&self, account: &str) -> String {
        let peer = crate::auth::Peer { address: "10.0.0.1".into(), agent: "test".into() };
        let token = self.auth.sessions.begin(account, &peer, None).await.expect("session");
        format!("{}={token}", cookies::session_name(self.secure))
    }

    pub async fn send(&self, request: Request<Body>) -> Answer {
        let response = self.router.clone().oneshot(request).await.expect("infallible");
        let (parts, body) = response.into_parts();
        let body = body.collect().await.map(|b| b.to_bytes().to_vec()).unwrap_or_default();
        Answer { status: parts.status, headers: parts.headers, body }
    }

    pub async fn get(&self, path: &str, cookie: &str) -> Answer {
        self.send(request(Method::GET, path, cookie, &[], Body::empty())).await
    }

    /// A form posted from a page of the portal.
    pub async fn form(&self, path: &str, cookie: &str, form: &str) -> Answer {
        let kind = [("content-type", "application/x-www-form-urlencoded"), ("origin", "http://padis.test")];
        self.send(request(Method::POST, path, cookie, &kind, Body::from(form.to_owned()))).await
    }
}

pub fn request(method: Method, path: &str, cookie: &str, headers: &[(&str, &str)], body: Body) -> Request<Body> {
    let mut r = Request::builder().method(method).uri(path).header(HOST, "padis.test");
    if !cookie.is_empty() {
        r = r.header(COOKIE, cookie);
    }
    for (k, v) in headers {
        r = r.header(HeaderName::from_bytes(k.as_bytes()).expect("name"), *v);
    }
    r.body(body).expect("request")
}

/// The header by which a page of the portal is known.
pub const OURS: (&str, &str) = ("origin", "http://padis.test");
