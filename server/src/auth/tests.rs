use super::*;
use async_trait::async_trait;
use padis_domain::ports::{DirectoryPerson, PortResult};
use padis_domain::words::TeamRole;
use std::sync::Mutex;

/// A directory that knows one person and can be down.
#[derive(Default)]
struct Fake {
    down: AtomicBool,
    groups: Mutex<Vec<String>>,
    asked: Mutex<Vec<String>>,
}

#[async_trait]
impl Directory for Fake {
    async fn sign_in(&self, account: &str, password: &str) -> PortResult<Option<DirectoryPerson>> {
        self.asked.lock().expect("lock").push(account.to_owned());
        self.ping().await?;
        Ok((account == "anna" && password == "secret of anna").then(|| DirectoryPerson {
            account: "anna".into(),
            name: "Anna Li".into(),
            mail: "anna@bank.test".into(),
            groups: self.groups.lock().expect("lock").clone(),
        }))
    }
    async fn ping(&self) -> PortResult<()> {
        match self.down.load(Ordering::Relaxed) {
            true => Err(PortError::transient(System::Directory, "connect", "refused")),
            false => Ok(()),
        }
    }
}

struct World {
    auth: Auth,
    store: Store,
    fake: Arc<Fake>,
    _dir: tempfile::TempDir,
}

const PASSWORD: &str = "correct horse battery";

async fn world() -> World {
    let dir = tempfile::tempdir().expect("folder");
    let store = Store::open(&format!("sqlite:{}/t.db", dir.path().display())).await.expect("store");
    let fake = Arc::new(Fake::default());
    let settings = Settings {
        limits: Limits { per_account: 3, per_address: 6, window: Duration::from_secs(900) },
        lifetimes: Lifetimes { idle: Duration::from_secs(600), absolute: Duration::from_secs(3600) },
        roles: vec![("cn=ops,dc=bank".into(), PlatformRole::Operator)],
    };
    let auth = Auth::new(store.clone(), Some(fake.clone()), settings, Changes::new()).await.expect("auth");
    auth.first_administrator(Some(&Secret::new(PASSWORD))).await.expect("administrator");
    World { auth, store, fake, _dir: dir }
}

fn from(address: &str) -> Peer {
    Peer { address: address.into(), agent: "Browser/1.0".into() }
}

async fn sql(s: &Store, q: &str) {
    sqlx::query(q).execute(s.write()).await.expect("sql");
}

impl World {
    async fn sign_in(&self, account: &str, password: &str) -> Result<String, Problem> {
        self.auth.sign_in(account, password, &from("10.0.0.1"), None).await
    }
    async fn caller(&self, token: &str) -> Option<Caller> {
        self.auth.caller(token).await.expect("caller")
    }
}

#[tokio::test]
async fn the_first_administrator_is_made_once() {
    let w = world().await;
    let again = w.auth.first_administrator(Some(&Secret::new("other"))).await;
    assert_eq!(again, Ok(Administrator::Known));
    assert!(w.sign_in("admin", "other").await.is_err());
    let c = w.caller(&w.sign_in(" Admin ", PASSWORD).await.expect("in")).await.expect("caller");
    assert_eq!((c.account.as_str(), c.platform), ("admin", Some(PlatformRole::Operator)));
}

#[tokio::test]
async fn without_a_given_password_one_is_made_up_that_works() {
    let dir = tempfile::tempdir().expect("folder");
    let store = Store::open(&format!("sqlite:{}/t.db", dir.path().display())).await.expect("store");
    let c = crate::config::from(None, [], None).expect("config");
    let auth = Auth::new(store, None, Settings::from(&c), Changes::new()).await.expect("auth");
    let Ok(Administrator::MadeUp(made)) = auth.first_administrator(None).await else { panic!("none was made up") };
    assert!(auth.sign_in(ADMIN, made.reveal(), &from("::1"), None).await.is_ok());
    assert_eq!(auth.first_administrator(None).await, Ok(Administrator::Known));
}

#[tokio::test]
async fn every_failure_says_the_same() {
    let w = world().await;
    sql(&w.store, "INSERT INTO account VALUES ('off', 'Off', '', 1, 0, NULL, NULL, 0, NULL)").await;
    for (account, password) in [("admin", "wrong"), ("nobody", "wrong"), ("off", ""), ("", "x"), ("a\0b", "x")] {
        assert_eq!(w.sign_in(account, password).await, Err(Problem::SignInFailed), "{account:?}");
    }
}

#[tokio::test]
async fn an_unknown_account_costs_as_much_as_a_known_one() {
    let w = world().await;
    let mut took = Vec::new();
    for account in ["admin", "nobody"] {
        let began = std::time::Instant::now();
        let mut best = Duration::MAX;
        for i in 0..2 {
            let one = std::time::Instant::now();
            let peer = from(&format!("10.1.0.{i}"));
            assert_eq!(w.auth.sign_in(account, "wrong", &peer, None).await, Err(Problem::SignInFailed));
            best = best.min(one.elapsed());
        }
        assert!(began.elapsed() >= best);
        took.push(best);
    }
    // Without the made-up comparison the unknown account would take about a hundredth.
    assert!(took[1] * 4 > took[0], "known {:?}, unknown {:?}", took[0], took[1]);
}

#[tokio::test]
async fn an_account_has_to_wait_after_too_many_failures_and_a_right_password_does_not_help() {
    let w = world().await;
    for _ in 0..3 {
        assert_eq!(w.sign_in("admin", "wrong").await, Err(Problem::SignInFailed));
    }
    match w.auth.sign_in("admin", PASSWORD, &from("10.9.9.9"), None).await {
        Err(Problem::TooManyAttempts { retry_after_s }) => assert!((1..=31).contains(&retry_after_s)),
        other => panic!("{other:?}"),
    }
    // It survives a restart: a second Auth over the same store says the same.
    let again = Auth::new(w.store.clone(), None, w.auth.settings.clone(), Changes::new()).await.expect("auth");
    let r = again.sign_in("admin", PASSWORD, &from("10.9.9.9"), None).await;
    assert!(matches!(r, Err(Problem::TooManyAttempts { .. })), "{r:?}");
    // After the wait it works and all is forgotten.
    sql(&w.store, "UPDATE signin_failure SET blocked_until = 1").await;
    assert!(w.auth.sign_in("admin", PASSWORD, &from("10.9.9.9"), None).await.is_ok());
    assert_eq!(w.sign_in("admin", "wrong").await, Err(Problem::SignInFailed));
}

#[tokio::test]
async fn a_failure_after_the_wait_doubles_it() {
    let w = world().await;
    for _ in 0..3 {
        let _ = w.sign_in("admin", "wrong").await;
    }
    sql(&w.store, "UPDATE signin_failure SET blocked_until = 1").await;
    assert_eq!(w.sign_in("admin", "wrong").await, Err(Problem::SignInFailed));
    match w.sign_in("admin", "wrong").await {
        Err(Problem::TooManyAttempts { retry_after_s }) => {
            assert!((55..=61).contains(&retry_after_s), "{retry_after_s}")
        }
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn an_address_has_to_wait_whatever_accounts_it_tries() {
    let w = world().await;
    for i in 0..6 {
        assert_eq!(w.sign_in(&format!("guess{i}"), "wrong").await, Err(Problem::SignInFailed));
    }
    assert!(matches!(w.sign_in("admin", PASSWORD).await, Err(Problem::TooManyAttempts { .. })));
    assert!(w.auth.sign_in("admin", PASSWORD, &from("10.0.0.2"), None).await.is_ok());
}

#[tokio::test]
async fn guesses_at_the_same_time_are_counted_too() {
    let w = world().await;
    let tries = (0..20).map(|i| {
        let auth = &w.auth;
        async move { auth.sign_in("admin", "wrong", &from(&format!("10.2.0.{i}")), None).await }
    });
    let answers = futures::future::join_all(tries).await;
    let compared = answers.iter().filter(|r| **r == Err(Problem::SignInFailed)).count();
    assert_eq!(compared, 3, "{answers:?}");
}

#[tokio::test]
async fn signing_in_ends_the_session_that_the_browser_had() {
    let w = world().await;
    let first = w.sign_in("admin", PASSWORD).await.expect("in");
    assert!(w.caller(&first).await.is_some());
    let second = w.auth.sign_in("admin", PASSWORD, &from("10.0.0.1"), Some(&first)).await.expect("in");
    assert_ne!(first, second);
    assert!(w.caller(&first).await.is_none() && w.caller(&second).await.is_some());
}

#[tokio::test]
async fn a_planted_token_never_becomes_a_session() {
    let w = world().await;
    let planted = "A".repeat(43);
    let token = w.auth.sign_in("admin", PASSWORD, &from("10.0.0.1"), Some(&planted)).await.expect("in");
    assert!(token != planted && w.caller(&planted).await.is_none() && w.caller(&token).await.is_some());
}

#[tokio::test]
async fn the_database_holds_no_token() {
    let w = world().await;
    let token = w.sign_in("admin", PASSWORD).await.expect("in");
    let held: String =
        sqlx::query_scalar("SELECT token_hash FROM session").fetch_one(w.store.read()).await.expect("row");
    assert!(held.len() == 64 && held != token);
    assert!(w.caller(&held).await.is_none(), "the hash is no token");
}

#[tokio::test]
async fn revocation_works_at_once_and_only_on_ones_own() {
    let w = world().await;
    let token = w.sign_in("admin", PASSWORD).await.expect("in");
    let c = w.caller(&token).await.expect("remembered now");
    assert!(!w.auth.sessions.revoke(&c.session, Some("anna")).await.expect("foreign"));
    assert!(w.caller(&token).await.is_some());
    assert_eq!(w.auth.sessions.list(Some("admin")).await.expect("list").len(), 1);
    assert!(w.auth.sessions.revoke(&c.session, None).await.expect("own"));
    assert!(w.caller(&token).await.is_none());
    assert!(w.auth.sessions.list(None).await.expect("list").is_empty());
}

#[tokio::test]
async fn sessions_end_by_idleness_and_by_age_and_with_the_account() {
    let w = world().await;
    for change in [
        "UPDATE session SET seen_at = seen_at - 600000",
        "UPDATE session SET expires_at = seen_at - 1",
        "UPDATE account SET enabled = 0",
    ] {
        let token = w.sign_in("admin", PASSWORD).await.expect("in");
        assert!(w.caller(&token).await.is_some());
        sql(&w.store, change).await;
        w.auth.sessions.forget_all();
        assert!(w.caller(&token).await.is_none(), "{change}");
    }
}

#[tokio::test]
async fn roles_are_read_anew() {
    let w = world().await;
    let token = w.sign_in("admin", PASSWORD).await.expect("in");
    assert!(w.caller(&token).await.expect("caller").operator().is_ok());
    sql(&w.store, "UPDATE account SET platform = 'auditor'").await;
    w.auth.sessions.forget_all();
    assert!(w.caller(&token).await.expect("caller").operator().is_err());
}

#[tokio::test]
async fn the_directory_gives_teams_and_roles_and_takes_them_again() {
    let w = world().await;
    sql(&w.store, "INSERT INTO team VALUES ('motor', 'Motor', 0), ('life', 'Life', 0)").await;
    sql(&w.store, "INSERT INTO team_group VALUES ('motor', 'cn=motor,dc=bank', 'member')").await;
    sql(&w.store, "INSERT INTO team_group VALUES ('motor', 'cn=leads, dc=bank', 'lead')").await;
    *w.fake.groups.lock().expect("lock") =
        vec!["cn=motor,dc=bank".into(), "cn=leads,dc=bank".into(), "cn=ops,dc=bank".into()];
    let token = w.sign_in("Anna", "secret of anna").await.expect("in");
    let c = w.caller(&token).await.expect("caller");
    assert_eq!(c.teams, [("motor".to_owned(), TeamRole::Lead)].into());
    assert_eq!((c.name.as_str(), c.platform), ("Anna Li", Some(PlatformRole::Operator)));
    sql(&w.store, "INSERT INTO membership VALUES ('anna', 'life', 'member', 0)").await;
    w.fake.groups.lock().expect("lock").clear();
    let token = w.sign_in("anna", "secret of anna").await.expect("in");
    let c = w.caller(&token).await.expect("caller");
    assert_eq!((c.teams, c.platform), ([("life".to_owned(), TeamRole::Member)].into(), None));
}

#[tokio::test]
async fn built_in_accounts_work_while_the_directory_is_down_and_nobody_can_tell_them_by_failing() {
    let w = world().await;
    w.fake.down.store(true, Ordering::Relaxed);
    assert!(w.auth.look_at_directory().await.is_some());
    assert!(w.sign_in("admin", PASSWORD).await.is_ok());
    for (account, password) in [("admin", "wrong"), ("anna", "secret of anna"), ("nobody", "x")] {
        let r = w.sign_in(account, password).await;
        assert!(matches!(r, Err(Problem::Unavailable { system: System::Directory, .. })), "{account}: {r:?}");
    }
    // What was not compared was not counted.
    w.fake.down.store(false, Ordering::Relaxed);
    assert!(w.auth.look_at_directory().await.is_some());
    assert!(w.sign_in("anna", "secret of anna").await.is_ok());
}

#[tokio::test]
async fn a_built_in_accounts_password_never_goes_to_the_directory() {
    let w = world().await;
    let _ = w.sign_in("admin", "wrong").await;
    let _ = w.sign_in("anna", "").await;
    assert!(w.fake.asked.lock().expect("lock").is_empty());
}
