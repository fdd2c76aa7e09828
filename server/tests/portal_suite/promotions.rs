//! Promotions: who asks, what is checked, four eyes, roll-back, and what others see of it.

use crate::support::each_database;
use crate::world::{MARK, World, auditor, caller, lead, member, new_app, operator, plenty, pool, stranger};
use padis_domain::Problem;
use padis_domain::caller::Caller;
use padis_domain::portal::Portal;
use padis_domain::ports::{Image, ImageStep, Registry};
use padis_domain::problem::ValueFault;
use padis_domain::view::{
    CopyState, ListQuery, NewPromotion, PromotionCheck, PromotionMay, PromotionOffer, PromotionRow, PromotionState,
    Retention, RetentionRow, Stays,
};
use padis_domain::words::{PlatformRole, Stage};
use padis_drivers::fake::{FakeRegistry, FakeTransfer, Fault, When};
use padis_server::images::{Place, Registries, Rules, whole};
use padis_server::portal::PadisPortal;
use padis_server::store::copies;
use std::sync::Arc;
use std::time::Duration;

const WEB: &str = "teams/zebra/web";

fn engineer() -> Caller {
    caller("erik", &[], Some(PlatformRole::Engineer))
}

fn digest(n: u32) -> String {
    if n == 1 { "sha256:1".to_owned() } else { format!("sha256:{n:064}") }
}

fn image(n: u32, bytes: u64) -> Image {
    Image {
        digest: digest(n),
        media_type: "application/vnd.oci.image.manifest.v1+json".into(),
        platforms: vec!["linux/amd64".into()],
        runs_here: true,
        bytes,
        steps: vec![ImageStep { layer: Some((digest(n + 100), 5)), ..ImageStep::default() }],
        ..Image::default()
    }
}

/// Three stages: what goes to test has to run in development, what goes to production needs
/// another's yes and is at most 10 kB.
struct Stages {
    dev: Arc<FakeRegistry>,
    test: Arc<FakeRegistry>,
    prod: Arc<FakeRegistry>,
    registries: Arc<Registries>,
    portal: Arc<PadisPortal>,
}

impl Stages {
    async fn new(w: &World) -> Self {
        let all = ["dev", "test", "prod"].map(|n| (n.to_owned(), Arc::new(FakeRegistry::new())));
        let rules = |stage| Rules {
            approve: stage == Stage::Prod,
            must_run: stage == Stage::Test,
            most_bytes: (stage == Stage::Prod).then_some(10_000),
            ..Rules::default()
        };
        let place = |((name, client), stage): (&(String, Arc<FakeRegistry>), Stage)| Place {
            name: name.clone(),
            place: format!("{name}.example"),
            stage: Some(stage),
            takes: true,
            rules: rules(stage),
            token: None,
            client: client.clone(),
        };
        let places = all.iter().zip([Stage::Dev, Stage::Test, Stage::Prod]).map(place).collect();
        let transfer = Arc::new(FakeTransfer::new(all.clone().into()));
        let registries = Arc::new(Registries::new(places, transfer, Duration::from_secs(600)));
        let [dev, test, prod] = all.map(|(_, client)| client);
        dev.put_image("stacks/nginx", "1.22", image(1, 1000));
        test.put_image("stacks/nginx", "1.22", image(2, 1000));
        test.put_image("stacks/nginx", "large", image(3, 20_000));
        for shelf in [&dev, &test] {
            shelf.put_image(WEB, "1", image(4, 1000));
        }
        let s = Self { dev, test, prod, portal: w.portal_with(registries.clone()), registries };
        s.look(w).await;
        s
    }

    async fn look(&self, w: &World) {
        for place in self.registries.all() {
            whole(&w.store, place).await.expect("a look");
        }
    }

    /// Does what the reconciler does with copies.
    async fn carry(&self, w: &World) {
        let open = sqlx::query_scalar::<_, String>("SELECT id FROM image_copy WHERE state = 'waiting'");
        for id in open.fetch_all(w.store.read()).await.expect("copies") {
            let (asked, _) = copies::find(&w.store, &id).await.expect("an answer").expect("a copy");
            let state = match self.registries.transfer.copy(&asked.from, &asked.to, &|_| {}).await {
                Ok(()) => CopyState::Done,
                Err(_) => CopyState::Failed,
            };
            let mut tx = w.store.begin().await.expect("begin");
            assert!(copies::end(&mut tx, &id, state, "").await.expect("ended"));
            tx.commit().await.expect("commit");
        }
        self.look(w).await;
    }

    async fn offers(&self, c: &Caller, registry: &str, repository: &str, tag: &str) -> Vec<PromotionOffer> {
        self.portal.promotion_offers(c, registry, repository, tag).await.expect("offers")
    }

    async fn list(&self, c: &Caller) -> Vec<PromotionRow> {
        self.portal.promotions(c, &ListQuery::default()).await.expect("the list").rows
    }

    async fn ask(&self, w: &World, c: &Caller, new: &NewPromotion) -> Result<String, Problem> {
        let once = w.once(c).await;
        self.portal.promote(c, new, &once).await
    }
}

fn nginx() -> NewPromotion {
    NewPromotion {
        registry: "test".into(),
        repository: "stacks/nginx".into(),
        tag: "1.22".into(),
        digest: digest(2),
        to: "prod".into(),
        note: "It ran for a week.".into(),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_next_stage_is_offered_with_what_has_to_hold() {
    each_database(async |store| {
        let w = World::new(store).await;
        let s = Stages::new(&w).await;
        let offered = s.offers(&engineer(), "dev", "stacks/nginx", "1.22").await;
        let [offer] = offered.as_slice() else { panic!("{offered:?}") };
        assert_eq!(
            (offer.registry.as_str(), offer.stage, offer.approval, offer.may),
            ("test", Stage::Test, false, true)
        );
        assert_eq!(offer.there, digest(2), "something else is there");
        let checks = vec![PromotionCheck::Readable(true), PromotionCheck::RunsHere(true), PromotionCheck::Runs(false)];
        assert_eq!(offer.checks, checks);
        // An application runs it, but is not online yet; then it is.
        w.create(&lead(), &new_app(MARK, "web")).await;
        assert_eq!(s.offers(&engineer(), "dev", "stacks/nginx", "1.22").await[0].checks, checks);
        w.sql("UPDATE app SET state = 'online'").await;
        let now = s.offers(&engineer(), "dev", "stacks/nginx", "1.22").await;
        assert!(now[0].checks.iter().all(PromotionCheck::holds));
        // Nobody else asks for what is everybody's; after production nothing comes.
        assert!(!s.offers(&lead(), "dev", "stacks/nginx", "1.22").await[0].may);
        let large = s.offers(&operator(), "test", "stacks/nginx", "large").await;
        assert!(large[0].checks.contains(&PromotionCheck::Size { bytes: 20_000, most: 10_000 }));
        s.prod.put_image("stacks/nginx", "1", image(2, 1000));
        s.look(&w).await;
        assert_eq!(s.offers(&operator(), "prod", "stacks/nginx", "1").await, []);
        // A team asks for its own, with the right on both stages.
        let right = async |c: &Caller| s.offers(c, "test", WEB, "1").await.remove(0);
        let own = right(&lead()).await;
        assert!(own.may && own.checks.contains(&PromotionCheck::Right(false)), "{own:?}");
        for (name, stage, subnet, gateway) in [
            ("tests", Stage::Test, "10.211.0.0/24", "10.211.0.1"),
            ("prods", Stage::Prod, "10.212.0.0/24", "10.212.0.1"),
        ] {
            let spec = padis_domain::pool::PoolSpec { stage, ..pool(name, subnet, gateway) };
            let once = w.once(&operator()).await;
            w.portal.put_pool(&operator(), &spec, 0, &once).await.expect("a pool");
            w.portal.put_quota(&operator(), name, MARK, &plenty()).await.expect("a quota");
        }
        assert!(right(&lead()).await.checks.contains(&PromotionCheck::Right(true)));
        assert!(!right(&auditor()).await.may);
        assert_eq!(s.portal.promotion_offers(&stranger(), "test", WEB, "1").await, Err(Problem::NotFound));
        assert_eq!(s.portal.promotion_offers(&engineer(), "test", WEB, "1").await, Err(Problem::NotFound));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn four_eyes_then_it_goes_and_can_be_taken_back() {
    each_database(async |store| {
        let w = World::new(store).await;
        let s = Stages::new(&w).await;
        s.prod.put_image("stacks/nginx", "1.22", image(7, 900));
        s.look(&w).await;
        let once = w.once(&operator()).await;
        for c in [member(), auditor()] {
            assert!(matches!(s.portal.promote(&c, &nginx(), &once).await, Err(Problem::NotAllowed { .. })));
        }
        let silent = NewPromotion { note: " ".into(), ..nginx() };
        assert_eq!(s.ask(&w, &operator(), &silent).await, Err(Problem::field("note", ValueFault::Missing)));
        let back = NewPromotion { registry: "prod".into(), to: "test".into(), ..nginx() };
        assert_eq!(s.ask(&w, &operator(), &back).await, Err(Problem::field("to", ValueFault::Unknown)));
        let moved = NewPromotion { digest: digest(1), ..nginx() };
        assert_eq!(s.ask(&w, &operator(), &moved).await, Err(Problem::NotReady), "something else than was seen");
        let large = NewPromotion { tag: "large".into(), digest: digest(3), ..nginx() };
        assert_eq!(s.ask(&w, &operator(), &large).await, Err(Problem::NotReady));
        s.prod.faults().fail_next("digest", When::Before, Fault::Transient);
        assert!(matches!(s.ask(&w, &operator(), &nginx()).await, Err(Problem::Unavailable { .. })));
        assert_eq!(s.list(&operator()).await, []);

        let id = s.portal.promote(&operator(), &nginx(), &once).await.expect("asked");
        assert_eq!(s.portal.promote(&operator(), &nginx(), &once).await, Ok(id.clone()), "the same form sent twice");
        assert_eq!(s.ask(&w, &engineer(), &nginx()).await, Err(Problem::NotReady), "somebody has asked already");
        let open = s.offers(&engineer(), "test", "stacks/nginx", "1.22").await.remove(0).checks;
        assert!(open.contains(&PromotionCheck::Free { by: operator().name }), "{open:?}");
        assert_eq!(w.number("SELECT COUNT(*) FROM image_copy").await, 0, "nothing goes before somebody agrees");

        // Not whoever asked, not who only looks, not without a reason.
        let p = &s.portal;
        let other = Problem::NotAllowed { needs: "other".into() };
        assert_eq!(p.judge_promotion(&operator(), &id, true, "").await, Err(other));
        for c in [lead(), auditor()] {
            assert!(matches!(p.judge_promotion(&c, &id, true, "").await, Err(Problem::NotAllowed { .. })));
        }
        let missing = Err(Problem::field("note", ValueFault::Missing));
        assert_eq!(p.judge_promotion(&engineer(), &id, false, "").await, missing);
        let may = async |c: &Caller| s.list(c).await.remove(0).may;
        let judge = PromotionMay { judge: true, ..PromotionMay::default() };
        assert_eq!((may(&engineer()).await, may(&lead()).await), (judge, PromotionMay::default()));
        assert_eq!(may(&operator()).await, PromotionMay { withdraw: true, ..PromotionMay::default() });

        p.judge_promotion(&engineer(), &id, true, "Fine.").await.expect("agreed");
        assert_eq!(p.judge_promotion(&engineer(), &id, false, "No.").await, Err(Problem::NotReady), "it is decided");
        assert_eq!(p.withdraw_promotion(&operator(), &id).await, Err(Problem::NotReady));
        assert_eq!(p.roll_back_promotion(&operator(), &id).await, Err(Problem::NotReady), "it is not there yet");
        s.carry(&w).await;
        let names = async || s.prod.digest("stacks/nginx", "1.22").await.expect("an answer");
        assert_eq!(names().await, Some(digest(2)));
        let row = s.list(&auditor()).await.remove(0);
        assert_eq!((row.state, row.copy, row.before), (PromotionState::Approved, Some(CopyState::Done), digest(7)));
        assert_eq!((row.judged_by, row.judged_note.as_str()), (engineer().name, "Fine."));

        // Back: what was there before is there again, and it is done once.
        assert!(matches!(p.roll_back_promotion(&lead(), &id).await, Err(Problem::NotAllowed { .. })));
        p.roll_back_promotion(&engineer(), &id).await.expect("rolled back");
        assert_eq!(p.roll_back_promotion(&engineer(), &id).await, Err(Problem::NotReady));
        s.carry(&w).await;
        assert_eq!(names().await, Some(digest(7)));
        let row = s.list(&operator()).await.remove(0);
        assert_eq!((row.state, row.copy, row.back_by), (PromotionState::Back, Some(CopyState::Done), engineer().name));
        let told = w
            .number("SELECT COUNT(*) FROM journal WHERE what IN ('image.promote', 'image.approve', 'image.roll-back')");
        assert_eq!(told.await, 3);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_not_there_is_taken_away_unless_something_else_needs_it() {
    each_database(async |store| {
        let w = World::new(store).await;
        let s = Stages::new(&w).await;
        let p = &s.portal;
        let id = s.ask(&w, &operator(), &nginx()).await.expect("asked");
        p.judge_promotion(&engineer(), &id, true, "").await.expect("agreed");
        s.carry(&w).await;
        let names = async |tag: &str| s.prod.digest("stacks/nginx", tag).await.expect("an answer");
        // Somebody else's name for the same.
        s.prod.put_image("stacks/nginx", "stable", image(2, 1000));
        assert_eq!(p.roll_back_promotion(&operator(), &id).await, Err(Problem::NotReady));
        assert_eq!(names("1.22").await, Some(digest(2)));
        s.prod.put_image("stacks/nginx", "stable", image(8, 1000));
        // An application of production runs it from there.
        w.create(&lead(), &new_app(MARK, "web")).await;
        let spec = format!("{{\"image\":\"prod.example/stacks/nginx@{}\"}}", digest(2));
        w.sql(&format!("UPDATE release SET digest = '{}', spec = '{spec}'", digest(2))).await;
        assert_eq!(p.roll_back_promotion(&operator(), &id).await, Err(Problem::NotReady));
        w.sql("UPDATE release SET digest = 'sha256:1', spec = '{}'").await;
        s.prod.faults().fail_next("delete", When::Before, Fault::Transient);
        assert!(matches!(p.roll_back_promotion(&operator(), &id).await, Err(Problem::Unavailable { .. })));
        assert_eq!(s.list(&operator()).await[0].state, PromotionState::Approved);
        p.roll_back_promotion(&operator(), &id).await.expect("rolled back");
        assert_eq!(names("1.22").await, None);
        let row = s.list(&operator()).await.remove(0);
        assert_eq!((row.state, row.copy), (PromotionState::Back, Some(CopyState::Done)));
        // A portal that was killed between the deed and the note of it: it is noted.
        let id = s.ask(&w, &operator(), &nginx()).await.expect("asked again");
        p.judge_promotion(&engineer(), &id, true, "").await.expect("agreed");
        s.carry(&w).await;
        s.prod.delete("stacks/nginx", &digest(2)).await.expect("gone");
        p.roll_back_promotion(&operator(), &id).await.expect("noted");
        // What somebody has moved since is not taken away.
        let id = s.ask(&w, &operator(), &nginx()).await.expect("asked again");
        p.judge_promotion(&engineer(), &id, true, "").await.expect("agreed");
        s.carry(&w).await;
        s.prod.put_image("stacks/nginx", "1.22", image(9, 1000));
        assert_eq!(p.roll_back_promotion(&operator(), &id).await, Err(Problem::NotReady));
        assert_eq!(names("1.22").await, Some(digest(9)));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_team_s_promotions_are_its_own_and_two_at_once_make_one() {
    each_database(async |store| {
        let w = World::new(store).await;
        let s = Stages::new(&w).await;
        let p = &s.portal;
        let web = NewPromotion { repository: WEB.into(), tag: "1".into(), digest: digest(4), ..nginx() };
        let lacking = s.ask(&w, &lead(), &web).await;
        assert_eq!(lacking, Err(Problem::NotReady), "without the right on both stages");
        assert_eq!(s.ask(&w, &stranger(), &web).await, Err(Problem::NotFound));
        assert_eq!(s.ask(&w, &engineer(), &web).await, Err(Problem::NotFound));
        let id = s.ask(&w, &operator(), &web).await.expect("asked");
        assert_eq!(s.list(&member()).await.len(), 1);
        for c in [stranger(), engineer()] {
            assert_eq!(s.list(&c).await, []);
            assert_eq!(p.withdraw_promotion(&c, &id).await, Err(Problem::NotFound));
        }
        assert_eq!(p.judge_promotion(&engineer(), &id, true, "").await, Err(Problem::NotFound));
        assert!(matches!(p.withdraw_promotion(&lead(), &id).await, Err(Problem::NotAllowed { .. })), "it is not his");
        p.withdraw_promotion(&operator(), &id).await.expect("taken back");
        // What is decided needs no other: it goes at once, and only if it runs.
        let dev = NewPromotion { registry: "dev".into(), digest: digest(1), to: "test".into(), ..nginx() };
        assert_eq!(s.ask(&w, &engineer(), &dev).await, Err(Problem::NotReady));
        w.create(&lead(), &new_app(MARK, "web")).await;
        w.sql("UPDATE app SET state = 'online'").await;
        s.ask(&w, &engineer(), &dev).await.expect("under way");
        assert_eq!(w.number("SELECT COUNT(*) FROM work WHERE key LIKE 'copy:%' AND wanted > done").await, 1);
        s.carry(&w).await;
        assert_eq!(s.test.digest("stacks/nginx", "1.22").await.expect("an answer"), Some(digest(1)));
        assert_eq!(s.dev.tags("stacks/nginx").await.expect("tags"), ["1.22"]);
        // Two people ask for one version of production in the same moment.
        let both = NewPromotion { digest: digest(1), ..nginx() };
        let (op, eng) = (operator(), engineer());
        let (one, two) = tokio::join!(s.ask(&w, &op, &both), s.ask(&w, &eng, &both));
        assert!(one.is_ok() != two.is_ok(), "{one:?} {two:?}");
        assert_eq!(one.err().or(two.err()), Some(Problem::NotReady));
        assert_eq!(w.number("SELECT COUNT(*) FROM promotion WHERE state = 'asked'").await, 1);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_nothing_needs_is_shown_before_it_goes() {
    each_database(async |store| {
        let w = World::new(store).await;
        let s = Stages::new(&w).await;
        let p = &s.portal;
        // Five versions, the newest first in time; two of them are one digest.
        for (n, tag) in [(11, "1"), (12, "2"), (13, "3"), (14, "4"), (14, "also-4"), (15, "5")] {
            let created = format!("2026-01-{n:02}T00:00:00Z");
            s.dev.put_image("tools/t", tag, Image { created, ..image(n, u64::from(n) * 100) });
        }
        s.look(&w).await;
        // First seen long ago: what was first seen today is young.
        w.sql("UPDATE image_tag SET since = 1").await;
        let rule = Retention { newest: 1, days: 30 };
        let rows = async |rule| p.retention(&engineer(), "dev", "tools/t", Some(rule)).await.expect("a list").rows;
        let all = rows(rule).await;
        let stays: Vec<(String, Vec<Stays>)> = all.iter().map(|r| (r.tags.join(" "), r.stays.clone())).collect();
        let none = Vec::new;
        let want = [("5", vec![Stays::Newest]), ("4 also-4", none()), ("3", none()), ("2", none()), ("1", none())];
        assert_eq!(stays, want.map(|(t, w)| (t.to_owned(), w)));
        assert!(rows(Retention { newest: 0, days: 36_500 }).await.iter().all(|r| r.stays == [Stays::Young]));
        // A version for several platforms that stays keeps whatever could be a part of it.
        let list = "application/vnd.oci.image.index.v1+json";
        let index = Image { media_type: list.into(), created: "2026-01-16T00:00:00Z".into(), ..image(16, 1) };
        s.dev.put_image("tools/t", "all", index);
        s.look(&w).await;
        w.sql("UPDATE image_tag SET since = 1").await;
        assert!(rows(rule).await.iter().skip(1).all(|r| r.stays == [Stays::Part]));
        s.dev.remove(&digest(16));
        s.look(&w).await;
        w.sql("UPDATE image_tag SET since = 1").await;
        // What is run, may be chosen, or is on its way stays.
        w.create(&lead(), &new_app(MARK, "web")).await;
        w.sql(&format!("UPDATE release SET digest = '{}'", digest(11))).await;
        w.sql(&format!("UPDATE stack SET digest = '{}'", digest(12))).await;
        s.ask(&w, &operator(), &nginx()).await.expect("asked");
        w.sql(&format!("UPDATE promotion SET from_place = 'dev', repository = 'tools/t', digest = '{}'", digest(13)))
            .await;
        let why = |n: usize, all: &[RetentionRow]| all[n].stays.clone();
        let all = rows(rule).await;
        assert_eq!((why(4, &all), why(3, &all)), (vec![Stays::Used], vec![Stays::Standard]));
        assert_eq!((why(2, &all), why(1, &all)), (vec![Stays::Promotion], vec![]));

        // Whoever may not change the repository is offered nothing, and gets nothing.
        let seen = vec![digest(14), digest(11)];
        let once = w.once(&lead()).await;
        let refused = p.apply_retention(&lead(), "dev", "tools/t", rule, &seen, &once).await;
        assert!(matches!(refused, Err(Problem::NotAllowed { .. })));
        let look = p.retention(&lead(), "dev", "tools/t", Some(rule)).await.expect("a list");
        assert_eq!((look.may, look.rows.len()), (false, 0));
        assert_eq!(p.retention(&engineer(), "dev", WEB, Some(rule)).await, Err(Problem::NotFound));
        let wide = Retention { newest: 10_001, days: 0 };
        assert!(matches!(p.retention(&engineer(), "dev", "tools/t", Some(wide)).await, Err(Problem::Field { .. })));
        // Only what was seen and still goes; the same form twice is done once.
        let once = w.once(&engineer()).await;
        for _ in 0..2 {
            p.apply_retention(&engineer(), "dev", "tools/t", rule, &seen, &once).await.expect("recorded");
        }
        let items = sqlx::query_scalar::<_, String>("SELECT digest FROM retention_item").fetch_all(w.store.read());
        assert_eq!(items.await.expect("items"), [digest(14)]);
        assert_eq!(w.number("SELECT COUNT(*) FROM work WHERE key LIKE 'tidy:%' AND wanted > done").await, 1);
        let run = p.retention(&engineer(), "dev", "tools/t", None).await.expect("a list").runs.remove(0);
        assert_eq!((run.left, run.gone, run.by, run.ended_at), (1, 0, engineer().name, None));
        let needed =
            p.apply_retention(&engineer(), "dev", "tools/t", rule, &[digest(11)], &w.once(&engineer()).await).await;
        assert_eq!(needed, Err(Problem::NotReady));
    })
    .await;
}
