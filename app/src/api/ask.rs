//! How a server function travels.
//!
//! Arguments go as a query or a form, as plain HTML would send them. Answers are
//! JSON, unless the browser half asks: it gets [`wire`](crate::wire)'s form,
//! faults included, through one request function for all of them. One could get
//! it wrong by leaving the sending to `server_fn`: its client is compiled once
//! more for every function.

use super::fault::{Fault, Said};
use crate::http::{Body, Reply, request};
use crate::wire;
use futures::channel::oneshot;
use http::Method;
use serde::Serialize;
use serde::de::DeserializeOwned;
use server_fn::Protocol;
use server_fn::client::Client;
use server_fn::codec::{Encoding, FromReq, IntoRes, Json};
use server_fn::request::Req;
use server_fn::response::TryRes;
use server_fn::server::Server;
use std::future::Future;
use std::marker::PhantomData;
use std::pin::Pin;

/// The protocol of a server function whose arguments are encoded as `I` says.
pub struct Ask<I>(PhantomData<I>);

impl<I, In, Out, C, S> Protocol<In, Out, C, S, Fault> for Ask<I>
where
    I: Encoding,
    In: FromReq<I, S::Request, Fault> + Serialize + Send,
    Out: IntoRes<Json, S::Response, Fault> + Serialize + DeserializeOwned + Send,
    C: Client<Fault>,
    S: Server<Fault>,
{
    const METHOD: Method = I::METHOD;

    async fn run_server<F, Fut>(request: S::Request, server_fn: F) -> Said<S::Response>
    where
        F: Fn(In) -> Fut + Send,
        Fut: Future<Output = Said<Out>> + Send,
    {
        let ours = request.accepts().is_some_and(|a| a == wire::TYPE);
        let input = In::from_req(request).await?;
        let said = server_fn(input).await;
        if ours {
            return S::Response::try_from_bytes(wire::TYPE, wire::pack(&said).into());
        }
        said?.into_res().await
    }

    async fn run_client(path: &str, input: In) -> Said<Out> {
        wire::unpack(&exchange(path, reads::<I>(), arguments(input)).await?)
    }
}

// What follows is kept out of the functions above, which are compiled once for
// every server function.

#[inline(never)]
fn reads<I: Encoding>() -> bool {
    I::METHOD == Method::GET
}

#[inline(never)]
fn arguments<In: Serialize>(input: In) -> Said<String> {
    serde_qs::to_string(&input).map_err(|_| Fault::OutOfDate)
}

/// Sends it from a task of its own: what the browser gives can't leave its thread.
fn exchange(path: &str, read: bool, arguments: Said<String>) -> Pin<Box<dyn Future<Output = Said<Vec<u8>>> + Send>> {
    let path = path.to_owned();
    Box::pin(async move {
        let arguments = arguments?;
        let (tx, rx) = oneshot::channel();
        leptos::task::spawn_local(async move {
            let sent = if read {
                request("GET", &format!("{path}?{arguments}"), &[OURS], Body::None, Box::new(|_| true)).await
            } else {
                post(&path, &arguments).await
            };
            let _ = tx.send(sent.map_err(|()| Fault::ConnectionLost).and_then(|r| said(&r)));
        });
        rx.await.unwrap_or(Err(Fault::ConnectionLost))
    })
}

/// Asks for answers in the browser half's form.
pub const OURS: (&str, &str) = ("Accept", wire::TYPE);

/// Posts a form's fields, URL-encoded.
///
/// # Errors
/// No connection, or it broke.
pub async fn post(path: &str, fields: &str) -> Result<Reply, ()> {
    let headers = [("Content-Type", "application/x-www-form-urlencoded"), OURS];
    request("POST", path, &headers, Body::Text(fields), Box::new(|_| true)).await
}

/// The packed answer that a reply carries, to be given to [`wire::unpack`].
///
/// # Errors
/// The fault that the reply carries instead.
pub fn said(reply: &Reply) -> Said<Vec<u8>> {
    if reply.header("content-type").as_deref() == Some(wire::TYPE) {
        return Ok(reply.bytes());
    }
    let fault = reply.header(wire::FAULT).and_then(|t| wire::value(&t));
    Err(fault.unwrap_or(if (502..=504).contains(&reply.status) { Fault::ConnectionLost } else { Fault::OutOfDate }))
}
