//! What happened to an application, as a headline and its cause.

use super::Texts;
use crate::ui::Shape;
use padis_domain::action::Action;
use padis_domain::view::Event;

/// An event in words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Told {
    /// Shape of the mark.
    pub shape: Shape,
    /// What happened.
    pub what: String,
    /// Why; may be empty.
    pub why: String,
}

impl Texts {
    /// An event in words.
    pub fn event(&self, e: &Event) -> Told {
        let told = |shape, what: String, why: String| Told { shape, what, why };
        match e {
            Event::Did { by, action, changes } => {
                let what = match Action::parse(action) {
                    Some(a) => self.action(a).to_owned(),
                    None if action == "create" => self.pick("新建应用", "Created the application").to_owned(),
                    None => action.clone(),
                };
                told(
                    Shape::Plain,
                    self.pick_with(|| format!("{by}：{what}"), || format!("{by}: {what}")),
                    self.changes(changes),
                )
            }
            Event::Started { slot, release, host, address } => told(
                Shape::Run,
                self.pick_with(
                    || format!("席位 {slot} 启动 r{release}，位于 {host}"),
                    || format!("Slot {slot} started r{release} on {host}"),
                ),
                address
                    .as_ref()
                    .map_or_else(String::new, |a| self.pick_with(|| format!("地址 {a}"), || format!("Address {a}"))),
            ),
            Event::Well { slot, release, address } => told(
                Shape::Ok,
                self.pick_with(
                    || format!("席位 {slot} 的 r{release} 正常"),
                    || format!("Slot {slot} is well with r{release}"),
                ),
                self.pick_with(
                    || format!("{address} 已加入负载均衡"),
                    || format!("{address} takes requests from the balancer"),
                ),
            ),
            Event::Replaced { slot, release, finding, times } => {
                let f = self.finding(finding);
                told(
                    Shape::Warn,
                    self.pick_with(
                        || format!("席位 {slot} 的 r{release} 被替换"),
                        || format!("Slot {slot} of r{release} was replaced"),
                    ),
                    self.pick_with(
                        || format!("健康检查页 {times} 次{f}。已先退出负载均衡，无需人工处理。"),
                        || {
                            let n = match times {
                                1 => "once".to_owned(),
                                2 => "twice".to_owned(),
                                3 => "three times".to_owned(),
                                n => format!("{n} times"),
                            };
                            format!("The health page: {f}, {n}. It left the balancer first; nobody has to do anything.")
                        },
                    ),
                )
            }
            Event::Died { slot, release, state, message, host } => {
                let s = slot.map_or_else(String::new, |s| {
                    self.pick_with(|| format!("席位 {s} 的 "), || format!(" in slot {s}"))
                });
                told(
                    Shape::Bad,
                    self.pick_with(
                        || format!("{s}r{release} 的一个实例意外结束"),
                        || format!("An instance of r{release}{s} ended unexpectedly"),
                    ),
                    {
                        let how = self.ended(state, message);
                        self.pick_with(
                            || format!("{host} 上，{how}。已自动补上新实例。"),
                            || format!("On {host} {how}. A replacement is started by itself."),
                        )
                    },
                )
            }
            Event::Left { slot, release, drained, host } => told(
                Shape::Leave,
                self.pick_with(
                    || format!("席位 {slot} 的 r{release} 退出"),
                    || format!("Slot {slot} of r{release} left"),
                ),
                match host {
                    Some(h) => self.pick_with(
                        || format!("主机 {h} 停用，另一台主机上会启动新的实例"),
                        || format!("Its host {h} is taken out of service; another one takes its place elsewhere"),
                    ),
                    None if *drained => self
                        .pick(
                            "先退出负载均衡，处理完已有请求后停止",
                            "Out of the balancer first, its requests finished, then stopped",
                        )
                        .to_owned(),
                    None => self.pick("未等到全部请求结束", "Not all of its requests could be finished").to_owned(),
                },
            ),
            Event::Online { release, took_ms } => {
                let c = super::clock::stopwatch(*took_ms as i64);
                told(
                    Shape::Ok,
                    self.pick_with(|| format!("r{release} 上线"), || format!("r{release} is online")),
                    self.pick_with(|| format!("用时 {c}"), || format!("after {c}")),
                )
            }
            Event::Stuck { release, step, note } => {
                let step = self.step(*step);
                told(
                    Shape::Bad,
                    self.pick_with(
                        || format!("r{release} 停在“{step}”"),
                        || format!("r{release} did not get past “{step}”"),
                    ),
                    self.note(note, 0),
                )
            }
            Event::Released { kind, what } => told(
                Shape::Free,
                self.pick_with(
                    || format!("归还{} {what}", self.claim_kind(kind)),
                    || format!("Gave back the {} {what}", self.claim_kind(kind)),
                ),
                String::new(),
            ),
            Event::Gap { from, to, found, .. } => {
                let (a, b) = (super::clock::clock_time(*from), super::clock::clock_time(*to));
                let found = found.filter(|f| f.instances > 0).map(|f| self.instances(u64::from(f.instances)));
                told(
                    Shape::Warn,
                    self.pick_with(
                        || format!("{a} 至 {b} 没有收到事件"),
                        || format!("No events were heard from {a} to {b}"),
                    ),
                    match found {
                        Some(n) => self.pick_with(
                            || format!("事件流中断。之后核对发现 {n}有变化，其原因可能缺失。"),
                            || format!("The event stream was silent. The look after it found {n} changed; why may be unknown."),
                        ),
                        None => self
                            .pick(
                                "事件流中断。状态已重新核对，这段时间的原因可能缺失。",
                                "The event stream was silent. The state was read anew; causes of that time may be missing.",
                            )
                            .to_owned(),
                    },
                )
            }
        }
    }

    /// How a container ended, in plain words, from the state and the message that
    /// Mesos has for it. What is not known here is said as it stands.
    pub fn ended(&self, state: &str, message: &str) -> String {
        let message = message.trim_end_matches('.');
        let status = message.rsplit_once("exited with status ").and_then(|(_, n)| n.parse::<u32>().ok());
        if message.contains("memory limit") {
            return self.pick("进程用完了规格内的内存", "its process used up the memory of its size").to_owned();
        }
        match status {
            Some(0) => self.pick("进程自行正常退出", "its process ended by itself, without a fault").to_owned(),
            // A shell's way to say "ended by signal n": 128 + n.
            Some(137) => {
                self.pick("进程被外部强制结束（SIGKILL）", "its process was killed from outside (SIGKILL)").to_owned()
            }
            Some(143) => self
                .pick("进程被外部要求结束（SIGTERM）", "its process was asked to end from outside (SIGTERM)")
                .to_owned(),
            Some(n) => self.pick_with(
                || format!("进程自行退出，状态码 {n}"),
                || format!("its process ended by itself with status {n}"),
            ),
            None if message.is_empty() => {
                self.pick_with(|| format!("没有报告原因（{state}）"), || format!("no cause was reported ({state})"))
            }
            None if state.is_empty() => message.to_owned(),
            None => self.pick_with(|| format!("报告 {state}：{message}"), || format!("{state}: {message}")),
        }
    }

    /// What kind of thing is held.
    pub fn claim_kind(&self, kind: &str) -> String {
        match kind {
            "address" => self.pick("地址", "address"),
            "attachment" => self.pick("网络接入", "network attachment"),
            "name" => self.pick("域名", "name"),
            "service" => self.pick("负载均衡服务", "balancer service"),
            "member" => self.pick("负载均衡成员", "balancer member"),
            "record" => self.pick("CMDB 记录", "CMDB record"),
            "monitor" => self.pick("监控主机", "monitored host"),
            other => other,
        }
        .to_owned()
    }
}

#[cfg(test)]
mod tests {
    use crate::text::{EN, ZH};

    #[test]
    fn an_end_is_told_in_plain_words_and_nothing_is_hidden() {
        let (en, zh) = (&EN, &ZH);
        let killed = "Container exited with status 137";
        assert_eq!(en.ended("TASK_FAILED", killed), "its process was killed from outside (SIGKILL)");
        assert_eq!(zh.ended("TASK_FAILED", killed), "进程被外部强制结束（SIGKILL）");
        assert_eq!(
            en.ended("TASK_FAILED", "Command exited with status 1"),
            "its process ended by itself with status 1"
        );
        let oom = "Container exceeded its memory limit and exited with status 137";
        assert_eq!(zh.ended("TASK_FAILED", oom), "进程用完了规格内的内存");
        assert_eq!(en.ended("TASK_LOST", "Agent was removed."), "TASK_LOST: Agent was removed");
        assert_eq!(en.ended("TASK_GONE", ""), "no cause was reported (TASK_GONE)");
    }
}
