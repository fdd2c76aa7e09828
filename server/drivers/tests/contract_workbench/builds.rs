//! Images that are built: the contract, and what only a Docker Engine can show.

use super::place::{Place, Real};
use super::survives::Engine;
use super::world::Server;
use super::{images, lab, refused, spec, until};
use padis_domain::ports::{BuildFile, BuildStep, CommitStep, ImageBuild, PortError, Registry, Workbench};
use padis_drivers::http::Auth;
use padis_drivers::registry::{RegistryClient, RegistryConfig};
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

const ODD: &str = "/srv/a folder/$HOME '\"\\x";

fn words(words: &[&str]) -> Vec<String> {
    words.iter().map(|w| (*w).to_owned()).collect()
}

fn file(folder: &Path, path: &str, content: &[u8], executable: bool) -> BuildFile {
    let from = folder.join(path.replace('/', "_"));
    std::fs::write(&from, content).unwrap();
    BuildFile { path: path.to_owned(), from, bytes: content.len() as u64, executable }
}

fn build(id: &str, base: &(String, String), repository: &str) -> ImageBuild {
    let label = |label: &str, value: &str| (label.to_owned(), value.to_owned());
    ImageBuild {
        id: id.to_owned(),
        host: "host-a".to_owned(),
        base: base.clone(),
        packages: Vec::new(),
        files: Vec::new(),
        env: vec![("MODE".to_owned(), "built \"$PATH\" \\ it's".to_owned()), ("NEW".to_owned(), String::new())],
        start: Vec::new(),
        repository: repository.to_owned(),
        tag: "1".to_owned(),
        labels: BTreeMap::from([label("made.by", "a \"person\" for $5"), label("taken", "")]),
        ports: vec![8080],
    }
}

/// What was said, and the steps.
#[derive(Default)]
struct Told {
    said: String,
    steps: Vec<(u32, u32)>,
    pushed: Option<(u64, u64)>,
}

fn take(told: &Mutex<Told>, step: BuildStep) {
    let mut told = told.lock().unwrap();
    match step {
        BuildStep::Said(text) => told.said.push_str(&text),
        BuildStep::At(at, of) => told.steps.push((at, of)),
        BuildStep::Commit(CommitStep::Pushed { at, of }) => told.pushed = Some((at, of)),
        BuildStep::Commit(CommitStep::Kept) => {}
    }
}

pub async fn an_image_is_built_once(place: &dyn Place) {
    let (workbench, registry, base) = (place.workbench(), place.registry(), place.base().await);
    let folder = tempfile::tempdir().unwrap();
    let repository = format!("built/{}", place.mark());
    let wanted = ImageBuild {
        files: vec![
            file(folder.path(), "/etc/app.conf", b"built", false),
            file(folder.path(), ODD, b"odd", false),
            file(folder.path(), "/tmp/run", b"#!/bin/sh\necho run\n", true),
        ],
        start: words(&["/tmp/run", "a b", "\"$x\""]),
        ..build(&format!("once-{}", place.mark()), &base, &repository)
    };
    let told = Mutex::new(Told::default());
    let digest = workbench.build(&wanted, &|step| take(&told, step)).await.unwrap();
    {
        let told = told.lock().unwrap();
        assert!(told.said.contains("FROM "), "{}", told.said);
        let of = told.steps[0].1;
        assert_eq!((told.steps[0], *told.steps.last().unwrap()), ((1, of), (of, of)));
        let (at, of) = told.pushed.unwrap();
        assert!(at == of && of > 0);
    }
    assert_eq!(registry.digest(&repository, "1").await.unwrap(), Some(digest.clone()));
    let image = registry.image(&repository, &digest).await.unwrap().unwrap();
    assert_eq!((image.entry_point, image.command), (wanted.start.clone(), vec![]));
    assert_eq!((image.user.as_str(), image.working_dir.as_str()), ("1000:1000", "/srv"));
    assert_eq!(image.env, words(&["PATH=/opt/tool/bin:/bin", "MODE=built \"$PATH\" \\ it's", "NEW="]));
    assert_eq!(image.ports, words(&["80/tcp", "8080/tcp"]));
    let label = |l: &str| image.labels.get(l).map_or("", String::as_str);
    assert_eq!((label("kept"), label("taken"), label("made.by")), ("yes", "", "a \"person\" for $5"));

    // It is known again, and nobody else's name is taken.
    assert_eq!(workbench.build(&wanted, &|step| panic!("{step:?}")).await.unwrap(), digest);
    let other = ImageBuild { id: "other".to_owned(), ..wanted.clone() };
    refused(workbench.build(&other, &|_| ()).await, "is another image");
    assert_eq!(registry.digest(&repository, "1").await.unwrap(), Some(digest.clone()));

    let bench = spec(place, "built", &(repository, digest));
    workbench.put(&bench).await.unwrap();
    for (path, content) in [("/etc/app.conf", "built"), (ODD, "odd"), ("/srv/kept", "kept")] {
        assert_eq!(place.read(&bench.id, path).await.as_deref(), Some(content), "{path}");
    }
    workbench.delete(&bench.host, &bench.id).await.unwrap();
}

pub async fn what_can_not_be_built_is_refused(place: &dyn Place) {
    let (workbench, registry, base) = (place.workbench(), place.registry(), place.base().await);
    let repository = format!("refused/{}", place.mark());
    let wanted = build(&format!("refused-{}", place.mark()), &base, &repository);
    let told = Mutex::new(Told::default());
    let packages = ImageBuild { packages: words(&["curl"]), ..wanted.clone() };
    let said = workbench.build(&packages, &|step| take(&told, step)).await;
    assert!(matches!(said, Err(PortError::Refused { .. })), "{said:?}");
    assert!(told.lock().unwrap().said.contains("no package manager that Padis knows"));
    let build = async |wanted: ImageBuild| workbench.build(&wanted, &|_| ()).await;
    let never = ("stacks/never".to_owned(), base.1.clone());
    refused(build(ImageBuild { base: never, ..wanted.clone() }).await, "can't be pulled");
    refused(
        build(ImageBuild { host: "elsewhere".to_owned(), ..wanted.clone() }).await,
        "no Docker Engine is configured",
    );
    refused(build(ImageBuild { tag: "a/b".to_owned(), ..wanted.clone() }).await, "no tag that a registry can hold");
    refused(build(ImageBuild { packages: words(&["--x"]), ..wanted.clone() }).await, "no name of a package");
    refused(build(ImageBuild { env: vec![("A".into(), "\nRUN x".into())], ..wanted.clone() }).await, "line breaks");
    assert_eq!(registry.digest(&repository, "1").await.unwrap(), None);
    // Nothing of it is in the way of the next.
    assert!(build(wanted).await.is_ok());
}

fn docker(args: &[&str]) -> String {
    lab::docker(args)
}

/// Everything that a build could leave on an engine.
fn left(id: &str) -> (String, String) {
    let label = format!("label=io.padis.build={id}");
    (docker(&["ps", "-aq", "--filter", &label]), docker(&["images", "-aq", "--filter", &label]))
}

#[tokio::test(flavor = "multi_thread")]
async fn packages_come_by_apt_and_nothing_is_left_on_the_engine() {
    let real = Real::start().await;
    let digest = images::push(&real.pusher, "stacks/apt", "1", images::apt_config(), images::apt()).await;
    let base = ("stacks/apt".to_owned(), digest);
    let id = format!("apt-{}", std::process::id());
    let wanted = ImageBuild { packages: words(&["padis-hello"]), ..build(&id, &base, "built/apt") };
    let told = Mutex::new(Told::default());
    let built = real.workbench.build(&wanted, &|step| take(&told, step)).await;
    let said = told.lock().unwrap().said.clone();
    let digest = built.unwrap_or_else(|e| panic!("{}\n{said}", e.chain()));
    assert!(said.contains("Setting up padis-hello (1.0)"), "{said}");
    assert_eq!(left(&id), (String::new(), String::new()));
    let image = real.registry.image("built/apt", &digest).await.unwrap().unwrap();
    assert_eq!(image.user, "1000:1000");
    let bench = spec(&real, "apt", &("built/apt".to_owned(), digest));
    real.workbench.put(&bench).await.unwrap();
    assert_eq!(real.read(&bench.id, "/usr/share/padis-hello").await.as_deref(), Some("hello\n"));
    // What apt needed meanwhile is not in it.
    let script = "cat /var/lib/apt/lists/*Packages /var/cache/apt/pkgcache.bin 2>/dev/null; true";
    assert_eq!(super::place::inside(&bench.id, &["sh", "-c", script]).as_deref(), Some(""));
    real.workbench.delete(&bench.host, &bench.id).await.unwrap();
    // A package that is not there: what apt says is told, and nothing stays.
    let none = ImageBuild { packages: words(&["padis-none"]), tag: "2".to_owned(), ..wanted };
    let told = Mutex::new(Told::default());
    refused(real.workbench.build(&none, &|step| take(&told, step)).await, "ended with code 100");
    assert!(told.lock().unwrap().said.contains("Unable to locate package padis-none"));
    assert_eq!(left(&id), (String::new(), String::new()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_build_that_is_dropped_ends_and_leaves_nothing() {
    let real = Real::start().await;
    let base = images::push(&real.pusher, "stacks/slow", "1", images::config(), images::slow()).await;
    let id = format!("dropped-{}", std::process::id());
    let slow = ImageBuild {
        packages: words(&["slow"]),
        ..build(&id, &("stacks/slow".to_owned(), base.clone()), "built/dropped")
    };
    let told = Mutex::new(Told::default());
    {
        let tell = |step| take(&told, step);
        let mut building = std::pin::pin!(real.workbench.build(&slow, &tell));
        let begun = async || told.lock().unwrap().said.contains("it takes long");
        tokio::select! {
            ended = &mut building => panic!("{ended:?}\n{}", told.lock().unwrap().said),
            () = until("the step runs", begun) => {}
        }
        assert!(!left(&id).0.is_empty(), "the container of the step");
    }
    until("the engine has stopped it", async || left(&id).0.is_empty()).await;
    assert!(!left(&id).1.is_empty(), "images of the steps before");
    real.workbench.clear_build("host-a", &id).await.unwrap();
    assert_eq!(left(&id), (String::new(), String::new()));
    refused(real.workbench.clear_build("host-a", "a/b").await, "no name of a build");
    refused(real.workbench.clear_build("elsewhere", &id).await, "no Docker Engine is configured");
    // It can be built all the same.
    let next = ImageBuild { packages: Vec::new(), ..slow };
    real.workbench.build(&next, &|_| ()).await.unwrap();
    assert_eq!(left(&id), (String::new(), String::new()));
    assert_eq!(real.registry.digest("built/dropped", "1").await.unwrap().map(|d| d.len()), Some(71));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_engine_that_dies_in_a_build_leaves_nothing_half_and_does_it_later() {
    let server = Server::start().await;
    let digest = images::push(&server.pusher(), "stacks/slow", "1", images::config(), images::slow()).await;
    let mut engine = Engine::start().await;
    let registry = Arc::new(RegistryClient::new(&RegistryConfig::at(&server.address.to_string())).unwrap());
    let workbench = Real::on(&engine.endpoint(), &server.address.to_string(), Auth::None, &registry);
    let folder = tempfile::tempdir().unwrap();
    let content = vec![7_u8; 3 << 20];
    let wanted = ImageBuild {
        packages: words(&["slow"]),
        files: vec![file(folder.path(), "/opt/data", &content, false)],
        ..build("survives-build", &("stacks/slow".to_owned(), digest), "built/survives")
    };
    let told = Mutex::new(Told::default());
    let tell = |step| take(&told, step);
    let kill = async {
        until("the step runs", async || told.lock().unwrap().said.contains("it takes long")).await;
        engine.kill();
    };
    let (cut, ()) = tokio::join!(workbench.build(&wanted, &tell), kill);
    let error = cut.unwrap_err();
    assert!(matches!(error, PortError::Unknown { .. } | PortError::Transient { .. }), "{error:?}");
    assert_eq!(registry.digest("built/survives", "1").await.unwrap(), None);
    engine.again().await;
    let label = "label=io.padis.build=survives-build";
    assert_ne!(engine.docker(&["ps", "-aq", "--filter", label]).unwrap(), "", "the container of the step");
    let wanted = ImageBuild { packages: Vec::new(), ..wanted };
    let made =
        tokio::time::timeout(Duration::from_secs(120), workbench.build(&wanted, &|_| ())).await.unwrap().unwrap();
    assert_eq!(registry.digest("built/survives", "1").await.unwrap(), Some(made));
    for what in [["ps", "-aq"], ["images", "-aq"]] {
        assert_eq!(engine.docker(&[what[0], what[1], "--filter", label]).unwrap(), "");
    }
}
