//! The top bar: breadcrumb, search, stage, language, theme, account.

use super::crumbs::crumbs;
use super::nav::NAV_ID;
use super::{prefs, who};
use crate::context::{Lang, Theme};
use crate::text::texts;
use crate::ui::{Erase, Icon, Menu, UrlState, icon, seg_links};
use leptos::prelude::*;
use leptos_router::hooks::{use_location, use_query_map};
use padis_domain::words::Stage;

/// The present page's path and query.
pub fn use_here() -> Memo<UrlState> {
    let path = use_location().pathname;
    let query = use_query_map();
    Memo::new(move |_| {
        let pairs = query.get().into_iter().map(|(k, v)| (k.into_owned(), v));
        UrlState::new(path.get(), pairs)
    })
}

/// The top bar.
#[component]
pub fn Top() -> AnyView {
    let t = texts();
    let s = &t.shell;
    let here = use_here();
    let path = use_location().pathname;
    let way = move || {
        crumbs(t, &path.get())
            .into_iter()
            .map(|(href, word)| match href {
                Some(href) => view! { <li><a href=href>{word}</a></li> }.erase(),
                None => view! { <li aria-current="page">{word}</li> }.erase(),
            })
            .collect_view()
    };
    let stages = move || {
        let url = here.get();
        let now = url.get("stage").to_owned();
        let mut items = vec![(url.with(&[("stage", ""), ("page", "")]), s.all.to_owned(), now.is_empty())];
        for st in Stage::ALL {
            let href = url.with(&[("stage", st.as_str()), ("page", "")]);
            items.push((href, t.stage(*st).to_owned(), now == st.as_str()));
        }
        seg_links(s.stage, items)
    };
    view! {
        <header class="top">
            <button class="btn quiet icon only-s" type="button" popovertarget=NAV_ID aria-label=s.areas>
                {icon(Icon::Menu)}
            </button>
            <nav class="crumbs" aria-label=s.you_are_here>
                <ol>{move || way()}</ol>
            </nav>
            <form class="find" method="get" action="/search" role="search" aria-label=s.search>
                {icon(Icon::Search)}
                <input type="search" name="q" aria-label=s.search placeholder=s.search autocomplete="off"/>
                <kbd>"Ctrl K"</kbd>
            </form>
            <a class="btn quiet icon only-s" href="/search" aria-label=s.search>{icon(Icon::Search)}</a>
            {move || stages()}
            {language(here)}
            {theme(here)}
            {account(here)}
        </header>
    }
    .erase()
}

fn back(here: Memo<UrlState>) -> impl IntoView {
    view! { <input type="hidden" name="back" prop:value=move || here.get().with(&[]) value=here.get_untracked().with(&[])/> }.erase()
}

fn language(here: Memo<UrlState>) -> AnyView {
    let s = &texts().shell;
    let (other, tag) = match prefs().lang {
        Lang::Zh => ("en", "en"),
        Lang::En => ("zh", "zh-CN"),
    };
    view! {
        <form method="post" action="/prefs" class="not-s">
            {back(here)}
            <button class="btn quiet icon" name="lang" value=other aria-label=s.other_lang_label title=s.other_lang_label>
                <span lang=tag>{s.other_lang}</span>
            </button>
        </form>
    }
    .erase()
}

fn theme(here: Memo<UrlState>) -> AnyView {
    let s = &texts().shell;
    let now = prefs().theme;
    let item = move |value: &'static str, word: &'static str, current: bool| {
        view! {
            <button class="item" name="theme" value=value aria-pressed=if current { "true" } else { "false" }>
                {word}
            </button>
        }
        .erase()
    };
    view! {
        <Menu id="menu-theme" label=s.theme_label glyph=Icon::Theme class="not-s">
            <form method="post" action="/prefs">
                {back(here)}
                {item("auto", s.theme_auto, now == Theme::Auto)}
                {item("light", s.theme_light, now == Theme::Light)}
                {item("dark", s.theme_dark, now == Theme::Dark)}
            </form>
        </Menu>
    }
    .erase()
}

fn account(here: Memo<UrlState>) -> AnyView {
    let t = texts();
    let s = &t.shell;
    let Some(me) = who().0 else {
        return view! { <a class="btn s" href="/sign-in" rel="external">{s.sign_in}</a> }.erase();
    };
    let teams: Vec<&str> = me.teams.keys().map(String::as_str).collect();
    let role = me.platform.map(|r| t.platform_role(r)).unwrap_or_default();
    let about = [role.to_owned(), t.list(&teams)].into_iter().filter(|x| !x.is_empty()).collect::<Vec<_>>().join(" · ");
    let p = prefs();
    let (lang_other, lang_tag) = match p.lang {
        Lang::Zh => ("en", "en"),
        Lang::En => ("zh", "zh-CN"),
    };
    view! {
        <Menu id="menu-account" label=(s.account_of)(&me.name) glyph=Icon::Person>
            <div class="about">
                <b>{me.name}</b>
                <small>{about}</small>
            </div>
            <a class="item" href="/account">{s.account}</a>
            <form method="post" action="/prefs">
                {back(here)}
                <button class="item" name="tech" value=if p.tech { "off" } else { "on" }>
                    {if p.tech { s.tech_hide } else { s.tech_show }}
                </button>
                <button class="item only-s" name="lang" value=lang_other aria-label=s.other_lang_label>
                    <span lang=lang_tag>{s.other_lang}</span>
                </button>
                <button class="item only-s" name="theme" value="light">{s.theme_light}</button>
                <button class="item only-s" name="theme" value="dark">{s.theme_dark}</button>
                <button class="item only-s" name="theme" value="auto">{s.theme_auto}</button>
            </form>
            <form method="post" action="/auth/sign-out">
                <button class="item">{s.sign_out}</button>
            </form>
        </Menu>
    }
    .erase()
}
