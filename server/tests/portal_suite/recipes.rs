//! Recipes: whose they are, that what is typed is kept, what is said of it when it is built,
//! files, and what a build shows.

use crate::benches::world;
use crate::support::each_database;
use crate::world::{HOST, World, auditor, caller, lead, member, operator, stranger};
use futures::StreamExt;
use padis_domain::Problem;
use padis_domain::action::Reason;
use padis_domain::benches::Benches;
use padis_domain::caller::Caller;
use padis_domain::package::PackageFault;
use padis_domain::ports::{PortError, PortResult};
use padis_domain::problem::{System, ValueFault};
use padis_domain::recipes::{NewRecipeFile, Recipes};
use padis_domain::tidying::Tidying;
use padis_domain::view::{CopyState, ListQuery, MOST_FILES, RecipeText, Stays};
use padis_domain::words::PlatformRole;
use padis_server::store::recipes;

const WEB: &str = "teams/zebra/web";

fn engineer() -> Caller {
    caller("emma", &[], Some(PlatformRole::Engineer))
}

async fn started(w: &World, c: &Caller) -> String {
    let once = w.once(c).await;
    w.portal.start_recipe(c, WEB, "1", &once).await.expect("begun")
}

fn text(tag: &str) -> RecipeText {
    RecipeText {
        base_repository: WEB.into(),
        base_tag: "1".into(),
        pool: "striped".into(),
        packages: "curl\nvim".into(),
        env: "MODE=1".into(),
        start: "run 'a b'".into(),
        repository: WEB.into(),
        tag: tag.into(),
        description: "With curl".into(),
        ..RecipeText::default()
    }
}

fn to(target: &str) -> NewRecipeFile {
    NewRecipeFile { target: target.into(), name: "a.conf".into(), executable: false }
}

async fn add(
    w: &World,
    c: &Caller,
    id: &str,
    new: &NewRecipeFile,
    pieces: Vec<PortResult<Vec<u8>>>,
) -> Option<Problem> {
    w.portal.add_recipe_file(c, id, new, futures::stream::iter(pieces).boxed()).await.err()
}

fn bytes(content: &str) -> Vec<PortResult<Vec<u8>>> {
    content.as_bytes().chunks(3).map(|c| Ok(c.to_vec())).collect()
}

/// Files that lie in a recipe's folder.
fn lying(w: &World, id: &str) -> usize {
    std::fs::read_dir(w.logs.path().join("recipes").join(id).join("files")).map(Iterator::count).unwrap_or_default()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_recipe_is_a_persons_and_keeps_what_is_typed() {
    each_database(|store| async move {
        let w = world(store).await;
        let p = &w.portal;
        let once = w.once(&stranger()).await;
        assert_eq!(p.start_recipe(&stranger(), WEB, "1", &once).await, Err(Problem::NotFound));
        let once = w.once(&auditor()).await;
        assert!(matches!(p.start_recipe(&auditor(), WEB, "1", &once).await, Err(Problem::NotAllowed { .. })));
        let once = w.once(&member()).await;
        assert_eq!(p.start_recipe(&member(), WEB, "absent", &once).await, Err(Problem::NotFound));
        let id = p.start_recipe(&member(), WEB, "1", &once).await.expect("begun");
        assert_eq!(p.start_recipe(&member(), WEB, "1", &once).await, Ok(id.clone()), "the same form twice");
        let view = p.recipe(&member(), &id).await.expect("there");
        assert!(view.may);
        assert_eq!((view.text.repository.as_str(), view.text.pool.as_str()), (WEB, "striped"));
        assert_eq!((view.pools, view.below), (vec!["striped".to_owned()], vec!["teams/zebra/".to_owned()]));
        // Right or wrong, nothing of it is lost.
        let wrong = RecipeText { packages: "-y\n;".into(), env: "x".into(), start: "'".into(), ..text("a b") };
        p.save_recipe(&member(), &id, &wrong).await.expect("kept");
        assert_eq!(p.recipe(&member(), &id).await.expect("there").text, wrong);
        let endless = RecipeText { env: "x".repeat(70_000), ..text("2") };
        assert!(matches!(p.save_recipe(&member(), &id, &endless).await, Err(Problem::Field { .. })));
        // It is his alone; who oversees the platform looks, and an operator clears up.
        for c in [lead(), stranger(), engineer()] {
            assert_eq!(p.recipe(&c, &id).await.err(), Some(Problem::NotFound), "{}", c.account);
            assert_eq!(p.save_recipe(&c, &id, &text("2")).await, Err(Problem::NotFound), "{}", c.account);
            assert_eq!(add(&w, &c, &id, &to("/a"), bytes("x")).await, Some(Problem::NotFound), "{}", c.account);
            assert_eq!(p.end_recipe(&c, &id).await, Err(Problem::NotFound), "{}", c.account);
            assert_eq!(p.recipes(&c, &ListQuery::default()).await.expect("a list").total, 0, "{}", c.account);
        }
        for c in [auditor(), operator()] {
            assert!(!p.recipe(&c, &id).await.expect("he looks").may);
            assert!(matches!(p.save_recipe(&c, &id, &text("2")).await, Err(Problem::NotAllowed { .. })));
            let once = w.once(&c).await;
            assert!(matches!(p.build_recipe(&c, &id, &once).await, Err(Problem::NotAllowed { .. })));
        }
        assert!(matches!(p.end_recipe(&auditor(), &id).await, Err(Problem::NotAllowed { .. })));
        assert_eq!(p.recipes(&member(), &ListQuery::default()).await.expect("a list").rows[0].id, id);
        p.end_recipe(&operator(), &id).await.expect("gone");
        assert_eq!(p.recipe(&member(), &id).await.err(), Some(Problem::NotFound));
        assert_eq!(w.number("SELECT COUNT(*) FROM journal WHERE what IN ('recipe.start', 'recipe.end')").await, 2);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn files_are_kept_replaced_and_taken_out() {
    each_database(|store| async move {
        let w = world(store).await;
        let (p, c) = (&w.portal, member());
        let id = started(&w, &c).await;
        let malformed = Problem::field("target", ValueFault::Malformed);
        for bad in ["", "etc/a", "/etc/../a"] {
            assert_eq!(add(&w, &c, &id, &to(bad), bytes("x")).await, Some(malformed.clone()), "{bad}");
        }
        assert_eq!(add(&w, &c, &id, &to("/etc/"), bytes("gzip on;")).await, None);
        let run = NewRecipeFile { executable: true, ..to("/bin/run") };
        assert_eq!(add(&w, &c, &id, &run, bytes("#!/bin/sh")).await, None);
        let files = p.recipe(&c, &id).await.expect("there").files;
        let said: Vec<_> = files.iter().map(|f| (f.path.as_str(), f.bytes, f.executable)).collect();
        assert_eq!(said, [("/bin/run", 9, true), ("/etc/a.conf", 8, false)]);
        // printf 'gzip on;' | sha256sum
        assert_eq!(files[1].sha256, "2272d62e8a43e55cdfe5ae46a6238965c00a5b136a53677881a18d8eb0d43bc3");
        // The same path once more takes the other's place.
        assert_eq!(add(&w, &c, &id, &to("/etc/a.conf"), bytes("gzip off;")).await, None);
        let files = p.recipe(&c, &id).await.expect("there").files;
        assert_eq!((files.len(), files[1].bytes), (2, 9));
        // One that breaks off leaves nothing behind, and one that is too large neither.
        let before = lying(&w, &id);
        let broken = PortError::transient(System::Disk, "receive a file", "gone");
        let cut = vec![Ok(b"half".to_vec()), Err(broken)];
        assert_eq!(add(&w, &c, &id, &to("/b"), cut).await, Some(Problem::field("file", ValueFault::Unknown)));
        let mib = vec![0_u8; 1 << 20];
        let pieces = (0..513).map(|_| Ok(mib.clone())).collect();
        let large = add(&w, &c, &id, &to("/b"), pieces).await;
        assert!(matches!(large, Some(Problem::Package { fault: PackageFault::TooLarge { .. } })), "{large:?}");
        assert_eq!(lying(&w, &id), before);
        p.drop_recipe_file(&c, &id, "/etc/a.conf").await.expect("taken out");
        p.drop_recipe_file(&c, &id, "/never").await.expect("was not there");
        assert_eq!(p.recipe(&c, &id).await.expect("there").files.len(), 1);
        for n in 1..MOST_FILES {
            assert_eq!(add(&w, &c, &id, &to(&format!("/{n}")), bytes("x")).await, None);
        }
        assert!(matches!(add(&w, &c, &id, &to("/more"), bytes("x")).await, Some(Problem::Field { .. })));
        p.end_recipe(&c, &id).await.expect("gone");
        assert_eq!(lying(&w, &id), 0);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_build_is_judged_whole_and_has_its_own_copy() {
    each_database(|store| async move {
        let w = world(store).await;
        let (p, c) = (&w.portal, member());
        let id = started(&w, &c).await;
        let build = async |t: RecipeText| {
            p.save_recipe(&c, &id, &t).await.expect("kept");
            let once = w.once(&c).await;
            p.build_recipe(&c, &id, &once).await
        };
        let wrong = RecipeText {
            packages: "ok\n-y".into(),
            env: "x".into(),
            start: "'".into(),
            description: " ".into(),
            pool: String::new(),
            ..text("a b")
        };
        let Err(Problem::Fields { problems }) = build(wrong).await else { panic!("six fields are wrong") };
        assert_eq!(problems.len(), 6, "{problems:?}");
        let unknown = |field: &str| Err(Problem::field(field, ValueFault::Unknown));
        assert_eq!(build(RecipeText { pool: "common".into(), ..text("2") }).await, unknown("pool"));
        assert_eq!(build(RecipeText { base_tag: "9".into(), ..text("2") }).await, unknown("base_tag"));
        assert_eq!(
            build(RecipeText { base_repository: "teams/lion/x".into(), ..text("2") }).await,
            unknown("base_tag")
        );
        for repository in ["teams/lion/web", "stacks/nginx"] {
            assert_eq!(build(RecipeText { repository: repository.into(), ..text("2") }).await, unknown("repository"));
        }
        let taken = Problem::NameTaken { field: "tag".into(), name: "1".into() };
        assert_eq!(build(text("1")).await, Err(taken));
        assert_eq!(w.number("SELECT COUNT(*) FROM build").await, 0);

        assert_eq!(add(&w, &c, &id, &to("/etc/"), bytes("gzip on;")).await, None);
        let once = w.once(&c).await;
        p.save_recipe(&c, &id, &text("2")).await.expect("kept");
        assert_eq!(p.build_recipe(&c, &id, &once).await, Ok(1));
        assert_eq!(p.build_recipe(&c, &id, &once).await, Ok(1), "the same form twice");
        assert_eq!(w.number("SELECT COUNT(*) FROM work WHERE key LIKE 'build:%' AND wanted > done").await, 1);
        // The same version twice at the same time: the second is told.
        let other = started(&w, &lead()).await;
        p.save_recipe(&lead(), &other, &text("2")).await.expect("kept");
        let again = w.once(&lead()).await;
        let taken = Problem::NameTaken { field: "tag".into(), name: "2".into() };
        assert_eq!(p.build_recipe(&lead(), &other, &again).await, Err(taken));
        // What is typed afterwards is not in it.
        p.save_recipe(&c, &id, &RecipeText { packages: "emacs".into(), ..text("3") }).await.expect("kept");
        p.drop_recipe_file(&c, &id, "/etc/a.conf").await.expect("taken out");
        let (row, holder, labels) =
            recipes::find_build(&w.store, &recipes::id_of(&id, 1)).await.expect("read").expect("there");
        assert_eq!((row.text.packages.as_str(), row.files.len(), row.host.as_str()), ("curl\nvim", 1, HOST));
        assert_eq!(holder, "here");
        assert_eq!(labels["org.opencontainers.image.base.digest"], row.base_digest);
        assert_eq!(labels["org.opencontainers.image.description"], "With curl");
        // Neither it nor what it is built on is taken away meanwhile.
        let fate = p.version_fate(&c, "padis", WEB, "1").await.expect("an answer");
        assert!(fate.stays.contains(&Stays::OnItsWay), "{:?}", fate.stays);
        assert_eq!(p.end_recipe(&c, &id).await, Err(Problem::NotNow { reason: Reason::Building }));
        for tag in ["3", "4"] {
            assert!(build(text(tag)).await.is_ok());
        }
        assert_eq!(build(text("5")).await, Err(Problem::NotNow { reason: Reason::EnoughBuilds }));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_build_shows_what_it_says_and_is_stopped() {
    each_database(|store| async move {
        let w = world(store).await;
        let (p, c) = (&w.portal, member());
        let id = started(&w, &c).await;
        p.save_recipe(&c, &id, &text("2")).await.expect("kept");
        let once = w.once(&c).await;
        assert_eq!(p.build_recipe(&c, &id, &once).await, Ok(1));
        let view = p.build(&c, &id, 1).await.expect("there");
        assert!(view.may && view.output.is_empty() && !view.cut);
        let log = w.logs.path().join("recipes").join(&id).join("build-1.log");
        std::fs::create_dir_all(log.parent().expect("a folder")).expect("made");
        let all: String = (0..20_000).map(|n| format!("line {n}\n")).collect();
        std::fs::write(&log, &all).expect("written");
        let view = p.build(&c, &id, 1).await.expect("there");
        assert!(view.cut && view.output.starts_with("line ") && view.output.ends_with("line 19999\n"));
        assert_eq!(p.build_output(&c, &id, 1).await.expect("all").len(), all.len());
        for other in [lead(), stranger(), engineer()] {
            assert_eq!(p.build(&other, &id, 1).await.err(), Some(Problem::NotFound), "{}", other.account);
            assert_eq!(p.build_output(&other, &id, 1).await.err(), Some(Problem::NotFound), "{}", other.account);
            assert_eq!(p.cancel_build(&other, &id, 1).await, Err(Problem::NotFound), "{}", other.account);
        }
        assert!(matches!(p.cancel_build(&auditor(), &id, 1).await, Err(Problem::NotAllowed { .. })));
        assert_eq!(p.build(&c, &id, 2).await.err(), Some(Problem::NotFound));
        p.cancel_build(&operator(), &id, 1).await.expect("stopped");
        let view = p.build(&c, &id, 1).await.expect("there");
        assert!(view.row.state == CopyState::Cancelled && !view.may && view.row.ended_at.is_some());
        // Its recipe goes; what it said stays.
        p.end_recipe(&c, &id).await.expect("gone");
        assert_eq!(p.build_output(&c, &id, 1).await.expect("all").len(), all.len());
        assert_eq!(p.build_output(&stranger(), &id, 1).await.err(), Some(Problem::NotFound));
        // A version's page says how it was built.
        w.sql("UPDATE build SET state = 'done', digest = (SELECT digest FROM image_tag WHERE repository = 'teams/zebra/web' AND tag = '1')").await;
        let offer = p.bench_offer(&c, "padis", WEB, "1").await.expect("an offer");
        assert_eq!(offer.built.expect("it was built").by, c.name);
    })
    .await;
}
