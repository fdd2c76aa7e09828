use super::*;
use crate::images::{Place, Registries, whole};
use padis_app::api::Fault;
use padis_app::wire;
use padis_domain::Problem;
use padis_domain::ports::{CopyTo, ManifestBytes, Transfer};
use padis_drivers::fake::{FakeRegistry, FakeTransfer};
use sha2::{Digest, Sha256};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

fn sha(bytes: &[u8]) -> String {
    let hex: String = Sha256::digest(bytes).iter().map(|b| format!("{b:02x}")).collect();
    format!("sha256:{hex}")
}

/// A registry with an image of team motor, of one layer.
async fn world_with_image(layer: &[u8]) -> (World, Arc<FakeRegistry>) {
    let own = Arc::new(FakeRegistry::new());
    let transfer = Arc::new(FakeTransfer::new([("padis".to_owned(), own.clone())].into()));
    let config = br#"{"os":"linux","architecture":"amd64"}"#;
    let d = |b: &[u8]| format!(r#"{{"digest":"{}","size":{}}}"#, sha(b), b.len());
    let manifest = format!(r#"{{"schemaVersion":2,"config":{},"layers":[{}]}}"#, d(config), d(layer)).into_bytes();
    let to =
        CopyTo { registry: "padis".into(), repository: "teams/motor/web".into(), tag: "1.0".into(), instead_of: None };
    // An image whose blobs are there, whatever their bytes become later.
    own.put_image("teams/motor/web", "seed", seed(config, layer));
    own.put_bytes(&sha(config), config.to_vec());
    own.put_bytes(&sha(layer), layer.to_vec());
    let media_type = "application/vnd.oci.image.manifest.v1+json".to_owned();
    let manifest = ManifestBytes { digest: sha(&manifest), media_type, bytes: manifest, blobs: Vec::new() };
    transfer.put_manifest(&to, &manifest, true).await.expect("an image");
    let place = Place {
        name: "padis".into(),
        place: "r.test".into(),
        stage: None,
        takes: true,
        rules: crate::images::Rules::default(),
        token: None,
        client: own.clone(),
    };
    let registries = Arc::new(Registries::new(vec![place], transfer, Duration::from_secs(600)));
    let w = world_of(&[], registries.clone()).await;
    whole(&w.store, &registries.all()[0]).await.expect("a look");
    (w, own)
}

fn seed(config: &[u8], layer: &[u8]) -> padis_domain::ports::Image {
    let step =
        |b: &[u8]| padis_domain::ports::ImageStep { layer: Some((sha(b), b.len() as u64)), ..Default::default() };
    padis_domain::ports::Image { digest: sha(b"seed"), steps: vec![step(config), step(layer)], ..Default::default() }
}

const PATH: &str = "/images-archive/padis/teams/motor/web:1.0";

#[tokio::test]
async fn a_version_is_a_file_of_known_length_for_those_who_may_see_it() {
    let (w, _) = world_with_image(&vec![7; 100_000]).await;
    let (anna, bob) = (w.session("anna").await, w.session("bob").await);
    let ask = [("accept-encoding", "gzip, br")];
    let a = w.send(request(Method::GET, PATH, &anna, &ask, Body::empty())).await;
    assert_eq!((a.status, a.header("content-type")), (StatusCode::OK, "application/x-tar"));
    assert_eq!(a.header("content-disposition"), "attachment; filename=\"teams-motor-web-1.0.tar\"");
    assert_eq!((a.header("content-length"), a.header("content-encoding")), (a.body.len().to_string().as_str(), ""));
    let mut names = Vec::new();
    for entry in tar::Archive::new(&a.body[..]).entries().expect("a tar") {
        names.push(entry.expect("an entry").path().expect("a path").display().to_string());
    }
    assert_eq!(names[..3], ["oci-layout", "index.json", "manifest.json"]);
    assert_eq!(names.len(), 3 + 2 + 3, "two folders, a manifest, a configuration, a layer: {names:?}");
    assert!(a.text().contains("\"RepoTags\":[\"r.test/teams/motor/web:1.0\"]"));
    let (his, none) = (w.get(PATH, &bob).await, w.get("/images-archive/padis/teams/motor/no:1", &bob).await);
    assert_eq!((his.status, &his.body), (StatusCode::NOT_FOUND, &none.body));
    for odd in ["/images-archive/padis/teams/motor/web", "/images-archive/nowhere/teams/motor/web:1.0"] {
        assert_eq!(w.get(odd, &anna).await.status, StatusCode::NOT_FOUND, "{odd}");
    }
    assert!(w.get(PATH, "").await.to().starts_with("/sign-in"));
}

/// The router behind a port.
async fn served(w: &World) -> std::net::SocketAddr {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("its address");
    tokio::spawn(serve(listener, w.router.clone(), w.stop.clone()));
    address
}

#[tokio::test]
async fn a_download_that_goes_wrong_breaks_off() {
    let layer = vec![7; 100_000];
    let (w, own) = world_with_image(&layer).await;
    own.put_bytes(&sha(&layer), vec![8; 100_000]);
    let anna = w.session("anna").await;
    let mut socket = tokio::net::TcpStream::connect(served(&w).await).await.expect("connected");
    let head = format!("GET {PATH} HTTP/1.1\r\nHost: padis.test\r\nCookie: {anna}\r\n\r\n");
    socket.write_all(head.as_bytes()).await.expect("sent");
    let mut all = Vec::new();
    // Reset or closed: in either case before so many bytes have come as were announced.
    let _end = socket.read_to_end(&mut all).await;
    let text = String::from_utf8_lossy(&all);
    assert!(text.starts_with("HTTP/1.1 200"), "{text}");
    let told = text.split("content-length: ").nth(1).and_then(|t| t.split('\r').next()).expect("a length");
    let body = all.len() - text.find("\r\n\r\n").expect("a head") - 4;
    assert!(body < told.parse().expect("a number"), "{body} of {told}");
}

fn part(name: &str, value: &str) -> String {
    format!("--XX\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n")
}

fn file(bytes: &[u8]) -> Vec<u8> {
    let head = "--XX\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.tar\"\r\n\r\n";
    [head.as_bytes(), bytes, b"\r\n--XX--\r\n"].concat()
}

async fn once(w: &World) -> String {
    let token = uuid::Uuid::new_v4().simple().to_string();
    sqlx::query("INSERT INTO once (token, account, at) VALUES ($1, 'anna', 1)")
        .bind(&token)
        .execute(w.store.write())
        .await
        .expect("a token");
    token
}

fn spooled(w: &World) -> usize {
    std::fs::read_dir(w.dir.path().join("archives")).map(Iterator::count).unwrap_or_default()
}

#[tokio::test]
async fn a_plain_form_brings_an_image_in() {
    let (w, _) = world_with_image(&vec![7; 100_000]).await;
    let anna = w.session("anna").await;
    let kind = ("content-type", "multipart/form-data; boundary=XX");
    let send = async |tag: &str, bytes: Option<&[u8]>, headers: &[(&str, &str)]| {
        let fields = [
            part("back", "/images/padis/teams/motor/web"),
            part("once", &once(&w).await),
            part("registry", "padis"),
            part("repository", " teams/motor/web "),
            part("tag", tag),
        ];
        let end = bytes.map_or(b"--XX--\r\n".to_vec(), file);
        let body = Body::from([fields.concat().into_bytes(), end].concat());
        w.send(request(Method::POST, "/images-archive", &anna, headers, body)).await
    };
    // What we gave comes in again; it is larger than any other form may be.
    let whole = w.get(PATH, &anna).await.body;
    let a = send("2.0", Some(&whole), &[kind, OURS]).await;
    assert_eq!((a.status, a.to()), (StatusCode::SEE_OTHER, "/images/archives?done=bring_archive"));
    let rows: Vec<(String, String, String)> =
        sqlx::query_as("SELECT tag, state, named FROM image_archive").fetch_all(w.store.read()).await.expect("rows");
    assert_eq!(rows, [("2.0".into(), "waiting".into(), "r.test/teams/motor/web:1.0".into())]);
    assert_eq!(spooled(&w), 1);

    let problem = |a: &Answer| {
        assert!(a.to().starts_with("/images/padis/teams/motor/web?failed=bring_archive&problem="), "{}", a.to());
        let url: url::Url = format!("http://x{}", a.to()).parse().expect("url");
        let p = url.query_pairs().find(|(k, _)| k == "problem").map(|(_, v)| v.into_owned()).expect("a problem");
        wire::value::<Fault>(&p).and_then(|f| f.problem().cloned()).expect("a Problem")
    };
    let a = send("1.0", Some(&whole), &[kind, OURS]).await;
    assert_eq!(problem(&a), Problem::NameTaken { field: "tag".into(), name: "1.0".into() });
    let kept =
        a.headers.get_all("set-cookie").iter().any(|c| c.to_str().is_ok_and(|c| c.contains("bring_archive!anna!")));
    assert!(kept, "what was typed comes back");
    assert_eq!(problem(&send("3.0", None, &[kind, OURS]).await), Problem::missing("file"));
    // Larger than may be is told in the list, and nothing of it stays.
    let a = send("3.0", Some(&vec![1; 2 << 20]), &[kind, OURS]).await;
    assert_eq!(a.to(), "/images/archives?done=bring_archive");
    assert_eq!(spooled(&w), 1);
    let a = send("3.0", Some(&whole), &[kind, ("origin", "http://evil.test")]).await;
    assert_eq!(a.status, StatusCode::FORBIDDEN);
    let a = w.send(request(Method::POST, "/images-archive", "", &[kind, OURS], Body::from(file(&whole)))).await;
    assert_eq!(a.to(), "/sign-in");
}

#[tokio::test]
async fn an_upload_that_is_given_up_leaves_nothing() {
    let (w, _) = world_with_image(&vec![7; 100_000]).await;
    let anna = w.session("anna").await;
    let fields = [
        part("once", &once(&w).await),
        part("registry", "padis"),
        part("repository", "teams/motor/web"),
        part("tag", "9"),
    ];
    let head = "--XX\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.tar\"\r\n\r\n";
    let body = format!("{}{head}", fields.concat());
    let text = format!(
        "POST /images-archive HTTP/1.1\r\nHost: padis.test\r\nOrigin: http://padis.test\r\nCookie: {anna}\r\n\
         Content-Type: multipart/form-data; boundary=XX\r\nContent-Length: 900000\r\n\r\n{body}"
    );
    let mut socket = tokio::net::TcpStream::connect(served(&w).await).await.expect("connected");
    socket.write_all(text.as_bytes()).await.expect("sent");
    socket.write_all(&vec![7; 300_000]).await.expect("sent");
    let until = async |there: usize| {
        for _ in 0..1000 {
            if spooled(&w) == there {
                return;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("{} files instead of {there}", spooled(&w));
    };
    until(1).await;
    drop(socket);
    until(0).await;
    let rows: i64 =
        sqlx::query_scalar("SELECT COUNT(*) FROM image_archive").fetch_one(w.store.read()).await.expect("rows");
    assert_eq!(rows, 0);
}
