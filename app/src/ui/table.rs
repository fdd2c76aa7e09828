//! Tables: hairlines, numbers right, one tab stop so that a wide one can be
//! scrolled by keyboard. Columns of class `md` leave below 900 px, `lo` below 700.

use super::Erase;
use leptos::prelude::*;

/// A table. The head's cells are `<th>`s ([`col`], `sort_head`), the body's rows `<tr>`s.
#[component]
pub fn Table(
    /// What the table shows, for screen readers.
    #[prop(into)]
    label: String,
    /// The head's cells.
    head: AnyView,
    /// The rows.
    children: Children,
) -> AnyView {
    let said = label.clone();
    view! {
        <div class="tblx" tabindex="0" role="group" aria-label=said>
            <table class="tbl">
                <caption class="vh">{label}</caption>
                <thead>
                    <tr>{head}</tr>
                </thead>
                <tbody>{children()}</tbody>
            </table>
        </div>
    }
    .erase()
}

/// The head of a column of actions: no head of anything, which a screen reader would read.
#[cfg(feature = "ssr")]
pub fn col_actions() -> AnyView {
    view! { <td></td> }.erase()
}
/// A plain column head.
pub fn col(label: impl Into<String>, class: &'static str) -> AnyView {
    let label: String = label.into();
    view! { <th scope="col" class=class>{label}</th> }.erase()
}
/// A column head of numbers.
pub fn col_num(label: impl Into<String>, class: &'static str) -> AnyView {
    let label: String = label.into();
    view! { <th scope="col" class=format!("num {class}")>{label}</th> }.erase()
}
/// A cell.
pub fn cell(class: &'static str, content: AnyView) -> AnyView {
    view! { <td class=class>{content}</td> }.erase()
}
/// A row that says that there is none.
pub fn empty_row(columns: u32, text: impl Into<String>) -> AnyView {
    let text: String = text.into();
    view! { <tr><td colspan=columns class="quiet">{text}</td></tr> }.erase()
}
