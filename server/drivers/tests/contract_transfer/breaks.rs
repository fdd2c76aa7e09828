//! Connections that break, and copies that are stopped.

use super::proxy::{self, Does, Plan, Way};
use super::world::{Server, config, noise, sha256};
use super::{Real, Told, World, copy, ends};
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{Method, StatusCode};
use axum::response::{IntoResponse, Response};
use futures::StreamExt;
use padis_domain::ports::{CopyStep, PortError, Registry, Transfer};
use padis_drivers::registry::{RegistryClient, RegistryConfig, Transfers};
use std::collections::{BTreeMap, HashMap};
use std::net::SocketAddr;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex};
use std::time::Duration;

const MIB: usize = 1024 * 1024;

fn plan(does: Does, way: Way, after: usize, times: u64) -> Plan {
    Plan { does, way, after: after as u64, times, no_ranges: false }
}

#[tokio::test]
async fn a_source_that_breaks_is_asked_for_the_rest_only() {
    for no_ranges in [false, true] {
        let (one, two) = tokio::join!(Server::start(), Server::start());
        let cut = Plan { no_ranges, ..plan(Does::Cut, Way::Down, 8 * MIB, 2) };
        let between = proxy::before(one.address, cut).await;
        let target = two.address;
        let real = Real::by_way_of(one, between.address, two, target);
        let digest = real.push("a", "1", &[noise(1, 20 * MIB)]).await;
        let (done, told) = copy(&real.transfer, &ends("one/a", &digest, "two/a", "1")).await;
        done.unwrap();
        assert_eq!((told.counts(), between.left.load(Ordering::Relaxed)), ([0, 0, 2], 0));
        assert!(real.second.has("a", &digest).await.unwrap());
        let passed = between.down.load(Ordering::Relaxed) as usize / MIB;
        // Cut twice: 8 + 8 + 4 MiB with ranges; without, the first 8 come again and again.
        assert!(if no_ranges { passed >= 28 } else { (20..22).contains(&passed) }, "{passed} MiB were read");
    }
}

#[tokio::test]
async fn what_is_at_the_target_is_not_sent_again_when_it_breaks() {
    let (one, two) = tokio::join!(Server::start(), Server::start());
    let (source, target) = (one.address, two.address);
    // Whatever flows when it is cut begins anew: Distribution 2.8 drops an upload that broke.
    let between = proxy::before(target, plan(Does::Cut, Way::Up, 10 * MIB, 2)).await;
    let real = Real::by_way_of(one, source, two, between.address);
    let layers: Vec<_> = (1..=6).map(|n| noise(n, 4 * MIB)).chain([noise(9, 12 * MIB)]).collect();
    let digest = real.push("a", "1", &layers).await;
    let (done, told) = copy(&real.transfer, &ends("one/a", &digest, "two/a", "1")).await;
    done.unwrap();
    assert_eq!((told.counts(), between.left.load(Ordering::Relaxed)), ([0, 0, 8], 0));
    let passed = between.up.load(Ordering::Relaxed) as usize / MIB;
    assert!((36..2 * 36).contains(&passed), "{passed} of 36 MiB were sent");
}

/// A target that keeps what has come, as the specification wants it: uploads by number.
#[derive(Default)]
struct Keeper {
    uploads: Mutex<HashMap<String, Vec<u8>>>,
    kept: Mutex<HashMap<String, Vec<u8>>>,
    lines: Mutex<Vec<String>>,
}

async fn keeper() -> (SocketAddr, Arc<Keeper>) {
    let keeper = Arc::new(Keeper::default());
    let app = axum::Router::new().fallback(keep).with_state(Arc::clone(&keeper));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
    (address, keeper)
}

async fn keep(State(keeper): State<Arc<Keeper>>, request: Request) -> Response {
    let (path, query) = (request.uri().path().to_owned(), request.uri().query().unwrap_or_default().to_owned());
    let range = request.headers().get("content-range").map(|r| r.to_str().unwrap().to_owned());
    let upload = path.contains("/uploads/");
    let name = path.rsplit('/').next().unwrap().to_owned();
    let method = request.method().clone();
    if upload {
        keeper.lines.lock().unwrap().push(format!("{method} {}", range.clone().unwrap_or_default()));
    }
    let place = |keeper: &Keeper, name: &str, status: StatusCode| {
        let had = keeper.uploads.lock().unwrap()[name].len();
        let range = format!("0-{}", had.saturating_sub(1));
        (status, [("location", format!("/v2/a/blobs/uploads/{name}")), ("range", range)]).into_response()
    };
    match method {
        Method::POST => {
            let name = keeper.uploads.lock().unwrap().len().to_string();
            keeper.uploads.lock().unwrap().insert(name.clone(), Vec::new());
            place(&keeper, &name, StatusCode::ACCEPTED)
        }
        Method::PATCH => {
            let had = keeper.uploads.lock().unwrap()[&name].len();
            let begins = range.map_or(0, |r| r.split_once('-').unwrap().0.parse().unwrap());
            if begins != had {
                return StatusCode::RANGE_NOT_SATISFIABLE.into_response();
            }
            let mut body = request.into_body().into_data_stream();
            // What came before a break stays.
            while let Some(Ok(piece)) = body.next().await {
                keeper.uploads.lock().unwrap().get_mut(&name).unwrap().extend_from_slice(&piece);
            }
            place(&keeper, &name, StatusCode::ACCEPTED)
        }
        Method::GET if upload => place(&keeper, &name, StatusCode::NO_CONTENT),
        Method::PUT => {
            let digest = query.rsplit("digest=").next().unwrap().replace("%3A", ":");
            let rest = axum::body::to_bytes(request.into_body(), 64 * MIB).await.unwrap();
            let mut bytes = keeper.uploads.lock().unwrap().remove(&name).unwrap_or_default();
            bytes.extend_from_slice(&rest);
            assert!(!upload || sha256(&bytes) == digest, "other bytes than {digest}");
            keeper.kept.lock().unwrap().insert(if upload { digest } else { name }, bytes);
            StatusCode::CREATED.into_response()
        }
        _ => match keeper.kept.lock().unwrap().get(&name) {
            Some(bytes) => Body::from(bytes.clone()).into_response(),
            None => StatusCode::NOT_FOUND.into_response(),
        },
    }
}

#[tokio::test]
async fn an_upload_that_breaks_goes_on_where_the_target_is() {
    let one = Server::start().await;
    let (address, keeper) = keeper().await;
    let between = proxy::before(address, plan(Does::Cut, Way::Up, 9 * MIB, 2)).await;
    let client = RegistryClient::new(&RegistryConfig::at(&between.address.to_string())).unwrap();
    let both = [("one".to_owned(), Arc::new(one.client())), ("two".to_owned(), Arc::new(client))];
    let transfer = Transfers::new(BTreeMap::from(both));
    let layer = noise(1, 24 * MIB);
    let digest = one.pusher().made("a", "1", &config(&BTreeMap::new()), vec![layer.clone()]).await;
    let (done, told) = copy(&transfer, &ends("one/a", &digest, "two/a", "1")).await;
    done.unwrap();
    assert_eq!((told.counts(), between.left.load(Ordering::Relaxed)), ([0, 0, 2], 0));
    assert!(keeper.kept.lock().unwrap()[&sha256(&layer)] == layer);
    assert_eq!(sha256(&keeper.kept.lock().unwrap()["1"]), digest);
    let lines = keeper.lines.lock().unwrap().clone();
    let resumed = lines.iter().filter(|l| l.starts_with("PATCH ") && l.ends_with(&format!("-{}", layer.len() - 1)));
    assert_eq!(resumed.count(), 2, "{lines:?}");
    let passed = between.up.load(Ordering::Relaxed) as usize;
    // What was on its way when it was cut is sent again, a few socket buffers.
    assert!(passed < 28 * MIB, "{} MiB were sent", passed / MIB);
}

#[tokio::test]
async fn a_target_that_never_gets_further_ends_the_copy() {
    let (one, two) = tokio::join!(Server::start(), Server::start());
    let (source, target) = (one.address, two.address);
    let between = proxy::before(target, plan(Does::Cut, Way::Up, MIB, u64::MAX)).await;
    let real = Real::by_way_of(one, source, two, between.address);
    let digest = real.push("a", "1", &[noise(1, 5 * MIB)]).await;
    let error = copy(&real.transfer, &ends("one/a", &digest, "two/a", "1")).await.0.unwrap_err();
    assert!(matches!(error, PortError::Transient { .. }), "{error:?}");
    real.nothing_at_two("a", &digest).await;
}

#[tokio::test]
async fn a_copy_that_is_dropped_leaves_nothing_to_see_and_goes_on_later() {
    let (one, two) = tokio::join!(Server::start(), Server::start());
    let (source, target) = (one.address, two.address);
    let between = proxy::before(target, plan(Does::Hold, Way::Up, 6 * MIB, 1)).await;
    let real = Real::by_way_of(one, source, two, between.address);
    let digest = real.push("a", "1", &[noise(1, 10 * MIB), noise(2, MIB), noise(3, MIB)]).await;
    let (from, to) = ends("one/a", &digest, "two/a", "1");
    let told = Told::default();
    let tell = |step: CopyStep| told.0.lock().unwrap().push(step);
    let held = async {
        between.done.notified().await;
        while told.how().len() < 3 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::select! {
        done = real.transfer.copy(&from, &to, &tell) => panic!("ended: {done:?}"),
        () = held => {}
    }
    real.nothing_at_two("a", &digest).await;
    assert_eq!(real.two.client().stacks().await.unwrap(), []);
    let (done, told) = copy(&real.transfer, &(from, to)).await;
    done.unwrap();
    assert_eq!(told.counts(), [3, 0, 1], "only what was not there is sent");
}
