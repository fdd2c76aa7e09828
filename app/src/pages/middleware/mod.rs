//! Standard middleware: what each version takes and needs, how long it still has, and for
//! operators the decision about it. Written by the server; `/middleware`, and
//! `/middleware/KEY` for one version.

#[cfg(feature = "ssr")]
mod list;
#[cfg(feature = "ssr")]
mod notice;
#[cfg(feature = "ssr")]
mod one;

use crate::pages::written::{Part, written};
use crate::shell::PageTitle;
use crate::text::texts;
use crate::ui::Erase;
use leptos::prelude::*;

/// The page.
#[component]
pub fn Middleware() -> AnyView {
    let t = texts();
    view! {
        <PageTitle text=t.shell.middleware/>
        {written(t.shell.middleware, Part::Middleware, &["stacks"])}
    }
    .erase()
}

#[cfg(feature = "ssr")]
pub use notice::write as write_notice;
#[cfg(feature = "ssr")]
pub use server::write;
#[cfg(feature = "ssr")]
mod server {
    use super::{list, one};
    use crate::api::form::MarkForm;
    use crate::api::{Fault, MarkStack, Said, call};
    use crate::pages::write::Here;
    use crate::text::Texts;
    use crate::ui::Erase;
    use leptos::prelude::*;
    use leptos::server_fn::ServerFn;
    use padis_domain::Problem;
    use padis_domain::caller::Caller;
    use padis_domain::portal::Portal;

    /// The whole body.
    pub async fn write(t: &'static Texts, c: &Caller, portal: &dyn Portal, at: &str) -> Said<AnyView> {
        let here = Here::of(at);
        let all = call::tell(portal.stacks(c).await)?;
        let body = match here.parts.get(1) {
            None => list::write(t, all),
            Some(key) => {
                let found = all.iter().find(|s| s.key == *key).cloned();
                let stack = found.ok_or(Fault::Portal(Problem::NotFound))?;
                let kept = here.kept::<MarkForm>(MarkStack::PATH).await?;
                let once = if c.operator().is_ok() { call::tell(portal.once(c).await)? } else { String::new() };
                let form = MarkForm { once, ..kept.unwrap_or_else(|| MarkForm::of(&stack)) };
                one::write(t, stack, &all, form, &here)
            }
        };
        let said = here.notice(&[(MarkStack::PATH, t.standards().done)], &one::FIELDS);
        Ok(view! { {said} {body} }.erase())
    }
}
