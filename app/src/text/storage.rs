//! Making room: bytes of a registry that are freed, and one version that is deleted by hand.
//! Only the server says these words (`pages::written`), so they are no part of
//! [`super::Texts`], all of which the browser carries.

use super::Texts;
use padis_domain::ports::CollectPhase;
use padis_domain::view::{CopyState, Stays};

area! {
    /// Bytes of a registry that are freed.
    Storage {
        title: "存储空间", "Storage";
        lead: "删除版本后，镜像仓库仍保留其数据；在这里释放不再有任何镜像使用的数据。期间可照常拉取和推送。", "A registry keeps the bytes of versions that were deleted; here those are freed that no image uses any more. Everybody pulls and pushes meanwhile.";
        go: "释放空间", "Free space";
        asked_done: "正在释放空间，进度见下。", "Space is being freed; how far it is stands below.";
        stop: "停止", "Stop";
        stop_done: "已停止，尚未删除的数据保持原样。", "It was stopped; what was not deleted by then stays as it is.";
        goes_on: "正在进行", "One goes on already";
        unreached: "Padis 访问不到这个镜像仓库的文件", "Padis does not reach the files of this registry";
        unreached_text: "请在它所在的机器上运行 registry garbage-collect（期间停止推送）；或把它的存储目录挂载到 Padis 所在的机器，并用设置 storage 指明（自身的镜像仓库为 registry.storage）。", "Run registry garbage-collect on its machine, while nobody pushes; or mount its folder of images where Padis runs and name it by the setting storage (of our own registry: registry.storage).";
        young(time: &str): "不足 {time} 的数据保留：它们的镜像可能正在上传。", "What is younger than {time} stays: its image may be on its way.";
        runs: "最近的结果", "What came of it";
        none: "还没有释放过空间。", "No space was freed here yet.";
        manifests(n: &str, all: &str): "已读取清单 {n} / {all}", "{n} of {all} manifests read";
        layers(n: &str, all: &str): "数据块 {n} / {all}", "{n} of {all} layers";
        freed(bytes: &str, n: &str): "已释放 {bytes}（{n} 个数据块）", "{bytes} freed, {n} layers";
        so_far(bytes: &str): "已释放 {bytes}", "{bytes} freed";
        of_all(n: &str, manifests: &str): "共有 {n} 个数据块，读取了 {manifests} 个清单", "there were {n}, and {manifests} manifests were read";
        kept_young(n: &str): "保留 {n} 个：太新，其镜像可能正在上传", "{n} kept: young, their image may be on its way";
        kept_named(n: &str): "保留 {n} 个：期间有镜像开始使用", "{n} kept: an image began to use them meanwhile";
        kept_remembered(n: &str): "保留 {n} 个：镜像仓库的缓存仍记得它们；关闭它的缓存（storage.cache）并重启后再释放", "{n} kept: the registry remembers them in its cache; turn that off (storage.cache), restart it, and free space again";
        kept_unclear(n: &str): "保留 {n} 个：可能属于无法读取的清单", "{n} kept: a manifest that can't be read may name them";
        unreadable(names: &str): "无法读取：{names}", "can't be read: {names}";
        foreign(n: &str): "{n} 个其他文件未动", "{n} files of others were left alone";
        uploads(n: &str): "{n} 个未完成的上传未动，镜像仓库会自行清理", "{n} unfinished uploads were left alone; the registry clears them itself";
        tried_again: "暂时无法继续，会自动重试。", "It does not go on for now, and is tried again by itself.";
    }
}

area! {
    /// One version that is deleted by hand.
    Deleting {
        title: "删除这个版本", "Delete this version";
        aside: "不可恢复", "it can't be brought back";
        what(name: &str): "将从镜像仓库删除 {name}。", "{name} is deleted from its registry.";
        with(tags: &str): "镜像仓库按摘要删除，指向同一摘要的版本会一起删除：{tags}", "A registry deletes by digest, so these versions of the same digest go with it: {tags}";
        alone: "没有其他版本指向同一摘要。", "No other version has the same digest.";
        bytes: "它占用的空间由“存储空间”页面释放。", "Its bytes are freed on the page Storage.";
        confirm(tag: &str): "输入 {tag} 以确认", "Type {tag} to confirm";
        go: "删除", "Delete";
        done: "正在删除", "It is being deleted";
        stays: "现在不能删除", "It can't be deleted now";
        not_may: "只有可以修改这个仓库的人能删除：公共仓库为平台管理员和中间件工程师，团队仓库为其成员。", "Those may who may change the repository: operators and middleware engineers, and of a team's repository its members.";
        not_taken: "这个镜像仓库只供查看，Padis 不能从中删除。", "This registry is only looked at; Padis deletes nothing there.";
    }
}

impl Texts {
    /// The words about bytes that are freed.
    pub fn storage(&self) -> &'static Storage {
        static ZH: Storage = Storage::ZH;
        static EN: Storage = Storage::EN;
        self.pick(&ZH, &EN)
    }

    /// The words about a version that is deleted.
    pub fn deleting(&self) -> &'static Deleting {
        static ZH: Deleting = Deleting::ZH;
        static EN: Deleting = Deleting::EN;
        self.pick(&ZH, &EN)
    }

    /// What a collection is at.
    pub fn collect_phase(&self, p: CollectPhase) -> &'static str {
        match p {
            CollectPhase::Read => self.pick("读取清单", "Reads what images use"),
            CollectPhase::Find => self.pick("查找无用的数据", "Looks for what none uses"),
            CollectPhase::Aside => self.pick("移到一旁", "Puts it aside"),
            CollectPhase::Check => self.pick("再次检查", "Checks once more"),
            CollectPhase::Delete => self.pick("删除", "Deletes"),
        }
    }

    /// How far a collection is.
    pub fn collect_state(&self, s: CopyState) -> &'static str {
        match s {
            CopyState::Waiting => self.pick("等待中", "Waits"),
            CopyState::Running => self.pick("进行中", "On its way"),
            CopyState::Done => self.pick("已完成", "Done"),
            CopyState::Failed => self.pick("未完成", "Could not be done"),
            CopyState::Cancelled => self.pick("已停止", "Stopped"),
        }
    }

    /// What to do about what keeps a version from being deleted.
    pub fn stays_until(&self, s: Stays) -> &'static str {
        match s {
            Stays::Used => self.pick(
                "把使用它的应用换到其他版本，直到不再能回退到它，或删除这些应用。",
                "Move the applications to another version until none can go back to it, or delete them.",
            ),
            Stays::Standard => self.pick("先在中间件页面停用它。", "Retire it on the page Middleware first."),
            Stays::Promotion => self.pick(
                "先对晋级作出决定、撤回或回退它。",
                "Decide about the promotion, take it back or roll it back first.",
            ),
            Stays::OnItsWay => {
                self.pick("等复制或工作台的启动结束，或停止它。", "Wait until that has ended, or stop it.")
            }
            Stays::Part => self.pick("先删除包含它的多平台版本。", "Delete the version for several platforms first."),
            Stays::Newest | Stays::Young => "",
        }
    }
}
