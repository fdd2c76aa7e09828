use super::*;

fn sign_in(password: &str, next: &str) -> String {
    url::form_urlencoded::Serializer::new(String::new())
        .append_pair("account", "admin")
        .append_pair("password", password)
        .append_pair("next", next)
        .finish()
}

#[tokio::test]
async fn in_and_out() {
    let w = world().await;
    let a = w.form("/auth/sign-in", "", &sign_in(PASSWORD, "/pools?stage=dev")).await;
    assert_eq!((a.status, a.to()), (StatusCode::SEE_OTHER, "/pools?stage=dev"));
    let set = a.header("set-cookie");
    assert!(set.starts_with("padis_session=") && set.ends_with("; Path=/; HttpOnly; SameSite=Lax"), "{set}");
    let c = a.cookie();
    assert_eq!(w.get("/pools", &c).await.status, StatusCode::OK);
    let a = w.form("/auth/sign-out", &c, "").await;
    assert_eq!((a.status, a.to()), (StatusCode::SEE_OTHER, "/sign-in"));
    assert!(a.header("set-cookie").contains("Max-Age=0"));
    assert_eq!(w.get("/pools", &c).await.status, StatusCode::SEE_OTHER, "the old cookie is worth nothing");
}

#[tokio::test]
async fn behind_https_the_cookie_is_for_https_and_for_this_host_alone() {
    let w = world_with(&[("PADIS_PUBLIC_URL", "https://padis.bank")]).await;
    let kind = [("content-type", "application/x-www-form-urlencoded"), ("origin", "https://padis.bank")];
    let body = Body::from(sign_in(PASSWORD, "/"));
    let a = w.send(request(Method::POST, "/auth/sign-in", "", &kind, body)).await;
    let set = a.header("set-cookie");
    assert!(set.starts_with("__Host-padis_session=") && set.ends_with("SameSite=Lax; Secure"), "{set}");
    assert!(a.header("strict-transport-security").starts_with("max-age="));
    assert_eq!(w.get("/pools", &a.cookie()).await.status, StatusCode::OK);
    let plain = a.cookie().replace("__Host-", "");
    assert_eq!(w.get("/pools", &plain).await.status, StatusCode::SEE_OTHER, "another name is not believed");
}

#[tokio::test]
async fn a_cookie_that_was_planted_is_not_taken_over() {
    let w = world().await;
    let planted = format!("padis_session={}", "B".repeat(43));
    let a = w.form("/auth/sign-in", &planted, &sign_in(PASSWORD, "/")).await;
    assert_ne!(a.cookie(), planted);
    assert_eq!(w.get("/pools", &planted).await.status, StatusCode::SEE_OTHER);
    let again = w.form("/auth/sign-in", &a.cookie(), &sign_in(PASSWORD, "/")).await;
    assert_eq!(w.get("/pools", &a.cookie()).await.status, StatusCode::SEE_OTHER, "the session before has ended");
    assert_eq!(w.get("/pools", &again.cookie()).await.status, StatusCode::OK);
}

#[tokio::test]
async fn failures_lead_back_to_the_door_and_nowhere_else() {
    let w = world_with(&[("PADIS_SIGNIN_FAILURES", "2")]).await;
    let a = w.form("/auth/sign-in", "", &sign_in("wrong", "//evil.test/x")).await;
    assert_eq!(a.to(), "/sign-in?problem=sign_in_failed");
    let a = w.form("/auth/sign-in", "", &sign_in("wrong", "/pools")).await;
    assert_eq!(a.to(), "/sign-in?problem=sign_in_failed&next=%2Fpools");
    assert!(a.cookie().is_empty());
    let a = w.form("/auth/sign-in", "", &sign_in(PASSWORD, "/pools")).await;
    let to = a.to();
    assert!(
        to.starts_with("/sign-in?problem=too_many_attempts&retry_after_s=") && to.ends_with("&next=%2Fpools"),
        "{to}"
    );
    let page = w.get(to, "").await;
    assert_eq!(page.status, StatusCode::OK);
}

#[tokio::test]
async fn preferences_are_kept_and_nothing_else() {
    let w = world().await;
    let a = w.form("/prefs", "", "lang=zh&theme=dark&tech=on&back=%2Fsign-in").await;
    assert_eq!((a.status, a.to()), (StatusCode::SEE_OTHER, "/sign-in"));
    let set: Vec<&str> = a.headers.get_all(SET_COOKIE).iter().filter_map(|v| v.to_str().ok()).collect();
    assert_eq!(set.len(), 3);
    assert_eq!(set[0], "padis_lang=zh; Path=/; Max-Age=31536000; SameSite=Lax");
    let zh = w.get("/sign-in", "padis_lang=zh").await.text();
    assert!(zh.contains("lang=\"zh"), "{}", &zh[..200.min(zh.len())]);
    let a = w.form("/prefs", "", "lang=xx%3B+Domain%3Devil&back=https%3A%2F%2Fevil").await;
    assert_eq!((a.to(), a.header("set-cookie")), ("/", ""));
}
