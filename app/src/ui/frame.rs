//! Page head, sections and tabs: lines, not boxes.

use super::Erase;
use leptos::prelude::*;

/// A page's head: title, an optional tag beside it, what stands below, and actions.
pub fn head(title: AnyView, below: AnyView, actions: AnyView) -> AnyView {
    view! {
        <header class="head">
            <div>
                <div class="title">{title}</div>
                {below}
            </div>
            <div class="acts">{actions}</div>
        </header>
    }
    .erase()
}

/// The line of facts under a title.
pub fn facts(items: Vec<AnyView>) -> AnyView {
    let items = items.into_iter().map(|i| view! { <span>{i}</span> }.erase()).collect_view();
    view! { <div class="facts">{items}</div> }.erase()
}

/// A section with its heading; `id` labels it.
pub fn section(id: &'static str, title: impl Into<String>, aside: impl Into<String>, body: AnyView) -> AnyView {
    section_with(id, title, aside, ().into_any(), body)
}

/// A section whose heading has something at its right end.
pub fn section_with(
    id: &'static str,
    title: impl Into<String>,
    aside: impl Into<String>,
    end: AnyView,
    body: AnyView,
) -> AnyView {
    let (title, aside): (String, String) = (title.into(), aside.into());
    view! {
        <section class="sec" aria-labelledby=id>
            <div class="sec-h">
                <h2 id=id>{title}</h2>
                <span class="quiet">{aside}</span>
                <div class="end">{end}</div>
            </div>
            {body}
        </section>
    }
    .erase()
}

/// A tab: a link to a page of its own.
#[derive(Debug, Clone)]
pub struct Tab {
    /// Where.
    pub href: String,
    /// Word.
    pub label: String,
    /// A count beside it.
    pub count: Option<String>,
    /// Whether it is the present one.
    pub current: bool,
}

/// Tabs.
pub fn tabs(label: impl Into<String>, tabs: Vec<Tab>) -> AnyView {
    let label: String = label.into();
    let tabs = tabs
        .into_iter()
        .map(|t| {
            view! {
                <a href=t.href aria-current=t.current.then_some("page")>
                    <span>{t.label}</span>
                    {t.count.map(|n| view! { <small>{n}</small> }.erase())}
                </a>
            }
            .erase()
        })
        .collect_view();
    view! { <nav class="tabs" aria-label=label>{tabs}</nav> }.erase()
}
