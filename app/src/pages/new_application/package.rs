//! Step 2: the package.

use super::draft::Draft;
use super::facts::inside;
use super::stack::problem;
use super::upload;
use crate::text::{texts, units};
use crate::ui::Erase;
use leptos::prelude::*;

/// The step.
pub fn step(d: Draft) -> AnyView {
    let t = texts();
    let n = &t.new_app;
    let max = d.options.with_untracked(|o| o.max_package_bytes);
    let teams = d.options.with_untracked(|o| o.teams.clone());
    let zone = upload::zone(
        d.uploading,
        max,
        d.team,
        (&teams, d.team_chosen),
        Callback::new(move |row| d.take_package(row)),
        Signal::derive(move || !d.package.get().is_empty()),
    );
    let body = view! {
        {zone}
        <div class="field gap">
            <label for="package">{n.earlier}</label>
            <span class="pull i-down">
                <select
                    class="in"
                    id="package"
                    name="package"
                    aria-describedby="package-line"
                    on:change=move |e| {
                        d.package.set(event_target_value(&e));
                        d.suggest();
                    }
                >
                    {move || choices(d)}
                </select>
            </span>
        </div>
        {problem("package-line", d.error("package"))}
        {move || d.chosen_package().map(|p| view! { <div class="gap">{inside(&p)}</div> }.erase())}
    }
    .erase();
    let done = Signal::derive(move || d.chosen_package().is_some());
    super::step(2, "s2", n.package, n.package_lead.to_owned(), done, body.into_any())
}

fn choices(d: Draft) -> AnyView {
    let n = &texts().new_app;
    let (team, sha) = (d.team.get(), d.package.get());
    let none = sha.is_empty();
    let rows = d
        .packages
        .get()
        .into_iter()
        .filter(|p| p.team == team || p.sha256 == sha)
        .map(|p| {
            let word = format!("{} · {} · {}", p.file_name, units::bytes(p.bytes), p.by);
            let chosen = p.sha256 == sha;
            view! { <option value=p.sha256 selected=chosen>{word}</option> }.erase()
        })
        .collect_view();
    view! {
        <option value="" selected=none>{n.earlier_none}</option>
        {rows}
    }
    .erase()
}
