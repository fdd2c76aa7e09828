//! Images that are brought in as a file. The file itself comes by a plain form
//! (`POST /images-archive`); what is read is written by the server (`pages::written`).

use super::ask::Ask;
use super::fault::Said;
use super::form::ArchiveStopForm;
use super::query;
use leptos::prelude::*;
use leptos::server_fn::codec::PostUrl;
use {super::call, leptos::server_fn::ServerFn};

/// Where the form with the file goes, and what it is called in what comes back.
pub const BRING: &str = "/images-archive";
/// See [`BRING`].
pub const BROUGHT: &str = "/api/bring_archive";

/// A version as a file to download.
pub fn archive_path(registry: &str, repository: &str, tag: &str) -> String {
    let repository = repository.split('/').map(query::escape).collect::<Vec<_>>().join("/");
    format!("{BRING}/{}/{repository}:{}", query::escape(registry), query::escape(tag))
}

/// Stops one that is brought in.
#[server(protocol = Ask<PostUrl>, prefix = "/api", endpoint = "cancel_archive")]
pub async fn cancel_archive(#[server(flatten)] form: ArchiveStopForm) -> Said<()> {
    let (c, portal) = call::begin()?;
    let said = async { portal.cancel_archive(&c, &form.id).await }.await;
    call::settle(CancelArchive::PATH, &c, &form, said, None)
}
