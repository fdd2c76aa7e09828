//! The balancer: behind every name its members, and what they are serving.

use crate::pages::written::{Part, written};
use crate::shell::PageTitle;
use crate::text::texts;
use crate::ui::Erase;
use leptos::prelude::*;

/// The balancer's page.
#[component]
pub fn Balancers() -> AnyView {
    let t = texts();
    view! {
        <PageTitle text=t.shell.balancers/>
        {written(t.shell.balancers, Part::Balancers, &["apps", "systems"])}
    }
    .erase()
}

#[cfg(feature = "ssr")]
pub use server::write;
#[cfg(feature = "ssr")]
mod server {
    use crate::api::{self, BalancerPage};
    use crate::pages::parts::{filter_box, now, pages_of};
    use crate::pages::write::address;
    use crate::text::{Texts, units};
    use crate::ui::{Erase, Shape, Table, col, col_num, empty, facts, head, notice, state, state_tag};
    use leptos::prelude::*;
    use padis_domain::app::AppRef;
    use padis_domain::ports::{MemberSeen, MemberState, ServiceSeen};
    use padis_domain::view::ListQuery;

    /// The whole body.
    pub fn write(t: &'static Texts, b: BalancerPage, q: &ListQuery) -> AnyView {
        let (n, now, url, q) = (&t.net, now(), &address("/balancers", q), q.q.as_str());
        let tag = if b.up { state_tag(Shape::Ok, n.up) } else { state_tag(Shape::Bad, n.down) };
        let seen = b.observed_at.map(|at| view! { {n.seen} " " {t.when(at, now)} }.erase());
        let mut items = vec![view! { <span>{(n.listens)(&b.listen)}</span> }.erase()];
        items.extend(seen);
        let down = (!b.up).then(|| notice(Shape::Bad, n.down_title, n.down_text, ().into_any()));
        let p = b.services;
        let list = if p.total == 0 && q.is_empty() {
            empty(n.balancer_none, n.balancer_none_text, ().into_any())
        } else if p.rows.is_empty() {
            empty(n.names_no_hit, n.no_hit_text, ().into_any())
        } else {
            table(t, &p.rows)
        };
        let filter = (p.total > 0 || !q.is_empty()).then(|| filter_box(t, url, n.balancer_filter, q, ().into_any()));
        view! {
            {head(view! { <h1>{t.shell.balancers}</h1>{tag} }.erase(), facts(items), ().into_any())}
            <p class="second">{n.balancer_lead}</p>
            {down}
            {filter}
            {list}
            {pages_of(t, url, p.page, p.per_page, p.total)}
        }
        .erase()
    }

    fn table(t: &'static Texts, services: &[(AppRef, ServiceSeen)]) -> AnyView {
        let n = &t.net;
        let cols = view! {
            {col(format!("{} · {}", n.service, n.member), "")}
            {col(t.shell.state, "")}
            {col_num(n.sessions, "")}
            {col_num(n.rate, "md")}
            {col_num(n.requests, "lo")}
            {col_num(n.failed, "")}
            {col(n.check, "lo")}
        }
        .erase();
        let rows = services.iter().map(|(app, s)| group(t, app, s)).collect_view();
        view! { <Table label=t.shell.balancers head=cols.into_any()>{rows}</Table> }.erase()
    }

    /// Failed requests with their share, so that ten of a million don't alarm.
    fn failed(failed: u64, requests: u64) -> AnyView {
        let share = (failed > 0 && requests > 0).then(|| {
            let percent = failed as f64 * 100.0 / requests as f64;
            // A failure is never rounded away.
            let words = if percent < 0.01 { "< 0.01".to_owned() } else { units::fixed(percent, 2) };
            view! { <span class="unit">" " {words} " %"</span> }.erase()
        });
        view! { {units::count(failed)} {share} }.erase()
    }

    fn group(t: &'static Texts, app: &AppRef, s: &ServiceSeen) -> AnyView {
        let n = &t.net;
        let well = s.members.iter().filter(|m| m.up && m.member.state == MemberState::Ready).count();
        let words = (n.members_of)(well, s.members.len());
        let how = match (well, s.members.len()) {
            (0, _) => state(Shape::Bad, words),
            (w, all) if w < all => state(Shape::Warn, words),
            _ => state(Shape::Ok, words),
        };
        let serving: u64 = s.members.iter().map(|m| m.sessions).sum();
        let none = s
            .members
            .is_empty()
            .then(|| view! { <tr><td colspan="7" class="second inner">{n.no_member}</td></tr> }.erase());
        let members = s.members.iter().map(|m| member(t, m)).collect_view();
        view! {
            <tr class="group">
                <th scope="row"><a href=api::app_path(app)>{s.service.host.clone()}</a></th>
                <td>{how}</td>
                <td class="num">{serving}</td>
                <td class="num md">{s.rate}</td>
                <td class="num lo">{units::count(s.requests)}</td>
                <td class="num">{failed(s.failed, s.requests)}</td>
                <td class="lo"><code>{s.service.health_path.clone()}</code></td>
            </tr>
            {members}
            {none}
        }
        .erase()
    }

    fn member(t: &'static Texts, m: &MemberSeen) -> AnyView {
        let n = &t.net;
        let how = match (m.member.state, m.up) {
            (MemberState::Drain, _) => state(Shape::Leave, n.drain),
            (MemberState::Ready, true) => state(Shape::Ok, n.ready),
            (MemberState::Ready, false) => state(Shape::Bad, n.sick),
        };
        view! {
            <tr>
                <td class="inner"><code>{m.member.ip.clone()} ":" {m.member.port}</code></td>
                <td>{how}</td>
                <td class="num">{m.sessions}</td>
                <td class="num md"></td>
                <td class="num lo">{units::count(m.requests)}</td>
                <td class="num">{failed(m.failed, m.requests)}</td>
                <td class="lo"><code>{m.check.clone()}</code></td>
            </tr>
        }
        .erase()
    }
}
