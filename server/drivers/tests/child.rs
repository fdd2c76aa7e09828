//! Supervision on real processes: restart, back-off, stopping, rotation's source,
//! and what becomes of a child when its parent is killed with SIGKILL.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use padis_drivers::child::{Backoff, Child, ChildError, Pulse, Spec, State};
use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};

const DEADLINE: Duration = Duration::from_secs(10);

fn alive(pid: u32) -> bool {
    std::fs::read_to_string(format!("/proc/{pid}/stat"))
        .is_ok_and(|s| s.rsplit(')').next().is_some_and(|rest| !rest.trim_start().starts_with(['Z', 'X'])))
}

async fn until(what: &str, condition: impl Fn() -> bool) {
    let end = Instant::now() + DEADLINE;
    while !condition() {
        assert!(Instant::now() < end, "not within {DEADLINE:?}: {what}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

fn sh(name: &str, script: &str, folder: &Path) -> Spec {
    let mut spec = Spec::new(name, "sh", folder).args(["-c", script]);
    spec.backoff = Backoff { first: Duration::from_millis(10), most: Duration::from_millis(40), ..Backoff::default() };
    spec.stop_within = Duration::from_millis(500);
    spec
}

fn kill(pid: u32, signal: rustix::process::Signal) {
    let pid = rustix::process::Pid::from_raw(i32::try_from(pid).unwrap()).unwrap();
    rustix::process::kill_process(pid, signal).unwrap();
}

#[tokio::test]
async fn a_killed_child_comes_back_and_its_output_is_kept() {
    let folder = tempfile::tempdir().unwrap();
    let child = Child::spawn(sh("talker", "echo hello; exec sleep 600", folder.path())).await.unwrap();
    let first = child.ready(DEADLINE).await.unwrap();
    let log = folder.path().join("talker.log");
    let greetings = |n| std::fs::read_to_string(&log).is_ok_and(|text| text.matches("hello").count() == n);
    until("a greeting in the log", || greetings(1)).await;
    kill(first, rustix::process::Signal::KILL);
    let mut states = child.watch();
    let second = {
        let state = states.wait_for(|s| matches!(s, State::Running { pid, .. } if *pid != first));
        match &*tokio::time::timeout(DEADLINE, state).await.unwrap().unwrap() {
            State::Running { pid, .. } => *pid,
            other => panic!("{other:?}"),
        }
    };
    until("two greetings in the log", || greetings(2)).await;
    child.stop().await;
    assert!(!alive(second));
    assert_eq!(child.state(), State::Stopped);
    assert!(!folder.path().join("talker.pid").exists());
}

/// Stopped by SIGSTOP it exists and serves nobody: it is ended and comes back.
#[tokio::test]
async fn a_child_that_exists_and_does_not_answer_comes_back() {
    let folder = tempfile::tempdir().unwrap();
    let beat = folder.path().join("beat");
    let script = format!("while :; do echo x >> {}; sleep 0.02; done", beat.display());
    let (at, seen) = (beat.clone(), std::sync::Arc::new(std::sync::atomic::AtomicU64::new(0)));
    // It answers when the file has grown since the last question.
    let mut spec = sh("frozen", &script, folder.path()).ready(move || {
        let now = std::fs::metadata(&at).map_or(0, |m| m.len());
        let before = seen.swap(now, std::sync::atomic::Ordering::Relaxed);
        async move { now > before }
    });
    let ms = Duration::from_millis;
    spec.pulse = Some(Pulse { every: ms(200), within: ms(200), misses: 2 });
    let child = Child::spawn(spec).await.unwrap();
    let first = child.ready(DEADLINE).await.unwrap();
    kill(first, rustix::process::Signal::STOP);
    let mut states = child.watch();
    let state = states.wait_for(|s| matches!(s, State::Restarting { .. }));
    let last = match &*tokio::time::timeout(DEADLINE, state).await.unwrap().unwrap() {
        State::Restarting { last_exit, .. } => last_exit.clone(),
        other => panic!("{other:?}"),
    };
    assert!(last.contains("did not answer 2 times"), "{last}");
    let state = states.wait_for(|s| matches!(s, State::Running { pid, .. } if *pid != first));
    drop(tokio::time::timeout(DEADLINE, state).await.unwrap().unwrap());
    assert!(!alive(first));
    child.stop().await;
}

#[tokio::test]
async fn a_child_that_cannot_start_says_why_in_its_own_words() {
    let folder = tempfile::tempdir().unwrap();
    let child = Child::spawn(sh("broken", "echo 'no such port' >&2; exit 3", folder.path())).await.unwrap();
    let mut states = child.watch();
    let state = states.wait_for(|s| matches!(s, State::Restarting { attempt: 3.., .. }));
    let last = match &*tokio::time::timeout(DEADLINE, state).await.unwrap().unwrap() {
        State::Restarting { last_exit, .. } => last_exit.clone(),
        other => panic!("{other:?}"),
    };
    assert!(last.contains("exit status: 3") && last.contains("no such port"), "{last}");
    child.stop().await;
}

#[tokio::test]
async fn running_means_ready() {
    let folder = tempfile::tempdir().unwrap();
    let flag = folder.path().join("flag");
    let seen = flag.clone();
    let spec = sh("late", "exec sleep 600", folder.path()).ready(move || {
        let seen = seen.clone();
        async move { seen.exists() }
    });
    let child = Child::spawn(spec).await.unwrap();
    until("a process", || child.pid().is_some()).await;
    let early = child.ready(Duration::from_millis(100)).await.unwrap_err();
    assert!(matches!(early, ChildError::NotReady { .. }), "{early}");
    assert_eq!(child.state(), State::Starting);
    std::fs::write(&flag, "").unwrap();
    child.ready(DEADLINE).await.unwrap();
    child.stop().await;
}

#[tokio::test]
async fn a_child_that_ignores_the_request_is_killed_with_its_whole_group() {
    let folder = tempfile::tempdir().unwrap();
    let script = "trap '' TERM; sh -c 'trap \"\" TERM; echo $$ > worker; while :; do sleep 0.1; done' & \
                  while :; do sleep 0.1; done";
    let mut spec = sh("stubborn", script, folder.path());
    spec.cwd = Some(folder.path().to_owned());
    let child = Child::spawn(spec).await.unwrap();
    let pid = child.ready(DEADLINE).await.unwrap();
    let worker = folder.path().join("worker");
    until("the worker", || std::fs::read_to_string(&worker).is_ok_and(|s| s.ends_with('\n'))).await;
    let worker: u32 = std::fs::read_to_string(&worker).unwrap().trim().parse().unwrap();
    child.stop().await;
    until("both to be gone", || !alive(pid) && !alive(worker)).await;
}

#[tokio::test]
async fn an_address_that_somebody_else_has_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let other = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = other.local_addr().unwrap();
    let spec = sh("late", "exec sleep 600", folder.path()).listens(address);
    let Err(error) = Child::spawn(spec).await else { panic!("started beside another program") };
    assert_eq!(error.to_string(), format!("late cannot listen on {address}"));
}

#[tokio::test]
async fn our_environment_stays_ours() {
    let folder = tempfile::tempdir().unwrap();
    let spec = sh("env", "env; exec sleep 600", folder.path()).env("GIVEN", "yes");
    let child = Child::spawn(spec).await.unwrap();
    let log = folder.path().join("env.log");
    until("its environment", || std::fs::read_to_string(&log).is_ok_and(|s| s.contains("GIVEN=yes"))).await;
    child.stop().await;
    let seen = std::fs::read_to_string(&log).unwrap();
    // What a shell sets by itself, and the path that every child gets.
    let own = ["PATH", "PWD", "OLDPWD", "SHLVL", "_"];
    let ours: Vec<String> = std::env::vars().map(|v| v.0).filter(|name| !own.contains(&name.as_str())).collect();
    assert!(!ours.is_empty(), "this process has an environment");
    for name in ours {
        assert!(seen.lines().all(|line| !line.starts_with(&format!("{name}="))), "{name} is in {seen}");
    }
}

#[tokio::test]
#[ignore = "no test of its own: the parent that the tests below start and kill"]
async fn parent_process() {
    let folder = std::env::var_os("PADIS_TEST_CHILD_PARENT").expect("started by the tests below");
    let script = std::env::var("PADIS_TEST_CHILD_SCRIPT").unwrap();
    let _child = Child::spawn(sh("orphan", &script, Path::new(&folder))).await.unwrap();
    std::future::pending::<()>().await;
}

async fn orphan(folder: &Path, script: &str) -> u32 {
    let mut parent = std::process::Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "parent_process", "--nocapture", "--ignored"])
        .env("PADIS_TEST_CHILD_PARENT", folder)
        .env("PADIS_TEST_CHILD_SCRIPT", script)
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    let log = folder.join("orphan.log");
    until("the child to be up", || std::fs::read_to_string(&log).is_ok_and(|s| s.contains("up"))).await;
    let pid_file = std::fs::read_to_string(folder.join("orphan.pid")).unwrap();
    parent.kill().unwrap(); // SIGKILL
    parent.wait().unwrap();
    pid_file.lines().next().unwrap().parse().unwrap()
}

#[tokio::test]
async fn a_child_ends_when_its_parent_is_killed() {
    let folder = tempfile::tempdir().unwrap();
    let pid = orphan(folder.path(), "echo up; exec sleep 600").await;
    until("the orphan to be gone", || !alive(pid)).await;
}

#[tokio::test]
async fn a_child_that_survived_its_parent_is_stopped_by_the_next_run() {
    let folder = tempfile::tempdir().unwrap();
    let script = "trap '' TERM PIPE; echo up; while :; do sleep 0.1; done";
    let pid = orphan(folder.path(), script).await;
    assert!(alive(pid), "the script ignores SIGTERM");
    let child = Child::spawn(sh("orphan", script, folder.path())).await.unwrap();
    assert!(!alive(pid), "stopped before the new one is started");
    assert_ne!(child.ready(DEADLINE).await.unwrap(), pid);
    child.stop().await;
}

#[tokio::test]
async fn a_stranger_with_the_recorded_pid_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let mut stranger = std::process::Command::new("sleep").arg("600").spawn().unwrap();
    let boot = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap();
    // The right pid and boot, but another start time: a reused pid.
    std::fs::write(
        folder.path().join("x.pid"),
        format!("{}\n1\n{}\n[\"sleep\",\"600\"]\n", stranger.id(), boot.trim()),
    )
    .unwrap();
    let child = Child::spawn(sh("x", "exec sleep 600", folder.path())).await.unwrap();
    child.ready(DEADLINE).await.unwrap();
    assert!(alive(stranger.id()));
    child.stop().await;
    stranger.kill().unwrap();
    stranger.wait().unwrap();
}
