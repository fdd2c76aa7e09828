//! An engine that is reached over TLS and lets in who shows a certificate: the contract, and
//! who is not let in.

use super::place::{Fake, Place, Real};
use super::survives::Engine;
use super::{certificates, refused, shells, spec, until};
use padis_domain::ports::{PortError, PortResult, Workbench};
use padis_drivers::docker_at::DockerAt;
use padis_drivers::http::Auth;
use padis_drivers::registry::{RegistryClient, RegistryConfig};
use padis_drivers::workbench::{DockerWorkbench, WorkbenchConfig};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// An engine of the test's own, and certificates: of its authority `ca` are the server's and
/// `own`; of `stranger` is `other`, and it has signed nothing that the engine trusts.
struct Guarded {
    engine: Engine,
    folder: tempfile::TempDir,
    port: u16,
}

fn free_port() -> u16 {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

impl Guarded {
    /// The server's certificate is for these names.
    async fn start(names: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        for authority in ["ca", "stranger"] {
            certificates::authority(folder.path(), authority);
        }
        certificates::server(folder.path(), "ca", "server", names);
        for (ca, name) in [("ca", "own"), ("stranger", "other")] {
            certificates::server(folder.path(), ca, name, "DNS:padis");
        }
        let at = |name: &str| folder.path().join(name).display().to_string();
        let port = free_port();
        let more = vec![
            "--tlsverify".to_owned(),
            format!("--tlscacert={}", at("ca.crt")),
            format!("--tlscert={}", at("server.crt")),
            format!("--tlskey={}", at("server.key")),
            format!("--host=tcp://127.0.0.1:{port}"),
        ];
        let engine = Engine::with(more).await;
        Self { engine, folder, port }
    }
    fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }
    /// As somebody who trusts `ca` and shows `own`.
    fn at(&self, ca: &str, own: Option<&str>) -> DockerAt {
        let own = own.map(|name| (self.file(&format!("{name}.crt")), self.file(&format!("{name}.key"))));
        let url = format!("tcp://127.0.0.1:{}", self.port);
        DockerAt::known_by(url, Some(self.file(&format!("{ca}.crt"))), own)
    }
    fn workbench(&self, at: &DockerAt) -> DockerWorkbench {
        let registry = Arc::new(RegistryClient::new(&RegistryConfig::at("127.0.0.1:1")).unwrap());
        Real::reached(at, "127.0.0.1:1", Auth::None, &registry)
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_contract_holds_over_tls() {
    let guarded = Guarded::start("IP:127.0.0.1").await;
    let at = guarded.at("ca", Some("own"));
    // Each with a registry of its own.
    let place = async || Real::with(&guarded.engine.endpoint(), &at).await;
    super::one_that_is_put_runs_and_keeps_what_was_changed(&place().await).await;
    super::what_was_changed_is_told(&place().await).await;
    super::a_terminal_says_what_the_shell_says_and_ends_with_it(&place().await).await;
    super::an_image_is_made_of_it_once(&place().await).await;
    super::an_image_is_built_once(&place().await).await;
    super::what_can_not_be_built_is_refused(&place().await).await;
    let place = place().await;
    shells::window(&place, spec(&place, "window", &place.base().await)).await;
    shells::dropped(&place, spec(&place, "dropped", &shells::debian(&place).await)).await;
}

/// It did not happen, and why is said.
fn not_let_in<T>(result: PortResult<T>, word: &str) {
    let error = result.err().unwrap_or_else(|| panic!("it is let in: {word}"));
    assert!(matches!(error, PortError::Transient { .. }), "{}", error.chain());
    assert!(error.chain().contains(word), "{} does not say {word:?}", error.chain());
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_not_known_is_not_let_in_and_told_why() {
    let guarded = Guarded::start("IP:127.0.0.1").await;
    let known = guarded.workbench(&guarded.at("ca", Some("own")));
    until("the port answers", async || known.list().await.is_ok()).await;
    let bench = spec(&Fake::new(), "x", &("a".to_owned(), "sha256:b".to_owned()));
    let wants = "it wants a certificate, and Padis shows it none";
    let stranger = "it does not accept the certificate that Padis shows";
    let authority = "is signed by an authority that Padis does not trust";
    for (ca, own, word) in [
        ("ca", None, wants),
        ("ca", Some("other"), stranger),
        ("stranger", Some("own"), authority),
        ("stranger", Some("other"), authority),
    ] {
        let workbench = guarded.workbench(&guarded.at(ca, own));
        // Again and again: it is said each time.
        for _ in 0..50 {
            not_let_in(workbench.list().await, word);
        }
        not_let_in(workbench.delete("host-a", "x").await, word);
        not_let_in(workbench.put(&bench).await, word);
        not_let_in(workbench.terminal("host-a", "x", 80, 24).await, word);
    }
    // Without TLS nobody is let in either, and nobody tries it by himself.
    let plain = guarded.workbench(&DockerAt::new(format!("tcp://127.0.0.1:{}", guarded.port)));
    assert!(plain.list().await.is_err());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_with_another_name_is_not_talked_to() {
    let guarded = Guarded::start("DNS:node-1.bank,IP:127.0.0.2").await;
    let workbench = guarded.workbench(&guarded.at("ca", Some("own")));
    let listens = async || tokio::net::TcpStream::connect(("127.0.0.1", guarded.port)).await.is_ok();
    until("the port is open", listens).await;
    not_let_in(workbench.list().await, "its certificate is for another name than the address that is configured");
}

#[tokio::test]
async fn a_key_of_another_certificate_is_refused_before_anybody_is_asked() {
    let folder = tempfile::tempdir().unwrap();
    certificates::authority(folder.path(), "ca");
    for name in ["one", "other"] {
        certificates::server(folder.path(), "ca", name, "DNS:padis");
    }
    let file = |name: &str| folder.path().join(name);
    let registry = Arc::new(RegistryClient::new(&RegistryConfig::at("127.0.0.1:1")).unwrap());
    let make = |cert: &str, key: &str| {
        let at = DockerAt::known_by("tcp://127.0.0.1:1", Some(file("ca.crt")), Some((file(cert), file(key))));
        let hosts = [("host-a".to_owned(), at)].into();
        let config = WorkbenchConfig { hosts, registry: String::new(), auth: Auth::None };
        DockerWorkbench::new(&config, registry.clone())
    };
    assert!(make("one.crt", "one.key").is_ok());
    refused(make("one.crt", "other.key"), "other.key");
    refused(make("one.crt", "one.crt"), "one.crt holds no private key in PEM form");
    refused(make("one.key", "one.key"), "one.key holds no certificate in PEM form");
    let quoted = |path: &Path| std::fs::read_to_string(path).unwrap().lines().nth(1).unwrap().to_owned();
    let said = make("one.crt", "other.key").err().unwrap().chain();
    assert!(!said.contains(&quoted(&file("other.key"))), "{said}");
}
