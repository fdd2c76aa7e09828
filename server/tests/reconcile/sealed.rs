//! Secrets in the database: sealed there, opened for Marathon only, and what becomes of an
//! application whose secrets were sealed with another key.

use crate::support::each_database;
use crate::world::{World, claims, until};
use padis_domain::app::{AppRef, Env, EnvVar, ReleaseSpec};
use padis_server::seal::Sealer;

/// Gives a release that is recorded a secret variable.
async fn give(w: &World, app: &AppRef, number: u32, env: Env) {
    let (id, number) = (app.to_string(), i64::from(number));
    let read = sqlx::query_scalar("SELECT spec FROM release WHERE app_id = $1 AND number = $2").bind(&id).bind(number);
    let text: String = read.fetch_one(w.store.read()).await.expect("a release");
    let spec = ReleaseSpec { env, ..serde_json::from_str(&text).expect("JSON") };
    sqlx::query("UPDATE release SET spec = $3 WHERE app_id = $1 AND number = $2")
        .bind(&id)
        .bind(number)
        .bind(serde_json::to_string(&spec).expect("JSON"))
        .execute(w.store.write())
        .await
        .expect("written");
}

fn token(value: &str) -> Env {
    [("TOKEN".to_owned(), EnvVar { secret: true, value: value.to_owned() })].into()
}

#[tokio::test(flavor = "multi_thread")]
async fn marathon_is_given_what_the_database_does_not_hold() {
    each_database(async |store| {
        let (w, app) = (World::new(store).await, claims());
        w.release(&app, 1, 1).await;
        give(&w, &app, 1, token("hush-in-plain")).await;
        // What stood there before there was a key is sealed once, and once only.
        let sealer = w.sealer();
        assert_eq!(sealer.seal_all(&w.store).await.expect("sealed"), 1);
        assert_eq!(sealer.seal_all(&w.store).await.expect("sealed"), 0);
        let spec = w.word("SELECT spec FROM release").await;
        assert!(!spec.contains("hush-in-plain") && spec.contains("sealed:v1:"), "{spec}");
        w.start();
        w.until_online(&app, 1, 1).await;
        let given = w.sched.app(&app.marathon_id(1)).expect("it is there");
        assert_eq!(given.env["TOKEN"], "hush-in-plain");
        w.stop().await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn with_another_key_it_says_so_and_starts_nothing() {
    each_database(async |store| {
        let (w, app) = (World::new(store).await, claims());
        w.release(&app, 1, 1).await;
        let other = Sealer::random().expect("a key");
        let env = other.env(&app.to_string(), token("hush"), &Env::new()).expect("sealed");
        give(&w, &app, 1, env).await;
        w.start();
        let outcome = "SELECT outcome FROM work WHERE key = 'app:motor/claims'";
        until("the operator is told", async || w.word(outcome).await.contains("sealed with another key")).await;
        assert!(w.sched.app(&app.marathon_id(1)).is_none());
        // With a value that opens here it goes on.
        give(&w, &app, 1, w.sealer().env(&app.to_string(), token("new"), &Env::new()).expect("sealed")).await;
        w.intend(&app, "instances = 1").await;
        w.until_online(&app, 1, 1).await;
        assert_eq!(w.sched.app(&app.marathon_id(1)).expect("it is there").env["TOKEN"], "new");
        w.stop().await;
    })
    .await;
}
