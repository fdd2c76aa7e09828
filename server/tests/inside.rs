//! What is inside images, against Debian's own `docker-registry` and independent witnesses:
//! `dpkg-query` on this machine's database, `tar` on the layers of our own middleware.
#![expect(clippy::expect_used, reason = "a test says what it expected")]

use padis_domain::ports::{Image, ImageStep, Registry};
use padis_domain::view::PackageOrigin;
use padis_drivers::registry::{RegistryChild, RegistryChildConfig, RegistryClient, RegistryConfig};
use padis_server::inside::{Inside, find, pack, read};
use sha2::{Digest, Sha256};
use std::collections::BTreeSet;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::Command;

struct Real {
    client: RegistryClient,
    child: RegistryChild,
    scratch: tempfile::TempDir,
    _folder: tempfile::TempDir,
}

impl Real {
    async fn start() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let listen = TcpListener::bind("127.0.0.1:0").and_then(|l| l.local_addr()).expect("a port");
        let config = RegistryChildConfig { folder: folder.path().to_owned(), listen, notify: None };
        let child = RegistryChild::start(&config).await.expect("docker-registry");
        let client = RegistryClient::new(&RegistryConfig::at(&child.name())).expect("a client");
        Self { client, child, scratch: tempfile::tempdir().expect("a folder"), _folder: folder }
    }

    /// Puts a blob there, and gives the layer that it is.
    async fn push(&self, repository: &str, bytes: Vec<u8>) -> (String, u64) {
        let hex: String = Sha256::digest(&bytes).iter().map(|b| format!("{b:02x}")).collect();
        let (digest, len) = (format!("sha256:{hex}"), bytes.len() as u64);
        let http = reqwest::Client::new();
        let begin = format!("http://{}/v2/{repository}/blobs/uploads/", self.child.name());
        let begun = http.post(begin).send().await.expect("an answer");
        let place = begun.headers()["location"].to_str().expect("a text").to_owned();
        let put = http.put(format!("{place}&digest={digest}")).body(bytes).send().await.expect("an answer");
        assert_eq!(put.status(), 201);
        (digest, len)
    }

    async fn read(&self, repository: &str, layers: Vec<(String, u64)>) -> Inside {
        let steps = layers.into_iter().map(|layer| ImageStep { layer: Some(layer), ..ImageStep::default() });
        let image = Image { steps: steps.collect(), ..Image::default() };
        read(&self.client, repository, &image, self.scratch.path()).await.expect("read")
    }
}

/// The lines that a program writes.
fn lines(program: &str, args: &[&str]) -> BTreeSet<String> {
    let out = Command::new(program).args(args).output().expect("it runs");
    assert!(out.status.success(), "{program} {args:?}: {}", String::from_utf8_lossy(&out.stderr));
    String::from_utf8(out.stdout).expect("a text").lines().map(str::to_owned).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_packages_are_those_that_dpkg_itself_names() {
    let real = Real::start().await;
    let folder = tempfile::tempdir().expect("a folder");
    let layer = |name: &str, args: &[&str]| {
        let file = folder.path().join(name);
        let to = file.to_str().expect("a path");
        lines("tar", &[&["-C", "/", "-c", "-a", "-f", to], args].concat());
        std::fs::read(&file).expect("a layer")
    };
    // The database below, what hides nothing of it above.
    let layers = [
        layer("one.tar.gz", &["usr/lib/os-release", "./var/lib/dpkg/status"]),
        layer("two.tar", &["etc/os-release", "etc/debian_version"]),
    ];
    let mut pushed = Vec::new();
    for bytes in layers {
        pushed.push(real.push("tools/machine", bytes).await);
    }
    let inside = real.read("tools/machine", pushed).await;
    let format =
        "-f=${db:Status-Status} ${binary:Package} ${Version} ${Architecture} ${source:Package} ${source:Version}\\n";
    let witness: BTreeSet<String> = lines("dpkg-query", &["-W", format])
        .into_iter()
        .filter_map(|l| l.strip_prefix("installed ").map(str::to_owned))
        // The binary's name has its processor behind it where more than one may be there.
        .map(|l| {
            l.split(' ')
                .enumerate()
                .map(|(n, w)| if n == 0 { w.split(':').next().unwrap_or(w) } else { w }.to_owned())
                .collect::<Vec<_>>()
                .join(" ")
        })
        .collect();
    let ours: BTreeSet<String> = inside
        .packages
        .iter()
        .map(|p| format!("{} {} {} {} {}", p.name, p.version, p.arch, p.source, p.source_version))
        .collect();
    assert!(witness.len() > 100, "this machine has packages");
    assert_eq!(ours, witness);
    assert_eq!(inside.os.id, "debian");
    assert_eq!(inside.notes, []);
}

/// The middleware that `server/stacks/build` made; nothing where that was not run.
fn stacks() -> Option<PathBuf> {
    let folder = PathBuf::from(std::env::var_os("PADIS_STACKS")?);
    folder.join("tomcat/manifest.json").exists().then_some(folder)
}

#[tokio::test(flavor = "multi_thread")]
async fn our_own_middleware_has_the_files_that_tar_lists_and_its_libraries() {
    let Some(stacks) = stacks() else {
        println!("PADIS_STACKS names no middleware: nothing to compare with");
        return;
    };
    let real = Real::start().await;
    let push = Path::new(env!("CARGO_MANIFEST_DIR")).join("stacks/image.mjs");
    let (push, from) = (push.to_str().expect("a path"), stacks.to_str().expect("a path"));
    lines("node", &[push, "push", &real.child.name(), from]);
    for repository in real.client.repositories().await.expect("a list") {
        let tag = real.client.tags(&repository).await.expect("a list").remove(0);
        let digest = real.client.digest(&repository, &tag).await.expect("an answer").expect("a digest");
        let image = real.client.image(&repository, &digest).await.expect("an answer").expect("an image");
        let inside = read(&real.client, &repository, &image, real.scratch.path()).await.expect("read");
        let mut witness = BTreeSet::new();
        for (digest, _) in image.steps.iter().filter_map(|s| s.layer.as_ref()) {
            let blob = stacks.join("blobs").join(digest.trim_start_matches("sha256:"));
            let all = lines("tar", &["-tzf", blob.to_str().expect("a path")]);
            witness
                .extend(all.into_iter().filter(|l| !l.ends_with('/')).map(|l| l.trim_start_matches("./").to_owned()));
        }
        let ours: BTreeSet<String> = inside.files.iter().map(|f| f.0.to_string()).collect();
        assert_eq!(ours, witness, "{repository}");
        let jars: BTreeSet<&str> = witness.iter().filter(|f| f.ends_with(".jar")).map(String::as_str).collect();
        let found: BTreeSet<&str> = inside
            .packages
            .iter()
            .filter(|p| p.origin == PackageOrigin::Jar)
            .map(|p| p.path.split('!').next().unwrap_or_default())
            .collect();
        // A symbolic link to an archive is none itself.
        assert!(found.is_subset(&jars), "{repository}: {found:?}");
        let packed = pack(&inside.files).expect("packed");
        assert_eq!(find(&packed, "", 1).expect("found").1, witness.len() as u64);
        println!(
            "{repository}: {} files, {} of {} archives, {:?}",
            witness.len(),
            found.len(),
            jars.len(),
            inside.notes
        );
        // What the recipes wrote down; the tag was made of what apt fetched.
        let debian =
            |name: &str| inside.packages.iter().find(|p| p.origin == PackageOrigin::Dpkg && p.name.contains(name));
        assert_eq!((inside.os.id.as_str(), debian("libc6").is_some()), ("debian", true), "{repository}");
        let server = match repository.as_str() {
            "stacks/nginx" => "nginx",
            "stacks/tomcat" => "libtomcat10-java",
            _ => "-jre-headless",
        };
        let version = debian(server).map(|p| p.version.replace(['+', '~'], "-")).unwrap_or_default();
        assert_eq!(version, tag, "{repository}");
        if repository.ends_with("tomcat") {
            let named =
                |name: &str| inside.packages.iter().any(|p| p.name.ends_with(name) && p.version.starts_with("10."));
            assert!(named("catalina") && named("jasper"), "{:?}", inside.packages);
            assert_eq!(inside.notes, []);
        }
    }
}
