//! What is inside images: who may ask and see, what is found, and which running
//! applications have a vulnerability.

use crate::support::each_database;
use crate::world::{MARK, World, auditor, contained, lead, member, new_app, operator, read, stranger};
use padis_domain::Problem;
use padis_domain::portal::Portal;
use padis_domain::ports::{Image, ImageStep};
use padis_domain::view::{InsideQuery, InsideState, ListQuery, Severity};
use padis_drivers::fake::{FakeRegistry, FakeTransfer};
use padis_server::images::{Place, Registries, whole};
use padis_server::osv::Known;
use padis_server::store::inside;
use std::sync::Arc;
use std::time::Duration;

/// The digest that the world's middleware has.
const NGINX: &str = "sha256:1";

/// One registry with the middleware, and an image of team lion that is the same one.
async fn shelf(w: &World) -> Arc<Registries> {
    let own = Arc::new(FakeRegistry::new());
    let image = Image {
        digest: NGINX.to_owned(),
        platforms: vec!["linux/amd64".into()],
        created: "2026-11-22T08:00:00Z".into(),
        steps: vec![ImageStep { layer: Some(("sha256:layer".into(), 5)), ..ImageStep::default() }],
        ..Image::default()
    };
    own.put_image("stacks/nginx", "1.22", image.clone());
    own.put_image("teams/lion/copy", "1", image);
    let place = Place {
        name: "padis".into(),
        place: "padis.example".into(),
        stage: None,
        takes: true,
        rules: padis_server::images::Rules::default(),
        token: None,
        client: own.clone(),
    };
    let transfer = Arc::new(FakeTransfer::new([("padis".to_owned(), own)].into()));
    let all = Registries::new(vec![place], transfer, Duration::from_secs(600));
    whole(&w.store, &all.all()[0]).await.expect("a look");
    Arc::new(all)
}

/// A feed with a hole in OpenSSL before 3.0.13.
fn known() -> (Arc<Known>, tempfile::TempDir) {
    let folder = tempfile::tempdir().expect("a folder");
    let feed = serde_json::json!([{
        "id": "CVE-2024-0001", "summary": "A hole",
        "database_specific": {"severity": "HIGH"},
        "affected": [{
            "package": {"ecosystem": "Debian:12", "name": "openssl"},
            "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "3.0.13-1"}]}]
        }]
    }]);
    std::fs::write(folder.path().join("feed.json"), feed.to_string()).expect("written");
    let known = Known::new(Some(folder.path().to_owned()));
    known.read();
    (Arc::new(known), folder)
}

fn q(package: &str, file: &str) -> InsideQuery {
    InsideQuery { package: package.into(), file: file.into() }
}

#[tokio::test(flavor = "multi_thread")]
async fn reading_is_asked_for_once_by_those_who_may() {
    each_database(async |store| {
        let w = World::new(store).await;
        let p = w.portal_with(shelf(&w).await);
        let state =
            async || p.inside(&lead(), "padis", "stacks/nginx", "1.22", &q("", "")).await.expect("a view").state;
        assert_eq!(state().await, None);
        for c in [lead(), member(), auditor()] {
            let asked = p.look_inside(&c, "padis", "stacks/nginx", "1.22").await;
            assert!(matches!(asked, Err(Problem::NotAllowed { .. })), "{asked:?}");
        }
        assert_eq!(p.look_inside(&operator(), "padis", "stacks/nginx", "9").await, Err(Problem::NotFound));
        let work = format!("SELECT COUNT(*) FROM work WHERE key = '{}'", inside::key(NGINX));
        assert_eq!(w.number(&work).await, 0);
        for _ in 0..2 {
            p.look_inside(&operator(), "padis", "stacks/nginx", "1.22").await.expect("asked");
        }
        assert_eq!((state().await, w.number(&work).await), (Some(InsideState::Waiting), 1));
        assert_eq!(w.number("SELECT COUNT(*) FROM journal WHERE what = 'image.look-inside'").await, 1);
        // A team's own is for its members, and is nothing to others.
        p.look_inside(&stranger(), "padis", "teams/lion/copy", "1").await.expect("his own");
        for c in [lead(), member()] {
            assert_eq!(p.look_inside(&c, "padis", "teams/lion/copy", "1").await, Err(Problem::NotFound));
            assert_eq!(p.inside(&c, "padis", "teams/lion/copy", "1", &q("", "")).await.err(), Some(Problem::NotFound));
            assert_eq!(p.bill_of_materials(&c, "padis", "teams/lion/copy", "1").await, Err(Problem::NotFound));
        }
        // What failed may be asked for again.
        inside::note(&w.store, NGINX, InsideState::Failed, "why").await.expect("noted");
        p.look_inside(&operator(), "padis", "stacks/nginx", "1.22").await.expect("asked");
        assert_eq!(state().await, Some(InsideState::Waiting));
        assert_eq!(p.bill_of_materials(&lead(), "padis", "stacks/nginx", "1.22").await, Err(Problem::NotFound));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn packages_files_and_the_bill_are_those_of_the_version() {
    each_database(async |store| {
        let w = World::new(store).await;
        let p = w.portal_with(shelf(&w).await);
        let packages: Vec<_> = (0..300).map(|n| contained(&format!("lib{n:03}"), "100%")).collect();
        read(&w.store, NGINX, "padis", "stacks/nginx", &packages).await;
        let view = async |asked: InsideQuery| {
            p.inside(&lead(), "padis", "stacks/nginx", "1.22", &asked).await.expect("a view")
        };
        let all = view(q("", "")).await;
        assert_eq!((all.state, all.found, all.packages.len()), (Some(InsideState::Read), 300, 200));
        assert_eq!((all.counts[0].1, all.files_total, all.files.len(), all.os.as_str()), (300, 2, 0, "Debian"));
        assert_eq!((all.feed, all.may_ask), (None, false));
        let some = view(q("100% LIB29", "NGINX conf")).await;
        assert_eq!((some.found, some.packages[0].name.as_str()), (10, "lib290"));
        let file = &some.files[0];
        assert_eq!((some.files_found, &*file.path, &*file.layer), (1, "etc/nginx/nginx.conf", "sha256:layer"));
        assert_eq!(view(q("1_0", "")).await.found, 0);
        let bill = p.bill_of_materials(&lead(), "padis", "stacks/nginx", "1.22").await.expect("a bill");
        let bill: serde_json::Value = serde_json::from_str(&bill).expect("JSON");
        assert_eq!(bill["components"].as_array().expect("a list").len(), 301, "its system, too");
        assert_eq!(bill["components"][0]["purl"], "pkg:deb/debian/lib000@100%");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_runs_a_vulnerability_is_told_to_his_own_team_only() {
    each_database(async |store| {
        let w = World::new(store).await;
        let (known, _folder) = known();
        let p = w.portal_knowing(shelf(&w).await, known);
        w.create(&lead(), &new_app(MARK, "web")).await;
        w.create(&stranger(), &new_app("lion", "site")).await;
        let list = async |c: &_, text: &str| {
            let q = ListQuery { q: text.into(), ..ListQuery::default() };
            p.vulnerabilities(c, &q).await.expect("the list")
        };
        let names = |apps: &[padis_domain::app::AppRef]| apps.iter().map(ToString::to_string).collect::<Vec<_>>();
        let before = list(&lead(), "").await;
        assert_eq!((before.page.total, names(&before.unread)), (0, vec!["zebra/web".to_owned()]));
        read(&w.store, NGINX, "padis", "stacks/nginx", &[contained("openssl", "3.0.11-1"), contained("zlib", "1")])
            .await;
        for (c, apps) in [
            (lead(), vec!["zebra/web"]),
            (stranger(), vec!["lion/site"]),
            (operator(), vec!["lion/site", "zebra/web"]),
            (auditor(), vec!["lion/site", "zebra/web"]),
        ] {
            let view = list(&c, "").await;
            assert_eq!((view.page.total, view.unread.len()), (1, 0));
            let row = &view.page.rows[0];
            assert_eq!((row.one.id.as_str(), row.one.severity), ("CVE-2024-0001", Severity::High));
            assert_eq!((row.one.package.as_str(), row.one.fixed.as_str()), ("openssl", "3.0.13-1"));
            assert_eq!(names(&row.apps), apps);
        }
        assert_eq!(list(&operator(), "OPENSSL lion").await.page.total, 1);
        assert_eq!(list(&lead(), "lion").await.page.total, 0, "another team's application is not even searched");
        let view = p.inside(&lead(), "padis", "stacks/nginx", "1.22", &q("", "")).await.expect("a view");
        assert_eq!((view.vulnerabilities_total, view.vulnerabilities[0].version.as_str()), (1, "3.0.11-1"));
        assert_eq!(view.feed.expect("a feed").entries, 1);
    })
    .await;
}
