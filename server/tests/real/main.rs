//! The whole product with real components, broken on purpose: `padis serve` as a
//! process, the Docker Engine, the registry, HAProxy and the name server.
//!
//! Each test starts a portal of its own and none runs beside another: they share
//! the laboratory's Docker Engine and the pools' subnets. One could get it wrong by
//! sleeping until it "should" be over; every wait here is for a condition.
#![expect(clippy::expect_used, reason = "a test says what it expected")]

#[path = "../../examples/figures/portal.rs"]
#[expect(dead_code, reason = "the bench uses more of it")]
mod portal;

#[path = "../support/mod.rs"]
#[expect(dead_code, reason = "the store's tests use more of it")]
mod support;

mod clock;
mod collect;
mod disk;
mod docker;
mod kill;
mod names;
mod registry;
mod replicas;
mod settings;
#[path = "../../drivers/tests/registry/world.rs"]
#[expect(dead_code, reason = "other suites use more of it")]
mod shelf;
mod silence;
mod world;

type Outcome<T> = Result<T, Box<dyn std::error::Error + Send + Sync>>;
