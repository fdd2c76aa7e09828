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
