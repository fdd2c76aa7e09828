//! What every page does with an answer: show it, or say why there is none.

use crate::api::Fault;
use crate::fetch::{Coming, Fetch};
use crate::shell::PageTitle;
use crate::text::problem;
use crate::text::{Texts, texts};
use crate::ui::{Erase, Shape, notice, skeleton};
use leptos::prelude::*;
use padis_domain::Problem;

/// A fault in words.
pub fn said(t: &Texts, f: &Fault) -> problem::Said {
    match f {
        Fault::Portal(p) => t.problem(p),
        Fault::ConnectionLost => problem::Said {
            what: t.pick("没有连接到服务器。", "The server was not reached.").to_owned(),
            next: t
                .pick(
                    "请检查网络后重试，您填写的内容仍在。",
                    "Check the network and try again; what you typed is still here.",
                )
                .to_owned(),
            incident: None,
        },
        Fault::OutOfDate => problem::Said {
            what: t.pick("页面与服务器版本不一致。", "This page and the server are of different versions.").to_owned(),
            next: t.pick("请刷新页面后重试。", "Load the page again, then repeat what you did.").to_owned(),
            incident: None,
        },
    }
}

/// A fault as a notice.
pub fn fault_notice(f: &Fault) -> AnyView {
    let t = texts();
    let s = said(t, f);
    let rest = match &s.incident {
        Some(id) => format!("{} {}", s.next, (t.shell.incident)(id)),
        None => s.next.clone(),
    };
    let action = match f {
        Fault::Portal(Problem::NotSignedIn) => {
            view! { <a class="btn s" href="/sign-in" rel="external">{t.shell.sign_in}</a> }.erase()
        }
        _ => ().into_any(),
    };
    notice(Shape::Bad, s.what, rest, action)
}

/// A fault in place of a whole page, with the status that fits.
pub fn fault(f: &Fault) -> AnyView {
    let t = texts();
    crate::api::page_status(f);
    let s = said(t, f);
    view! {
        <PageTitle text=s.what.clone()/>
        <header class="head"><div><h1>{s.what.clone()}</h1></div></header>
        {fault_notice(f)}
        <p class="gap"><a class="btn" href="/">{t.shell.back_to_overview}</a></p>
    }
    .erase()
}

/// What the problems of a form say about its field, in one line.
pub fn field_error(t: &'static Texts, f: Option<&Fault>, name: &str) -> Option<String> {
    let about = f?.about(name);
    (!about.is_empty()).then(|| about.iter().map(|p| t.problem(p).line()).collect::<Vec<_>>().join(" "))
}

/// What is coming, and bones of `rows` rows until it is here; without rows, nothing. One for all pages: a
/// boundary of its own for every type costs the browser's binary 4 kB each.
pub fn waiting(what: &'static str, rows: usize, coming: Box<dyn Fn() -> Coming + Send + Sync>) -> AnyView {
    let (t, coming) = (texts(), StoredValue::new(coming));
    view! {
        <Transition fallback=move || {
            if rows == 0 { ().into_any() } else { skeleton((t.shell.loading)(what), rows) }
        }>
            {move || Suspend::new(coming.with_value(|c| c()))}
        </Transition>
    }
    .erase()
}

/// A page from a resource: bones, then the page or why there is none.
pub fn page<T>(what: &'static str, data: Fetch<T>, show: impl Fn(T) -> AnyView + Send + Sync + 'static) -> AnyView
where
    T: Clone + serde::de::DeserializeOwned + 'static,
{
    let show = data.shown(move |said| match said {
        Ok(v) => show(v),
        Err(f) => fault(&f),
    });
    waiting(what, 6, show)
}
