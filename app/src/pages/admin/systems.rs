//! What stands behind the portal: does it answer, and since when.

use super::top;
use crate::pages::written::{Part, written};
use crate::shell::PageTitle;
use crate::text::texts;
use crate::ui::Erase;
use leptos::prelude::*;

/// The systems' page.
#[component]
pub fn Systems() -> AnyView {
    let t = texts();
    view! {
        <PageTitle text=t.admin.systems/>
        {top(t, "systems", ().into_any())}
        <p class="lead gap">{t.admin.systems_lead}</p>
        {written(t.admin.systems, Part::Systems, &["systems"])}
    }
    .erase()
}

#[cfg(feature = "ssr")]
pub use server::write;
#[cfg(feature = "ssr")]
mod server {
    use crate::pages::parts::now;
    use crate::text::Texts;
    use crate::ui::{Erase, Shape, Table, col, col_num, empty, notice, state};
    use leptos::prelude::*;
    use padis_domain::view::SystemRow;

    /// The table, or what is to be done when there is none.
    pub fn write(t: &'static Texts, rows: Vec<SystemRow>) -> AnyView {
        let now = now();
        let a = &t.admin;
        if rows.is_empty() {
            return empty(a.systems_none, a.systems_lead, ().into_any());
        }
        let down = rows.iter().filter(|r| !r.up).count();
        let alarm = (down > 0).then(|| notice(Shape::Bad, t.systems_down(down), a.systems_down_text, ().into_any()));
        let cols = view! {
            {col(a.system, "")}
            {col(t.shell.state, "")}
            {col_num(a.for_long, "")}
            {col(a.where_at, "lo")}
            {col(a.detail, "md")}
        }
        .erase();
        let rows = rows
            .into_iter()
            .map(|r| {
                let how = if r.up { state(Shape::Ok, a.up) } else { state(Shape::Bad, a.down) };
                view! {
                    <tr>
                        <th scope="row">{t.system_title(r.system)}</th>
                        <td>{how}</td>
                        <td class="num">{t.since(r.since, now)}</td>
                        <td class="lo"><code>{r.at}</code></td>
                        <td class="md wrap">{r.detail}</td>
                    </tr>
                }
                .erase()
            })
            .collect_view();
        view! {
            {alarm}
            <Table label=a.systems head=cols.into_any()>{rows}</Table>
        }
        .erase()
    }
}
