//! What may be a name. Team, application and pool names become parts of host
//! names and of Marathon paths, so the rule is the stricter of the two: a DNS
//! label (RFC 1123 section 2.1) in lower case.

use crate::problem::NameFault;

/// The longest name in characters. 63 is DNS's limit for a label; 40 leaves
/// room for suffixes that drivers add.
pub const MAX_NAME: usize = 40;

/// Checks a team's, application's or pool's name.
pub fn check_name(s: &str) -> Result<(), NameFault> {
    if s.is_empty() {
        return Err(NameFault::Empty);
    }
    if s.len() > MAX_NAME {
        return Err(NameFault::TooLong { max: MAX_NAME as u32 });
    }
    if let Some(c) = s.chars().find(|c| !(c.is_ascii_lowercase() || c.is_ascii_digit() || *c == '-')) {
        return Err(NameFault::Character { found: c });
    }
    if !s.starts_with(|c: char| c.is_ascii_lowercase()) {
        return Err(NameFault::MustStartWithLetter);
    }
    if s.ends_with('-') {
        return Err(NameFault::MustNotEndWithHyphen);
    }
    Ok(())
}

/// Checks the name of an environment variable (POSIX: letters, digits and
/// underscore, not starting with a digit) and refuses the ones that Marathon
/// and Padis set themselves.
pub fn check_env_name(s: &str) -> Result<(), NameFault> {
    if s.is_empty() {
        return Err(NameFault::Empty);
    }
    if s.len() > 128 {
        return Err(NameFault::TooLong { max: 128 });
    }
    if let Some(c) = s.chars().find(|c| !(c.is_ascii_alphanumeric() || *c == '_')) {
        return Err(NameFault::Character { found: c });
    }
    if s.starts_with(|c: char| c.is_ascii_digit()) {
        return Err(NameFault::MustStartWithLetter);
    }
    // The middleware has settings of its own below PADIS_ (`PADIS_ARGS`, `PADIS_SPA` …); those may be set.
    let ours = ["PADIS_TEAM", "PADIS_APP", "PADIS_RELEASE", "PADIS_STAGE", "PADIS_HOST_NAME"];
    if ["MESOS_", "MARATHON_"].iter().any(|p| s.starts_with(p)) || ours.contains(&s) {
        return Err(NameFault::Reserved);
    }
    Ok(())
}

/// A name that is legal and close to `s`: what the form suggests.
pub fn suggest(s: &str) -> String {
    let mut out = String::new();
    for c in s.chars() {
        let c = c.to_ascii_lowercase();
        if c.is_ascii_lowercase() || c.is_ascii_digit() {
            out.push(c);
        } else if !out.is_empty() && !out.ends_with('-') {
            out.push('-');
        }
    }
    let out: String = out.trim_start_matches(|c: char| !c.is_ascii_lowercase()).chars().take(MAX_NAME).collect();
    out.trim_end_matches('-').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn says_which_rule_is_broken() {
        assert_eq!(check_name(""), Err(NameFault::Empty));
        assert_eq!(check_name("Shop"), Err(NameFault::Character { found: 'S' }));
        assert_eq!(check_name("1shop"), Err(NameFault::MustStartWithLetter));
        assert_eq!(check_name("shop-"), Err(NameFault::MustNotEndWithHyphen));
        assert_eq!(check_name(&"a".repeat(41)), Err(NameFault::TooLong { max: 40 }));
        assert_eq!(check_name("claims-portal"), Ok(()));
        assert_eq!(check_env_name("MESOS_TASK_ID"), Err(NameFault::Reserved));
        assert_eq!(check_env_name("DB_URL"), Ok(()));
    }

    proptest! {
        #[test]
        fn a_suggestion_is_legal_or_empty(s in ".{0,80}") {
            let t = suggest(&s);
            prop_assert!(t.is_empty() || check_name(&t).is_ok(), "{t:?}");
        }
    }
}
