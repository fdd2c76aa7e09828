//! What a registry takes at most of a team's images, and what may not be in an image that is
//! promoted into it.

use crate::support::each_database;
use crate::world::{HOST, World, lead, member, operator};
use padis_domain::Problem;
use padis_domain::benches::Benches;
use padis_domain::portal::Portal;
use padis_domain::ports::Image;
use padis_domain::view::{NewBench, NewCommit, NewCopy, NewPromotion, PromotionCheck, TeamRoom};
use padis_domain::words::Stage;
use padis_drivers::fake::{FakeRegistry, FakeTransfer};
use padis_server::images::{Place, Registries, Rules, whole};
use padis_server::inside::{Inside, Os};
use padis_server::store::inside;
use std::sync::Arc;
use std::time::Duration;

const WEB: &str = "teams/zebra/web";

fn image(n: u32) -> Image {
    Image {
        digest: format!("sha256:{n:064}"),
        platforms: vec!["linux/amd64".into()],
        runs_here: true,
        bytes: 1000,
        ..Image::default()
    }
}

struct Shelves {
    dev: Arc<FakeRegistry>,
    test: Arc<FakeRegistry>,
    registries: Arc<Registries>,
    portal: Arc<padis_server::portal::PadisPortal>,
}

/// Two registries; into the second go three versions of a team, 2,500 bytes in all, and
/// nothing that looks like a secret.
async fn shelves(w: &World) -> Shelves {
    let (dev, test) = (Arc::new(FakeRegistry::new()), Arc::new(FakeRegistry::new()));
    let strict = Rules { clean: true, team_versions: 3, team_bytes: 2_500, ..Rules::default() };
    let place = |name: &str, stage, rules, client: &Arc<FakeRegistry>| Place {
        name: name.into(),
        place: format!("{name}.example"),
        stage: Some(stage),
        takes: true,
        rules,
        token: None,
        client: client.clone(),
    };
    let places = vec![
        place("padis", Stage::Dev, Rules { team_versions: 2, ..Rules::default() }, &dev),
        place("test", Stage::Test, strict, &test),
    ];
    let all = [("padis".to_owned(), dev.clone()), ("test".to_owned(), test.clone())];
    let transfer = Arc::new(FakeTransfer::new(all.into()));
    let registries = Arc::new(Registries::new(places, transfer, Duration::from_secs(600)));
    dev.put_image(WEB, "1", image(1));
    let s = Shelves { dev, test, portal: w.portal_with(registries.clone()), registries };
    s.look(w).await;
    s
}

impl Shelves {
    async fn look(&self, w: &World) {
        for place in self.registries.all() {
            whole(&w.store, place).await.expect("a look");
        }
    }

    async fn checks(&self) -> Vec<PromotionCheck> {
        let offers = self.portal.promotion_offers(&operator(), "padis", WEB, "1").await.expect("offers");
        offers.into_iter().next().expect("one").checks
    }
}

async fn inside_of(w: &World, n: u32, files: &[&str]) {
    let digest = image(n).digest;
    let mut tx = w.store.begin().await.expect("begin");
    inside::ask(&mut tx, &digest, "padis", WEB).await.expect("asked");
    tx.commit().await.expect("commit");
    let files = files.iter().map(|f| ((*f).into(), 7, 0)).collect();
    let found = Inside { os: Os::parse("ID=debian\nVERSION_ID=12\n"), packages: Vec::new(), files, notes: Vec::new() };
    inside::put(&w.store, &digest, &found).await.expect("written");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_looks_like_a_secret_is_not_promoted() {
    each_database(|store| async move {
        let w = World::new(store).await;
        let s = shelves(&w).await;
        let clean = |all: &[PromotionCheck]| {
            all.iter().find(|c| matches!(c, PromotionCheck::Clean { .. })).cloned().expect("it is checked")
        };
        // What nobody has looked into is not known to be clean.
        assert_eq!(clean(&s.checks().await), PromotionCheck::Clean { read: false, found: 0, first: String::new() });
        inside_of(&w, 1, &["etc/nginx.conf", "root/.ssh/id_rsa", "root/.bash_history", "usr/bin/sh"]).await;
        let found = PromotionCheck::Clean { read: true, found: 2, first: "/root/.ssh/id_rsa".into() };
        assert_eq!(clean(&s.checks().await), found);
        assert!(!found.holds());
        let new = NewPromotion {
            registry: "padis".into(),
            repository: WEB.into(),
            tag: "1".into(),
            digest: image(1).digest,
            to: "test".into(),
            note: String::new(),
        };
        let once = s.portal.once(&operator()).await.expect("a token");
        assert_eq!(s.portal.promote(&operator(), &new, &once).await, Err(Problem::NotReady));
        inside_of(&w, 1, &["etc/nginx.conf", "usr/bin/sh"]).await;
        assert!(clean(&s.checks().await).holds());
        s.portal.promote(&operator(), &new, &once).await.expect("asked for");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_teams_images_have_so_much_room_and_no_more() {
    each_database(|store| async move {
        let w = World::new(store).await;
        let s = shelves(&w).await;
        inside_of(&w, 1, &["etc/nginx.conf"]).await;
        let room = async || {
            let all = s.checks().await;
            all.into_iter().find(|c| matches!(c, PromotionCheck::Room(_))).expect("it is checked")
        };
        let with = |versions, bytes| {
            PromotionCheck::Room(TeamRoom {
                team: "zebra".into(),
                versions,
                most_versions: 3,
                bytes,
                most_bytes: 2_500,
            })
        };
        assert_eq!(room().await, with(1, 1000));
        // What somebody has pushed counts as what was put there through the portal.
        s.test.put_image(WEB, "7", image(7));
        s.test.put_image("teams/zebra/other", "8", image(8));
        // Of another team, and everybody's: not theirs.
        s.test.put_image("teams/lion/web", "1", image(9));
        s.test.put_image("stacks/nginx", "1", image(10));
        s.look(&w).await;
        assert_eq!(room().await, with(3, 3000));
        assert!(!room().await.holds());
        let view = s.portal.repository(&member(), "test", WEB).await.expect("it is there");
        let Some(seen) = view.room else { panic!("a limit is shown") };
        assert_eq!((seen.versions, seen.bytes), (2, 2000));
        let copy = NewCopy {
            from_registry: "padis".into(),
            from_repository: WEB.into(),
            from_tag: "1".into(),
            to_registry: "test".into(),
            to_repository: WEB.into(),
            to_tag: "1".into(),
        };
        let once = s.portal.once(&operator()).await.expect("a token");
        let said = s.portal.copy_image(&operator(), &copy, &once).await;
        assert!(matches!(&said, Err(Problem::NoRoomForImages { room }) if room.team == "zebra"), "{said:?}");
        // What takes the place of another needs no room of its own; everybody's has no limit.
        let instead = NewCopy { to_tag: "7".into(), ..copy.clone() };
        s.portal.copy_image(&operator(), &instead, &once).await.expect("asked for");
        let once = s.portal.once(&operator()).await.expect("a token");
        let elsewhere = NewCopy { to_repository: "tools/web".into(), ..copy };
        s.portal.copy_image(&operator(), &elsewhere, &once).await.expect("asked for");
        // A version of a workbench, in the registry that engines use.
        s.dev.put_image(WEB, "2", image(2));
        s.look(&w).await;
        let host = padis_domain::ports::Host {
            id: "agent-bench".into(),
            name: HOST.into(),
            attributes: [("rack".to_owned(), "striped".to_owned())].into(),
            active: true,
            cpu_milli: 4000,
            cpu_used_milli: 0,
            mem_mib: 4096,
            mem_used_mib: 0,
            tasks: 0,
        };
        w.live.set_hosts(vec![host], std::collections::BTreeMap::new(), 1);
        let once = s.portal.once(&lead()).await.expect("a token");
        let new = NewBench { repository: WEB.into(), tag: "1".into(), pool: "striped".into() };
        let bench = s.portal.start_bench(&lead(), &new, &once).await.expect("started");
        padis_server::store::benches::opened(&w.store, &bench, "").await.expect("open");
        let once = s.portal.once(&lead()).await.expect("a token");
        let kept = NewCommit {
            bench,
            repository: WEB.into(),
            tag: "3".into(),
            description: "more".into(),
            ..NewCommit::default()
        };
        let said = s.portal.commit_bench(&lead(), &kept, &once).await;
        assert!(matches!(said, Err(Problem::NoRoomForImages { .. })), "{said:?}");
    })
    .await;
}
