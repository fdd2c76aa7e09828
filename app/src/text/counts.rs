//! Counts of things with their noun. English has a plural, Chinese a measure word.
//!
//! Every count in a sentence comes from here, so that there is one place that knows
//! when one is not many. One could get it wrong by writing `{n} things` into an area:
//! a test looks for that.

use super::Texts;

impl Texts {
    /// `1 host`, `13 hosts`: the number with the noun that fits it.
    pub(super) fn some(&self, n: u64, zh: &str, one: &str, many: &str) -> String {
        let n_en = super::units::count(n);
        self.pick_with(|| format!("{n} {zh}"), || format!("{n_en} {}", if n == 1 { one } else { many }))
    }
    /// `3 instances`.
    pub fn instances(&self, n: u64) -> String {
        self.some(n, "个实例", "instance", "instances")
    }
    /// `3 addresses`.
    pub fn addresses(&self, n: u64) -> String {
        self.some(n, "个地址", "address", "addresses")
    }
    /// `3 applications`.
    pub fn applications(&self, n: u64) -> String {
        self.some(n, "个应用", "application", "applications")
    }
    /// `3 requests`.
    pub fn requests(&self, n: u64) -> String {
        self.some(n, "个请求", "request", "requests")
    }
    /// `3 repositories`.
    #[cfg(feature = "ssr")]
    pub fn repositories(&self, n: u64) -> String {
        self.some(n, "个仓库", "repository", "repositories")
    }
    /// `3 lines`.
    pub fn lines(&self, n: usize) -> String {
        self.some(n as u64, "行", "line", "lines")
    }
    /// `3 deliveries`.
    pub fn deliveries(&self, n: usize) -> String {
        self.some(n as u64, "次交付", "delivery", "deliveries")
    }
    /// `3 people`.
    pub fn people(&self, n: usize) -> String {
        self.some(n as u64, "名成员", "person", "people")
    }
    /// `3 entries`.
    pub fn entries(&self, n: u64) -> String {
        self.some(n, "条", "entry", "entries")
    }
    /// `3 more ranges`.
    pub fn more_ranges(&self, n: usize) -> String {
        self.some(n as u64, "段", "more range", "more ranges")
    }
    /// `3 changes`.
    pub fn change_count(&self, n: usize) -> String {
        self.some(n as u64, "处", "change", "changes")
    }
    /// `3 characters`.
    pub fn characters(&self, n: u32) -> String {
        self.some(u64::from(n), "个字符", "character", "characters")
    }
    /// `13 hosts`.
    pub fn hosts(&self, n: u64) -> String {
        self.some(n, "台主机", "host", "hosts")
    }
    /// `6 teams`.
    pub fn teams(&self, n: usize) -> String {
        self.some(n as u64, "个团队", "team", "teams")
    }
    /// `2 releases`.
    pub fn release_count(&self, n: usize) -> String {
        self.some(n as u64, "个版本", "release", "releases")
    }
    /// `3 applications use it`.
    pub fn apps_use_it(&self, n: usize) -> String {
        self.some(n as u64, "个应用正在使用", "application uses it", "applications use it")
    }
    /// `5 times`; a dash for never.
    pub fn times(&self, n: u32) -> String {
        if n == 0 { "—".to_owned() } else { self.some(u64::from(n), "次", "time", "times") }
    }
    /// `2 systems do not answer.`
    pub fn systems_down(&self, n: usize) -> String {
        self.some(n as u64, "个系统没有应答。", "system does not answer.", "systems do not answer.")
    }
    /// `141 not free`.
    pub fn taken(&self, n: u32) -> String {
        self.some(u64::from(n), "个非空闲", "not free", "not free")
    }
    /// The dimension's name as it begins a sentence: a space follows a Latin one in Chinese.
    pub fn leading(&self, word: &str) -> String {
        if self.language() == crate::context::Lang::Zh && word.is_ascii() {
            format!("{word} ")
        } else {
            word.to_owned()
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::text::{EN, ZH};

    /// The areas, where a sentence could hold a number and a noun of its own.
    const AREAS: &[&str] = &[
        include_str!("account.rs"),
        include_str!("activity.rs"),
        include_str!("admin.rs"),
        include_str!("application.rs"),
        include_str!("apps.rs"),
        include_str!("catalog.rs"),
        include_str!("net.rs"),
        include_str!("new_app.rs"),
        include_str!("overview.rs"),
        include_str!("pools.rs"),
        include_str!("shell.rs"),
    ];

    /// Nouns in the plural behind a number of that line's own.
    fn plurals(line: &str) -> Vec<String> {
        let Some((head, texts)) = line.split_once("): \"") else { return Vec::new() };
        let args = head.split_once('(').map_or("", |(_, a)| a).split(", ").filter_map(|a| a.split_once(": "));
        let english = texts.rsplit("\", \"").next().unwrap_or_default();
        let mut out = Vec::new();
        for (name, _) in args.filter(|(_, kind)| ["u16", "u32", "u64", "usize"].contains(kind)) {
            for behind in english.split(&format!("{{{name}}} ")).skip(1) {
                let word: String = behind.chars().take_while(char::is_ascii_alphabetic).collect();
                if word.len() > 2 && word.ends_with('s') && !["has", "was", "leaves"].contains(&word.as_str()) {
                    out.push(format!("{name} {word}"));
                }
            }
        }
        out
    }

    #[test]
    fn no_sentence_puts_a_plural_behind_a_number_by_itself() {
        assert_eq!(plurals(r#"x(a: &str, n: u32): "{n} 个", "{n} things of {a} parts";"#), ["n things"]);
        let found: Vec<_> = AREAS.iter().flat_map(|t| t.lines()).flat_map(plurals).collect();
        assert!(found.is_empty(), "{found:?}");
    }

    #[test]
    fn one_is_not_many() {
        let one = [
            EN.instances(1),
            EN.addresses(1),
            EN.applications(1),
            EN.requests(1),
            EN.lines(1),
            EN.deliveries(1),
            EN.people(1),
            EN.entries(1),
            EN.change_count(1),
            EN.characters(1),
            EN.teams(1),
            EN.release_count(1),
            EN.times(1),
        ];
        assert!(one.iter().all(|s| s.starts_with("1 ") && !s.ends_with('s') || s == "1 address"), "{one:?}");
        assert_eq!((EN.people(2), EN.entries(2)), ("2 people".to_owned(), "2 entries".to_owned()));
        let stop = (EN.app.stop_text)(&EN.instances(1));
        assert!(stop.contains("stops 1 instance. "), "{stop}");
        let gone = (EN.app.delete_text)(&EN.instances(1), &EN.release_count(1));
        assert!(gone.contains("stops 1 instance,") && gone.contains("deletes 1 release."), "{gone}");
        assert_eq!(EN.hosts(1), "1 host");
        assert_eq!(EN.hosts(13), "13 hosts");
        assert_eq!(ZH.hosts(1), "1 台主机");
        assert_eq!(EN.times(0), "—");
        assert_eq!(ZH.leading("CPU"), "CPU ");
        assert_eq!(ZH.leading("内存"), "内存");
    }
}
