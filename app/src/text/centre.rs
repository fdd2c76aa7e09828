//! The message centre. Only the server says these words (`pages::written`), so they
//! are no part of [`super::Texts`], all of which the browser carries.

use super::Texts;
use padis_domain::view::{GapFound, StreamEnd};

area! {
    /// The message centre.
    Centre {
        connected(to: &str): "已连接 {to}", "Connected to {to}";
        silent: "已连接，但没有收到任何内容", "Connected, but nothing is heard";
        connecting: "正在连接", "Connecting";
        reconnecting: "已断开，正在重新连接", "Broken, connecting again";
        tried(n: u32): "已尝试 {n} 次", "{n} attempts failed";
        since: "持续", "for";
        heard: "最近收到", "Last heard";
        heard_text: "心跳也算在内", "heartbeats included";
        never: "尚未", "not yet";
        events: "事件", "Events";
        minute(n: &str): "最近一分钟 {n}", "{n} in the last minute";
        lag: "延迟", "Lag";
        lag_text(p99: &str): "最近一分钟 99% 不超过 {p99}", "99 % of the last minute within {p99}";
        lag_none: "最近一分钟没有事件", "no event in the last minute";
        queue: "工作队列", "Work queue";
        queue_text(waiting: &str, work: &str, parked: &str): "等待 {waiting}，处理中 {work}，搁置 {parked}", "{waiting} wait, {work} in work, {parked} parked";
        oldest(d: &str): "最早的已到期 {d}", "the oldest has been due for {d}";
        due: "到期", "due";
        gaps: "中断", "Gaps";
        gaps_aside: "这段时间的事件没有收到；之后的核对找出差别", "what was said meanwhile is lost; the look after it finds what changed";
        gaps_none: "没有中断", "The stream was never interrupted";
        gaps_none_text: "中断会列在这里，并说明之后核对出了什么。", "Interruptions stand here, with what the look after them found.";
        when: "时间", "When";
        lasted: "时长", "For";
        why: "原因", "Why";
        found: "核对结果", "Found by the look after it";
        looking: "正在核对", "still looking";
        nothing: "没有遗漏", "nothing was missed";
        still: "至今", "until now";
        kinds: "按类型", "By type";
        kind: "类型", "Type";
        all: "总数", "All";
        last_minute: "最近一分钟", "Last minute";
        kinds_none: "还没有收到事件", "No event yet";
        kinds_none_text: "有应用变化时，Marathon 会在这里报告。", "Marathon tells of every change of an application.";
        slow: "最慢的应用", "Slowest applications";
        slow_aside: "从开始查看到处理完毕，最近一小时", "from being looked at to being settled, within an hour";
        app: "应用", "Application";
        last: "最近一次", "Last";
        longest: "最长", "Longest";
        look: "立即查看", "Look now";
        look_all: "立即核对全部", "Look at everything now";
        slow_none: "最近一小时没有查看过应用", "No application was looked at within an hour";
        slow_none_text: "有变化或定期核对时会查看应用。", "They are looked at when something changes, and regularly.";
        swept(apps: &str, instances: &str, took: &str): "上次核对全部：{apps}，{instances}，用时 {took}", "last look at everything: {apps}, {instances}, took {took}";
    }
}

impl Texts {
    /// The words of the message centre.
    pub fn centre(&self) -> &'static Centre {
        static ZH: Centre = Centre::ZH;
        static EN: Centre = Centre::EN;
        self.pick(&ZH, &EN)
    }

    /// Why a stream ended.
    pub fn stream_end(&self, why: StreamEnd) -> &'static str {
        match why {
            StreamEnd::Silent => self.pick("没有任何内容，连心跳也没有", "not a byte came, not even a heartbeat"),
            StreamEnd::Closed => self.pick("Marathon 正常结束了连接", "Marathon ended the connection in order"),
            StreamEnd::Broken => self.pick("连接中断", "the connection broke"),
            StreamEnd::Unreachable => self.pick("连接不上", "nobody answers there"),
            StreamEnd::Untrusted => self.pick("证书不受信任", "its certificate is not trusted"),
            StreamEnd::NoLeader => self.pick("Marathon 没有主节点", "Marathon has no leader"),
            StreamEnd::Unauthorized => self.pick("不接受 Padis 的账号", "it does not accept Padis' account"),
            StreamEnd::Refused => self.pick("回答的不是事件流", "it answers something else than events"),
            StreamEnd::Endless => self.pick("一个事件没有结尾", "an event had no end"),
            StreamEnd::Behind => self.pick("Padis 来不及读取", "Padis fell behind reading"),
            StreamEnd::Off => self.pick("Padis 未运行", "Padis was not running"),
        }
    }

    /// What the look after a gap found, as a phrase.
    pub fn gap_found(&self, f: GapFound) -> String {
        if f.instances == 0 {
            return self.centre().nothing.to_owned();
        }
        let (i, a) = (self.instances(u64::from(f.instances)), self.applications(u64::from(f.apps)));
        self.pick_with(|| format!("{a}的 {i}有变化"), || format!("{i} of {a} had changed"))
    }
}
