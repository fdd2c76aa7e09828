//! What is built, in Docker's own language. Pure.
//!
//! What one could get wrong:
//!
//! * Everything that somebody typed becomes part of a program: a line break begins another
//!   instruction, `$` a variable, `"` ends a word. So control characters are refused, and
//!   everything else is written so that Docker reads exactly it (its reference, "Environment
//!   replacement": a backslash takes the meaning of what follows, also in the JSON forms of
//!   `COPY`; those of `RUN`, `ENTRYPOINT` and `CMD` are read as they are).
//! * One `COPY` for all files, of a tree that looks like theirs, gives folders that the base has
//!   (`/tmp`) another mode, and fails where one of them is a link (`/bin`). So each has its own.
//! * The labels come first: whatever a build that was cut off leaves behind bears them.

use super::refused;
use padis_domain::ports::{BUILD_LABEL, ImageBuild, PortResult};
use padis_domain::view::{MOST_FILES, recipe_path};
use std::fmt::Write;

/// Where the `n`th file is in what is sent to the engine.
pub(super) fn place_of(n: usize) -> String {
    format!("files/{n}")
}

/// A word as Docker reads it outside of quotes.
fn bare(word: &str) -> String {
    let mut out = String::new();
    for c in word.chars() {
        if matches!(c, '\\' | '"' | '\'' | '$') {
            out.push('\\');
        }
        out.push(c);
    }
    out
}

/// A value as Docker reads it, in double quotes.
fn quoted(value: &str) -> String {
    let mut out = String::from("\"");
    for c in value.chars() {
        if matches!(c, '\\' | '"' | '$') {
            out.push('\\');
        }
        out.push(c);
    }
    out.push('"');
    out
}

fn json(words: &[String]) -> String {
    serde_json::Value::from(words.to_vec()).to_string()
}

/// Installs packages with what the base has; what is only needed meanwhile goes with the same layer.
fn install(packages: &[String]) -> String {
    let names = packages.join(" ");
    let none = "this base has no package manager that Padis knows (apt, apk, dnf, microdnf, yum)";
    let script = format!(
        "set -e; has() {{ command -v \"$1\" >/dev/null 2>&1; }}; \
         if has apt-get; then export DEBIAN_FRONTEND=noninteractive; apt-get update; \
         apt-get install -y --no-install-recommends -o Dpkg::Options::=--force-confold {names}; \
         apt-get clean; rm -rf /var/lib/apt/lists/* /var/cache/apt/*.bin /var/log/apt /var/log/dpkg.log; \
         elif has apk; then apk add --no-cache {names}; \
         elif has microdnf; then microdnf install -y {names}; microdnf clean all; \
         elif has dnf; then dnf install -y {names}; dnf clean all; rm -rf /var/cache/dnf; \
         elif has yum; then yum install -y {names}; yum clean all; rm -rf /var/cache/yum; \
         else echo '{none}' >&2; exit 69; fi"
    );
    json(&["/bin/sh".to_owned(), "-c".to_owned(), script])
}

/// Refuses what is no name of a build.
pub(crate) fn check_id(id: &str) -> PortResult<()> {
    if id.is_empty() || !id.chars().all(|c| c.is_ascii_alphanumeric() || c == '-') {
        return Err(refused(format!("{id:?} is no name of a build: letters, digits and hyphens are needed")));
    }
    Ok(())
}

/// Refuses what Docker would read as something else than somebody meant.
pub(crate) fn check(wanted: &ImageBuild) -> PortResult<()> {
    check_id(&wanted.id)?;
    let option = |p: &String| p.is_empty() || p.chars().any(|c| !c.is_ascii_alphanumeric() && !"+-._:~=".contains(c));
    if let Some(bad) = wanted.packages.iter().find(|p| option(p) || p.starts_with('-')) {
        return Err(refused(format!("{bad:?} is no name of a package")));
    }
    if let Some(bad) = wanted.files.iter().find(|f| recipe_path(&f.path, "").as_ref() != Some(&f.path)) {
        return Err(refused(format!(
            "{:?} is no place for a file: an absolute path without . and .. is needed",
            bad.path
        )));
    }
    if wanted.files.len() > MOST_FILES {
        return Err(refused(format!("more than {MOST_FILES} files: each is a layer of the image")));
    }
    let name = |n: &str| !n.is_empty() && n.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    if let Some((bad, _)) = wanted.env.iter().find(|(n, _)| !name(n)) {
        return Err(refused(format!("{bad:?} is no name of a variable")));
    }
    let label = |l: &str| !l.is_empty() && l.chars().all(|c| c.is_ascii_alphanumeric() || "-._/".contains(c));
    if let Some(bad) = wanted.labels.keys().find(|l| !label(l)) {
        return Err(refused(format!("{bad:?} is no name of a label")));
    }
    let values = wanted.env.iter().map(|(_, v)| v).chain(wanted.labels.values()).chain(&wanted.start);
    if let Some(bad) = values.into_iter().find(|v| v.contains(char::is_control)) {
        return Err(refused(format!("{bad:?} has line breaks or other control characters in it")));
    }
    Ok(())
}

/// The Dockerfile. `base` is how the engine calls the base, which runs as `user`.
pub(crate) fn dockerfile(wanted: &ImageBuild, base: &str, user: &str) -> PortResult<String> {
    check(wanted)?;
    if user.contains(char::is_control) {
        return Err(refused(format!("the base runs as {user:?}, which is no user")));
    }
    let mut out = String::new();
    let mut line = |instruction: &str, rest: &str| {
        // It can't fail: this is a string.
        let _written = writeln!(out, "{instruction} {rest}");
    };
    line("FROM", base);
    let mut labels = format!("{BUILD_LABEL}={}", quoted(&wanted.id));
    for (label, value) in &wanted.labels {
        let _written = write!(labels, " {label}={}", quoted(value));
    }
    line("LABEL", &labels);
    let root = user.is_empty() || wanted.packages.is_empty();
    if !root {
        line("USER", "0");
    }
    if !wanted.packages.is_empty() {
        line("RUN", &install(&wanted.packages));
    }
    for (n, file) in wanted.files.iter().enumerate() {
        line("COPY", &json(&[place_of(n), bare(&file.path)]));
    }
    for (name, value) in &wanted.env {
        line("ENV", &format!("{name}={}", quoted(value)));
    }
    for port in &wanted.ports {
        line("EXPOSE", &format!("{port}/tcp"));
    }
    if !wanted.start.is_empty() {
        line("ENTRYPOINT", &json(&wanted.start));
        line("CMD", "[]");
    }
    if !root {
        line("USER", &bare(user));
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;
    use padis_domain::ports::{BuildFile, PortError};
    use std::collections::BTreeMap;

    fn wanted() -> ImageBuild {
        ImageBuild {
            id: "b-1".to_owned(),
            host: String::new(),
            base: (String::new(), String::new()),
            packages: Vec::new(),
            files: Vec::new(),
            env: Vec::new(),
            start: Vec::new(),
            repository: String::new(),
            tag: String::new(),
            labels: BTreeMap::new(),
            ports: Vec::new(),
        }
    }

    fn file(path: &str) -> BuildFile {
        BuildFile { path: path.to_owned(), from: "/x".into(), bytes: 1, executable: false }
    }

    #[test]
    fn each_word_stands_where_docker_reads_exactly_it() {
        let all = ImageBuild {
            files: vec![file("/etc/a b.conf"), file("/opt/$x'\"\\y")],
            env: vec![("A".to_owned(), "1 \"$B\" \\".to_owned())],
            start: ["nginx", "-g", "daemon \"off\";"].map(str::to_owned).to_vec(),
            labels: BTreeMap::from([("d".to_owned(), "it's $5".to_owned())]),
            ports: vec![8080],
            ..wanted()
        };
        let said = dockerfile(&all, "r:5000/b@sha256:1", "1000:1000").unwrap();
        let lines: Vec<&str> = said.lines().collect();
        assert_eq!(
            lines,
            [
                "FROM r:5000/b@sha256:1",
                r#"LABEL io.padis.build="b-1" d="it's \$5""#,
                r#"COPY ["files/0","/etc/a b.conf"]"#,
                r#"COPY ["files/1","/opt/\\$x\\'\\\"\\\\y"]"#,
                r#"ENV A="1 \"\$B\" \\""#,
                "EXPOSE 8080/tcp",
                r#"ENTRYPOINT ["nginx","-g","daemon \"off\";"]"#,
                "CMD []",
            ]
        );
    }

    #[test]
    fn packages_are_installed_by_root_and_the_image_runs_as_before() {
        let packages = ImageBuild { packages: vec!["curl".to_owned(), "vim=2".to_owned()], ..wanted() };
        let said = dockerfile(&packages, "b", "app").unwrap();
        let lines: Vec<&str> = said.lines().collect();
        assert_eq!((lines[2], lines[4], lines.len()), ("USER 0", "USER app", 5));
        assert!(
            lines[3].starts_with("RUN [\"/bin/sh\",\"-c\",\"set -e; ")
                && lines[3].contains("force-confold curl vim=2; ")
        );
        assert!(!dockerfile(&packages, "b", "").unwrap().contains("USER"));
    }

    #[test]
    fn nothing_becomes_an_instruction_or_an_option() {
        let bad = [
            ImageBuild { id: "a\nRUN x".to_owned(), ..wanted() },
            ImageBuild { packages: vec!["-y".to_owned()], ..wanted() },
            ImageBuild { packages: vec!["a;b".to_owned()], ..wanted() },
            ImageBuild { packages: vec![String::new()], ..wanted() },
            ImageBuild { files: vec![file("/a/../b")], ..wanted() },
            ImageBuild { files: vec![file("/a/")], ..wanted() },
            ImageBuild { files: (0..=MOST_FILES).map(|n| file(&format!("/{n}"))).collect(), ..wanted() },
            ImageBuild { env: vec![("A B".to_owned(), String::new())], ..wanted() },
            ImageBuild { env: vec![("A".to_owned(), "x\ny".to_owned())], ..wanted() },
            ImageBuild { start: vec!["x\r".to_owned()], ..wanted() },
            ImageBuild { labels: BTreeMap::from([("a=b".to_owned(), String::new())]), ..wanted() },
            ImageBuild { labels: BTreeMap::from([("a".to_owned(), "x\nUSER 0".to_owned())]), ..wanted() },
        ];
        for bad in bad {
            assert!(matches!(dockerfile(&bad, "b", "u"), Err(PortError::Refused { .. })), "{bad:?}");
        }
        assert!(dockerfile(&wanted(), "b", "u\nRUN x").is_err());
    }
}
