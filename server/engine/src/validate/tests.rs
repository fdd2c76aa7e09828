use super::*;
use serde_json::json;

fn typed(value: &Value) -> Result<(), Invalid> {
    types(value.as_object().unwrap())
}

fn valid(value: Value) -> Result<(), Invalid> {
    let mut base = json!({"id": "/a", "container": {"docker": {"image": "x"}}});
    base.as_object_mut().unwrap().extend(value.as_object().unwrap().clone());
    definition(&serde_json::from_value(base).unwrap(), Can { bare: false, mesos: false })
}

fn valid_on_mesos(value: Value) -> Result<(), Invalid> {
    let mut base = json!({"id": "/a", "cmd": "x"});
    base.as_object_mut().unwrap().extend(value.as_object().unwrap().clone());
    definition(&serde_json::from_value(base).unwrap(), Can { bare: true, mesos: true })
}

fn at(path: &str, error: &str) -> Vec<ErrorDetail> {
    vec![ErrorDetail { path: path.to_owned(), errors: vec![error.to_owned()] }]
}

#[test]
fn wrong_types_are_named_by_path() {
    assert_eq!(typed(&json!({"id": 7})), Err(Invalid::Json(at("/id", "error.expected.jsstring"))));
    assert_eq!(typed(&json!({"instances": "3"})), Err(Invalid::Json(at("/instances", "error.expected.jsnumber"))));
    assert_eq!(typed(&json!({"instances": 1.5})), Err(Invalid::Json(at("/instances", "error.expected.int"))));
    assert_eq!(typed(&json!({"instances": -1})), Err(Invalid::Object(at("/instances", "error.min"))));
    assert_eq!(
        typed(&json!({"container": {"portMappings": [{"containerPort": 70000}]}})),
        Err(Invalid::Object(at("/container/portMappings(0)/containerPort", "error.max")))
    );
    assert_eq!(
        typed(&json!({"unreachableStrategy": "never"})),
        Err(Invalid::Json(at("/unreachableStrategy", "error.unknown.enum.literal")))
    );
    assert_eq!(typed(&json!({"unreachableStrategy": "disabled"})), Ok(()));
    assert_eq!(
        typed(&json!({"uris": ["http://x/a"], "fetch": [{"uri": "http://x/a"}]})),
        Err(Invalid::Object(at("/uris", "may not be set in conjunction with fetch")))
    );
    assert_eq!(typed(&json!({"labels": {"a": 1}})), Err(Invalid::Json(at("/labels(a)", "error.expected.jsstring"))));
    assert_eq!(typed(&json!({"env": {"A": "b", "C": {"secret": "d"}}, "instances": 3.0, "cmd": null})), Ok(()));
}

#[test]
fn nonsense_is_named_by_path() {
    assert_eq!(valid(json!({})), Ok(()));
    assert_eq!(
        valid(json!({"upgradeStrategy": {"minimumHealthCapacity": 1.5}})),
        Err(Invalid::Object(at("/upgradeStrategy/minimumHealthCapacity", "is greater than 1")))
    );
    for (value, path) in [
        (json!({"id": "/A"}), "/id"),
        (json!({"id": "/a/tasks"}), "/id"),
        (json!({"cmd": "x", "args": ["y"]}), "/"),
        (json!({"container": null}), "/"),
        (json!({"container": null, "cmd": "x"}), "/container/docker/image"),
        (json!({"mem": 1}), "/mem"),
        (json!({"fetch": [{"uri": "http://x/a"}, {"uri": "hdfs://x/a"}]}), "/fetch(1)/uri"),
        (json!({"fetch": [{"uri": "http://x/a", "destPath": "../a"}]}), "/fetch(0)/uri"),
        (json!({"readinessChecks": [{"portName": "none"}]}), "/readinessChecks(0)/portName"),
        (
            json!({"portDefinitions": [{"port": 0, "name": "http-api"}], "readinessChecks": [{"intervalSeconds": 5}]}),
            "/readinessChecks(0)/timeoutSeconds",
        ),
        (
            json!({"unreachableStrategy": {"inactiveAfterSeconds": 5, "expungeAfterSeconds": 3}}),
            "/unreachableStrategy/inactiveAfterSeconds",
        ),
        (
            json!({"container": {"docker": {"image": "x"}, "volumes": [{"containerPath": "d", "persistent": {"size": 9}}]}}),
            "/container/volumes(0)/persistent",
        ),
        (
            json!({"container": {"docker": {"image": "x"}, "volumes": [{"containerPath": "/d", "external": {"name": "v"}}]}}),
            "/container/volumes(0)/external/provider",
        ),
        (json!({"acceptedResourceRoles": ["gpu"]}), "/acceptedResourceRoles"),
        (json!({"cpus": 0}), "/cpus"),
        (json!({"constraints": [["hostname", "NEAR"]]}), "/constraints(0)"),
        (json!({"networks": [{"mode": "container"}]}), "/networks(0)/name"),
        (json!({"healthChecks": [{"protocol": "TCP", "portIndex": 4}]}), "/healthChecks(0)/portIndex"),
        (json!({"healthChecks": [{"protocol": "COMMAND"}]}), "/healthChecks(0)/command"),
        (
            json!({"container": {"docker": {"image": "x", "parameters": [{"key": "pid", "value": "host"}]}}}),
            "/container/docker/parameters(0)",
        ),
        (
            json!({"container": {"docker": {"image": "x"}, "volumes": [{"containerPath": "/d", "hostPath": "d"}]}}),
            "/container/volumes(0)/hostPath",
        ),
    ] {
        let Err(Invalid::Object(details)) = valid(value.clone()) else { panic!("{value} passed") };
        assert_eq!(details.first().unwrap().path, path, "{value}");
    }
}

#[test]
fn on_mesos_an_external_volume_has_a_driver_and_docker_takes_nothing_else_of_it() {
    let app = |kind: &str, external: Value, more: Value| {
        let mut app =
            json!({"container": {"type": kind, "volumes": [{"containerPath": "data", "external": external}]}});
        if kind == "DOCKER" {
            app["container"]["docker"] = json!({"image": "i"});
        }
        app.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        valid_on_mesos(app)
    };
    let rexray = |more: Value| {
        let mut external = json!({"name": "v", "provider": "dvdi", "options": {"dvdi/driver": "rexray"}});
        external.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        external
    };
    assert_eq!(app("DOCKER", rexray(json!({})), json!({})), Ok(()));
    let iops = json!({"size": 100, "options": {"dvdi/driver": "rexray", "dvdi/iops": "200"}});
    assert_eq!(app("MESOS", rexray(iops.clone()), json!({})), Ok(()));
    let path = "/container/volumes(0)/external";
    let Err(Invalid::Object(wrong)) = app("DOCKER", rexray(iops), json!({})) else { panic!("accepted") };
    assert_eq!(
        wrong.iter().map(|w| w.path.clone()).collect::<Vec<_>>(),
        [format!("{path}/options"), format!("{path}/size")]
    );
    let none = app("MESOS", rexray(json!({"options": {}})), json!({}));
    assert_eq!(none, Err(Invalid::Object(at(&format!("{path}/options"), "must contain dvdi/driver"))));
    let two = json!({"instances": 2});
    let limited = "Number of instances is limited to 1 when declaring DVDI volumes in app [/a]";
    assert_eq!(app("MESOS", rexray(json!({})), two.clone()), Err(Invalid::Object(at("/instances", limited))));
    assert_eq!(app("MESOS", rexray(json!({"shared": true})), two), Ok(()));
    let others = json!({"container": {"type": "DOCKER", "docker": {"image": "i"}, "volumes": [
        {"containerPath": "/a", "external": rexray(json!({}))},
        {"containerPath": "/b", "external": rexray(json!({"name": "w", "options": {"dvdi/driver": "local"}}))}]}});
    let one = "Docker takes one volume driver for a container";
    let second = at("/container/volumes(1)/external/options", one);
    assert_eq!(valid_on_mesos(others), Err(Invalid::Object(second)));
}

#[test]
fn on_mesos_a_parameter_is_any_option_of_docker_run() {
    let app = json!({"container": {"type": "DOCKER", "docker": {"image": "i", "parameters": [{"key": "gpus", "value": "all"}]}}});
    assert_eq!(valid_on_mesos(app.clone()), Ok(()));
    assert!(valid(app).is_err(), "the built-in engine tells Docker itself, and does not know this word");
}
