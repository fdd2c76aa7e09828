//! Vulnerabilities in OSV's form (ossf.github.io/osv-schema), read from a file with a list
//! of them or a folder of such files, and kept by package.
//!
//! Only what is needed to match and to show is kept: Debian's data alone has tens of
//! thousands of entries with long texts. One could get it wrong by refusing all of it for
//! one entry that is not understood.

use super::version::compare;
use cvss::Cvss;
use padis_domain::view::{PackageOrigin, Severity};
use serde::Deserialize;
use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserializer as _, MapAccess, SeqAccess, Visitor};
use std::cmp::Ordering;
use std::collections::HashMap;
use std::fs::File;
use std::io::{self, BufReader};
use std::path::{Path, PathBuf};

/// Characters of a summary that are kept.
const MAX_SUMMARY: usize = 300;
/// Files of a folder that are read.
const MAX_FILES: usize = 500_000;

/// One vulnerability.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// `CVE-…` where it has one.
    pub id: String,
    /// One line.
    pub summary: String,
    /// How bad.
    pub severity: Severity,
    /// CVSS base score in tenths.
    pub score: Option<u32>,
}

/// A package that a vulnerability affects.
#[derive(Debug)]
pub struct Affected {
    /// Which vulnerability.
    pub record: usize,
    ranges: Vec<Vec<Event>>,
    versions: Vec<String>,
}

/// All that are known.
#[derive(Debug, Default)]
pub struct Feed {
    /// Vulnerabilities.
    pub records: Vec<Record>,
    /// What they affect, by ecosystem and name.
    by_package: HashMap<String, HashMap<String, Vec<Affected>>>,
    /// Entries that were not understood.
    pub odd: u64,
}

#[derive(Debug, Deserialize)]
struct Entry {
    id: String,
    #[serde(default)]
    summary: String,
    #[serde(default)]
    details: String,
    withdrawn: Option<String>,
    #[serde(default)]
    aliases: Vec<String>,
    #[serde(default)]
    upstream: Vec<String>,
    #[serde(default)]
    severity: Vec<Score>,
    #[serde(default)]
    affected: Vec<Package>,
    #[serde(default)]
    database_specific: serde_json::Value,
}

#[derive(Debug, Deserialize)]
struct Score {
    #[serde(rename = "type")]
    kind: String,
    score: String,
}

#[derive(Debug, Deserialize)]
struct Package {
    package: Option<Named>,
    #[serde(default)]
    severity: Vec<Score>,
    #[serde(default)]
    ranges: Vec<Range>,
    #[serde(default)]
    versions: Vec<String>,
    #[serde(default)]
    database_specific: serde_json::Value,
    #[serde(default)]
    ecosystem_specific: serde_json::Value,
}

#[derive(Debug, Deserialize)]
struct Named {
    ecosystem: String,
    name: String,
}

#[derive(Debug, Deserialize)]
struct Range {
    #[serde(rename = "type")]
    kind: String,
    #[serde(default)]
    events: Vec<Event>,
}

#[derive(Debug, Clone, Default, Deserialize)]
struct Event {
    introduced: Option<String>,
    fixed: Option<String>,
    last_affected: Option<String>,
}

impl Event {
    fn version(&self) -> &str {
        self.introduced.as_deref().or(self.fixed.as_deref()).or(self.last_affected.as_deref()).unwrap_or("0")
    }
}

impl Affected {
    /// Whether it affects this version; then the version that mends it, or nothing.
    pub fn hits(&self, origin: PackageOrigin, version: &str) -> Option<String> {
        if version.is_empty() {
            return None;
        }
        let listed = self.versions.iter().any(|v| v == version);
        let ranged = self.ranges.iter().find(|events| within(origin, version, events));
        let mends = |events: &Vec<Event>| {
            let fixed = events.iter().filter_map(|e| e.fixed.as_deref());
            fixed
                .filter(|f| compare(origin, f, version).is_gt())
                .min_by(|a, b| compare(origin, a, b))
                .map(str::to_owned)
        };
        match ranged {
            Some(events) => Some(mends(events).unwrap_or_default()),
            None if listed => Some(self.ranges.iter().find_map(mends).unwrap_or_default()),
            None => None,
        }
    }
}

/// OSV's own way ("Evaluation"): events by version, the last that applies decides.
fn within(origin: PackageOrigin, version: &str, events: &[Event]) -> bool {
    let at_least = |other: &str| compare(origin, version, other).is_ge();
    let mut hit = false;
    for e in events {
        match e {
            Event { introduced: Some(from), .. } if from == "0" || at_least(from) => hit = true,
            Event { fixed: Some(fixed), .. } if at_least(fixed) => hit = false,
            Event { last_affected: Some(last), .. } if compare(origin, version, last).is_gt() => hit = false,
            _ => {}
        }
    }
    hit
}

fn kind_of(ecosystem: &str) -> Option<PackageOrigin> {
    Some(match ecosystem.split(':').next()? {
        "Debian" | "Ubuntu" => PackageOrigin::Dpkg,
        "Alpine" | "Wolfi" | "Chainguard" => PackageOrigin::Apk,
        "Rocky Linux" | "AlmaLinux" => PackageOrigin::Rpm,
        "Maven" => PackageOrigin::Jar,
        _ => return None,
    })
}

/// The severity that a word means; Debian's urgencies, Red Hat's and GitHub's words.
fn severity_of(word: &str) -> Severity {
    match word.trim_end_matches('*').to_lowercase().as_str() {
        "critical" => Severity::Critical,
        "high" | "important" => Severity::High,
        "medium" | "moderate" => Severity::Medium,
        "low" | "minor" | "negligible" | "unimportant" => Severity::Low,
        _ => Severity::Unknown,
    }
}

fn judged(entry: &Entry) -> (Severity, Option<u32>) {
    let all = || entry.severity.iter().chain(entry.affected.iter().flat_map(|a| &a.severity));
    let scored = |kind: &str| all().filter(|s| s.kind == kind).find_map(|s| s.score.parse::<Cvss>().ok());
    if let Some(cvss) = ["CVSS_V3", "CVSS_V4", "CVSS_V2"].into_iter().find_map(scored) {
        let tenths = (cvss.score() * 10.0).round();
        let tenths = if (0.0..=100.0).contains(&tenths) { tenths as u32 } else { 0 };
        // CVSS v3.1, table 14; the second version has no word for more than high.
        let severity = match tenths {
            0 => Severity::Unknown,
            1..40 => Severity::Low,
            40..70 => Severity::Medium,
            70..90 => Severity::High,
            _ => Severity::Critical,
        };
        return (severity, Some(tenths));
    }
    let word = |v: &serde_json::Value| {
        let word = v.get("severity").or_else(|| v.get("urgency")).and_then(serde_json::Value::as_str);
        word.map(severity_of).unwrap_or_default()
    };
    let specific = entry.affected.iter().flat_map(|a| [word(&a.ecosystem_specific), word(&a.database_specific)]);
    let said = specific.chain([word(&entry.database_specific)]).chain(all().map(|s| severity_of(&s.score))).max();
    (said.unwrap_or_default(), None)
}

impl Feed {
    /// Reads a file or a folder.
    pub fn read(path: &Path) -> io::Result<Self> {
        let mut feed = Self::default();
        for file in files(path)? {
            let text = BufReader::new(File::open(&file)?);
            let mut text = serde_json::Deserializer::from_reader(text);
            let read = text.deserialize_any(Entries(&mut feed)).and_then(|()| text.end());
            read.map_err(|e| io::Error::new(io::ErrorKind::InvalidData, format!("{}: {e}", file.display())))?;
        }
        Ok(feed)
    }

    fn add(&mut self, value: serde_json::Value) {
        let Ok(entry) = serde_json::from_value::<Entry>(value) else {
            self.odd += 1;
            return;
        };
        if entry.withdrawn.is_some() {
            return;
        }
        let (severity, score) = judged(&entry);
        let cve = |id: &&String| id.starts_with("CVE-");
        let id = std::iter::once(&entry.id).chain(&entry.aliases).chain(&entry.upstream).find(cve);
        let text = if entry.summary.is_empty() { &entry.details } else { &entry.summary };
        let line = text.lines().find(|l| !l.trim().is_empty()).unwrap_or_default();
        let record = self.records.len();
        self.records.push(Record {
            id: id.unwrap_or(&entry.id).clone(),
            summary: line.trim().chars().take(MAX_SUMMARY).collect(),
            severity,
            score,
        });
        for affected in entry.affected {
            let Some(Named { ecosystem, name }) = affected.package else { continue };
            let Some(origin) = kind_of(&ecosystem) else { continue };
            // `Ubuntu:22.04:LTS`: its release is what counts.
            let ecosystem = ecosystem.split(':').take(2).collect::<Vec<_>>().join(":");
            let ranges = affected.ranges.into_iter().filter(|r| r.kind != "GIT").map(|r| {
                let mut events = r.events;
                events.sort_by(|a, b| match (a.version(), b.version()) {
                    ("0", "0") => Ordering::Equal,
                    ("0", _) => Ordering::Less,
                    (_, "0") => Ordering::Greater,
                    (a, b) => compare(origin, a, b),
                });
                events
            });
            let affected = Affected { record, ranges: ranges.collect(), versions: affected.versions };
            self.by_package.entry(ecosystem).or_default().entry(name).or_default().push(affected);
        }
    }

    /// What affects a package of this ecosystem, and of the ecosystem whatever its release.
    pub fn of<'f>(&'f self, ecosystem: &str, name: &str) -> impl Iterator<Item = &'f Affected> + use<'f> {
        let find = |ecosystem: &str| self.by_package.get(ecosystem).and_then(|names| names.get(name));
        let whole = ecosystem.split_once(':').and_then(|(whole, _)| find(whole));
        find(ecosystem).into_iter().chain(whole).flatten()
    }
}

/// One entry, or a list of which one is read at a time: all of Debian's are hundreds of MiB.
struct Entries<'f>(&'f mut Feed);

impl<'de> Visitor<'de> for Entries<'_> {
    type Value = ();

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a vulnerability in OSV's form, or a list of them")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut all: A) -> Result<(), A::Error> {
        while let Some(one) = all.next_element()? {
            self.0.add(one);
        }
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, one: A) -> Result<(), A::Error> {
        self.0.add(serde_json::Value::deserialize(MapAccessDeserializer::new(one))?);
        Ok(())
    }
}

/// The files that make up a feed, in order.
pub fn files(path: &Path) -> io::Result<Vec<PathBuf>> {
    if !std::fs::metadata(path)?.is_dir() {
        return Ok(vec![path.to_owned()]);
    }
    let mut out = Vec::new();
    for entry in std::fs::read_dir(path)?.take(MAX_FILES) {
        let file = entry?.path();
        if file.extension().is_some_and(|e| e == "json") {
            out.push(file);
        }
    }
    out.sort();
    Ok(out)
}
