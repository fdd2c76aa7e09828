//! Problems in words: what happened, why, and what to do next.

use super::{Texts, units};
use crate::context::Lang;
use padis_domain::Problem;
use padis_domain::package::PackageFault;
use padis_domain::problem::{NameFault, ValueFault};

/// A problem as it is shown.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Said {
    /// What happened, one sentence.
    pub what: String,
    /// Why and what to do next.
    pub next: String,
    /// The incident's id, if there is one to give to the service desk.
    pub incident: Option<String>,
}

impl Said {
    fn new(what: impl Into<String>, next: impl Into<String>) -> Self {
        Self { what: what.into(), next: next.into(), incident: None }
    }
    fn incident(mut self, id: &str) -> Self {
        self.incident = Some(id.to_owned());
        self
    }
    /// Both sentences in one, for the line under a field.
    pub fn line(&self) -> String {
        if self.next.is_empty() { self.what.clone() } else { format!("{} {}", self.what, self.next) }
    }
}

/// One of two pairs, by language; the other is not even built.
macro_rules! said {
    ($texts:expr, $zh:expr, $en:expr $(,)?) => {{
        let (what, next) = match $texts.language() {
            Lang::Zh => said!(@pair $zh),
            Lang::En => said!(@pair $en),
        };
        Said::new(what, next)
    }};
    (@pair ($what:expr, $next:expr $(,)?)) => { (String::from($what), $next) };
    (@pair $both:expr) => { (String::from($both.0), $both.1) };
}

impl Texts {
    /// How much of a registry a team's images take, of how much.
    pub fn room(&self, r: &padis_domain::view::TeamRoom) -> String {
        let of = |used: String, most: String, any: bool| if any { used } else { format!("{used} / {most}") };
        let versions = of(units::count(r.versions), units::count(r.most_versions), r.most_versions == 0);
        let bytes = of(units::bytes(r.bytes), units::bytes(r.most_bytes), r.most_bytes == 0);
        self.pick_with(|| format!("版本 {versions}，{bytes}"), || format!("versions {versions}, {bytes}"))
    }

    fn plain(&self, zh: (&str, &str), en: (&str, &str)) -> Said {
        said!(self, zh, en)
    }

    /// A problem in words.
    pub fn problem(&self, p: &Problem) -> Said {
        match p {
            Problem::NotSignedIn => {
                self.plain(("登录已失效。", "请重新登录。"), ("You are no longer signed in.", "Sign in again."))
            }
            Problem::NotAllowed { needs } => said!(self,
                (format!("您没有权限：需要“{}”角色。", self.needs(needs)), "请联系团队负责人或平台管理员。"),
                (format!("Only a {} may do this.", self.needs(needs)), "Ask your team's lead or an operator."),
            ),
            Problem::NotFound => self.plain(
                ("没有找到该内容。", "它可能已被删除，或属于其他团队。请检查地址，或使用搜索。"),
                ("There is nothing here.", "It may have been deleted, or it belongs to another team. Check the address or search for it."),
            ),
            Problem::SignInFailed => self.plain(
                ("账号或密码错误。", "请检查大小写和输入法后重试。"),
                ("Account or password is wrong.", "Check capital letters and the keyboard layout, then try again."),
            ),
            Problem::TooManyAttempts { retry_after_s } => said!(self,
                (format!("尝试次数过多，请在 {retry_after_s} 秒后重试。"), "这是为了防止他人猜测您的密码。"),
                (format!("Too many attempts. Try again in {retry_after_s} s."), "This keeps others from guessing your password."),
            ),
            Problem::NameTaken { name, .. } => said!(self,
                (format!("名称“{name}”已被使用。"), "请换一个名称。"),
                (format!("The name “{name}” is taken."), "Choose another one."),
            ),
            Problem::Field { field, fault } => self.fault(field, fault),
            Problem::Fields { problems } => {
                let n = self.some(problems.len() as u64, "处", "entry needs", "entries need");
                said!(self,
                    (format!("有 {n}需要修改。"), "每处的原因写在对应的输入框下方。"),
                    (format!("{n} a change."), "Each is explained beside its field."),
                )
            }
            Problem::OverQuota { pool, team, shortage } => {
                let (d, w, l) = (
                    self.dimension(shortage.dimension),
                    self.amount(shortage.dimension, shortage.wanted),
                    self.amount(shortage.dimension, shortage.left),
                );
                said!(self,
                    (format!("超出团队 {team} 在 {pool} 的配额：{d}还需 {w}，仅剩 {l}。"), "请减少实例数或规格，或向平台管理员申请更多配额。"),
                    (format!("Over the quota of team {team} in {pool}. {d}: {w} more wanted, {l} left."), "Take fewer or smaller instances, or ask an operator for more quota."),
                )
            }
            Problem::NoRoomForImages { room } => {
                let (team, used) = (&room.team, self.room(room));
                said!(self,
                    (format!("团队 {team} 的镜像没有空间了：{used}。"), "请先删除不再需要的版本，或联系平台管理员。"),
                    (format!("The images of team {team} have no room left: {used}."), "Delete versions that nobody needs, or ask an operator."),
                )
            }
            Problem::NoQuota { pool, team } => said!(self,
                (format!("团队 {team} 在 {pool} 没有配额。"), "请选择其他资源池，或向平台管理员申请配额。"),
                (format!("Team {team} has no quota in {pool}."), "Choose another pool or ask an operator for a quota."),
            ),
            Problem::NoHostLargeEnough { pool, best_cpu_milli, best_mem_mib } => {
                let best = format!("{} · {}", self.cpu(*best_cpu_milli), units::mib(*best_mem_mib));
                said!(self,
                    (format!("{pool} 中没有能容纳一个实例的主机，最大可用为 {best}。"), "请选择更小的规格或其他资源池。"),
                    (format!("No host of {pool} is large enough for one instance; the best has {best} free."), "Choose a smaller size or another pool."),
                )
            }
            Problem::NoFreeAddress { pool, free, soon } => said!(self,
                (format!("{pool} 的空闲地址不足：剩 {free} 个，另有 {soon} 个十分钟内结束隔离。"), "请减少实例数、稍后再试，或联系平台管理员扩充子网。"),
                (format!("{pool} has too few free addresses: {free} left, {soon} more within ten minutes."), "Take fewer instances, wait a little, or ask an operator for a larger subnet."),
            ),
            Problem::Package { fault } => self.package_fault(fault),
            Problem::PackageDoesNotFit { kind, stack } => said!(self,
                (format!("{stack} 不能运行 .{kind} 应用包。"), "请选择接收该类型的中间件，或上传其他应用包。"),
                (format!("{stack} does not take a .{kind} package."), "Choose a middleware that takes it, or upload another package."),
            ),
            Problem::StackGone { stack } => said!(self,
                (format!("中间件 {stack} 的镜像已不在仓库中。"), "请选择其他版本，或联系平台管理员恢复。"),
                (format!("The image of {stack} is no longer in the registry."), "Choose another version, or ask an operator to bring it back."),
            ),
            Problem::StackNotOffered { stack, stage, successor } => {
                let next = if successor.is_empty() {
                    self.pick("请选择其他版本。", "Choose another version.").to_owned()
                } else {
                    self.pick_with(|| format!("请改用 {successor}。"), || format!("Choose {successor} instead."))
                };
                let what = match stage {
                    Some(s) => {
                        let s = self.stage(*s);
                        self.pick_with(|| format!("{stack} 不用于{s}环境。"), || format!("{stack} is not for {s}."))
                    }
                    None => self.pick_with(|| format!("{stack} 已停止提供。"), || format!("{stack} is no longer offered.")),
                };
                Said::new(what, next)
            }
            Problem::ChangedMeanwhile { by, at, changes, .. } => {
                let n = self.change_count(changes.len());
                let at = super::clock::short_time(*at);
                said!(self,
                    (format!("{by} 已在 {at} 修改了该应用（{n}）。您的修改尚未保存。"), "请核对对方的修改，再次提交即以您的内容为准。"),
                    (format!("{by} changed this at {at} ({n}). Yours is not saved yet."), "Look at what changed, then submit again to apply yours on top."),
                )
            }
            Problem::NotNow { reason } => Said::new(self.reason(*reason), ""),
            Problem::NotReady => self.plain(
                ("检查项未全部通过。", "请看下面的列表。"),
                ("What is checked first does not hold any more.", "See the list below."),
            ),
            Problem::InUse { by } => said!(self,
                (format!("仍在使用中：{by}。"), "请先解除使用，再删除。"),
                (format!("Still in use by {by}."), "Take it out of use first, then delete it."),
            ),
            Problem::Unavailable { system, incident } => {
                let s = self.system(*system);
                said!(self,
                    (format!("{s}暂时没有应答。"), "已记录的内容不会丢失，系统会自动重试。持续出现时请将事件号告知平台管理员。"),
                    (format!("No answer from {s}."), "Nothing that was recorded is lost, Padis tries again by itself. If it stays, give the incident to an operator."),
                )
                .incident(incident)
            }
            Problem::DiskFull { need_bytes: 0, .. } => self.plain(
                ("磁盘空间已满，无法保存。", "已保存的内容没有丢失，本次操作没有生效。请联系平台管理员清理磁盘，然后重试。"),
                ("The disk is full, so nothing can be saved.", "What was saved before is not lost; this was not done. Ask an operator to make room, then try again."),
            ),
            Problem::DiskFull { free_bytes, need_bytes } => said!(self,
                (format!("磁盘空间不足：需要 {}，剩余 {}。", units::bytes(*need_bytes), units::bytes(*free_bytes)), "请删除不再使用的应用包，或联系平台管理员。"),
                (format!("The disk is full: {} needed, {} free.", units::bytes(*need_bytes), units::bytes(*free_bytes)), "Delete packages that nobody uses, or ask an operator."),
            ),
            Problem::Internal { incident } => self
                .plain(
                    ("这是 Padis 自身的错误。", "您的操作没有生效。请重试；若再次出现，请将事件号告知平台管理员。"),
                    ("This was a fault of Padis itself.", "Nothing of yours was changed. Try again; if it happens again, give the incident to an operator."),
                )
                .incident(incident),
        }
    }

    fn needs(&self, role: &str) -> &'static str {
        match role {
            "operator" => self.pick("平台管理员", "operator"),
            "other" => self.pick("申请人以外的人", "person other than who asked"),
            "engineer" => self.pick("中间件工程师", "middleware engineer"),
            "lead" => self.pick("团队负责人", "team lead"),
            "member" => self.pick("团队成员", "team member"),
            "owner" => self.pick("工作台的使用人", "person whose workbench it is"),
            _ => self.pick("更高权限", "person with more rights"),
        }
    }

    /// What is wrong with a field's value.
    pub fn fault(&self, field: &str, fault: &ValueFault) -> Said {
        match fault {
            ValueFault::Missing => match field {
                "package" => self.plain(
                    ("还没有应用包。", "请上传一个，或选择以前上传的。"),
                    ("There is no package yet.", "Upload one or choose an earlier one."),
                ),
                "stack" => {
                    self.plain(("还没有选择中间件。", "请选择一个。"), ("No middleware is chosen.", "Choose one."))
                }
                "pool" => self.plain(("还没有选择资源池。", "请选择一个。"), ("No pool is chosen.", "Choose one.")),
                "team" => self.plain(("还没有选择团队。", "请选择一个。"), ("No team is chosen.", "Choose one.")),
                _ => self.plain(("此项必填。", ""), ("This is needed.", "")),
            },
            ValueFault::Malformed => self
                .plain(("格式不正确。", "请参照提示填写。"), ("This does not have the right form.", "See the hint.")),
            ValueFault::OutOfRange { min, max } => said!(
                self,
                (format!("必须在 {min} 到 {max} 之间。"), ""),
                (format!("This must be from {min} to {max}."), ""),
            ),
            ValueFault::Unknown if field == "once" => self.plain(
                ("该页面已失效：打开太久，或已经提交过。", "请刷新页面，核对后再提交。"),
                (
                    "This page is out of date: it was open too long, or was sent already.",
                    "Load it again, look, and submit again.",
                ),
            ),
            ValueFault::Unknown => {
                self.plain(("该选项已不存在。", "请重新选择。"), ("This does not exist any more.", "Choose again."))
            }
            ValueFault::Overlaps { with } => said!(
                self,
                (format!("与 {with} 重叠。"), "请改用其他范围。"),
                (format!("This overlaps with {with}."), "Choose another range."),
            ),
            ValueFault::TooLong { max } => {
                let n = self.characters(*max);
                said!(self, (format!("最多 {n}。"), ""), (format!("At most {n}."), ""))
            }
            ValueFault::Name { fault } => self.name_fault(fault),
            ValueFault::NotConfirmed if field == "old" => self.plain(
                ("当前密码不正确。", "请检查大小写和键盘布局。"),
                ("This is not the present password.", "Check capital letters and the keyboard layout."),
            ),
            ValueFault::NotConfirmed if field == "again" => {
                self.plain(("两次输入的密码不一致。", "请重新输入。"), ("The two passwords differ.", "Type it again."))
            }
            ValueFault::NotConfirmed => self.plain(
                ("输入的名称不一致。", "请完整输入名称以确认。"),
                ("The typed name is not the same.", "Type the whole name to confirm."),
            ),
            ValueFault::EndsBeforeItBegins => self.plain(
                ("结束时间早于开始时间。", "请修改其中一个。"),
                ("The end lies before the beginning.", "Change one of the two."),
            ),
            ValueFault::Repeated => self.plain(
                ("同一名称出现了两次。", "请删除其中一个。"),
                ("The same name stands here twice.", "Remove one of them."),
            ),
        }
    }

    /// Which rule of a name is broken.
    pub fn name_fault(&self, f: &NameFault) -> Said {
        match f {
            NameFault::Empty => self.plain(("请填写名称。", ""), ("A name is needed.", "")),
            NameFault::TooLong { max } => {
                let n = self.characters(*max);
                said!(self, (format!("名称最多 {n}。"), ""), (format!("A name has at most {n}."), ""))
            }
            NameFault::Character { found } => said!(
                self,
                (format!("名称中不能有“{found}”。"), "只用小写字母、数字和连字符。"),
                (format!("“{found}” is not allowed here."), "Use lower-case letters, digits and hyphens."),
            ),
            NameFault::MustStartWithLetter => {
                self.plain(("名称必须以字母开头。", ""), ("A name starts with a letter.", ""))
            }
            NameFault::MustNotEndWithHyphen => {
                self.plain(("名称不能以连字符结尾。", ""), ("A name does not end with a hyphen.", ""))
            }
            NameFault::Reserved => self.plain(
                ("该名称由平台保留。", "请换一个。"),
                ("This name belongs to the platform.", "Choose another one."),
            ),
        }
    }

    /// Why a package is refused.
    pub fn package_fault(&self, f: &PackageFault) -> Said {
        let again = ("请重新构建后再上传。", "Build it again and upload the new file.");
        match f {
            PackageFault::Empty => said!(self, ("文件是空的。", again.0), ("The file is empty.", again.1)),
            PackageFault::NotAnArchive { looks_like } => said!(
                self,
                (
                    format!("这不是应用包，看起来是{}。", self.looks_like(looks_like)),
                    "请上传构建产出的 .war、.jar、.zip 或 .tar.gz。",
                ),
                (
                    format!("This is no application package; it looks like {}.", self.looks_like(looks_like)),
                    "Upload the .war, .jar, .zip or .tar.gz that your build produced.",
                ),
            ),
            PackageFault::Truncated => said!(
                self,
                ("文件不完整，在结尾之前就中断了。", again.0),
                ("The file ends before its end: it was cut off.", again.1),
            ),
            PackageFault::Corrupt { entry } => {
                let e = if entry.is_empty() { self.pick("目录", "its index").to_owned() } else { entry.clone() };
                said!(
                    self,
                    (format!("文件已损坏（{e}）。"), again.0),
                    (format!("The file is damaged (at {e})."), again.1),
                )
            }
            PackageFault::ClimbsOut { entry } => said!(
                self,
                (format!("包内路径“{entry}”指向包外，已拒绝。"), "请检查打包工具，包内只能使用相对路径。"),
                (
                    format!("The entry “{entry}” leads out of the archive, so it is refused."),
                    "Check the tool that packs it: only paths inside the archive are allowed.",
                ),
            ),
            PackageFault::Bomb { unpacked_bytes, limit_bytes } => said!(
                self,
                (
                    format!("解压后至少 {}，超过上限 {}。", units::bytes(*unpacked_bytes), units::bytes(*limit_bytes)),
                    "请去掉不需要的大文件。",
                ),
                (
                    format!(
                        "It would unpack to {} or more; the limit is {}.",
                        units::bytes(*unpacked_bytes),
                        units::bytes(*limit_bytes)
                    ),
                    "Take out large files that it does not need.",
                ),
            ),
            PackageFault::TooManyEntries { limit } => said!(
                self,
                (format!("包内文件超过 {} 个。", units::count(*limit)), "请去掉不需要的文件。"),
                (format!("It holds more than {} files.", units::count(*limit)), "Take out what it does not need."),
            ),
            PackageFault::TooLarge { limit_bytes } => said!(
                self,
                (format!("文件超过上限 {}。", units::bytes(*limit_bytes)), "请精简后再上传。"),
                (
                    format!("The file is larger than {}.", units::bytes(*limit_bytes)),
                    "Make it smaller and upload it again.",
                ),
            ),
            PackageFault::Encrypted => self.plain(
                ("文件已加密。", "请上传未加密的应用包。"),
                ("The archive is encrypted.", "Upload it without a password."),
            ),
            PackageFault::Special { entry } => said!(
                self,
                (format!("包内“{entry}”是链接或设备文件，无法提供服务。"), "请改为普通文件。"),
                (format!("“{entry}” is a link or a device and can't be served."), "Pack plain files only."),
            ),
            PackageFault::NoIndexPage => self.plain(
                ("网站中没有 index.html。", "请将首页放在包的根目录或唯一的顶层文件夹中。"),
                (
                    "The site has no index.html.",
                    "Put the start page at the top of the archive or into its only folder.",
                ),
            ),
            PackageFault::NoMainClass => self.plain(
                ("该 .jar 没有声明启动类。", "请使用可执行 jar（清单中含 Main-Class）。"),
                ("This .jar does not say what to start.", "Build an executable jar, with Main-Class in its manifest."),
            ),
            PackageFault::ChecksumDiffers => self.plain(
                ("校验值与文件不一致，传输中有损坏。", "请重新上传。"),
                ("The checksum is not the file's own: it was damaged on the way.", "Upload it again."),
            ),
        }
    }

    fn looks_like(&self, s: &str) -> String {
        match s {
            "elf" => self.pick("Linux 程序", "a Linux program").into(),
            "pdf" => self.pick("PDF 文档", "a PDF document").into(),
            "html" => self.pick("单个网页", "a single web page").into(),
            "text" => self.pick("文本文件", "a text file").into(),
            "rar" => self.pick("RAR 压缩包", "a RAR archive").into(),
            "7z" => self.pick("7-Zip 压缩包", "a 7-Zip archive").into(),
            "exe" => self.pick("Windows 程序", "a Windows program").into(),
            "png" | "jpeg" | "gif" => self.pick("图片", "a picture").into(),
            "unknown" | "" => self.pick("未知格式", "something unknown").into(),
            other => self.pick_with(|| format!(" {other} 文件"), || format!("a file of type {other}")),
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::text::EN;
    use padis_domain::problem::ValueFault;

    #[test]
    fn a_wrong_password_is_not_called_a_name() {
        for field in ["old", "again"] {
            let said = EN.fault(field, &ValueFault::NotConfirmed).line();
            assert!(said.contains("password") && !said.contains("name"), "{field}: {said}");
        }
        assert!(EN.fault("confirm", &ValueFault::NotConfirmed).line().contains("name"));
    }
}
