//! Promotions of images. Only the server says these words (`pages::written`), so they
//! are no part of [`super::Texts`], all of which the browser carries.

use super::{Texts, units};
use padis_domain::view::{CopyState, PromotionCheck, PromotionState};

area! {
    /// Promotions.
    Promotions {
        title: "晋级", "Promotions";
        lead: "镜像从一个环境的镜像仓库晋级到下一个环境。", "Images that go from one stage's registry to the next one's.";
        promote: "晋级到下一环境", "Promote to the next stage";
        aside: "按摘要进行，可以回退", "by digest; it can be rolled back";
        to(stage: &str, registry: &str): "到{stage}（{registry}）", "To {stage} ({registry})";
        there: "已经在那里，内容完全相同。", "It is there already, byte for byte.";
        replaces: "将取代现有的", "It takes the place of";
        fresh: "那里还没有这个版本。", "There is no such version there yet.";
        needs_other: "需要申请人以外的人批准。", "Somebody other than you has to agree.";
        only_some: "需要平台管理员、中间件工程师或仓库所属团队的成员来申请。", "Operators, middleware engineers and the repository's own team ask for this.";
        note: "说明", "Why";
        note_hint: "批准的人会看到。", "Whoever agrees reads this.";
        ask: "申请晋级", "Ask for it";
        go: "晋级", "Promote";
        asked_done: "已提交", "It is asked for";
        judged_done: "已记录", "Recorded";
        withdrawn_done: "已撤回", "It is taken back";
        back_done: "正在回退", "It is being rolled back";
        none: "还没有镜像晋级过", "Nothing has been promoted yet";
        none_text: "在镜像版本的页面上可以申请晋级。", "A version's page offers it.";
        no_hit: "没有符合条件的晋级", "No promotion matches";
        filter: "仓库名、版本、目标或申请人", "Repository, version, target or person";
        what: "镜像", "Image";
        path: "从 → 到", "From → to";
        asked: "申请", "Asked for";
        decided: "决定", "Decided";
        yes: "批准", "Agree";
        no: "拒绝", "Refuse";
        no_note: "拒绝时需要说明", "a reason, if you refuse";
        withdraw: "撤回", "Take back";
        roll_back: "回退", "Roll back";
        before(digest: &str): "之前为 {digest}", "before it: {digest}";
        alone: "无需批准", "nobody had to agree";
        rolled_back(by: &str): "{by} 回退", "rolled back by {by}";
        reads_yes: "可以读取，是镜像", "It can be read, and is an image";
        reads_no: "无法读取，或不是镜像", "It can't be read, or is no image";
        here_yes: "这里的主机可以运行", "Hosts here can run it";
        here_no: "这里的主机不能运行", "Hosts here can't run it";
        size_yes(bytes: &str, most: &str): "{bytes}，不超过 {most}", "{bytes}, at most {most}";
        size_no(bytes: &str, most: &str): "{bytes}，超过了 {most}", "{bytes}, more than {most}";
        runs_yes: "有应用在当前环境运行它", "An application runs it in this stage";
        runs_no: "当前环境没有应用在线运行它", "No application that is online runs it in this stage";
        right_yes: "团队在两个环境都有配额", "The team has a quota in both stages";
        right_no: "团队没有两个环境的配额", "The team lacks a quota in one of the stages";
        clean_yes: "没有私钥和输入历史", "No private key or shell history in it";
        clean_no(n: &str, first: &str): "其中有 {n} 个私钥或输入历史文件，例如 {first}", "files that look like private keys or shell history: {n}, such as {first}";
        clean_unread: "还没有读取其中的内容", "What is inside has not been read yet";
        room_yes(room: &str): "团队的镜像有空间（{room}）", "The team's images have room for it ({room})";
        room_no(room: &str): "团队的镜像没有空间了（{room}）", "The team's images have no room for it ({room})";
        free_no(by: &str): "{by} 已申请同一版本", "{by} has asked for the same version";
    }
}

impl Texts {
    /// The words about promotions.
    pub fn promotions(&self) -> &'static Promotions {
        static ZH: Promotions = Promotions::ZH;
        static EN: Promotions = Promotions::EN;
        self.pick(&ZH, &EN)
    }

    /// What people have decided, for a filter.
    pub fn promotion_state(&self, s: PromotionState) -> &'static str {
        match s {
            PromotionState::Asked => self.pick("等待批准", "Waits for a yes"),
            PromotionState::Refused => self.pick("已拒绝", "Refused"),
            PromotionState::Withdrawn => self.pick("已撤回", "Taken back"),
            PromotionState::Approved => self.pick("已批准", "Agreed to"),
            PromotionState::Back => self.pick("已回退", "Rolled back"),
        }
    }

    /// What has become of it, its copy included.
    pub fn promotion_now(&self, s: PromotionState, copy: Option<CopyState>) -> &'static str {
        match (s, copy) {
            (PromotionState::Approved, Some(CopyState::Done)) => self.pick("已晋级", "Promoted"),
            (PromotionState::Approved, Some(CopyState::Failed)) => self.pick("未能晋级", "Not promoted"),
            (PromotionState::Approved, Some(CopyState::Cancelled)) => self.pick("已停止", "Stopped"),
            (PromotionState::Approved, Some(_)) => self.pick("正在晋级", "On its way"),
            (PromotionState::Back, Some(CopyState::Done) | None) => self.pick("已回退", "Rolled back"),
            (PromotionState::Back, Some(CopyState::Failed | CopyState::Cancelled)) => {
                self.pick("未能回退", "Not rolled back")
            }
            (PromotionState::Back, Some(_)) => self.pick("正在回退", "Being rolled back"),
            _ => self.promotion_state(s),
        }
    }

    /// A check's outcome.
    pub fn promotion_check(&self, check: &PromotionCheck) -> String {
        let p = self.promotions();
        let either = |ok: bool, yes: &'static str, no: &'static str| if ok { yes } else { no }.to_owned();
        match check {
            PromotionCheck::Readable(ok) => either(*ok, p.reads_yes, p.reads_no),
            PromotionCheck::RunsHere(ok) => either(*ok, p.here_yes, p.here_no),
            PromotionCheck::Runs(ok) => either(*ok, p.runs_yes, p.runs_no),
            PromotionCheck::Right(ok) => either(*ok, p.right_yes, p.right_no),
            PromotionCheck::Size { bytes, most } => {
                let words = if check.holds() { p.size_yes } else { p.size_no };
                words(&units::bytes(*bytes), &units::bytes(*most))
            }
            PromotionCheck::Clean { read: false, .. } => p.clean_unread.to_owned(),
            PromotionCheck::Clean { found: 0, .. } => p.clean_yes.to_owned(),
            PromotionCheck::Clean { found, first, .. } => (p.clean_no)(&units::count(*found), first),
            PromotionCheck::Room(room) => {
                let words = if check.holds() { p.room_yes } else { p.room_no };
                words(&self.room(room))
            }
            PromotionCheck::Free { by } => (p.free_no)(by),
        }
    }
}
