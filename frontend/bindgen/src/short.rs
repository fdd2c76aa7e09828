//! Gives what the module and its JavaScript call each other by short names.
//!
//! wasm-bindgen's names carry a hash each, which no compression makes smaller, and
//! they stand in both files: 4 kB of what travels. One could get it wrong by renaming
//! a part of a longer name in the JavaScript: only whole words are replaced.

use anyhow::ensure;
use std::collections::{HashMap, HashSet};
use walrus::Module;

/// Renames imports and exports in the module; the answer tells what each name became.
pub fn rename(module: &mut Module) -> HashMap<String, String> {
    let mut short = HashMap::new();
    let mut name = |long: &mut String| {
        let n = short.len();
        long.clone_from(short.entry(long.clone()).or_insert_with(|| word(n)));
    };
    for import in module.imports.iter_mut() {
        name(&mut import.name);
    }
    // `memory`, `hydrate` and the like are short already, and people know them.
    for export in module.exports.iter_mut().filter(|e| e.name.starts_with("__wb")) {
        name(&mut export.name);
    }
    short
}

/// The same in the JavaScript.
///
/// # Errors
/// A name does not stand there: wasm-bindgen writes its calls in another way now.
pub fn follow(script: &str, short: &HashMap<String, String>) -> anyhow::Result<String> {
    let mut out = String::with_capacity(script.len());
    let mut met = HashSet::new();
    let part = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '$';
    let mut rest = script;
    while !rest.is_empty() {
        let at = rest.find(|c| !part(c)).unwrap_or(rest.len());
        let (word, after) = rest.split_at(at);
        match short.get(word) {
            Some(s) => {
                met.insert(word);
                out.push_str(s);
            }
            None => out.push_str(word),
        }
        let next = after.find(part).unwrap_or(after.len());
        out.push_str(&after[..next]);
        rest = &after[next..];
    }
    for long in short.keys() {
        ensure!(met.contains(long.as_str()), "the JavaScript never says {long}");
    }
    Ok(out)
}

/// `_a`, `_b` … `_z`, `_aa` …: not to be confused with a word of the JavaScript.
fn word(mut n: usize) -> String {
    let mut letters = Vec::new();
    loop {
        letters.push(char::from(b'a' + (n % 26) as u8));
        n /= 26;
        if n == 0 {
            break;
        }
        n -= 1;
    }
    std::iter::once('_').chain(letters.into_iter().rev()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_whole_words_are_replaced() {
        let short = HashMap::from([("__wbg_new_1".to_owned(), "_a".to_owned())]);
        let said = follow("x.__wbg_new_1(); __wbg_new_12 + \"é\" $__wbg_new_1", &short).unwrap();
        assert_eq!(said, "x._a(); __wbg_new_12 + \"é\" $__wbg_new_1");
        assert!(follow("nothing", &short).is_err());
    }

    #[test]
    fn words_go_on_and_differ() {
        let all: Vec<_> = (0..1000).map(word).collect();
        assert_eq!((&*all[0], &*all[25], &*all[26], &*all[51], &*all[52]), ("_a", "_z", "_aa", "_az", "_ba"));
        assert_eq!(all.iter().collect::<HashSet<_>>().len(), 1000);
    }
}
