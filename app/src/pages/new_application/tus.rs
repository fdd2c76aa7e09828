//! The browser's half of resumable uploads (tus 1.0: creation, core, termination).
//!
//! One PATCH carries everything that the server has not got yet; when the
//! connection breaks, HEAD says how far it came, and the next PATCH goes on
//! there. One could get it wrong by trusting the browser's own progress after a
//! break: bytes that it has handed to the network may never have arrived.

use super::upload::{Upload, Uploading};
use crate::api::{self, Fault};
use crate::http::{Body, Reply, request};
use crate::wire;
use futures::channel::oneshot;
use leptos::prelude::*;
use padis_domain::view::PackageRow;
use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;
use web_sys::File;

/// How long it is tried to take up a broken upload, in ms; then it is given up.
const PATIENCE_MS: u64 = 120_000;

const TUS: (&str, &str) = ("Tus-Resumable", "1.0.0");

/// A request without a body whose progress nobody follows.
async fn ask(method: &str, url: &str, more: &[(&str, &str)]) -> Result<Reply, ()> {
    let headers: Vec<_> = std::iter::once(TUS).chain(more.iter().copied()).collect();
    request(method, url, &headers, Body::None, Box::new(|_| true)).await
}

async fn pause(d: Duration) {
    let (tx, rx) = oneshot::channel::<()>();
    set_timeout(
        move || {
            let _ = tx.send(());
        },
        d,
    );
    let _ = rx.await;
}

fn base64(s: &str) -> String {
    const A: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::new();
    for c in s.as_bytes().chunks(3) {
        let n = c.iter().fold(0_u32, |n, b| n << 8 | u32::from(*b)) << (8 * (3 - c.len()));
        for i in 0..4 {
            let six = (n >> (18 - 6 * i)) & 63;
            out.push(if i <= c.len() { char::from(A[six as usize]) } else { '=' });
        }
    }
    out
}

/// What the server says at the end.
fn verdict(r: &Reply) -> Result<Option<PackageRow>, Fault> {
    wire::unpack(&api::said(r)?).map(Some)
}

fn now() -> u64 {
    window().performance().map_or(0, |p| p.now() as u64)
}

/// Sends the file; `None` when it was cancelled.
pub async fn send(file: &File, team: &str, u: Uploading, n: u32) -> Result<Option<PackageRow>, Fault> {
    let (name, total) = (file.name(), file.size() as u64);
    let began = now();
    u.tell(n, Upload::Sending { name: name.clone(), sent: 0, total, ms: 0, rate: 0 });
    let meta = format!("filename {},team {}", base64(&name), base64(team));
    let length = total.to_string();
    let made = ask("POST", "/uploads", &[("Upload-Length", &length), ("Upload-Metadata", &meta)])
        .await
        .map_err(|()| Fault::ConnectionLost)?;
    let url = match made.header("Location") {
        Some(url) if made.status == 201 => url,
        _ => return verdict(&made),
    };
    let mut offset = 0_u64;
    let mut broken_at = None::<u64>;
    let mut wait = Duration::from_millis(300);
    loop {
        let rest = file.slice_with_f64(offset as f64).map_err(|_| Fault::ConnectionLost)?;
        let from = offset.to_string();
        let (label, start) = (name.clone(), offset);
        let last = Rc::new(RefCell::new((now(), start, 0_u64)));
        let progress = move |loaded: u64| {
            let (sent, at) = ((start + loaded).min(total), now());
            let mut l = last.borrow_mut();
            // The speed of the last half second, smoothed: one figure that can be read.
            if at >= l.0 + 500 {
                let fresh = (sent - l.1) * 1000 / (at - l.0).max(1);
                *l = (at, sent, if l.2 == 0 { fresh } else { (l.2 + fresh) / 2 });
            }
            let rate = if l.2 == 0 { loaded * 1000 / (at - l.0).max(1) } else { l.2 };
            let state = if sent == total {
                Upload::Inspecting { name: label.clone() }
            } else {
                Upload::Sending { name: label.clone(), sent, total, ms: at - began, rate }
            };
            u.tell(n, state);
            u.is(n)
        };
        let headers =
            [TUS, api::OURS, ("Upload-Offset", from.as_str()), ("Content-Type", "application/offset+octet-stream")];
        let said = request("PATCH", &url, &headers, Body::Blob(&rest), Box::new(progress)).await;
        if !u.is(n) {
            let _ = ask("DELETE", &url, &[]).await;
            return Ok(None);
        }
        match said {
            // 409: the server has another offset than we believed; 5xx: something on the way.
            Ok(r) if r.status == 204 => offset = offset_of(&r).unwrap_or(total),
            Ok(r) if r.status != 409 && !(502..=504).contains(&r.status) => return verdict(&r),
            _ => {
                let since = *broken_at.get_or_insert_with(now);
                if now() - since > PATIENCE_MS {
                    return Err(Fault::ConnectionLost);
                }
                u.tell(n, Upload::Broken { name: name.clone(), sent: offset, total });
                pause(wait).await;
                wait = (wait * 2).min(Duration::from_secs(5));
                if let Ok(r) = ask("HEAD", &url, &[]).await {
                    match offset_of(&r) {
                        Some(at) => {
                            if at > offset {
                                broken_at = None;
                                wait = Duration::from_millis(300);
                            }
                            offset = at;
                        }
                        None => return Err(Fault::ConnectionLost),
                    }
                }
            }
        }
    }
}

fn offset_of(r: &Reply) -> Option<u64> {
    r.header("Upload-Offset").and_then(|v| v.parse().ok())
}

#[cfg(test)]
mod tests {
    use super::base64;

    #[test]
    fn base64_as_in_rfc_4648_section_10() {
        for (plain, coded) in [("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foobar", "Zm9vYmFy")] {
            assert_eq!(base64(plain), coded);
        }
    }
}
