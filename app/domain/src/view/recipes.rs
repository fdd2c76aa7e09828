//! Recipes as people see them: what an image is made of, what was built, and what a build says.
//!
//! Reading what was typed is here, so that the page can say which line is wrong by the same
//! rule by which a build is refused. One could get it wrong by reading leniently: each of
//! these texts ends in a Dockerfile, in which a line break begins another instruction.

use super::CopyState;
use crate::words::UnixMs;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Lines of packages, and of the environment.
pub const MOST_LINES: usize = 200;
/// Files of a recipe: each is a layer of the image, of which Docker takes 127.
pub const MOST_FILES: usize = 40;

/// What somebody typed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecipeText {
    /// The base's repository in our own registry.
    pub base_repository: String,
    /// The base's version.
    pub base_tag: String,
    /// On a host of which pool it is built.
    pub pool: String,
    /// Packages, one in a line or with spaces between.
    pub packages: String,
    /// `NAME=value`, one in a line.
    pub env: String,
    /// What the image starts; empty: what the base starts.
    pub start: String,
    /// Repository in our own registry.
    pub repository: String,
    /// Tag, which must not name anything yet.
    pub tag: String,
    /// What it is good for.
    pub description: String,
    /// The contract's labels without their prefix; all empty: it has no contract.
    pub contract: BTreeMap<String, String>,
}

/// A file of a recipe.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecipeFile {
    /// Where it goes, absolute.
    pub path: String,
    /// How long it is.
    pub bytes: u64,
    /// SHA-256 of its content, hexadecimal.
    pub sha256: String,
    /// Whether it may be run.
    pub executable: bool,
}

/// A recipe in a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecipeRow {
    /// Its id.
    pub id: String,
    /// The base: repository and tag.
    pub base: (String, String),
    /// Where it goes: repository and tag, as typed.
    pub to: (String, String),
    /// Whose it is.
    pub by: String,
    /// The same as an account.
    pub by_account: String,
    /// When it was changed.
    pub changed_at: UnixMs,
    /// How many builds there were.
    pub builds: u64,
    /// How the last one is.
    pub last: Option<CopyState>,
}

/// A recipe, whole.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecipeView {
    /// It.
    pub row: RecipeRow,
    /// As it was typed.
    pub text: RecipeText,
    /// Its files by path.
    pub files: Vec<RecipeFile>,
    /// Bytes that all of its files may have together.
    pub most_bytes: u64,
    /// Its builds, newest first.
    pub builds: Vec<BuildRow>,
    /// What our own registry is called.
    pub registry: String,
    /// Pools on whose hosts the caller may build.
    pub pools: Vec<String>,
    /// Whether the caller may change and build it.
    pub may: bool,
    /// Repositories that the caller may put a version into begin with these; empty: with anything.
    pub below: Vec<String>,
}

/// A build of a recipe: what it is made of stays with it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BuildRow {
    /// The recipe.
    pub recipe: String,
    /// The first build of a recipe is 1.
    pub number: u32,
    /// What was asked for.
    pub text: RecipeText,
    /// With these files.
    pub files: Vec<RecipeFile>,
    /// The base's digest.
    pub base_digest: String,
    /// Host.
    pub host: String,
    /// State.
    pub state: CopyState,
    /// What it became; empty until it is there.
    pub digest: String,
    /// The step that it is at, of so many; (0, 0) before the first.
    pub step: (u32, u32),
    /// Bytes that are in the registry, of so many.
    pub pushed: (u64, u64),
    /// Why it does not go on, or failed.
    pub why: String,
    /// Who.
    pub by: String,
    /// When it was asked for.
    pub asked_at: UnixMs,
    /// When it ended.
    pub ended_at: Option<UnixMs>,
}

/// A build with what it says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BuildView {
    /// It.
    pub row: BuildRow,
    /// The end of its output, whole lines.
    pub output: String,
    /// Whether that is not all of it.
    pub cut: bool,
    /// What our own registry is called.
    pub registry: String,
    /// Whether the caller may stop it.
    pub may: bool,
}

impl RecipeText {
    /// The packages; `Err` is the line (from 1) that names none. A name is what apt, apk, dnf
    /// and yum take: with a version after `=` or `-`, and never an option.
    pub fn packages(&self) -> Result<Vec<String>, usize> {
        let fits = |word: &str| {
            word.len() <= 120
                && word.starts_with(|c: char| c.is_ascii_alphanumeric())
                && word.chars().all(|c| c.is_ascii_alphanumeric() || "+-._:~=".contains(c))
        };
        let mut out: Vec<String> = Vec::new();
        for (n, line) in self.packages.lines().enumerate() {
            for word in line.split_whitespace() {
                if !fits(word) || out.len() >= MOST_LINES {
                    return Err(n + 1);
                }
                if !out.iter().any(|had| had == word) {
                    out.push(word.to_owned());
                }
            }
        }
        Ok(out)
    }

    /// The environment; `Err` is the line (from 1) that is no `NAME=value` or gives a name for
    /// the second time.
    pub fn env(&self) -> Result<Vec<(String, String)>, usize> {
        let mut out: Vec<(String, String)> = Vec::new();
        for (n, line) in self.env.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
            let Some((name, value)) = line.trim_start().split_once('=') else { return Err(n + 1) };
            let named = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
                && name.len() <= 120
                && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
            let fits = value.len() <= 2000 && !value.contains(char::is_control);
            if !named || !fits || out.len() >= MOST_LINES || out.iter().any(|(had, _)| had == name) {
                return Err(n + 1);
            }
            out.push((name.to_owned(), value.trim_end().to_owned()));
        }
        Ok(out)
    }

    /// The words of the command that the image starts; empty: the base's. As a shell splits
    /// them, with quotes and `\`, and without anything else that a shell does; `None`: a quote
    /// has no end, or there are control characters.
    pub fn start(&self) -> Option<Vec<String>> {
        let text = self.start.trim();
        if text.contains(char::is_control) {
            return None;
        }
        let (mut out, mut word, mut quote) = (Vec::new(), None::<String>, None::<char>);
        let mut chars = text.chars();
        while let Some(c) = chars.next() {
            match (quote, c) {
                (None, ' ') => out.extend(word.take()),
                (None, '"' | '\'') => {
                    quote = Some(c);
                    word.get_or_insert_default();
                }
                (Some(open), c) if c == open => quote = None,
                (None, '\\') => word.get_or_insert_default().push(chars.next()?),
                // Between these, a `\` stands for itself before all else (POSIX shell, 2.2.3).
                (Some('"'), '\\') => match chars.next()? {
                    c @ ('"' | '\\' | '$' | '`') => word.get_or_insert_default().push(c),
                    c => word.get_or_insert_default().extend(['\\', c]),
                },
                (_, c) => word.get_or_insert_default().push(c),
            }
        }
        out.extend(word);
        quote.is_none().then_some(out)
    }
}

/// Where a file goes, if that is an absolute path without `.`, `..`, empty parts and control
/// characters; of a folder the file's own name is taken.
pub fn recipe_path(target: &str, name: &str) -> Option<String> {
    let name = name.rsplit(['/', '\\']).next().unwrap_or_default();
    let target = target.trim();
    let path = if target.ends_with('/') { format!("{target}{name}") } else { target.to_owned() };
    let parts = path.strip_prefix('/')?;
    let fits = |part: &str| !part.is_empty() && part != "." && part != ".." && !part.contains(char::is_control);
    (path.len() <= 400 && parts.split('/').all(fits)).then_some(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packages_are_names_and_never_options() {
        let of = |packages: &str| RecipeText { packages: packages.to_owned(), ..RecipeText::default() }.packages();
        assert_eq!(of(""), Ok(vec![]));
        let good = ["curl", "libstdc++6:amd64", "nginx=1.22.1-9+deb12u1", "a.b_c", "x~rc1"];
        assert_eq!(
            of("curl libstdc++6:amd64\r\n\n nginx=1.22.1-9+deb12u1\na.b_c x~rc1 curl\n"),
            Ok(good.map(str::to_owned).to_vec())
        );
        for (bad, line) in [
            ("-y", 1),
            ("a\n--root=/x", 2),
            ("a;b", 1),
            ("$(x)", 1),
            ("a\\", 1),
            ("a\n\nü", 3),
            ("a&&b", 1),
            ("/x.deb", 1),
        ] {
            assert_eq!(of(bad), Err(line), "{bad:?}");
        }
        assert_eq!(of(&"a ".repeat(300)), Ok(vec!["a".to_owned()]));
        let many: Vec<String> = (0..=MOST_LINES).map(|n| format!("p{n}")).collect();
        assert_eq!(of(&many.join("\n")), Err(MOST_LINES + 1));
    }

    #[test]
    fn the_environment_is_names_and_values() {
        let of = |env: &str| RecipeText { env: env.to_owned(), ..RecipeText::default() }.env();
        let pair = |n: &str, v: &str| (n.to_owned(), v.to_owned());
        assert_eq!(
            of("A=1\r\n\nB_2= x = \"y\" $Z \nC="),
            Ok(vec![pair("A", "1"), pair("B_2", " x = \"y\" $Z"), pair("C", "")])
        );
        for (bad, line) in
            [("A", 1), ("A=1\n2B=x", 2), ("=x", 1), ("A B=x", 1), ("A=1\nA=2", 2), ("A=\u{1b}x", 1), ("A =x", 1)]
        {
            assert_eq!(of(bad), Err(line), "{bad:?}");
        }
    }

    #[test]
    fn a_command_is_split_as_a_shell_does() {
        let of = |start: &str| RecipeText { start: start.to_owned(), ..RecipeText::default() }.start();
        let words = |words: &[&str]| Some(words.iter().map(|w| (*w).to_owned()).collect::<Vec<_>>());
        assert_eq!(of("  "), words(&[]));
        assert_eq!(of("nginx -g 'daemon off;'"), words(&["nginx", "-g", "daemon off;"]));
        assert_eq!(
            of(r#"sh -c "echo \"$A\" \n" '' a\ b x"y"z"#),
            words(&["sh", "-c", "echo \"$A\" \\n", "", "a b", "xyz"])
        );
        for bad in ["'", "a \"b", "a\nb", "a\\"] {
            assert_eq!(of(bad), None, "{bad:?}");
        }
    }

    #[test]
    fn a_file_goes_to_an_absolute_path() {
        let path = |target: &str| recipe_path(target, "C:\\x\\my app.conf");
        assert_eq!(path(" /etc/a.conf "), Some("/etc/a.conf".to_owned()));
        assert_eq!(path("/etc/conf.d/"), Some("/etc/conf.d/my app.conf".to_owned()));
        assert_eq!(path("/"), Some("/my app.conf".to_owned()));
        for bad in ["", "etc/a", "/etc/../a", "/etc//a", "/./a", "/a\nb"] {
            assert_eq!(path(bad), None, "{bad:?}");
        }
        assert_eq!(recipe_path("/etc/", ".."), None);
        assert_eq!(recipe_path("/etc/", ""), None);
    }
}
