use super::Form;
use padis_domain::view::{NewBench, NewCommit};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A workbench that is asked for.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct BenchForm {
    /// Repository in our own registry.
    pub repository: String,
    /// Tag.
    pub tag: String,
    /// Pool.
    pub pool: String,
    /// Token.
    pub once: String,
}
impl Form for BenchForm {}

impl BenchForm {
    /// What is asked for.
    pub fn read(&self) -> NewBench {
        NewBench { repository: self.repository.clone(), tag: self.tag.clone(), pool: self.pool.clone() }
    }
}

/// A workbench that is to end.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct BenchEndForm {
    /// Its id.
    pub id: String,
}
impl Form for BenchEndForm {}

/// A version that is to be made of a workbench.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
#[expect(missing_docs, reason = "fields that begin with `contract_` are labels of the contract")]
pub struct CommitForm {
    /// Which workbench.
    pub bench: String,
    /// Repository in our own registry.
    pub repository: String,
    /// Tag.
    pub tag: String,
    /// What it is good for.
    pub description: String,
    /// `yes`: what should not go into an image is left out.
    pub leave_out: String,
    pub contract_name: String,
    pub contract_title_en: String,
    pub contract_title_zh: String,
    pub contract_version: String,
    pub contract_kinds: String,
    pub contract_form: String,
    pub contract_package: String,
    pub contract_port: String,
    pub contract_logs: String,
    pub contract_health: String,
    pub contract_uid: String,
    pub contract_min_mem_mib: String,
    pub contract_start_s: String,
    /// Token.
    pub once: String,
}
impl Form for CommitForm {}

/// The labels of a contract in the order in which people think of them.
pub const CONTRACT: [&str; 13] = [
    "name",
    "title.zh",
    "title.en",
    "version",
    "kinds",
    "form",
    "package",
    "port",
    "logs",
    "health",
    "uid",
    "min-mem-mib",
    "start-s",
];

impl CommitForm {
    /// A field by the label of the contract that it holds.
    pub fn label(&self, label: &str) -> &str {
        self.slot(label).map_or("", |(_, v)| v)
    }

    fn slot(&self, label: &str) -> Option<(&'static str, &str)> {
        let all: [(&'static str, &str); 13] = [
            ("name", &self.contract_name),
            ("title.zh", &self.contract_title_zh),
            ("title.en", &self.contract_title_en),
            ("version", &self.contract_version),
            ("kinds", &self.contract_kinds),
            ("form", &self.contract_form),
            ("package", &self.contract_package),
            ("port", &self.contract_port),
            ("logs", &self.contract_logs),
            ("health", &self.contract_health),
            ("uid", &self.contract_uid),
            ("min-mem-mib", &self.contract_min_mem_mib),
            ("start-s", &self.contract_start_s),
        ];
        all.into_iter().find(|(name, _)| *name == label)
    }

    /// The same with these labels.
    pub fn with(mut self, labels: &BTreeMap<String, String>) -> Self {
        let get = |label: &str| labels.get(label).cloned().unwrap_or_default();
        self.contract_name = get("name");
        self.contract_title_zh = get("title.zh");
        self.contract_title_en = get("title.en");
        self.contract_version = get("version");
        self.contract_kinds = get("kinds");
        self.contract_form = get("form");
        self.contract_package = get("package");
        self.contract_port = get("port");
        self.contract_logs = get("logs");
        self.contract_health = get("health");
        self.contract_uid = get("uid");
        self.contract_min_mem_mib = get("min-mem-mib");
        self.contract_start_s = get("start-s");
        self
    }

    /// What is asked for; blanks around it were not meant.
    pub fn read(&self) -> NewCommit {
        let contract = CONTRACT.iter().map(|l| ((*l).to_owned(), self.label(l).trim().to_owned())).collect();
        NewCommit {
            bench: self.bench.clone(),
            repository: self.repository.trim().to_owned(),
            tag: self.tag.trim().to_owned(),
            description: self.description.trim().to_owned(),
            leave_out: self.leave_out == "yes",
            contract,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_label_of_a_contract_has_its_field() {
        let labels: BTreeMap<String, String> = CONTRACT.iter().map(|l| ((*l).to_owned(), format!("of {l}"))).collect();
        assert_eq!(CommitForm::default().with(&labels).read().contract, labels);
    }
}
