//! Making a version of a workbench: what is asked for, and whether it may be.
//!
//! One could get it wrong by believing that a tag is free because the catalogue does not
//! know it: the registry itself is asked, and the driver asks once more before it puts.

use super::super::check::Problems;
use super::super::copies;
use super::super::promotions::may_change;
use super::super::{PadisPortal, once, room};
use super::{change, entry, own, told};
use crate::store::benches::{self, Wanted};
use crate::store::{What, journal, work};
use padis_domain::Problem;
use padis_domain::action::Reason;
use padis_domain::caller::Caller;
use padis_domain::portal::Answer;
use padis_domain::problem::ValueFault;
use padis_domain::stack::{Contract, LABEL_PREFIX};
use padis_domain::view::{BenchState, NewCommit};
use std::collections::BTreeMap;

/// The form's name among tokens.
const COMMIT: &str = "commit_bench";
/// Characters of a description.
const MAX_DESCRIPTION: usize = 300;
/// Characters of a label of the contract.
const MAX_LABEL: usize = 200;

/// The label that says which commit made an image; see `Workbench::commit`.
pub const COMMIT_LABEL: &str = "io.padis.commit";

/// Asks for it; its id.
pub async fn ask(p: &PadisPortal, c: &Caller, new: &NewCommit, token: &str) -> Answer<String> {
    let (spec, row) = own(p, c, &new.bench).await?;
    let place = p.registries.all().first().ok_or(Problem::NotFound)?;
    let mut problems = Problems::default();
    copies::check_name(&mut problems, "repository", &new.repository, copies::is_repository);
    copies::check_name(&mut problems, "tag", &new.tag, copies::is_tag);
    if new.description.trim().is_empty() {
        problems.add("description", ValueFault::Missing);
    }
    problems.text("description", &new.description, MAX_DESCRIPTION);
    let contract = contract(&mut problems, &new.contract);
    problems.done()?;
    // Whose it is not does not hear more.
    may_change(c, &new.repository).map_err(|_| Problem::field("repository", ValueFault::Unknown))?;
    // On this way nobody agrees to it, and nothing is checked.
    if !place.rules.free() {
        c.publisher()?;
    }
    if row.state != BenchState::Open {
        return Err(Problem::NotNow { reason: Reason::BenchNotOpen });
    }
    if copies::names(place, &new.repository, &new.tag).await?.is_some() {
        return Err(Problem::NameTaken { field: "tag".to_owned(), name: new.tag.clone() });
    }
    room::for_one_more(p, place, &new.repository, room::bytes(p, &spec.digest).await?).await?;
    let id = uuid::Uuid::now_v7().simple().to_string();
    let mut labels = contract;
    let base = format!("{}/{}:{}", place.place, row.repository, row.tag);
    // Names of the OCI image specification (annotations.md).
    for (name, value) in [
        ("org.opencontainers.image.description", new.description.trim()),
        ("org.opencontainers.image.authors", c.name.as_str()),
        ("org.opencontainers.image.base.name", base.as_str()),
        ("org.opencontainers.image.base.digest", spec.digest.as_str()),
        (COMMIT_LABEL, id.as_str()),
    ] {
        labels.insert(name.to_owned(), value.to_owned());
    }
    let wanted = Wanted {
        id,
        bench: new.bench.clone(),
        repository: new.repository.clone(),
        tag: new.tag.clone(),
        description: new.description.trim().to_owned(),
        leave_out: new.leave_out,
        labels,
        left_out: Vec::new(),
        account: c.account.clone(),
        name: c.name.clone(),
    };
    let mut tx = p.store.begin().await?;
    if let Some(id) = once::before::<String>(&mut tx, p.store.kind(), c, token, COMMIT).await? {
        return Ok(id);
    }
    if benches::busy(&mut tx, &new.bench).await? {
        return Err(Problem::NotNow { reason: Reason::BenchKeeping });
    }
    // Somebody else makes the same one.
    if !benches::ask_commit(&mut tx, &wanted).await? {
        return Err(Problem::NameTaken { field: "tag".to_owned(), name: new.tag.clone() });
    }
    work::touch(&mut tx, &benches::commit_key(&wanted.id)).await?;
    let changes = vec![
        change("image", &format!("{}:{}", wanted.repository, wanted.tag)),
        change("from", &base),
        change("description", &wanted.description),
    ];
    journal::append(&p.store, &mut tx, &entry(c, "bench.commit", &new.bench, changes)).await?;
    once::keep(&mut tx, token, COMMIT, &wanted.id).await?;
    tx.commit().await.what("record a version of a workbench")?;
    told(p);
    Ok(wanted.id)
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
