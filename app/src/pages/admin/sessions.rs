//! Sessions: an operator sees everybody's, others their own.

use super::top;
use crate::api::{self, RevokeSession};
use crate::fetch::Fetch;
use crate::pages::page;
use crate::pages::parts::{Act, act, act_form, hidden, live, now};
use crate::shell::{PageTitle, who};
use crate::text::{Texts, texts};
use crate::ui::{Button, ButtonSize, Erase, Shape, Table, col, empty, state};
use leptos::prelude::*;
use padis_domain::view::SessionRow;
use padis_domain::words::UnixMs;

/// The sessions' page.
#[component]
pub fn Sessions() -> AnyView {
    let t = texts();
    let everybody = who().0.is_some_and(|c| c.operator().is_ok());
    let (revoke, changed) = (act::<RevokeSession>(), live(&["sessions"]));
    let data = Fetch::new(
        move || (changed.get(), revoke.told.version.get()),
        move |_| async move { Ok((api::sessions(everybody).await?, now())) as api::Said<_> },
    );
    let lead = if everybody { t.admin.sessions_lead } else { t.admin.sessions_own };
    view! {
        <PageTitle text=t.admin.sessions/>
        {top(t, "sessions", ().into_any())}
        <p class="lead gap">{lead}</p>
        {revoke.told.notice(&[], t.admin.ended)}
        {page(t.admin.sessions, data, move |(rows, now): (Vec<SessionRow>, UnixMs)| table(t, rows, now, revoke))}
    }
    .erase()
}

fn table(t: &'static Texts, rows: Vec<SessionRow>, now: UnixMs, revoke: Act<RevokeSession>) -> AnyView {
    let a = &t.admin;
    if rows.is_empty() {
        return empty(a.sessions_none, a.sessions_lead, ().into_any());
    }
    let cols = view! {
        {col(a.account, "")}
        {col(a.from_address, "")}
        {col(a.browser, "md")}
        {col(a.began, "lo")}
        {col(a.used, "")}
        <th scope="col"><span class="vh">{t.shell.action}</span></th>
    }
    .erase();
    let rows = rows.into_iter().map(|r| row(t, r, now, revoke)).collect_view();
    view! { <Table label=a.sessions head=cols.into_any()>{rows}</Table> }.erase()
}

fn row(t: &'static Texts, r: SessionRow, now: UnixMs, revoke: Act<RevokeSession>) -> AnyView {
    let a = &t.admin;
    let this = r.current.then(|| state(Shape::Ok, a.this_one));
    let form = (!r.current).then(|| {
        let aria = format!("{} {} {}", a.end, r.account, r.address);
        let body = view! {
            {hidden("id", r.id.clone())}
            <Button label=a.end size=ButtonSize::Tiny aria=aria/>
        }
        .erase();
        act_form(revoke, format!("end-{}", r.id), "", body.into_any())
    });
    view! {
        <tr>
            <th scope="row">{r.account}</th>
            <td><code>{r.address}</code></td>
            <td class="md">{r.agent}</td>
            <td class="lo">{t.when(r.began_at, now)}</td>
            <td>{t.when(r.seen_at, now)}</td>
            <td class="num">{this}{form}</td>
        </tr>
    }
    .erase()
}
