//! The portal's clock jumps by an hour, forwards and back, while it runs: work goes
//! on, nothing is killed for it, people stay signed in.
//!
//! The clock is Debian's `faketime`, its shift read from a file at every look, for
//! the wall clock alone: the steady one does not jump on a real machine either.

use super::Outcome;
use crate::portal::Portal;
use crate::world::{allocated, containers, docker, docker_socket, exactly, held, scale, small_site, test};
use std::path::{Path, PathBuf};

const LIBRARY: &str = "/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1";
const HOUR_MS: i64 = 3_600_000;

struct Clock(PathBuf);

impl Clock {
    fn at(folder: &Path) -> Outcome<Self> {
        assert!(Path::new(LIBRARY).exists(), "this test needs Debian's package faketime");
        let it = Self(folder.with_extension("clock"));
        it.set(0)?;
        Ok(it)
    }

    /// So many seconds from the real time.
    fn set(&self, seconds: i64) -> Outcome<()> {
        let fresh = self.0.with_extension("new");
        std::fs::write(&fresh, format!("{seconds:+}\n"))?;
        Ok(std::fs::rename(fresh, &self.0)?)
    }

    fn environment(&self) -> [(&'static str, String); 4] {
        [
            ("LD_PRELOAD", LIBRARY.to_owned()),
            ("FAKETIME_TIMESTAMP_FILE", self.0.display().to_string()),
            ("FAKETIME_NO_CACHE", "1".to_owned()),
            ("FAKETIME_DONT_FAKE_MONOTONIC", "1".to_owned()),
        ]
    }

    /// Sets the clock and waits until the portal's pages show it.
    async fn jump(&self, p: &Portal, seconds: i64) -> Outcome<()> {
        self.set(seconds)?;
        p.until("the portal's clock has jumped", 20, async |p| {
            let shown = p.ask("addresses?pool=sf-dev").await?["now"].as_i64().ok_or("no time")?;
            let real = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH)?;
            Ok((shown - i64::try_from(real.as_millis())? - seconds * 1000).abs() < HOUR_MS / 60)
        })
        .await
    }
}

/// What must not change by a jump alone.
async fn standing(p: &Portal, name: &str) -> Outcome<(Vec<String>, (usize, usize, usize))> {
    Ok((containers(name).await?.into_iter().collect(), held(p, name).await?))
}

/// A bit of everything: more, a death, fewer, a new application and its end.
async fn work(p: &Portal, package: &str, round: u32) -> Outcome<()> {
    let socket = docker_socket();
    scale(p, "steady", 3).await?;
    exactly(p, &socket, "steady", 3, 40).await?;
    let victim = containers("steady").await?.into_iter().next().ok_or("a container")?;
    docker(&socket, &["kill", &victim]).await?;
    p.until("it is replaced", 40, async |_| {
        let now = containers("steady").await?;
        Ok(now.len() == 3 && !now.contains(&victim))
    })
    .await?;
    exactly(p, &socket, "steady", 3, 40).await?;
    let fresh = format!("fresh{round}");
    p.go_online(&fresh, package, 1).await?;
    exactly(p, &socket, &fresh, 1, 40).await?;
    scale(p, "steady", 2).await?;
    exactly(p, &socket, "steady", 2, 40).await?;
    p.delete(&fresh).await
}

/// A request that takes its time is under way on the instance that is to go while
/// the clock jumps: it is neither cut off nor waited for an hour.
async fn settles(p: &Portal, clock: &Clock, by: i64) -> Outcome<()> {
    let before = standing(p, "steady").await?;
    scale(p, "steady", 1).await?;
    clock.set(by)?;
    exactly(p, &docker_socket(), "steady", 1, 40).await?;
    scale(p, "steady", 2).await?;
    exactly(p, &docker_socket(), "steady", 2, 40).await?;
    assert_eq!(before.1, standing(p, "steady").await?.1);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clock_that_jumps_stops_nothing_and_kills_nothing() {
    test("clock", async |place| {
        let clock = Clock::at(&place.data)?;
        let mut p = Portal::launch_with(place, &clock.environment()).await?;
        p.furnish(place).await?;
        let package = small_site(&p).await?;
        p.go_online("steady", &package, 2).await?;
        exactly(&p, &docker_socket(), "steady", 2, 60).await?;

        for (round, seconds) in [(0, 3_600), (1, 0), (2, -3_600), (3, 0)] {
            let before = standing(&p, "steady").await?;
            clock.jump(&p, seconds).await?;
            assert!(p.answers("steady").await, "the application answers");
            assert_eq!(standing(&p, "steady").await?, before, "nothing is killed because the clock says so");
            work(&p, &package, round).await.map_err(|e| format!("the clock at {seconds:+} s: {e}"))?;
            assert!(p.ask("me").await.is_ok(), "still signed in");
        }
        // In the middle of it.
        settles(&p, &clock, 3_600).await?;
        settles(&p, &clock, 0).await?;
        p.sign_in().await?;
        // A clock that was ahead leaves rows behind that a fresh process must not wait for.
        clock.jump(&p, 3_600).await?;
        scale(&p, "steady", 3).await?;
        p.child.kill().await?;
        clock.set(0)?;
        let mut p = Portal::launch_with(place, &clock.environment()).await?;
        p.sign_in().await?;
        exactly(&p, &docker_socket(), "steady", 3, 40).await?;
        p.delete("steady").await?;
        p.until(
            "nothing is left",
            40,
            async |p| Ok(containers("steady").await?.is_empty() && allocated(p).await? == 0),
        )
        .await?;
        p.stop().await;
        Ok(())
    })
    .await;
}
