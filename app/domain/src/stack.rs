//! A stack's contract: what an image's labels promise to whoever puts a package
//! on it. The labels are the only place where it stands; the portal reads them
//! from the registry. One could get it wrong by also keeping a copy in a table.

use crate::package::PackageKind;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// How the package reaches the container.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum PackageForm {
    /// The uploaded file is mounted read-only at the contract's path.
    File,
    /// Its unpacked tree is mounted read-only at the contract's path.
    Tree,
}

/// What the image's labels say.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Contract {
    /// Short name, e.g. `nginx`.
    pub name: String,
    /// English title, e.g. `Web site · Nginx 1.22`.
    pub title_en: String,
    /// Chinese title.
    pub title_zh: String,
    /// The middleware's version.
    pub version: String,
    /// Kinds of package it takes.
    pub kinds: Vec<PackageKind>,
    /// File or tree.
    pub form: PackageForm,
    /// Where the package is mounted, an absolute path.
    pub package_path: String,
    /// The TCP port on which it serves HTTP.
    pub port: u16,
    /// Where it writes logs, an absolute path; each instance below its own task id.
    pub log_path: String,
    /// The health page that a fresh application gets, e.g. `/`.
    pub health_path: String,
    /// The numeric user it runs as.
    pub uid: u32,
    /// The least memory in MiB with which it starts.
    pub min_mem_mib: u32,
    /// Seconds until it usually answers.
    pub start_s: u32,
}

/// The prefix of every label of the contract.
pub const LABEL_PREFIX: &str = "io.padis.stack.";

impl Contract {
    /// Reads the contract from an image's labels; `Err` names the label that is
    /// missing or wrong. An image without `io.padis.stack.name` is no stack.
    ///
    /// Labels (all below [`LABEL_PREFIX`]): `name`, `title.en`, `title.zh`,
    /// `version`, `kinds` (comma-separated), `form`, `package`, `port`, `logs`,
    /// `health`, `uid`, `min-mem-mib`, `start-s`.
    pub fn from_labels(labels: &BTreeMap<String, String>) -> Result<Self, String> {
        let get = |k: &str| {
            labels
                .get(&format!("{LABEL_PREFIX}{k}"))
                .map(|s| s.trim().to_owned())
                .filter(|s| !s.is_empty())
                .ok_or_else(|| k.to_owned())
        };
        fn num<T: std::str::FromStr>(k: &str, v: String) -> Result<T, String> {
            v.parse().map_err(|_| k.to_owned())
        }
        let path = |k: &str| get(k).and_then(|p| if p.starts_with('/') { Ok(p) } else { Err(k.to_owned()) });
        Ok(Self {
            name: get("name")?,
            title_en: get("title.en")?,
            title_zh: get("title.zh")?,
            version: get("version")?,
            kinds: get("kinds")?
                .split(',')
                .map(|k| PackageKind::parse(k.trim()).ok_or_else(|| "kinds".to_owned()))
                .collect::<Result<_, _>>()?,
            form: match get("form")?.as_str() {
                "file" => PackageForm::File,
                "tree" => PackageForm::Tree,
                _ => return Err("form".to_owned()),
            },
            package_path: path("package")?,
            port: num("port", get("port")?)?,
            log_path: path("logs")?,
            health_path: path("health")?,
            uid: num("uid", get("uid")?)?,
            min_mem_mib: num("min-mem-mib", get("min-mem-mib")?)?,
            start_s: num("start-s", get("start-s")?)?,
        })
    }
}
