//! Renders every page in both languages through the real router.

mod support;

use axum::body::Body;
use axum::http::{Request, StatusCode, header};
use http_body_util::BodyExt;
use support::{operator, world};
use tower::ServiceExt;

async fn get(path: &str, lang: &str) -> (StatusCode, String) {
    let req = Request::get(path)
        .header(header::COOKIE, format!("padis_lang={lang}"))
        .header(header::ACCEPT, "text/html")
        .body(Body::empty())
        .unwrap();
    let res = world(Some(operator())).oneshot(req).await.unwrap();
    let status = res.status();
    let body = res.into_body().collect().await.unwrap().to_bytes();
    (status, String::from_utf8(body.to_vec()).unwrap())
}

#[tokio::test]
async fn sign_in_is_a_plain_form_in_both_languages() {
    for (lang, tag, word) in [("zh", "zh-CN", "登录 Padis"), ("en", "en", "Sign in to Padis")] {
        let (status, html) = get("/sign-in?problem=sign_in_failed&next=/pools", lang).await;
        assert_eq!(status, StatusCode::OK);
        assert!(html.contains(&format!("<html lang=\"{tag}\"")), "{html}");
        assert!(html.contains(word));
        assert!(html.contains("action=\"/auth/sign-in\"") && html.contains("value=\"/pools\""));
        assert!(html.contains(if lang == "zh" { "账号或密码错误" } else { "Account or password is wrong" }));
    }
}
