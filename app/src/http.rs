//! One request from the browser, by `XMLHttpRequest`: the only interface that
//! tells how far an upload has come. Uploads, forms and questions share it, so
//! that the browser's binary holds one copy.

use futures::channel::oneshot;
use js_sys::Uint8Array;
use std::cell::RefCell;
use std::rc::Rc;
use wasm_bindgen::prelude::Closure;
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{Blob, ProgressEvent, XmlHttpRequest, XmlHttpRequestResponseType};

/// What is sent.
pub enum Body<'a> {
    /// Nothing.
    None,
    /// A file or a part of one.
    Blob(&'a Blob),
    /// Text.
    Text(&'a str),
}

/// An answer.
pub struct Reply {
    /// The HTTP status.
    pub status: u16,
    xhr: XmlHttpRequest,
}

impl Reply {
    /// A header.
    pub fn header(&self, name: &str) -> Option<String> {
        self.xhr.get_response_header(name).ok().flatten()
    }
    /// The body.
    pub fn bytes(&self) -> Vec<u8> {
        self.xhr.response().map_or_else(|_| Vec::new(), |b| Uint8Array::new(&b).to_vec())
    }
}

/// Sends a request; `Err` when no answer came. `go_on` is told the bytes sent so
/// far and aborts the request by saying no.
///
/// # Errors
/// No connection, or it broke, or it was aborted.
pub async fn request(
    method: &str,
    url: &str,
    headers: &[(&str, &str)],
    body: Body<'_>,
    go_on: Box<dyn Fn(u64) -> bool>,
) -> Result<Reply, ()> {
    let xhr = XmlHttpRequest::new().map_err(drop::<JsValue>)?;
    xhr.open_with_async(method, url, true).map_err(drop)?;
    xhr.set_response_type(XmlHttpRequestResponseType::Arraybuffer);
    for (k, v) in headers {
        xhr.set_request_header(k, v).map_err(drop)?;
    }
    let (tx, rx) = oneshot::channel::<()>();
    let tx = Rc::new(RefCell::new(Some(tx)));
    let end = Closure::<dyn FnMut()>::new(move || {
        if let Some(tx) = tx.borrow_mut().take() {
            let _ = tx.send(());
        }
    });
    xhr.set_onloadend(Some(end.as_ref().unchecked_ref()));
    let abort = xhr.clone();
    let moved = Closure::<dyn FnMut(ProgressEvent)>::new(move |e: ProgressEvent| {
        if !go_on(e.loaded() as u64) {
            let _ = abort.abort();
        }
    });
    match body {
        Body::None => xhr.send(),
        Body::Text(text) => xhr.send_with_opt_str(Some(text)),
        Body::Blob(blob) => {
            if let Ok(up) = xhr.upload() {
                up.set_onprogress(Some(moved.as_ref().unchecked_ref()));
            }
            xhr.send_with_opt_blob(Some(blob))
        }
    }
    .map_err(drop)?;
    let _ = rx.await;
    drop((end, moved));
    let status = xhr.status().unwrap_or(0);
    if status == 0 { Err(()) } else { Ok(Reply { status, xhr }) }
}
