use super::*;

const PAGES: [&str; 12] = [
    "/",
    "/applications",
    "/applications/new",
    "/applications/motor/shop",
    "/middleware",
    "/packages",
    "/pools",
    "/addresses/x",
    "/admin/people",
    "/account",
    "/nonsense",
    "/logs/motor/shop/t1/stdout",
];

#[tokio::test]
async fn strangers_come_no_further_than_the_door() {
    let w = world().await;
    for path in PAGES {
        let a = w.get(path, "padis_session=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA").await;
        assert_eq!(a.status, StatusCode::SEE_OTHER, "{path}");
        assert!(a.to().starts_with("/sign-in"), "{path}: {}", a.to());
    }
    assert_eq!(w.get("/applications?q=a%20b", "").await.to(), "/sign-in?next=%2Fapplications%3Fq%3Da%2520b");
    for (method, path) in [
        (Method::POST, "/uploads"),
        (Method::HEAD, "/uploads/0123"),
        (Method::PATCH, "/uploads/0123"),
        (Method::DELETE, "/uploads/0123"),
        (Method::POST, "/uploads/form"),
        (Method::GET, "/events/stream"),
        (Method::GET, "/api/nonsense"),
    ] {
        let a = w.send(request(method.clone(), path, "", &[OURS], Body::empty())).await;
        assert_eq!(a.status, StatusCode::UNAUTHORIZED, "{method} {path}");
    }
    for path in ["/sign-in", "/health", "/favicon.ico", "/pkg/a.1.js"] {
        assert_eq!(w.get(path, "").await.status, StatusCode::OK, "{path}");
    }
}

#[tokio::test]
async fn every_server_function_refuses_strangers() {
    let w = world().await;
    let mut tried = 0;
    for (path, method) in leptos::server_fn::axum::server_fn_paths() {
        let json = [("content-type", "application/x-www-form-urlencoded"), ("accept", "application/json"), OURS];
        let a = w.send(request(method.clone(), path, "", &json, Body::empty())).await;
        if path == "/api/me" {
            // The one that strangers may ask: who they are, which is nobody.
            assert!(a.json()["who"].is_null() && a.json()["prefs"].is_object(), "{}", a.text());
        } else {
            assert_eq!(
                (a.status, a.json()["problem"].as_str()),
                (StatusCode::UNAUTHORIZED, Some("not_signed_in")),
                "{path}"
            );
        }
        tried += 1;
    }
    assert!(tried > 40, "{tried}: the server functions are not linked in");
}

#[tokio::test]
async fn only_pages_of_the_portal_may_change_something() {
    let w = world().await;
    let c = w.session("admin").await;
    for headers in [
        vec![],
        vec![("origin", "http://evil.test")],
        vec![("origin", "null")],
        vec![("sec-fetch-site", "cross-site"), ("origin", "http://padis.test")],
        vec![("sec-fetch-site", "same-site")],
    ] {
        for path in ["/auth/sign-out", "/prefs", "/uploads", "/api/put_team", "/auth/sign-in"] {
            let a = w.send(request(Method::POST, path, &c, &headers, Body::empty())).await;
            assert_eq!(a.status, StatusCode::FORBIDDEN, "{path} {headers:?}");
        }
    }
    assert_eq!(w.get("/", &c).await.status, StatusCode::OK, "still signed in");
}

#[tokio::test]
async fn every_answer_carries_the_security_headers() {
    let w = world().await;
    let c = w.session("admin").await;
    for path in ["/", "/nonsense", "/api/nonsense", "/health", "/sign-in", "/pkg/none.js", "/uploads/x"] {
        let a = w.get(path, &c).await;
        let csp = a.header("content-security-policy");
        assert!(csp.contains("default-src 'self'") && csp.contains("frame-ancestors 'none'"), "{path}: {csp}");
        assert!(!csp.contains("unsafe-inline") && !csp.contains("'unsafe-eval'"), "{path}");
        assert_eq!(a.header("x-content-type-options"), "nosniff", "{path}");
        assert!(a.header("server-timing").starts_with("app;dur="), "{path}");
        assert_eq!(a.header("x-request-id").len(), 10, "{path}");
    }
    assert_eq!(w.get("/nonsense", &c).await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn inline_scripts_carry_the_nonce_of_their_own_answer() {
    let w = world().await;
    let c = w.session("admin").await;
    let (a, b) = (w.get("/pools", &c).await, w.get("/pools", &c).await);
    let nonce = |x: &Answer| {
        let csp = x.header("content-security-policy").to_owned();
        csp.split("'nonce-").nth(1).and_then(|r| r.split('\'').next()).unwrap_or_default().to_owned()
    };
    assert!(nonce(&a).len() >= 16 && nonce(&a) != nonce(&b));
    let html = a.text();
    for script in html.split("<script").skip(1) {
        let tag = script.split('>').next().unwrap_or_default();
        assert!(tag.contains("src=") || tag.contains(&nonce(&a)), "<script{tag}>");
    }
    assert!(!html.contains(" style=\""), "an inline style");
    assert_eq!(a.header("cache-control"), "no-store");
}

#[tokio::test]
async fn pages_are_compressed_and_files_come_compressed() {
    let w = world().await;
    let gzip = [("accept-encoding", "gzip")];
    let a = w.send(request(Method::GET, "/sign-in", "", &gzip, Body::empty())).await;
    assert_eq!(a.header("content-encoding"), "gzip");
    assert_eq!(a.body[..2], [0x1f, 0x8b]);
    let br = [("accept-encoding", "br, gzip")];
    let a = w.send(request(Method::GET, "/pkg/a.1.js", "", &br, Body::empty())).await;
    assert_eq!((a.header("content-encoding"), a.text().as_str()), ("br", "compressed"));
    assert_eq!(a.header("cache-control"), "public, max-age=31536000, immutable");
    let a = w.get("/pkg/none.js", "").await;
    assert_eq!((a.status, a.header("cache-control")), (StatusCode::NOT_FOUND, "no-store"));
    let a = w.get("/pkg/..%2f..%2fmanifest.json", "").await;
    assert_ne!(a.status, StatusCode::OK);
}

#[tokio::test]
async fn a_panic_is_an_answer_with_an_incident() {
    let w = world().await;
    let c = config::from(None, [], None).expect("settings");
    let packages = Packages::new(w.store.clone(), w.dir.path(), c.upload.clone(), w.changes.clone()).expect("packages");
    let nobody = crate::portal::PadisPortal::new(
        w.store.clone(),
        Arc::<Live>::default(),
        w.changes.clone(),
        PortalSettings {
            balancer_port: 80,
            balancer_address: String::new(),
            balancer_listen: String::new(),
            max_package_bytes: 0,
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
            public_url: String::new(),
        },
        Arc::default(),
        w.auth.clone(),
        super::outside(),
    );
    let web = Web::new(
        &c,
        w.auth.clone(),
        Arc::new(nobody),
        Arc::new(packages),
        Arc::default(),
        w.changes.clone(),
        w.stop.clone(),
    );
    async fn boom() -> &'static str {
        panic!("secret detail")
    }
    let router = Router::new().route("/boom", get(boom));
    let router = router.layer(middleware::from_fn_with_state(web.clone(), headers::layer)).with_state(web);
    let r = router.oneshot(request(Method::GET, "/boom", "", &[], Body::empty())).await.expect("answer");
    assert_eq!(r.status(), StatusCode::INTERNAL_SERVER_ERROR);
    let id = r.headers()["x-request-id"].to_str().expect("text").to_owned();
    let body = r.into_body().collect().await.expect("body").to_bytes();
    let text = String::from_utf8_lossy(&body);
    assert!(text.contains(&id) && text.contains("内部出错") && !text.contains("secret detail"), "{text}");
}

#[tokio::test]
async fn a_form_that_is_too_large_is_refused() {
    let w = world().await;
    let c = w.session("admin").await;
    let a = w.form("/prefs", &c, &"a".repeat(MAX_FORM + 1)).await;
    assert_eq!(a.status, StatusCode::PAYLOAD_TOO_LARGE);
}
