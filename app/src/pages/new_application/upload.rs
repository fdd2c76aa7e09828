//! Uploading a package: drop zone, progress in bytes and seconds, resuming,
//! cancelling; and the plain form for browsers without scripts.

use super::tus;
use crate::api::Fault;
use crate::pages::fault_notice;
use crate::text::{Texts, texts, units};
use crate::ui::{ButtonSize, Erase, Icon, Shape, effect, icon, state};
use leptos::{ev, prelude::*};
use padis_domain::Problem;
use padis_domain::package::PackageFault;
use padis_domain::view::PackageRow;
use wasm_bindgen::JsCast;

/// How far an upload is.
#[derive(Debug, Clone, PartialEq, Default)]
pub enum Upload {
    /// Nothing is being sent.
    #[default]
    Idle,
    /// Bytes flow.
    Sending {
        /// File name.
        name: String,
        /// Bytes the server has or is getting.
        sent: u64,
        /// Bytes of the file.
        total: u64,
        /// Milliseconds since it began.
        ms: u64,
        /// Bytes a second, lately.
        rate: u64,
    },
    /// The connection broke; it is being taken up again.
    Broken {
        /// File name.
        name: String,
        /// Bytes the server has.
        sent: u64,
        /// Bytes of the file.
        total: u64,
    },
    /// All bytes are there; the server looks inside.
    Inspecting {
        /// File name.
        name: String,
    },
    /// It was refused, or it was given up.
    Failed(Fault),
}

/// An upload's state and the handle that stops it.
#[derive(Clone, Copy)]
pub struct Uploading {
    state: RwSignal<Upload>,
    /// Counts the uploads: an older one that still reports is not listened to.
    run: RwSignal<u32>,
}

impl Uploading {
    /// Nothing yet, or what the plain form was refused for.
    pub fn new(refused: Option<Fault>) -> Self {
        Self { state: RwSignal::new(refused.map_or(Upload::Idle, Upload::Failed)), run: RwSignal::new(0) }
    }
    /// How far it is.
    pub fn now(self) -> Upload {
        self.state.get()
    }
    /// Whether upload `n` is still the one that counts.
    pub fn is(self, n: u32) -> bool {
        self.run.try_get_untracked() == Some(n)
    }
    /// Tells how far upload `n` is.
    pub fn tell(self, n: u32, to: Upload) {
        if self.is(n) {
            let _ = self.state.try_set(to);
        }
    }
    fn next(self) -> u32 {
        self.run.update(|n| *n += 1);
        self.run.get_untracked()
    }
    /// Stops what is being sent.
    fn cancel(self) {
        self.next();
        self.state.set(Upload::Idle);
    }
}

/// What an upload without scripts needs in the form that it stands in: the server is
/// told whose form it is and where to go back to, and brings back what was typed. It
/// has to stand before [`zone`]: the server reads the fields in the page's order.
///
/// The button is the one that Enter presses, else the upload's would be. Nothing of
/// this is sent where scripts run.
pub fn beside(endpoint: &'static str, back: impl Into<String>) -> AnyView {
    let back: String = back.into();
    let (live, set_live) = signal(false);
    effect(move || set_live.set(true));
    view! {
        <button class="vh" tabindex="-1" aria-hidden="true" type=move || if live.get() { "button" } else { "submit" }></button>
        <input type="hidden" name="upload-form" value=endpoint disabled=move || live.get()/>
        <input type="hidden" name="upload-back" value=back disabled=move || live.get()/>
    }
    .erase()
}

fn begin(u: Uploading, file: web_sys::File, team: &str, max: u64, done: Callback<PackageRow>) {
    let n = u.next();
    let size = file.size() as u64;
    let fault = if size == 0 {
        Some(PackageFault::Empty)
    } else if size > max {
        Some(PackageFault::TooLarge { limit_bytes: max })
    } else {
        None
    };
    if let Some(fault) = fault {
        u.tell(n, Upload::Failed(Fault::Portal(Problem::Package { fault })));
        return;
    }
    let team = team.to_owned();
    leptos::task::spawn_local(async move {
        match tus::send(&file, &team, u, n).await {
            Ok(Some(row)) if u.is(n) => {
                u.tell(n, Upload::Idle);
                done.run(row);
            }
            Ok(_) => {}
            Err(f) => u.tell(n, Upload::Failed(f)),
        }
    });
}

/// The team of the form without scripts: given, or to be chosen out of several
/// before the file, never guessed.
fn plain_team(team: &str, teams: &[(String, String)], chosen: bool, live: ReadSignal<bool>) -> AnyView {
    let n = &texts().new_app;
    if teams.len() < 2 {
        return view! { <input type="hidden" name="upload-team" value=team.to_owned() disabled=move || live.get()/> }
            .erase();
    }
    let options = teams
        .iter()
        .map(|(slug, title)| {
            let this = chosen && slug == team;
            view! { <option value=slug.clone() selected=this>{title.clone()}</option> }.erase()
        })
        .collect_view();
    view! {
        <div class="field half-field" hidden=move || live.get()>
            <label for="upload-team"><span>{n.upload_team}</span></label>
            <span class="pull i-down">
                <select class="in" id="upload-team" name="upload-team" disabled=move || live.get()>
                    <option value="" selected=!chosen>{n.choose_team}</option>
                    {options}
                </select>
            </span>
        </div>
    }
    .erase()
}

/// The drop zone with what is being uploaded below it. `teams`: those that a form
/// without scripts has to be given the choice of; `chosen`: `team` was chosen.
pub fn zone(
    u: Uploading,
    max: u64,
    team: RwSignal<String>,
    (teams, own): (&[(String, String)], bool),
    done: Callback<PackageRow>,
    has_one: Signal<bool>,
) -> AnyView {
    let t = texts();
    let n = &t.new_app;
    let (live, set_live) = signal(false);
    effect(move || set_live.set(true));
    let (over, set_over) = signal(false);
    let take = move |list: Option<web_sys::FileList>| {
        if let Some(file) = list.and_then(|l| l.get(0)) {
            begin(u, file, &team.get_untracked(), max, done);
        }
    };
    let chosen = move |e: ev::Event| {
        let input = e.target().and_then(|t| t.dyn_into::<web_sys::HtmlInputElement>().ok());
        if let Some(input) = input {
            take(input.files());
            // The same file chosen again must be heard too.
            input.set_value("");
        }
    };
    let dropped = move |e: ev::DragEvent| {
        e.prevent_default();
        set_over.set(false);
        take(e.data_transfer().and_then(|d| d.files()));
    };
    let limit = units::bytes(max);
    let words = move || if has_one.get() { (n.drop_other)(&limit) } else { (n.drop)(&limit) };
    view! {
        {plain_team(&team.get_untracked(), teams, own, live)}
        <label
            class="drop"
            data-over=move || over.get().then_some("on")
            on:dragover=move |e: ev::DragEvent| {
                e.prevent_default();
                set_over.set(true);
            }
            on:dragleave=move |_| set_over.set(false)
            on:drop=dropped
        >
            {icon(Icon::Upload)}
            <span id="drop-words">{move || words()}</span>
            <input type="file" id="file" name=move || (!live.get()).then_some("file") accept=".war,.jar,.zip,.gz,.tgz" aria-labelledby="drop-words" on:change=chosen/>
        </label>
        <div class="row gap-s" hidden=move || live.get()>
            <button class="btn s" formmethod="post" formaction="/uploads/form" formenctype="multipart/form-data">{n.upload}</button>
            <span class="hint">{n.no_package_needed}</span>
        </div>
        <div aria-live="polite">{move || progress(t, u)}</div>
    }
    .erase()
}

fn progress(t: &'static Texts, u: Uploading) -> AnyView {
    let n = &t.new_app;
    let cancel = move || {
        view! {
            <crate::ui::Button label=n.cancel size=ButtonSize::Tiny on_press=Callback::new(move |()| u.cancel())/>
        }
        .erase()
    };
    match u.now() {
        Upload::Idle => ().into_any(),
        Upload::Sending { name, sent, total, ms, rate } => {
            let left =
                (rate > 0).then(|| (n.left_about)(&t.lasting((total.saturating_sub(sent) * 1000 / rate) as i64)));
            view! {
                <div class="up">
                    {icon(Icon::File)}
                    <b>{name.clone()}</b>
                    {cancel()}
                    <progress value=sent.to_string() max=total.to_string() aria-label=(n.upload_of)(&name)></progress>
                    <div class="nums">
                        <span>{(n.sent)(&units::bytes(sent), &units::bytes(total))}</span>
                        <span>{(n.speed)(&units::bytes(rate))}</span>
                        <span>{(n.so_far)(&t.took(ms as i64))}</span>
                        <span>{left}</span>
                    </div>
                </div>
            }
            .erase()
        }
        Upload::Broken { name, sent, total } => view! {
            <div class="up">
                {icon(Icon::File)}
                <b>{name.clone()}</b>
                {cancel()}
                <progress value=sent.to_string() max=total.to_string() aria-label=(n.upload_of)(&name)></progress>
                <div class="nums">
                    <span>{(n.sent)(&units::bytes(sent), &units::bytes(total))}</span>
                    <span>{state(Shape::Warn, n.resuming)}</span>
                </div>
            </div>
        }
        .erase(),
        Upload::Inspecting { name } => view! {
            <div class="up">
                {icon(Icon::File)}
                <b>{name}</b>
                {cancel()}
                <progress aria-label=n.inspecting></progress>
                <div class="nums"><span>{state(Shape::Run, n.inspecting)}</span></div>
            </div>
        }
        .erase(),
        Upload::Failed(f) => view! { <div class="gap">{fault_notice(&f)}</div> }.erase(),
    }
}
