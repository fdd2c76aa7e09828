//! A browser without JavaScript before the router.

use super::{World, router};
use axum::body::Body;
use http::{Request, Response, StatusCode, header};
use http_body_util::BodyExt;
use tower::ServiceExt;

/// A page, with these cookies: its status and markup.
pub async fn page(world: &World, path: &str, cookies: &str) -> (StatusCode, String) {
    let req = Request::get(path).header(header::ACCEPT, "text/html").header(header::COOKIE, cookies);
    let res = router(world.clone()).oneshot(req.body(Body::empty()).unwrap()).await.unwrap();
    let status = res.status();
    let body = res.into_body().collect().await.unwrap().to_bytes();
    (status, String::from_utf8(body.to_vec()).unwrap())
}

/// Posts a form from a page.
pub async fn post(world: &World, endpoint: &str, referer: &str, fields: &str) -> Response<Body> {
    let req = Request::post(format!("/api/{endpoint}"))
        .header(header::ACCEPT, "text/html,application/xhtml+xml")
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
        .header(header::REFERER, format!("http://127.0.0.1:3000{referer}"))
        .body(Body::from(fields.to_owned()))
        .unwrap();
    router(world.clone()).oneshot(req).await.unwrap()
}

/// Where it sends the browser.
pub fn location(res: &Response<Body>) -> String {
    res.headers().get(header::LOCATION).unwrap().to_str().unwrap().to_owned()
}

/// The cookies that the browser would send back.
pub fn cookies(res: &Response<Body>) -> String {
    let all = res.headers().get_all(header::SET_COOKIE).iter().map(|c| c.to_str().unwrap().to_owned());
    let kept = all.filter(|c| !c.contains("Max-Age=0")).map(|c| c.split(';').next().unwrap().to_owned());
    kept.collect::<Vec<_>>().join("; ")
}
