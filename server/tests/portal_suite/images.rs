//! Images: what is remembered of registries, whose it is, and copies that are asked for.

use crate::support::each_database;
use crate::world::{MARK, World, auditor, lead, new_app, operator, stranger};
use padis_domain::Problem;
use padis_domain::portal::Portal;
use padis_domain::ports::{Image, ImageStep};
use padis_domain::problem::ValueFault;
use padis_domain::view::{CopyState, ListQuery, NewCopy};
use padis_domain::words::Stage;
use padis_drivers::fake::{FakeRegistry, FakeTransfer, Fault, When};
use padis_server::images::{Place, Registries, Rules, whole};
use std::sync::Arc;
use std::time::Duration;

/// Our own registry and one for production that takes nothing.
struct Shelves {
    own: Arc<FakeRegistry>,
    prod: Arc<FakeRegistry>,
    registries: Arc<Registries>,
}

fn place(name: &str, stage: Option<Stage>, takes: bool, client: &Arc<FakeRegistry>) -> Place {
    Place {
        name: name.into(),
        place: format!("{name}.example"),
        stage,
        takes,
        rules: Rules::default(),
        token: None,
        client: client.clone(),
    }
}

/// The digest that the world's middleware has, and others.
fn digest(n: u32) -> String {
    if n == 1 { "sha256:1".to_owned() } else { format!("sha256:{n:064}") }
}

fn image(n: u32, created: &str, labels: &[(&str, &str)]) -> Image {
    Image {
        digest: digest(n),
        media_type: "application/vnd.oci.image.manifest.v1+json".into(),
        platforms: vec!["linux/amd64".into()],
        runs_here: true,
        bytes: u64::from(n) * 1000,
        created: created.into(),
        labels: labels.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect(),
        steps: vec![ImageStep { layer: Some((digest(n + 100), 5)), ..ImageStep::default() }],
        ..Image::default()
    }
}

impl Shelves {
    async fn new(w: &World) -> Self {
        let (own, prod) = (Arc::new(FakeRegistry::new()), Arc::new(FakeRegistry::new()));
        let all = vec![place("padis", None, true, &own), place("prod", Some(Stage::Prod), false, &prod)];
        let between = [("padis".to_owned(), own.clone()), ("prod".to_owned(), prod.clone())];
        let transfer = Arc::new(FakeTransfer::new(between.into()));
        let registries = Arc::new(Registries::new(all, transfer, Duration::from_secs(600)));
        own.put_image("stacks/nginx", "1.22", image(1, "2026-11-01T00:00:00Z", &[("vendor", "ACME 100%")]));
        own.put_image("stacks/nginx", "1.20", image(2, "2025-01-01T00:00:00Z", &[]));
        own.put_image(
            "tools/builder",
            "latest",
            image(3, "", &[("org.opencontainers.image.title", "Builds <things>")]),
        );
        own.put_image("teams/zebra/web", "1", image(4, "2026-11-02T00:00:00Z", &[("secret", MARK)]));
        own.put_image("teams/lion/web", "1", image(5, "2026-11-02T00:00:00Z", &[("vendor", "acme")]));
        prod.put_image("approved/nginx", "1", image(1, "2026-11-01T00:00:00Z", &[("vendor", "ACME 100%")]));
        let shelves = Self { own, prod, registries };
        shelves.look(w).await;
        shelves
    }

    async fn look(&self, w: &World) {
        for place in self.registries.all() {
            whole(&w.store, place).await.expect("a look");
        }
    }
}

fn q(text: &str) -> ListQuery {
    ListQuery { q: text.into(), ..ListQuery::default() }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_team_s_images_are_its_own_and_everybody_s_are_everybody_s() {
    each_database(async |store| {
        let w = World::new(store).await;
        let s = Shelves::new(&w).await;
        let p = w.portal_with(s.registries.clone());
        let names = async |c: &_, text: &str| {
            let rows = p.images(c, &q(text)).await.expect("the list").page.rows;
            rows.into_iter().map(|r| format!("{}/{}", r.registry, r.name)).collect::<Vec<_>>()
        };
        let common = ["prod/approved/nginx", "padis/stacks/nginx", "padis/tools/builder"];
        let with = |more: &str| {
            let mut all: Vec<String> = common.iter().map(|n| (*n).to_owned()).collect();
            all.insert(2, more.to_owned());
            all
        };
        assert_eq!(names(&lead(), "").await, with("padis/teams/zebra/web"));
        assert_eq!(names(&stranger(), "").await, with("padis/teams/lion/web"));
        for everything in [operator(), auditor()] {
            assert_eq!(names(&everything, "").await.len(), 5);
        }
        // By name, by version, by label, whatever the case and the order; nothing of a stranger's.
        assert_eq!(names(&lead(), "acme").await, ["prod/approved/nginx", "padis/stacks/nginx"]);
        assert_eq!(names(&lead(), "1.20 NGINX").await, ["padis/stacks/nginx"]);
        assert_eq!(names(&lead(), "100%").await, ["prod/approved/nginx", "padis/stacks/nginx"]);
        assert_eq!(names(&lead(), "1_0").await, Vec::<String>::new());
        assert_eq!(names(&stranger(), MARK).await, Vec::<String>::new());
        let found = p.search(&lead(), "builder").await.expect("hits");
        let image = found.iter().find(|h| h.kind == "image").expect("an image");
        assert_eq!((image.title.as_str(), image.path.as_str()), ("tools/builder", "/images/padis/tools/builder"));
        assert!(p.search(&stranger(), "zebra").await.expect("hits").iter().all(|h| h.kind != "image"));
        let asked = s.own.faults().calls().len();
        for c in [&stranger()] {
            for refused in [
                p.repository(c, "padis", "teams/zebra/web").await.err(),
                p.image(c, "padis", "teams/zebra/web", "1").await.err(),
                p.repository(c, "padis", "teams/zebra/never").await.err(),
                p.repository(c, "nowhere", "stacks/nginx").await.err(),
            ] {
                assert_eq!(refused, Some(Problem::NotFound));
            }
        }
        assert_eq!(s.own.faults().calls().len(), asked, "nobody makes us ask for what is not his");

        let prod = ListQuery { state: "prod".into(), ..ListQuery::default() };
        assert_eq!(p.images(&lead(), &prod).await.expect("one registry").page.total, 1);
        let stage = ListQuery { stage: Some(Stage::Dev), ..ListQuery::default() };
        assert_eq!(p.images(&operator(), &stage).await.expect("a stage").page.total, 4, "those that serve all stages");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_version_says_what_it_is_who_runs_it_and_where_it_is() {
    each_database(async |store| {
        let w = World::new(store).await;
        let s = Shelves::new(&w).await;
        let p = w.portal_with(s.registries.clone());
        w.create(&lead(), &new_app(MARK, "web")).await;
        w.create(&stranger(), &new_app("lion", "site")).await;
        let view = p.repository(&lead(), "padis", "stacks/nginx").await.expect("the repository");
        assert!(view.live);
        let tags: Vec<&str> = view.versions.iter().map(|v| v.tag.as_str()).collect();
        assert_eq!(tags, ["1.22", "1.20"], "newest first");
        assert_eq!((view.row.newest.as_str(), view.row.versions, view.row.bytes), ("1.22", 2, 1000));
        let users: Vec<String> = view.versions[0].used_by.iter().map(|a| a.app.clone()).collect();
        assert_eq!(users, ["web"], "of those that one may see");
        assert_eq!((&view.versions[0].stages, view.versions[1].used_by.len()), (&vec![Stage::Prod], 0));
        assert_eq!(view.targets.iter().map(|t| t.name.as_str()).collect::<Vec<_>>(), ["padis"]);
        let all = p.repository(&operator(), "padis", "stacks/nginx").await.expect("the repository");
        assert_eq!(all.versions[0].used_by.len(), 2);

        let one = p.image(&lead(), "padis", "stacks/nginx", "1.22").await.expect("the version");
        assert_eq!(one.image.expect("what it is").labels["vendor"], "ACME 100%");
        let places: Vec<&str> = one.places.iter().map(|(_, repository, _)| repository.as_str()).collect();
        assert_eq!(places, ["stacks/nginx", "approved/nginx"]);
        assert_eq!(p.image(&lead(), "padis", "stacks/nginx", "9").await.err(), Some(Problem::NotFound));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_changes_in_a_registry_is_seen_and_what_cannot_be_read_hides_nothing() {
    each_database(async |store| {
        let w = World::new(store).await;
        let s = Shelves::new(&w).await;
        let p = w.portal_with(s.registries.clone());
        let own = &s.registries.all()[0];
        assert!(!whole(&w.store, own).await.expect("a look"), "nothing has changed");
        // A tag is moved: whoever looks at the repository sees it at once.
        s.own.put_image("stacks/nginx", "1.22", image(6, "2026-11-05T00:00:00Z", &[]));
        let view = p.repository(&lead(), "padis", "stacks/nginx").await.expect("the repository");
        assert_eq!(view.versions[0].digest, digest(6));
        // The registry is silent: what was known stays, and is said to be from before.
        s.own.faults().down(Some(Fault::Transient));
        let view = p.repository(&lead(), "padis", "stacks/nginx").await.expect("the repository");
        assert_eq!((view.live, view.versions.len()), (false, 2));
        s.own.faults().down(Some(Fault::Hang));
        let began = std::time::Instant::now();
        assert!(!p.repository(&lead(), "padis", "stacks/nginx").await.expect("the repository").live);
        assert!(began.elapsed() < Duration::from_secs(10), "a page does not wait for ever");
        s.own.faults().down(None);
        // One manifest is garbage, or its configuration is gone: said with that version alone.
        s.own.put_image("tools/builder", "2", image(7, "2026-11-06T00:00:00Z", &[]));
        s.own.faults().fail_next("image", When::Before, Fault::Refused);
        s.look(&w).await;
        let broken = p.repository(&lead(), "padis", "tools/builder").await.expect("the repository");
        // It was read again while somebody looked, and is well now.
        assert!(broken.versions.iter().all(|v| v.fault.is_empty()), "{:?}", broken.versions);
        s.own.put_image("tools/builder", "3", image(8, "2026-11-07T00:00:00Z", &[]));
        s.own.faults().fail_next("image", When::Before, Fault::Refused);
        let view = p.repository(&lead(), "padis", "tools/builder").await.expect("the repository");
        let fault = &view.versions.iter().find(|v| v.tag == "3").expect("it is listed").fault;
        assert!(!fault.is_empty());
        assert_eq!(p.image(&lead(), "padis", "tools/builder", "3").await.expect("the version").image, None);
        // A look that fails halfway takes nothing away.
        let had = p.images(&operator(), &q("")).await.expect("the list").page.total;
        s.own.faults().fail_nth("tags", 2, When::Before, Fault::Transient);
        assert!(whole(&w.store, own).await.is_err());
        assert_eq!(p.images(&operator(), &q("")).await.expect("the list").page.total, had);
        // What is gone is gone.
        s.own.remove(&digest(4));
        s.look(&w).await;
        assert_eq!(p.images(&lead(), &q("zebra")).await.expect("the list").page.total, 0);
        let looked = p.images(&lead(), &q("")).await.expect("the list").registries;
        assert!(looked.iter().all(|r| r.seen_at.is_some() && !r.silent), "{looked:?}");
    })
    .await;
}

fn copy() -> NewCopy {
    NewCopy {
        from_registry: "prod".into(),
        from_repository: "approved/nginx".into(),
        from_tag: "1".into(),
        to_registry: "padis".into(),
        to_repository: "mirror/nginx".into(),
        to_tag: "1".into(),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_copy_is_asked_for_by_who_may_once_and_can_be_stopped() {
    each_database(async |store| {
        let w = World::new(store).await;
        let s = Shelves::new(&w).await;
        let p = w.portal_with(s.registries.clone());
        let once = w.once(&operator()).await;
        for c in [lead(), auditor()] {
            assert!(matches!(p.copy_image(&c, &copy(), &once).await, Err(Problem::NotAllowed { .. })));
        }
        assert!(matches!(p.copies(&lead(), &q("")).await, Err(Problem::NotAllowed { .. })));
        // Everything that is wrong is said at once.
        let wrong = NewCopy {
            from_registry: "nowhere".into(),
            from_repository: "../etc".into(),
            to_registry: "prod".into(),
            to_repository: String::new(),
            to_tag: "a b".into(),
            ..copy()
        };
        let Err(Problem::Fields { problems }) = p.copy_image(&operator(), &wrong, &once).await else {
            panic!("not refused")
        };
        let fields: Vec<_> = problems.iter().filter_map(Problem::about_field).collect();
        assert_eq!(fields, ["from_registry", "to_registry", "from_repository", "to_repository", "to_tag"]);
        let gone = NewCopy { from_tag: "9".into(), ..copy() };
        let refused = p.copy_image(&operator(), &gone, &once).await.err();
        assert_eq!(refused, Some(Problem::field("from_tag", ValueFault::Unknown)));
        s.prod.faults().fail_next("digest", When::Before, Fault::Transient);
        let silent = p.copy_image(&operator(), &copy(), &once).await;
        assert!(matches!(silent, Err(Problem::Unavailable { .. })), "{silent:?}");

        let id = p.copy_image(&operator(), &copy(), &once).await.expect("asked");
        assert_eq!(p.copy_image(&operator(), &copy(), &once).await, Ok(id.clone()), "the same form sent twice");
        assert_eq!(w.number("SELECT COUNT(*) FROM image_copy").await, 1);
        assert_eq!(w.number("SELECT COUNT(*) FROM work WHERE key LIKE 'copy:%' AND wanted > done").await, 1);
        let row = p.copies(&auditor(), &q("mirror")).await.expect("the list").rows.remove(0);
        assert_eq!((row.state, row.digest, row.by), (CopyState::Waiting, digest(1), operator().name));

        assert!(matches!(p.cancel_copy(&lead(), &id).await, Err(Problem::NotAllowed { .. })));
        assert_eq!(p.cancel_copy(&operator(), "nothing").await, Err(Problem::NotFound));
        p.cancel_copy(&operator(), &id).await.expect("stopped");
        p.cancel_copy(&operator(), &id).await.expect("stopped already");
        let row = p.copies(&operator(), &q("")).await.expect("the list").rows.remove(0);
        assert_eq!((row.state, row.ended_at.is_some()), (CopyState::Cancelled, true));
        assert_eq!(w.number("SELECT COUNT(*) FROM journal WHERE what LIKE 'image.copy%'").await, 2);
    })
    .await;
}

/// Nobody has told us of it yet: who opens its address finds it all the same, and who may not
/// see it does not make us ask.
#[tokio::test(flavor = "multi_thread")]
async fn a_version_that_was_put_there_a_moment_ago_is_found() {
    each_database(async |store| {
        let w = World::new(store).await;
        let s = Shelves::new(&w).await;
        let p = w.portal_with(s.registries.clone());
        s.own.put_image("teams/zebra/fresh", "1", image(7, "2026-11-02T00:00:00Z", &[]));
        let asked = s.own.faults().count("tags");
        let said = p.image(&stranger(), "padis", "teams/zebra/fresh", "1").await.err();
        assert_eq!(said, Some(Problem::NotFound));
        assert_eq!(s.own.faults().count("tags"), asked, "a stranger had the registry asked");
        let view = p.image(&lead(), "padis", "teams/zebra/fresh", "1").await.expect("it is there");
        assert_eq!(view.version.digest, digest(7));
        // A new version of what is known, and one that is nowhere.
        s.own.put_image("stacks/nginx", "1.23", image(8, "2026-11-02T00:00:00Z", &[]));
        assert_eq!(
            p.image(&stranger(), "padis", "stacks/nginx", "1.23").await.expect("found").version.digest,
            digest(8)
        );
        assert_eq!(p.image(&lead(), "padis", "stacks/nginx", "9").await.err(), Some(Problem::NotFound));
        assert_eq!(p.image(&lead(), "nowhere", "stacks/nginx", "9").await.err(), Some(Problem::NotFound));
    })
    .await;
}
