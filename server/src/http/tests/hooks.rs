use super::*;
use crate::images::{Place, Registries};
use padis_drivers::fake::{FakeRegistry, FakeTransfer};
use std::time::Duration;

fn registries() -> Arc<Registries> {
    let place = |name: &str, token: Option<&str>| Place {
        rules: crate::images::Rules::default(),
        name: name.into(),
        place: name.into(),
        stage: None,
        takes: true,
        token: token.map(str::to_owned),
        client: Arc::new(FakeRegistry::new()),
    };
    let all = vec![place("own", Some("a-token")), place("mute", None)];
    Arc::new(Registries::new(all, Arc::new(FakeTransfer::new(Default::default())), Duration::from_secs(600)))
}

#[tokio::test]
async fn a_registry_that_shows_its_token_is_looked_at_and_nobody_else() {
    let registries = registries();
    let w = world_of(&[], registries.clone()).await;
    let tell = async |name: &str, token: &str, body: &str| {
        let headers =
            [("authorization", token), ("content-type", "application/vnd.docker.distribution.events.v1+json")];
        let path = format!("/hooks/registries/{name}");
        w.send(request(Method::POST, &path, "", &headers, Body::from(body.to_owned()))).await.status
    };
    let event = |action: &str, repository: &str| {
        format!(r#"{{"events":[{{"action":"{action}","target":{{"repository":"{repository}","tag":"1"}}}}]}}"#)
    };
    let push = event("push", "a/b");
    for (name, token) in [
        ("own", "Bearer another"),
        ("own", "a-token"),
        ("own", ""),
        ("mute", "Bearer "),
        ("mute", "Bearer a-token"),
        ("nobody", "Bearer a-token"),
    ] {
        assert_eq!(tell(name, token, &push).await, StatusCode::UNAUTHORIZED, "{name} {token}");
    }
    assert!(registries.waiting().is_empty());
    assert_eq!(tell("own", "Bearer a-token", "{").await, StatusCode::BAD_REQUEST);
    assert_eq!(tell("own", "Bearer a-token", &event("pull", "a/b")).await, StatusCode::ACCEPTED);
    assert!(registries.waiting().is_empty(), "a pull changes nothing");
    for body in [push.as_str(), &event("delete", "c")] {
        assert_eq!(tell("own", "Bearer a-token", body).await, StatusCode::ACCEPTED);
    }
    let one = |repository: &str| ("own".to_owned(), repository.to_owned());
    assert_eq!(registries.waiting(), [one("a/b"), one("c")]);
    let huge = format!("{{\"events\":[],\"x\":\"{}\"}}", "y".repeat(2 << 20));
    assert_eq!(tell("own", "Bearer a-token", &huge).await, StatusCode::PAYLOAD_TOO_LARGE);
}
