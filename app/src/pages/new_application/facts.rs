//! What is inside a package, as a list of facts.

use crate::text::{Texts, texts, units};
use crate::ui::Erase;
use leptos::prelude::*;
use padis_domain::view::PackageRow;

/// The Java version of a class-file major version (JVM specification, table 4.1-A).
fn java(major: u16) -> String {
    if major >= 49 { (major - 44).to_string() } else { format!("1.{}", major.saturating_sub(44)) }
}

fn row(term: &'static str, value: AnyView) -> AnyView {
    view! {
        <dt>{term}</dt>
        <dd>{value}</dd>
    }
    .erase()
}

fn rows(t: &'static Texts, p: &PackageRow) -> Vec<AnyView> {
    let (n, f) = (&t.new_app, &p.facts);
    let mut kind = t.package_kind(f.kind).to_owned();
    if f.javax {
        kind = format!("{kind} · {}", n.servlet_old);
    }
    let mut out = vec![row(n.kind, kind.into_any())];
    if let Some(v) = f.version.clone() {
        out.push(row(n.version, v.into_any()));
    }
    if let Some(m) = f.class_major {
        out.push(row("Java", java(m).into_any()));
    }
    if !f.built_with.is_empty() {
        out.push(row(n.built_with, t.list(&f.built_with).into_any()));
    }
    if let Some(m) = f.main_class.clone() {
        out.push(row(t.pick("启动类", "Starts with"), view! { <code>{m}</code> }.erase()));
    }
    if let Some(r) = f.site_root.clone() {
        let at = if r.is_empty() { "/".to_owned() } else { format!("{r}/") };
        out.push(row(t.pick("首页所在", "Start page in"), view! { <code>{at}"index.html"</code> }.erase()));
    }
    if let Some(h) = f.health_path.clone() {
        out.push(row(n.health_found, view! { <code>{h}</code> " " {n.found_used} }.erase()));
    }
    let files = (n.files_n)(&units::count(f.files), &units::bytes(f.unpacked_bytes));
    out.push(row(n.files, files.into_any()));
    let sum = match (p.sha256.get(..8), p.sha256.get(p.sha256.len().saturating_sub(6)..)) {
        (Some(a), Some(b)) => format!("sha256 {a} … {b}"),
        _ => p.sha256.clone(),
    };
    out.push(row(n.checksum, view! { <code title=p.sha256.clone()>{sum}</code> }.erase()));
    out
}

/// The facts.
pub fn inside(p: &PackageRow) -> AnyView {
    let t = texts();
    let n = &t.new_app;
    view! {
        <div class="inside">
            <div class="row apart">
                <h3>{n.inside}</h3>
                <small>{p.file_name.clone()}" · "{units::bytes(p.bytes)}" · "{n.checked}</small>
            </div>
            <dl>{rows(t, p)}</dl>
        </div>
    }
    .erase()
}

#[cfg(test)]
mod tests {
    use super::java;

    #[test]
    fn class_files_name_their_java() {
        assert_eq!(java(61), "17");
        assert_eq!(java(52), "8");
        assert_eq!(java(48), "1.4");
    }
}
