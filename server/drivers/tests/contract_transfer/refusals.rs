//! What must not come over, and a tag that somebody moves meanwhile.

use super::proxy::{self, Does, Plan, Way};
use super::world::{CONFIG, INDEX, LAYER, MANIFEST, Server, Special, config, noise, sha256};
use super::{Real, World, copy, ends, refused};
use padis_domain::ports::{CopyStep, PortError, Registry, Transfer};
use padis_drivers::registry::{RegistryClient, RegistryConfig, Transfers};
use serde_json::json;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

#[tokio::test]
async fn bytes_of_another_digest_are_not_kept() {
    for size in [100_000, 3_000_000] {
        let (one, two) = tokio::join!(Server::start(), Server::start());
        let after = if size > 1_000_000 { 1_000_000 } else { 50_000 };
        let liar = Plan { does: Does::Alter, way: Way::Down, after, times: 1, no_ranges: false };
        let between = proxy::before(one.address, liar).await;
        let target = two.address;
        let real = Real::by_way_of(one, between.address, two, target);
        let layer = noise(1, size);
        let digest = real.push("a", "1", std::slice::from_ref(&layer)).await;
        refused(copy(&real.transfer, &ends("one/a", &digest, "two/a", "1")).await.0, "are not those of sha256:");
        real.nothing_at_two("a", &digest).await;
        let path = format!("/v2/a/blobs/{}", sha256(&layer));
        let kept = real.two.pusher().try_send("HEAD", &path, "text/plain", vec![]).await;
        assert_eq!(kept.status(), 404);
        // The liar lies once.
        copy(&real.transfer, &ends("one/a", &digest, "two/a", "1")).await.0.unwrap();
    }
}

#[tokio::test]
async fn a_tag_that_somebody_moves_meanwhile_is_left_alone() {
    let real = Real::start().await;
    let theirs = real.two.pusher().image("a", "theirs", &BTreeMap::new()).await;
    let body = real.two.pusher().send("GET", "/v2/a/manifests/theirs", "text/plain", vec![]).await;
    let body = body.bytes().await.unwrap();
    let digest = real.push("a", "1", &[noise(1, 1_000_000)]).await;
    let (from, to) = ends("one/a", &digest, "two/a", "1");
    let url = format!("http://{}/v2/a/manifests/1", real.two.address);
    // In the middle of the copy, by a thread that does not wait for ours.
    let tell = move |step: CopyStep| {
        if let CopyStep::Blobs(_) = step {
            let (url, body) = (url.clone(), body.to_vec());
            std::thread::spawn(move || {
                let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
                runtime.block_on(async {
                    let http = reqwest::Client::builder().no_proxy().build().unwrap();
                    let put = http.put(url).header("content-type", MANIFEST).body(body).send().await.unwrap();
                    assert!(put.status().is_success());
                });
            })
            .join()
            .unwrap();
        }
    };
    refused(real.transfer.copy(&from, &to, &tell).await, "somebody has moved it");
    assert_eq!(real.second.digest("a", "1").await.unwrap(), Some(theirs));
}

#[tokio::test]
async fn layers_that_registries_do_not_keep_are_refused() {
    let real = Real::start().await;
    let pusher = real.one.pusher();
    let config = pusher.blob("win", b"{}".to_vec()).await;
    let layer = pusher.blob("win", b"x".to_vec()).await;
    let foreign = json!({"schemaVersion": 2, "mediaType": MANIFEST,
        "config": {"mediaType": CONFIG, "size": 2, "digest": config},
        "layers": [{"mediaType": "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip", "size": 1,
            "digest": layer, "urls": ["https://example.com/x"]}]});
    let digest = pusher.try_send("PUT", "/v2/win/manifests/1", MANIFEST, foreign.to_string().into_bytes()).await;
    let served = digest.status().is_success();
    let digest = sha256(foreign.to_string().as_bytes());
    let transfer = match served {
        true => real.transfer,
        // Distribution takes foreign layers only from hosts that it is told to.
        false => served_by(&real.two, foreign.to_string().into_bytes()).await,
    };
    refused(copy(&transfer, &ends("one/win", &digest, "two/win", "1")).await.0, "does not let registries keep it");
}

/// Copies to `two` from something that answers everything with these bytes.
async fn served_by(two: &Server, bytes: Vec<u8>) -> Transfers {
    let app = axum::Router::new().fallback(move || {
        let bytes = bytes.clone();
        async move { ([("content-type", MANIFEST)], bytes) }
    });
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let name = listener.local_addr().unwrap().to_string();
    tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
    let source = RegistryClient::new(&RegistryConfig::at(&name)).unwrap();
    let both = [("one".to_owned(), Arc::new(source)), ("two".to_owned(), Arc::new(two.client()))];
    Transfers::new(BTreeMap::from(both))
}

#[tokio::test]
async fn what_is_no_manifest_is_refused() {
    let two = Server::start().await;
    let blob = |digest: &str| json!({"mediaType": LAYER, "size": 1, "digest": digest});
    let good = sha256(b"x");
    let cases = [
        ("<html>welcome</html>".to_owned(), "no manifest"),
        (json!({"schemaVersion": 1, "fsLayers": []}).to_string(), "schema 1"),
        (json!({"schemaVersion": 2}).to_string(), "neither layers nor images"),
        (json!({"schemaVersion": 2, "config": blob("../../x"), "layers": []}).to_string(), "which is no digest"),
        (json!({"schemaVersion": 2, "config": {"digest": good}, "layers": []}).to_string(), "does not tell the size"),
        (json!({"schemaVersion": 2, "manifests": [{"digest": "sha256:x"}]}).to_string(), "which is no digest"),
        // It answers everything with the same bytes, so the image that it names is not that one.
        (json!({"schemaVersion": 2, "mediaType": INDEX, "manifests": [{"digest": good}]}).to_string(), "not those of"),
    ];
    for (bytes, words) in cases {
        let digest = sha256(bytes.as_bytes());
        let transfer = served_by(&two, bytes.into_bytes()).await;
        refused(copy(&transfer, &ends("one/a", &digest, "two/a", "1")).await.0, words);
    }
    let transfer = served_by(&two, b"x".to_vec()).await;
    refused(copy(&transfer, &ends("one/a", &good, "two/a", "1")).await.0, "no manifest");
    refused(copy(&transfer, &ends("one/a", &sha256(b"y"), "two/a", "1")).await.0, "not those of");
    refused(copy(&transfer, &ends("one/a", "latest", "two/a", "1")).await.0, "is no digest");
    refused(copy(&transfer, &ends("one/../a", &good, "two/a", "1")).await.0, "no name that a registry can hold");
    assert_eq!(two.client().repositories().await.unwrap(), [""; 0]);
}

#[tokio::test]
async fn a_target_without_room_says_so() {
    let (one, small) = (Server::start().await, Special { disk: Some(8), ..Special::default() });
    let two = Server::special(tempfile::tempdir().unwrap(), small).await;
    let (a, b) = (one.address, two.address);
    let real = Real::by_way_of(one, a, two, b);
    let digest = real.push("a", "1", &[noise(1, 30_000_000)]).await;
    refused(copy(&real.transfer, &ends("one/a", &digest, "two/a", "1")).await.0, "storage is full");
    real.nothing_at_two("a", &digest).await;
}

#[tokio::test]
async fn a_target_that_is_not_there_is_transient() {
    let real = Real::start().await;
    let digest = real.push("a", "1", &[noise(1, 1000)]).await;
    real.two.child.stop().await;
    let steps = Mutex::new(Vec::new());
    let (from, to) = ends("one/a", &digest, "two/a", "1");
    let error = real.transfer.copy(&from, &to, &|s| steps.lock().unwrap().push(s)).await.unwrap_err();
    assert!(matches!(error, PortError::Transient { .. }), "{error:?}");
    assert!(steps.lock().unwrap().is_empty(), "nothing was begun");
    let config = config(&BTreeMap::new()).to_string();
    assert!(!error.chain().contains(&config));
}
