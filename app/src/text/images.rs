//! Registries and images. Only the server says these words (`pages::written`), so they
//! are no part of [`super::Texts`], all of which the browser carries.

use super::Texts;
use padis_domain::view::CopyState;

area! {
    /// Registries and images.
    Images {
        lead: "各镜像仓库中的镜像：是什么、谁在用、在哪些环境。", "What the registries hold: what it is, who runs it, in which stages.";
        copies: "复制", "Copies";
        repositories: "仓库", "Repositories";
        filter: "名称、版本或标签", "Name, version or label";
        every_registry: "全部镜像仓库", "Every registry";
        none: "还没有镜像", "There are no images yet";
        none_text: "镜像仓库中有内容后会显示在这里。", "What the registries hold stands here once they have been looked at.";
        no_hit: "没有符合条件的镜像", "No image matches";
        no_hit_text: "请减少筛选条件。", "Try with less in the filter.";
        repository: "名称", "Name";
        registry: "镜像仓库", "Registry";
        stage: "环境", "Stage";
        every_stage: "全部环境", "every stage";
        versions: "版本", "Versions";
        newest: "最新", "Newest";
        made: "制作于", "Made";
        size: "大小", "Size";
        silent(name: &str): "{name} 没有应答", "{name} does not answer";
        silent_text(at: &str): "下面是 {at} 查看的结果。", "What stands below is what the look of {at} found.";
        silent_never: "还没有查看过它的内容。", "What it holds has not been seen yet.";
        looked_at: "查看于", "looked at";
        never: "尚未查看", "not looked at yet";
        look: "立即查看", "Look now";
        look_done: "正在查看各镜像仓库", "The registries are being looked at";
        not_live: "镜像仓库没有及时应答", "The registry did not answer in time";
        not_live_text: "下面是此前查看的结果。", "What stands below is from before.";
        tag: "版本", "Version";
        digest: "摘要", "Digest";
        used_by: "使用的应用", "Run by";
        used_none: "没有应用在使用", "no application";
        stages: "所在环境", "Stages";
        broken: "无法读取", "Can't be read";
        what: "它是什么", "What it is";
        platforms: "平台", "Platforms";
        not_here: "这里的主机不能运行它", "hosts here can't run it";
        author: "作者", "Made by";
        user: "用户", "User";
        root: "root", "root";
        starts: "启动命令", "Starts";
        folder: "工作目录", "Folder";
        ports: "端口", "Ports";
        volumes: "卷", "Volumes";
        env: "环境变量", "Environment";
        labels: "标签", "Labels";
        layers: "层", "Layers";
        layers_aside: "从下往上，每一步增加的大小", "from the bottom up, what each step added";
        step: "步骤", "Step";
        added: "增加", "Added";
        nothing: "无", "nothing";
        places: "所在位置", "Where it is";
        places_aside: "内容完全相同", "exactly this, byte for byte";
        no_image: "这不是镜像", "This is no image";
        no_image_text: "它可能是 Helm 包或签名，只能复制。", "It may be a chart or a signature; it can only be copied.";
        team_room: "团队用量", "The team's images:";
        copy: "复制到…", "Copy to …";
        copy_aside: "直接在镜像仓库之间传送", "straight from registry to registry";
        copy_text: "复制按摘要进行：复制的就是上面显示的内容，全部到达后目标版本才可见。", "What is copied is exactly what stands above; the target's version shows only when all of it is there.";
        to_registry: "目标镜像仓库", "Target registry";
        to_repository: "目标仓库名", "Target repository";
        to_tag: "目标版本", "Target version";
        to_repository_hint: "小写字母、数字和 . _ - /，例如 stacks/nginx。", "Lower-case letters, digits and . _ - /, such as stacks/nginx.";
        to_tag_hint: "字母、数字和 . _ -，例如 1.22。", "Letters, digits and . _ -, such as 1.22.";
        copy_go: "复制", "Copy";
        no_target: "没有可写入的镜像仓库", "No registry takes images";
        from: "来源", "From";
        to: "目标", "To";
        how_far: "进度", "How far";
        state: "状态", "State";
        asked: "提交", "Asked for";
        took: "用时", "Took";
        by: "提交人", "By";
        stop: "停止", "Stop";
        again: "再次复制…", "Copy again …";
        tried_again: "暂时无法继续，会自动重试。", "It does not go on for now, and is tried again by itself.";
        refused: "没有完成，不会自动重试。目标中没有留下可见内容。", "It was not done and is not tried again by itself. Nothing of it shows at the target.";
        copies_lead: "镜像仓库之间的复制。", "Copies from registry to registry.";
        copies_none: "还没有复制过镜像", "Nothing has been copied yet";
        copies_none_text: "在镜像版本的页面上可以复制它。", "A version's page offers to copy it.";
        copies_filter: "仓库名、版本或提交人", "Repository, version or person";
        every_state: "全部状态", "Every state";
        blobs(at: &str, all: &str): "{at} / {all} 块", "blobs: {at} of {all}";
        already(n: &str): "其中 {n} 块已在目标", "of them there already: {n}";
        only_publisher: "仅平台管理员和中间件工程师可以操作。", "Only operators and middleware engineers can do this.";
        asked_done: "已提交，正在复制", "It is on its way";
        stop_done: "已停止", "It was stopped";
    }
}

impl Texts {
    /// The words about images.
    pub fn images(&self) -> &'static Images {
        static ZH: Images = Images::ZH;
        static EN: Images = Images::EN;
        self.pick(&ZH, &EN)
    }

    /// How far a copy is.
    pub fn copy_state(&self, s: CopyState) -> &'static str {
        match s {
            CopyState::Waiting => self.pick("等待中", "Waits"),
            CopyState::Running => self.pick("复制中", "On its way"),
            CopyState::Done => self.pick("已完成", "Done"),
            CopyState::Failed => self.pick("失败", "Failed"),
            CopyState::Cancelled => self.pick("已停止", "Stopped"),
        }
    }
}
