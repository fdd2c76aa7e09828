//! The promise that everything else rests on: members come and go, the structure
//! changes, and no visitor notices.

use crate::world::{Client, DEADLINE, Origin, World, service};
use padis_domain::ports::{Balancer, MemberState, Service};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

#[derive(Default)]
struct Score {
    good: AtomicU64,
    bad: std::sync::Mutex<Vec<String>>,
    stop: AtomicBool,
}

/// One visitor who never pauses; every other one opens a connection for each request.
async fn hammer(to: std::net::SocketAddr, keep_alive: bool, score: Arc<Score>) {
    let mut client = Client::new(to);
    while !score.stop.load(Ordering::SeqCst) {
        match client.get("s.padis.localhost", "/").await {
            Ok(answer) if answer.status == 200 => drop(score.good.fetch_add(1, Ordering::SeqCst)),
            other => {
                score.bad.lock().unwrap().push(format!("{:?}", other.map(|a| a.status)));
                client = Client::new(to);
            }
        }
        if !keep_alive {
            client = Client::new(to);
        }
    }
}

/// Drain, wait until empty, remove: what the reconciler does on scale-in.
async fn retire(w: &World, origin: &Origin) {
    w.balancer.put_member("s", &origin.member(MemberState::Drain)).await.unwrap();
    w.until_member("s", &origin.name, "drained", |m| m.sessions == 0).await;
    w.balancer.delete_member("s", &origin.name).await.unwrap();
    origin.kill();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_request_is_lost_while_everything_changes() {
    let w = World::new().await;
    w.balancer.put_service(&service("s")).await.unwrap();
    let mut present = vec![Origin::new("i-0", "127.0.0.2", "ok").await];
    w.balancer.put_member("s", &present[0].member(MemberState::Ready)).await.unwrap();
    let score = Arc::new(Score::default());
    let visitors: Vec<_> = (0..4).map(|n| tokio::spawn(hammer(w.listen, n % 2 == 0, score.clone()))).collect();
    let begun = Instant::now();
    let mut reloads = 0;
    for round in 1..=12u32 {
        // A new release: two new members in, all former ones out.
        let mut fresh = Vec::new();
        for n in 0..2 {
            let origin = Origin::new(&format!("i-{round}-{n}"), "127.0.0.3", "ok").await;
            w.balancer.put_member("s", &origin.member(MemberState::Ready)).await.unwrap();
            fresh.push(origin);
        }
        // Structure: another service, and another health rule for this one.
        w.balancer.put_service(&service(&format!("other-{round}"))).await.unwrap();
        w.balancer.put_service(&Service { interval_ms: 200 + round, ..service("s") }).await.unwrap();
        reloads += 2;
        for origin in &present {
            retire(&w, origin).await;
        }
        present = fresh;
        // Every visitor must have got through since.
        let at = score.good.load(Ordering::SeqCst);
        let end = Instant::now() + DEADLINE;
        while score.good.load(Ordering::SeqCst) < at + 200 {
            assert!(Instant::now() < end, "requests stand still");
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    }
    score.stop.store(true, Ordering::SeqCst);
    for visitor in visitors {
        visitor.await.unwrap();
    }
    let good = score.good.load(Ordering::SeqCst);
    let bad = score.bad.lock().unwrap().clone();
    println!(
        "{good} requests, {} failed, {reloads} reloads, 24 members in and out, {} ms",
        bad.len(),
        begun.elapsed().as_millis()
    );
    assert!(bad.is_empty(), "{} of {good} failed: {:?}", bad.len(), &bad[..bad.len().min(5)]);
    let seen = w.seen("s").await;
    assert_eq!(seen.failed, 0, "{seen:?}");
}
