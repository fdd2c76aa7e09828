//! The journal and the work queue.

area! {
    /// The journal and the work queue.
    Activity {
        journal: "操作记录", "Journal";
        work: "工作队列", "Work queue";
        centre: "消息中心", "Message centre";
        centre_lead: "Marathon 报告的变化从这里进入。这里说明连接是否正常、漏掉过什么、还有多少要处理。", "What Marathon tells comes in here: whether it is heard, what was missed, and how much there is to do.";
        look_done: "已开始查看。", "Looking.";
        lead: "谁在什么时候做了什么。只增不改，每条都与前一条相连。", "Who did what, and when. Rows are only ever added, and each is tied to the one before.";
        intact: "记录链完整", "Chain unbroken";
        broken: "记录链被破坏", "Chain broken";
        broken_title: "这些记录中有被改动过的。", "Something in these rows was changed afterwards.";
        broken_text: "从标出的记录起，校验值与内容不符。请保留数据库副本并联系安全团队。", "From the marked row on, the checksum does not fit the content. Keep a copy of the database and tell your security team.";
        row_broken: "被改动", "changed";
        filter: "按人员、对象或内容筛选", "Filter by person, thing or text";
        kind: "操作", "What";
        from(zone: &str): "开始时间（{zone}）", "From ({zone})";
        to(zone: &str): "结束时间（{zone}）", "Until ({zone})";
        span: "时间范围", "Time";
        span_hour: "最近 1 小时", "last hour";
        span_day: "最近 24 小时", "last 24 hours";
        span_week: "最近 7 天", "last 7 days";
        span_all: "全部", "all";
        only_by(who: &str): "只看 {who} 的操作", "Only what {who} did";
        any: "全部操作", "Everything";
        any_team: "全部团队", "All teams";
        who: "操作人", "Who";
        subject: "对象", "On what";
        changes: "变化", "Changes";
        padis: "Padis 自动", "Padis itself";
        export: "导出", "Export";
        export_hint: "当前筛选结果，JSON 格式", "What the filter shows, as JSON";
        not_yours: "全平台的记录仅供平台管理员和审计员查看", "The whole platform's journal is for operators and auditors";
        not_yours_text: "您团队的每个应用都有自己的事件页，说明发生了什么、为什么。", "Every application of your teams has its own events, with what happened and why.";
        none: "还没有记录", "Nothing has happened yet";
        none_text: "每次修改都会记在这里：谁、什么时候、改了什么。", "Every change will stand here: who, when, and what.";
        no_hit: "没有符合条件的记录", "Nothing matches";
        hash: "校验值", "Checksum";
        work_lead: "Padis 还要做的事。卡住的排在最前，并说明原因。", "What Padis still has to do. What is stuck comes first and says why.";
        key: "对象", "About";
        outcome: "最近结果", "Last outcome";
        attempts: "连续失败", "Failed in a row";
        due: "下次执行", "Next";
        due_now: "现在", "now";
        leased(w: &str): "正由 {w} 执行", "worked on by {w}";
        st_due: "待执行", "Due";
        st_running: "执行中", "Running";
        st_backing: "稍后重试", "Tries again";
        st_parked: "已搁置", "Parked";
        st_idle: "已完成", "Done";
        retry: "立即重试", "Try again now";
        retry_done: "已重新排队。", "It is due again.";
        park: "搁置", "Park";
        park_title(key: &str): "搁置 {key}", "Park {key}";
        park_text: "在有人重试之前，Padis 不再处理它。", "Padis leaves it alone until somebody tries it again.";
        park_why: "原因", "Reason";
        park_hint: "写给接手的人看。", "For whoever comes next.";
        park_done: "已搁置。", "It is parked.";
        not_stuck: "没有卡住，无需处理。", "It is not stuck; there is nothing to do.";
        work_none: "没有待办", "Nothing to do";
        work_none_text: "所有意图都已实现。", "Everything that was wanted is so.";
        all_states: "全部状态", "All states";
    }
}
