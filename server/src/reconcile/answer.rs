//! The first good answer: asked as a stranger would, by name and through the balancer.

use super::observe::Seen;
use super::{Reconciler, balancer_addr};
use std::sync::Arc;
use std::time::Instant;

/// Resolves the name. The address, if it resolves.
pub(super) async fn resolves(r: &Arc<Reconciler>, s: &Seen) -> Option<std::net::Ipv4Addr> {
    r.set.resolve.resolve(&s.intent.host_name).await
}

/// Asks the health page by name; status, ms and URL if the answer is good.
pub(super) async fn ask(r: &Arc<Reconciler>, s: &Seen, ip: std::net::Ipv4Addr) -> Option<(u16, u32, String)> {
    let rule = &s.active()?.spec.health;
    let port = r.set.balancer_port;
    let host = if port == 80 { s.intent.host_name.clone() } else { format!("{}:{port}", s.intent.host_name) };
    let began = Instant::now();
    let url = format!("http://{}{}", balancer_addr(ip, port), rule.path);
    let answer = r.http.get(url).header(reqwest::header::HOST, &host).send().await.ok()?;
    let status = answer.status().as_u16();
    if !(200..400).contains(&status) {
        return None;
    }
    if !rule.expect.is_empty() && !bounded_body(answer).await?.contains(&rule.expect) {
        return None;
    }
    let ms = u32::try_from(began.elapsed().as_millis()).unwrap_or(u32::MAX);
    Some((status, ms, format!("http://{host}{}", rule.path)))
}

async fn bounded_body(mut answer: reqwest::Response) -> Option<String> {
    let mut body = Vec::new();
    while let Some(c) = answer.chunk().await.ok()? {
        body.extend_from_slice(&c);
        if body.len() >= super::probe::MAX_BODY {
            break;
        }
    }
    Some(String::from_utf8_lossy(&body).into_owned())
}
