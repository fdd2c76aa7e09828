//! The contract of the Workbench port, run against the fake and against a Docker Engine with
//! Debian's `docker-registry`, which wants an account (`end2end/lab/run`). What only the real
//! ones can show is in the modules beside.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod builds;
#[path = "../lab/certificates.rs"]
mod certificates;
mod images;
#[path = "../lab/mod.rs"]
#[expect(dead_code, reason = "other suites use more of it")]
mod lab;
mod over_tls;
mod place;
#[path = "../registry/proxy.rs"]
#[expect(dead_code, reason = "other suites use more of it")]
mod proxy;
mod shells;
mod survives;
#[path = "../registry/world.rs"]
#[expect(dead_code, reason = "other suites use more of it")]
mod world;

use builds::{an_image_is_built_once, what_can_not_be_built_is_refused};
use futures::StreamExt;
use padis_domain::ports::{
    BenchChange, BenchCommit, BenchSeen, BenchSpec, ChangeKind, CommitStep, PortError, PortResult, Terminal,
};
use place::{Fake, Place, Real};
use std::collections::BTreeMap;
use std::sync::Mutex;
use std::time::{Duration, Instant};

const DEADLINE: Duration = Duration::from_secs(60);

macro_rules! contract {
    ($($name:ident),* $(,)?) => {
        mod fake {
            $(#[tokio::test] async fn $name() { super::$name(&super::Fake::new()).await; })*
        }
        mod dockerd {
            $(#[tokio::test(flavor = "multi_thread")] async fn $name() { super::$name(&super::Real::start().await).await; })*
        }
    };
}

contract!(
    one_that_is_put_runs_and_keeps_what_was_changed,
    an_image_without_a_shell_is_refused_and_leaves_nothing,
    what_was_changed_is_told,
    a_terminal_says_what_the_shell_says_and_ends_with_it,
    an_image_is_made_of_it_once,
    what_can_not_be_committed_is_refused,
    an_image_is_built_once,
    what_can_not_be_built_is_refused,
);

/// Waits until it is so.
async fn until(what: &str, mut so: impl AsyncFnMut() -> bool) {
    let end = Instant::now() + DEADLINE;
    while !so().await {
        assert!(Instant::now() < end, "not within {DEADLINE:?}: {what}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

fn refused<T>(result: PortResult<T>, word: &str) {
    let error = result.err().unwrap_or_else(|| panic!("not refused: {word}"));
    assert!(matches!(error, PortError::Refused { .. }), "{}", error.chain());
    assert!(error.chain().contains(word), "{} does not say {word:?}", error.chain());
}

/// One on a host of the place; its id has the test's name in it.
fn spec(place: &dyn Place, id: &str, image: &(String, String)) -> BenchSpec {
    BenchSpec {
        id: format!("{id}-{}", place.mark()),
        host: place.host(),
        repository: image.0.clone(),
        digest: image.1.clone(),
        cpu_milli: 500,
        mem_mib: 64,
    }
}

fn commit(bench: &BenchSpec, repository: &str, tag: &str) -> BenchCommit {
    let label = |label: &str, value: &str| (label.to_owned(), value.to_owned());
    BenchCommit {
        id: bench.id.clone(),
        host: bench.host.clone(),
        base: (bench.repository.clone(), bench.digest.clone()),
        repository: repository.to_owned(),
        tag: tag.to_owned(),
        leave_out: vec!["/tmp/left out".to_owned(), "/never/there".to_owned()],
        labels: BTreeMap::from([label("made.by", "a person"), label("taken", ""), label("never.there", "")]),
        ports: vec![8080, 9090],
        author: "Li Na".to_owned(),
        comment: "a module more".to_owned(),
    }
}

async fn seen(place: &dyn Place, id: &str) -> Option<BenchSeen> {
    place.workbench().list().await.unwrap().into_iter().find(|b| b.id == id)
}

async fn one_that_is_put_runs_and_keeps_what_was_changed(place: &dyn Place) {
    let workbench = place.workbench();
    let image = place.base().await;
    let bench = spec(place, "put", &image);
    let running = |running| Some(BenchSeen { id: bench.id.clone(), host: bench.host.clone(), running });
    assert!(workbench.serves(&bench.host) && !workbench.serves("elsewhere"));
    let (one, other) = tokio::join!(workbench.put(&bench), workbench.put(&bench));
    one.and(other).unwrap();
    for _ in 0..2 {
        workbench.put(&bench).await.unwrap();
        assert_eq!(seen(place, &bench.id).await, running(true));
    }
    place.write(&bench.id, "/srv/new", "mine").await;
    place.stop(&bench.id).await;
    assert_eq!(seen(place, &bench.id).await, running(false));
    refused(workbench.terminal(&bench.host, &bench.id, 80, 24).await, "does not run");
    let told = workbench.changes(&bench.host, &bench.id, 10).await.unwrap();
    assert_eq!(told.rows.iter().map(|r| r.path.as_str()).collect::<Vec<_>>(), ["/srv/new"]);
    workbench.put(&bench).await.unwrap();
    assert_eq!(seen(place, &bench.id).await, running(true));
    assert_eq!(place.read(&bench.id, "/srv/new").await.as_deref(), Some("mine"));

    let elsewhere = BenchSpec { host: "elsewhere".to_owned(), ..bench.clone() };
    refused(workbench.put(&elsewhere).await, "no Docker Engine is configured for host elsewhere");
    refused(workbench.delete("elsewhere", &bench.id).await, "no Docker Engine is configured");
    refused(workbench.changes("elsewhere", &bench.id, 1).await, "no Docker Engine is configured");
    let other = BenchSpec { repository: "stacks/never".to_owned(), ..spec(place, "gone", &image) };
    refused(workbench.put(&other).await, "can't be pulled");
    let other = BenchSpec { digest: place.no_shell().await.1, ..bench.clone() };
    refused(workbench.put(&other).await, "was started from another image");
    let other = BenchSpec { id: "../x".to_owned(), ..bench.clone() };
    refused(workbench.put(&other).await, "no name of a workbench");

    for _ in 0..2 {
        workbench.delete(&bench.host, &bench.id).await.unwrap();
        assert_eq!(seen(place, &bench.id).await, None);
    }
    let gone = format!("there is no workbench {}", bench.id);
    refused(workbench.changes(&bench.host, &bench.id, 1).await, &gone);
    refused(workbench.terminal(&bench.host, &bench.id, 80, 24).await, &gone);
    refused(workbench.commit(&commit(&bench, "made/put", "1"), &|_| ()).await, &gone);
}

async fn an_image_without_a_shell_is_refused_and_leaves_nothing(place: &dyn Place) {
    let bench = spec(place, "bare", &place.no_shell().await);
    for _ in 0..2 {
        refused(place.workbench().put(&bench).await, "has no shell");
        assert_eq!(seen(place, &bench.id).await, None);
    }
}

async fn what_was_changed_is_told(place: &dyn Place) {
    let workbench = place.workbench();
    let bench = spec(place, "changes", &place.base().await);
    workbench.put(&bench).await.unwrap();
    let none = workbench.changes(&bench.host, &bench.id, 10).await.unwrap();
    assert_eq!((none.rows, none.more), (vec![], 0), "nothing of what starting it makes is told");
    place.write(&bench.id, "/etc/app.conf", "changed").await;
    place.write(&bench.id, "/opt/app/a file", "12345").await;
    place.remove(&bench.id, "/srv/old").await;
    let row = |path: &str, kind, folder, bytes| BenchChange { path: path.to_owned(), kind, folder, bytes };
    let expected = [
        row("/etc/app.conf", ChangeKind::Modified, false, 7),
        row("/opt", ChangeKind::Added, true, 0),
        row("/opt/app", ChangeKind::Added, true, 0),
        row("/opt/app/a file", ChangeKind::Added, false, 5),
        row("/srv/old", ChangeKind::Deleted, false, 0),
    ];
    let told = workbench.changes(&bench.host, &bench.id, 10).await.unwrap();
    assert_eq!((told.rows.as_slice(), told.more), (expected.as_slice(), 0));
    let told = workbench.changes(&bench.host, &bench.id, 2).await.unwrap();
    assert_eq!((told.rows.as_slice(), told.more), (&expected[..2], 3));
    workbench.delete(&bench.host, &bench.id).await.unwrap();
}

/// What it says until `word` is in it, or until its end.
async fn says(terminal: &mut Terminal, word: &str) -> String {
    let mut said = Vec::new();
    let read = async {
        while let Some(piece) = terminal.output.next().await {
            said.extend_from_slice(&piece.unwrap());
            if !word.is_empty() && String::from_utf8_lossy(&said).contains(word) {
                return;
            }
        }
        assert!(word.is_empty(), "it ended before it said {word:?}");
    };
    let late = tokio::time::timeout(DEADLINE, read).await;
    let said = String::from_utf8_lossy(&said).into_owned();
    assert!(late.is_ok(), "it does not say {word:?} but {said:?}");
    said
}

async fn a_terminal_says_what_the_shell_says_and_ends_with_it(place: &dyn Place) {
    let workbench = place.workbench();
    let bench = spec(place, "terminal", &place.base().await);
    workbench.put(&bench).await.unwrap();
    let mut one = workbench.terminal(&bench.host, &bench.id, 80, 24).await.unwrap();
    let mut other = workbench.terminal(&bench.host, &bench.id, 80, 24).await.unwrap();
    one.input.write(b"echo this\r").await.unwrap();
    says(&mut one, "this\r\n").await;
    one.input.resize(132, 43).await.unwrap();
    one.input.write(b"exit\r").await.unwrap();
    says(&mut one, "").await;
    // What is typed after the end is refused sooner or later, and a window has nobody to change for.
    until("it is refused", async || one.input.write(b"x").await.is_err()).await;
    one.input.resize(80, 24).await.unwrap();
    other.input.write(b"echo other\r").await.unwrap();
    says(&mut other, "other\r\n").await;
    // They end with it.
    place.stop(&bench.id).await;
    says(&mut other, "").await;
    workbench.delete(&bench.host, &bench.id).await.unwrap();
}

async fn an_image_is_made_of_it_once(place: &dyn Place) {
    let (workbench, registry) = (place.workbench(), place.registry());
    let image = place.base().await;
    let bench = spec(place, "commit", &image);
    workbench.put(&bench).await.unwrap();
    place.write(&bench.id, "/opt/more", "more").await;
    place.write(&bench.id, "/tmp/left out/history", "secret").await;
    place.write(&bench.id, "/etc/app.conf", "changed").await;
    place.remove(&bench.id, "/srv/old").await;
    let wanted = commit(&bench, "made/commit", "1.0-a");
    let told = Mutex::new(Vec::new());
    let digest = workbench.commit(&wanted, &|step| told.lock().unwrap().push(step)).await.unwrap();
    let told = told.into_inner().unwrap();
    assert_eq!(told.first(), Some(&CommitStep::Kept));
    let sums: Vec<_> = told
        .iter()
        .filter_map(|s| if let CommitStep::Pushed { at, of } = s { Some((*at, *of)) } else { None })
        .collect();
    assert!(sums.last().is_some_and(|(at, of)| at == of && *of > 0), "{told:?}");
    assert!(sums.is_sorted(), "{told:?}");

    assert_eq!(registry.digest("made/commit", "1.0-a").await.unwrap(), Some(digest.clone()));
    let base = registry.image(&image.0, &image.1).await.unwrap().unwrap();
    let made = registry.image("made/commit", &digest).await.unwrap().unwrap();
    assert_eq!((&made.entry_point, &made.command), (&base.entry_point, &base.command));
    assert_eq!((&made.env, &made.user, &made.working_dir), (&base.env, &base.user, &base.working_dir));
    assert_eq!(
        (made.ports.as_slice(), made.volumes),
        (["80/tcp", "8080/tcp", "9090/tcp"].map(str::to_owned).as_slice(), base.volumes)
    );
    let labels: Vec<_> = made.labels.iter().map(|(k, v)| (k.as_str(), v.as_str())).collect();
    assert_eq!(labels, [("kept", "yes"), ("made.by", "a person"), ("taken", "")]);
    assert_eq!((made.author.as_str(), made.runs_here), ("Li Na", true));
    assert_eq!(made.steps.len(), base.steps.len() + 1);

    // Again: the same answer, whatever has become of the workbench; nothing is told then.
    place.write(&bench.id, "/opt/later", "later").await;
    let again = workbench.commit(&wanted, &|_| panic!("nothing is done")).await.unwrap();
    assert_eq!(again, digest);
    // The workbench goes on, without what was left out.
    assert_eq!(place.read(&bench.id, "/opt/more").await.as_deref(), Some("more"));
    assert_eq!(place.read(&bench.id, "/tmp/left out/history").await, None);

    // Whoever starts from it has it all.
    let next = spec(place, "next", &("made/commit".to_owned(), digest));
    workbench.put(&next).await.unwrap();
    assert_eq!(place.read(&next.id, "/opt/more").await.as_deref(), Some("more"));
    assert_eq!(place.read(&next.id, "/etc/app.conf").await.as_deref(), Some("changed"));
    for gone in ["/tmp/left out/history", "/srv/old", "/opt/later"] {
        assert_eq!(place.read(&next.id, gone).await, None, "{gone}");
    }
    assert_eq!(place.read(&next.id, "/srv/kept").await.as_deref(), Some("kept"));
    assert_eq!(workbench.changes(&next.host, &next.id, 10).await.unwrap().rows, []);
    for id in [&bench.id, &next.id] {
        workbench.delete(&bench.host, id).await.unwrap();
    }
}

async fn what_can_not_be_committed_is_refused(place: &dyn Place) {
    let workbench = place.workbench();
    let image = place.base().await;
    let bench = spec(place, "refused", &image);
    workbench.put(&bench).await.unwrap();
    let none = |_: CommitStep| panic!("nothing is done");
    let wanted = commit(&bench, &image.0, "taken");
    refused(workbench.commit(&wanted, &none).await, "exists already");
    let wanted = commit(&bench, "made/refused", "1");
    for path in ["/", "etc", "/etc/../..", ""] {
        let odd = BenchCommit { leave_out: vec![path.to_owned()], ..wanted.clone() };
        refused(workbench.commit(&odd, &none).await, "can't be left out");
    }
    let odd = BenchCommit { tag: "a b".to_owned(), ..wanted.clone() };
    refused(workbench.commit(&odd, &none).await, "no tag");
    let odd = BenchCommit { host: "elsewhere".to_owned(), ..wanted.clone() };
    refused(workbench.commit(&odd, &none).await, "no Docker Engine is configured");
    let odd = BenchCommit { id: "never".to_owned(), ..wanted };
    refused(workbench.commit(&odd, &none).await, "there is no workbench never");
    assert_eq!(place.read(&bench.id, "/etc/app.conf").await.as_deref(), Some("plain"));
    assert_eq!(place.registry().tags("made/refused").await.unwrap(), [""; 0]);
    workbench.delete(&bench.host, &bench.id).await.unwrap();
}
