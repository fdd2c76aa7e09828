//! A token server as banks run one beside their registry: whoever has the right account
//! gets a token signed by RS256 (by openssl) for what it asked for, valid for a while.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use axum::extract::{RawQuery, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use base64::Engine;
use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD};
use serde_json::json;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{SystemTime, UNIX_EPOCH};

/// The account that it knows.
pub const ACCOUNT: (&str, &str) = ("padis", "s3cret-word");

pub struct Tokens {
    pub url: String,
    /// The scopes that were asked for, in order.
    pub asked: Mutex<Vec<String>>,
    folder: PathBuf,
    life: u64,
}

/// Makes `tokens.crt` and `tokens.key` in a folder and starts; tokens live for `life` seconds.
pub async fn start(folder: &Path, life: u64) -> Arc<Tokens> {
    let made = Command::new("openssl")
        .args(["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", "tokens.key", "-out", "tokens.crt"])
        .args(["-days", "2", "-subj", "/CN=tokens"])
        .current_dir(folder)
        .output()
        .unwrap();
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/token", listener.local_addr().unwrap());
    let tokens = Arc::new(Tokens { url, asked: Mutex::default(), folder: folder.to_owned(), life });
    let app = axum::Router::new().route("/token", axum::routing::get(give)).with_state(Arc::clone(&tokens));
    tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
    tokens
}

/// The registry's configuration that believes it.
pub fn yaml(tokens: &Tokens) -> String {
    let bundle = tokens.folder.join("tokens.crt");
    format!(
        "auth: {{token: {{realm: \"{}\", service: reg, issuer: bank, rootcertbundle: {}}}}}",
        tokens.url,
        bundle.display()
    )
}

async fn give(State(tokens): State<Arc<Tokens>>, RawQuery(query): RawQuery, headers: HeaderMap) -> Response {
    let right = BASE64_STANDARD.encode(format!("{}:{}", ACCOUNT.0, ACCOUNT.1));
    if headers.get("authorization").is_none_or(|a| a.to_str().unwrap() != format!("Basic {right}")) {
        return (StatusCode::UNAUTHORIZED, "who are you?").into_response();
    }
    let query = query.unwrap_or_default();
    let pairs: Vec<(String, String)> = url::form_urlencoded::parse(query.as_bytes()).into_owned().collect();
    let scopes: Vec<&str> = pairs.iter().filter(|(k, _)| k == "scope").map(|(_, v)| v.as_str()).collect();
    tokens.asked.lock().unwrap().push(scopes.join(" "));
    let access: Vec<_> = scopes
        .iter()
        .map(|s| {
            let [kind, name, actions] = s.split(':').collect::<Vec<_>>()[..] else { panic!("{s}") };
            // Nobody writes below `theirs/`.
            let allowed = actions.split(',').filter(|a| *a == "pull" || !name.starts_with("theirs/"));
            json!({"type": kind, "name": name, "actions": allowed.collect::<Vec<_>>()})
        })
        .collect();
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    let pem = std::fs::read_to_string(tokens.folder.join("tokens.crt")).unwrap();
    let certificate: String = pem.lines().filter(|l| !l.starts_with("-----")).collect();
    let head = json!({"typ": "JWT", "alg": "RS256", "x5c": [certificate]});
    let claims = json!({"iss": "bank", "sub": ACCOUNT.0, "aud": "reg", "exp": now + tokens.life + 60, "nbf": now - 5,
        "iat": now, "jti": now.to_string(), "access": access});
    let part = |v: &serde_json::Value| BASE64_URL_SAFE_NO_PAD.encode(v.to_string());
    let signed = format!("{}.{}", part(&head), part(&claims));
    let signature = BASE64_URL_SAFE_NO_PAD.encode(sign(&tokens.folder.join("tokens.key"), signed.as_bytes()));
    let answer = json!({"token": format!("{signed}.{signature}"), "expires_in": tokens.life});
    ([("content-type", "application/json")], answer.to_string()).into_response()
}

fn sign(key: &Path, bytes: &[u8]) -> Vec<u8> {
    let mut openssl = Command::new("openssl")
        .args(["dgst", "-sha256", "-sign"])
        .arg(key)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    openssl.stdin.take().unwrap().write_all(bytes).unwrap();
    openssl.wait_with_output().unwrap().stdout
}
