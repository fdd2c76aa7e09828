//! Recipes and builds. Only the server says these words (`pages::written`), so they are no part
//! of [`super::Texts`], all of which the browser carries.

use super::Texts;
use padis_domain::view::CopyState;

area! {
    /// Recipes and builds.
    Recipes {
        title: "构建", "Recipes";
        lead: "填写基础镜像、软件包和文件，由平台构建镜像。", "Say what an image is made of; Padis builds it.";
        one: "构建配方", "Recipe";
        none: "还没有构建配方", "No recipe yet";
        none_text: "在中间件版本的页面上可以新建一个。", "The page of a version begins one.";
        no_hit: "没有符合条件的构建配方", "No recipe matches";
        filter: "仓库名、版本或编写人", "Repository, version or person";
        becomes: "目标镜像", "Becomes";
        base: "基础镜像", "Base";
        last: "最近一次构建", "Last build";
        changed: "修改时间", "Changed";
        start_title: "按配方构建", "Build on it from a recipe";
        start_aside: "不用打开终端，可以重复构建", "without a terminal, and again whenever it is needed";
        start_text: "填写软件包、文件、环境变量和启动命令，构建出新的镜像。", "Packages, files, variables and a start command, built into a new image.";
        start: "新建构建配方", "Begin a recipe";
        start_done: "已新建", "It has been begun";
        kept: "已保存", "Kept as it is typed";
        base_aside: "在它之上构建，它不会改变", "it is built upon, and stays as it is";
        base_repository: "仓库名", "Repository";
        base_tag: "版本", "Version";
        pool: "资源池", "Pool";
        pool_hint: "在这个资源池的主机上构建。", "It is built on a host of this pool.";
        no_pool: "没有可用于构建的资源池，请联系平台管理员。", "There is no pool that you may build in. An operator can change that.";
        packages: "软件包", "Packages";
        packages_aside: "由基础镜像自带的 apt、apk、dnf 或 yum 安装", "installed by the apt, apk, dnf or yum that the base has";
        packages_label: "软件包名", "Names";
        packages_hint: "每行一个，可带版本号，例如 curl=7.88.1-10。", "One in a line, with a version if it matters: curl=7.88.1-10.";
        files: "文件", "Files";
        files_aside: "放入镜像，属主为 root", "put into the image, owned by root";
        files_none: "还没有文件。", "No file yet.";
        path: "路径", "Path";
        size: "大小", "Size";
        executable: "可执行", "May be run";
        target: "放到", "Where it goes";
        target_hint: "绝对路径；以 / 结尾时保留文件名，例如 /etc/nginx/conf.d/。", "An absolute path; one that ends in / keeps the file's name, such as /etc/nginx/conf.d/.";
        file: "文件", "File";
        file_hint(most: &str): "所有文件合计不超过 {most}。", "All of them together at most {most}.";
        add: "添加文件", "Add the file";
        remove: "移除", "Remove";
        runs: "环境变量和启动命令", "Variables and start command";
        runs_aside: "留空则沿用基础镜像", "empty: as the base has it";
        env: "环境变量", "Variables";
        env_hint: "每行一个 NAME=值。会写入镜像，请不要填写密码；密码请在应用的设置中填写。", "NAME=value, one in a line. Whoever has the image can read them: no passwords, which belong into an application's settings.";
        start_command: "启动命令", "Start command";
        start_hint: "例如 /opt/app/run --port 8080，可用引号。", "Such as /opt/app/run --port 8080, with quotes where words belong together.";
        to: "目标镜像", "What it becomes";
        build: "构建", "Build";
        save: "保存", "Keep";
        wrong_package(n: &str): "第 {n} 行：请填写软件包名，可带版本号，不能带选项。", "Line {n}: the name of a package is needed, with a version if it matters, and no options.";
        wrong_env(n: &str): "第 {n} 行：请按 NAME=值 填写，名称不能重复。", "Line {n}: NAME=value is needed, and each name once.";
        wrong_target: "请填写绝对路径，不能含 . 或 ..；多个文件须放到以 / 结尾的目录。", "An absolute path without . and .. is needed; several files go to a folder, which ends in /.";
        wrong_start: "引号或反斜杠没有结束。", "A quote or a backslash has no end.";
        as_base: "沿用基础镜像", "as the base has it";
        builds: "构建记录", "Builds";
        builds_aside: "每次构建的内容和输出都会保留", "what each was made of, and what it said";
        build_one(n: &str): "第 {n} 次构建", "Build {n}";
        step(at: &str, of: &str): "第 {at} 步，共 {of} 步", "step {at} of {of}";
        pushed(at: &str, of: &str): "已推送 {at} / {of}", "pushed: {at} of {of}";
        output: "输出", "Output";
        output_cut: "只显示最后一部分。", "Only its end is shown.";
        output_all: "下载全部输出", "Download all of it";
        silent: "还没有输出。", "Nothing was said yet.";
        stop: "停止构建", "Stop it";
        stop_done: "已停止", "It is being stopped";
        tried_again: "稍后自动重试。", "It is tried again by itself.";
        made_of: "构建内容", "What it is made of";
        again: "返回配方", "To the recipe";
        end: "删除配方", "Take it away";
        end_text: "删除填写的内容和文件；已构建的镜像和构建记录会保留。", "What was typed goes, and its files. What was built from it stays.";
        end_go: "删除", "Take it away";
        end_done: "已删除", "It is gone";
        built_by(who: &str): "{who} 按配方构建", "built from a recipe by {who}";
        nothing: "无", "none";
    }
}

impl Texts {
    /// The words about recipes.
    pub fn recipes(&self) -> &'static Recipes {
        static ZH: Recipes = Recipes::ZH;
        static EN: Recipes = Recipes::EN;
        self.pick(&ZH, &EN)
    }

    /// How a build is.
    pub fn build_state(&self, s: CopyState) -> &'static str {
        match s {
            CopyState::Waiting => self.pick("等待中", "Waits"),
            CopyState::Running => self.pick("构建中", "Being built"),
            CopyState::Done => self.pick("已构建", "Built"),
            CopyState::Failed => self.pick("构建失败", "Not built"),
            CopyState::Cancelled => self.pick("已停止", "Stopped"),
        }
    }
}
