//! The journal's stable words in the reader's language. A word that is not known
//! here is shown as it stands: a row is never hidden for want of a translation.

use super::Texts;
use padis_domain::problem::System;

impl Texts {
    /// What was done, from the journal's stable word.
    pub fn journal_what(&self, word: &str) -> String {
        let (thing, verb) = word.split_once('.').unwrap_or(("", word));
        let things = self.journal_thing(thing);
        let verb = match verb {
            "create" => self.pick("创建", "created"),
            "put" | "set" => self.pick("设置", "set"),
            "update" | "change" => self.pick("修改", "changed"),
            "delete" => self.pick("删除", "deleted"),
            "release" => self.pick("发布", "released"),
            "roll-back" => self.pick("回退", "rolled back"),
            "scale" => self.pick("调整实例数", "scaled"),
            "restart" => self.pick("重启", "restarted"),
            "stop" => self.pick("停止", "stopped"),
            "start" => self.pick("启动", "started"),
            "configure" => self.pick("修改设置", "configured"),
            "replace" | "replaced" => self.pick("替换", "replaced"),
            "started" => self.pick("启动", "started"),
            "well" => self.pick("正常", "is well"),
            "died" => self.pick("意外结束", "died"),
            "left" => self.pick("退出", "left"),
            "gone" => self.pick("已清除", "is gone"),
            "stuck" => self.pick("受阻", "is stuck"),
            "password" => self.pick("更换密码", "password changed"),
            "gap" => self.pick("中断", "was silent"),
            "upload" => self.pick("上传", "uploaded"),
            "reserve" => self.pick("预留", "reserved"),
            "unreserve" | "free" => self.pick("解除预留", "freed"),
            "revoke" => self.pick("结束", "ended"),
            "out" => self.pick("停用", "taken out of service"),
            "back" => self.pick("恢复", "put back"),
            "retry" => self.pick("重试", "tried again"),
            "park" => self.pick("搁置", "parked"),
            "online" => self.pick("上线", "went online"),
            "copy" => self.pick("提交复制", "copy asked for"),
            "copied" => self.pick("复制完成", "copied"),
            "copy-failed" => self.pick("复制失败", "could not be copied"),
            "copy-stop" => self.pick("停止复制", "copy stopped"),
            "bring" => self.pick("提交导入", "to be brought in"),
            "brought" => self.pick("已导入", "brought in"),
            "bring-failed" => self.pick("未能导入", "could not be brought in"),
            "bring-stop" => self.pick("停止导入", "no longer brought in"),
            "keep-rule" => self.pick("按规则清理", "kept tidy by a rule"),
            "end-rule" => self.pick("停止按规则清理", "no longer kept tidy by a rule"),
            "collect" => self.pick("释放空间", "space to be freed"),
            "collected" => self.pick("空间已释放", "space freed"),
            "collect-failed" => self.pick("未能释放空间", "space could not be freed"),
            "collect-stop" => self.pick("停止释放空间", "freeing of space stopped"),
            "promote" => self.pick("申请晋级", "promotion asked for"),
            "approve" => self.pick("批准晋级", "promotion agreed to"),
            "refuse" => self.pick("拒绝晋级", "promotion refused"),
            "withdraw" => self.pick("撤回申请", "taken back"),
            "end" => self.pick("结束", "ended"),
            "commit" => self.pick("保存为新版本", "to be kept as a version"),
            "committed" => self.pick("已保存为新版本", "made in a workbench"),
            "build" => self.pick("提交构建", "to be built"),
            "built" => self.pick("已构建", "built"),
            "build-failed" => self.pick("构建失败", "could not be built"),
            "build-stop" => self.pick("停止构建", "build stopped"),
            "commit-failed" => self.pick("未能保存为新版本", "could not be kept"),
            "terminal" => self.pick("打开终端", "terminal opened"),
            "look-inside" => self.pick("读取内容", "to be read"),
            "mark" => self.pick("作出决定", "decided"),
            "sign-in" => return self.pick("登录", "Signed in").to_owned(),
            "sign-out" => return self.pick("退出登录", "Signed out").to_owned(),
            "sign-in-failed" => return self.pick("登录失败", "Sign-in failed").to_owned(),
            other => return if thing.is_empty() { other.to_owned() } else { word.to_owned() },
        };
        self.pick_with(|| format!("{things}：{verb}"), || format!("{things} {verb}"))
    }

    /// What a journal row's word is about: its first part.
    pub fn journal_thing<'a>(&self, thing: &'a str) -> &'a str {
        match thing {
            "app" => self.pick("应用", "Application"),
            "instance" => self.pick("实例", "Instance"),
            "package" => self.pick("应用包", "Package"),
            "image" => self.pick("镜像", "Image"),
            "registry" => self.pick("镜像仓库", "Registry"),
            "bench" => self.pick("工作台", "Workbench"),
            "recipe" => self.pick("构建配方", "Recipe"),
            "stack" => self.pick("中间件", "Middleware"),
            "pool" => self.pick("资源池", "Pool"),
            "host" => self.pick("主机", "Host"),
            "quota" => self.pick("配额", "Quota"),
            "address" | "addresses" => self.pick("地址", "Addresses"),
            "team" => self.pick("团队", "Team"),
            "person" => self.pick("账号", "Account"),
            "session" => self.pick("会话", "Session"),
            "stream" => self.pick("事件流", "Event stream"),
            "password" => self.pick("密码", "Password"),
            "work" => self.pick("工作", "Work"),
            "delivery" => self.pick("交付", "Delivery"),
            other => other,
        }
    }

    /// A system's name as it heads a row: without the article of a sentence.
    pub fn system_title(&self, s: System) -> &'static str {
        match s {
            System::Scheduler => self.pick("调度系统 Marathon", "Scheduler (Marathon)"),
            System::Cluster => self.pick("主机集群 Mesos", "Host cluster (Mesos)"),
            System::Docker => self.pick("容器引擎 Docker", "Container engine (Docker)"),
            System::Registry => self.pick("镜像仓库", "Image registry"),
            System::Network => self.pick("容器网络", "Container network"),
            System::Dns => self.pick("域名服务", "Name server"),
            System::Balancer => self.pick("负载均衡", "Load balancer"),
            System::Directory => self.pick("员工目录 LDAP", "Staff directory (LDAP)"),
            System::Database => self.pick("数据库", "Database"),
            System::Disk => self.pick("磁盘", "Disk"),
        }
    }
}
