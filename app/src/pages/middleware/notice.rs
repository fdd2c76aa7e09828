//! What those who run an application should know of its middleware: that it is going, why,
//! and one button to the version that takes its place.

use super::list::path;
use crate::api::{ReleaseApp, Said, call};
use crate::pages::parts::hidden;
use crate::pages::write::Here;
use crate::text::Texts;
use crate::ui::{Button, ButtonSize, Erase, Shape, notice};
use leptos::prelude::*;
use leptos::server_fn::ServerFn;
use padis_domain::app::AppRef;
use padis_domain::caller::Caller;
use padis_domain::portal::Portal;
use padis_domain::view::{StackNotice, StackState};

/// The notice, or nothing.
pub async fn write(t: &'static Texts, c: &Caller, portal: &dyn Portal, at: &str) -> Said<AnyView> {
    let here = Here::of(at);
    let [_, team, app, ..] = here.parts.as_slice() else { return Ok(().into_any()) };
    let app = AppRef { team: team.clone(), app: app.clone() };
    let Some(n) = call::tell(portal.stack_notice(c, &app).await)? else { return Ok(().into_any()) };
    let once = if n.may && n.successor_there { call::tell(portal.once(c).await)? } else { String::new() };
    Ok(told(t, n, once))
}

fn told(t: &'static Texts, n: StackNotice, once: String) -> AnyView {
    let d = t.standards();
    let what = match n.mark.state {
        StackState::Retired => (d.is_retired)(&n.key),
        _ => (d.is_deprecated)(&n.key),
    };
    let move_it = (!once.is_empty()).then(|| {
        view! {
            <form method="post" action=ReleaseApp::PATH>
                {hidden("team", n.app.team.clone())}
                {hidden("app", n.app.app.clone())}
                {hidden("seen", n.revision.to_string())}
                {hidden("once", once.clone())}
                {hidden("stack", n.mark.successor.clone())}
                <Button id="rebase" label=(d.move_to)(&n.mark.successor) size=ButtonSize::Small/>
            </form>
        }
        .erase()
    });
    let more = view! { <a class="btn s quiet" href=path(&n.key)>{d.more}</a> }.erase();
    let can = n.may && n.successor_there;
    let words = [Some(n.mark.note.as_str()), can.then_some(d.move_text)];
    let text = words.into_iter().flatten().filter(|w| !w.is_empty()).collect::<Vec<_>>().join(" · ");
    let told = notice(Shape::Warn, what, text, view! { <div class="row">{move_it}{more}</div> }.erase());
    view! { <div class="told">{told}</div> }.erase()
}
