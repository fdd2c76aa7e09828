//! One recipe: a form that keeps whatever is typed, with its files, and the builds.
//!
//! One could get it wrong by giving each file a form of its own: what was typed beside it and
//! not kept would be gone with the page. So all of it is one form, and its buttons say what to
//! do beside keeping it. The first of them is pressed by the Enter key: it only keeps.

use super::bench::contract_fields;
use super::recipes::{built, named};
use super::repository::short;
use super::server::path;
use crate::api::{EndRecipe, Outcome, RECIPE_SAVED, build_path, recipe_form};
use crate::pages::parts::{hidden, now};
use crate::pages::write::Here;
use crate::text::{Texts, units};
use crate::ui::{
    Button, ButtonSize, Erase, Field, Icon, SelectField, Table, TextArea, TextField, Tone, col, col_actions, col_num,
    described, facts, head, section,
};
use leptos::prelude::*;
use leptos::server_fn::ServerFn;
use padis_domain::view::{BuildRow, RecipeFile, RecipeText, RecipeView};

/// Fields of the form beside those of the contract.
pub const FIELDS: [&str; 11] = [
    "base_repository",
    "base_tag",
    "pool",
    "packages",
    "target",
    "file",
    "env",
    "start",
    "repository",
    "tag",
    "description",
];

/// The recipe.
pub fn write(t: &'static Texts, v: RecipeView, once: String, here: &Here) -> AnyView {
    let (r, now) = (t.recipes(), now());
    let items = vec![
        view! { {r.base} " " <a href=path(&v.registry, &v.row.base.0, Some(&v.row.base.1))>{named(&v.row.base)}</a> }
            .erase(),
        view! { {v.row.by.clone()} " · " {t.when(v.row.changed_at, now)} }.erase(),
    ];
    let body =
        if v.may { form(t, &v, once, here) } else { section("made-of", r.made_of, "", made_of(t, &v.text, &v.files)) };
    view! {
        {head(view! { <h1>{r.one} ": " {named(&v.row.to)}</h1> }.erase(), facts(items), ().into_any())}
        {body}
        {builds(t, &v.builds)}
        {v.may.then(|| end(t, &v.row.id))}
    }
    .erase()
}

/// What is wrong with a field that is read here by the rule of the build, in words of its own.
fn wrong(t: &'static Texts, here: &Here, field: &str, words: Option<String>) -> Signal<Option<String>> {
    let said = here.error(t, RECIPE_SAVED, field);
    Signal::stored(said.with_untracked(|why| why.is_some().then_some(words).flatten().or_else(|| why.clone())))
}

fn form(t: &'static Texts, v: &RecipeView, once: String, here: &Here) -> AnyView {
    let (r, b, text) = (t.recipes(), t.benches(), &v.text);
    let line_of = |line: Option<usize>, words: fn(&str) -> String| line.map(|n| words(&units::count(n as u64)));
    let error = |field: &str| here.error(t, RECIPE_SAVED, field);
    let line = |id: &'static str, label: &'static str, hint: &str, value: &str, code: bool| {
        view! {
            <TextField
                id=id
                label=label
                value=value.to_owned()
                hint=hint.to_owned()
                error=error(id)
                code=code
                autocomplete="off"
            />
        }
        .erase()
    };
    let pools = v.pools.iter().map(|p| (p.clone(), p.clone())).collect::<Vec<_>>();
    let refused = pools.is_empty().then(|| r.no_pool.to_owned());
    let base = view! {
        <div class="three">
            {line("base_repository", r.base_repository, "", &text.base_repository, true)}
            {line("base_tag", r.base_tag, "", &text.base_tag, true)}
            <SelectField id="pool" label=r.pool options=pools value=text.pool.clone() hint=r.pool_hint error=error("pool")/>
        </div>
    }
    .erase();
    let packages = view! {
        <TextArea
            id="packages"
            label=r.packages_label
            value=text.packages.clone()
            hint=r.packages_hint
            error=wrong(t, here, "packages", line_of(text.packages().err(), r.wrong_package))
            code=true
        />
    }
    .erase();
    let runs = view! {
        <div class="fields">
        <TextArea
            id="env"
            label=r.env
            value=text.env.clone()
            hint=r.env_hint
            error=wrong(t, here, "env", line_of(text.env().err(), r.wrong_env))
            code=true
        />
        <TextField
            id="start"
            label=r.start_command
            value=text.start.clone()
            hint=r.start_hint
            error=wrong(t, here, "start", text.start().is_none().then(|| r.wrong_start.to_owned()))
            code=true
            autocomplete="off"
        />
        </div>
    }
    .erase();
    let below = if v.below.is_empty() {
        b.repository_hint.to_owned()
    } else {
        (b.below)(&t.list(&v.below.iter().map(String::as_str).collect::<Vec<_>>()))
    };
    let contract =
        contract_fields(t, RECIPE_SAVED, here, |label| text.contract.get(label).cloned().unwrap_or_default());
    let to = view! {
        <div class="fields narrow">
            {line("repository", b.repository, &below, &text.repository, true)}
            {line("tag", b.tag, b.tag_hint, &text.tag, true)}
            {line("description", b.description, b.description_hint, &text.description, false)}
        </div>
        {contract}
    }
    .erase();
    view! {
        <form class="recipe" method="post" action=recipe_form(&v.row.id) enctype="multipart/form-data">
            {hidden("once", once)}
            <button class="vh" name="do" value="save" tabindex="-1" aria-hidden="true">{r.save}</button>
            {section("base", r.base, r.base_aside, base)}
            {section("packages-of", r.packages, r.packages_aside, packages)}
            {section("files", r.files, r.files_aside, files(t, v, here))}
            {section("runs", r.runs, r.runs_aside, runs)}
            {section("to", r.to, b.commit_aside, to)}
            <div class="row">
                <Button
                    id="recipe-build"
                    label=r.build
                    tone=Tone::Primary
                    name="do"
                    value="build"
                    refused=Signal::stored(refused)
                />
                <Button id="recipe-save" label=r.save name="do" value="save"/>
            </div>
        </form>
    }
    .erase()
}

fn files(t: &'static Texts, v: &RecipeView, here: &Here) -> AnyView {
    let r = t.recipes();
    let list = if v.files.is_empty() {
        view! { <p class="hint">{r.files_none}</p> }.erase()
    } else {
        let cols = view! { {col(r.path, "")} {col_num(r.size, "")} {col_actions()} }.erase();
        let rows = v.files.iter().map(|f| {
            let runs = f.executable.then(|| view! { <span class="under">{r.executable}</span> }.erase());
            let aria = format!("{}: {}", r.remove, f.path);
            view! {
                <tr>
                    <th scope="row"><code>{f.path.clone()}</code>{runs}</th>
                    <td class="num">{units::bytes(f.bytes)}</td>
                    <td><Button label=r.remove size=ButtonSize::Small name="drop" value=f.path.clone() aria=aria/></td>
                </tr>
            }
            .erase()
        });
        let rows = rows.collect_view();
        view! { <Table label=r.files head=cols.into_any()>{rows}</Table> }.erase()
    };
    let failed = matches!(here.outcome(RECIPE_SAVED), Outcome::Failed(_));
    // What was typed for a file that did not come is not lost either.
    let target = if failed { here.get("target") } else { String::new() };
    let line = described("file");
    view! {
        {list}
        <div class="three gap">
            <TextField
                id="target"
                label=r.target
                value=target
                hint=r.target_hint
                error=wrong(t, here, "target", Some(r.wrong_target.to_owned()))
                code=true
                autocomplete="off"
            />
            <Field
                id="file"
                label=r.file
                hint=(r.file_hint)(&units::bytes(v.most_bytes))
                error=here.error(t, RECIPE_SAVED, "file")
            >
                <div class="add-file">
                    <label class="check"><input type="checkbox" name="executable" value="yes"/><span>{r.executable}</span></label>
                    <input class="in file" id="file" name="file" type="file" multiple=true aria-describedby=line/>
                </div>
            </Field>
        </div>
        <div class="row"><Button id="recipe-add" label=r.add glyph=Icon::Upload name="do" value="add"/></div>
    }
    .erase()
}

/// What an image is made of, to be read.
pub fn made_of(t: &'static Texts, text: &RecipeText, files: &[RecipeFile]) -> AnyView {
    let r = t.recipes();
    let line = |word: &'static str, value: &str, none: &'static str| {
        let value = if value.trim().is_empty() {
            none.into_any()
        } else {
            view! { <pre class="typed">{value.trim().to_owned()}</pre> }.erase()
        };
        view! { <dt>{word}</dt><dd>{value}</dd> }.erase()
    };
    let rows = files.iter().map(|f| {
        let runs = if f.executable { format!(" · {}", r.executable) } else { String::new() };
        view! {
            <li><code>{f.path.clone()}</code> " " <span class="second">{units::bytes(f.bytes)}{runs} " " {short(&f.sha256)}</span></li>
        }
        .erase()
    });
    let files = if files.is_empty() {
        r.nothing.into_any()
    } else {
        view! { <ul class="tree">{rows.collect_view()}</ul> }.erase()
    };
    view! {
        <dl class="pairs wide">
            {line(r.base, &named(&(text.base_repository.clone(), text.base_tag.clone())), "")}
            {line(r.packages, &text.packages, r.nothing)}
            <dt>{r.files}</dt><dd>{files}</dd>
            {line(r.env, &text.env, r.nothing)}
            {line(r.start_command, &text.start, r.as_base)}
            {line(t.benches().description, &text.description, "")}
        </dl>
    }
    .erase()
}

fn builds(t: &'static Texts, all: &[BuildRow]) -> AnyView {
    if all.is_empty() {
        return ().into_any();
    }
    let (r, now) = (t.recipes(), now());
    let cols =
        view! { {col("#", "")} {col(r.becomes, "")} {col(t.images().state, "")} {col_num(t.images().asked, "md")} }
            .erase();
    let rows = all.iter().map(|b| {
        let words = (r.build_one)(&units::count(u64::from(b.number)));
        view! {
            <tr>
                <th scope="row"><a href=build_path(&b.recipe, b.number)>{words}</a></th>
                <td>{named(&(b.text.repository.clone(), b.text.tag.clone()))}</td>
                <td>{built(t, b.state, &b.why)}</td>
                <td class="num md">{t.when(b.asked_at, now)} <span class="under">{b.by.clone()}</span></td>
            </tr>
        }
        .erase()
    });
    let rows = rows.collect_view();
    section(
        "builds",
        r.builds,
        r.builds_aside,
        view! { <Table label=r.builds head=cols.into_any()>{rows}</Table> }.erase(),
    )
}

fn end(t: &'static Texts, id: &str) -> AnyView {
    let r = t.recipes();
    view! {
        <details class="danger">
            <summary>{r.end}</summary>
            <p class="hint">{r.end_text}</p>
            <form method="post" action=EndRecipe::PATH>
                {hidden("id", id.to_owned())}
                <Button id="recipe-end" label=r.end_go tone=Tone::Danger/>
            </form>
        </details>
    }
    .erase()
}
