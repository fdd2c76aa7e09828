//! One workbench: what was changed in it, the form that keeps it as a version, the versions
//! that were made of it, its terminals.

use super::benches::{shown, version};
use super::repository::short;
use super::server::path;
use crate::api::form::{BenchEndForm, CONTRACT, CommitForm};
use crate::api::{CommitBench, EndBench, Outcome};
use crate::pages::parts::{hidden, now};
use crate::pages::write::Here;
use crate::text::benches::Workbenches;
use crate::text::{Texts, units};
use crate::ui::{
    Button, Erase, Icon, LinkButton, Shape, Table, TextField, Tone, col, col_actions, col_num, empty, facts, head,
    notice, section, state,
};
use leptos::prelude::*;
use leptos::server_fn::ServerFn;
use padis_domain::ports::{BenchChange, ChangeKind};
use padis_domain::view::{BenchState, BenchView, CommitRow, CommitState, doubt};
use std::collections::BTreeMap;

/// Fields of the form.
pub const FIELDS: [&str; 16] = [
    "repository",
    "tag",
    "description",
    "contract_name",
    "contract_title_zh",
    "contract_title_en",
    "contract_version",
    "contract_kinds",
    "contract_form",
    "contract_package",
    "contract_port",
    "contract_logs",
    "contract_health",
    "contract_uid",
    "contract_min_mem_mib",
    "contract_start_s",
];
/// Paths up to which every folder is open to begin with.
const OPEN: usize = 60;

/// The form as it was sent and came back, else as it is proposed.
pub fn proposed(v: &BenchView) -> CommitForm {
    let name = v.row.repository.rsplit('/').next().unwrap_or_default();
    let repository = match v.below.first() {
        Some(first) if !v.below.iter().any(|b| v.row.repository.starts_with(b)) => format!("{first}{name}"),
        _ => v.row.repository.clone(),
    };
    let form = CommitForm { repository, leave_out: "yes".to_owned(), bench: v.row.id.clone(), ..CommitForm::default() };
    form.with(&v.contract)
}

/// The workbench.
pub fn write(t: &'static Texts, v: BenchView, form: CommitForm, here: &Here) -> AnyView {
    let (b, now, registry) = (t.benches(), now(), v.registry.as_str());
    let r = &v.row;
    let items = vec![
        shown(t, r),
        view! {
            {b.from}
            " "
            <a href=path(registry, &r.repository, Some(&r.tag))>{r.repository.clone()} ":" {r.tag.clone()}</a>
        }
        .erase(),
        short(&r.digest),
        format!("{} · {}", r.pool, r.host).into_any(),
        view! { {r.by.clone()} " · " {t.when(r.asked_at, now)} }.erase(),
    ];
    let open = r.state == BenchState::Open;
    let actions = (v.may && open).then(|| {
        let href = format!("/benches/{}/terminal", r.id);
        view! { <a class="btn primary" id="bench-terminal" href=href target="_blank" rel="noopener">{b.terminal}</a> }
            .erase()
    });
    let commit = (v.may && open).then(|| section("commit", b.commit, b.commit_aside, commit(t, &v, form, here)));
    // Where it came back, what is wrong with it is seen first.
    let (first, last) = match here.outcome(CommitBench::PATH) {
        Outcome::Failed(_) => (commit, None),
        _ => (None, commit),
    };
    let kept = (!v.commits.is_empty()).then(|| {
        section("kept", b.kept, b.kept_aside, v.commits.iter().map(|m| made(t, m, registry)).collect_view().into_any())
    });
    view! {
        {head(
            view! { <h1>{b.one} ": " {r.repository.clone()} ":" {r.tag.clone()}</h1> }.erase(),
            facts(items),
            actions.into_any(),
        )}
        {first}
        {open.then(|| changed(t, &v))}
        {last}
        {kept}
        {records(t, &v)}
        {v.may.then(|| end(b, &r.id))}
    }
    .erase()
}

fn changed(t: &'static Texts, v: &BenchView) -> AnyView {
    let b = t.benches();
    let again = view! { <a class="btn s" href=crate::api::bench_path(&v.row.id)>{b.look}</a> }.erase();
    if v.changes_why.is_some() {
        return section("changes", b.changes, "", notice(Shape::Warn, b.host_silent, "", again.into_any()));
    }
    let rows = &v.changes.rows;
    if rows.is_empty() {
        return section("changes", b.changes, "", empty(b.unchanged, b.unchanged_text, again.into_any()));
    }
    let all = rows.len() as u64 + v.changes.more;
    let aside = (b.changes_aside)(&units::count(all), &units::bytes(rows.iter().map(|c| c.bytes).sum()));
    let more =
        (v.changes.more > 0).then(|| view! { <p class="hint">{(b.more)(&units::count(v.changes.more))}</p> }.erase());
    let body = view! { {tree(t, rows, v.logs.as_deref())} {more} <div class="row gap-s">{again}</div> }.erase();
    section("changes", b.changes, aside, body)
}

/// A folder with what was changed in it.
#[derive(Default)]
struct Folder<'a> {
    own: Option<&'a BenchChange>,
    inside: BTreeMap<&'a str, Folder<'a>>,
}

/// What was changed, as a tree.
fn tree(t: &'static Texts, rows: &[BenchChange], logs: Option<&str>) -> AnyView {
    let mut root = Folder::default();
    for row in rows {
        let mut at = &mut root;
        for part in row.path.split('/').filter(|p| !p.is_empty()) {
            at = at.inside.entry(part).or_default();
        }
        at.own = Some(row);
    }
    branches(t, &root, logs, rows.len() <= OPEN)
}

fn branches(t: &'static Texts, folder: &Folder<'_>, logs: Option<&str>, open: bool) -> AnyView {
    let one = |(name, inside): (&&str, &Folder<'_>)| {
        // Folders with nothing beside are one line.
        let (mut name, mut inside) = (format!("/{name}"), inside);
        while inside.own.is_none() && inside.inside.len() == 1 {
            let Some((next, below)) = inside.inside.iter().next() else { break };
            name.push('/');
            name.push_str(next);
            inside = below;
        }
        let said = inside.own.map(|own| said(t, own, logs));
        if inside.inside.is_empty() {
            return view! { <li><code>{name}</code>{said}</li> }.erase();
        }
        let below = branches(t, inside, logs, open);
        view! { <li><details open=open><summary><code>{name}"/"</code>{said}</summary>{below}</details></li> }.erase()
    };
    view! { <ul class="tree">{folder.inside.iter().map(one).collect_view()}</ul> }.erase()
}

fn said(t: &'static Texts, c: &BenchChange, logs: Option<&str>) -> AnyView {
    let shape = match c.kind {
        ChangeKind::Added => Shape::Ok,
        ChangeKind::Modified => Shape::Run,
        ChangeKind::Deleted => Shape::Off,
    };
    let bytes = (c.bytes > 0).then(|| view! { <span class="second">{units::bytes(c.bytes)}</span> }.erase());
    let doubt = doubt(c, logs).map(|d| state(Shape::Warn, t.doubt(d)));
    view! { {state(shape, t.change_kind(c.kind))}{bytes}{doubt} }.erase()
}

fn commit(t: &'static Texts, v: &BenchView, form: CommitForm, here: &Here) -> AnyView {
    let b = t.benches();
    let error = |field: &str| here.error(t, CommitBench::PATH, field);
    let below = if v.below.is_empty() {
        b.repository_hint.to_owned()
    } else {
        (b.below)(&t.list(&v.below.iter().map(String::as_str).collect::<Vec<_>>()))
    };
    let contract = contract_fields(t, CommitBench::PATH, here, |label| form.label(label).to_owned());
    let doubts = v.changes.rows.iter().filter(|c| doubt(c, v.logs.as_deref()).is_some()).count();
    let leave_out = (doubts > 0).then(|| {
        view! {
            <div class="left-out">
            <label class="check">
                <input type="checkbox" name="leave_out" value="yes" checked=form.leave_out == "yes" aria-describedby="leave-out-hint"/>
                <span>{format!("{} ({})", b.leave_out, units::count(doubts as u64))}</span>
            </label>
            <p class="hint" id="leave-out-hint">{b.leave_out_text}</p>
            </div>
        }
        .erase()
    });
    view! {
        <form class="fields gap" method="post" action=CommitBench::PATH>
            {hidden("once", form.once.clone())}
            {hidden("bench", v.row.id.clone())}
            <div class="fields narrow">
                <TextField
                    id="repository"
                    label=b.repository
                    value=form.repository.clone()
                    hint=below
                    error=error("repository")
                    code=true
                    required=true
                    autocomplete="off"
                />
                <TextField
                    id="tag"
                    label=b.tag
                    value=form.tag.clone()
                    hint=b.tag_hint
                    error=error("tag")
                    code=true
                    required=true
                    autocomplete="off"
                />
                <TextField
                    id="description"
                    label=b.description
                    value=form.description.clone()
                    hint=b.description_hint
                    error=error("description")
                    required=true
                    autocomplete="off"
                />
                {leave_out}
            </div>
            {contract}
            <div class="row"><Button id="bench-commit" label=b.commit_go tone=Tone::Primary/></div>
        </form>
    }
    .erase()
}

/// The fields of a contract, open where one of them is wrong; `value` by a label.
pub fn contract_fields(t: &'static Texts, endpoint: &str, here: &Here, value: impl Fn(&str) -> String) -> AnyView {
    let b = t.benches();
    let mut wrong = false;
    let fields = CONTRACT
        .iter()
        .map(|label| {
            let id = format!("contract_{}", label.replace(['.', '-'], "_"));
            let (word, hint) = t.contract_label(label);
            let error = here.error(t, endpoint, &id);
            wrong = wrong || error.with_untracked(Option::is_some);
            view! {
                <TextField
                    id=id
                    label=word
                    value=value(label)
                    hint=hint
                    error=error
                    code=!label.starts_with("title")
                    autocomplete="off"
                />
            }
            .erase()
        })
        .collect_view();
    view! {
        <details class="contract" open=wrong>
            <summary>{b.contract}</summary>
            <p class="hint">{b.contract_text}</p>
            <div class="three gap">{fields}</div>
        </details>
    }
    .erase()
}

fn made(t: &'static Texts, m: &CommitRow, registry: &str) -> AnyView {
    let (b, now) = (t.benches(), now());
    let shape = match m.state {
        CommitState::Open if !m.why.is_empty() => Shape::Warn,
        CommitState::Open => Shape::Run,
        CommitState::Done => Shape::Ok,
        CommitState::Failed => Shape::Bad,
    };
    let name = format!("{}:{}", m.repository, m.tag);
    let name = if m.state == CommitState::Done {
        view! { <a href=version(m, registry)>{name}</a> " " {short(&m.digest)} }.erase()
    } else {
        name.into_any()
    };
    let far = (m.state == CommitState::Open && m.pushed.1 > 0).then(|| {
        view! {
            <progress max=m.pushed.1.to_string() value=m.pushed.0.to_string()></progress>
            <span class="second">{(b.pushed)(&units::bytes(m.pushed.0), &units::bytes(m.pushed.1))}</span>
        }
        .erase()
    });
    let why = (!m.why.is_empty()).then(|| view! { <p class="hint">{m.why.clone()}</p> }.erase());
    let paths = (b.what_changed)(&units::count(m.changes.rows.len() as u64 + m.changes.more));
    let rows = (!m.changes.rows.is_empty())
        .then(|| view! { <details><summary>{paths}</summary>{tree(t, &m.changes.rows, None)}</details> }.erase());
    let left = (!m.left_out.is_empty()).then(|| {
        let all = m.left_out.iter().map(|p| view! { <li><code>{p.clone()}</code></li> }.erase()).collect_view();
        let words = (b.left_out)(&units::count(m.left_out.len() as u64));
        view! { <details><summary>{words}</summary><ul class="tree">{all}</ul></details> }.erase()
    });
    view! {
        <article class="kept">
            <h3>{name}</h3>
            <p>{state(shape, t.commit_state(m.state))} " " {far} <span class="second">{m.by.clone()} " · " {t.when(m.asked_at, now)}</span></p>
            {why}
            <p>{m.description.clone()}</p>
            {rows}
            {left}
        </article>
    }
    .erase()
}

fn records(t: &'static Texts, v: &BenchView) -> AnyView {
    if v.records.is_empty() {
        return ().into_any();
    }
    let (b, now) = (t.benches(), now());
    let cols = view! { {col("#", "")} {col(t.images().by, "")} {col_num(b.started, "")} {col_num(t.images().took, "md")} {col_actions()} }.erase();
    let rows = v.records.iter().map(|r| {
        let took = match r.ended_at {
            Some(end) => t.took(end - r.began_at).into_any(),
            None => b.open_now.into_any(),
        };
        let href = format!("/benches/{}/records/{}", v.row.id, r.number);
        view! {
            <tr>
                <th scope="row">{r.number}</th>
                <td>{r.by.clone()}</td>
                <td class="num">{t.when(r.began_at, now)}</td>
                <td class="num md">{took}</td>
                <td><LinkButton href=href label=b.record glyph=Icon::Download external=true/></td>
            </tr>
        }
        .erase()
    });
    let rows = rows.collect_view();
    section(
        "records",
        b.records,
        b.records_aside,
        view! { <Table label=b.records head=cols.into_any()>{rows}</Table> }.erase(),
    )
}

fn end(b: &'static Workbenches, id: &str) -> AnyView {
    let form = BenchEndForm { id: id.to_owned() };
    view! {
        <details class="danger">
            <summary>{b.end}</summary>
            <p class="hint">{b.end_text}</p>
            <form method="post" action=EndBench::PATH>
                {hidden("id", form.id)}
                <Button id="bench-end" label=b.end_go tone=Tone::Danger/>
            </form>
        </details>
    }
    .erase()
}
