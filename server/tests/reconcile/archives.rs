//! Images that come from a file as work: done, tried again, refused, stopped, cut off, and
//! those whose file is elsewhere or lost.

use crate::support::each_database;
use crate::world::{World, until};
use padis_domain::ports::Registry;
use padis_domain::view::{ArchiveFault, CopyState};
use padis_drivers::fake::{FakeRegistry, FakeTransfer, Fault, When};
use padis_server::images::{Place, Registries, Rules};
use padis_server::store::archives::{self, Asked};
use padis_server::store::work;
use sha2::{Digest, Sha256};
use std::sync::Arc;
use std::time::Duration;

struct Shelf {
    registry: Arc<FakeRegistry>,
    transfer: Arc<FakeTransfer>,
}

/// A registry of which the world's reconciler knows.
fn shelf(w: &World) -> Shelf {
    let registry = Arc::new(FakeRegistry::new());
    let transfer = Arc::new(FakeTransfer::new([("padis".to_owned(), registry.clone())].into()));
    let place = Place {
        name: "padis".into(),
        place: "padis".into(),
        stage: None,
        takes: true,
        rules: Rules::default(),
        token: None,
        client: registry.clone(),
    };
    w.set_registries(Arc::new(Registries::new(vec![place], transfer.clone(), Duration::from_secs(600))));
    Shelf { registry, transfer }
}

fn sha(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|b| format!("{b:02x}")).collect()
}

/// What `docker save` writes of an image of one layer.
fn saved(layer: &[u8], id: &str) -> Vec<u8> {
    let config = format!(r#"{{"os":"linux","architecture":"amd64","rootfs":{{"diff_ids":["sha256:{id}"]}}}}"#);
    let manifest = r#"[{"Config":"c.json","RepoTags":["a:1"],"Layers":["0/layer.tar"]}]"#;
    let mut out = tar::Builder::new(Vec::new());
    for (path, bytes) in [("c.json", config.as_bytes()), ("manifest.json", manifest.as_bytes()), ("0/layer.tar", layer)]
    {
        let mut header = tar::Header::new_gnu();
        header.set_size(bytes.len() as u64);
        out.append_data(&mut header, path, bytes).expect("an entry");
    }
    out.into_inner().expect("a tar")
}

async fn ask_of(w: &World, id: &str, holder: &str) {
    let asked = Asked {
        id: id.into(),
        registry: "padis".into(),
        repository: "tools/one".into(),
        tag: id.into(),
        team: String::new(),
        holder: holder.into(),
        file_name: "one.tar".into(),
        bytes: 1,
        named: "a:1".into(),
        platforms: vec!["linux/amd64".into()],
        runs_here: true,
        deal_with: 100,
        fault: None,
        account: "otto".into(),
        name: "Otto".into(),
    };
    let mut tx = w.store.begin().await.expect("a transaction");
    assert!(archives::ask(&mut tx, &asked).await.expect("asked"));
    work::touch(&mut tx, &archives::key(id)).await.expect("touched");
    tx.commit().await.expect("committed");
    w.wake();
}

/// Records one whose file has these bytes.
async fn ask(w: &World, id: &str, bytes: &[u8]) {
    let spool = w.spool();
    std::fs::create_dir_all(&spool.folder).expect("a folder");
    std::fs::write(spool.path(id), bytes).expect("a file");
    ask_of(w, id, "here").await;
}

async fn state(w: &World, id: &str) -> (CopyState, Option<ArchiveFault>) {
    let row = archives::find(&w.store, id).await.expect("read").expect("it is recorded").0;
    (row.state, row.fault)
}

async fn ended(w: &World, id: &str, wanted: CopyState) {
    until(&format!("{id} is {wanted:?}"), async || state(w, id).await.0 == wanted).await;
    let left = format!("SELECT COUNT(*) FROM work WHERE key = 'archive:{id}'");
    until("its work is forgotten", async || w.count(&left).await == 0).await;
    assert!(!w.spool().path(id).exists() && !w.spool().scratch(id).exists(), "nothing of {id} is left");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_archive_is_brought_in_and_whatever_goes_wrong_is_said() {
    each_database(async |store| {
        let w = World::new(store).await;
        let s = shelf(&w);
        w.start();
        let layer = vec![7; 100_000];
        let good = saved(&layer, &sha(&layer));
        ask(&w, "plain", &good).await;
        ended(&w, "plain", CopyState::Done).await;
        let digest = s.registry.digest("tools/one", "plain").await.expect("an answer").expect("there");
        let row = archives::find(&w.store, "plain").await.expect("read").expect("there").0;
        assert_eq!((&row.digest, row.at), (&digest, (100, 100)));
        assert_eq!(w.count("SELECT COUNT(*) FROM journal WHERE what = 'image.brought'").await, 1);

        // Cut off before and after each step, then whole; the same digest.
        for (n, verb) in ["put_blob", "put_manifest"].into_iter().enumerate() {
            for when in [When::Before, When::After] {
                s.transfer.faults().fail_next(verb, when, Fault::Transient);
                let id = format!("bumpy-{n}-{when:?}").to_lowercase();
                ask(&w, &id, &good).await;
                ended(&w, &id, CopyState::Done).await;
                assert_eq!(s.registry.digest("tools/one", &id).await.expect("an answer").as_ref(), Some(&digest));
            }
        }
        assert_eq!(s.transfer.faults().left(), 0);

        s.transfer.faults().fail_next("put_manifest", When::Before, Fault::Refused);
        ask(&w, "refused", &good).await;
        ended(&w, "refused", CopyState::Failed).await;
        assert!(matches!(state(&w, "refused").await.1, Some(ArchiveFault::Registry { .. })));
        ask(&w, "damaged", &saved(&layer, &sha(b"else"))).await;
        ended(&w, "damaged", CopyState::Failed).await;
        let name = "0/layer.tar".to_owned();
        assert_eq!(state(&w, "damaged").await.1, Some(ArchiveFault::Differs { name }));
        assert_eq!(s.registry.digest("tools/one", "damaged").await.expect("an answer"), None);
        assert_eq!(w.count("SELECT COUNT(*) FROM journal WHERE what = 'image.bring-failed'").await, 2);

        // One whose file is lost says so; one that another process holds waits for that.
        ask_of(&w, "elsewhere", "there").await;
        ask_of(&w, "lost", "here").await;
        ended(&w, "lost", CopyState::Failed).await;
        assert_eq!(state(&w, "lost").await.1, Some(ArchiveFault::Lost));
        assert_eq!(state(&w, "elsewhere").await.0, CopyState::Waiting);
        w.stop().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_that_is_stopped_ends_and_one_that_was_cut_off_goes_on() {
    each_database(async |store| {
        let w = World::new(store).await;
        let s = shelf(&w);
        w.start();
        let layer = vec![7; 100_000];
        let good = saved(&layer, &sha(&layer));
        // Hangs in the middle until somebody stops it.
        s.transfer.faults().fail_nth("put_blob", 2, When::Before, Fault::Hang);
        ask(&w, "stopped", &good).await;
        until("it runs", async || state(&w, "stopped").await.0 == CopyState::Running).await;
        let mut tx = w.store.begin().await.expect("a transaction");
        assert!(archives::end(&mut tx, "stopped", CopyState::Cancelled, "", None).await.expect("ended"));
        work::touch(&mut tx, &archives::key("stopped")).await.expect("touched");
        tx.commit().await.expect("committed");
        ended(&w, "stopped", CopyState::Cancelled).await;
        assert_eq!(s.registry.digest("tools/one", "stopped").await.expect("an answer"), None);

        // The process dies in the middle; the next one goes on from the file.
        let calls = || s.transfer.faults().calls().iter().filter(|c| c.verb == "put_blob").count();
        let before = calls();
        s.transfer.faults().fail_nth("put_blob", 2, When::Before, Fault::Hang);
        ask(&w, "cut", &good).await;
        until("it hangs", async || calls() == before + 2).await;
        w.kill().await;
        assert!(w.spool().path("cut").exists());
        assert_eq!(archives::kept_by(&w.store, "here").await.expect("read"), ["cut".to_owned()].into());
        w.start();
        ended(&w, "cut", CopyState::Done).await;
        assert!(s.registry.digest("tools/one", "cut").await.expect("an answer").is_some());
        w.stop().await;
    })
    .await;
}
