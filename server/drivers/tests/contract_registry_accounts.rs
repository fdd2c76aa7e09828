//! Who we are to a registry, and whom we believe: accounts by htpasswd and by a token
//! server, certificates of an authority of the bank's own. The registries are Debian's.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "lab/certificates.rs"]
mod certificates;
#[path = "lab/terminator.rs"]
mod terminator;
#[path = "registry/tokens.rs"]
mod tokens;
#[path = "registry/world.rs"]
#[expect(dead_code, reason = "other suites use more of it")]
mod world;

use axum::http::StatusCode;
use axum::response::IntoResponse;
use padis_domain::ports::{CopyFrom, CopyTo, PortError, Registry, Transfer};
use padis_drivers::http::Auth;
use padis_drivers::registry::{RegistryClient, RegistryConfig, Transfers};
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::{Arc, Mutex};
use world::{Pusher, Server, Special, labels};

fn basic(user: &str, password: &str) -> Auth {
    Auth::Basic { user: user.to_owned(), password: password.to_owned() }
}

fn client(url: &str, auth: Auth, ca: Option<&Path>) -> RegistryClient {
    let config = RegistryConfig { url: url.to_owned(), auth, ca: ca.map(Path::to_owned), ..RegistryConfig::at("r") };
    RegistryClient::new(&config).unwrap()
}

/// Refused in plain words, without what we are known by.
fn refusal(error: PortError, secrets: &[&str]) {
    let words = error.chain();
    assert!(matches!(error, PortError::Refused { .. }), "{words}");
    assert!(words.contains("does not accept the account"), "{words}");
    assert!(!secrets.iter().any(|s| words.contains(s)), "a secret in an error: {words}");
}

fn copy(from: &str, repository: &str, digest: &str, to: &str, to_repository: &str) -> (CopyFrom, CopyTo) {
    let from = CopyFrom { registry: from.to_owned(), repository: repository.to_owned(), digest: digest.to_owned() };
    let (registry, repository) = (to.to_owned(), to_repository.to_owned());
    (from, CopyTo { registry, repository, tag: "1".to_owned(), instead_of: None })
}

#[tokio::test]
async fn a_registry_with_accounts_wants_the_right_one() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("htpasswd");
    // bcrypt of "secret", made with crypt(3).
    std::fs::write(&file, "ci:$2y$05$abcdefghijklmnopqrstuuOQiyCxlgf/oeuTqixKmWdcYUh4Hjl0a\n").unwrap();
    let auth = format!("auth: {{htpasswd: {{realm: r, path: {}}}}}", file.display());
    let server = Server::special(folder, Special { auth: &auth, ..Special::default() }).await;
    let url = format!("http://{}", server.address);
    let pusher = Pusher::new(server.address, Some(("ci", "secret")));
    let digest = pusher.image("stacks/nginx", "1", &labels("nginx")).await;
    let right = Arc::new(client(&url, basic("ci", "secret"), None));
    assert_eq!(right.stacks().await.unwrap().len(), 1);
    assert_eq!(right.image("stacks/nginx", &digest).await.unwrap().unwrap().labels, labels("nginx"));
    let copies = Transfers::new(BTreeMap::from([("r".to_owned(), Arc::clone(&right))]));
    let (from, to) = copy("r", "stacks/nginx", &digest, "r", "copies/nginx");
    copies.copy(&from, &to, &|_| ()).await.unwrap();
    assert_eq!(right.digest("copies/nginx", "1").await.unwrap(), Some(digest.clone()));
    for stranger in [Auth::None, basic("ci", "wrong-one")] {
        let stranger = Arc::new(client(&url, stranger, None));
        refusal(stranger.stacks().await.unwrap_err(), &["wrong-one"]);
        refusal(stranger.ping().await.unwrap_err(), &["wrong-one"]);
        refusal(stranger.delete("stacks/nginx", &digest).await.unwrap_err(), &["wrong-one"]);
        let copies = Transfers::new(BTreeMap::from([("r".to_owned(), stranger)]));
        refusal(copies.copy(&from, &to, &|_| ()).await.unwrap_err(), &["wrong-one"]);
    }
    right.delete("copies/nginx", &digest).await.unwrap();
    assert_eq!(right.tags("copies/nginx").await.unwrap(), [""; 0]);
}

/// A registry that believes a token server, filled with one image from a registry without accounts.
async fn with_tokens(life: u64) -> (Server, Arc<tokens::Tokens>, Arc<RegistryClient>, String) {
    let folder = tempfile::tempdir().unwrap();
    let tokens = tokens::start(folder.path(), life).await;
    let server = Server::special(folder, Special { auth: &tokens::yaml(&tokens), ..Special::default() }).await;
    let url = format!("http://{}", server.address);
    let client = Arc::new(client(&url, basic(tokens::ACCOUNT.0, tokens::ACCOUNT.1), None));
    let open = Server::start().await;
    let digest = open.pusher().image("stacks/nginx", "1", &labels("nginx")).await;
    let both = [("open".to_owned(), Arc::new(open.client())), ("tokens".to_owned(), Arc::clone(&client))];
    let copies = Transfers::new(BTreeMap::from(both));
    let (from, to) = copy("open", "stacks/nginx", &digest, "tokens", "stacks/nginx");
    copies.copy(&from, &to, &|_| ()).await.unwrap();
    (server, tokens, client, digest)
}

#[tokio::test]
async fn a_token_is_fetched_for_what_is_done_and_kept() {
    let (_server, tokens, client, digest) = with_tokens(300).await;
    tokens.asked.lock().unwrap().clear();
    assert_eq!(client.repositories().await.unwrap(), ["stacks/nginx"]);
    assert_eq!(client.tags("stacks/nginx").await.unwrap(), ["1"]);
    assert_eq!(client.digest("stacks/nginx", "1").await.unwrap(), Some(digest.clone()));
    assert!(client.image("stacks/nginx", &digest).await.unwrap().unwrap().runs_here);
    client.ping().await.unwrap();
    let copies = Transfers::new(BTreeMap::from([("r".to_owned(), Arc::clone(&client))]));
    let (from, to) = copy("r", "stacks/nginx", &digest, "r", "copies/nginx");
    copies.copy(&from, &to, &|_| ()).await.unwrap();
    client.delete("stacks/nginx", &digest).await.unwrap();
    assert!(!client.has("stacks/nginx", &digest).await.unwrap());
    assert_eq!(
        *tokens.asked.lock().unwrap(),
        [
            "registry:catalog:*",
            "repository:stacks/nginx:pull",
            "",
            "repository:copies/nginx:pull,push repository:stacks/nginx:pull",
            "repository:stacks/nginx:pull,delete",
        ],
        "each once"
    );
}

#[tokio::test]
async fn a_token_that_is_about_to_expire_is_not_used() {
    let (_server, tokens, client, _) = with_tokens(0).await;
    tokens.asked.lock().unwrap().clear();
    for _ in 0..3 {
        client.repositories().await.unwrap();
    }
    assert_eq!(tokens.asked.lock().unwrap().len(), 3);
}

#[tokio::test]
async fn a_wrong_account_gets_no_token_and_a_plain_refusal() {
    let (server, _tokens, right, digest) = with_tokens(300).await;
    // The right one, for what it may not do.
    let copies = Transfers::new(BTreeMap::from([("r".to_owned(), right)]));
    let (from, to) = copy("r", "stacks/nginx", &digest, "r", "theirs/nginx");
    refusal(copies.copy(&from, &to, &|_| ()).await.unwrap_err(), &[tokens::ACCOUNT.1]);
    let url = format!("http://{}", server.address);
    for stranger in [Auth::None, basic("padis", "wrong-one"), Auth::Header("Bearer wrong-one".to_owned())] {
        let stranger = client(&url, stranger, None);
        refusal(stranger.repositories().await.unwrap_err(), &["wrong-one"]);
        refusal(stranger.image("stacks/nginx", &digest).await.unwrap_err(), &["wrong-one"]);
    }
}

/// A server that names a token server in its answer to everything; gives what it was told.
async fn names(realm: String) -> (SocketAddr, Arc<Mutex<Vec<String>>>) {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let told = Arc::clone(&seen);
    let app = axum::Router::new().fallback(move |request: axum::extract::Request| {
        let account = request.headers().get("authorization").map(|a| a.to_str().unwrap().to_owned());
        told.lock().unwrap().push(account.unwrap_or_default());
        let challenge = format!("Bearer realm=\"{realm}\",service=\"reg\"");
        async move { (StatusCode::UNAUTHORIZED, [("www-authenticate", challenge)]).into_response() }
    });
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
    (address, seen)
}

#[tokio::test]
async fn the_password_does_not_leave_tls() {
    let folder = tempfile::tempdir().unwrap();
    certificates::authority(folder.path(), "bank");
    certificates::server(folder.path(), "bank", "registry", "DNS:localhost");
    let (thief, seen) = names("https://nowhere.invalid/".to_owned()).await;
    let (registry, _) = names(format!("http://{thief}/token")).await;
    let url = terminator::before(registry, folder.path(), "registry").await;
    let client = client(&url, basic("padis", "s3cret"), Some(&folder.path().join("bank.crt")));
    let error = client.repositories().await.unwrap_err();
    assert!(matches!(error, PortError::Refused { .. }), "{error:?}");
    assert!(error.chain().contains("without TLS"), "{}", error.chain());
    assert_eq!(*seen.lock().unwrap(), [""; 0], "the token server was not asked at all");
}

#[tokio::test]
async fn an_upload_does_not_leave_tls() {
    let folder = tempfile::tempdir().unwrap();
    certificates::authority(folder.path(), "bank");
    certificates::server(folder.path(), "bank", "registry", "DNS:localhost");
    let (thief, seen) = names("/token".to_owned()).await;
    let app = axum::Router::new().fallback(move |request: axum::extract::Request| {
        let there = format!("http://{thief}/v2/a/blobs/uploads/1");
        let begun = request.method() == axum::http::Method::POST;
        let status = if begun { StatusCode::ACCEPTED } else { StatusCode::NOT_FOUND };
        async move { (status, [("location", there)]).into_response() }
    });
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
    let url = terminator::before(address, folder.path(), "registry").await;
    let target = client(&url, basic("padis", "s3cret"), Some(&folder.path().join("bank.crt")));
    let open = Server::start().await;
    let digest = open.pusher().image("a", "1", &labels("nginx")).await;
    let both = [("open".to_owned(), Arc::new(open.client())), ("tls".to_owned(), Arc::new(target))];
    let (from, to) = copy("open", "a", &digest, "tls", "a");
    let error = Transfers::new(BTreeMap::from(both)).copy(&from, &to, &|_| ()).await.unwrap_err();
    assert!(matches!(error, PortError::Refused { .. }), "{error:?}");
    assert!(error.chain().contains("without TLS"), "{}", error.chain());
    assert_eq!(*seen.lock().unwrap(), [""; 0], "nothing was sent there");
}

#[tokio::test]
async fn a_storage_elsewhere_does_not_hear_who_we_are() {
    let (thief, seen) = names("/token".to_owned()).await;
    let app = axum::Router::new().fallback(move |request: axum::extract::Request| {
        let there = format!("http://{thief}{}", request.uri().path());
        async move { (StatusCode::TEMPORARY_REDIRECT, [("location", there)]).into_response() }
    });
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
    let client = client(&url, basic("padis", "s3cret"), None);
    refusal(client.digest("a/b", "1").await.unwrap_err(), &["s3cret"]);
    let seen = seen.lock().unwrap().clone();
    assert!(!seen.is_empty() && seen.iter().all(String::is_empty), "{seen:?}");
}

#[tokio::test]
async fn a_private_authority_is_trusted_when_it_is_named_and_no_other() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    certificates::authority(folder.path(), "bank");
    certificates::authority(folder.path(), "stranger");
    certificates::server(folder.path(), "bank", "registry", "DNS:localhost");
    // It does not know of the gateway before it, so the places of its uploads are without TLS.
    let server = Server::start().await;
    let digest = server.pusher().image("stacks/nginx", "1", &labels("nginx")).await;
    let url = terminator::before(server.address, folder.path(), "registry").await;
    let trusting = Arc::new(client(&url, Auth::None, Some(&at("bank.crt"))));
    assert_eq!(trusting.repositories().await.unwrap(), ["stacks/nginx"]);
    let open = Server::start().await;
    let both = BTreeMap::from([("tls".to_owned(), trusting), ("open".to_owned(), Arc::new(open.client()))]);
    let copies = Transfers::new(both);
    let (from, to) = copy("tls", "stacks/nginx", &digest, "open", "a/b");
    copies.copy(&from, &to, &|_| ()).await.unwrap();
    let (from, to) = copy("open", "a/b", &digest, "tls", "c/d");
    copies.copy(&from, &to, &|_| ()).await.unwrap();
    assert_eq!(server.client().digest("c/d", "1").await.unwrap(), Some(digest));
    for ca in [Some(at("stranger.crt")), None] {
        let error = client(&url, Auth::None, ca.as_deref()).ping().await.unwrap_err();
        assert!(matches!(error, PortError::Transient { .. }), "{error:?}");
        assert!(error.chain().contains("signed by an authority that Padis does not trust"), "{}", error.chain());
    }
    let config = RegistryConfig { ca: Some(at("missing.pem")), ..RegistryConfig::at("r") };
    let Err(PortError::Refused { reason, .. }) = RegistryClient::new(&config) else { panic!("accepted") };
    assert!(reason.contains("missing.pem") && reason.contains("can't be read"), "{reason}");
}
