//! What was changed, as the journal, the events and "somebody else changed it" say it.
//!
//! One could get it wrong by showing the stored word: fields and the words of closed
//! vocabularies are translated, what people typed stands as it is.

use super::Texts;
use padis_domain::problem::FieldChange;
use padis_domain::words::{PlatformRole, Stage, TeamRole};

impl Texts {
    /// A changed field's name.
    pub fn field_name(&self, field: &str) -> String {
        if let Some(var) = field.strip_prefix("env.") {
            return self.pick_with(|| format!("环境变量 {var}"), || format!("variable {var}"));
        }
        if let Some(dn) = field.strip_prefix("group ") {
            return self.pick_with(|| format!("目录组 {dn}"), || format!("directory group {dn}"));
        }
        match field {
            "instances" => self.pick("实例数", "instances"),
            "size" => self.pick("规格", "size"),
            "cpu" | "cpu_milli" => "CPU",
            "memory" | "mem_mib" => self.pick("内存", "memory"),
            "addresses" => self.pick("地址", "addresses"),
            "health" => self.pick("健康检查", "health page"),
            "env" => self.pick("环境变量", "variables"),
            "release" => self.pick("版本", "release"),
            "package" => self.pick("应用包", "package"),
            "stack" => self.pick("中间件", "middleware"),
            "digest" => self.pick("摘要", "digest"),
            "from" => self.pick("来源", "from"),
            "stages" => self.pick("环境", "stages"),
            "successor" => self.pick("替代版本", "in its place"),
            "note" => self.pick("说明", "why"),
            "state" | "wanted" => self.pick("状态", "state"),
            "pool" => self.pick("资源池", "pool"),
            "team" => self.pick("团队", "team"),
            "title" => self.pick("显示名称", "title"),
            "name" => self.pick("名称", "name"),
            "quota" => self.pick("配额", "quota"),
            "subnet" => self.pick("子网", "subnet"),
            "gateway" => self.pick("网关", "gateway"),
            "domain" => self.pick("域名", "domain"),
            "reason" => self.pick("原因", "reason"),
            "file_name" => self.pick("文件", "file"),
            "password" => self.pick("密码", "password"),
            "reserved" => self.pick("预留地址段", "reserved range"),
            "stage" => self.pick("环境", "stage"),
            "zone" => self.pick("安全区域", "zone"),
            "hosts" => self.pick("主机标签", "host labels"),
            "vlan" => "VLAN",
            "ttl_s" => self.pick("域名缓存秒数", "seconds that names are kept"),
            "quarantine_s" => self.pick("地址隔离秒数", "seconds that addresses rest"),
            "enabled" => self.pick("可登录", "may sign in"),
            "platform" => self.pick("平台角色", "platform role"),
            "teams" => self.pick("团队", "teams"),
            other => return other.to_owned(),
        }
        .to_owned()
    }

    /// A side of a change: words of a closed vocabulary in the reader's language,
    /// everything else as it stands.
    fn changed_value<'a>(&self, field: &str, value: &'a str) -> &'a str {
        match (field, value) {
            ("state", "online") => self.pick("运行", "running"),
            ("state", "stopped") => self.pick("停止", "stopped"),
            ("state", "deleted") => self.pick("删除", "deleted"),
            ("enabled", "true") => self.pick("是", "yes"),
            ("enabled", "false") => self.pick("否", "no"),
            ("stage", s) => Stage::parse(s).map_or(value, |s| self.stage(s)),
            ("platform", s) => PlatformRole::parse(s).map_or(value, |r| self.platform_role(r)),
            (f, s) if f.starts_with("group ") => TeamRole::parse(s).map_or(value, |r| self.team_role(r)),
            _ => value,
        }
    }

    /// One change as a line: `instances: 2 → 3`, or `pool: sf-dev` where nothing was before.
    pub fn change(&self, c: &FieldChange) -> String {
        let f = self.field_name(&c.field);
        let after = match c.after.as_str() {
            "" => self.pick("（无）", "(none)"),
            after => self.changed_value(&c.field, after),
        };
        let what = match c.before.as_str() {
            "" => after.to_owned(),
            before => format!("{} → {after}", self.changed_value(&c.field, before)),
        };
        self.pick_with(|| format!("{f}：{what}"), || format!("{f}: {what}"))
    }
    /// Several changes in one line.
    pub fn changes(&self, cs: &[FieldChange]) -> String {
        cs.iter().map(|c| self.change(c)).collect::<Vec<_>>().join(self.pick("；", "; "))
    }
}

#[cfg(test)]
mod tests {
    use crate::text::{EN, ZH};
    use padis_domain::problem::FieldChange;

    #[test]
    fn every_field_that_a_journal_row_names_has_a_name_in_both_languages() {
        // As `portal` writes them; those that are the same in both languages are left out.
        for field in [
            "instances",
            "size",
            "health",
            "release",
            "package",
            "stack",
            "state",
            "title",
            "name",
            "memory",
            "addresses",
            "stage",
            "zone",
            "hosts",
            "subnet",
            "gateway",
            "domain",
            "ttl_s",
            "quarantine_s",
            "reserved",
            "reason",
            "file_name",
            "password",
            "enabled",
            "platform",
            "teams",
            "team",
            "env.KEY",
            "group cn=x",
        ] {
            assert!(!ZH.field_name(field).is_ascii() || field == "env.KEY", "{field}: {}", ZH.field_name(field));
            assert!(!EN.field_name(field).contains('_'), "{field}: {}", EN.field_name(field));
        }
    }

    #[test]
    fn words_of_a_closed_vocabulary_are_not_shown_raw() {
        let c = |field: &str, before: &str, after: &str| FieldChange {
            field: field.into(),
            before: before.into(),
            after: after.into(),
        };
        assert_eq!(ZH.change(&c("state", "online", "stopped")), "状态：运行 → 停止");
        assert_eq!(EN.change(&c("platform", "", "auditor")), "platform role: Auditor");
        assert_eq!(ZH.change(&c("group cn=x", "member", "lead")), "目录组 cn=x：成员 → 负责人");
        assert_eq!(EN.change(&c("title", "online", "x")), "title: online → x");
    }
}
