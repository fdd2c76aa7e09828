//! The registry dies and freezes: the supervisor brings it back, and a delivery
//! that needs it meanwhile says so and then goes on.

use super::Outcome;
use crate::portal::Portal;
use crate::world::{children, docker, docker_socket, exactly, rail, signal, small_site, system, test};

const PROGRAM: &str = "docker-registry";

/// The registry's one process, once it is there.
async fn pid(p: &Portal) -> Outcome<String> {
    let mut found = Vec::new();
    p.until("a registry below the portal", 30, async |p| {
        found = children(p, PROGRAM).await?;
        Ok(found.len() == 1)
    })
    .await?;
    found.pop().ok_or_else(|| "no registry".into())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_registry_that_dies_or_freezes_delays_and_loses_nothing() {
    test("registry", async |place| {
        let p = Portal::start(place).await?;
        let package = small_site(&p).await?;
        // One delivery tells which image it is; without a copy on the host the next needs the registry.
        p.go_online("before", &package, 1).await?;
        exactly(&p, &docker_socket(), "before", 1, 60).await?;
        let image = p.app("before").await?["spec"]["image"].as_str().unwrap_or_default().to_owned();
        p.delete("before").await?;
        docker(&docker_socket(), &["rmi", "-f", &image]).await?;

        // Killed each time it comes back; the supervisor waits longer each time, and goes on.
        let first = pid(&p).await?;
        signal(&first, "KILL").await?;
        p.go_online("during", &package, 1).await?;
        let (mut killed, mut said) = (1, String::new());
        p.until("the rail says that the registry does not answer", 60, async |p| {
            for pid in children(p, PROGRAM).await? {
                signal(&pid, "KILL").await?;
                killed += 1;
            }
            said = rail(p, "during", 1).await?;
            Ok(said.contains("unavailable") && said.contains("registry"))
        })
        .await
        .map_err(|e| format!("{e}: {said}"))?;
        assert!(!said.contains("crashes"), "an image that can't be had is no crash: {said}");
        assert_eq!(p.app("during").await?["well"].as_u64().unwrap_or(0), 0);
        exactly(&p, &docker_socket(), "during", 1, 90).await?;
        let log = std::fs::read_to_string(place.data.with_extension("log"))?;
        assert!(killed >= 1 && log.contains("child.attempt=1"), "no back-off in the log");

        // Frozen: it exists and does not answer.
        let frozen = pid(&p).await?;
        signal(&frozen, "STOP").await?;
        p.until("the systems page says so", 30, async |p| Ok(system(p, "registry").await?["up"] == false)).await?;
        p.until("another one runs", 60, async |p| Ok(children(p, PROGRAM).await?.iter().any(|now| *now != frozen)))
            .await?;
        p.until("and answers", 30, async |p| Ok(system(p, "registry").await?["up"] == true)).await?;
        assert!(p.answers("during").await, "what runs does not need the registry");
        p.delete("during").await?;
        p.stop().await;
        Ok(())
    })
    .await;
}
