//! Counts of things with their noun. English has a plural, Chinese a measure word.

use super::Texts;

impl Texts {
    fn some(&self, n: u64, zh: &str, one: &str, many: &str) -> String {
        let n_en = super::units::count(n);
        self.pick_with(|| format!("{n} {zh}"), || format!("{n_en} {}", if n == 1 { one } else { many }))
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
        if self.lang == crate::context::Lang::Zh && word.is_ascii() { format!("{word} ") } else { word.to_owned() }
    }
}

#[cfg(test)]
mod tests {
    use crate::text::{EN, ZH};

    #[test]
    fn one_is_not_many() {
        assert_eq!(EN.hosts(1), "1 host");
        assert_eq!(EN.hosts(13), "13 hosts");
        assert_eq!(ZH.hosts(1), "1 台主机");
        assert_eq!(EN.times(0), "—");
        assert_eq!(ZH.leading("CPU"), "CPU ");
        assert_eq!(ZH.leading("内存"), "内存");
    }
}
