//! Two portals on one PostgreSQL: both serve, work is done once, and when one is
//! killed the other goes on.
//!
//! Each replica has a data folder of its own; packages and logs lie on shared
//! storage, here a link into the first one's folder. Name server and HAProxy are
//! each replica's own, as long as they are the embedded ones.

use super::Outcome;
use crate::portal::{Place, Portal};
use crate::support::postgres_url;
use crate::world::{
    allocated, containers, docker, docker_socket, engine, exactly, is_gone, make_pool, place, scale, small_site, test,
};
use padis_server::store::Store;

fn settings(first: &Place, database: &str) -> Vec<(&'static str, String)> {
    let at = |n: usize| format!("http://127.0.0.1:{}", first.ports[n]);
    vec![
        ("PADIS_DATABASE_URL", database.to_owned()),
        ("PADIS_ENGINE_ENABLED", "false".into()),
        ("PADIS_MARATHON_URLS", at(1)),
        ("PADIS_MESOS_URLS", at(2)),
        ("PADIS_RECONCILE_SWEEP_S", "2".into()),
    ]
}

async fn second(first: &Place, database: &str) -> Outcome<(Place, Portal)> {
    let here = place("second");
    std::fs::create_dir_all(&here.data)?;
    for shared in ["packages", "logs"] {
        std::fs::create_dir_all(first.data.join(shared))?;
        std::os::unix::fs::symlink(first.data.join(shared), here.data.join(shared))?;
    }
    // One registry for both; the ports of the second one's own are its own.
    let here = Place { ports: [here.ports[0], 0, 0, first.ports[3], here.ports[4], here.ports[5]], ..here };
    let mut more = settings(first, database);
    more.push(("PADIS_REGISTRY_CHILD", "false".into()));
    more.push(("PADIS_REGISTRY_URL", format!("http://127.0.0.1:{}", first.ports[3])));
    let mut p = Portal::launch_with(&here, &more).await?;
    p.sign_in().await?;
    Ok((here, p))
}

async fn count(store: &Store, sql: &str) -> Outcome<i64> {
    Ok(sqlx::query_scalar(sql).fetch_one(store.read()).await?)
}

#[tokio::test(flavor = "multi_thread")]
async fn two_replicas_share_the_work_and_one_goes_on_alone() {
    test("first", async |place| {
        let database = tokio::task::spawn_blocking(postgres_url).await?;
        let mut engine = engine(place)?;
        let mut a = Portal::launch_with(place, &settings(place, &database)).await?;
        a.furnish(place).await?;
        make_pool(&a, "stage=dev", "10.210.16").await?;
        let (there, b) = second(place, &database).await?;
        let store = Store::open(&database).await?;
        let socket = docker_socket();
        let package = small_site(&a).await?;

        // Asked here and there, at once; seen here and there.
        let names = ["one", "two", "three", "four"];
        for (n, name) in names.into_iter().enumerate() {
            let asked = if n % 2 == 0 { &a } else { &b };
            asked.go_online(name, &package, 2).await?;
        }
        for name in names {
            for p in [&a, &b] {
                exactly(p, &socket, name, 2, 60).await?;
            }
        }
        for (what, wanted) in [("delivery.online", 4), ("instance.well", 8), ("instance.started", 8)] {
            let n = count(&store, &format!("SELECT COUNT(*) FROM journal WHERE what = '{what}'")).await?;
            assert_eq!(n, wanted, "{what}: told once for each");
        }
        let workers = count(&store, "SELECT COUNT(DISTINCT account) FROM session").await?;
        assert_eq!(workers, 1, "one administrator, known to both");

        // One is gone without a word.
        a.child.kill().await?;
        let victim = containers("one").await?.into_iter().next().ok_or("a container")?;
        docker(&socket, &["kill", &victim]).await?;
        scale(&b, "two", 3).await?;
        b.go_online("five", &package, 1).await?;
        for (name, n) in [("one", 2), ("two", 3), ("three", 2), ("four", 2), ("five", 1)] {
            exactly(&b, &socket, name, n, 90).await?;
        }
        assert!(!containers("one").await?.contains(&victim));

        // It comes back, and serves again.
        let mut a = Portal::launch_with(place, &settings(place, &database)).await?;
        a.sign_in().await?;
        a.until("the first one serves again", 60, async |p| {
            Ok(p.app("five").await?["state"] == "online" && p.answers("five").await && p.answers("one").await)
        })
        .await?;
        for name in ["one", "two", "three", "four", "five"] {
            a.delete(name).await?;
            assert!(is_gone(&b, name).await, "{name} is gone for both");
        }
        b.until("nothing is left", 60, async |p| Ok(allocated(p).await? == 0)).await?;
        for p in [&a, &b] {
            p.until("no balancer serves it", 30, async |p| Ok(!p.answers("one").await)).await?;
        }
        store.close().await;
        for p in [a, b] {
            p.stop().await;
        }
        std::fs::remove_dir_all(&there.data)?;
        engine.kill().await?;
        Ok(())
    })
    .await;
}
