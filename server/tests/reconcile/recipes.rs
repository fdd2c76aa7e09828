//! Builds as work: what they are made of, what they say, and everything that can go wrong
//! between.

use crate::benches::shelf;
use crate::support::each_database;
use crate::world::{World, until};
use padis_domain::ports::Registry;
use padis_domain::view::{BuildRow, CopyState, RecipeFile, RecipeText};
use padis_drivers::fake::{Fault, When};
use padis_server::recipes::{blob_path, output_path};
use padis_server::store::recipes::{self, Asked};
use padis_server::store::work;

fn text(tag: &str) -> RecipeText {
    RecipeText {
        base_repository: "stacks/nginx".into(),
        base_tag: "1".into(),
        pool: "any".into(),
        packages: "curl".into(),
        env: "MODE=built".into(),
        start: "run 'a b'".into(),
        repository: "stacks/nginx".into(),
        tag: tag.into(),
        description: "With curl".into(),
        ..RecipeText::default()
    }
}

/// A recipe with a file, whose base has apt.
async fn begun(w: &World) -> String {
    let digest = shelf(w);
    w.bench.set_image(&digest, [("/usr/bin/apt-get", &b"apt"[..]), ("/etc/nginx.conf", &b"gzip off;"[..])]);
    let mut tx = w.store.begin().await.expect("a transaction");
    recipes::begin(&mut tx, "r", &text("2"), ("otto", "Otto")).await.expect("begun");
    tx.commit().await.expect("committed");
    let blob = blob_path(&w.folder.path().join("recipes/r"), "abc");
    std::fs::create_dir_all(blob.parent().expect("a folder")).expect("made");
    std::fs::write(blob, "gzip on;").expect("written");
    digest
}

async fn ask(w: &World, digest: &str, text: RecipeText) -> u32 {
    let asked = Asked {
        recipe: "r".into(),
        text,
        files: vec![RecipeFile { path: "/etc/nginx.conf".into(), bytes: 8, sha256: "abc".into(), executable: false }],
        base_digest: digest.into(),
        host: "h1".into(),
        holder: "here".into(),
        labels: [("io.padis.stack.port".to_owned(), "8081".to_owned())].into(),
        account: "otto".into(),
        name: "Otto".into(),
    };
    let mut tx = w.store.begin().await.expect("a transaction");
    let number = recipes::ask(&mut tx, &asked).await.expect("asked").expect("nobody else makes it");
    work::touch(&mut tx, &recipes::key("r", number)).await.expect("touched");
    tx.commit().await.expect("committed");
    w.wake();
    number
}

async fn row(w: &World, number: u32) -> BuildRow {
    recipes::find_build(&w.store, &recipes::id_of("r", number)).await.expect("read").expect("recorded").0
}

async fn ended(w: &World, number: u32, wanted: CopyState) -> BuildRow {
    until(&format!("build {number} is {wanted:?}"), async || row(w, number).await.state == wanted).await;
    row(w, number).await
}

fn said(w: &World, number: u32) -> String {
    let path = output_path(&w.folder.path().join("recipes/r"), number);
    std::fs::read_to_string(path).unwrap_or_default()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_image_is_built_of_what_the_recipe_said() {
    each_database(async |store| {
        let w = World::new(store).await;
        let digest = begun(&w).await;
        w.start();
        let number = ask(&w, &digest, text("2")).await;
        let row = ended(&w, number, CopyState::Done).await;
        assert_eq!(w.reg.digest("stacks/nginx", "2").await.expect("an answer").as_deref(), Some(row.digest.as_str()));
        assert_eq!(w.bench.read_image(&row.digest, "/etc/nginx.conf").as_deref(), Some(&b"gzip on;"[..]));
        assert_eq!(w.bench.read_image(&row.digest, "/packages/curl").as_deref(), Some(&b"curl"[..]));
        let image = w.reg.image("stacks/nginx", &row.digest).await.expect("an answer").expect("an image");
        assert_eq!(
            (image.entry_point, image.env),
            (vec!["run".to_owned(), "a b".into()], vec!["MODE=built".to_owned()])
        );
        assert!(image.ports.iter().any(|p| p.starts_with("8081")), "{:?}", image.ports);
        assert_eq!((row.step, row.pushed.0 == row.pushed.1 && row.pushed.1 > 0), ((2, 2), true));
        assert!(said(&w, number).contains("Setting up curl"));
        assert_eq!(w.count("SELECT COUNT(*) FROM journal WHERE what = 'recipe.built'").await, 1);
        let found = recipes::built(&w.store, &row.digest).await.expect("read").expect("found by what it became");
        assert_eq!(found.number, number);
        until("nothing is left of the work", async || {
            w.count("SELECT COUNT(*) FROM work WHERE key LIKE 'build:%'").await == 0
        })
        .await;
        w.stop().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_does_not_build_says_why_and_what_it_said_is_kept() {
    each_database(async |store| {
        let w = World::new(store).await;
        let digest = begun(&w).await;
        w.bench.set_image(&digest, []);
        w.start();
        let number = ask(&w, &digest, text("2")).await;
        let row = ended(&w, number, CopyState::Failed).await;
        assert!(row.why.contains("no package manager") && row.digest.is_empty(), "{}", row.why);
        assert!(said(&w, number).contains("no package manager"));
        assert_eq!(w.reg.digest("stacks/nginx", "2").await.expect("an answer"), None);
        // A tag that names something else is left alone.
        let number = ask(&w, &digest, RecipeText { packages: String::new(), ..text("1") }).await;
        assert!(ended(&w, number, CopyState::Failed).await.why.contains("another image"));
        assert_eq!(w.reg.digest("stacks/nginx", "1").await.expect("an answer"), Some(digest.clone()));
        assert_eq!(w.count("SELECT COUNT(*) FROM journal WHERE what = 'recipe.build-failed'").await, 2);
        w.stop().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_build_that_is_cut_off_anywhere_is_made_once_and_whole() {
    each_database(async |store| {
        let w = World::new(store).await;
        let digest = begun(&w).await;
        let steps = [("build", When::Before), ("build", When::After), ("push", When::Before), ("push", When::After)];
        for (n, (verb, when)) in steps.into_iter().enumerate() {
            for fault in [Fault::Transient, Fault::Unknown, Fault::Hang] {
                let tag = format!("c{n}-{fault:?}").to_lowercase();
                w.start();
                let before = w.bench.faults().count(verb);
                w.bench.faults().fail_next(verb, when, fault);
                let number = ask(&w, &digest, text(&tag)).await;
                if fault == Fault::Hang {
                    until("the step is reached", async || w.bench.faults().count(verb) > before).await;
                    w.kill().await;
                    w.bench.faults().clear();
                    w.start();
                }
                let row = ended(&w, number, CopyState::Done).await;
                assert_eq!(
                    w.bench.read_image(&row.digest, "/etc/nginx.conf").as_deref(),
                    Some(&b"gzip on;"[..]),
                    "{tag}"
                );
                let named = w.reg.digest("stacks/nginx", &tag).await.expect("an answer");
                assert_eq!(named.as_deref(), Some(row.digest.as_str()), "{tag}");
                w.stop().await;
            }
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_that_is_stopped_ends_and_another_process_s_waits() {
    each_database(async |store| {
        let w = World::new(store).await;
        let digest = begun(&w).await;
        w.bench.faults().fail_next("build", When::Before, Fault::Hang);
        w.start();
        let number = ask(&w, &digest, text("2")).await;
        until("it is built", async || row(&w, number).await.state == CopyState::Running).await;
        let mut tx = w.store.begin().await.expect("a transaction");
        let id = recipes::id_of("r", number);
        assert!(recipes::end_build(&mut tx, &id, CopyState::Cancelled, "", "").await.expect("ended"));
        tx.commit().await.expect("committed");
        until("nothing is left of the work", async || {
            w.count("SELECT COUNT(*) FROM work WHERE key LIKE 'build:%'").await == 0
        })
        .await;
        assert_eq!(w.reg.digest("stacks/nginx", "2").await.expect("an answer"), None);
        assert_eq!(w.bench.faults().count("clear_build"), 1, "nothing is left on its host");
        w.bench.faults().clear();
        // The files lie on another process's disk.
        let number = ask(&w, &digest, text("3")).await;
        ended(&w, number, CopyState::Done).await;
        w.stop().await;
        let number = ask(&w, &digest, text("4")).await;
        w.sql(&format!("UPDATE build SET holder = 'there' WHERE number = {number}")).await;
        let calls = w.bench.faults().count("build");
        w.start();
        // Asked for it is due at once; looked at, in two seconds.
        let later = format!(
            "SELECT COUNT(*) FROM work WHERE key LIKE 'build:%' AND lease IS NULL AND due_at > {}",
            padis_server::store::now_ms() + 1_500
        );
        until("it was looked at", async || w.count(&later).await == 1).await;
        assert_eq!((w.bench.faults().count("build"), row(&w, number).await.state), (calls, CopyState::Waiting));
        w.stop().await;
    })
    .await;
}
