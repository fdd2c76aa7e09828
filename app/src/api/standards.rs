//! Decisions about middleware. What is read of it is written by the server
//! (`pages::written`).

use super::ask::Ask;
use super::fault::Said;
use super::form::MarkForm;
use leptos::prelude::*;
use leptos::server_fn::codec::PostUrl;
#[cfg(feature = "ssr")]
use {super::call, leptos::server_fn::ServerFn};

/// Takes a decision about a middleware version.
#[server(protocol = Ask<PostUrl>, prefix = "/api", endpoint = "mark_stack")]
pub async fn mark_stack(#[server(flatten)] form: MarkForm) -> Said<()> {
    let (c, portal) = call::begin()?;
    let said = async { portal.mark_stack(&c, &form.read()?, &form.once).await }.await;
    call::settle(MarkStack::PATH, &c, &form, said, None)
}
