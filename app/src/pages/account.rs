//! The reader's own account: who he is, where he is signed in, his password.

use super::page;
use super::parts::{Act, act, act_form, hidden, live};
use crate::api::{self, ChangePassword, RevokeSession};
use crate::fetch::Fetch;
use crate::shell::{PageTitle, who};
use crate::text::{Texts, lowercase, texts};
use crate::ui::{Button, ButtonSize, Erase, Shape, Table, TextField, Tone, col, col_num, head, section, state};
use leptos::prelude::*;
use padis_domain::view::SessionRow;

/// The page.
#[component]
pub fn Account() -> AnyView {
    let t = texts();
    let a = &t.account;
    let (end, change) = (act::<RevokeSession>(), act::<ChangePassword>());
    let (ended, changed) = (end.told.version, change.told.version);
    let news = live(&["sessions"]);
    let sessions = Fetch::new(move || (ended.get(), changed.get(), news.get()), |_| api::sessions(false));
    view! {
        <PageTitle text=t.shell.account/>
        {head(
            view! { <h1>{t.shell.account}</h1> }.erase(),
            view! { <p class="lead">{a.lead}</p> }.erase(),
            ().into_any(),
        )}
        {about(t)}
        {end.told.notice(&[], a.session_ended)}
        {page(a.sessions, sessions, move |rows| sessions_table(t, &rows, end))}
        {password(t, change)}
    }
    .erase()
}

fn about(t: &'static Texts) -> AnyView {
    let a = &t.account;
    let Some(me) = who().0 else { return ().into_any() };
    let teams = if me.teams.is_empty() {
        a.no_teams.to_owned()
    } else {
        let each: Vec<String> = me.teams.iter().map(|(s, r)| format!("{s} ({})", lowercase(t.team_role(*r)))).collect();
        t.list(&each)
    };
    let role = me.platform.map_or(a.none, |r| t.platform_role(r));
    let body = view! {
        <dl class="facts-list">
            <dt>{a.display_name}</dt>
            <dd>{me.name}" "<code>{me.account}</code></dd>
            <dt>{a.teams}</dt>
            <dd>{teams}</dd>
            <dt>{a.platform_role}</dt>
            <dd>{role}</dd>
        </dl>
    }
    .erase();
    section("whh", a.who, "", body.into_any())
}

fn sessions_table(t: &'static Texts, rows: &[SessionRow], end: Act<RevokeSession>) -> AnyView {
    let a = &t.account;
    let now = rows.iter().map(|r| r.seen_at).max().unwrap_or_default();
    let body = rows
        .iter()
        .map(|r| {
            let action = if r.current {
                state(Shape::Used, a.this_one)
            } else {
                let fields = view! {
                    {hidden("id", r.id.clone())}
                    <Button label=a.end size=ButtonSize::Tiny aria=(a.end_of)(&r.agent, &r.address)/>
                }
                .erase();
                act_form(end, format!("end-{}", r.id), "", fields.into_any())
            };
            view! {
                <tr>
                    <th scope="row">{r.agent.clone()}</th>
                    <td><code>{r.address.clone()}</code></td>
                    <td class="num lo second">{t.when(r.began_at, now)}</td>
                    <td class="num lo second">{t.when(r.seen_at, now)}</td>
                    <td class="num">{action}</td>
                </tr>
            }
            .erase()
        })
        .collect_view();
    let heads = view! {
        {col(a.browser, "")}
        {col(a.from, "")}
        {col_num(a.began, "lo")}
        {col_num(a.seen, "lo")}
        {col_num(t.shell.action, "")}
    }
    .erase();
    let body = view! { <Table label=a.sessions head=heads.into_any()>{body}</Table> }.erase();
    section("ssh", a.sessions, a.sessions_lead, body.into_any())
}

fn password(t: &'static Texts, change: Act<ChangePassword>) -> AnyView {
    let (a, told) = (&t.account, change.told);
    let again = t.pick("再次输入新密码", "New password again");
    let fields = view! {
        <TextField id="old" label=a.old_password kind="password" autocomplete="current-password" required=true error=told.error("old")/>
        <TextField id="new" label=a.new_password kind="password" autocomplete="new-password" required=true hint=a.new_hint error=told.error("new")/>
        <TextField id="again" label=again kind="password" autocomplete="new-password" required=true error=told.error("again")/>
        <div class="row"><Button label=a.change_password tone=Tone::Primary/></div>
    }.erase();
    let body = view! {
        <p class="lead">{a.password_lead}</p>
        {told.notice(&["old", "new", "again"], a.password_changed)}
        {act_form(change, "password-form", "narrow", fields.into_any())}
    }
    .erase();
    section("pwh", a.change_password, "", body.into_any())
}
