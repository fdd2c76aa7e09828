//! SIGKILL at several moments of a delivery: after the restart everything
//! converges, nothing is left behind and nothing is there twice.

use super::Outcome;
use crate::portal::Portal;
use crate::world::{allocated, children, containers, held, signal, small_site, test};
use std::time::Duration;

#[tokio::test(flavor = "multi_thread")]
async fn sigkill_at_any_moment_of_a_delivery_leaks_nothing_and_doubles_nothing() {
    test("kill", async |place| {
        let mut p = Portal::start(place).await?;
        let package = small_site(&p).await?;
        for (k, after_ms) in [0u64, 20, 120, 250, 400, 700, 1_000].into_iter().enumerate() {
            let name = format!("kill{k}");
            p.go_online(&name, &package, 2).await?;
            // Not a wait for anything: the moment of the kill is what is varied.
            tokio::time::sleep(Duration::from_millis(after_ms)).await;
            p.child.kill().await?;
            p = Portal::launch(place).await?;
            p.sign_in().await?;
            converged(&p, &name).await.map_err(|e| format!("killed after {after_ms} ms: {e}"))?;
        }
        // HAProxy is killed: it comes back with its members by itself.
        let killed = children(&p, "haproxy").await?;
        assert!(!killed.is_empty(), "no HAProxy below the portal");
        for pid in killed {
            signal(&pid, "KILL").await?;
        }
        p.until("HAProxy is back with its members", 30, async |p| Ok(p.answers("kill0").await)).await?;

        for k in 0..7 {
            p.delete(&format!("kill{k}")).await?;
        }
        p.until("no container is left", 30, async |_| {
            for k in 0..7 {
                if !containers(&format!("kill{k}")).await?.is_empty() {
                    return Ok(false);
                }
            }
            Ok(true)
        })
        .await?;
        assert_eq!(allocated(&p).await?, 0, "addresses are left");
        p.stop().await;
        Ok(())
    })
    .await;
}

async fn converged(p: &Portal, name: &str) -> Outcome<()> {
    p.until("online after the restart", 60, async |p| {
        Ok(p.app(name).await?["state"] == "online" && p.answers(name).await)
    })
    .await?;
    p.until("exactly two of everything", 20, async |p| {
        Ok(containers(name).await?.len() == 2 && held(p, name).await? == (2, 2, 2))
    })
    .await
}
