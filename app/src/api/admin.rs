//! The work queue, the journal, what stands behind the portal; teams, people, sessions.

use super::ask::Ask;
use super::fault::Said;
use super::form::{DeleteForm, LookForm, PasswordForm, PersonForm, SessionForm, TeamForm, WorkForm};
use leptos::prelude::*;
use leptos::server_fn::codec::{GetUrl, PostUrl};
use padis_domain::view::*;
#[cfg(feature = "ssr")]
use {super::call, leptos::server_fn::ServerFn};

/// The work queue, with what is stuck and why.
#[server(name = GetWork, protocol = Ask<GetUrl>, prefix = "/api", endpoint = "work")]
pub async fn work(q: ListQuery) -> Said<Page<WorkRow>> {
    let (c, portal) = call::begin()?;
    call::tell(portal.work(&c, &q).await)
}

/// Try again now.
#[server(protocol = Ask<PostUrl>, prefix = "/api", endpoint = "work_retry")]
pub async fn work_retry(#[server(flatten)] form: WorkForm) -> Said<()> {
    let (c, portal) = call::begin()?;
    let said = async { portal.work_retry(&c, &form.key).await }.await;
    call::settle(WorkRetry::PATH, &c, &form, said, None)
}

/// Leave it alone until somebody retries it.
#[server(protocol = Ask<PostUrl>, prefix = "/api", endpoint = "work_park")]
pub async fn work_park(#[server(flatten)] form: WorkForm) -> Said<()> {
    let (c, portal) = call::begin()?;
    let said = async { portal.work_park(&c, &form.key, form.reason.trim()).await }.await;
    call::settle(WorkPark::PATH, &c, &form, said, None)
}

/// Look at an application, or at everything, now.
#[server(protocol = Ask<PostUrl>, prefix = "/api", endpoint = "look_again")]
pub async fn look_again(#[server(flatten)] form: LookForm) -> Said<()> {
    let (c, portal) = call::begin()?;
    let said = async { portal.look_again(&c, form.app()?.as_ref()).await }.await;
    call::settle(LookAgain::PATH, &c, &form, said, None)
}

/// The journal, newest first.
#[server(name = GetJournal, protocol = Ask<GetUrl>, prefix = "/api", endpoint = "journal")]
pub async fn journal(q: ListQuery) -> Said<Page<JournalRow>> {
    let (c, portal) = call::begin()?;
    call::tell(portal.journal(&c, &q).await)
}

/// What stands behind the portal.
#[server(name = GetSystems, protocol = Ask<GetUrl>, prefix = "/api", endpoint = "systems")]
pub async fn systems() -> Said<Vec<SystemRow>> {
    let (c, portal) = call::begin()?;
    call::tell(portal.systems(&c).await)
}

/// Teams with people and group mappings.
#[server(name = GetTeams, protocol = Ask<GetUrl>, prefix = "/api", endpoint = "teams")]
pub async fn teams() -> Said<Vec<TeamView>> {
    let (c, portal) = call::begin()?;
    call::tell(portal.teams(&c).await)
}

/// Creates or changes a team.
#[server(protocol = Ask<PostUrl>, prefix = "/api", endpoint = "put_team")]
pub async fn put_team(#[server(flatten)] form: TeamForm) -> Said<()> {
    let (c, portal) = call::begin()?;
    let said = async { portal.put_team(&c, &form.read()?, &form.once).await }.await;
    call::settle(PutTeam::PATH, &c, &form, said, Some("/admin/teams".to_owned()))
}

/// Deletes a team that owns nothing.
#[server(protocol = Ask<PostUrl>, prefix = "/api", endpoint = "delete_team")]
pub async fn delete_team(#[server(flatten)] form: DeleteForm) -> Said<()> {
    let (c, portal) = call::begin()?;
    let said = async { portal.delete_team(&c, &form.name, form.confirm.trim()).await }.await;
    call::settle(DeleteTeam::PATH, &c, &form, said, Some("/admin/teams".to_owned()))
}

/// Built-in accounts and people seen from the directory.
#[server(name = GetPeople, protocol = Ask<GetUrl>, prefix = "/api", endpoint = "people")]
pub async fn people(q: ListQuery) -> Said<Page<PersonRow>> {
    let (c, portal) = call::begin()?;
    call::tell(portal.people(&c, &q).await)
}

/// Creates or changes a built-in account, its roles and teams.
#[server(protocol = Ask<PostUrl>, prefix = "/api", endpoint = "put_person")]
pub async fn put_person(#[server(flatten)] form: PersonForm) -> Said<()> {
    let (c, portal) = call::begin()?;
    let said = async { portal.put_person(&c, &form.read()?, &form.once).await }.await;
    call::settle(PutPerson::PATH, &c, &form, said, Some("/admin/people".to_owned()))
}

/// Changes the caller's own password.
#[server(protocol = Ask<PostUrl>, prefix = "/api", endpoint = "change_password")]
pub async fn change_password(#[server(flatten)] form: PasswordForm) -> Said<()> {
    let (c, portal) = call::begin()?;
    let said = async { portal.change_password(&c, &form.old, form.read()?).await }.await;
    call::settle(ChangePassword::PATH, &c, &form, said, None)
}

/// The caller's sessions, or everybody's for an operator.
#[server(name = GetSessions, protocol = Ask<GetUrl>, prefix = "/api", endpoint = "sessions")]
pub async fn sessions(everybody: bool) -> Said<Vec<SessionRow>> {
    let (c, portal) = call::begin()?;
    call::tell(portal.sessions(&c, everybody).await)
}

/// Ends a session.
#[server(protocol = Ask<PostUrl>, prefix = "/api", endpoint = "revoke_session")]
pub async fn revoke_session(#[server(flatten)] form: SessionForm) -> Said<()> {
    let (c, portal) = call::begin()?;
    let said = async { portal.revoke_session(&c, &form.id).await }.await;
    call::settle(RevokeSession::PATH, &c, &form, said, None)
}
