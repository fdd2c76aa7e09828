//! Calls every method of the portal about one application and everything around
//! it, as anybody. A method that is forgotten here fails the test below.

use crate::world::{ARCHIVE, BENCH, MARK, RECIPE, SHA, STACK, World, new_app, plenty, pool};
use futures::StreamExt;
use padis_domain::Problem;
use padis_domain::app::{AppRef, HealthRule};
use padis_domain::archives::Archives;
use padis_domain::benches::Benches;
use padis_domain::caller::Caller;
use padis_domain::portal::{Answer, Portal};
use padis_domain::recipes::{NewRecipeFile, Recipes};
use padis_domain::tidying::Tidying;
use padis_domain::view::{
    InsideQuery, ListQuery, LogQuery, MarkEdit, NewArchive, NewBench, NewCommit, NewCopy, NewPromotion, NewRelease,
    PersonEdit, RecipeText, Retention, StackState, TeamEdit, VersionToDelete,
};
use padis_domain::words::PlatformRole;
use serde::Serialize;

/// What a method answered: JSON, or the problem.
pub type Said = (&'static str, Result<String, Problem>);

fn say<T: Serialize>(out: &mut Vec<Said>, name: &'static str, answer: Answer<T>) {
    out.push((name, answer.map(|a| serde_json::to_string(&a).expect("JSON"))));
}

/// The methods that look.
pub async fn looks(w: &World, c: &Caller, app: &AppRef, task: &str) -> Vec<Said> {
    let (p, q, mut out) = (&w.portal, ListQuery::default(), Vec::new());
    say(&mut out, "nav", p.nav(c, None).await);
    say(&mut out, "overview", p.overview(c, None).await);
    for text in [MARK, "10.210.16.", "portal", "common", "nginx", "a"] {
        say(&mut out, "search", p.search(c, text).await);
    }
    say(&mut out, "once", p.once(c).await);
    say(&mut out, "apps", p.apps(c, &q).await);
    say(&mut out, "apps", p.apps(c, &ListQuery { team: app.team.clone(), ..q.clone() }).await);
    say(&mut out, "app", p.app(c, app).await);
    say(&mut out, "releases", p.releases(c, app).await);
    say(&mut out, "delivery", p.delivery(c, app, 1).await);
    say(&mut out, "timeline", p.timeline(c, app, &q).await);
    say(&mut out, "claims", p.claims(c, app).await);
    say(&mut out, "log_sources", p.log_sources(c, app).await);
    let log =
        LogQuery { task_id: task.into(), file: "access.log".into(), offset: None, length: 1000, find: String::new() };
    say(&mut out, "log", p.log(c, app, &log).await);
    say(&mut out, "charts", p.charts(c, app, 60).await);
    say(&mut out, "new_app_options", p.new_app_options(c).await);
    say(&mut out, "check_new_app", p.check_new_app(c, &new_app(&app.team, "another")).await);
    say(&mut out, "packages", p.packages(c, &q).await);
    say(&mut out, "package", p.package(c, SHA).await);
    say(&mut out, "stacks", p.stacks(c).await);
    say(&mut out, "stack_notice", p.stack_notice(c, app).await);
    say(&mut out, "images", p.images(c, &q).await);
    say(&mut out, "repository", p.repository(c, "padis", "teams/zebra/web").await);
    say(&mut out, "image", p.image(c, "padis", "teams/zebra/web", "1").await);
    say(&mut out, "promotion_offers", p.promotion_offers(c, "padis", "teams/zebra/web", "1").await);
    say(&mut out, "retention", p.retention(c, "padis", "teams/zebra/web", Some(Retention::default())).await);
    say(&mut out, "promotions", p.promotions(c, &q).await);
    let of = ("padis", "teams/zebra/web", "1");
    say(&mut out, "version_fate", p.version_fate(c, of.0, of.1, of.2).await);
    say(&mut out, "collections", p.collections(c).await);
    let asked = InsideQuery { package: String::new(), file: "nginx".into() };
    say(&mut out, "inside", p.inside(c, of.0, of.1, of.2, &asked).await);
    say(&mut out, "bill_of_materials", p.bill_of_materials(c, of.0, of.1, of.2).await);
    say(&mut out, "vulnerabilities", p.vulnerabilities(c, &q).await);
    say(&mut out, "bench_offer", p.bench_offer(c, of.0, of.1, of.2).await);
    say(&mut out, "benches", p.benches(c, &q).await);
    say(&mut out, "bench", p.bench(c, BENCH).await);
    say(&mut out, "bench_record", p.bench_record(c, BENCH, 1).await);
    say(&mut out, "recipes", p.recipes(c, &q).await);
    say(&mut out, "recipe", p.recipe(c, RECIPE).await);
    say(&mut out, "build", p.build(c, RECIPE, 1).await);
    say(&mut out, "build_output", p.build_output(c, RECIPE, 1).await);
    say(&mut out, "archive", p.archive(c, of.0, of.1, of.2).await.map(|a| (a.name, a.bytes)));
    say(&mut out, "archive_offer", p.archive_offer(c, Some((of.0, of.1))).await);
    say(&mut out, "archives", p.archives(c, &q).await);
    say(&mut out, "copies", p.copies(c, &q).await);
    say(&mut out, "pools", p.pools(c, None).await);
    say(&mut out, "pool", p.pool(c, "striped").await);
    say(&mut out, "pool", p.pool(c, "common").await);
    say(&mut out, "addresses", p.addresses(c, "striped").await);
    say(&mut out, "addresses", p.addresses(c, "common").await);
    for state in ["", "roles", "frameworks"] {
        say(&mut out, "cluster", p.cluster(c, &ListQuery { state: state.into(), ..q.clone() }).await);
    }
    say(&mut out, "names", p.names(c, &q).await);
    say(&mut out, "balancer", p.balancer(c).await);
    say(&mut out, "work", p.work(c, &q).await);
    say(&mut out, "journal", p.journal(c, &q).await);
    say(&mut out, "systems", p.systems(c).await);
    say(&mut out, "stream", p.stream(c).await);
    say(&mut out, "teams", p.teams(c).await);
    say(&mut out, "people", p.people(c, &q).await);
    say(&mut out, "sessions", p.sessions(c, false).await);
    say(&mut out, "sessions", p.sessions(c, true).await);
    out
}

/// The methods that change something of the application, its team or the platform.
pub async fn changes(w: &World, c: &Caller, app: &AppRef) -> Vec<Said> {
    let (p, mut out) = (&w.portal, Vec::new());
    let seen = w.revision(app).await;
    let once = w.once(c).await;
    let o = once.as_str();
    say(&mut out, "create_app", p.create_app(c, &new_app(&app.team, "another"), o).await);
    let new = NewRelease { package: Some(SHA.into()), ..NewRelease::default() };
    say(&mut out, "release", p.release(c, app, &new, seen, o).await);
    say(&mut out, "roll_back", p.roll_back(c, app, 1, seen, o).await);
    say(&mut out, "scale", p.scale(c, app, 3, seen, o).await);
    say(&mut out, "restart", p.restart(c, app, seen, o).await);
    say(&mut out, "retry", p.retry(c, app, o).await);
    say(&mut out, "stop", p.stop(c, app, seen, o).await);
    say(&mut out, "start", p.start(c, app, seen, o).await);
    say(&mut out, "try_health", p.try_health(c, app, &HealthRule::fresh("/")).await);
    say(&mut out, "delete_app", p.delete_app(c, app, &app.app, o).await);
    let mark = MarkEdit {
        key: STACK.into(),
        state: StackState::Standard,
        stages: Vec::new(),
        successor: String::new(),
        note: "N".into(),
    };
    say(&mut out, "mark_stack", p.mark_stack(c, &mark, o).await);
    say(&mut out, "copy_image", p.copy_image(c, &NewCopy::default(), o).await);
    let new = NewPromotion { repository: "teams/zebra/web".into(), ..NewPromotion::default() };
    say(&mut out, "promote", p.promote(c, &new, o).await);
    let tidied = p.apply_retention(c, "padis", "teams/zebra/web", Retention::default(), &[], o).await;
    say(&mut out, "apply_retention", tidied);
    say(&mut out, "keep_rule", p.keep_rule(c, "padis", "teams/zebra/web", Retention::default()).await);
    say(&mut out, "end_rule", p.end_rule(c, "padis", "teams/zebra/web").await);
    let which = VersionToDelete {
        registry: "padis".into(),
        repository: "teams/zebra/web".into(),
        tag: "1".into(),
        confirm: "1".into(),
        ..VersionToDelete::default()
    };
    say(&mut out, "delete_version", p.delete_version(c, &which, o).await);
    say(&mut out, "collect", p.collect(c, "padis", o).await);
    say(&mut out, "cancel_collection", p.cancel_collection(c, "none").await);
    say(&mut out, "judge_promotion", p.judge_promotion(c, "none", true, "").await);
    say(&mut out, "withdraw_promotion", p.withdraw_promotion(c, "none").await);
    say(&mut out, "roll_back_promotion", p.roll_back_promotion(c, "none").await);
    let bench = NewBench { repository: "teams/zebra/web".into(), tag: "1".into(), pool: "striped".into() };
    let kept = NewCommit { bench: BENCH.into(), ..NewCommit::default() };
    say(&mut out, "start_bench", p.start_bench(c, &bench, o).await);
    say(&mut out, "end_bench", p.end_bench(c, BENCH).await);
    say(&mut out, "commit_bench", p.commit_bench(c, &kept, o).await);
    say(&mut out, "bench_terminal", p.bench_terminal(c, BENCH, 80, 24).await.map(|_| ()));
    say(&mut out, "start_recipe", p.start_recipe(c, "teams/zebra/web", "1", o).await);
    say(&mut out, "save_recipe", p.save_recipe(c, RECIPE, &RecipeText::default()).await);
    let file = NewRecipeFile { target: "/a".into(), ..NewRecipeFile::default() };
    say(&mut out, "add_recipe_file", p.add_recipe_file(c, RECIPE, &file, futures::stream::empty().boxed()).await);
    say(&mut out, "drop_recipe_file", p.drop_recipe_file(c, RECIPE, "/a").await);
    say(&mut out, "build_recipe", p.build_recipe(c, RECIPE, o).await);
    say(&mut out, "cancel_build", p.cancel_build(c, RECIPE, 1).await);
    say(&mut out, "end_recipe", p.end_recipe(c, RECIPE).await);
    let new = NewArchive { registry: "padis".into(), repository: "teams/zebra/web".into(), ..NewArchive::default() };
    say(&mut out, "bring_archive", p.bring_archive(c, &new, futures::stream::empty().boxed(), o).await);
    say(&mut out, "cancel_archive", p.cancel_archive(c, ARCHIVE).await);
    say(&mut out, "cancel_copy", p.cancel_copy(c, "none").await);
    say(&mut out, "look_inside", p.look_inside(c, "padis", "teams/zebra/web", "1").await);
    say(&mut out, "look_at_registries", p.look_at_registries(c).await);
    say(&mut out, "delete_package", p.delete_package(c, &app.team, SHA).await);
    say(&mut out, "put_pool", p.put_pool(c, &pool("fresh", "10.99.0.0/24", "10.99.0.1"), 0, o).await);
    say(&mut out, "delete_pool", p.delete_pool(c, "striped", "striped").await);
    say(&mut out, "put_quota", p.put_quota(c, "common", &app.team, &plenty()).await);
    say(&mut out, "reserve", p.reserve(c, "striped", "10.210.32.9", "10.210.32.9", "why").await);
    say(&mut out, "unreserve", p.unreserve(c, "striped", "10.210.32.9", "10.210.32.9").await);
    say(&mut out, "work_retry", p.work_retry(c, &app.work_key()).await);
    say(&mut out, "work_park", p.work_park(c, &app.work_key(), "why").await);
    say(&mut out, "look_again", p.look_again(c, Some(app)).await);
    say(&mut out, "look_again", p.look_again(c, None).await);
    say(&mut out, "host_out", p.host_out(c, "agent-a", "why").await);
    say(&mut out, "host_back", p.host_back(c, "agent-a").await);
    let team = TeamEdit { slug: app.team.clone(), title: "T".into(), groups: Vec::new(), new: false };
    say(&mut out, "put_team", p.put_team(c, &team, o).await);
    say(&mut out, "delete_team", p.delete_team(c, &app.team, &app.team).await);
    let person = PersonEdit {
        account: c.account.clone(),
        name: "N".into(),
        password: String::new(),
        enabled: true,
        platform: Some(PlatformRole::Operator),
        teams: [].into(),
        new: false,
    };
    say(&mut out, "put_person", p.put_person(c, &person, o).await);
    say(&mut out, "revoke_session", p.revoke_session(c, "session-zelda-zebra").await);
    // One's own password; the old one is wrong.
    say(&mut out, "change_password", p.change_password(c, "not the old one", "a new password").await);
    out
}

#[tokio::test(flavor = "multi_thread")]
async fn no_method_of_the_portal_is_forgotten() {
    crate::support::each_database(|store| async move {
        let w = World::new(store).await;
        let op = crate::world::operator();
        let app = w.create(&crate::world::lead(), &new_app(MARK, "zebra-portal")).await;
        let mut walked: Vec<&str> = looks(&w, &op, &app, "t").await.into_iter().map(|s| s.0).collect();
        walked.extend(changes(&w, &op, &app).await.into_iter().map(|s| s.0));
        let trait_text = [
            include_str!("../../../app/domain/src/portal.rs"),
            include_str!("../../../app/domain/src/archives.rs"),
            include_str!("../../../app/domain/src/benches.rs"),
            include_str!("../../../app/domain/src/recipes.rs"),
            include_str!("../../../app/domain/src/tidying.rs"),
        ];
        let methods: Vec<&str> = trait_text
            .iter()
            .flat_map(|text| text.lines())
            .filter_map(|l| l.trim().strip_prefix("async fn ")?.split('(').next())
            .collect();
        assert!(methods.len() > 40);
        for m in methods {
            assert!(walked.contains(&m), "{m} is not walked");
        }
    })
    .await;
}
