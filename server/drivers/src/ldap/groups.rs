//! All groups of a person, groups in groups included.
//!
//! One could get it wrong with loops (a group that is, over two others, a member of
//! itself: directories permit it), so every group is visited once, and levels and
//! number have limits.

use super::config::{GroupSource, LdapConfig};
use super::session::{Failure, Session};
use ldap3::{Scope, SearchEntry, ldap_escape};
use std::collections::BTreeSet;

/// Active Directory's rule that walks up membership itself (MS-ADTS 3.1.1.3.4.4.3).
const IN_CHAIN: &str = "1.2.840.113556.1.4.1941";

/// A distinguished name for comparison: lower case, no spaces around separators.
pub(super) fn normal(dn: &str) -> String {
    let mut out = String::with_capacity(dn.len());
    let mut escaped = false;
    for c in dn.trim().chars().flat_map(char::to_lowercase) {
        let after_separator = !escaped && c == ' ' && out.ends_with([',', '=', '+']) && !out.ends_with("\\,");
        if after_separator {
            continue;
        }
        if !escaped && matches!(c, ',' | '=' | '+') {
            while out.ends_with(' ') && !out.ends_with("\\ ") {
                out.pop();
            }
        }
        escaped = c == '\\' && !escaped;
        out.push(c);
    }
    out
}

/// The values of an attribute; its name's case does not matter.
pub(super) fn values<'a>(entry: &'a SearchEntry, attribute: &str) -> &'a [String] {
    entry.attrs.iter().find(|(name, _)| name.eq_ignore_ascii_case(attribute)).map_or(&[], |(_, v)| v)
}

fn group_base(config: &LdapConfig) -> &str {
    if config.group_base.is_empty() { &config.user_base } else { &config.group_base }
}

/// One level up from `dn`.
async fn above(config: &LdapConfig, session: &mut Session<'_>, dn: &str) -> Result<Vec<String>, Failure> {
    let most = i32::try_from(config.group_limit).unwrap_or(i32::MAX);
    let filter = match config.groups {
        GroupSource::MemberOf => {
            let attribute = config.member_of_attribute.as_str();
            let found = session.search(dn, Scope::Base, "(objectClass=*)", vec![attribute], 0).await?;
            return Ok(found.iter().flat_map(|e| values(e, attribute).to_vec()).collect());
        }
        GroupSource::Search => config.group_filter.replace("{dn}", &ldap_escape(dn)),
        GroupSource::InChain => format!("(member:{IN_CHAIN}:={})", ldap_escape(dn)),
    };
    // "1.1" asks for no attributes (RFC 4511 section 4.5.1.8): only the names are of interest.
    let found = session.search(group_base(config), Scope::Subtree, &filter, vec!["1.1"], most).await?;
    Ok(found.into_iter().map(|e| e.dn).collect())
}

/// All groups, normalised and sorted.
pub(super) async fn of(config: &LdapConfig, session: &mut Session<'_>, person: &str) -> Result<Vec<String>, Failure> {
    let mut seen = BTreeSet::new();
    let mut level = vec![person.to_owned()];
    let depth = if config.groups == GroupSource::InChain { 1 } else { config.group_depth };
    for _ in 0..depth {
        let mut next = Vec::new();
        for dn in level {
            for group in above(config, session, &dn).await? {
                if seen.len() >= config.group_limit as usize {
                    tracing::warn!(ldap.dn = %person, ldap.limit = config.group_limit, "a person has more groups than the limit; the rest does not count");
                    return Ok(seen.into_iter().collect());
                }
                if seen.insert(normal(&group)) {
                    next.push(group);
                }
            }
        }
        level = next;
        if level.is_empty() {
            break;
        }
    }
    Ok(seen.into_iter().collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_compared_without_case_and_separator_spaces() {
        assert_eq!(normal("CN=Ops Team , OU = Groups,DC=Test"), "cn=ops team,ou=groups,dc=test");
        assert_eq!(normal("cn=a\\, b,dc=x"), "cn=a\\, b,dc=x");
        assert_eq!(normal("cn=Ärzte,dc=x"), "cn=ärzte,dc=x");
    }
}
