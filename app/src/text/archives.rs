//! Images as one file. Only the server says these words (`pages::written`), so they are no part
//! of [`super::Texts`], all of which the browser carries.

use super::{Texts, units};
use padis_domain::view::{ArchiveFault, CopyState};

area! {
    /// Images as one file.
    Archives {
        title: "导入", "Brought in";
        lead: "从文件导入的镜像。", "Images that were brought in as a file.";
        none: "还没有导入镜像", "Nothing was brought in yet";
        none_text: "在镜像列表或仓库的页面上可以导入 docker save 或 OCI 格式的文件。", "The list of images and the page of a repository take a file that docker save or an OCI tool has written.";
        no_hit: "没有符合条件的导入", "Nothing that was brought in matches";
        filter: "仓库名、标签、文件名或导入人", "Repository, tag, file or person";
        download: "下载镜像文件", "Download as an archive";
        download_hint: "docker load 和 OCI 工具都可读取。", "For docker load, and for OCI tools.";
        every_platform: "含所有平台", "all platforms";
        bring: "从文件导入镜像", "Bring in an image from a file";
        bring_aside: "docker save 或 OCI 格式的 tar，可用 gzip 压缩", "a tar of docker save or in OCI form, packed by gzip or not";
        registry: "镜像仓库", "Registry";
        repository: "仓库名", "Repository";
        repository_hint: "小写字母、数字和 . _ - /。", "Lower-case letters, digits and . _ - /.";
        below(all: &str): "须以此开头：{all}", "It begins with {all}";
        tag: "标签", "Tag";
        tag_hint: "留空则使用文件中的标签；文件含有多个镜像时，由它决定导入哪一个。", "Left empty, the one that the file names; of several images in the file it says which.";
        file: "文件", "File";
        file_hint(most: &str): "最大 {most}（解压后）。", "At most {most}, unpacked.";
        go: "导入", "Bring it in";
        done: "文件已收到，结果见列表。", "The file is here; the list says what becomes of it.";
        stop: "停止", "Stop";
        stop_done: "已停止", "It was stopped";
        to: "目标", "To";
        from_file: "文件", "File";
        tried_again: "暂时无法继续，会自动重试。", "It does not go on for now, and is tried again by itself.";
        not_here: "这里的主机不能运行它", "hosts here can't run it";
        named(name: &str): "文件中为 {name}", "in the file: {name}";
    }
}

impl Texts {
    /// The words about images as one file.
    pub fn archives(&self) -> &'static Archives {
        static ZH: Archives = Archives::ZH;
        static EN: Archives = Archives::EN;
        self.pick(&ZH, &EN)
    }

    /// How far one is that is brought in.
    pub fn archive_state(&self, s: CopyState) -> &'static str {
        match s {
            CopyState::Waiting => self.pick("等待中", "Waits"),
            CopyState::Running => self.pick("导入中", "On its way"),
            CopyState::Done => self.pick("已导入", "Is there"),
            CopyState::Failed => self.pick("未导入", "Not brought in"),
            CopyState::Cancelled => self.pick("已停止", "Stopped"),
        }
    }

    /// What is wrong with a file, and what to do.
    pub fn archive_fault(&self, f: &ArchiveFault) -> String {
        let pick = |zh: String, en: String| self.pick_with(|| zh, || en);
        match f {
            ArchiveFault::NotTar => pick(
                "这不是 tar 文件，也不是 gzip 压缩的 tar。请用 docker save 生成。".into(),
                "This is no tar, nor one packed by gzip. Make one by docker save.".into(),
            ),
            ArchiveFault::Truncated => pick(
                "文件不完整，中途结束。请重新生成并上传。".into(),
                "The file ends in the middle. Save it again, and send it again.".into(),
            ),
            ArchiveFault::TooLarge { limit } => {
                let limit = units::bytes(*limit);
                pick(format!("文件解压后超过 {limit}。"), format!("It has more than {limit}, unpacked."))
            }
            ArchiveFault::TooMany { limit } => {
                let limit = units::count(*limit);
                pick(
                    format!("条目超过 {limit} 个，不是镜像文件。"),
                    format!("It has more than {limit} entries: no image has."),
                )
            }
            ArchiveFault::Climbs { path } => pick(
                format!("文件中的路径指向文件之外：{path}。请不要使用这个文件。"),
                format!("A path in it leads out of it: {path}. Don't use this file."),
            ),
            ArchiveFault::Link { path } => pick(
                format!("文件中有不允许的链接或设备：{path}。"),
                format!("It holds a link or a device where a file has to be: {path}."),
            ),
            ArchiveFault::NoImage => pick(
                "文件中没有镜像：既没有 manifest.json，也没有 index.json。请用 docker save，不是 docker export。"
                    .into(),
                "No image is in it: neither manifest.json nor index.json. Use docker save, not docker export.".into(),
            ),
            ArchiveFault::Broken { name } => {
                pick(format!("无法读懂文件中的 {name}。"), format!("{name} in it is not understood."))
            }
            ArchiveFault::Missing { name } => pick(
                format!("镜像需要 {name}，文件中却没有。请重新生成。"),
                format!("The image names {name}, which is not in the file. Save it again."),
            ),
            ArchiveFault::Differs { name } => pick(
                format!("{name} 的内容与校验和不符，文件已损坏。请重新生成并上传。"),
                format!(
                    "The bytes of {name} are not those of its digest: the file is damaged. Save it again, and send it again."
                ),
            ),
            ArchiveFault::Bomb { name } => {
                pick(format!("{name} 解压后过大。"), format!("{name} unpacks to more than any layer may have."))
            }
            ArchiveFault::Foreign => pick(
                "镜像的基础层保存在别处（Windows），无法导入。".into(),
                "Its base is kept elsewhere (Windows), so it can't be brought in.".into(),
            ),
            ArchiveFault::Several { names } => {
                let names = names.join(", ");
                pick(
                    format!("文件含有多个镜像名：{names}。请重新上传，并填写其中一个的标签。"),
                    format!("The file holds several names: {names}. Send it again with the tag of the one you mean."),
                )
            }
            ArchiveFault::NoTag => pick(
                "文件没有标签。请重新上传并填写标签。".into(),
                "The file names no tag. Send it again with a tag.".into(),
            ),
            ArchiveFault::TagTaken { tag } => pick(
                format!("标签 {tag} 已经存在。请重新上传并填写另一个标签。"),
                format!("The tag {tag} exists already. Send it again with another one."),
            ),
            ArchiveFault::Lost => {
                pick("文件已不在服务器上。请重新上传。".into(), "The file is not here any more. Send it again.".into())
            }
            ArchiveFault::Registry { why } => {
                pick(format!("镜像仓库拒绝了它：{why}"), format!("The registry refused it: {why}"))
            }
        }
    }
}
