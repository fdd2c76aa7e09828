//! Workbenches. Only the server says these words (`pages::written`), so they are no part of
//! [`super::Texts`], all of which the browser carries.

use super::Texts;
use padis_domain::ports::ChangeKind;
use padis_domain::view::{BenchState, CommitState, Doubt};

area! {
    /// Workbenches.
    Workbenches {
        title: "工作台", "Workbenches";
        lead: "在容器里修改中间件，把结果保存为新版本。", "Change a middleware in a container, and keep the result as a new version.";
        one: "工作台", "Workbench";
        none: "还没有工作台", "No workbench yet";
        none_text: "在中间件版本的页面上可以打开一个。", "The page of a version starts one.";
        no_hit: "没有符合条件的工作台", "No workbench matches";
        filter: "仓库名、版本、主机或使用人", "Repository, version, host or person";
        from: "来自", "Started from";
        host: "主机", "Host";
        versions: "版本数", "Versions";
        started: "打开", "Started";
        start_title: "在工作台中修改", "Change it in a workbench";
        start_aside: "容器中的修改不影响这个版本", "this version stays as it is";
        start_text: "打开一个容器和浏览器终端，可以安装软件、修改配置，再保存为新版本。", "It gives you a container with a terminal in the browser: install, configure, then keep it as a new version.";
        pool: "资源池", "Pool";
        start: "打开工作台", "Start a workbench";
        start_done: "正在打开工作台", "The workbench is being started";
        terminal: "打开终端", "Open a terminal";
        end: "结束", "End it";
        end_text: "容器和其中没有保存为版本的修改会被删除。", "The container goes, with every change that was not kept as a version.";
        end_go: "结束并删除修改", "End it and drop the changes";
        end_done: "正在结束", "It is being taken away";
        look: "重新读取", "Look again";
        changes: "修改内容", "What was changed";
        changes_aside(n: &str, bytes: &str): "{n} 项，{bytes}", "paths: {n}, {bytes}";
        unchanged: "还没有修改", "Nothing was changed yet";
        unchanged_text: "在终端中进行修改，再回到这里。", "Change something in the terminal, then come back.";
        more(n: &str): "还有 {n} 项没有列出。", "{n} more are not listed.";
        commit: "保存为新版本", "Keep it as a new version";
        commit_aside: "推送到镜像仓库，可从那里使用和晋级", "pushed to the registry, to be used and promoted from there";
        repository: "仓库名", "Repository";
        repository_hint: "小写字母、数字和 . _ - /。", "Lower-case letters, digits and . _ - /.";
        below(all: &str): "须以此开头：{all}", "It begins with {all}";
        tag: "版本", "Version";
        tag_hint: "还没有使用过的版本号。", "One that does not exist yet.";
        description: "说明", "What it is good for";
        description_hint: "选用它的人会看到。", "Whoever chooses it reads this.";
        leave_out: "不包含标出的文件", "Leave out what is pointed out";
        leave_out_text: "它们会先从工作台中删除，也不会进入新版本。", "It is deleted in the workbench first, and does not go into the version.";
        contract: "使用约定", "Contract";
        contract_text: "应用据此使用这个中间件；全部留空则不作为中间件。", "By this an application uses the middleware; all empty, it is none.";
        commit_go: "保存为新版本", "Keep it";
        commit_done: "正在保存", "It is being kept";
        kept: "已保存的版本", "Versions of it";
        kept_aside: "每个版本的来历", "where each comes from";
        pushed(at: &str, of: &str): "{at} / {of}", "{at} of {of}";
        what_changed(n: &str): "修改了 {n} 项", "paths changed: {n}";
        left_out(n: &str): "未包含 {n} 项", "left out: {n}";
        records: "终端记录", "Terminals";
        records_aside: "记录了屏幕内容，不含输入", "what they showed, not what was typed";
        record: "下载记录", "Download the record";
        open_now: "使用中", "open";
        made: "来历", "Where it comes from";
        made_by(who: &str): "{who} 在工作台中制作", "made in a workbench by {who}";
        base: "基于", "Made from";
        closed: "终端已结束。", "The terminal has ended.";
        cut: "连接已断开。", "The connection was cut off.";
        signed_out: "登录已失效，请重新登录。", "Your session has ended. Sign in again.";
        reconnect: "重新打开", "Open it again";
        back: "返回工作台", "Back to the workbench";
        connecting: "正在连接…", "Connecting …";
        no_script: "终端需要浏览器启用脚本。", "A terminal needs scripts in the browser.";
        not_open: "工作台还没有打开。", "The workbench is not open.";
        host_silent: "主机没有回答，暂时无法读取修改。", "Its host does not answer, so what was changed can't be read for now.";
    }
}

impl Texts {
    /// The words about workbenches.
    pub fn benches(&self) -> &'static Workbenches {
        static ZH: Workbenches = Workbenches::ZH;
        static EN: Workbenches = Workbenches::EN;
        self.pick(&ZH, &EN)
    }

    /// How a workbench is.
    pub fn bench_state(&self, s: BenchState) -> &'static str {
        match s {
            BenchState::Starting => self.pick("正在打开", "Being started"),
            BenchState::Open => self.pick("可以使用", "Open"),
            BenchState::Ending => self.pick("正在结束", "Being taken away"),
            BenchState::Ended => self.pick("已结束", "Ended"),
        }
    }

    /// How a version of one is.
    pub fn commit_state(&self, s: CommitState) -> &'static str {
        match s {
            CommitState::Open => self.pick("正在保存", "On its way"),
            CommitState::Done => self.pick("已保存", "Kept"),
            CommitState::Failed => self.pick("未能保存", "Not kept"),
        }
    }

    /// What became of a file.
    pub fn change_kind(&self, k: ChangeKind) -> &'static str {
        match k {
            ChangeKind::Added => self.pick("新增", "added"),
            ChangeKind::Modified => self.pick("修改", "changed"),
            ChangeKind::Deleted => self.pick("删除", "deleted"),
        }
    }

    /// Why a file should not go into an image.
    pub fn doubt(&self, d: Doubt) -> &'static str {
        match d {
            Doubt::Log => self.pick("日志", "a log"),
            Doubt::Temporary => self.pick("临时文件", "only temporary"),
            Doubt::Key => self.pick("私钥或凭据", "a private key or account"),
            Doubt::History => self.pick("输入历史", "what somebody typed"),
            Doubt::Large => self.pick("文件过大", "large"),
        }
    }

    /// A label of the contract as the label of a field, and its hint.
    pub fn contract_label(&self, label: &str) -> (&'static str, &'static str) {
        match label {
            "name" => (self.pick("短名", "Short name"), self.pick("例如 nginx。", "Such as nginx.")),
            "title.zh" => (self.pick("中文名称", "Chinese title"), ""),
            "title.en" => (self.pick("英文名称", "English title"), ""),
            "version" => (self.pick("中间件版本", "The middleware's version"), ""),
            "kinds" => (
                self.pick("应用包类型", "Kinds of package"),
                self.pick("用逗号分隔：war、jar、zip、tar.gz。", "Separated by commas: war, jar, zip, tar.gz."),
            ),
            "form" => (
                self.pick("应用包形式", "How a package comes"),
                self.pick("file（原文件）或 tree（解开）。", "file (as uploaded) or tree (unpacked)."),
            ),
            "package" => (self.pick("应用包路径", "Where the package goes"), ""),
            "port" => (self.pick("端口", "Port"), ""),
            "logs" => (self.pick("日志路径", "Where logs go"), ""),
            "health" => (self.pick("健康检查页面", "Health page"), ""),
            "uid" => (self.pick("运行用户编号", "Runs as user"), ""),
            "min-mem-mib" => (self.pick("最少内存（MiB）", "Least memory (MiB)"), ""),
            "start-s" => (self.pick("启动时间（秒）", "Starts within (s)"), ""),
            _ => ("", ""),
        }
    }
}
