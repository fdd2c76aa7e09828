//! What of an image the search looks into, and what it is called.

use padis_domain::ports::Image;
use padis_domain::words::UnixMs;
use std::collections::BTreeSet;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

/// Characters of a repository that are searched.
const MOST: usize = 4_000;
/// Labels that say what an image is, the best first: ours, then those of the Open
/// Container Initiative's specification of annotations.
const TITLES: [&str; 5] = [
    "io.padis.stack.title.en",
    "org.opencontainers.image.title",
    "org.opencontainers.image.description",
    "org.label-schema.name",
    "org.label-schema.description",
];

/// When an image was made; `None` when it does not say (or says the year 1, as some builders do).
pub fn made_at(image: &Image) -> Option<UnixMs> {
    let at = OffsetDateTime::parse(&image.created, &Rfc3339).ok()?;
    i64::try_from(at.unix_timestamp_nanos() / 1_000_000).ok().filter(|ms| *ms > 0)
}

/// The label that says it in Chinese.
const TITLE_ZH: &str = "io.padis.stack.title.zh";

/// What it is, in its own words; may be empty.
pub fn title(image: &Image) -> String {
    line(image, &TITLES)
}

/// The same in Chinese; empty when it says so in no other language.
pub fn title_zh(image: &Image) -> String {
    line(image, &[TITLE_ZH])
}

fn line(image: &Image, labels: &[&str]) -> String {
    let found = labels.iter().find_map(|l| image.labels.get(*l)).map(|t| t.trim()).unwrap_or_default();
    found.lines().next().unwrap_or_default().chars().take(200).collect()
}

/// Whose repository it is: that of a team, `teams/<slug>/…`, or everybody's (empty).
pub fn team(repository: &str) -> &str {
    let below = repository.strip_prefix("teams/").and_then(|rest| rest.split_once('/'));
    below.map(|(team, _)| team).unwrap_or_default()
}

/// The text that is searched: name, tags, then what labels say, each word of a kind once.
pub fn words<'a>(repository: &str, tags: impl Iterator<Item = &'a str>, images: &[&Image]) -> String {
    let mut out = repository.to_lowercase();
    let said: BTreeSet<String> = images
        .iter()
        .flat_map(|i| {
            let labels = i.labels.iter().map(|(k, v)| format!("{k}={v}").to_lowercase());
            labels.chain(Some(i.author.to_lowercase()).filter(|a| !a.is_empty()))
        })
        .collect();
    for part in tags.map(str::to_lowercase).chain(said) {
        if out.len() + part.len() >= MOST {
            break;
        }
        out.push('\n');
        out.push_str(&part);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_team_s_repository_is_told_by_its_name() {
        assert_eq!(team("teams/motor/web"), "motor");
        assert_eq!(team("teams/motor"), "");
        assert_eq!(team("stacks/nginx"), "");
        assert_eq!(team("xteams/motor/web"), "");
    }

    #[test]
    fn times_that_nobody_meant_are_no_times() {
        let made = |created: &str| made_at(&Image { created: created.to_owned(), ..Image::default() });
        assert_eq!(made("2026-11-22T08:00:00Z"), Some(1_795_334_400_000));
        assert_eq!(made("2026-11-22T08:00:00.123456789+08:00"), Some(1_795_305_600_123));
        assert_eq!((made("0001-01-01T00:00:00Z"), made("1970-01-01T00:00:00Z"), made("")), (None, None, None));
    }

    #[test]
    fn what_is_searched_is_lower_case_and_bounded() {
        let image = Image { labels: [("Vendor".to_owned(), "ACME".to_owned())].into(), ..Image::default() };
        assert_eq!(words("Stacks/Nginx", ["1.22"].into_iter(), &[&image, &image]), "stacks/nginx\n1.22\nvendor=acme");
        let many: Vec<String> = (0..2_000).map(|n| format!("tag-{n}")).collect();
        assert!(words("r", many.iter().map(String::as_str), &[]).len() < MOST);
    }
}
