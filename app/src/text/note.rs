//! The evidence lines of a delivery and what a probe found, in words.

use super::{Texts, units};
use padis_domain::delivery::{Finding, Note, Step, StepState, StepView};
use padis_domain::view::Tried;
use padis_domain::words::UnixMs;

impl Texts {
    /// What a probe of the health page found.
    pub fn finding(&self, f: &Finding) -> String {
        match f {
            Finding::Well { status, ms } => {
                self.pick_with(|| format!("{ms} 毫秒返回 {status}"), || format!("answered {status} in {ms} ms"))
            }
            Finding::WrongText { expect, got } => {
                let got =
                    if got.is_empty() { self.pick("空内容", "nothing").to_owned() } else { format!("“{got}”") };
                self.pick_with(
                    || format!("应答{got}而不是“{expect}”"),
                    || format!("answered {got} instead of “{expect}”"),
                )
            }
            Finding::WrongStatus { status } => {
                self.pick_with(|| format!("返回状态 {status}"), || format!("answered with status {status}"))
            }
            Finding::Refused => self.pick("端口拒绝连接", "nothing listens on the port").to_owned(),
            Finding::TimedOut { ms } => {
                self.pick_with(|| format!("{ms} 毫秒内没有应答"), || format!("no answer within {ms} ms"))
            }
            Finding::Broken => self.pick("连接中断，或不是 HTTP", "the connection broke, or it is not HTTP").to_owned(),
            Finding::Unknown => self.pick("尚未检查", "not asked yet").to_owned(),
        }
    }

    /// What is wrong with a field, where it does not stand beside it.
    pub fn field_says(&self, label: &str, what: &str) -> String {
        self.pick_with(|| format!("{label}：{what}"), || format!("{label}: {what}"))
    }

    /// What a try of the health rule found: what it means, then what else is worth knowing.
    pub fn tried(&self, t: &Tried) -> (String, String) {
        let (at, ms, expect) = (&t.address, t.seen.ms, &t.expect);
        let slot = self.pick_with(|| format!("席位 {}（{at}）", t.slot), || format!("Slot {} ({at})", t.slot));
        let what = match (&t.seen.finding, t.seen.status.unwrap_or_default()) {
            (Finding::Well { .. }, status) if expect.is_empty() => self.pick_with(
                || format!("正常：{slot}用时 {ms} 毫秒，返回 {status}。"),
                || format!("Well: {slot} answered {status} after {ms} ms."),
            ),
            (Finding::Well { .. }, status) => self.pick_with(
                || format!("正常：{slot}用时 {ms} 毫秒，返回 {status}，内容包含“{expect}”。"),
                || format!("Well: {slot} answered {status} after {ms} ms, and “{expect}” is in it."),
            ),
            (Finding::WrongText { .. }, status) => self.pick_with(
                || format!("异常：{slot}用时 {ms} 毫秒，返回 {status}，但内容不包含“{expect}”。"),
                || format!("Not well: {slot} answered {status} after {ms} ms, but “{expect}” is not in it."),
            ),
            (Finding::WrongStatus { status }, _) => self.pick_with(
                || format!("异常：{slot}用时 {ms} 毫秒，返回 {status}；200 至 399 才算正常。"),
                || format!("Not well: {slot} answered {status} after {ms} ms; 200 to 399 would be well."),
            ),
            (f, _) => {
                let f = self.finding(f);
                self.pick_with(|| format!("异常：{slot}{f}。"), || format!("Not well: {slot}: {f}."))
            }
        };
        let rest = match &t.seen.location {
            Some(to) => self.pick_with(
                || format!("该页面跳转到 {to}；健康检查不跟随跳转。"),
                || format!("The page leads on to {to}; the check does not follow."),
            ),
            None => String::new(),
        };
        (what, rest)
    }

    /// A note in one sentence.
    pub fn note(&self, n: &Note, now: UnixMs) -> String {
        match n {
            Note::By { name } => name.clone(),
            Note::Held { cpu_milli, mem_mib, addresses } => {
                let (c, m, a) = (self.cpu(*cpu_milli), units::mib(*mem_mib), self.addresses(*addresses));
                self.pick_with(|| format!("{c}、{m}、{a}"), || format!("{c}, {m}, {a}"))
            }
            Note::Parts { release, stack, package } => format!("r{release} = {stack} + {package}"),
            Note::MarathonApp { id, instances } => format!("{id} × {instances}"),
            Note::Hosts { hosts } => {
                let h = self.list(hosts);
                self.pick_with(|| format!("位于 {h}"), || format!("on {h}"))
            }
            Note::Addresses { addresses } => self.list(addresses),
            Note::Count { done, of } => self.pick_with(|| format!("{done}/{of}"), || format!("{done} of {of}")),
            Note::Network { subnet, gateway, vlan } => {
                let v = vlan
                    .map_or_else(String::new, |v| self.pick_with(|| format!("VLAN {v}，"), || format!("VLAN {v}, ")));
                self.pick_with(|| format!("{v}{subnet}，网关 {gateway}"), || format!("{v}{subnet}, gateway {gateway}"))
            }
            Note::Answer { path, expect } if expect.is_empty() => {
                self.pick_with(|| format!("{path} 应答正常"), || format!("{path} answered well"))
            }
            Note::Answer { path, expect } => {
                self.pick_with(|| format!("{path} 应答“{expect}”"), || format!("{path} answered “{expect}”"))
            }
            Note::Members { members, backend } => {
                let n = self.some(u64::from(*members), "个成员", "member", "members");
                self.pick_with(|| format!("{backend} 中 {n}"), || format!("{n} in {backend}"))
            }
            Note::Resolves { name, address } => {
                self.pick_with(|| format!("{name} 解析为 {address}"), || format!("{name} is {address}"))
            }
            Note::FirstAnswer { status, ms, .. } => self.pick_with(
                || format!("通过域名，{ms} 毫秒返回 {status}"),
                || format!("{status} in {ms} ms, through the name"),
            ),
            Note::Told { record } => self.pick_with(|| format!("记录 {record}"), || format!("record {record}")),
            Note::Previous { release, leaving: 0 } => {
                self.pick_with(|| format!("r{release} 已退出"), || format!("r{release} has left"))
            }
            Note::Previous { release, leaving } => self.pick_with(
                || format!("r{release} 还有 {leaving} 个实例正在退出"),
                || format!("{leaving} of r{release} still leaving"),
            ),
            Note::NoHost { pool, cpu_milli, mem_mib, hosts, best_cpu_milli, best_mem_mib } => {
                let want = format!("{} · {}", self.cpu(*cpu_milli), units::mib(*mem_mib));
                let best = format!("{} · {}", self.cpu(*best_cpu_milli), units::mib(*best_mem_mib));
                self.pick_with(
                    || format!("{pool} 的 {hosts} 台主机中没有一台空闲 {want}，最多的一台剩 {best}。"),
                    || format!("No host in pool {pool} has {want} free; the best of {hosts} has {best}."),
                )
            }
            Note::NoAddress { pool } => {
                self.pick_with(|| format!("{pool} 没有空闲地址。"), || format!("No address is free in {pool}."))
            }
            Note::Sick { finding, address, path } => {
                let f = self.finding(finding);
                self.pick_with(|| format!("{address} 的 {path}：{f}。"), || format!("{path} on {address}: {f}."))
            }
            Note::Crashes { times, message, .. } => {
                let (how, n) = (self.ended("", message), self.times(*times));
                self.pick_with(
                    || format!("启动后很快结束，已 {n}：{how}。"),
                    || format!("It ends soon after its start, {n} so far: {how}."),
                )
            }
            Note::ImageGone { image } => self.pick_with(
                || format!("镜像 {image} 已不在仓库中。"),
                || format!("The image {image} is not in the registry."),
            ),
            Note::Unavailable { system, incident, next_try } => {
                let s = self.system(*system);
                let next = next_try.map_or_else(String::new, |at| {
                    let d = self.until(at, now);
                    self.pick_with(|| format!("{d}重试。"), || format!(" Next try {d}."))
                });
                self.pick_with(
                    || format!("{s}没有应答，系统会自动重试。{next}事件号 {incident}"),
                    || format!("No answer from {s}; we try again by ourselves.{next} Incident {incident}"),
                )
            }
            Note::Refused { system, reason, incident } => {
                let s = self.system(*system);
                self.pick_with(
                    || format!("{s}拒绝了请求：{reason}。事件号 {incident}"),
                    || format!("{s} refused: {reason}. Incident {incident}"),
                )
            }
        }
    }

    /// What to do about a note that stops a delivery; empty if nothing is to be done.
    pub fn note_next(&self, n: &Note) -> &'static str {
        match n {
            Note::NoHost { .. } => self.pick(
                "主机空出后会自动继续。也可以选择更小的规格，或向平台管理员申请扩容。",
                "It goes on by itself when a host has room. Or choose a smaller size, or ask an operator for more hosts.",
            ),
            Note::NoAddress { .. } => self.pick(
                "隔离中的地址到期后会自动继续，也可请平台管理员扩充子网。",
                "It goes on when a resting address is free again. Or ask an operator for a larger subnet.",
            ),
            Note::Sick { .. } => self.pick(
                "请查看日志；若健康检查页或期望文本填写有误，请在设置中修改。旧版本不受影响。",
                "Read the log. If the health page or its text is wrong, change it in the settings. The release before is not touched.",
            ),
            Note::Crashes { .. } => self.pick(
                "日志的最后几行通常写明原因。修正后上传新的应用包，或回退到上一版本。",
                "The last lines of its log usually say why. Upload a corrected package, or roll back.",
            ),
            Note::ImageGone { .. } => {
                self.pick("请选择其他中间件版本，或联系平台管理员恢复镜像。", "Choose another middleware version, or ask an operator to bring it back.")
            }
            Note::Unavailable { .. } => self.pick("无需操作。", "Nothing to do."),
            Note::Refused { .. } => {
                self.pick("请将事件号告知平台管理员，处理后可在此重试。", "Give the incident to an operator; then try again here.")
            }
            _ => "",
        }
    }

    /// Whom to ask about a note that stops a delivery; empty if nobody has to be asked.
    /// `by` submitted the release; `operators` as they can be addressed, may be empty.
    pub fn note_ask(&self, n: &Note, pool: &str, by: &str, operators: &[String]) -> String {
        let who = self.list(operators);
        match n {
            Note::Sick { .. } | Note::Crashes { .. } => self.pick_with(
                || format!("可询问：开发该应用的人员；此版本由 {by} 提交。"),
                || format!("Whom to ask: those who wrote the application; {by} submitted this release."),
            ),
            Note::NoHost { .. } | Note::NoAddress { .. } if operators.is_empty() => self.pick_with(
                || format!("可询问：资源池 {pool} 的平台管理员。"),
                || format!("Whom to ask: an operator of the platform, about pool {pool}."),
            ),
            Note::NoHost { .. } | Note::NoAddress { .. } => self.pick_with(
                || format!("可询问：资源池 {pool} 的平台管理员 {who}。"),
                || format!("Whom to ask: an operator of the platform, about pool {pool}: {who}."),
            ),
            Note::ImageGone { .. } | Note::Unavailable { .. } | Note::Refused { .. } if operators.is_empty() => {
                self.pick("可询问：平台管理员。", "Whom to ask: an operator of the platform.").to_owned()
            }
            Note::ImageGone { .. } | Note::Unavailable { .. } | Note::Refused { .. } => self.pick_with(
                || format!("可询问：平台管理员 {who}。"),
                || format!("Whom to ask: an operator of the platform: {who}."),
            ),
            _ => String::new(),
        }
    }

    /// What a step that waits is waiting for, as a short state.
    pub fn waits_for(&self, n: &Note) -> &'static str {
        match n {
            Note::NoHost { .. } => self.pick("等待主机", "Waits for a host"),
            Note::NoAddress { .. } => self.pick("等待地址", "Waits for an address"),
            Note::Sick { .. } => self.pick("等待健康检查通过", "Waits for its health page"),
            Note::Crashes { .. } => self.pick("反复退出", "Keeps ending"),
            Note::ImageGone { .. } => self.pick("镜像缺失", "Image missing"),
            Note::Unavailable { .. } => self.pick("等待外部系统", "Waits for a system"),
            Note::Refused { .. } => self.pick("被拒绝", "Was refused"),
            _ => self.pick("等待中", "Waiting"),
        }
    }

    /// A step's name as it stands on the rail: with its outcome, or the release that it is about.
    pub fn step_of(&self, s: &StepView) -> String {
        match (s.step, s.state, &s.note) {
            (Step::PreviousLeft, _, Some(Note::Previous { release, .. })) => {
                self.pick_with(|| format!("r{release} 退出"), || format!("r{release} steps aside"))
            }
            (Step::Healthy, StepState::Done, _) => self.pick("健康检查通过", "Healthy").to_owned(),
            (Step::Healthy, StepState::Failed, _) => self.pick("健康检查未通过", "Not healthy").to_owned(),
            _ => self.step(s.step).to_owned(),
        }
    }
}
