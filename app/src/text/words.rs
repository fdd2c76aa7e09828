//! The words of the closed vocabularies: states, steps, stages, roles, systems.
//! Each `match` is exhaustive, so a new value does not compile without its words.

use super::Texts;
use crate::ui::Shape;
use padis_domain::action::{Action, AppState, Reason};
use padis_domain::delivery::{Step, StepState};
use padis_domain::package::PackageKind;
use padis_domain::problem::System;
use padis_domain::view::{DeliveryState, InstanceState};
use padis_domain::words::{PlatformRole, Stage, TeamRole, Zone};

/// The shape and colour of an application's state.
pub fn app_shape(s: AppState) -> Shape {
    match s {
        AppState::Online => Shape::Ok,
        AppState::Delivering => Shape::Run,
        AppState::Degraded => Shape::Warn,
        AppState::Failing => Shape::Bad,
        AppState::Waiting => Shape::Wait,
        AppState::Stopped => Shape::Off,
        AppState::Stopping | AppState::Deleting => Shape::Leave,
    }
}
/// The shape and colour of an instance's state.
pub fn instance_shape(s: InstanceState) -> Shape {
    match s {
        InstanceState::Starting | InstanceState::Attaching | InstanceState::Warming => Shape::Run,
        InstanceState::Well => Shape::Ok,
        InstanceState::Sick => Shape::Bad,
        InstanceState::Leaving => Shape::Leave,
        InstanceState::Lost => Shape::Warn,
    }
}
/// The shape and colour of a delivery's state.
pub fn delivery_shape(s: DeliveryState) -> Shape {
    match s {
        DeliveryState::Running => Shape::Run,
        DeliveryState::Waiting => Shape::Wait,
        DeliveryState::Online => Shape::Ok,
        DeliveryState::Failed => Shape::Bad,
        DeliveryState::GivenUp => Shape::Off,
    }
}
/// The shape and colour of a step's state.
pub fn step_shape(s: StepState) -> Shape {
    match s {
        StepState::Pending => Shape::Wait,
        StepState::Running => Shape::Run,
        StepState::Waiting => Shape::Warn,
        StepState::Done => Shape::Ok,
        StepState::Failed => Shape::Bad,
        StepState::Skipped => Shape::Off,
    }
}

impl Texts {
    /// An application's state.
    pub fn app_state(&self, s: AppState) -> &'static str {
        match s {
            AppState::Online => self.pick("在线", "Online"),
            AppState::Delivering => self.pick("交付中", "Delivering"),
            AppState::Degraded => self.pick("部分异常", "Partly down"),
            AppState::Failing => self.pick("无应答", "Not answering"),
            AppState::Waiting => self.pick("等待中", "Waiting"),
            AppState::Stopped => self.pick("已停止", "Stopped"),
            AppState::Stopping => self.pick("停止中", "Stopping"),
            AppState::Deleting => self.pick("删除中", "Deleting"),
        }
    }
    /// An instance's state.
    pub fn instance_state(&self, s: InstanceState) -> &'static str {
        match s {
            InstanceState::Starting => self.pick("启动中", "Starting"),
            InstanceState::Attaching => self.pick("接入网络", "Attaching"),
            InstanceState::Warming => self.pick("等待首次应答", "Warming up"),
            InstanceState::Well => self.pick("正常", "Well"),
            InstanceState::Sick => self.pick("异常", "Sick"),
            InstanceState::Leaving => self.pick("退出中", "Leaving"),
            InstanceState::Lost => self.pick("失联", "Not heard"),
        }
    }
    /// A delivery's state.
    pub fn delivery_state(&self, s: DeliveryState) -> &'static str {
        match s {
            DeliveryState::Running => self.pick("交付中", "Delivering"),
            DeliveryState::Waiting => self.pick("等待中", "Waiting"),
            DeliveryState::Online => self.pick("已上线", "Online"),
            DeliveryState::Failed => self.pick("失败", "Failed"),
            DeliveryState::GivenUp => self.pick("已放弃", "Given up"),
        }
    }
    /// A step of a delivery.
    pub fn step(&self, s: Step) -> &'static str {
        match s {
            Step::Submitted => self.pick("已提交", "Submitted"),
            Step::QuotaHeld => self.pick("占用配额", "Quota held"),
            Step::Recorded => self.pick("记录版本", "Release recorded"),
            Step::Asked => self.pick("申请实例", "Instances asked for"),
            Step::Running => self.pick("开始运行", "Running"),
            Step::Allocated => self.pick("分配地址", "Address allocated"),
            Step::Attached => self.pick("接入网络", "Attached to the network"),
            Step::Healthy => self.pick("健康检查", "Healthy"),
            Step::Balanced => self.pick("加入负载均衡", "In the balancer"),
            Step::Named => self.pick("域名生效", "Name resolves"),
            Step::Told => self.pick("登记 CMDB 与监控", "CMDB and monitor told"),
            Step::Answered => self.pick("首次正常应答", "First good answer"),
            Step::PreviousLeft => self.pick("旧版本退出", "Previous release leaves"),
        }
    }
    /// A step's state, for those who don't see the shape.
    pub fn step_state(&self, s: StepState) -> &'static str {
        match s {
            StepState::Pending => self.pick("未开始", "not begun"),
            StepState::Running => self.pick("进行中", "running"),
            StepState::Waiting => self.pick("等待中", "waiting"),
            StepState::Done => self.pick("完成", "done"),
            StepState::Failed => self.pick("失败", "failed"),
            StepState::Skipped => self.pick("无需执行", "not needed"),
        }
    }
    /// A stage.
    pub fn stage(&self, s: Stage) -> &'static str {
        match s {
            Stage::Dev => self.pick("开发", "Dev"),
            Stage::Test => self.pick("测试", "Test"),
            Stage::Prod => self.pick("生产", "Prod"),
        }
    }
    /// What a zone is for.
    pub fn zone(&self, z: Zone) -> &'static str {
        match z {
            Zone::Web => self.pick("公司内网，员工通过域名访问", "Inside the company: staff reach it by name"),
            Zone::Dmz => self.pick("面向公众与合作方", "Public and partners"),
            Zone::Sf => self.pick("应用逻辑区，可访问数据库", "Application logic: reaches databases"),
            Zone::Db => self.pick("数据库区", "Databases"),
        }
    }
    /// A zone's short name.
    pub fn zone_short(&self, z: Zone) -> &'static str {
        match z {
            Zone::Web => self.pick("内网区 WEB", "WEB, internal"),
            Zone::Dmz => self.pick("隔离区 DMZ", "DMZ, public"),
            Zone::Sf => self.pick("应用区 SF", "SF, application logic"),
            Zone::Db => self.pick("数据库区 DB", "DB, databases"),
        }
    }
    /// A role in a team.
    pub fn team_role(&self, r: TeamRole) -> &'static str {
        match r {
            TeamRole::Member => self.pick("成员", "Member"),
            TeamRole::Lead => self.pick("负责人", "Lead"),
        }
    }
    /// A role on the platform.
    pub fn platform_role(&self, r: PlatformRole) -> &'static str {
        match r {
            PlatformRole::Operator => self.pick("平台管理员", "Operator"),
            PlatformRole::Auditor => self.pick("审计员", "Auditor"),
            PlatformRole::Engineer => self.pick("中间件工程师", "Middleware engineer"),
        }
    }
    /// A kind of package.
    pub fn package_kind(&self, k: PackageKind) -> &'static str {
        match k {
            PackageKind::War => self.pick("Web 应用（.war）", "Web application (.war)"),
            PackageKind::Jar => self.pick("可执行程序（.jar）", "Program that starts by itself (.jar)"),
            PackageKind::Zip => self.pick("网站（.zip）", "Web site (.zip)"),
            PackageKind::TarGz => self.pick("网站（.tar.gz）", "Web site (.tar.gz)"),
        }
    }
    /// A system behind the portal.
    pub fn system(&self, s: System) -> &'static str {
        match s {
            System::Scheduler => self.pick("调度系统", "the scheduler (Marathon)"),
            System::Cluster => self.pick("主机集群", "the host cluster (Mesos)"),
            System::Docker => self.pick("容器引擎", "the container engine (Docker)"),
            System::Registry => self.pick("镜像仓库", "the image registry"),
            System::Network => self.pick("容器网络", "the container network"),
            System::Dns => self.pick("域名服务", "the name server"),
            System::Balancer => self.pick("负载均衡", "the load balancer"),
            System::Directory => self.pick("员工目录", "the staff directory (LDAP)"),
            System::Database => self.pick("数据库", "the database"),
            System::Disk => self.pick("磁盘", "the disk"),
        }
    }
    /// What a person can do with an application.
    pub fn action(&self, a: Action) -> &'static str {
        match a {
            Action::Scale => self.pick("调整实例数", "Change the number of instances"),
            Action::Release => self.pick("发布新版本", "New release"),
            Action::RollBack => self.pick("回退", "Roll back"),
            Action::Restart => self.pick("重启", "Restart"),
            Action::Stop => self.pick("停止", "Stop"),
            Action::Start => self.pick("启动", "Start"),
            Action::Configure => self.pick("修改设置", "Change settings"),
            Action::Delete => self.pick("删除", "Delete"),
            Action::Retry => self.pick("立即重试", "Try again now"),
            Action::Try => self.pick("试访健康检查页", "Try the health page"),
        }
    }
    /// Why an action is not possible now.
    pub fn reason(&self, r: Reason) -> &'static str {
        match r {
            Reason::DeliveryRunning => self.pick(
                "同一时间只能有一个交付：请等待当前交付结束，或先回退。",
                "One delivery at a time: wait until this one ends, or roll it back.",
            ),
            Reason::IsStopped => self.pick("应用已停止，请先启动。", "It is stopped. Start it first."),
            Reason::IsNotStopped => self.pick("应用正在运行。", "It is running already."),
            Reason::IsStopping => self.pick("应用正在停止，稍后再试。", "It is being stopped. Try again in a moment."),
            Reason::IsDeleting => self
                .pick("应用正在删除，资源归还后消失。", "It is being deleted and goes when everything is given back."),
            Reason::ReadOnly => {
                self.pick("您的角色只能查看，不能修改。", "Your role may look at everything but change nothing.")
            }
            Reason::NoEarlierRelease => {
                self.pick("没有更早的版本可以回退。", "There is no earlier release to put back.")
            }
            Reason::NothingRuns => self.pick("目前没有运行中的实例。", "No instance runs at the moment."),
            Reason::FromDirectory => self.pick(
                "您的密码由员工目录管理，请在目录系统中修改。",
                "Your password is kept by the staff directory. Change it there.",
            ),
            Reason::NeedsLead => {
                self.pick("仅团队负责人或平台管理员可操作。", "Only a lead of the team or an operator may do this.")
            }
            Reason::BenchNotOpen => self.pick("工作台没有打开。", "The workbench is not open."),
            Reason::BenchKeeping => self.pick(
                "正在把它保存为新版本，完成后再试。",
                "A version of it is being kept. Try again when that is done.",
            ),
            Reason::Building => {
                self.pick("正在构建，请先停止或等它完成。", "It is being built. Stop that first, or wait for it.")
            }
            Reason::EnoughBuilds => self.pick(
                "您已有三个构建在进行，请等其中一个完成。",
                "You have three builds under way. Wait until one of them has ended.",
            ),
            Reason::EnoughBenches => {
                self.pick("您已有三个工作台，请先结束一个。", "You have three workbenches. End one of them first.")
            }
        }
    }
}
