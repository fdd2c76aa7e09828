//! Which of two versions is newer, as each kind of package has it.
//!
//! Debian: deb-version(7). Alpine: `apk version`, apk-tools' `version.c`. rpm: its manual's
//! `rpmvercmp`. Maven: its POM reference, "Version Order Specification". One could get it
//! wrong by taking one rule for all: `1.0~rc1` is before 1.0 in Debian, `1.0-rc1` in Maven,
//! and `1.10` is behind `1.9` everywhere.

use padis_domain::view::PackageOrigin;
use std::cmp::Ordering;

/// How `a` stands to `b`.
pub fn compare(origin: PackageOrigin, a: &str, b: &str) -> Ordering {
    match origin {
        PackageOrigin::Dpkg => with_epoch(a, b, debian),
        PackageOrigin::Rpm => with_epoch(a, b, rpm),
        PackageOrigin::Apk => alpine(a, b),
        PackageOrigin::Jar => maven(a, b),
    }
}

/// Digits as numbers of any length.
fn numbers(a: &str, b: &str) -> Ordering {
    let (a, b) = (a.trim_start_matches('0'), b.trim_start_matches('0'));
    a.len().cmp(&b.len()).then_with(|| a.cmp(b))
}

/// The part of a text that is, or is not, digits, and what follows.
fn span(s: &str, digits: bool) -> (&str, &str) {
    s.split_at(s.find(|c: char| c.is_ascii_digit() != digits).unwrap_or(s.len()))
}

/// `[EPOCH:]VERSION[-REVISION]`, the parts compared by `part`.
fn with_epoch(a: &str, b: &str, part: fn(&str, &str) -> Ordering) -> Ordering {
    fn split(v: &str) -> (&str, &str, &str) {
        let (epoch, rest) = v.trim().split_once(':').unwrap_or(("0", v.trim()));
        let (version, revision) = rest.rsplit_once('-').unwrap_or((rest, ""));
        (epoch, version, revision)
    }
    let (a, b) = (split(a), split(b));
    numbers(a.0, b.0).then_with(|| part(a.1, b.1)).then_with(|| {
        // OSV's data of rpm names versions without a release, too: that is any release.
        part(a.2, b.2)
    })
}

/// Letters before other signs, and a tilde before everything, even the end.
fn debian(mut a: &str, mut b: &str) -> Ordering {
    let weight = |c: Option<char>| match c {
        Some('~') => -1,
        None => 0,
        Some(c) if c.is_ascii_alphabetic() => c as i64,
        Some(c) => c as i64 + 256,
    };
    while !a.is_empty() || !b.is_empty() {
        let ((a_word, a_rest), (b_word, b_rest)) = (span(a, false), span(b, false));
        let (mut x, mut y) = (a_word.chars(), b_word.chars());
        loop {
            let (x, y) = (x.next(), y.next());
            match weight(x).cmp(&weight(y)) {
                Ordering::Equal if x.is_none() && y.is_none() => break,
                Ordering::Equal => {}
                other => return other,
            }
        }
        let ((a_number, a_rest), (b_number, b_rest)) = (span(a_rest, true), span(b_rest, true));
        match numbers(a_number, b_number) {
            Ordering::Equal => (a, b) = (a_rest, b_rest),
            other => return other,
        }
    }
    Ordering::Equal
}

/// Words and numbers in turn; `~` before the end, `^` behind it, other signs only part.
fn rpm(mut a: &str, mut b: &str) -> Ordering {
    let sign = |c: char| !c.is_ascii_alphanumeric() && c != '~' && c != '^';
    loop {
        (a, b) = (a.trim_start_matches(sign), b.trim_start_matches(sign));
        match (a.strip_prefix('~'), b.strip_prefix('~')) {
            (Some(x), Some(y)) => {
                (a, b) = (x, y);
                continue;
            }
            (Some(_), None) => return Ordering::Less,
            (None, Some(_)) => return Ordering::Greater,
            (None, None) => {}
        }
        match (a.strip_prefix('^'), b.strip_prefix('^')) {
            (Some(x), Some(y)) => {
                (a, b) = (x, y);
                continue;
            }
            (Some(_), None) => return if b.is_empty() { Ordering::Greater } else { Ordering::Less },
            (None, Some(_)) => return if a.is_empty() { Ordering::Less } else { Ordering::Greater },
            (None, None) => {}
        }
        if a.is_empty() || b.is_empty() {
            return a.len().cmp(&b.len());
        }
        let digits = a.starts_with(|c: char| c.is_ascii_digit());
        let part = |s: &str| {
            let same = |c: char| c.is_ascii_alphanumeric() && c.is_ascii_digit() == digits;
            s.find(|c: char| !same(c)).unwrap_or(s.len())
        };
        let ((x, a_rest), (y, b_rest)) = (a.split_at(part(a)), b.split_at(part(b)));
        if y.is_empty() {
            // A number is newer than a word.
            return if digits { Ordering::Greater } else { Ordering::Less };
        }
        match if digits { numbers(x, y) } else { x.cmp(y) } {
            Ordering::Equal => (a, b) = (a_rest, b_rest),
            other => return other,
        }
    }
}

/// `1.2.3a_rc1_p2-r4`.
fn alpine(a: &str, b: &str) -> Ordering {
    const BEFORE: [&str; 4] = ["alpha", "beta", "pre", "rc"];
    const BEHIND: [&str; 5] = ["cvs", "svn", "git", "hg", "p"];
    fn rank(word: &str) -> i32 {
        let at = |list: &[&str]| list.iter().position(|w| *w == word).and_then(|n| i32::try_from(n).ok());
        at(&BEFORE).map(|n| n - 4).or_else(|| at(&BEHIND).map(|n| n + 1)).unwrap_or(0)
    }
    struct Parts<'v> {
        numbers: Vec<&'v str>,
        letter: &'v str,
        suffixes: Vec<(i32, &'v str)>,
        revision: &'v str,
    }
    fn parts(v: &str) -> Parts<'_> {
        let (v, revision) = v.trim().rsplit_once("-r").unwrap_or((v.trim(), "0"));
        let mut words = v.split('_');
        let main = words.next().unwrap_or_default();
        let (main, letter) = main.split_at(main.len() - usize::from(main.ends_with(|c: char| c.is_ascii_lowercase())));
        let suffix = |w| {
            let (word, number) = span(w, false);
            (rank(word), number)
        };
        Parts { numbers: main.split('.').collect(), letter, suffixes: words.map(suffix).collect(), revision }
    }
    let (a, b) = (parts(a), parts(b));
    for (n, (x, y)) in a.numbers.iter().zip(&b.numbers).enumerate() {
        // Behind a point a zero at the beginning makes it a fraction.
        let fraction = n > 0 && (x.starts_with('0') || y.starts_with('0'));
        match if fraction { x.cmp(y) } else { numbers(x, y) } {
            Ordering::Equal => {}
            other => return other,
        }
    }
    let suffixes = || {
        let longest = a.suffixes.len().max(b.suffixes.len());
        let at = |all: &[(i32, &str)], n: usize| all.get(n).map_or((0, String::new()), |s| (s.0, s.1.to_owned()));
        let one = |n| {
            let (x, y) = (at(&a.suffixes, n), at(&b.suffixes, n));
            x.0.cmp(&y.0).then_with(|| numbers(&x.1, &y.1))
        };
        (0..longest).map(one).find(|o| o.is_ne()).unwrap_or(Ordering::Equal)
    };
    a.numbers
        .len()
        .cmp(&b.numbers.len())
        .then_with(|| a.letter.cmp(b.letter))
        .then_with(suffixes)
        .then_with(|| numbers(a.revision, b.revision))
}

/// One token of a version as Maven has it.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Token {
    /// Behind a point; else behind a hyphen, or where digits meet letters.
    point: bool,
    text: String,
}

impl Token {
    fn number(&self) -> bool {
        self.text.starts_with(|c: char| c.is_ascii_digit())
    }
    /// What is nothing at an end.
    fn nothing(&self) -> bool {
        matches!(self.text.as_str(), "" | "final" | "ga" | "release")
            || self.number() && numbers(&self.text, "").is_eq()
    }
    /// The known words in their order, then all others by themselves.
    fn word(&self) -> (usize, &str) {
        match self.text.as_str() {
            "alpha" => (0, ""),
            "beta" => (1, ""),
            "milestone" => (2, ""),
            "rc" | "cr" => (3, ""),
            "snapshot" => (4, ""),
            "" | "final" | "ga" | "release" => (5, ""),
            "sp" => (6, ""),
            other => (7, other),
        }
    }
    fn against(&self, other: &Self) -> Ordering {
        match (self.number(), other.number()) {
            (true, true) if self.point == other.point => numbers(&self.text, &other.text),
            (true, true) => self.point.cmp(&other.point),
            (false, false) => self.word().cmp(&other.word()),
            (number, _) => {
                if number {
                    Ordering::Greater
                } else {
                    Ordering::Less
                }
            }
        }
    }
}

fn tokens(v: &str) -> Vec<Token> {
    let (v, mut out) = (v.trim().to_lowercase(), Vec::<Token>::new());
    let mut point = true;
    let mut rest = v.as_str();
    loop {
        let end = rest.find(['.', '-']).unwrap_or(rest.len());
        let (mut piece, behind) = rest.split_at(end);
        if piece.is_empty() {
            out.push(Token { point, text: "0".into() });
        }
        while !piece.is_empty() {
            let (part, more) = span(piece, piece.starts_with(|c: char| c.is_ascii_digit()));
            let short = more.starts_with(|c: char| c.is_ascii_digit());
            let text = match part {
                "a" if short => "alpha",
                "b" if short => "beta",
                "m" if short => "milestone",
                part => part,
            };
            out.push(Token { point, text: text.to_owned() });
            (piece, point) = (more, false);
        }
        let Some(sign) = behind.chars().next() else { break };
        (point, rest) = (sign == '.', &behind[1..]);
    }
    // Nothing is trimmed at the end, and before each hyphen.
    let mut n = out.len();
    while n > 0 {
        let last = n == out.len() || !out[n].point;
        if last && n > 1 && out[n - 1].nothing() {
            out.remove(n - 1);
        }
        n -= 1;
    }
    out
}

fn maven(a: &str, b: &str) -> Ordering {
    let (a, b) = (tokens(a), tokens(b));
    for n in 0..a.len().max(b.len()) {
        let pad =
            |t: &Token| Token { point: t.point, text: if t.point && t.number() { "0".into() } else { String::new() } };
        let order = match (a.get(n), b.get(n)) {
            (Some(x), Some(y)) => x.against(y),
            (Some(x), None) => x.against(&pad(x)),
            (None, Some(y)) => pad(y).against(y),
            (None, None) => Ordering::Equal,
        };
        if order.is_ne() {
            return order;
        }
    }
    Ordering::Equal
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Versions in rising order; equal ones in one list.
    fn rising(origin: PackageOrigin, groups: &[&[&str]]) {
        for (i, x) in groups.iter().enumerate() {
            for (j, y) in groups.iter().enumerate() {
                for (a, b) in x.iter().flat_map(|a| y.iter().map(move |b| (a, b))) {
                    assert_eq!(compare(origin, a, b), i.cmp(&j), "{a} against {b}");
                }
            }
        }
    }

    #[test]
    fn debian_s_versions() {
        // deb-version(7): ~~, ~~a, ~, the empty part, a; and what Debian's own versions look like.
        rising(PackageOrigin::Dpkg, &[&["1~~"], &["1~~a"], &["1~"], &["1", "0:1", "1-0"], &["1a"]]);
        rising(
            PackageOrigin::Dpkg,
            &[
                &["1.0~rc1-1"],
                &["1.0-1~bpo12+1"],
                &["1.0-1"],
                &["1.0-1+b1"],
                &["1.0-1+deb12u1"],
                &["1.0-1+deb12u10"],
                &["1.0-1.1"],
                &["1.0-2"],
                &["1.0+dfsg-1"],
                &["1.0.1-1"],
                &["1.9"],
                &["1.10"],
                &["1:0.1"],
            ],
        );
        rising(PackageOrigin::Dpkg, &[&["3.0.11-1~deb12u2"], &["3.0.11-1"], &["3.0.13-1~deb12u1"], &["3.0.13-01"]]);
    }

    #[test]
    fn rpm_s_versions() {
        rising(
            PackageOrigin::Rpm,
            &[
                &["1.0~rc1-1"],
                &["1.0-1"],
                &["1.0-1.el9"],
                &["1.0-27.el9"],
                &["1.0^git1-1"],
                &["1.0a-1"],
                &["1.0.1-1", "1.0_1-1"],
                &["1.10-1"],
                &["1:0.1-1"],
            ],
        );
    }

    #[test]
    fn alpine_s_versions() {
        rising(
            PackageOrigin::Apk,
            &[
                &["0.1.0_alpha_pre2"],
                &["0.1.0_alpha"],
                &["0.1.3_alpha"],
                &["1.0_rc1-r5"],
                &["1.0", "1.0-r0"],
                &["1.0-r1"],
                &["1.0_p9"],
                &["1.0_p10-r0"],
                &["1.0a"],
                &["1.0.1"],
                &["1.05"],
                &["1.1"],
                &["1.9"],
                &["1.10"],
                &["2.34"],
            ],
        );
    }

    #[test]
    fn maven_s_versions() {
        let jar = PackageOrigin::Jar;
        // The examples of the specification.
        rising(jar, &[&["1"], &["1.1"]]);
        rising(jar, &[&["1-snapshot"], &["1"], &["1-sp"]]);
        rising(jar, &[&["1-foo2"], &["1-foo10"]]);
        rising(jar, &[&["1.foo", "1-foo"], &["1-1"], &["1.1"]]);
        rising(jar, &[&["1.ga", "1-ga", "1-0", "1.0", "1", "1.final", "1.0.0-0.0.0", "1."]]);
        rising(jar, &[&["1-ga"], &["1-sp"]]);
        rising(jar, &[&["1-ga.1"], &["1-sp.1"]]);
        rising(jar, &[&["1-sp-1"], &["1-ga-1"]]);
        rising(jar, &[&["1-a1", "1-alpha-1"], &["1-b1"], &["1-m1"], &["1-rc1", "1-CR1"], &["1-SNAPSHOT"], &["1.0.0"]]);
        rising(jar, &[&["2.14.1"], &["2.15.0-rc1"], &["2.15.0"], &["2.17.1"], &["5.3.9"], &["5.3.18"]]);
        assert_eq!(compare(jar, "32.0.0-jre", "32.0.0-android"), Ordering::Greater);
    }
}
