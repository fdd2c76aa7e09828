//! "Try it on the running instance": what the health rule that is being typed
//! finds, before it is saved.
//!
//! With scripts the fields are read when the button is pressed, as they stand; a
//! browser without them posts the form, comes back, and the page asks while it is
//! rendered. One could get it wrong by showing what came back as HTML: it is text.

use super::refused;
use crate::api::form::ReleaseForm;
use crate::api::{self, Fault, Said, TryHealth};
use crate::pages::{fault_notice, field_error};
use crate::text::texts;
use crate::ui::{Button, ButtonSize, Erase, Shape, notice, state};
use leptos::prelude::*;
use leptos::server_fn::ServerFn;
use padis_domain::action::Action;
use padis_domain::view::{AppView, Tried};
use wasm_bindgen::JsCast;

/// What is known of a try.
#[derive(Clone)]
enum Now {
    /// None was made.
    Nothing,
    /// It is under way.
    Asking,
    /// It was made, and what came of it.
    Said(Said<Tried>),
}

/// The field's value as it stands in the page.
fn typed(id: &str) -> String {
    let input = document().get_element_by_id(id).and_then(|e| e.dyn_into::<web_sys::HtmlInputElement>().ok());
    input.map(|i| i.value()).unwrap_or_default()
}

/// The button with its answer below; it stands in the form whose rule it tries.
pub fn trying(v: &AppView, before: Option<Said<Option<Tried>>>) -> AnyView {
    let t = texts();
    let n = &t.new_app;
    let app = v.app.clone();
    let before = before.and_then(Result::transpose).map_or(Now::Nothing, Now::Said);
    let now = RwSignal::new(before);
    let ask = Callback::new(move |()| {
        if matches!(now.get_untracked(), Now::Asking) {
            return;
        }
        now.set(Now::Asking);
        let form = ReleaseForm {
            team: app.team.clone(),
            app: app.app.clone(),
            health_path: typed("health_path"),
            health_expect: typed("health_expect"),
            timeout_s: typed("timeout_s"),
            ..ReleaseForm::default()
        };
        leptos::task::spawn_local(async move {
            let said = api::try_health(form).await;
            let _ = now.try_set(said.transpose().map_or(Now::Nothing, Now::Said));
        });
    });
    let shown = move || match now.get() {
        Now::Nothing => ().into_any(),
        Now::Asking => view! { <p class="second">{state(Shape::Run, n.trying)}</p> }.erase(),
        Now::Said(Err(f)) => fault(&f),
        Now::Said(Ok(tried)) => answer(&tried),
    };
    view! {
        <div class="row gap">
            <Button
                id="try"
                label=n.try_it
                size=ButtonSize::Small
                formaction=TryHealth::PATH
                refused=Signal::stored(refused(v, Action::Try))
                on_press=ask
            />
            <span class="hint">{n.try_hint}</span>
        </div>
        <div class="said gap-s" id="try_health" aria-live="polite">{shown}</div>
    }
    .erase()
}

/// Why the page was not asked. What is wrong with a field names the field: it stands
/// above, and the answer here.
fn fault(f: &Fault) -> AnyView {
    let t = texts();
    let n = &t.new_app;
    let fields = [("health_path", n.health_path), ("health_expect", n.expect), ("timeout_s", n.timeout)];
    let said: Vec<String> = fields
        .into_iter()
        .filter_map(|(name, label)| field_error(t, Some(f), name).map(|e| t.field_says(label, &e)))
        .collect();
    if said.is_empty() { fault_notice(f) } else { notice(Shape::Bad, said.join(" "), "", ().into_any()) }
}

fn answer(tried: &Tried) -> AnyView {
    let t = texts();
    let n = &t.new_app;
    let shape = if tried.seen.finding.is_well() { Shape::Ok } else { Shape::Bad };
    let (what, rest) = t.tried(tried);
    let body = (!tried.seen.body.is_empty()).then(|| {
        let lead = if tried.seen.more { n.tried_begins } else { n.tried_body };
        view! {
            <p class="hint">{lead}</p>
            <pre class="tail" tabindex="0">{tried.seen.body.clone()}</pre>
        }
        .erase()
    });
    view! {
        {notice(shape, what, rest, ().into_any())}
        {body}
    }
    .erase()
}
