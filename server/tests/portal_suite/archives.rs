//! Images as one file: who may bring one in and where, what is said of the file, who stops it,
//! and what a download is.

use crate::support::each_database;
use crate::world::{MARK, World, auditor, caller, lead, member, operator, stranger};
use futures::StreamExt;
use futures::stream::{self, BoxStream};
use padis_domain::Problem;
use padis_domain::archives::Archives;
use padis_domain::caller::Caller;
use padis_domain::ports::{Image, PortError, PortResult, Registry};
use padis_domain::problem::{System, ValueFault};
use padis_domain::view::{ArchiveFault, ArchiveRow, CopyState, ListQuery, NewArchive};
use padis_domain::words::PlatformRole;
use padis_drivers::fake::{FakeRegistry, FakeTransfer};
use padis_server::images::{Place, Registries, Rules, whole};
use padis_server::portal::PadisPortal;
use sha2::{Digest, Sha256};
use std::sync::Arc;
use std::time::Duration;

fn engineer() -> Caller {
    caller("emma", &[], Some(PlatformRole::Engineer))
}

/// Our own registry, and one into which images are promoted when somebody has agreed.
struct Shelves {
    portal: Arc<PadisPortal>,
    own: Arc<FakeRegistry>,
}

async fn shelves(w: &World) -> Shelves {
    let (own, prod) = (Arc::new(FakeRegistry::new()), Arc::new(FakeRegistry::new()));
    let layer = b"a layer".to_vec();
    own.put_bytes(&format!("sha256:{}", sha(&layer)), layer.clone());
    let image =
        Image { digest: format!("sha256:{:064}", 9), platforms: vec!["linux/amd64".into()], ..Image::default() };
    own.put_image("teams/zebra/web", "1", image.clone());
    own.put_image("tools/one", "1", image);
    // The configuration that the registry in memory makes up.
    own.put_bytes(&format!("sha256:9{:063}", 0), vec![0; 1024]);
    let place = |name: &str, client: &Arc<FakeRegistry>, approve| Place {
        name: name.into(),
        place: format!("{name}:5000"),
        stage: None,
        takes: true,
        rules: Rules { approve, ..Rules::default() },
        token: None,
        client: client.clone(),
    };
    let places = vec![place("padis", &own, false), place("prod", &prod, true)];
    let transfer = Arc::new(FakeTransfer::new([("padis".to_owned(), own.clone())].into()));
    let all = Arc::new(Registries::new(places, transfer, Duration::from_secs(600)));
    for place in all.all() {
        whole(&w.store, place).await.expect("a look");
    }
    Shelves { portal: w.portal_with(all), own }
}

fn sha(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|b| format!("{b:02x}")).collect()
}

/// What `docker save` writes of an image of one layer, with these names.
fn saved(names: &str) -> Vec<u8> {
    let layer = vec![7; 5000];
    let config =
        format!(r#"{{"os":"linux","architecture":"s390x","rootfs":{{"diff_ids":["sha256:{}"]}}}}"#, sha(&layer));
    let manifest = format!(r#"[{{"Config":"c.json","RepoTags":[{names}],"Layers":["0/layer.tar"]}}]"#);
    let mut out = tar::Builder::new(Vec::new());
    for (path, bytes) in
        [("c.json", config.as_bytes()), ("manifest.json", manifest.as_bytes()), ("0/layer.tar", &layer)]
    {
        let mut header = tar::Header::new_gnu();
        header.set_size(bytes.len() as u64);
        out.append_data(&mut header, path, bytes).expect("an entry");
    }
    out.into_inner().expect("a tar")
}

fn new(registry: &str, repository: &str, tag: &str) -> NewArchive {
    NewArchive {
        registry: registry.into(),
        repository: repository.into(),
        tag: tag.into(),
        file_name: "C:\\fake\\one.tar".into(),
    }
}

fn body(bytes: &[u8]) -> BoxStream<'static, PortResult<Vec<u8>>> {
    let pieces: Vec<PortResult<Vec<u8>>> = bytes.chunks(1000).map(|c| Ok(c.to_vec())).collect();
    stream::iter(pieces).boxed()
}

/// A body that nobody may read.
fn unread() -> BoxStream<'static, PortResult<Vec<u8>>> {
    stream::poll_fn(|_| panic!("it was read")).boxed()
}

async fn rows(p: &PadisPortal, c: &Caller) -> Vec<ArchiveRow> {
    p.archives(c, &ListQuery::default()).await.expect("the list").rows
}

fn files(w: &World) -> usize {
    std::fs::read_dir(w.logs.path().join("archives")).map(Iterator::count).unwrap_or_default()
}

#[tokio::test(flavor = "multi_thread")]
async fn only_who_may_change_a_repository_brings_one_in_and_nothing_is_read_before() {
    each_database(async |store| {
        let w = World::new(store).await;
        let s = shelves(&w).await;
        let p = &s.portal;
        let refused = async |c: &Caller, registry: &str, repository: &str, tag: &str| {
            let once = w.once(c).await;
            p.bring_archive(c, &new(registry, repository, tag), unread(), &once).await.expect_err("refused")
        };
        let unknown = |field: &str| Problem::field(field, ValueFault::Unknown);
        let fields = |problems: Vec<Problem>| match problems.len() {
            1 => problems.into_iter().next().expect("one"),
            _ => Problem::Fields { problems },
        };
        assert!(matches!(refused(&auditor(), "padis", "tools/x", "1").await, Problem::NotAllowed { .. }));
        assert!(matches!(
            refused(&caller("guest", &[], None), "padis", "tools/x", "1").await,
            Problem::NotAllowed { .. }
        ));
        assert_eq!(refused(&stranger(), "padis", "teams/zebra/web", "2").await, unknown("repository"));
        assert_eq!(refused(&member(), "padis", "tools/x", "1").await, unknown("repository"));
        assert_eq!(refused(&member(), "nowhere", "teams/zebra/web", "2").await, unknown("registry"));
        // Where somebody has to agree a file is no way round it.
        assert_eq!(refused(&member(), "prod", "teams/zebra/web", "2").await, unknown("registry"));
        let malformed = |field: &str| Problem::field(field, ValueFault::Malformed);
        let both = fields(vec![malformed("repository"), malformed("tag")]);
        assert_eq!(refused(&engineer(), "padis", "../x", "a b").await, both);
        let taken = Problem::NameTaken { field: "tag".into(), name: "1".into() };
        assert_eq!(refused(&member(), "padis", "teams/zebra/web", "1").await, taken);
        assert_eq!((rows(p, &operator()).await.len(), files(&w)), (0, 0));

        let offered = async |c: &Caller, into| {
            let offer = p.archive_offer(c, into).await.expect("an offer");
            (offer.registries.into_iter().map(|r| r.name).collect::<Vec<_>>(), offer.below)
        };
        let none: (Vec<String>, Vec<String>) = Default::default();
        let below = || vec!["teams/zebra/".to_owned()];
        assert_eq!(offered(&member(), None).await, (vec!["padis".to_owned()], below()));
        assert_eq!(offered(&engineer(), None).await, (vec!["padis".to_owned(), "prod".to_owned()], vec![]));
        for c in [auditor(), caller("guest", &[], None)] {
            assert_eq!(offered(&c, None).await, none);
        }
        assert_eq!(offered(&member(), Some(("padis", "teams/zebra/web"))).await.0, ["padis"]);
        for (c, repository) in [(stranger(), "teams/zebra/web"), (member(), "tools/one")] {
            assert_eq!(offered(&c, Some(("padis", repository))).await, none);
        }
        assert_eq!(offered(&member(), Some(("prod", "teams/zebra/web"))).await.0, [""; 0]);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_is_looked_into_and_what_is_wrong_is_in_the_list() {
    each_database(async |store| {
        let w = World::new(store).await;
        let s = shelves(&w).await;
        let p = &s.portal;
        let bring = async |tag: &str, bytes: &[u8]| {
            let once = w.once(&member()).await;
            p.bring_archive(&member(), &new("padis", "teams/zebra/web", tag), body(bytes), &once).await
        };
        let id = bring("", &saved("\"shop:2\"")).await.expect("asked");
        let row = rows(p, &member()).await.remove(0);
        assert_eq!((&row.id, row.tag.as_str(), row.named.as_str()), (&id, "2", "shop:2"));
        assert_eq!((row.file_name.as_str(), row.state, row.may), ("one.tar", CopyState::Waiting, true));
        // Another platform comes in, and it is said.
        assert_eq!((row.platforms, row.runs_here), (vec!["linux/s390x".to_owned()], std::env::consts::ARCH == "s390x"));
        assert!(row.at.1 > 5000 && files(&w) == 1);
        let key = format!("SELECT COUNT(*) FROM work WHERE key = 'archive:{id}' AND wanted > done");
        assert_eq!(w.number(&key).await, 1);
        assert_eq!(w.number("SELECT COUNT(*) FROM journal WHERE what = 'image.bring'").await, 1);

        // The same form again is the same one; another that wants the same version is told.
        let (once, c) = (w.once(&member()).await, member());
        let again = new("padis", "teams/zebra/web", "3");
        let first = p.bring_archive(&c, &again, body(&saved("")), &once).await.expect("asked");
        assert_eq!(p.bring_archive(&c, &again, body(&saved("")), &once).await.expect("the first"), first);
        let taken = Problem::NameTaken { field: "tag".into(), name: "2".into() };
        assert_eq!(bring("2", &saved("\"shop:9\"")).await.expect_err("taken"), taken);
        assert_eq!(files(&w), 2);

        let fault = async |tag: &str, bytes: &[u8]| {
            let id = bring(tag, bytes).await.expect("asked");
            let row = rows(p, &lead()).await.into_iter().find(|r| r.id == id).expect("a row");
            assert_eq!((row.state, row.may), (CopyState::Failed, false));
            assert_eq!(w.number(&format!("SELECT COUNT(*) FROM work WHERE key = 'archive:{id}'")).await, 0);
            row.fault.expect("a fault")
        };
        assert_eq!(fault("9", b"no tar at all").await, ArchiveFault::NotTar);
        assert_eq!(fault("9", &saved("")[..3000]).await, ArchiveFault::Truncated);
        assert_eq!(fault("", &saved("")).await, ArchiveFault::NoTag);
        assert!(matches!(fault("", &saved("\"a:1\",\"b:2\"")).await, ArchiveFault::Several { .. }));
        assert_eq!(fault("", &saved("\"a:1\"")).await, ArchiveFault::TagTaken { tag: "1".into() });
        assert!(matches!(fault("9", &vec![1; (1 << 26) + 1]).await, ArchiveFault::TooLarge { .. }));
        assert_eq!(w.number("SELECT COUNT(*) FROM journal WHERE what = 'image.bring-failed'").await, 6);
        // Who goes away in the middle leaves nothing, not even a row.
        let broke = Err(PortError::transient(System::Disk, "receive", "broke off"));
        let pieces: Vec<PortResult<Vec<u8>>> = vec![Ok(vec![1; 5000]), broke];
        let once = w.once(&c).await;
        let said = p.bring_archive(&c, &again, stream::iter(pieces).boxed(), &once).await;
        assert_eq!(said, Err(Problem::field("file", ValueFault::Unknown)));
        assert_eq!((files(&w), rows(p, &lead()).await.len()), (2, 8));
        // A stranger hears of none of it.
        assert!(rows(p, &stranger()).await.is_empty());
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn it_is_stopped_by_whoever_may_change_the_repository() {
    each_database(async |store| {
        let w = World::new(store).await;
        let s = shelves(&w).await;
        let p = &s.portal;
        let once = w.once(&member()).await;
        let asked = new("padis", "teams/zebra/web", "2");
        let id = p.bring_archive(&member(), &asked, body(&saved("")), &once).await.expect("asked");
        assert_eq!(p.cancel_archive(&stranger(), &id).await, Err(Problem::NotFound));
        assert!(matches!(p.cancel_archive(&auditor(), &id).await, Err(Problem::NotAllowed { .. })));
        assert!(!rows(p, &auditor()).await[0].may);
        p.cancel_archive(&lead(), &id).await.expect("stopped");
        p.cancel_archive(&lead(), &id).await.expect("once more");
        assert_eq!(rows(p, &lead()).await[0].state, CopyState::Cancelled);
        assert_eq!(w.number("SELECT COUNT(*) FROM journal WHERE what = 'image.bring-stop'").await, 1);
        // The version is free again.
        let once = w.once(&member()).await;
        p.bring_archive(&member(), &asked, body(&saved("")), &once).await.expect("asked");
        // No more than so many of one person at a time.
        for n in 3..10 {
            let once = w.once(&member()).await;
            let asked = new("padis", "teams/zebra/web", &n.to_string());
            p.bring_archive(&member(), &asked, body(&saved("")), &once).await.expect("asked");
        }
        let once = w.once(&member()).await;
        let asked = new("padis", "teams/zebra/web", "more");
        let said = p.bring_archive(&member(), &asked, body(&saved("")), &once).await;
        assert!(matches!(said, Err(Problem::InUse { .. })), "{said:?}");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_version_is_downloaded_by_whoever_sees_it() {
    each_database(async |store| {
        let w = World::new(store).await;
        let s = shelves(&w).await;
        let p = &s.portal;
        for (c, repository) in [(stranger(), "teams/zebra/web"), (lead(), "teams/zebra/none")] {
            assert_eq!(p.archive(&c, "padis", repository, "1").await.err(), Some(Problem::NotFound));
        }
        assert_eq!(p.archive(&lead(), "padis", "teams/zebra/web", "none").await.err(), Some(Problem::NotFound));
        for c in [lead(), auditor()] {
            let archive = p.archive(&c, "padis", "teams/zebra/web", "1").await.expect("it");
            assert_eq!(archive.name, format!("teams-{MARK}-web-1.tar"));
            let pieces: Vec<PortResult<Vec<u8>>> = archive.body.collect().await;
            let whole: usize = pieces.iter().filter_map(|p| p.as_ref().ok()).map(Vec::len).sum();
            // What the registry in memory made up has other bytes than its digest: it breaks off.
            assert!(pieces.last().is_some_and(Result::is_err) && (whole as u64) < archive.bytes);
        }
        s.own.remove(&format!("sha256:{:064}", 9));
        let said = p.archive(&lead(), "padis", "tools/one", "1").await.err();
        assert!(matches!(said, Some(Problem::Unavailable { system: System::Registry, .. })), "{said:?}");
        assert!(s.own.tags("tools/one").await.expect("an answer").is_empty());
    })
    .await;
}
