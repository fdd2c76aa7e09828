//! Settings of the directory, and what must hold before any of them is used.
//!
//! One could get it wrong by being lenient: a password over a plain connection, or
//! a filter without the account in it (which would find the same person for
//! everybody), is refused at start, not noticed at the first sign-in.

use serde::Deserialize;
use std::net::IpAddr;
use std::path::PathBuf;
use url::Url;

/// Where group membership stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GroupSource {
    /// In an attribute of the person and of each group ([`LdapConfig::member_of_attribute`]).
    #[default]
    MemberOf,
    /// In the groups: search for those that have the person as a member, and again
    /// for those that have these groups as members.
    Search,
    /// As [`GroupSource::Search`], but Active Directory walks up itself
    /// (`LDAP_MATCHING_RULE_IN_CHAIN`): one search for any depth.
    InChain,
}

/// LDAP or Active Directory.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LdapConfig {
    /// Servers in order of preference: `ldaps://ldap1.example.com`, `ldap://ldap2.example.com:389`.
    pub servers: Vec<String>,
    /// StartTLS on `ldap://` servers (RFC 4511 section 4.14).
    pub start_tls: bool,
    /// Permits `ldap://` without StartTLS, to loopback addresses only: for a proxy on the same machine.
    pub allow_plain_loopback: bool,
    /// Certificates of the authorities that may sign the servers' certificates, PEM.
    /// Default: those of the operating system.
    pub ca_file: PathBuf,
    /// Who searches for people. Empty: anonymous.
    pub bind_dn: String,
    /// Its password. Prefer one of the two below.
    pub bind_password: String,
    /// Name of an environment variable that holds the password.
    pub bind_password_env: String,
    /// A file that holds the password (its last line break is dropped).
    pub bind_password_file: PathBuf,
    /// Where people are: `ou=people,dc=example,dc=com`.
    pub user_base: String,
    /// How a person is found; `{account}` becomes what they typed, escaped (RFC 4515).
    /// For Active Directory: `(&(objectCategory=person)(sAMAccountName={account}))`.
    pub user_filter: String,
    /// The attribute that holds the account (`uid`, or `sAMAccountName`).
    pub account_attribute: String,
    /// Attributes for the display name; the first that is present is taken.
    pub name_attributes: Vec<String>,
    /// The attribute that holds the mail address.
    pub mail_attribute: String,
    /// Where group membership stands.
    pub groups: GroupSource,
    /// The attribute of a person or group that names its groups.
    pub member_of_attribute: String,
    /// Where groups are; empty: where people are.
    pub group_base: String,
    /// How the groups of `{dn}` are found.
    pub group_filter: String,
    /// Groups in groups in groups …: at most this many levels.
    pub group_depth: u32,
    /// A person's groups at most, nested ones included.
    pub group_limit: u32,
    /// Milliseconds for one server to answer a whole sign-in.
    pub timeout_ms: u64,
    /// Seconds for which a server that failed is tried last.
    pub retry_after_s: u64,
}

impl Default for LdapConfig {
    fn default() -> Self {
        let text = str::to_owned;
        Self {
            servers: Vec::new(),
            start_tls: true,
            allow_plain_loopback: false,
            ca_file: "/etc/ssl/certs/ca-certificates.crt".into(),
            bind_dn: String::new(),
            bind_password: String::new(),
            bind_password_env: String::new(),
            bind_password_file: PathBuf::new(),
            user_base: String::new(),
            user_filter: text("(&(objectClass=person)(uid={account}))"),
            account_attribute: text("uid"),
            name_attributes: vec![text("displayName"), text("cn")],
            mail_attribute: text("mail"),
            groups: GroupSource::default(),
            member_of_attribute: text("memberOf"),
            group_base: String::new(),
            group_filter: text("(member={dn})"),
            group_depth: 10,
            group_limit: 1000,
            timeout_ms: 4000,
            retry_after_s: 30,
        }
    }
}

/// Everything but the password.
impl std::fmt::Debug for LdapConfig {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("LdapConfig")
            .field("servers", &self.servers)
            .field("start_tls", &self.start_tls)
            .field("ca_file", &self.ca_file)
            .field("bind_dn", &self.bind_dn)
            .field("user_base", &self.user_base)
            .field("user_filter", &self.user_filter)
            .field("groups", &self.groups)
            .finish_non_exhaustive()
    }
}

/// Why the settings can't be used.
#[derive(Debug, thiserror::Error)]
pub enum LdapConfigError {
    /// A setting is missing or wrong.
    #[error("directory setting `{setting}`: {why}")]
    Setting {
        /// Its name.
        setting: &'static str,
        /// In words.
        why: String,
    },
    /// A file can't be read.
    #[error("directory setting `{setting}`: cannot read {path}")]
    File {
        /// The setting's name.
        setting: &'static str,
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        cause: std::io::Error,
    },
}

pub(super) fn wrong(setting: &'static str, why: impl Into<String>) -> LdapConfigError {
    LdapConfigError::Setting { setting, why: why.into() }
}

impl LdapConfig {
    /// The servers' URLs, each one safe to send a password to.
    pub(super) fn urls(&self) -> Result<Vec<Url>, LdapConfigError> {
        if self.servers.is_empty() {
            return Err(wrong("servers", "no server is named"));
        }
        self.servers.iter().map(|text| self.url(text)).collect()
    }

    fn url(&self, text: &str) -> Result<Url, LdapConfigError> {
        let url = Url::parse(text).map_err(|e| wrong("servers", format!("“{text}” is not a URL: {e}")))?;
        let host = url.host_str().filter(|h| !h.is_empty());
        let host = host.ok_or_else(|| wrong("servers", format!("“{text}” names no host")))?;
        // Not `Url::host`: it knows IPv4 addresses in web schemes only.
        let ip = host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
        let loopback = host == "localhost" || ip.is_ok_and(|ip| ip.is_loopback());
        if !url.username().is_empty() || url.password().is_some() {
            return Err(wrong("servers", "a URL must not hold an account or password"));
        }
        match url.scheme() {
            "ldaps" => Ok(url),
            "ldap" if self.start_tls || (self.allow_plain_loopback && loopback) => Ok(url),
            "ldap" => Err(wrong(
                "servers",
                format!(
                    "“{text}” would send passwords unencrypted: use ldaps://, or set start_tls \
(allow_plain_loopback permits it for loopback addresses only)"
                ),
            )),
            other => Err(wrong("servers", format!("“{other}” is neither ldaps nor ldap"))),
        }
    }

    /// The service account's password, from the first source that is set.
    pub(super) fn password(&self) -> Result<String, LdapConfigError> {
        let password = if !self.bind_password_file.as_os_str().is_empty() {
            let path = self.bind_password_file.clone();
            let text = std::fs::read_to_string(&path).map_err(|cause| LdapConfigError::File {
                setting: "bind_password_file",
                path,
                cause,
            })?;
            text.trim_end_matches(['\r', '\n']).to_owned()
        } else if !self.bind_password_env.is_empty() {
            std::env::var(&self.bind_password_env).map_err(|_| {
                wrong("bind_password_env", format!("the variable {} is not set", self.bind_password_env))
            })?
        } else {
            self.bind_password.clone()
        };
        if !self.bind_dn.is_empty() && password.is_empty() {
            return Err(wrong(
                "bind_password",
                "the service account has no password (an empty one would be an anonymous bind)",
            ));
        }
        Ok(password)
    }

    /// Whether the filters can do their work.
    pub(super) fn check_filters(&self) -> Result<(), LdapConfigError> {
        let try_out = |setting, filter: &str, place: &str| {
            if !filter.contains(place) {
                return Err(wrong(setting, format!("“{filter}” does not hold {place}")));
            }
            ldap3::parse_filter(filter.replace(place, "x"))
                .map(drop)
                .map_err(|_| wrong(setting, format!("“{filter}” is not a filter (RFC 4515)")))
        };
        if self.user_base.is_empty() {
            return Err(wrong("user_base", "it is not set"));
        }
        try_out("user_filter", &self.user_filter, "{account}")?;
        try_out("group_filter", &self.group_filter, "{dn}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(server: &str) -> LdapConfig {
        LdapConfig { servers: vec![server.to_owned()], user_base: "dc=test".to_owned(), ..LdapConfig::default() }
    }

    #[test]
    fn a_password_never_goes_over_a_plain_connection_to_another_machine() {
        assert!(with("ldaps://h").urls().is_ok());
        assert!(with("ldap://h").urls().is_ok());
        let plain = |server| LdapConfig { start_tls: false, ..with(server) };
        assert!(plain("ldap://127.0.0.1").urls().is_err());
        let allowed = |server| LdapConfig { allow_plain_loopback: true, ..plain(server) };
        assert!(allowed("ldap://127.0.0.1:3890").urls().is_ok());
        assert!(allowed("ldap://[::1]").urls().is_ok());
        assert!(allowed("ldap://10.0.0.1").urls().is_err());
        assert!(with("http://h").urls().is_err());
        assert!(with("ldaps://u:p@h").urls().is_err());
    }

    #[test]
    fn settings_that_cannot_work_are_refused() {
        assert!(with("ldaps://h").check_filters().is_ok());
        let filter = |f: &str| LdapConfig { user_filter: f.to_owned(), ..with("ldaps://h") };
        assert!(filter("(uid=bob)").check_filters().is_err());
        assert!(filter("((uid={account})").check_filters().is_err());
        let service = LdapConfig { bind_dn: "cn=x".to_owned(), ..with("ldaps://h") };
        assert!(service.password().is_err());
        let secret = LdapConfig { bind_password: "s3cret".to_owned(), ..with("ldaps://h") };
        assert!(!format!("{secret:?}").contains("s3cret"));
    }
}
