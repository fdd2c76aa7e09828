//! Where settings come from: defaults, one TOML file, the environment.
//!
//! Every accessor of [`Reader`] names its key once, with default and one line of
//! explanation; the list of known keys, the output of `padis config` and the
//! complaint about unknown keys all come from these calls, so that they can't
//! disagree. One could get it wrong by stopping at the first mistake: all of
//! them are collected and told together.

use super::secret::Secret;
use serde::de::{Deserialize, DeserializeOwned};
use std::collections::BTreeMap;
use std::fmt::Display;
use std::str::FromStr;
use toml::de::{DeTable, DeValue};

/// Where a value was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// Built in.
    Default,
    /// `line` of `path`.
    File {
        /// The file as it was named.
        path: String,
        /// From 1.
        line: usize,
    },
    /// The environment variable.
    Env(String),
}

impl Display for Origin {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Default => f.write_str("default"),
            Self::File { path, line } => write!(f, "{path}:{line}"),
            Self::Env(name) => f.write_str(name),
        }
    }
}

/// One setting as `padis config` shows it; secrets are already masked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shown {
    /// Dotted key.
    pub key: &'static str,
    /// TOML text of the value, empty if unset.
    pub value: String,
    /// Where it came from.
    pub origin: Origin,
    /// One line of explanation.
    pub about: &'static str,
}

/// A setting that can't be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{at}: {what}")]
pub struct Fault {
    /// Where: `padis.toml:12` or the environment variable's name.
    pub at: String,
    /// What is wrong, as a sentence without the value if it is a secret.
    pub what: String,
}

struct Raw {
    value: toml::Value,
    origin: Origin,
}

/// Reads settings and remembers what was asked for.
pub struct Reader {
    raw: BTreeMap<String, Raw>,
    env: BTreeMap<String, String>,
    /// What was asked for so far.
    pub shown: Vec<Shown>,
    /// What is wrong so far.
    pub faults: Vec<Fault>,
}

/// Variables of this prefix belong to Padis.
const PREFIX: &str = "PADIS_";
/// Variables that are not settings of the server: the file's place, and what
/// tests, the build and the image scripts use. A final `_` means all of that prefix.
const NOT_SETTINGS: [&str; 9] = [
    "PADIS_CONFIG",
    "PADIS_LAB",
    "PADIS_LAB_",
    "PADIS_TEST_",
    "PADIS_BENCH_",
    "PADIS_BUILD_",
    "PADIS_CACHE",
    "PADIS_STACKS",
    "PADIS_REGISTRY",
];

/// The environment variable of a key: `registry.listen` is `PADIS_REGISTRY_LISTEN`.
pub fn env_name(key: &str) -> String {
    format!("{PREFIX}{}", key.replace('.', "_").to_ascii_uppercase())
}

impl Reader {
    /// Takes a file's text (with the name to show) and the environment.
    pub fn new(file: Option<(&str, &str)>, env: impl IntoIterator<Item = (String, String)>) -> Self {
        let mut it = Self { raw: BTreeMap::new(), env: BTreeMap::new(), shown: Vec::new(), faults: Vec::new() };
        it.env = env.into_iter().filter(|(k, _)| k.starts_with(PREFIX)).collect();
        if let Some((path, text)) = file {
            it.take_file(path, text);
        }
        it
    }

    fn take_file(&mut self, path: &str, text: &str) {
        let line_of = |at: usize| text.as_bytes().iter().take(at).filter(|b| **b == b'\n').count() + 1;
        let (tree, values) = match (DeTable::parse(text), toml::from_str::<toml::Table>(text)) {
            (Ok(tree), Ok(values)) => (tree, values),
            (Err(e), _) | (_, Err(e)) => {
                let line = e.span().map_or(1, |s| line_of(s.start));
                // The message alone: the error's own text would quote the line, which may hold a secret.
                self.faults.push(Fault { at: format!("{path}:{line}"), what: e.message().to_owned() });
                return;
            }
        };
        let mut lines = BTreeMap::new();
        collect_lines("", tree.get_ref(), &line_of, &mut lines);
        let mut flat = BTreeMap::new();
        flatten("", values, &mut flat);
        for (key, value) in flat {
            let line = lines.get(&key).copied().unwrap_or(1);
            self.raw.insert(key, Raw { value, origin: Origin::File { path: path.to_owned(), line } });
        }
    }

    fn fault(&mut self, origin: &Origin, what: impl Into<String>) {
        self.faults.push(Fault { at: origin.to_string(), what: what.into() });
    }

    /// The raw value of a key. A variable in the environment wins over the file;
    /// an empty one counts as absent.
    fn find(&mut self, key: &str) -> Option<Raw> {
        let name = env_name(key);
        let from_file = self.raw.remove(key);
        match self.env.remove(&name).filter(|v| !v.is_empty()) {
            Some(v) => Some(Raw { value: toml::Value::String(v), origin: Origin::Env(name) }),
            None => from_file,
        }
    }

    /// A mistake that shows only beside other settings, told at the place of `key`.
    pub fn blame(&mut self, key: &str, what: &str) {
        let origin = self.shown.iter().find(|s| s.key == key).map_or(Origin::Default, |s| s.origin.clone());
        self.fault(&origin, what);
    }

    /// Any address may hold a password, alone or in a list.
    fn show(&mut self, key: &'static str, value: String, origin: Origin, about: &'static str) {
        let value = value.split(", ").map(super::mask_url).collect::<Vec<_>>().join(", ");
        self.shown.push(Shown { key, value, origin, about });
    }

    /// A value with a text form: number, address, word, path.
    pub fn get<T: FromStr + Display>(&mut self, key: &'static str, default: T, kind: &str, about: &'static str) -> T {
        let (value, origin) = match self.find(key) {
            None => (default, Origin::Default),
            Some(Raw { value, origin }) => match plain(&value).and_then(|s| s.parse().ok()) {
                Some(v) => (v, origin),
                None => {
                    self.fault(&origin, format!("{key} must be {kind}"));
                    (default, origin)
                }
            },
        };
        self.show(key, value.to_string(), origin, about);
        value
    }

    /// A number within a range, edges included.
    pub fn within<T: FromStr + Display + PartialOrd>(
        &mut self,
        key: &'static str,
        default: T,
        range: std::ops::RangeInclusive<T>,
        about: &'static str,
    ) -> T {
        let kind = format!("a number from {} to {}", range.start(), range.end());
        let v = self.get(key, default, &kind, about);
        if !range.contains(&v) {
            let origin = self.shown.last().map_or(Origin::Default, |s| s.origin.clone());
            self.fault(&origin, format!("{key} must be {kind}"));
        }
        v
    }

    /// A text that may be absent.
    pub fn maybe(&mut self, key: &'static str, about: &'static str) -> Option<String> {
        let v = self.get(key, String::new(), "a text", about);
        (!v.is_empty()).then_some(v)
    }

    /// A secret that may be absent; shown as `***`.
    pub fn secret(&mut self, key: &'static str, about: &'static str) -> Option<Secret> {
        let v = self.maybe(key, about);
        if let (Some(_), Some(last)) = (&v, self.shown.last_mut()) {
            last.value = "***".to_owned();
        }
        v.map(Secret::new)
    }

    /// One of some words.
    pub fn choice<T: Copy>(
        &mut self,
        key: &'static str,
        default: &str,
        words: &[(&str, T)],
        otherwise: T,
        about: &'static str,
    ) -> T {
        let all = words.iter().map(|(w, _)| *w).collect::<Vec<_>>().join(", ");
        let v = self.get(key, default.to_owned(), "a text", about);
        match words.iter().find(|(w, _)| *w == v) {
            Some((_, t)) => *t,
            None => {
                let origin = self.shown.last().map_or(Origin::Default, |s| s.origin.clone());
                self.fault(&origin, format!("{key} must be one of {all}"));
                otherwise
            }
        }
    }

    /// A list of values with a text form: an array in the file, separated by commas in the environment.
    pub fn list<T: FromStr + Display>(
        &mut self,
        key: &'static str,
        default: Vec<T>,
        kind: &str,
        about: &'static str,
    ) -> Vec<T> {
        let (texts, origin) = match self.find(key) {
            None => (None, Origin::Default),
            Some(Raw { value: toml::Value::Array(a), origin }) => {
                (a.iter().map(plain).collect::<Option<Vec<_>>>(), origin)
            }
            Some(Raw { value, origin }) => {
                let t = plain(&value)
                    .map(|s| s.split(',').map(|p| p.trim().to_owned()).filter(|p| !p.is_empty()).collect());
                (t, origin)
            }
        };
        let parsed = texts.as_ref().map(|t| t.iter().map(|s| s.parse().ok()).collect::<Option<Vec<T>>>());
        let value = match parsed {
            Some(Some(v)) => v,
            None if origin == Origin::Default => default,
            _ => {
                self.fault(&origin, format!("{key} must be a list, each {kind}"));
                default
            }
        };
        let shown = value.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
        self.show(key, shown, origin, about);
        value
    }

    /// Structured values: an array of tables in the file, the same as inline TOML in the environment.
    pub fn tables<T: DeserializeOwned + serde::Serialize>(
        &mut self,
        key: &'static str,
        default: Vec<T>,
        about: &'static str,
    ) -> Vec<T> {
        let (value, origin) = match self.find(key) {
            None => (default, Origin::Default),
            Some(Raw { value, origin }) => {
                let value = match (&origin, &value) {
                    (Origin::Env(_), toml::Value::String(s)) => toml::from_str::<toml::Table>(&format!("v = {s}"))
                        .ok()
                        .and_then(|mut t| t.remove("v"))
                        .unwrap_or(value),
                    _ => value,
                };
                match Vec::<T>::deserialize(value) {
                    Ok(v) => (v, origin),
                    Err(e) => {
                        self.fault(&origin, format!("{key}: {}", e.message()));
                        (default, origin)
                    }
                }
            }
        };
        let shown = value.iter().map(inline).collect::<Vec<_>>().join(", ");
        self.show(key, shown, origin, about);
        value
    }

    /// Complains about everything that nobody asked for.
    pub fn finish(&mut self) {
        let known: Vec<&'static str> = self.shown.iter().map(|s| s.key).collect();
        for (key, raw) in std::mem::take(&mut self.raw) {
            let hint = nearest(&key, known.iter().copied()).map(|n| format!("; did you mean {n}?")).unwrap_or_default();
            self.fault(&raw.origin, format!("unknown setting {key}{hint}"));
        }
        let names: Vec<String> = known.iter().map(|k| env_name(k)).collect();
        for name in std::mem::take(&mut self.env).into_keys() {
            let other = |p: &&str| if p.ends_with('_') { name.starts_with(*p) } else { name == **p };
            if names.contains(&name) || NOT_SETTINGS.iter().any(other) {
                continue;
            }
            let hint = nearest(&name, names.iter().map(String::as_str))
                .map(|n| format!("; did you mean {n}?"))
                .unwrap_or_default();
            self.fault(&Origin::Env(name.clone()), format!("unknown setting{hint}"));
        }
    }
}

fn plain(v: &toml::Value) -> Option<String> {
    match v {
        toml::Value::String(s) => Some(s.clone()),
        toml::Value::Integer(i) => Some(i.to_string()),
        toml::Value::Float(f) => Some(f.to_string()),
        toml::Value::Boolean(b) => Some(b.to_string()),
        _ => None,
    }
}

fn inline<T: serde::Serialize>(v: &T) -> String {
    toml::Value::try_from(v).map(|v| v.to_string()).unwrap_or_default()
}

fn join(prefix: &str, key: &str) -> String {
    if prefix.is_empty() { key.to_owned() } else { format!("{prefix}.{key}") }
}

fn flatten(prefix: &str, table: toml::Table, out: &mut BTreeMap<String, toml::Value>) {
    for (k, v) in table {
        let key = join(prefix, &k);
        match v {
            toml::Value::Table(t) => flatten(&key, t, out),
            v => {
                out.insert(key, v);
            }
        }
    }
}

fn collect_lines(prefix: &str, t: &DeTable<'_>, line_of: &dyn Fn(usize) -> usize, out: &mut BTreeMap<String, usize>) {
    for (k, v) in t {
        let key = join(prefix, k.get_ref());
        out.insert(key.clone(), line_of(k.span().start));
        if let DeValue::Table(t) = v.get_ref() {
            collect_lines(&key, t, line_of, out);
        }
    }
}

/// The known word that is closest, if it is close: at most a third of its letters differ.
fn nearest<'a>(word: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    known.map(|k| (distance(word, k), k)).min().filter(|(d, k)| *d * 3 <= k.len()).map(|(_, k)| k)
}

/// Levenshtein's distance in bytes (keys are ASCII).
fn distance(a: &str, b: &str) -> usize {
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, ca) in a.bytes().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, cb) in b.bytes().enumerate() {
            let change = diagonal + usize::from(ca != cb);
            diagonal = row[j + 1];
            row[j + 1] = change.min(row[j] + 1).min(row[j + 1] + 1);
        }
    }
    row[b.len()]
}
