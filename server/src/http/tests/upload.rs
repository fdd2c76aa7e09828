use super::*;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use padis_app::{api::Fault, wire};
use std::io::Write;

const BYTES: (&str, &str) = ("content-type", "application/offset+octet-stream");

fn site(size: usize) -> Vec<u8> {
    let mut z = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    let o = zip::write::SimpleFileOptions::default().compression_method(zip::CompressionMethod::Stored);
    z.start_file("index.html", o).expect("file");
    z.write_all(&vec![b'x'; size]).expect("data");
    z.finish().expect("zip").into_inner()
}

async fn create(w: &World, cookie: &str, team: &str, length: usize) -> Answer {
    let meta = format!("filename {},team {}", STANDARD.encode("shop.zip"), STANDARD.encode(team));
    let length = length.to_string();
    let headers = [("upload-length", length.as_str()), ("upload-metadata", meta.as_str()), OURS];
    w.send(request(Method::POST, "/uploads", cookie, &headers, Body::empty())).await
}

async fn patch(w: &World, cookie: &str, path: &str, offset: usize, bytes: &[u8]) -> Answer {
    let offset = offset.to_string();
    let headers = [("upload-offset", offset.as_str()), BYTES, OURS];
    w.send(request(Method::PATCH, path, cookie, &headers, Body::from(bytes.to_vec()))).await
}

#[tokio::test]
async fn tus_from_creation_to_package() {
    let w = world().await;
    let (c, all) = (w.session("anna").await, site(500_000));
    let a = create(&w, &c, "motor", all.len()).await;
    assert_eq!((a.status, a.header("tus-resumable")), (StatusCode::CREATED, "1.0.0"));
    let path = a.to().to_owned();
    let a = patch(&w, &c, &path, 0, &all[..200_000]).await;
    assert_eq!((a.status, a.header("upload-offset")), (StatusCode::NO_CONTENT, "200000"));
    let a = w.send(request(Method::HEAD, &path, &c, &[], Body::empty())).await;
    assert_eq!((a.status, a.header("upload-offset")), (StatusCode::OK, "200000"));
    assert_eq!(a.header("upload-length"), all.len().to_string());
    let a = patch(&w, &c, &path, 100, &all[100..]).await;
    assert_eq!((a.status, a.header("upload-offset")), (StatusCode::CONFLICT, "200000"));
    let a = patch(&w, &c, &path, 200_000, &all[200_000..]).await;
    assert_eq!(a.status, StatusCode::OK, "{}", a.text());
    let p = &a.json()["package"];
    assert_eq!((p["file_name"].as_str(), p["team"].as_str()), (Some("shop.zip"), Some("motor")));
    assert_eq!(p["facts"]["kind"], "zip");
    let page = w.get("/packages", &c).await;
    assert!(page.text().contains("shop.zip"));
}

#[tokio::test]
async fn what_is_refused_says_why() {
    let w = world().await;
    let c = w.session("anna").await;
    assert_eq!(create(&w, &c, "life", 10).await.status, StatusCode::NOT_FOUND);
    assert_eq!(create(&w, &c, "motor", 0).await.json()["problem"]["package"]["fault"], "empty");
    let a = create(&w, &c, "motor", 3 << 30).await;
    assert!(a.json()["problem"]["package"]["fault"]["too_large"].is_object(), "{}", a.text());
    let path = create(&w, &c, "motor", 20).await.to().to_owned();
    let a = w.send(request(Method::PATCH, &path, &c, &[OURS, ("upload-offset", "0")], Body::empty())).await;
    assert_eq!(a.status, StatusCode::UNSUPPORTED_MEDIA_TYPE);
    let a = patch(&w, &c, &path, 0, b"this is not a war!!!").await;
    assert_eq!(a.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(a.json()["problem"]["package"]["fault"]["not_an_archive"]["looks_like"], "text");
    let a = w.send(request(Method::HEAD, &path, &c, &[], Body::empty())).await;
    assert_eq!(a.status, StatusCode::NOT_FOUND, "a refused one is gone");
}

#[tokio::test]
async fn nobody_touches_anothers_upload() {
    let w = world().await;
    let (anna, bob) = (w.session("anna").await, w.session("bob").await);
    let path = create(&w, &anna, "motor", 100).await.to().to_owned();
    assert_eq!(patch(&w, &bob, &path, 0, b"x").await.status, StatusCode::NOT_FOUND);
    let a = w.send(request(Method::DELETE, &path, &bob, &[OURS], Body::empty())).await;
    assert_eq!(a.status, StatusCode::NOT_FOUND);
    let a = w.send(request(Method::DELETE, &path, &anna, &[OURS], Body::empty())).await;
    assert_eq!(a.status, StatusCode::NO_CONTENT);
}

fn multipart(team: &str, file_name: &str, bytes: &[u8]) -> Vec<u8> {
    let part = |name: &str| format!("--XX\r\nContent-Disposition: form-data; name=\"{name}\"");
    let mut out =
        format!("{}\r\n\r\n{team}\r\n{}\r\n\r\n/applications/new?step=2\r\n", part("team"), part("upload-back"));
    out.push_str(&format!("{}; filename=\"{file_name}\"\r\nContent-Type: application/zip\r\n\r\n", part("file")));
    let mut out = out.into_bytes();
    out.extend(bytes);
    out.extend(b"\r\n--XX--\r\n");
    out
}

#[tokio::test]
async fn a_plain_form_works_without_a_script() {
    let w = world().await;
    let c = w.session("anna").await;
    let kind = ("content-type", "multipart/form-data; boundary=XX");
    let post = |body: Vec<u8>| w.send(request(Method::POST, "/uploads/form", &c, &[kind, OURS], Body::from(body)));
    let a = post(multipart("motor", "shop.zip", &site(5_000_000))).await;
    assert_eq!(a.status, StatusCode::SEE_OTHER);
    assert!(a.to().starts_with("/applications/new?step=2&package="), "{}", a.to());
    // The page goes on for the team that the package is of.
    assert!(a.to().ends_with("&for=motor"), "{}", a.to());
    let problem = |a: &Answer| {
        let url: url::Url = format!("http://x{}", a.to()).parse().expect("url");
        let p = url.query_pairs().find(|(k, _)| k == "problem").map(|(_, v)| v.into_owned()).expect("a problem");
        wire::value::<Fault>(&p).and_then(|f| f.problem().cloned()).expect("a Problem")
    };
    let a = post(multipart("motor", "shop.war", b"no archive")).await;
    let fault = padis_domain::package::PackageFault::NotAnArchive { looks_like: "text".into() };
    assert_eq!(problem(&a), padis_domain::Problem::Package { fault });
    assert_eq!(problem(&post(multipart("life", "shop.zip", &site(10))).await), padis_domain::Problem::NotFound);
    let unchosen = problem(&post(multipart("", "shop.zip", &site(10))).await);
    assert_eq!(unchosen, padis_domain::Problem::missing("team"));
    assert_eq!(problem(&post(multipart("motor", "", b"")).await), padis_domain::Problem::missing("package"));
}

#[tokio::test]
async fn what_was_typed_beside_a_plain_upload_comes_back_without_secrets() {
    let w = world().await;
    let c = w.session("anna").await;
    let kind = ("content-type", "multipart/form-data; boundary=XX");
    let field = |name: &str, value: &str| {
        format!("--XX\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n").into_bytes()
    };
    let send = |file: Vec<u8>| {
        let mut body = [
            field("upload-form", "create_app"),
            field("upload-back", "/applications/new"),
            field("upload-team", "motor"),
            b"--XX\r\nContent-Disposition: form-data; name=\"file\"; filename=\"shop.zip\"\r\n\r\n".to_vec(),
            file,
            b"\r\n".to_vec(),
            field("name", "shop & more"),
            field("secrets", "TOKEN=hush"),
            b"--XX--\r\n".to_vec(),
        ];
        w.send(request(
            Method::POST,
            "/uploads/form",
            &c,
            &[kind, OURS],
            Body::from(std::mem::take(&mut body).concat()),
        ))
    };
    let cookies = |a: &Answer| {
        let all = a.headers.get_all("set-cookie").iter().filter_map(|c| c.to_str().ok()?.split(';').next());
        all.filter(|c| c.starts_with("padis_form_")).collect::<Vec<_>>().join("; ")
    };
    for (file, told) in [(site(100), "&package="), (b"no archive".to_vec(), "&problem=")] {
        let a = send(file).await;
        assert!(a.to().starts_with("/applications/new?kept=create_app&"), "{}", a.to());
        assert!(a.to().contains(told), "{}", a.to());
        let kept = cookies(&a);
        assert!(!kept.contains("hush"), "{kept}");
        let page = w.get(a.to(), &format!("{c}; {kept}")).await.text();
        assert!(page.contains(r#"value="shop &amp; more""#), "what was typed stands there again");
        assert!(!w.get(a.to(), &c).await.text().contains("shop &amp; more"), "only with the cookie");
    }
}
