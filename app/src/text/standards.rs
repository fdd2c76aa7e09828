//! What is decided about middleware. Only the server says these words (`pages::written`),
//! so they are no part of [`super::Texts`], all of which the browser carries.

use super::Texts;
use padis_domain::view::StackState;

area! {
    /// What is decided about middleware.
    Standards {
        done: "已保存", "Saved";
        every_stage: "全部环境", "every stage";
        decided(by: &str, at: &str): "{by} 于 {at} 决定", "decided by {by} on {at}";
        instead: "请改用", "In its place:";
        users: "使用它的应用", "Applications on it";
        users_aside: "您可以查看的", "of those that you may see";
        decide: "决定", "Decide";
        decide_aside: "只影响以后的选择，运行中的应用不受影响", "what may be chosen from now on; whatever runs goes on";
        state: "状态", "How long it still has";
        stages: "适用环境", "Stages that it is for";
        successor: "替代版本", "What takes its place";
        successor_hint: "应用可以一键改用它，也可以回退。", "Applications on it move there with one press, and can go back.";
        no_successor: "无", "nothing";
        note: "说明", "Why";
        note_hint: "使用它的团队会看到。", "Those who run on it read this.";
        go: "保存", "Save";
        is_deprecated(key: &str): "{key} 已不推荐使用", "{key} is deprecated";
        is_retired(key: &str): "{key} 已停用", "{key} is retired";
        move_to(key: &str): "改用 {key}", "Move to {key}";
        move_text: "改用即发布一个新版本，可以回退。", "Moving is a release like any other: it can be rolled back.";
        more: "详情", "More about it";
    }
}

impl Texts {
    /// The words about what is decided.
    pub fn standards(&self) -> &'static Standards {
        static ZH: Standards = Standards::ZH;
        static EN: Standards = Standards::EN;
        self.pick(&ZH, &EN)
    }

    /// How long a version still has.
    pub fn stack_state(&self, s: StackState) -> &'static str {
        match s {
            StackState::Standard => self.pick("标准", "Standard"),
            StackState::Deprecated => self.pick("不推荐", "Deprecated"),
            StackState::Retired => self.pick("已停用", "Retired"),
        }
    }

    /// What that means.
    pub fn stack_state_means(&self, s: StackState) -> &'static str {
        match s {
            StackState::Standard => self.pick("所有人都可以选用", "everybody may choose it"),
            StackState::Deprecated => {
                self.pick("已有应用继续使用，新应用不再选用", "applications stay on it, nothing new begins with it")
            }
            StackState::Retired => {
                self.pick("不再有人可以选用，也不能回退到它", "nobody chooses it, not even to go back to it")
            }
        }
    }
}
