//! Images: copies between registries, and looking at the registries now. What is read
//! of images is written by the server (`pages::written`).

use super::ask::Ask;
use super::fault::Said;
use super::form::{CollectForm, CopyForm, CopyStopForm, DeleteVersionForm, LookForm, LookInsideForm, RetentionForm};
use super::query;
use leptos::prelude::*;
use leptos::server_fn::codec::PostUrl;
#[cfg(feature = "ssr")]
use {super::call, leptos::server_fn::ServerFn};

/// Copies a version to another place.
#[server(protocol = Ask<PostUrl>, prefix = "/api", endpoint = "copy_image")]
pub async fn copy_image(#[server(flatten)] form: CopyForm) -> Said<String> {
    let (c, portal) = call::begin()?;
    let said = async { portal.copy_image(&c, &form.read(), &form.once).await }.await;
    call::settle(CopyImage::PATH, &c, &form, said, Some("/images/copies".to_owned()))
}

/// Stops a copy.
#[server(protocol = Ask<PostUrl>, prefix = "/api", endpoint = "cancel_copy")]
pub async fn cancel_copy(#[server(flatten)] form: CopyStopForm) -> Said<()> {
    let (c, portal) = call::begin()?;
    let said = async { portal.cancel_copy(&c, &form.id).await }.await;
    call::settle(CancelCopy::PATH, &c, &form, said, None)
}

/// Looks at all registries now.
#[server(protocol = Ask<PostUrl>, prefix = "/api", endpoint = "look_at_registries")]
pub async fn look_at_registries(#[server(flatten)] form: LookForm) -> Said<()> {
    let (c, portal) = call::begin()?;
    let said = async { portal.look_at_registries(&c).await }.await;
    call::settle(LookAtRegistries::PATH, &c, &form, said, None)
}

/// Takes out of a repository what nothing needs.
#[server(protocol = Ask<PostUrl>, prefix = "/api", endpoint = "apply_retention")]
pub async fn apply_retention(#[server(flatten)] form: RetentionForm) -> Said<()> {
    let (c, portal) = call::begin()?;
    let said = async {
        let (rule, seen) = form.read()?;
        portal.apply_retention(&c, &form.registry, &form.repository, rule, &seen, &form.once).await
    }
    .await;
    call::settle(ApplyRetention::PATH, &c, &form, said, None)
}

/// Keeps a repository tidy by a rule, day by day.
#[server(protocol = Ask<PostUrl>, prefix = "/api", endpoint = "keep_rule")]
pub async fn keep_rule(#[server(flatten)] form: RetentionForm) -> Said<()> {
    let (c, portal) = call::begin()?;
    let said = async {
        let (rule, _) = form.read()?;
        portal.keep_rule(&c, &form.registry, &form.repository, rule).await
    }
    .await;
    call::settle(KeepRule::PATH, &c, &form, said, None)
}

/// Keeps it tidy no longer.
#[server(protocol = Ask<PostUrl>, prefix = "/api", endpoint = "end_rule")]
pub async fn end_rule(#[server(flatten)] form: RetentionForm) -> Said<()> {
    let (c, portal) = call::begin()?;
    let said = async { portal.end_rule(&c, &form.registry, &form.repository).await }.await;
    call::settle(EndRule::PATH, &c, &form, said, None)
}

/// Deletes a version; the repository's page follows, or the list where there will be none.
#[server(protocol = Ask<PostUrl>, prefix = "/api", endpoint = "delete_version")]
pub async fn delete_version(#[server(flatten)] form: DeleteVersionForm) -> Said<bool> {
    let (c, portal) = call::begin()?;
    let said = async { portal.delete_version(&c, &form.read(), &form.once).await }.await;
    let parts = [&form.registry].into_iter().map(String::as_str).chain(form.repository.split('/'));
    let on = match said {
        Ok(false) => "/images".to_owned(),
        _ => format!("/images/{}", parts.map(query::escape).collect::<Vec<_>>().join("/")),
    };
    call::settle(DeleteVersion::PATH, &c, &form, said, Some(on))
}

/// Frees the bytes of a registry that no image uses.
#[server(protocol = Ask<PostUrl>, prefix = "/api", endpoint = "collect_registry")]
pub async fn collect_registry(#[server(flatten)] form: CollectForm) -> Said<()> {
    let (c, portal) = call::begin()?;
    let said = async { portal.collect(&c, &form.registry, &form.once).await }.await;
    call::settle(CollectRegistry::PATH, &c, &form, said, None)
}

/// Stops that.
#[server(protocol = Ask<PostUrl>, prefix = "/api", endpoint = "cancel_collection")]
pub async fn cancel_collection(#[server(flatten)] form: CopyStopForm) -> Said<()> {
    let (c, portal) = call::begin()?;
    let said = async { portal.cancel_collection(&c, &form.id).await }.await;
    call::settle(CancelCollection::PATH, &c, &form, said, None)
}

/// Has a version read: what is inside.
#[server(protocol = Ask<PostUrl>, prefix = "/api", endpoint = "look_inside")]
pub async fn look_inside(#[server(flatten)] form: LookInsideForm) -> Said<()> {
    let (c, portal) = call::begin()?;
    let said = async { portal.look_inside(&c, &form.registry, &form.repository, &form.tag).await }.await;
    call::settle(LookInside::PATH, &c, &form, said, None)
}
