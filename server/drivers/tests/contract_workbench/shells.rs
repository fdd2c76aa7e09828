//! What only a real shell in a real container shows: windows, odd bytes, hang-ups; that
//! the workbench's own ways never end in an image; and hosts that share an engine or have none.

use super::place::{Place, Real, container, inside};
use super::{DEADLINE, commit, images, lab, refused, says, spec, until};
use padis_domain::ports::{BenchSpec, PortError, Registry, Workbench};
use padis_drivers::docker_at::DockerAt;
use padis_drivers::http::Auth;
use padis_drivers::workbench::{DockerWorkbench, WorkbenchConfig};
use serde_json::{Value, json};
use std::time::Instant;

/// Command lines of everything that runs in a workbench.
fn processes(place: &Real, id: &str) -> Vec<String> {
    let told = place.docker(&["top", &container(id), "-eo", "pid,args"]);
    told.lines().skip(1).map(|l| l.split_whitespace().skip(1).collect::<Vec<_>>().join(" ")).collect()
}

/// Nothing but what keeps it there.
async fn alone(place: &Real, id: &str) {
    let own = |p: &String| p.contains("trap 'exit 0'") || p.contains("sleep 86400");
    until("every process of the terminal is gone", async || {
        let all = processes(place, id);
        all.len() == 2 && all.iter().all(own)
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_terminal_has_the_window_the_folder_and_every_byte() {
    let place = Real::start().await;
    window(&place, spec(&place, "window", &place.base().await)).await;
    window(&place, spec(&place, "window-of-bash", &debian(&place).await)).await;
}

pub async fn window(place: &Real, bench: BenchSpec) {
    let workbench = &place.workbench;
    workbench.put(&bench).await.unwrap();
    let mut terminal = workbench.terminal(&bench.host, &bench.id, 100, 30).await.unwrap();
    terminal.input.write(b"stty size; echo $PWD $PATH $TERM-$HISTFILE-\r").await.unwrap();
    let said = says(&mut terminal, "xterm-256color--").await;
    assert!(said.contains("30 100\r\n"), "{said:?}");
    assert!(said.contains("/srv /opt/tool/bin:/bin "), "{said:?}");
    terminal.input.resize(132, 43).await.unwrap();
    terminal.input.write(b"stty size\r").await.unwrap();
    says(&mut terminal, "43 132\r\n").await;
    // What begins like a frame of Docker's is none.
    terminal.input.write(b"stty -echo; printf '\\000\\001\\002\\003abcdefgh'; sleep 1; echo e''nd\r").await.unwrap();
    let said = says(&mut terminal, "end").await;
    assert!(said.contains("\0\u{1}\u{2}\u{3}abcdefgh"), "{said:?}");
    // Docker's own keys to detach mean nothing.
    terminal.input.write(b"\x10\x11\recho st''ill\r").await.unwrap();
    says(&mut terminal, "still").await;
    terminal.input.write(b"exit\r").await.unwrap();
    says(&mut terminal, "").await;
    drop(terminal);
    alone(place, &bench.id).await;
    let told = workbench.changes(&bench.host, &bench.id, 10).await.unwrap();
    assert_eq!(told.rows, [], "a terminal leaves nothing in the workbench");
    workbench.delete(&bench.host, &bench.id).await.unwrap();
}

/// A base of Debian's own shells, dash and bash.
pub async fn debian(place: &Real) -> (String, String) {
    let repository = "stacks/debian".to_owned();
    let digest = images::push(&place.pusher, &repository, "1", images::config(), images::debian()).await;
    (repository, digest)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_terminal_that_is_dropped_leaves_no_process() {
    let place = Real::start().await;
    dropped(&place, spec(&place, "dropped", &place.base().await)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_terminal_that_is_dropped_leaves_no_process_of_bash() {
    let place = Real::start().await;
    dropped(&place, spec(&place, "dropped", &debian(&place).await)).await;
}

pub async fn dropped(place: &Real, bench: BenchSpec) {
    let workbench = &place.workbench;
    workbench.put(&bench).await.unwrap();
    alone(place, &bench.id).await;
    // A shell that waits, a program in the foreground, and a shell that does not want to hear of it.
    for typed in ["", "sleep 1000\r", "sleep 1000; sleep 1000\r", "trap '' HUP\r", "cat\r"] {
        let mut terminal = workbench.terminal(&bench.host, &bench.id, 80, 24).await.unwrap();
        terminal.input.write(typed.as_bytes()).await.unwrap();
        if !typed.is_empty() {
            says(&mut terminal, typed.trim()).await;
        }
        until("the shell and its keeper run", async || processes(place, &bench.id).len() >= 4).await;
        drop(terminal);
        alone(place, &bench.id).await;
    }
    // Half of one is still one.
    let terminal = workbench.terminal(&bench.host, &bench.id, 80, 24).await.unwrap();
    let mut input = terminal.input;
    drop(terminal.output);
    input.write(b"echo 1 >/tmp/typed\r").await.unwrap();
    until("it is typed", async || place.inside(&bench.id, &["cat", "/tmp/typed"]).is_some()).await;
    drop(input);
    alone(place, &bench.id).await;
    workbench.delete(&bench.host, &bench.id).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_left_to_it_is_reaped_and_it_ends_at_once() {
    let place = Real::start().await;
    reaps(&place, spec(&place, "reaps", &place.base().await)).await;
    reaps(&place, spec(&place, "dash-reaps", &debian(&place).await)).await;
}

async fn reaps(place: &Real, bench: BenchSpec) {
    place.workbench.put(&bench).await.unwrap();
    inside(&bench.id, &["sh", "-c", "for n in 1 2 3; do (true & true) & done; (sleep 0.2 &) ; exit 0"]).unwrap();
    alone(place, &bench.id).await;
    let begun = Instant::now();
    lab::docker(&["stop", "-t", "50", &container(&bench.id)]);
    assert!(begun.elapsed().as_secs() < 20, "it hears SIGTERM");
    place.workbench.delete(&bench.host, &bench.id).await.unwrap();
}

/// What an image says that a workbench overrides, or that its commit could lose; nothing, `null`
/// and empty are the same.
fn said(raw: &Value) -> Vec<(&'static str, Value)> {
    let keys =
        ["Entrypoint", "Cmd", "User", "WorkingDir", "Env", "Volumes", "Healthcheck", "StopSignal", "OnBuild", "Shell"];
    let empty = |v: &Value| v.is_null() || v == "" || v == &json!([]) || v == &json!({});
    keys.into_iter().map(|k| (k, raw["config"][k].clone())).filter(|(_, v)| !empty(v)).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_that_a_workbench_overrides_ends_in_its_image() {
    let place = Real::start().await;
    let whole = json!({"Entrypoint": ["/entry"], "Cmd": ["a", "b"], "User": "7", "WorkingDir": "/srv", "Env": ["A=1"],
        "Volumes": {"/data": {}}, "Healthcheck": {"Test": ["CMD", "true"], "Interval": 5_000_000_000_i64},
        "StopSignal": "SIGQUIT", "OnBuild": ["RUN true"], "Shell": ["/bin/sh", "-ec"]});
    let without = |keys: &[&str]| {
        let mut config = whole.clone();
        keys.iter().for_each(|k| drop(config.as_object_mut().unwrap().remove(*k)));
        config
    };
    let cases = [
        ("whole", whole.clone()),
        ("entry", without(&["Entrypoint"])),
        ("command", without(&["Cmd"])),
        ("neither", without(&["Entrypoint", "Cmd", "User"])),
        ("nothing", json!({})),
    ];
    for (name, config) in cases {
        let repository = format!("bases/{name}");
        let digest = images::push(&place.pusher, &repository, "1", config, images::system()).await;
        let bench = spec(&place, name, &(repository.clone(), digest.clone()));
        place.workbench.put(&bench).await.unwrap();
        assert_eq!(inside(&bench.id, &["sh", "-c", "echo $USER >/srv/new; echo x"]).as_deref(), Some("x\n"));
        let made = place.workbench.commit(&commit(&bench, &repository, "2"), &|_| ()).await.unwrap();
        let (before, after) = (place.raw(&repository, &digest).await, place.raw(&repository, &made).await);
        assert_eq!(said(&after), said(&before), "{name}");
        assert_eq!(after["history"].as_array().unwrap().last().unwrap()["comment"], "a module more");
        place.workbench.delete(&bench.host, &bench.id).await.unwrap();
        let left = lab::docker(&["images", "-q", &format!("{}/{repository}:2", place.server.address)]);
        assert_eq!(left, "", "the engine keeps no tag of it");
    }
}

/// Of instances only, and only what they have written themselves.
#[tokio::test(flavor = "multi_thread")]
async fn what_an_instance_has_written_is_told() {
    let place = Real::start().await;
    let bench = spec(&place, "wrote", &place.base().await);
    place.workbench.put(&bench).await.unwrap();
    let image = lab::docker(&["inspect", "-f", "{{.Image}}", &container(&bench.id)]);
    let task = format!("writes-{}", bench.id);
    let (label, fill) = (format!("MESOS_TASK_ID={task}"), "head -c 20000000 /dev/zero >/full; exec sleep 600");
    lab::docker(&[
        "run",
        "-d",
        "--name",
        &task,
        "--label",
        &label,
        "-u",
        "0",
        "--entrypoint",
        "/bin/sh",
        &image,
        "-c",
        fill,
    ]);
    until("it has written", async || place.workbench.written().await.unwrap().get(&task) >= Some(&20_000_000)).await;
    let all = place.workbench.written().await.unwrap();
    assert!(all[&task] < 25_000_000, "{all:?}");
    assert!(!all.keys().any(|k| k.contains(&container(&bench.id))), "a workbench is no instance: {all:?}");
    // A host that is down takes the others' figures with it as little as they make it seem to be up.
    let nobody = DockerAt::new("unix:///nowhere/docker.sock");
    let hosts = |all: &[(&str, &DockerAt)]| all.iter().map(|(n, at)| ((*n).to_owned(), (*at).clone())).collect();
    let made = |hosts| {
        let config = WorkbenchConfig { hosts, registry: "127.0.0.1:1".to_owned(), auth: Auth::None };
        DockerWorkbench::new(&config, place.registry.clone()).unwrap()
    };
    let both = made(hosts(&[("down", &nobody), ("up", &DockerAt::new(lab::endpoint()))]));
    assert!(both.written().await.unwrap()[&task] >= 20_000_000);
    assert!(made(hosts(&[("down", &nobody)])).written().await.is_err());
    lab::docker(&["rm", "-f", &task]);
    place.workbench.delete(&bench.host, &bench.id).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn images_that_earlier_calls_have_left_are_taken_away_and_no_others() {
    let place = Real::start().await;
    let bench = spec(&place, "sweep", &place.base().await);
    place.workbench.put(&bench).await.unwrap();
    let leave = |comment: &str| lab::docker(&["commit", "-a", "Li Na", "-m", comment, &container(&bench.id)]);
    let (ours, other) = (leave("a module more"), leave("by hand"));
    place.workbench.commit(&commit(&bench, "made/sweep", "1"), &|_| ()).await.unwrap();
    let left = lab::docker(&["images", "-q", "--no-trunc", "-f", "dangling=true"]);
    assert!(left.contains(&other) && !left.contains(&ours), "{left}");
    lab::docker(&["rmi", &other]);
    place.workbench.delete(&bench.host, &bench.id).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn limits_hold_and_two_hosts_on_one_engine_are_told_apart() {
    let place = Real::start().await;
    let image = place.base().await;
    let here = spec(&place, "here", &image);
    let there = BenchSpec { host: "host-b".to_owned(), ..spec(&place, "there", &image) };
    for bench in [&here, &there] {
        place.workbench.put(bench).await.unwrap();
        let seen = place.workbench.list().await.unwrap();
        assert_eq!(
            seen.iter().filter(|b| b.id == bench.id).map(|b| b.host.as_str()).collect::<Vec<_>>(),
            [&bench.host]
        );
    }
    let format = "{{.HostConfig.NanoCpus}} {{.HostConfig.Memory}} {{.HostConfig.MemorySwap}} {{.HostConfig.PidsLimit}} {{.Config.User}} {{.HostConfig.RestartPolicy.Name}}";
    let told = lab::docker(&["inspect", "-f", format, &container(&here.id)]);
    assert_eq!(told, "500000000 67108864 67108864 512 0 no");
    for bench in [&here, &there] {
        place.workbench.delete(&bench.host, &bench.id).await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_engine_or_a_registry_that_is_not_there_is_no_refusal() {
    let place = Real::start().await;
    let image = place.base().await;
    let nobody = Real::on("unix:///nowhere/docker.sock", "127.0.0.1:1", Auth::None, &place.registry);
    let bench = spec(&place, "nobody", &image);
    for error in [nobody.put(&bench).await.unwrap_err(), nobody.list().await.unwrap_err()] {
        assert!(matches!(error, PortError::Transient { .. }), "{error:?}");
        assert!(error.chain().contains("/nowhere/docker.sock"), "{}", error.chain());
    }
    // The engine is there, the registry that it is sent to is not.
    let silent = Real::on(&lab::endpoint(), "127.0.0.1:1", Auth::None, &place.registry);
    let error = silent.put(&bench).await.unwrap_err();
    assert!(matches!(error, PortError::Transient { .. }), "{error:?}");
    // It is there and does not know us.
    let name = place.server.address.to_string();
    let stranger = Real::on(&lab::endpoint(), &name, Auth::None, &place.registry);
    refused(stranger.put(&bench).await, "can't be pulled");
    // It was pulled by somebody whom it knows; the push is another matter.
    place.workbench.put(&bench).await.unwrap();
    let wanted = commit(&bench, "made/stranger", "1");
    let pushed = tokio::time::timeout(DEADLINE, stranger.commit(&wanted, &|_| ())).await.unwrap();
    refused(pushed, "push");
    assert_eq!(place.registry.tags("made/stranger").await.unwrap(), [""; 0]);
    place.workbench.delete(&bench.host, &bench.id).await.unwrap();
}
