//! The Mesos operator API's answers to the letter, as a real Mesos 1.11 gave them
//! (asked on 127.0.0.1, texts compared byte by byte).
#![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

mod support;

use reqwest::{Method, Response, Url};
use serde_json::{Value, json};
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::time::Duration;
use support::Rig;

const SOON: Duration = Duration::from_millis(2);

/// An answer: status, content type, bytes.
struct Got(u16, String, Vec<u8>);

impl Got {
    async fn of(answer: Response) -> Self {
        let kind = answer.headers().get("content-type").map(|t| t.to_str().unwrap().to_owned()).unwrap_or_default();
        Self(answer.status().as_u16(), kind, answer.bytes().await.unwrap().to_vec())
    }
    fn text(&self) -> &str {
        std::str::from_utf8(&self.2).unwrap()
    }
    fn json(&self) -> Value {
        serde_json::from_slice(&self.2).unwrap()
    }
}

fn url(rig: &Rig, path: &str, query: &[(&str, &str)]) -> Url {
    Url::parse_with_params(&format!("{}{path}", rig.mesos), query).unwrap()
}

async fn get(rig: &Rig, path: &str, query: &[(&str, &str)]) -> Got {
    Got::of(rig.client.get(url(rig, path, query)).send().await.unwrap()).await
}

const TEXT: &str = "text/plain; charset=utf-8";

/// A running task with a sandbox of the test's making: its id and folder.
async fn sandbox(rig: &Rig) -> (String, PathBuf) {
    rig.put(&json!({"id": "/a/web", "cmd": "echo it says hello; exec sleep 600", "instances": 1, "cpus": 0.05,
        "mem": 32, "labels": {"a": "b"}, "container": {"type": "DOCKER", "docker": {"image": "x"}}}))
        .await;
    let id = rig.running("/a/web", 1).await[0]["id"].as_str().unwrap().to_owned();
    let state = rig.mesos("/slave(1)/state").await;
    let dir = PathBuf::from(state["frameworks"][0]["executors"][0]["directory"].as_str().unwrap());
    std::fs::create_dir_all(dir.join("d")).unwrap();
    std::fs::write(dir.join("stdout"), b"it says hello\na\xff\xfeb\n").unwrap();
    std::fs::write(dir.join(".hidden"), "x\n").unwrap();
    std::fs::write(dir.join(".stdout.place"), "the engine's own").unwrap();
    std::fs::write(dir.join("big"), vec![b'x'; 100_000]).unwrap();
    std::fs::set_permissions(dir.join("big"), std::fs::Permissions::from_mode(0o640)).unwrap();
    for (link, to) in [("in", "stdout"), ("out", "/etc/passwd"), ("dangling", "nowhere")] {
        std::os::unix::fs::symlink(to, dir.join(link)).unwrap();
    }
    (id, dir)
}

#[tokio::test]
async fn pieces_of_files_are_bytes() {
    let rig = Rig::simulated(1, SOON, 0.0).await;
    let (id, dir) = sandbox(&rig).await;
    let dir = dir.to_str().unwrap();
    let out = format!("{dir}/stdout");
    let read = async |path: &str, more: &[(&str, &str)]| {
        let query = [&[("path", path)], more].concat();
        get(&rig, "/files/read", &query).await
    };
    let offset = |n: &'static str| [("offset", n)];
    let length = |o: &'static str, n: &'static str| [("offset", o), ("length", n)];
    for (query, wanted) in [
        (&[][..], &b"{\"data\":\"\",\"offset\":19}"[..]),
        (&offset("-1"), b"{\"data\":\"\",\"offset\":19}"),
        (&[("length", "3")], b"{\"data\":\"\",\"offset\":19}"),
        (&offset("0"), b"{\"data\":\"it says hello\\na\xff\xfeb\\n\",\"offset\":0}"),
        (&length("14", "3"), b"{\"data\":\"a\xff\xfe\",\"offset\":14}"),
        (&length("14", "2"), b"{\"data\":\"a\xff\",\"offset\":14}"),
        (&length("0", "-1"), b"{\"data\":\"it says hello\\na\xff\xfeb\\n\",\"offset\":0}"),
        (&length("0", "0"), b"{\"data\":\"\",\"offset\":0}"),
        (&offset("19"), b"{\"data\":\"\",\"offset\":19}"),
        (&offset("99"), b"{\"data\":\"\",\"offset\":99}"),
    ] {
        let got = read(&out, query).await;
        assert_eq!((got.0, got.1.as_str(), got.2.as_slice()), (200, "application/json", wanted), "{query:?}");
    }
    for (query, why) in [
        (&offset("-2")[..], "Negative offset provided: -2.\n"),
        (&length("0", "-2"), "Negative length provided: -2.\n"),
        (&offset("x"), "Failed to parse offset: Failed to convert 'x' to number.\n"),
        (&offset(""), "Failed to parse offset: Failed to convert '' to number.\n"),
        (&length("0", "1.5"), "Failed to parse length: Failed to convert '1.5' to number.\n"),
    ] {
        let got = read(&out, query).await;
        assert_eq!((got.0, got.1.as_str(), got.text()), (400, TEXT, why), "{query:?}");
    }
    assert_eq!(read(&format!("{dir}/big"), &offset("0")).await.json()["data"].as_str().unwrap().len(), 65_536);
    assert_eq!(read(&format!("{dir}/big"), &length("0", "90000")).await.json()["data"].as_str().unwrap().len(), 65_536);
    assert_eq!(read(&format!("{dir}/in"), &length("3", "4")).await.json()["data"], "says");
    assert_eq!(read(&format!("{dir}/.hidden"), &offset("0")).await.json()["data"], "x\n");
    let latest = format!("/frameworks/{}-0000/executors/{id}/runs/latest", rig.id);
    assert_eq!(read(&format!("{latest}/stdout"), &length("3", "4")).await.json()["data"], "says");
    for absent in
        ["/etc/passwd", "/", &format!("{dir}/never"), &format!("{dir}/dangling"), &format!("{dir}/.stdout.place")]
    {
        let got = read(absent, &offset("0")).await;
        assert_eq!((got.0, got.1.as_str(), got.text()), (404, TEXT, ""), "{absent}");
    }
    for outside in [format!("{dir}/out"), format!("{dir}/../.."), format!("{dir}/..")] {
        let got = read(&outside, &offset("0")).await;
        assert_eq!((got.0, got.text()), (400, format!("'{outside}' is inaccessible.\n").as_str()));
    }
    assert_eq!(read(dir, &[]).await.text(), "Cannot read a directory.\n");
    for path in ["/files/read", "/files/browse", "/files/download"] {
        for query in [&[][..], &[("path", "")]] {
            let got = get(&rig, path, query).await;
            assert_eq!((got.0, got.text()), (400, "Expecting 'path=value' in query.\n"), "{path}");
        }
    }
}

#[tokio::test]
async fn folders_and_downloads() {
    let rig = Rig::simulated(1, SOON, 0.0).await;
    let (id, dir) = sandbox(&rig).await;
    let dir = dir.to_str().unwrap();
    let browse = async |path: &str| get(&rig, "/files/browse", &[("path", path)]).await;
    for asked in [dir.to_owned(), format!("{dir}/")] {
        let listing = browse(&asked).await.json();
        let told: Vec<(&str, &str, u64)> = listing
            .as_array()
            .unwrap()
            .iter()
            .map(|f| {
                let path = f["path"].as_str().unwrap();
                (
                    path.strip_prefix(&format!("{dir}/")).unwrap(),
                    f["mode"].as_str().unwrap(),
                    f["size"].as_u64().unwrap(),
                )
            })
            .collect();
        // `out` leads out: a real agent tells how large /etc/passwd is, this one does not.
        let folder = std::fs::metadata(format!("{dir}/d")).unwrap().len();
        let wanted = [
            (".hidden", "-rw-r--r--", 2),
            ("big", "-rw-r-----", 100_000),
            ("d", "drwxr-xr-x", folder),
            ("in", "-rw-r--r--", 19),
            ("stdout", "-rw-r--r--", 19),
        ];
        assert_eq!(told, wanted);
        let one = &listing[1];
        assert_eq!((&one["nlink"], one["mtime"].as_f64().unwrap() % 1.0), (&json!(1), 0.0));
        let me = std::process::Command::new("stat").args(["-c", "%U %G", &format!("{dir}/big")]).output().unwrap();
        let names = format!("{} {}", one["uid"].as_str().unwrap(), one["gid"].as_str().unwrap());
        assert_eq!(names, String::from_utf8(me.stdout).unwrap().trim());
    }
    assert_eq!(browse(&format!("{dir}/d")).await.json(), json!([]));
    assert_eq!(browse(&format!("{dir}/stdout")).await.json(), json!([]));
    let never = browse(&format!("{dir}/never")).await;
    assert_eq!((never.0, never.1.as_str(), never.text()), (404, TEXT, ""));
    let latest = format!("/frameworks/{}-0000/executors/{id}/runs/latest", rig.id);
    assert_eq!(browse(&latest).await.json()[0]["path"], format!("{latest}/.hidden"), "by the name it was asked");
    let names = get(&rig, "/files/debug", &[]).await.json();
    assert_eq!(names, json!({latest: dir, dir: dir}));

    let download =
        async |path: &str| rig.client.get(url(&rig, "/files/download", &[("path", path)])).send().await.unwrap();
    let got = download(&format!("{dir}/stdout")).await;
    assert_eq!(got.headers()["content-disposition"], "attachment; filename=stdout");
    assert_eq!(got.headers()["content-type"], "application/octet-stream");
    assert_eq!(got.headers()["content-length"], "19");
    assert_eq!(got.bytes().await.unwrap().as_ref(), b"it says hello\na\xff\xfeb\n");
    for (path, status, text) in [
        (dir.to_owned(), 400, String::from("Cannot download a directory.\n")),
        (format!("{dir}/never"), 404, String::from("404 Not Found.")),
        (format!("{dir}/out"), 400, format!("'{dir}/out' is inaccessible.\n")),
    ] {
        let got = Got::of(download(&path).await).await;
        assert_eq!((got.0, got.text()), (status, text.as_str()), "{path}");
    }

    let call = async |kind: &str, content: Value| {
        let body = json!({"type": kind, kind.to_ascii_lowercase(): content}).to_string();
        let request =
            rig.client.post(format!("{}/slave(1)/api/v1", rig.mesos)).header("Content-Type", "application/json");
        Got::of(request.body(body).send().await.unwrap()).await
    };
    let piece = call("READ_FILE", json!({"path": format!("{dir}/stdout"), "offset": 14, "length": 3})).await;
    assert_eq!(piece.json(), json!({"type": "READ_FILE", "read_file": {"size": 19, "data": "Yf/+"}}));
    let beyond = call("READ_FILE", json!({"path": format!("{dir}/stdout"), "offset": 99})).await;
    assert_eq!(beyond.json()["read_file"], json!({"size": 19, "data": ""}));
    assert_eq!(call("READ_FILE", json!({"path": dir, "offset": 0})).await.text(), "Cannot read a directory.\n");
    assert_eq!(call("READ_FILE", json!({"path": format!("{dir}/never"), "offset": 0})).await.0, 404);
    assert_eq!(call("LIST_FILES", json!({"path": format!("{dir}/d")})).await.json()["list_files"], json!({}));
    let big = call("LIST_FILES", json!({"path": dir})).await.json()["list_files"]["file_infos"][1].clone();
    assert_eq!((&big["mode"], &big["size"]), (&json!(0o100_640), &json!(100_000)));
}

#[tokio::test]
async fn what_is_not_there_and_what_is_not_allowed() {
    let rig = Rig::simulated(1, SOON, 0.0).await;
    for path in [
        "/",
        "/nothing",
        "/master/nothing",
        "/state.json",
        "/master/state.json",
        "/slave(2)/state",
        "/slave(0)/state",
        "/slave(1)/nothing",
        "/nobody/state",
        "/slave(2)/health",
        "/slave(2)/containers",
        "/slave(1)/files/browse",
    ] {
        let got = get(&rig, path, &[]).await;
        assert_eq!((got.0, got.1.as_str(), got.text()), (404, TEXT, "404 Not Found."), "{path}");
    }
    for (method, path, takes, allow) in [
        (Method::GET, "/api/v1", "'POST'", "POST"),
        (Method::GET, "/slave(1)/api/v1", "'POST'", "POST"),
        (Method::PUT, "/maintenance/schedule", "'GET', 'POST'", "GET, POST"),
        (Method::POST, "/maintenance/status", "'GET'", "GET"),
        (Method::GET, "/machine/down", "'POST'", "POST"),
        (Method::GET, "/master/machine/up", "'POST'", "POST"),
        (Method::PUT, "/quota", "'GET', 'POST', 'DELETE'", "GET, POST, DELETE"),
        (Method::GET, "/master/teardown", "'POST'", "POST"),
    ] {
        let answer = rig.client.request(method.clone(), format!("{}{path}", rig.mesos)).send().await.unwrap();
        assert_eq!(answer.headers()["allow"], allow, "{path}");
        let got = Got::of(answer).await;
        let why = format!("405 Method Not Allowed. Expecting one of {{ {takes} }}, but received '{method}'.");
        assert_eq!((got.0, got.1.as_str(), got.text()), (405, TEXT, why.as_str()), "{path}");
    }
    // A slash behind a path, or more, does not matter; but for a few.
    for (path, status) in [
        ("/master/frameworks/", 200),
        ("/state/x/y", 200),
        ("/slave(1)/state/", 200),
        ("/version/", 200),
        ("/files/browse/", 400),
        ("/api/v1/x", 405),
        ("/version/x", 404),
        ("/redirect/", 404),
    ] {
        assert_eq!(get(&rig, path, &[]).await.0, status, "{path}");
    }
    let script = get(&rig, "/slaves", &[("jsonp", "cb"), ("slave_id", "x")]).await;
    assert_eq!((script.1.as_str(), script.text()), ("text/javascript", r#"cb({"slaves":[],"recovered_slaves":[]})"#));
    let none = get(&rig, "/frameworks", &[("framework_id", "nope")]).await;
    assert_eq!(none.json(), json!({"frameworks": [], "completed_frameworks": [], "unregistered_frameworks": []}));
    let redirect = reqwest::Client::builder().no_proxy().redirect(reqwest::redirect::Policy::none()).build().unwrap();
    for path in ["/redirect", "/master/redirect"] {
        let answer = redirect.get(format!("{}{path}", rig.mesos)).send().await.unwrap();
        let place = answer.headers()["location"].to_str().unwrap().to_owned();
        assert_eq!((answer.status().as_u16(), place), (307, rig.mesos.trim_start_matches("http:").to_owned()));
    }
}

#[tokio::test]
async fn what_is_no_call_is_refused_in_mesos_words() {
    let rig = Rig::simulated(1, SOON, 0.0).await;
    let call = async |path: &str, kind: Option<&str>, accept: Option<&str>, body: &str| {
        let mut request = rig.client.post(format!("{}{path}", rig.mesos)).body(body.to_owned());
        for (name, value) in [("Content-Type", kind), ("Accept", accept)] {
            if let Some(value) = value {
                request = request.header(name, value);
            }
        }
        Got::of(request.send().await.unwrap()).await
    };
    let health = r#"{"type":"GET_HEALTH"}"#;
    let json_ = Some("application/json");
    for (kind, accept, body, status, text) in [
        (json_, None, health, 200, r#"{"type":"GET_HEALTH","get_health":{"healthy":true}}"#),
        (json_, Some("*/*"), health, 200, r#"{"type":"GET_HEALTH","get_health":{"healthy":true}}"#),
        (
            json_,
            Some("text/html"),
            health,
            406,
            "Expecting 'Accept' to allow 'application/x-protobuf' or 'application/json'",
        ),
        (None, None, health, 400, "Expecting 'Content-Type' to be present"),
        (Some("text/plain"), None, "{}", 415, "Expecting 'Content-Type' of application/json or application/x-protobuf"),
        (json_, None, "{bad", 400, "Failed to parse body into JSON: syntax error at line 1 near: bad"),
        (json_, None, "", 400, "Failed to parse body into JSON: syntax error at line 1 near: "),
        (json_, None, "[]", 400, "Failed to convert JSON into Call protobuf: Expecting a JSON object"),
        (json_, None, "{}", 400, "Failed to validate master::Call: Expecting 'type' to be present"),
        (
            json_,
            None,
            r#"{"type":"GET_CONTAINERS"}"#,
            400,
            "Failed to validate master::Call: Expecting 'type' to be present",
        ),
        (json_, None, r#"{"type":"UNKNOWN"}"#, 501, "501 Not Implemented."),
        (
            json_,
            None,
            r#"{"type":"GET_METRICS"}"#,
            400,
            "Failed to validate master::Call: Expecting 'get_metrics' to be present",
        ),
        (
            json_,
            None,
            r#"{"type":"TEARDOWN","teardown":{"framework_id":{"value":"x"}}}"#,
            400,
            "No framework found with specified ID",
        ),
        (
            json_,
            None,
            r#"{"type":"SET_LOGGING_LEVEL","set_logging_level":{"level":1}}"#,
            400,
            "Failed to convert JSON into Call protobuf: Missing required fields: set_logging_level.duration",
        ),
    ] {
        for path in ["/api/v1", "/master/api/v1"] {
            let got = call(path, kind, accept, body).await;
            assert_eq!((got.0, got.text()), (status, text), "{path} {body}");
            assert_eq!(got.1, if status == 200 { "application/json" } else { TEXT }, "{body}");
        }
    }
    for (body, why) in [
        (r#"{"type":"GET_AGENTS"}"#, "Failed to validate agent::Call: Expecting 'type' to be present"),
        (r#"{"type":5}"#, "Not expecting a JSON number for field 'type'"),
        (r#"{"type":"READ_FILE"}"#, "Failed to validate agent::Call: Expecting 'read_file' to be present"),
    ] {
        let got = call("/slave(1)/api/v1", json_, None, body).await;
        assert_eq!((got.0, got.text()), (400, why), "{body}");
    }
    for (path, body) in [
        ("/api/v1", r#"{"type":"UPDATE_WEIGHTS","update_weights":{}}"#),
        ("/api/v1", r#"{"type":"RESERVE_RESOURCES","reserve_resources":{}}"#),
        ("/slave(1)/api/v1", r#"{"type":"PRUNE_IMAGES"}"#),
        ("/slave(1)/api/v1", r#"{"type":"KILL_CONTAINER","kill_container":{}}"#),
    ] {
        let got = call(path, json_, None, body).await;
        assert_eq!((got.0, got.text()), (403, "403 Forbidden."), "{body}");
    }
}

#[tokio::test]
async fn without_a_leader_there_is_nobody_to_order() {
    let dir = tempfile::tempdir().unwrap();
    let config = padis_engine::EngineConfig {
        marathon_listen: "127.0.0.1:0".parse().unwrap(),
        mesos_listen: "127.0.0.1:0".parse().unwrap(),
        data: dir.path().join("engine"),
        // Nobody listens there.
        runtime: padis_engine::RuntimeConfig::Mesos(padis_engine::MesosConfig::at(vec![
            "http://127.0.0.1:1".to_owned(),
        ])),
        ..padis_engine::EngineConfig::default()
    };
    let rig = Rig::start(dir, config).await;
    let request = rig.client.post(format!("{}/api/v1", rig.mesos)).header("Content-Type", "application/json");
    let got = Got::of(request.body(r#"{"type":"GET_AGENTS"}"#).send().await.unwrap()).await;
    assert_eq!((got.0, got.text()), (503, "No leader elected"));
}

#[tokio::test]
async fn pages_of_tasks() {
    let rig = Rig::simulated(1, SOON, 0.0).await;
    for n in 0..3 {
        rig.put(&json!({"id": format!("/t{n}"), "cmd": "x", "instances": 1, "cpus": 0.1, "mem": 16,
            "container": {"type": "DOCKER", "docker": {"image": "x"}}}))
            .await;
        rig.running(&format!("/t{n}"), 1).await;
    }
    let names = async |query: &[(&str, &str)]| {
        let tasks = get(&rig, "/tasks", query).await.json();
        let names = tasks["tasks"].as_array().unwrap().iter().map(|t| t["name"].as_str().unwrap().to_owned());
        names.collect::<Vec<_>>()
    };
    assert_eq!(names(&[]).await, ["t2", "t1", "t0"], "the newest first");
    assert_eq!(names(&[("order", "asc")]).await, ["t0", "t1", "t2"]);
    assert_eq!(names(&[("limit", "1")]).await, ["t2"]);
    assert_eq!(names(&[("limit", "x")]).await.len(), 3, "a number that is none counts as not given");
    assert_eq!(names(&[("order", "asc"), ("offset", "1"), ("limit", "1")]).await, ["t1"]);
    assert_eq!(names(&[("framework_id", "nope")]).await.len(), 0);
    let id = rig.tasks("/t1").await[0]["id"].as_str().unwrap().to_owned();
    assert_eq!(names(&[("task_id", &id)]).await, ["t1"]);
}

#[tokio::test]
async fn no_path_is_open_to_strangers() {
    let mut rig = Rig::simulated(1, SOON, 0.0).await;
    rig.config.credentials = Some(padis_engine::Credentials { user: "op".to_owned(), password: "s3cret".to_owned() });
    rig.restart().await;
    let of_master = [
        "redirect",
        "state",
        "slaves",
        "frameworks",
        "tasks",
        "roles",
        "state-summary",
        "flags",
        "quota",
        "weights",
        "maintenance/schedule",
        "maintenance/status",
        "machine/down",
        "machine/up",
        "api/v1",
        "teardown",
        "reserve",
        "unreserve",
        "create-volumes",
        "destroy-volumes",
    ];
    let mut paths: Vec<String> = of_master.iter().flat_map(|p| [format!("/{p}"), format!("/master/{p}")]).collect();
    let own = ["state", "flags", "containers", "monitor/statistics", "api/v1"];
    paths.extend(own.iter().map(|p| format!("/slave(1)/{p}")));
    paths.extend(
        ["version", "metrics/snapshot", "system/stats.json", "logging/toggle", "containers"].map(|p| format!("/{p}")),
    );
    paths.extend(
        ["monitor/statistics", "files/browse", "files/read", "files/download", "files/debug"].map(|p| format!("/{p}")),
    );
    paths.push(String::from("/nothing"));
    for path in &paths {
        for method in [Method::GET, Method::POST] {
            let asked = |password: Option<&str>| {
                let request = rig.client.request(method.clone(), format!("{}{path}", rig.mesos));
                password.map_or(rig.client.request(method.clone(), format!("{}{path}", rig.mesos)), |p| {
                    request.basic_auth("op", Some(p))
                })
            };
            for wrong in [None, Some("wrong")] {
                let answer = asked(wrong).send().await.unwrap();
                let realm = answer.headers().get("www-authenticate").map(|r| r.to_str().unwrap().to_owned());
                let got = Got::of(answer).await;
                assert_eq!((got.0, got.1.as_str(), got.text()), (401, TEXT, "401 Unauthorized."), "{method} {path}");
                assert!(realm.unwrap().starts_with("Basic realm=\"mesos-"), "{method} {path}");
            }
            assert_ne!(asked(Some("s3cret")).send().await.unwrap().status(), 401, "{method} {path}");
        }
    }
    let answer = rig.client.get(format!("{}/state", rig.mesos)).send().await.unwrap();
    assert_eq!(answer.headers()["www-authenticate"], "Basic realm=\"mesos-master-readonly\"");
    let answer = rig.client.post(format!("{}/api/v1", rig.mesos)).send().await.unwrap();
    assert_eq!(answer.headers()["www-authenticate"], "Basic realm=\"mesos-master-readwrite\"");
    // Whether it lives, anybody may ask.
    for path in ["/health", "/master/health", "/slave(1)/health"] {
        assert_eq!(get(&rig, path, &[]).await.0, 200, "{path}");
    }
}
