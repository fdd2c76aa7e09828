//! Label selectors: `env==prod, tier!=web, team in (a, b), !old`.
//!
//! Commas separate selectors, but not inside of parentheses, and a backslash
//! takes the next character as it is; splitting at commas first is the way to
//! get it wrong.

use std::collections::BTreeMap;

#[derive(Debug, Clone, PartialEq, Eq)]
enum Term {
    Has(String),
    In(String, Vec<String>),
    NotIn(String, Vec<String>),
}

/// A parsed selector: all terms must hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Selector(Vec<Term>);

struct Reader<'a> {
    rest: std::iter::Peekable<std::str::Chars<'a>>,
}

impl Reader<'_> {
    fn blank(&mut self) {
        while self.rest.next_if(|c| c.is_whitespace()).is_some() {}
    }
    fn take(&mut self, wanted: &str) -> bool {
        self.blank();
        let mut ahead = self.rest.clone();
        if wanted.chars().all(|c| ahead.next() == Some(c)) {
            self.rest = ahead;
            return true;
        }
        false
    }
    fn word(&mut self) -> Option<String> {
        self.blank();
        let mut out = String::new();
        while let Some(&c) = self.rest.peek() {
            if c == '\\' {
                self.rest.next();
                out.extend(self.rest.next());
            } else if c.is_alphanumeric() || matches!(c, '-' | '_' | '.' | '/') {
                out.push(c);
                self.rest.next();
            } else {
                break;
            }
        }
        (!out.is_empty()).then_some(out)
    }
    fn set(&mut self) -> Option<Vec<String>> {
        if !self.take("(") {
            return None;
        }
        let mut words = vec![self.word()?];
        while self.take(",") {
            words.push(self.word()?);
        }
        self.take(")").then_some(words)
    }
    fn term(&mut self) -> Option<Term> {
        let key = self.word()?;
        if self.take("==") {
            return Some(Term::In(key, vec![self.word()?]));
        }
        if self.take("!=") {
            return Some(Term::NotIn(key, vec![self.word()?]));
        }
        self.blank();
        let before = self.rest.clone();
        match self.word().as_deref() {
            Some("in") => Some(Term::In(key, self.set()?)),
            Some("notin") => Some(Term::NotIn(key, self.set()?)),
            Some(_) => None,
            None => {
                self.rest = before;
                Some(Term::Has(key))
            }
        }
    }
}

impl Selector {
    /// Parses; the error is a sentence.
    pub fn parse(text: &str) -> Result<Self, String> {
        let wrong = || format!("Can not parse label selector '{text}'");
        let mut reader = Reader { rest: text.chars().peekable() };
        let mut terms = vec![reader.term().ok_or_else(wrong)?];
        while reader.take(",") {
            terms.push(reader.term().ok_or_else(wrong)?);
        }
        reader.blank();
        if reader.rest.peek().is_some() { Err(wrong()) } else { Ok(Self(terms)) }
    }

    /// Whether labels satisfy it. A label that is absent satisfies no term, `!=` included, as in Marathon.
    pub fn matches(&self, labels: Option<&BTreeMap<String, String>>) -> bool {
        let value = |key: &str| labels.and_then(|l| l.get(key));
        self.0.iter().all(|term| match term {
            Term::Has(key) => value(key).is_some(),
            Term::In(key, set) => value(key).is_some_and(|v| set.contains(v)),
            Term::NotIn(key, set) => value(key).is_some_and(|v| !set.contains(v)),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_example_of_the_documents() {
        let text =
            r"my_label, environment==production, tier!=frontend\ tier, deployed in (us, eu), deployed notin (aa, bb)";
        let selector = Selector::parse(text);
        let labels = |tier: &str, deployed: &str| {
            BTreeMap::from(
                [("my_label", ""), ("environment", "production"), ("tier", tier), ("deployed", deployed)]
                    .map(|(k, v)| (k.to_owned(), v.to_owned())),
            )
        };
        let matches = |tier, deployed| selector.as_ref().is_ok_and(|s| s.matches(Some(&labels(tier, deployed))));
        assert!(matches("backend", "us"));
        assert!(!matches("frontend tier", "us"));
        assert!(!matches("backend", "aa"));
        assert!(!matches("backend", "asia"));
    }

    #[test]
    fn nonsense_is_refused() {
        for text in ["", "a==", "a in ()", "a in (b", "a b", "==x", "a,,b"] {
            assert!(Selector::parse(text).is_err(), "{text:?}");
        }
    }
}
