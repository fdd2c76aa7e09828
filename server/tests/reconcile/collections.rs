//! A version that is deleted by hand and bytes that are freed, as work: on the files of Debian's
//! `docker-registry`, on both databases; killed in the middle, stopped, refused.

use crate::registry::{INDEX, MANIFEST, Server};
use crate::support::each_database;
use crate::world::{World, until};
use padis_domain::ports::{Collected, Registry};
use padis_domain::view::{CopyState, Retention};
use padis_drivers::registry::{RegistryClient, RegistryConfig, StorageCollector, StorageConfig, Transfers};
use padis_server::images::{Files, Place, Registries, Rules, judge_one};
use padis_server::store::{collections, retention, work};
use serde_json::json;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

/// A registry of which the world's reconciler knows.
struct Shelf {
    server: Server,
    client: Arc<RegistryClient>,
}

impl Shelf {
    async fn start(w: &World) -> Self {
        let server = Server::start().await;
        let config = RegistryConfig::at(&server.address.to_string());
        let shelf = Self { server, client: Arc::new(RegistryClient::new(&config).expect("a client")) };
        shelf.known(w, &shelf.data(), Duration::ZERO);
        shelf
    }
    fn data(&self) -> PathBuf {
        self.server.folder.path().join("data")
    }
    fn place(&self) -> Place {
        Place {
            name: "own".into(),
            place: self.server.address.to_string(),
            stage: None,
            takes: true,
            rules: Rules::default(),
            token: None,
            client: self.client.clone(),
        }
    }
    /// The next process knows it, with these files.
    fn known(&self, w: &World, root: &Path, settle: Duration) {
        let config = StorageConfig { root: root.to_owned(), young: Duration::ZERO, settle };
        let collector = Arc::new(StorageCollector::new(self.client.clone(), config));
        let files = BTreeMap::from([("own".to_owned(), Files { collector, young: Duration::ZERO })]);
        let transfer = Arc::new(Transfers::new(BTreeMap::from([("own".to_owned(), self.client.clone())])));
        let all = Registries::new(vec![self.place()], transfer, Duration::from_secs(600));
        w.set_registries(Arc::new(all.collecting(files)));
    }
    fn has(&self, digest: &str) -> bool {
        let hex = &digest[7..];
        self.data().join("docker/registry/v2/blobs/sha256").join(&hex[..2]).join(hex).join("data").exists()
    }
    async fn push(&self, repository: &str, tag: &str) -> (String, String) {
        let digest = self.server.pusher().image(repository, tag, &BTreeMap::new()).await;
        (digest, crate::registry::sha256(format!("layer of {repository}:{tag}").as_bytes()))
    }
}

async fn delete_by_hand(w: &World, id: &str, repository: &str, digest: &str, tags: &[&str]) {
    let run = retention::Run {
        registry: "own".into(),
        repository: repository.into(),
        rule: Retention { newest: 0, days: 0 },
        account: "otto".into(),
        left: Vec::new(),
        by_hand: tags.iter().map(|t| (*t).to_owned()).collect(),
    };
    let mut tx = w.store.begin().await.expect("begin");
    retention::ask(&mut tx, id, &run, "Otto", &[(digest.to_owned(), 10)]).await.expect("asked");
    work::touch(&mut tx, &retention::key(id)).await.expect("touched");
    tx.commit().await.expect("committed");
    w.wake();
    let ended = format!("SELECT COUNT(*) FROM retention_run WHERE id = '{id}' AND ended_at IS NOT NULL");
    until("it has ended", async || w.count(&ended).await == 1).await;
}

async fn ask(w: &World, id: &str) {
    let mut tx = w.store.begin().await.expect("begin");
    assert!(collections::ask(&mut tx, id, "own", ("otto", "Otto")).await.expect("asked"));
    assert!(!collections::ask(&mut tx, "second", "own", ("otto", "Otto")).await.expect("asked"), "one at a time");
    work::touch(&mut tx, &collections::key(id)).await.expect("touched");
    tx.commit().await.expect("committed");
    w.wake();
}

async fn ended(w: &World, id: &str, wanted: CopyState) -> Collected {
    let state = async || collections::find(&w.store, id).await.expect("read").expect("there").state;
    until(&format!("{id} is {wanted:?}"), async || state().await == wanted).await;
    let left = format!("SELECT COUNT(*) FROM work WHERE key = 'collect:{id}'");
    until("its work is forgotten", async || w.count(&left).await == 0).await;
    collections::find(&w.store, id).await.expect("read").expect("there").result.unwrap_or_default()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_deleted_by_hand_is_gone_and_its_bytes_are_freed() {
    each_database(async |store| {
        let w = World::new(store).await;
        let s = Shelf::start(&w).await;
        let (stays, kept) = s.push("shop/web", "1").await;
        let (goes, layer) = s.push("shop/web", "2").await;
        let manifest = s.client.manifests("shop/web", &goes).await.expect("its manifest").remove(0);
        let again = s.server.pusher();
        let body = serde_json::from_slice(&manifest.bytes).expect("JSON");
        assert_eq!(again.manifest("shop/web", "also-2", MANIFEST, &body).await, goes);
        whole(&s.place(), &w).await;
        w.start();
        // A tag that nobody saw: it is not deleted.
        delete_by_hand(&w, "unseen", "shop/web", &goes, &["2"]).await;
        assert_eq!(s.client.digest("shop/web", "2").await.expect("an answer"), Some(goes.clone()));
        assert_eq!(retention::last(&w.store, "own", "shop/web", 1).await.expect("read").remove(0).kept, 1);
        delete_by_hand(&w, "seen", "shop/web", &goes, &["2", "also-2"]).await;
        // When it has ended the catalogue does not show it any more.
        assert_eq!(w.count("SELECT COUNT(*) FROM image_tag WHERE repository = 'shop/web'").await, 1);
        assert_eq!(s.client.tags("shop/web").await.expect("tags"), ["1"]);
        assert_eq!(w.count("SELECT COUNT(*) FROM journal WHERE what = 'image.delete' AND who = 'otto'").await, 1);
        assert!(s.has(&goes) && s.has(&layer), "the registry still has the bytes");

        ask(&w, "c").await;
        let done = ended(&w, "c", CopyState::Done).await;
        assert!(!s.has(&goes) && !s.has(&layer));
        assert!(s.has(&stays) && s.has(&kept));
        assert_eq!((done.removed, done.manifests, done.young), (2, 1, 0), "{done:?}");
        let row = collections::find(&w.store, "c").await.expect("read").expect("there");
        assert_eq!((row.at.freed, row.at.manifests, row.why.as_str()), (done.freed, (1, 1), ""));
        assert_eq!(w.count("SELECT COUNT(*) FROM journal WHERE what = 'registry.collected'").await, 1);

        // A part of a version for several platforms stays; what is none is not held by it.
        let part = manifest_of(&s, "shop/many", "part").await;
        let index = json!({"schemaVersion": 2, "mediaType": INDEX, "manifests": [
            {"mediaType": MANIFEST, "digest": part.0, "size": part.1, "platform": {"os": "linux", "architecture": "amd64"}}]});
        again.manifest("shop/many", "all", INDEX, &index).await;
        let (free, _) = s.push("shop/many", "free").await;
        whole(&s.place(), &w).await;
        let stays = async |digest: &str| {
            judge_one(&w.store, &s.place(), "shop/many", digest).await.expect("judged").expect("there").stays
        };
        assert_eq!(stays(&part.0).await, [padis_domain::view::Stays::Part]);
        assert_eq!(stays(&free).await, []);
        delete_by_hand(&w, "part", "shop/many", &part.0, &["part"]).await;
        assert_eq!(s.client.digest("shop/many", "part").await.expect("an answer"), Some(part.0));

        // Files that are not there: said, and not tried for ever.
        s.known(&w, &s.data().join("nowhere"), Duration::ZERO);
        w.stop().await;
        w.start();
        ask(&w, "nowhere").await;
        ended(&w, "nowhere", CopyState::Failed).await;
        let why = w.word("SELECT why FROM registry_collection WHERE id = 'nowhere'").await;
        assert!(why.contains("there is no such folder"), "{why}");
        assert_eq!(w.count("SELECT COUNT(*) FROM journal WHERE what = 'registry.collect-failed'").await, 1);
        w.stop().await;
        s.server.child.stop().await;
    })
    .await;
}

async fn manifest_of(s: &Shelf, repository: &str, tag: &str) -> (String, usize) {
    let (digest, _) = s.push(repository, tag).await;
    let size = s.client.manifests(repository, &digest).await.expect("its manifest").remove(0).bytes.len();
    (digest, size)
}

async fn whole(place: &Place, w: &World) {
    padis_server::images::whole(&w.store, place).await.expect("a look");
}

#[tokio::test(flavor = "multi_thread")]
async fn one_that_is_killed_goes_on_and_one_that_is_stopped_puts_back() {
    each_database(async |store| {
        let w = World::new(store).await;
        let s = Shelf::start(&w).await;
        s.push("shop/web", "1").await;
        let (goes, layer) = s.push("shop/web", "2").await;
        s.client.delete("shop/web", &goes).await.expect("deleted");
        // All is aside, and then the process dies.
        s.known(&w, &s.data(), Duration::from_secs(600));
        w.start();
        ask(&w, "killed").await;
        until("it is aside", async || !s.has(&goes) && !s.has(&layer)).await;
        until("that is told", async || {
            w.count("SELECT COUNT(*) FROM registry_collection WHERE phase = 'aside' AND state = 'running'").await == 1
        })
        .await;
        w.kill().await;
        assert!(!s.has(&layer), "nobody has put it back");
        // Meanwhile somebody has pushed what names it.
        s.push("shop/web", "2").await;
        let (other, bare) = s.push("shop/web", "3").await;
        s.client.delete("shop/web", &other).await.expect("deleted");
        s.known(&w, &s.data(), Duration::ZERO);
        w.start();
        let done = ended(&w, "killed", CopyState::Done).await;
        assert!(s.has(&goes) && s.has(&layer) && !s.has(&other) && !s.has(&bare));
        assert_eq!(done.removed, 2, "{done:?}");
        w.stop().await;

        // Stopped by somebody while all is aside: put back.
        s.client.delete("shop/web", &goes).await.expect("deleted");
        s.known(&w, &s.data(), Duration::from_secs(600));
        w.start();
        ask(&w, "stopped").await;
        until("it is aside", async || !s.has(&layer)).await;
        stop(&w, "stopped").await;
        ended(&w, "stopped", CopyState::Cancelled).await;
        assert!(s.has(&goes) && s.has(&layer));
        // Stopped and killed: the next process puts back.
        ask(&w, "both").await;
        until("it is aside", async || !s.has(&layer)).await;
        w.kill().await;
        stop(&w, "both").await;
        assert!(!s.has(&layer));
        w.start();
        ended(&w, "both", CopyState::Cancelled).await;
        assert!(s.has(&goes) && s.has(&layer));
        w.stop().await;
        s.server.child.stop().await;
    })
    .await;
}

async fn stop(w: &World, id: &str) {
    let mut tx = w.store.begin().await.expect("begin");
    assert!(collections::end(&mut tx, id, CopyState::Cancelled, None, "").await.expect("ended"));
    work::touch(&mut tx, &collections::key(id)).await.expect("touched");
    tx.commit().await.expect("committed");
    w.wake();
}
