//! The cluster's page. Only the server says these words (`pages::written`), so they
//! are no part of [`super::Texts`], all of which the browser carries.

use super::{Texts, units};
use padis_domain::ports::Amounts;
use padis_domain::view::AgentState;

area! {
    /// The cluster's page.
    Cluster {
        lead: "Mesos 集群最近一次查看的结果：主机、角色与框架。", "The Mesos cluster as last looked at: hosts, roles, frameworks.";
        up: "正常", "Answers";
        down: "没有应答", "Does not answer";
        down_title: "集群没有应答", "The cluster does not answer";
        down_text(for_long: &str, why: &str): "已持续 {for_long}，下面是此前的数据。{why}", "For {for_long}; what stands below is from before. {why}";
        never: "尚未查看集群", "The cluster has not been looked at yet";
        never_text: "Padis 每隔几秒查看一次，结果会显示在这里。", "Padis looks every few seconds; what it finds stands here.";
        leader(at: &str): "主节点 {at}", "leader {at}";
        leads: "任职已", "leads for";
        version(v: &str): "Mesos {v}", "Mesos {v}";
        seen: "查看于", "looked at";
        sum(cpu: &str, cpus: &str, mem: &str, mems: &str): "已用 {cpu}，共 {cpus}；内存已用 {mem}，共 {mems}", "{cpu} of {cpus} and {mem} of {mems} are used";
        given_up(hosts: &str): "主节点因长时间失联已放弃 {hosts}，不在列表中。", "The master has given up {hosts} that it did not hear; they are in no list.";
        agents: "主机", "Hosts";
        roles: "角色", "Roles";
        frameworks: "框架", "Frameworks";
        agents_filter: "名称、标签、地址、版本或角色", "Name, label, address, version or role";
        roles_filter: "角色名", "Name of a role";
        frameworks_filter: "名称、ID、身份或角色", "Name, id, principal or role";
        every_state: "全部状态", "Every state";
        no_hit: "没有符合条件的结果", "Nothing matches";
        no_hit_text: "请减少筛选条件。", "Try with less in the filter.";
        none_agents: "集群中没有主机", "There is no host in the cluster";
        none_agents_text: "主机上的 Mesos agent 注册后会显示在这里。", "A host stands here once its Mesos agent has registered.";
        none_roles: "没有角色", "There is no role";
        none_roles_text: "有框架注册或为角色预留资源后会显示在这里。", "A role stands here once a framework uses it or something is reserved for it.";
        none_frameworks: "没有框架", "There is no framework";
        none_frameworks_text: "Marathon 注册后会显示在这里。", "Marathon stands here once it has registered.";
        agent: "主机", "Host";
        labels: "标签", "Labels";
        memory: "内存", "Memory";
        disk: "磁盘", "Disk";
        gpu: "GPU", "GPU";
        ports: "端口", "Ports";
        tasks: "任务", "Tasks";
        registered: "注册", "Registered";
        returned: "重新注册", "Came back";
        reserved_short(v: &str): "预留 {v}", "{v} reserved";
        used_of(what: &str, used: &str, total: &str): "{what}：已用 {used}，共 {total}", "{what}: {used} of {total} used";
        not_told: "未提供", "not told";
        away_text: "主节点任职以来它还没有回来，因此只知道名称。", "It has not come back since the master leads, so no more than its name is known.";
        whole: "资源明细", "All that it has";
        what: "项目", "What";
        total: "总量", "In all";
        used: "已用", "Used by tasks";
        free_for_all: "未预留", "Reserved for nobody";
        reserved_for(role: &str): "为 {role} 预留", "Reserved for {role}";
        id: "ID", "Id";
        address: "地址", "Address";
        mesos: "Mesos 版本", "Mesos version";
        domain: "地域与可用区", "Region and zone";
        domain_none: "未设置", "none set";
        port_ranges: "端口范围", "Its ports";
        none: "无", "none";
        role: "角色", "Role";
        weight: "权重", "Weight";
        quota: "配额", "Quota";
        guarantee(v: &str): "保证 {v}", "at least {v}";
        limit(v: &str): "上限 {v}", "at most {v}";
        quota_none: "未设置", "none set";
        quota_untold: "此版本不提供", "this version does not tell";
        reserved: "预留", "Reserved";
        used_by_role: "已用", "Used";
        used_untold: "此版本不提供", "this version does not tell";
        untold_title: "主节点没有提供角色列表", "The master does not tell its roles";
        untold_text(why: &str): "只显示为角色预留的资源。{why}", "Only what is reserved for them is shown. {why}";
        framework: "框架", "Framework";
        ours: "Padis 使用", "Padis' own";
        principal: "身份", "Principal";
        no_principal: "未声明", "says nothing";
        active: "已连接", "Connected";
        inactive: "已连接，不接收资源", "Connected, gets no offers";
        gone: "已断开", "Not connected";
        unreachable(n: &str): "其中 {n} 失联", "and {n} not heard";
    }
}

impl Texts {
    /// The words of the cluster's page.
    pub fn cluster(&self) -> &'static Cluster {
        static ZH: Cluster = Cluster::ZH;
        static EN: Cluster = Cluster::EN;
        self.pick(&ZH, &EN)
    }

    /// How an agent is.
    pub fn agent_state(&self, s: AgentState) -> &'static str {
        match s {
            AgentState::Working => self.pick("接收任务", "Takes work"),
            AgentState::Heard => self.pick("有应答", "Heard"),
            AgentState::Closed => self.pick("已关闭", "Closed"),
            AgentState::Draining => self.pick("正在腾空", "Being emptied"),
            AgentState::Empty => self.pick("已停用，已腾空", "Out of service, empty"),
            AgentState::Silent => self.pick("失联", "Not heard"),
        }
    }

    /// CPUs of a cluster: past 1,000 only whole ones.
    pub fn cpus(&self, milli: u64) -> String {
        if milli < 1_000_000 {
            self.cpu(milli)
        } else {
            format!("{} {}", units::count(milli / 1000), self.pick("CPU", "CPUs"))
        }
    }

    /// MiB of a cluster: past 1,024 GiB in TiB.
    pub fn much(mib: u64) -> String {
        const TIB: u64 = 1024 * 1024;
        if mib < TIB { units::mib(mib) } else { format!("{} TiB", units::fixed(mib as f64 / TIB as f64, 1)) }
    }

    /// `2 CPUs · 512 MiB · disk 1 GiB · 10 ports`: what there is of each, and nothing of
    /// what there is none of.
    pub fn amounts(&self, a: Amounts) -> String {
        let c = self.cluster();
        let disk = Self::much(a.disk_mib);
        let parts = [
            (a.cpu_milli > 0).then(|| self.cpus(a.cpu_milli)),
            (a.mem_mib > 0).then(|| Self::much(a.mem_mib)),
            (a.disk_mib > 0).then(|| self.pick_with(|| format!("磁盘 {disk}"), || format!("disk {disk}"))),
            (a.gpu_milli > 0).then(|| format!("{} GPU", units::cores(a.gpu_milli))),
            (a.ports > 0).then(|| self.some(a.ports, "个端口", "port", "ports")),
        ];
        let told: Vec<String> = parts.into_iter().flatten().collect();
        if told.is_empty() { c.none.to_owned() } else { told.join(" · ") }
    }

    /// The same of thousandths by Mesos' own name of each resource.
    pub fn caps<'a>(&self, caps: impl IntoIterator<Item = (&'a String, &'a u64)>) -> String {
        let one = |(name, milli): (&String, &u64)| match name.as_str() {
            "cpus" => self.cpus(*milli),
            "mem" => Self::much(milli / 1000),
            "disk" => {
                let disk = Self::much(milli / 1000);
                self.pick_with(|| format!("磁盘 {disk}"), || format!("disk {disk}"))
            }
            "gpus" => format!("{} GPU", units::cores(*milli)),
            other => format!("{other} {}", units::cores(*milli)),
        };
        caps.into_iter().map(one).collect::<Vec<_>>().join(" · ")
    }
}
