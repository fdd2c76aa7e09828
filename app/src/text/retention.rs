//! Keeping a repository tidy. Only the server says these words (`pages::written`), so they
//! are no part of [`super::Texts`], all of which the browser carries.

use super::Texts;
use padis_domain::view::Stays;

area! {
    /// Keeping a repository tidy.
    Keeping {
        title: "清理", "Keep it tidy";
        aside: "先看会删除什么，再决定", "see what would go before anything does";
        newest: "保留最新的版本数", "Newest that stay";
        days: "保留不足天数的版本", "Days that a version is young";
        show: "查看会删除什么", "Show what would go";
        goes: "会删除", "goes";
        what: "结果", "What becomes of it";
        total(n: &str, bytes: &str): "会删除 {n} 个，{bytes}", "{n} would go, {bytes}";
        nothing: "没有可以删除的版本", "Nothing would go";
        nothing_text: "每个版本都还有用，或在保留范围内。", "Each version is needed, or stays by the numbers above.";
        go(n: &str): "删除 {n} 个", "Delete {n}";
        again: "删除前会逐个再次检查。", "Each is looked at once more right before it goes.";
        done: "正在删除", "They are being deleted";
        before: "以前的清理", "What was done before";
        by: "执行人", "By";
        gone(n: &str, bytes: &str): "已删除 {n} 个，{bytes}", "{n} deleted, {bytes}";
        kept(n: &str): "保留 {n} 个（已被使用）", "{n} stayed, needed by then";
        by_rule: "按规则", "by the rule";
        keep: "每天按此规则清理", "Do so every day";
        keep_hint: "从现在起每天按上面的数字清理一次，仍被需要的版本始终保留。", "From now on, once a day, by the numbers above; what is needed stays in any case.";
        keep_done: "已记录，从现在起每天清理", "From now on it is kept tidy every day";
        kept_newest(newest: &str): "每天清理：保留最新 {newest} 个版本", "Every day: the newest {newest} stay";
        kept_rule(newest: &str, days: &str): "每天清理：保留最新 {newest} 个和不足 {days} 天的版本", "Every day: the newest {newest} stay, and what is younger than {days} days";
        looked: "上次检查", "last looked at";
        not_yet: "尚未检查", "not looked at yet";
        end: "不再清理", "Stop doing so";
        end_done: "不再按规则清理", "It is no longer kept tidy by itself";
        left(n: &str): "还有 {n} 个", "{n} to go";
    }
}

impl Texts {
    /// The words about keeping a repository tidy.
    pub fn keeping(&self) -> &'static Keeping {
        static ZH: Keeping = Keeping::ZH;
        static EN: Keeping = Keeping::EN;
        self.pick(&ZH, &EN)
    }

    /// Why a version stays.
    pub fn stays(&self, s: Stays) -> &'static str {
        match s {
            Stays::Used => self.pick("应用在使用或可回退到它", "an application runs it or can go back to it"),
            Stays::Standard => self.pick("是标准中间件", "it is standard middleware"),
            Stays::Promotion => self.pick("晋级需要它", "a promotion needs it"),
            Stays::OnItsWay => {
                self.pick("正在复制，或正在为它启动工作台", "it is being copied, or a workbench of it is being started")
            }
            Stays::Part => {
                self.pick("可能属于保留的多平台版本", "it may be a part of a version for several platforms that stays")
            }
            Stays::Newest => self.pick("属于最新的版本", "among the newest"),
            Stays::Young => self.pick("不足天数", "young"),
        }
    }
}
