use super::*;
use padis_domain::package::PackageKind;
use padis_domain::words::TeamRole;
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;

struct World {
    packages: Arc<Packages>,
    store: Store,
    dir: tempfile::TempDir,
}

fn limits(keep_free_bytes: u64) -> config::Upload {
    let c = config::from(None, [], None).expect("settings");
    config::Upload { keep_free_bytes, max_bytes: 64 << 20, ..c.upload }
}

async fn world() -> World {
    let dir = tempfile::tempdir().expect("folder");
    let store = Store::open(&format!("sqlite:{}/t.db", dir.path().display())).await.expect("store");
    sqlx::query("INSERT INTO team VALUES ('motor', 'Motor', 0), ('life', 'Life', 0)")
        .execute(store.write())
        .await
        .expect("teams");
    let packages = Packages::new(store.clone(), dir.path(), limits(0), Changes::new()).expect("packages");
    World { packages: Arc::new(packages), store, dir }
}

fn caller(account: &str, team: &str) -> Caller {
    Caller {
        account: account.into(),
        name: account.to_uppercase(),
        teams: [(team.to_owned(), TeamRole::Member)].into(),
        platform: None,
        session: "s".into(),
    }
}

/// A stored site of about `bytes`, with a text of its own.
fn site(bytes: usize, text: &str) -> Vec<u8> {
    let mut z = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    let o = zip::write::SimpleFileOptions::default().compression_method(zip::CompressionMethod::Stored);
    z.start_file("index.html", o).expect("file");
    z.write_all(text.as_bytes()).expect("data");
    z.start_file("big", o).expect("file");
    z.write_all(&vec![b'x'; bytes]).expect("data");
    z.finish().expect("zip").into_inner()
}

type Piece = Result<Bytes, std::io::Error>;

fn body(bytes: &[u8]) -> impl Stream<Item = Piece> + Send + Unpin + 'static {
    let pieces: Vec<Piece> = bytes.chunks(64 << 10).map(|c| Ok(Bytes::copy_from_slice(c))).collect();
    futures::stream::iter(pieces)
}

fn broken(bytes: &[u8]) -> impl Stream<Item = Piece> + Send + Unpin + 'static {
    let mut pieces: Vec<Piece> = bytes.chunks(64 << 10).map(|c| Ok(Bytes::copy_from_slice(c))).collect();
    pieces.push(Err(std::io::Error::other("connection reset")));
    futures::stream::iter(pieces)
}

fn row(a: Appended) -> PackageRow {
    match a {
        Appended::Package(r) => *r,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn in_pieces_over_a_broken_connection_and_a_restart() {
    let w = world().await;
    let c = caller("anna", "motor");
    let all = site(1_000_000, "hello");
    let id = w.packages.begin(&c, "motor", "C:\\tmp\\shop.zip", all.len() as u64).await.expect("begin");
    let a = w.packages.append(&c, &id, 0, body(&all[..300_000])).await.expect("first");
    assert!(matches!(a, Appended::More(Progress { offset: 300_000, .. })), "{a:?}");
    let a = w.packages.append(&c, &id, 300_000, broken(&all[300_000..500_000])).await.expect("second");
    assert!(matches!(a, Appended::More(Progress { offset: 500_000, .. })), "{a:?}");
    let a = w.packages.append(&c, &id, 300_000, body(&all[300_000..])).await.expect("wrong place");
    assert!(matches!(a, Appended::Elsewhere(Progress { offset: 500_000, .. })), "{a:?}");
    // A restart: nothing is in memory.
    let again = Arc::new(Packages::new(w.store.clone(), w.dir.path(), limits(0), Changes::new()).expect("packages"));
    assert_eq!(again.progress(&c, &id).await.expect("progress").offset, 500_000);
    let r = row(again.append(&c, &id, 500_000, body(&all[500_000..])).await.expect("rest"));
    let sha = pour::digest_file(&file_of(&all), all.len() as u64, again.inspect_limits()).expect("sum").finish().0;
    assert_eq!((r.sha256.as_str(), r.bytes, r.file_name.as_str()), (sha.as_str(), all.len() as u64, "shop.zip"));
    let kept = layout::file(w.dir.path(), &sha, PackageKind::Zip);
    assert_eq!(std::fs::read(&kept).expect("kept"), all);
    assert_eq!(std::fs::metadata(&kept).expect("kept").permissions().mode() & 0o7777, 0o444);
    assert_eq!(std::fs::read(layout::tree(w.dir.path(), &sha).join("index.html")).expect("tree"), b"hello");
    assert_eq!(again.progress(&c, &id).await, Err(Problem::NotFound), "the upload is gone");
}

fn file_of(bytes: &[u8]) -> File {
    let mut f = tempfile::tempfile().expect("file");
    f.write_all(bytes).expect("write");
    f
}

async fn upload(w: &World, c: &Caller, team: &str, all: &[u8]) -> Result<PackageRow, Problem> {
    let id = w.packages.begin(c, team, "x.zip", all.len() as u64).await?;
    w.packages.append(c, &id, 0, body(all)).await.map(row)
}

#[tokio::test]
async fn the_same_content_is_one_file_and_a_row_for_each_team() {
    let w = world().await;
    let all = site(10_000, "same");
    let (anna, bob) = (caller("anna", "motor"), caller("bob", "life"));
    let (a, b) = tokio::join!(upload(&w, &anna, "motor", &all), upload(&w, &bob, "life", &all));
    let (a, b) = (a.expect("anna"), b.expect("bob"));
    assert_eq!(a.sha256, b.sha256);
    upload(&w, &anna, "motor", &all).await.expect("again");
    let rows: i64 = sqlx::query_scalar("SELECT COUNT(*) FROM package").fetch_one(w.store.read()).await.expect("count");
    assert_eq!(rows, 2);
    let folder = layout::folder(w.dir.path(), &a.sha256);
    let mut names: Vec<_> = std::fs::read_dir(folder).expect("folder").map(|e| e.expect("entry").file_name()).collect();
    names.sort();
    assert_eq!(names, [format!("{}.tree", a.sha256).as_str(), format!("{}.zip", a.sha256).as_str()]);
    assert_eq!(std::fs::read_dir(layout::uploads(w.dir.path())).expect("uploads").count(), 0);
}

#[tokio::test]
async fn strangers_know_nothing_of_an_upload() {
    let w = world().await;
    let all = site(10_000, "mine");
    let anna = caller("anna", "motor");
    let id = w.packages.begin(&anna, "motor", "x", all.len() as u64).await.expect("begin");
    for other in [caller("bob", "life"), caller("carl", "motor"), caller("anna", "life")] {
        assert_eq!(w.packages.progress(&other, &id).await, Err(Problem::NotFound));
        assert_eq!(w.packages.append(&other, &id, 0, body(&all)).await.err(), Some(Problem::NotFound));
        assert_eq!(w.packages.cancel(&other, &id).await, Err(Problem::NotFound));
    }
    assert_eq!(w.packages.begin(&anna, "life", "x", 10).await, Err(Problem::NotFound));
    assert_eq!(w.packages.progress(&anna, "../../etc/passwd").await, Err(Problem::NotFound));
    w.packages.cancel(&anna, &id).await.expect("cancel");
    assert_eq!(std::fs::read_dir(layout::uploads(w.dir.path())).expect("uploads").count(), 0);
}

#[tokio::test]
async fn a_refused_package_leaves_nothing() {
    let w = world().await;
    let c = caller("anna", "motor");
    let r = upload(&w, &c, "motor", b"<html>not an archive</html>").await;
    let fault = PackageFault::NotAnArchive { looks_like: "html".into() };
    assert_eq!(r.err(), Some(Problem::Package { fault }));
    let all = site(100_000, "x");
    let r = upload(&w, &c, "motor", &all[..all.len() - 10]).await;
    assert_eq!(r.err(), Some(Problem::Package { fault: PackageFault::Truncated }));
    assert_eq!(std::fs::read_dir(layout::uploads(w.dir.path())).expect("uploads").count(), 0);
    assert_eq!(w.packages.begin(&c, "motor", "x", 0).await, Err(Problem::Package { fault: PackageFault::Empty }));
    let r = w.packages.begin(&c, "motor", "x", 65 << 20).await;
    assert_eq!(r, Err(Problem::Package { fault: PackageFault::TooLarge { limit_bytes: 64 << 20 } }));
    let id = w.packages.begin(&c, "motor", "x", 1000).await.expect("begin");
    let r = w.packages.append(&c, &id, 0, body(&all)).await;
    assert!(matches!(r, Err(Problem::Package { fault: PackageFault::TooLarge { .. } })), "{r:?}");
}

#[tokio::test]
async fn a_full_disk_is_told_before_the_first_byte() {
    let w = world().await;
    let p = Packages::new(w.store.clone(), w.dir.path(), limits(u64::MAX / 2), Changes::new()).expect("packages");
    let r = p.begin(&caller("anna", "motor"), "motor", "x", 1000).await;
    assert!(matches!(r, Err(Problem::DiskFull { need_bytes: 1000, free_bytes }) if free_bytes > 0), "{r:?}");
    assert!(p.room().is_err());
}

#[tokio::test]
async fn a_disk_that_fills_up_on_the_way_keeps_what_came() {
    let w = world().await;
    let c = caller("anna", "motor");
    let id = w.packages.begin(&c, "motor", "x", 1 << 20).await.expect("begin");
    // The file becomes one on which every write says "no space left on device".
    let path = w.packages.upload_path(&id);
    std::fs::remove_file(&path).expect("remove");
    std::os::unix::fs::symlink("/dev/full", &path).expect("link");
    let r = w.packages.append(&c, &id, 0, body(&[1; 100_000])).await;
    assert!(matches!(r, Err(Problem::DiskFull { need_bytes, .. }) if need_bytes == 1 << 20), "{r:?}");
    assert_eq!(w.packages.progress(&c, &id).await.expect("still there").offset, 0);
}

#[tokio::test]
async fn who_comes_again_ends_his_own_old_connection() {
    let w = world().await;
    let c = caller("anna", "motor");
    let all = site(300_000, "x");
    let id = w.packages.begin(&c, "motor", "x", all.len() as u64).await.expect("begin");
    let (tx, rx) = mpsc::channel::<Piece>(1);
    let (p, c2, id2) = (w.packages.clone(), c.clone(), id.clone());
    let old = tokio::spawn(async move { p.append(&c2, &id2, 0, ReceiverStream::new(rx)).await });
    // The second piece finds room only when the old writer has taken the first: from then on it holds the upload.
    for piece in [&all[..50_000], &all[50_000..100_000]] {
        tx.send(Ok(Bytes::copy_from_slice(piece))).await.expect("send");
    }
    // The old connection is half open: no end, no error. The newcomer asks where to go on until it is told.
    let r = tokio::time::timeout(Duration::from_secs(20), async {
        loop {
            let at = w.packages.progress(&c, &id).await.expect("progress").offset;
            let rest = body(&all[at as usize..]);
            match w.packages.append(&c, &id, at, rest).await.expect("append") {
                Appended::Package(r) => return r,
                Appended::Elsewhere(_) => {}
                other => panic!("{other:?}"),
            }
        }
    });
    let r = r.await.expect("in time");
    assert_eq!(r.bytes, all.len() as u64);
    let old = old.await.expect("task").expect("append");
    assert!(matches!(old, Appended::More(_)), "{old:?}");
    drop(tx);
}

#[tokio::test]
async fn a_form_brings_a_whole_file() {
    let w = world().await;
    let c = caller("anna", "motor");
    let all = site(200_000, "form");
    let r = w.packages.whole(&c, "motor", "a.zip", body(&all)).await.expect("package");
    assert_eq!((r.bytes, r.facts.kind), (all.len() as u64, PackageKind::Zip));
    let r = w.packages.whole(&c, "motor", "a.zip", broken(&all[..1000])).await;
    assert_eq!(r.err(), Some(Problem::Package { fault: PackageFault::Truncated }));
    let n: i64 = sqlx::query_scalar("SELECT COUNT(*) FROM upload").fetch_one(w.store.read()).await.expect("count");
    assert_eq!(n, 0);
}

#[tokio::test]
async fn the_sweep_takes_what_nobody_wants_and_nothing_else() {
    let w = world().await;
    let c = caller("anna", "motor");
    let kept = upload(&w, &c, "motor", &site(1000, "kept")).await.expect("kept");
    let gone = upload(&w, &c, "motor", &site(1000, "gone")).await.expect("gone");
    sqlx::query("DELETE FROM package WHERE sha256 = $1")
        .bind(&gone.sha256)
        .execute(w.store.write())
        .await
        .expect("delete");
    let abandoned = w.packages.begin(&c, "motor", "x", 1000).await.expect("begin");
    let fresh = w.packages.begin(&c, "motor", "x", 1000).await.expect("begin");
    sqlx::query("UPDATE upload SET touched_at = 0 WHERE id = $1")
        .bind(&abandoned)
        .execute(w.store.write())
        .await
        .expect("age");
    std::fs::write(layout::uploads(w.dir.path()).join("orphan"), b"x").expect("orphan");
    let half = layout::folder(w.dir.path(), &kept.sha256).join(format!("{}.tree.123", kept.sha256));
    std::fs::create_dir(&half).expect("half");
    assert_eq!(
        w.packages.sweep().await.expect("sweep"),
        Swept { uploads: 1, packages: 0 },
        "young files are left alone"
    );
    let swept = w.packages.sweep_older(Duration::ZERO).await.expect("sweep");
    assert_eq!(swept, Swept { uploads: 1, packages: 3 });
    assert!(layout::file(w.dir.path(), &kept.sha256, PackageKind::Zip).exists());
    assert!(layout::tree(w.dir.path(), &kept.sha256).exists() && !half.exists());
    assert!(!layout::file(w.dir.path(), &gone.sha256, PackageKind::Zip).exists());
    assert!(w.packages.progress(&c, &fresh).await.is_ok());
}
