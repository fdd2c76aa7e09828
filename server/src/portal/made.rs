//! Versions that people make, in a workbench or by a recipe: what they may be called, where
//! they may go, and what stands in them of where they come from.
//!
//! One could get it wrong by believing that a tag is free because the catalogue does not
//! know it: the registry itself is asked, and the driver asks once more before it puts.

use super::check::Problems;
use super::promotions::may_change;
use super::{PadisPortal, copies, room};
use crate::images::Place;
use padis_domain::Problem;
use padis_domain::caller::Caller;
use padis_domain::portal::Answer;
use padis_domain::problem::ValueFault;
use padis_domain::stack::{Contract, LABEL_PREFIX};
use std::collections::BTreeMap;

/// Characters of a description.
const MAX_DESCRIPTION: usize = 300;
/// Characters of a label of the contract.
const MAX_LABEL: usize = 200;

/// What somebody wants to make.
#[derive(Debug, Clone, Copy)]
pub struct Made<'a> {
    /// Repository in our own registry.
    pub repository: &'a str,
    /// Tag.
    pub tag: &'a str,
    /// What it is good for.
    pub description: &'a str,
    /// The contract's labels without their prefix.
    pub contract: &'a BTreeMap<String, String>,
}

impl Made<'_> {
    /// What is wrong with the fields; the labels of the contract.
    pub fn check(&self, problems: &mut Problems) -> BTreeMap<String, String> {
        copies::check_name(problems, "repository", self.repository, copies::is_repository);
        copies::check_name(problems, "tag", self.tag, copies::is_tag);
        if self.description.trim().is_empty() {
            problems.add("description", ValueFault::Missing);
        }
        problems.text("description", self.description, MAX_DESCRIPTION);
        contract(problems, self.contract)
    }

    /// Whether the caller may make it in our own registry, from a base of that digest.
    pub async fn may(&self, p: &PadisPortal, c: &Caller, place: &Place, base: &str) -> Answer<()> {
        // Whose it is not does not hear more.
        may_change(c, self.repository).map_err(|_| Problem::field("repository", ValueFault::Unknown))?;
        // On this way nobody agrees to it, and nothing is checked.
        if !place.rules.free() {
            c.publisher()?;
        }
        if copies::names(place, self.repository, self.tag).await?.is_some() {
            return Err(self.taken());
        }
        room::for_one_more(p, place, self.repository, room::bytes(p, base).await?).await
    }

    /// Somebody was faster.
    pub fn taken(&self) -> Problem {
        Problem::NameTaken { field: "tag".to_owned(), name: self.tag.to_owned() }
    }

    /// Adds what says where it comes from; `base` as a name and a digest.
    pub fn annotate(&self, labels: &mut BTreeMap<String, String>, c: &Caller, base: (&str, &str)) {
        // Names of the OCI image specification (annotations.md).
        for (name, value) in [
            ("org.opencontainers.image.description", self.description.trim()),
            ("org.opencontainers.image.authors", c.name.as_str()),
            ("org.opencontainers.image.base.name", base.0),
            ("org.opencontainers.image.base.digest", base.1),
        ] {
            labels.insert(name.to_owned(), value.to_owned());
        }
    }
}

/// The labels of the contract, judged together; fields are `contract_` and the label's name.
fn contract(problems: &mut Problems, said: &BTreeMap<String, String>) -> BTreeMap<String, String> {
    let all: BTreeMap<String, String> =
        said.iter().map(|(k, v)| (format!("{LABEL_PREFIX}{k}"), v.trim().to_owned())).collect();
    if all.values().all(String::is_empty) {
        return BTreeMap::new();
    }
    let field = |label: &str| format!("contract_{}", label.replace(['.', '-'], "_"));
    for (name, value) in said {
        problems.text(&field(name), value, MAX_LABEL);
    }
    if let Err(label) = Contract::from_labels(&all) {
        let empty = all.get(&format!("{LABEL_PREFIX}{label}")).is_none_or(String::is_empty);
        problems.add(&field(&label), if empty { ValueFault::Missing } else { ValueFault::Malformed });
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
        pairs.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect()
    }

    #[test]
    fn a_contract_is_whole_or_not_there() {
        let mut problems = Problems::default();
        assert!(contract(&mut problems, &labels(&[("name", ""), ("port", " ")])).is_empty());
        assert!(problems.0.is_empty());
        contract(&mut problems, &labels(&[("name", "nginx"), ("title.en", "")]));
        assert_eq!(problems.0, [Problem::field("contract_title_en", ValueFault::Missing)]);
        let mut whole = labels(&[
            ("name", "nginx"),
            ("title.en", "Web"),
            ("title.zh", "网站"),
            ("version", "1"),
            ("kinds", "zip"),
            ("form", "tree"),
            ("package", "/srv"),
            ("port", "8080"),
            ("logs", "/var/log/nginx"),
            ("health", "/"),
            ("uid", "101"),
            ("min-mem-mib", "32"),
            ("start-s", "2"),
        ]);
        let mut problems = Problems::default();
        assert_eq!(contract(&mut problems, &whole).len(), 13);
        assert!(problems.0.is_empty());
        whole.insert("min-mem-mib".to_owned(), "much".to_owned());
        contract(&mut problems, &whole);
        assert_eq!(problems.0, [Problem::field("contract_min_mem_mib", ValueFault::Malformed)]);
    }
}
