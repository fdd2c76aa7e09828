//! Teams, people, sessions, the queue and the journal.

use crate::support::each_database;
use crate::world::{MARK, SHA, World, auditor, lead, member, new_app, operator, stranger};
use padis_domain::Problem;
use padis_domain::action::Reason;
use padis_domain::caller::Caller;
use padis_domain::portal::{Answer, Portal};
use padis_domain::problem::{NameFault, ValueFault};
use padis_domain::view::{ListQuery, PersonEdit, TeamEdit};
use padis_domain::words::{PlatformRole, TeamRole};

fn person(account: &str) -> PersonEdit {
    PersonEdit {
        account: account.into(),
        name: "Somebody".into(),
        password: String::new(),
        enabled: true,
        platform: None,
        teams: [].into(),
        new: false,
    }
}

async fn put(w: &World, e: &PersonEdit) -> Answer<()> {
    let once = w.once(&operator()).await;
    w.portal.put_person(&operator(), e, &once).await
}

#[tokio::test(flavor = "multi_thread")]
async fn accounts_are_made_and_changed_and_the_last_operator_stays() {
    each_database(|store| async move {
        let w = World::new(store).await;
        let fresh = PersonEdit {
            password: "long enough".into(),
            teams: [("lion".to_owned(), TeamRole::Lead)].into(),
            new: true,
            ..person("mia")
        };
        let range = ValueFault::OutOfRange { min: 10, max: 1024 };
        let short = PersonEdit { password: "short".into(), ..fresh.clone() };
        assert_eq!(put(&w, &short).await, Err(Problem::field("password", range.clone())));
        let none = PersonEdit { password: String::new(), ..fresh.clone() };
        assert_eq!(put(&w, &none).await, Err(Problem::field("password", range)));
        let bad = PersonEdit { account: "Mia".into(), ..fresh.clone() };
        let fault = ValueFault::Name { fault: NameFault::Character { found: 'M' } };
        assert_eq!(put(&w, &bad).await, Err(Problem::field("account", fault)));
        let lost = PersonEdit { teams: [("absent".to_owned(), TeamRole::Lead)].into(), ..fresh.clone() };
        assert_eq!(put(&w, &lost).await, Err(Problem::field("teams", ValueFault::Unknown)));
        assert_eq!(put(&w, &fresh).await, Ok(()));
        assert_eq!(put(&w, &fresh).await, Err(Problem::NameTaken { field: "account".into(), name: "mia".into() }));
        assert_eq!(put(&w, &person("absent")).await, Err(Problem::NotFound));
        let people =
            w.portal.people(&operator(), &ListQuery { q: "mia".into(), ..ListQuery::default() }).await.expect("people");
        assert_eq!((people.total, people.rows[0].teams.get("lion")), (1, Some(&TeamRole::Lead)));
        // Roles and teams change; the password stays as it was.
        assert_eq!(put(&w, &PersonEdit { platform: Some(PlatformRole::Auditor), ..person("mia") }).await, Ok(()));
        assert_eq!(
            w.number(
                "SELECT COUNT(*) FROM account WHERE name = 'mia' AND password_hash IS NOT NULL AND platform = 'auditor'"
            )
            .await,
            1
        );
        assert_eq!(w.number("SELECT COUNT(*) FROM membership WHERE account = 'mia'").await, 0);
        // The only operator can be neither disabled nor demoted; beside another one he can.
        let last = Err(Problem::InUse { by: "otto".into() });
        assert_eq!(put(&w, &person("otto")).await, last);
        let off = PersonEdit { enabled: false, platform: Some(PlatformRole::Operator), ..person("otto") };
        assert_eq!(put(&w, &off).await, last);
        assert_eq!(put(&w, &PersonEdit { platform: Some(PlatformRole::Operator), ..person("mia") }).await, Ok(()));
        assert_eq!(put(&w, &off).await, Ok(()));
        assert_eq!(
            w.number("SELECT COUNT(*) FROM session WHERE account = 'otto' AND revoked_at IS NULL").await,
            0,
            "disabled: signed out"
        );
        // What came from the directory stays, and has no password here.
        w.sql("UPDATE account SET built_in = 0 WHERE name = 'leo'").await;
        w.sql("UPDATE membership SET from_directory = 1 WHERE account = 'leo'").await;
        let refused = put(&w, &PersonEdit { password: "long enough".into(), ..person("leo") }).await;
        assert_eq!(refused, Err(Problem::field("password", ValueFault::Unknown)));
        assert_eq!(put(&w, &person("leo")).await, Ok(()));
        assert_eq!(w.number("SELECT COUNT(*) FROM membership WHERE account = 'leo'").await, 1);
        let journal = w.number("SELECT COUNT(*) FROM journal WHERE changes LIKE '%long enough%'").await;
        assert_eq!(journal, 0, "no password in the journal");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_operators_cannot_take_each_other_away() {
    each_database(|store| async move {
        let w = World::new(store).await;
        let also = PersonEdit { platform: Some(PlatformRole::Operator), ..person("anna") };
        put(&w, &also).await.expect("a second operator");
        let op = operator();
        let (a, b) = tokio::join!(put_as(&w, &op, "anna"), put_as(&w, &op, "otto"));
        assert!(a.is_ok() != b.is_ok(), "{a:?} {b:?}");
        assert_eq!(w.number("SELECT COUNT(*) FROM account WHERE platform = 'operator' AND enabled = 1").await, 1);
    })
    .await;
}

async fn put_as(w: &World, c: &Caller, account: &str) -> Answer<()> {
    let once = w.once(c).await;
    w.portal.put_person(c, &person(account), &once).await
}

#[tokio::test(flavor = "multi_thread")]
async fn ones_own_password_and_sessions() {
    each_database(|store| async move {
        let w = World::new(store).await;
        let c = member();
        put(&w, &PersonEdit { password: "the first one".into(), teams: c.teams.clone(), ..person(&c.account) }).await.expect("a password");
        w.sql("UPDATE session SET revoked_at = NULL").await;
        w.sql("INSERT INTO session (id, token_hash, account, address, agent, began_at, seen_at, expires_at) VALUES ('other', 'x', 'zoe-zebra', '', '', 1, 1, 9)").await;
        let change = |old: &'static str, new: &'static str| w.portal.change_password(&c, old, new);
        assert_eq!(change("wrong", "long enough").await, Err(Problem::field("old", ValueFault::NotConfirmed)));
        assert!(change("the first one", "short").await.is_err());
        let list = w.portal.sessions(&c, false).await.expect("sessions");
        assert_eq!(list.iter().map(|s| (s.id.as_str(), s.current)).collect::<Vec<_>>(), [("other", false), ("session-zoe-zebra", true)]);
        assert_eq!(change("the first one", "long enough").await, Ok(()));
        let list = w.portal.sessions(&c, false).await.expect("sessions");
        assert_eq!(list.len(), 1, "the other sessions ended");
        // Somebody else's session is not found, except by an operator.
        assert_eq!(w.portal.revoke_session(&stranger(), "session-zoe-zebra").await, Err(Problem::NotFound));
        assert_eq!(w.portal.revoke_session(&auditor(), "session-zoe-zebra").await, Err(Problem::NotFound));
        assert_eq!(w.portal.revoke_session(&stranger(), "session-leo").await, Ok(()));
        assert_eq!(w.portal.revoke_session(&operator(), "session-zoe-zebra").await, Ok(()));
        assert_eq!(w.portal.revoke_session(&operator(), "session-zoe-zebra").await, Err(Problem::NotFound));
        assert_eq!(w.portal.sessions(&operator(), true).await.expect("sessions").len(), 3);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn teams_with_their_groups() {
    each_database(|store| async move {
        let w = World::new(store).await;
        let op = operator();
        let edit = |slug: &str, groups: &[(&str, TeamRole)], new| TeamEdit {
            slug: slug.into(),
            title: "Title".into(),
            groups: groups.iter().map(|(g, r)| ((*g).to_owned(), *r)).collect(),
            new,
        };
        let put = |t: TeamEdit| {
            let (p, op) = (w.portal.clone(), op.clone());
            async move {
                let once = p.once(&op).await.expect("a token");
                p.put_team(&op, &t, &once).await
            }
        };
        let (m, l) = (TeamRole::Member, TeamRole::Lead);
        assert_eq!(put(edit("tiger", &[("CN=Tigers,DC=x", m), ("cn=chiefs,dc=x", l)], true)).await, Ok(()));
        let taken = put(edit("tiger", &[], true)).await;
        assert_eq!(taken, Err(Problem::NameTaken { field: "slug".into(), name: "tiger".into() }));
        assert_eq!(put(edit("absent", &[], false)).await, Err(Problem::NotFound));
        let twice = put(edit("tiger", &[("cn=a,dc=x", m), ("CN=A,dc=x", l)], false)).await;
        assert_eq!(twice, Err(Problem::field("lead_groups", ValueFault::Repeated)));
        assert_eq!(
            put(edit("tiger", &[("nonsense", m)], false)).await,
            Err(Problem::field("member_groups", ValueFault::Malformed))
        );
        // Who came by a group that is taken away is out.
        w.sql("INSERT INTO membership (account, team, role, from_directory) VALUES ('anna', 'tiger', 'member', 1)")
            .await;
        w.sql("INSERT INTO membership (account, team, role, from_directory) VALUES ('leo', 'tiger', 'member', 0)")
            .await;
        assert_eq!(put(edit("tiger", &[("cn=tigers,dc=x", l), ("cn=chiefs,dc=x", l)], false)).await, Ok(()));
        assert_eq!(
            w.number("SELECT COUNT(*) FROM membership WHERE team = 'tiger'").await,
            2,
            "more than before: nobody leaves"
        );
        assert_eq!(put(edit("tiger", &[("cn=chiefs,dc=x", l)], false)).await, Ok(()));
        assert_eq!(w.number("SELECT COUNT(*) FROM membership WHERE team = 'tiger'").await, 1);
        // A member sees his team, a lead also who is in it.
        let of = |c: Caller| {
            let p = w.portal.clone();
            async move { p.teams(&c).await.expect("teams") }
        };
        let (mine, leads, all) = (of(member()).await, of(lead()).await, of(auditor()).await);
        assert_eq!((mine.len(), mine[0].people.len()), (1, 0));
        assert_eq!((leads.len(), leads[0].people.len()), (1, 2));
        assert_eq!(all.iter().map(|t| t.slug.as_str()).collect::<Vec<_>>(), ["lion", "tiger", MARK]);
        // Only what owns nothing can be deleted.
        let app = w.create(&lead(), &new_app(MARK, "shop")).await;
        assert_eq!(app.team, MARK);
        let used = w.portal.delete_team(&op, MARK, MARK).await;
        assert_eq!(used, Err(Problem::InUse { by: "common, shop, striped, zebra-zip.zip".into() }));
        assert_eq!(
            w.portal.delete_team(&op, "tiger", "").await,
            Err(Problem::field("confirm", ValueFault::NotConfirmed))
        );
        assert_eq!(w.portal.delete_team(&op, "tiger", "tiger").await, Ok(()));
        assert_eq!(w.portal.delete_team(&op, "tiger", "tiger").await, Err(Problem::NotFound));
        // A package that a release uses stays.
        let used = w.portal.delete_package(&lead(), MARK, SHA).await;
        assert_eq!(used, Err(Problem::InUse { by: "shop".into() }));
        w.package(&"e".repeat(64), MARK, "jar").await;
        assert_eq!(w.portal.package(&lead(), &"e".repeat(64)).await.expect("the package").used_by, []);
        assert_eq!(w.portal.delete_package(&lead(), MARK, &"e".repeat(64)).await, Ok(()));
        assert_eq!(w.portal.package(&lead(), SHA).await.expect("the package").used_by, [(app, 1)]);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_queue_is_shown_parked_and_tried_again() {
    each_database(|store| async move {
        let w = World::new(store).await;
        let app = w.create(&lead(), &new_app(MARK, "shop")).await;
        let key = app.work_key();
        let op = operator();
        let state = || async {
            let all = w
                .portal
                .work(&auditor(), &ListQuery { q: key.clone(), ..ListQuery::default() })
                .await
                .expect("the queue");
            assert_eq!(all.total, 1);
            (all.rows[0].state.clone(), all.rows[0].outcome.clone())
        };
        assert_eq!(state().await.0, "due");
        w.sql("UPDATE work SET attempts = 3 WHERE key LIKE 'app:%'").await;
        assert_eq!(state().await.0, "backing-off");
        assert_eq!(w.portal.nav(&op, None).await.expect("counts").stuck, Some(1));
        w.sql("UPDATE work SET lease = 'w', lease_until = 9999999999999 WHERE key LIKE 'app:%'").await;
        assert_eq!(state().await.0, "running");
        assert_eq!(w.portal.work_park(&op, &key, " ").await, Err(Problem::missing("reason")));
        assert_eq!(w.portal.work_park(&op, &key, "switch is being replaced").await, Ok(()));
        assert_eq!(state().await, ("parked".into(), "switch is being replaced".into()));
        let parked = ListQuery { state: "parked".into(), ..ListQuery::default() };
        assert_eq!(w.portal.work(&op, &parked).await.expect("the queue").total, 1);
        let overview = w.portal.overview(&op, None).await.expect("the overview");
        assert!(overview.attention.iter().any(|a| serde_json::to_string(a).expect("JSON").contains("work_parked")));
        assert_eq!(w.portal.work_retry(&op, &key).await, Ok(()));
        w.sql("UPDATE work SET lease = NULL, done = wanted WHERE key LIKE 'app:%'").await;
        assert_eq!(state().await.0, "idle");
        assert_eq!(w.portal.work_retry(&op, "absent").await, Err(Problem::NotFound));
        assert_eq!(w.portal.work_park(&op, "absent", "why").await, Err(Problem::NotFound));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_journal_tells_everything_and_shows_what_was_changed_in_it() {
    each_database(|store| async move {
        let w = World::new(store).await;
        let app = w.create(&lead(), &new_app(MARK, "shop")).await;
        w.settled(&app).await;
        w.portal.scale(&lead(), &app, 3, 1, &w.once(&lead()).await).await.expect("scaled");
        let read = |q: ListQuery| {
            let p = w.portal.clone();
            async move { p.journal(&auditor(), &q).await.expect("the journal") }
        };
        let all = read(ListQuery::default()).await;
        assert!(all.rows.iter().all(|r| r.intact));
        let top = &all.rows[0];
        assert_eq!(
            (top.what.as_str(), top.who.as_str(), top.subject.as_str()),
            ("app.scale", "zelda-zebra", "app:zebra/shop")
        );
        assert_eq!(top.changes.len(), 1, "the revision is not shown: {:?}", top.changes);
        assert_eq!(read(ListQuery { state: "app".into(), ..ListQuery::default() }).await.total, 2);
        assert_eq!(read(ListQuery { state: "app.scale".into(), ..ListQuery::default() }).await.total, 1);
        assert_eq!(read(ListQuery { q: "ZEBRA/shop".into(), ..ListQuery::default() }).await.total, 2);
        // By time: both ends are included, and paging counts only what is in between.
        let at = |i: usize| all.rows[i].at;
        let between = |from, to| ListQuery { from, to, per_page: 1, ..ListQuery::default() };
        let n = |f: &dyn Fn(i64) -> bool| all.rows.iter().filter(|r| f(r.at)).count() as u64;
        let (first, last) = (at(all.rows.len() - 1), at(0));
        assert_eq!(read(between(Some(last), None)).await.total, n(&|t| t >= last));
        assert_eq!(read(between(None, Some(first))).await.total, n(&|t| t <= first));
        assert_eq!(read(between(Some(first), Some(last))).await.total, all.total);
        assert_eq!(read(between(Some(last + 1), None)).await.total, 0);
        let second = read(ListQuery { page: 2, ..between(Some(first), Some(last)) }).await;
        assert_eq!((second.rows.len(), second.rows[0].seq), (1, all.rows[1].seq));
        let backwards = w.portal.journal(&auditor(), &between(Some(last), Some(last - 1))).await;
        assert_eq!(backwards.err(), Some(Problem::field("to", ValueFault::EndsBeforeItBegins)));
        // Somebody with the database's password takes a row out: seen by a portal that walks anew.
        w.sql("DELETE FROM journal WHERE seq = 3").await;
        let anew = World { portal: w.fresh_portal(), ..w };
        let all = anew
            .portal
            .journal(&auditor(), &ListQuery { per_page: 200, ..ListQuery::default() })
            .await
            .expect("the journal");
        for r in &all.rows {
            assert_eq!(r.intact, r.seq < 3, "{}", r.seq);
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_password_that_the_directory_keeps_is_not_changed_here() {
    each_database(|store| async move {
        let w = World::new(store).await;
        w.sql("UPDATE account SET built_in = 0, password_hash = NULL WHERE name = 'zoe-zebra'").await;
        let said = w.portal.change_password(&member(), "whatever it was", "a new password").await;
        assert_eq!(said, Err(Problem::NotNow { reason: Reason::FromDirectory }));
        assert_eq!(w.number("SELECT COUNT(*) FROM journal WHERE what = 'person.password'").await, 0);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_quota_is_journalled_dimension_by_dimension() {
    each_database(|store| async move {
        let w = World::new(store).await;
        let quota = padis_domain::quantity::Amount { cpu_milli: 2_500, ..crate::world::plenty() };
        w.portal.put_quota(&operator(), "common", MARK, &quota).await.expect("a quota");
        let q = ListQuery { state: "quota.set".into(), ..ListQuery::default() };
        let rows = w.portal.journal(&operator(), &q).await.expect("the journal").rows;
        let shown: Vec<_> =
            rows[0].changes.iter().map(|c| (c.field.as_str(), c.before.as_str(), c.after.as_str())).collect();
        assert_eq!(shown, [("cpu", "100", "2.5")]);
    })
    .await;
}
