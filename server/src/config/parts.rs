//! The groups of settings, each with the place where it is read.

use super::secret::Secret;
use super::source::Reader;
use padis_domain::package;
use padis_domain::words::PlatformRole;
use padis_drivers::ldap::{GroupSource, LdapConfig};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;

/// The data folder unless configured otherwise.
pub const DEFAULT_DATA: &str = "/var/lib/padis";
pub(super) const ADDRESS: &str = "an address with a port, like 127.0.0.1:3000";
pub(super) const BOOL: &str = "true or false";

pub(super) fn loopback(port: u16) -> SocketAddr {
    SocketAddr::from((Ipv4Addr::LOCALHOST, port))
}

/// Whether cookies are for HTTPS only.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SecureCookies {
    /// Off only on plain loopback.
    Auto,
    /// Always.
    On,
    /// Never: for a trusted network without HTTPS.
    Off,
}

/// The log.
#[derive(Debug, Clone)]
pub struct Log {
    /// JSON lines instead of text.
    pub json: bool,
    /// Filter in tracing's form, e.g. `info,padis_server=debug`.
    pub filter: String,
}
impl Log {
    pub(super) fn read(r: &mut Reader) -> Self {
        Self {
            json: r.choice("log.format", "text", &[("text", false), ("json", true)], false, "text or json"),
            filter: r.get(
                "log.filter",
                "info,hickory_server=warn".to_owned(),
                "a filter",
                "what is logged, e.g. info,padis_server=debug",
            ),
        }
    }
}

/// Sessions and sign-in.
#[derive(Debug, Clone)]
pub struct Session {
    /// A session ends after this time without a request.
    pub idle: Duration,
    /// A session ends after this time in any case.
    pub absolute: Duration,
    /// Failed sign-ins of one account within the window until it has to wait.
    pub failures: u32,
    /// The same for one client address; an office may share one.
    pub failures_address: u32,
    /// The window.
    pub window: Duration,
}
impl Session {
    pub(super) fn read(r: &mut Reader) -> Self {
        let s = Duration::from_secs;
        Self {
            idle: s(r.within("session.idle_s", 7_200, 60..=2_592_000, "seconds without a request that end a session")),
            absolute: s(r.within("session.absolute_s", 43_200, 60..=31_536_000, "seconds after which a session ends")),
            failures: r.within("signin.failures", 10, 1..=1_000, "failed sign-ins of an account until it waits"),
            failures_address: r.within("signin.failures_address", 30, 1..=10_000, "the same for a client address"),
            window: s(r.within("signin.window_s", 900, 1..=86_400, "seconds within which failures count together")),
        }
    }
}

/// One agent of the built-in engine.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Agent {
    /// Name, unique.
    pub name: String,
    /// Mesos attributes.
    #[serde(default)]
    pub attributes: BTreeMap<String, String>,
    /// Share of the machine (0 to 1); `cpus` and `mem_mib` override it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub share: Option<f64>,
    /// Cores.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cpus: Option<f64>,
    /// MiB.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mem_mib: Option<u64>,
    /// Another Docker socket.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub docker: Option<String>,
}

/// The built-in engine.
#[derive(Debug, Clone)]
pub struct Engine {
    /// Whether it runs; without it `marathon.urls` and `mesos.urls` are needed.
    pub enabled: bool,
    /// Marathon API.
    pub marathon_listen: SocketAddr,
    /// Mesos API.
    pub mesos_listen: SocketAddr,
    /// Its agents.
    pub agents: Vec<Agent>,
    /// Cores offered for each real one.
    pub cpu_overcommit: f64,
    /// Share of the machine's memory that is offered.
    pub mem_share: f64,
}
impl Engine {
    pub(super) fn read(r: &mut Reader) -> Self {
        let agent = |stage: &str| Agent {
            name: format!("padis-{stage}"),
            attributes: [("stage".to_owned(), stage.to_owned())].into(),
            share: Some(0.5),
            cpus: None,
            mem_mib: None,
            docker: None,
        };
        let agents = vec![agent("dev"), agent("prod")];
        Self {
            enabled: r.get("engine.enabled", true, BOOL, "run the built-in engine on Docker"),
            marathon_listen: r.get("engine.marathon_listen", loopback(8080), ADDRESS, "its Marathon API"),
            mesos_listen: r.get("engine.mesos_listen", loopback(5050), ADDRESS, "its Mesos API"),
            agents: r.tables(
                "engine.agents",
                agents,
                "its agents: name, attributes, share or cpus and mem_mib, docker",
            ),
            cpu_overcommit: r.within("engine.cpu_overcommit", 4.0, 0.1..=64.0, "cores offered for each real one"),
            mem_share: r.within("engine.mem_share", 0.75, 0.01..=1.0, "share of the machine's memory that is offered"),
        }
    }
}

/// Marathon and Mesos, when not the built-in engine.
#[derive(Debug, Clone)]
pub struct Marathon {
    /// Base URLs, tried in order.
    pub urls: Vec<String>,
    /// Basic authentication.
    pub user: Option<String>,
    /// Its password.
    pub password: Option<Secret>,
    /// Token for `Authorization: token=…`.
    pub token: Option<Secret>,
    /// PEM file of the authorities that may sign its certificate; else those that the machine trusts.
    pub ca: Option<String>,
    /// Base URLs of the Mesos masters.
    pub mesos: Vec<String>,
    /// Principal for masters with authentication; else Marathon's user is tried there too.
    pub principal: Option<String>,
    /// Its secret.
    pub secret: Option<Secret>,
    /// PEM file of the authorities that may sign the certificates of masters and agents.
    pub mesos_ca: Option<String>,
    /// TLS ends before the masters, agents speak none.
    pub mesos_plain_agents: bool,
}
impl Marathon {
    pub(super) fn read(r: &mut Reader) -> Self {
        let this = Self {
            urls: r.list("marathon.urls", Vec::new(), "a URL", "Marathon's addresses, when engine.enabled is false"),
            user: r.maybe("marathon.user", "its user; the built-in engine asks for it too"),
            password: r.secret("marathon.password", "its password"),
            token: r.secret("marathon.token", "its token"),
            ca: r.maybe("marathon.ca", "PEM file of the authorities that sign its certificate; else the machine's"),
            mesos: r.list("mesos.urls", Vec::new(), "a URL", "the Mesos masters, when engine.enabled is false"),
            principal: r.maybe("mesos.principal", "for masters with authentication; the engine's on Mesos, too"),
            secret: r.secret("mesos.secret", "its secret"),
            mesos_ca: r.maybe("mesos.ca", "PEM file of the authorities that sign its certificates; else the machine's"),
            mesos_plain_agents: r.get(
                "mesos.plain_agents",
                false,
                BOOL,
                "agents speak no TLS though masters at https:// do",
            ),
        };
        if this.secret.is_some() && this.principal.is_none() {
            r.blame("mesos.secret", "mesos.secret needs mesos.principal");
        }
        this
    }
}

/// Names.
#[derive(Debug, Clone)]
pub struct Dns {
    /// UDP and TCP.
    pub listen: SocketAddr,
    /// Zones that we answer for.
    pub zones: Vec<String>,
}
impl Dns {
    pub(super) fn read(r: &mut Reader) -> Self {
        Self {
            listen: r.get("dns.listen", loopback(5353), ADDRESS, "the name server, UDP and TCP"),
            zones: r.list("dns.zones", vec!["padis.localhost".to_owned()], "a domain", "zones that it answers for"),
        }
    }
}

/// The load balancer.
#[derive(Debug, Clone)]
pub struct Balancer {
    /// HTTP by host name.
    pub listen: SocketAddr,
    /// The address that names resolve to.
    pub address: IpAddr,
    /// The program.
    pub program: String,
}
impl Balancer {
    pub(super) fn read(r: &mut Reader) -> Self {
        Self {
            listen: r.get("balancer.listen", loopback(8000), ADDRESS, "the load balancer, HTTP by host name"),
            address: r.get("balancer.address", Ipv4Addr::LOCALHOST.into(), "an IP address", "what names resolve to"),
            program: r.get("balancer.program", "haproxy".to_owned(), "a program", "HAProxy's program"),
        }
    }
}

/// A role on the platform for the members of a directory group.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GroupRole {
    /// The group's distinguished name.
    pub group: String,
    /// `operator` or `auditor`.
    pub role: PlatformRole,
}

/// LDAP or Active Directory.
#[derive(Debug, Clone)]
pub struct Ldap {
    /// How to reach it and what to ask.
    pub driver: LdapConfig,
    /// Roles on the platform by group.
    pub roles: Vec<GroupRole>,
}
impl Ldap {
    pub(super) fn read(r: &mut Reader) -> Option<Self> {
        let d = LdapConfig::default();
        let enabled = r.get("ldap.enabled", false, BOOL, "sign in through LDAP or Active Directory, too");
        let words =
            [("member-of", GroupSource::MemberOf), ("search", GroupSource::Search), ("in-chain", GroupSource::InChain)];
        let plain = "permit ldap:// without StartTLS to loopback addresses";
        let driver = LdapConfig {
            servers: r.list("ldap.urls", Vec::new(), "a URL", "the servers, tried in order: ldaps://… or ldap://…"),
            start_tls: r.get("ldap.start_tls", d.start_tls, BOOL, "upgrade ldap:// by StartTLS"),
            allow_plain_loopback: r.get("ldap.allow_plain_loopback", false, BOOL, plain),
            ca_file: r
                .get("ldap.ca", text(&d.ca_file.display()), "a path", "PEM file of the authorities that may sign")
                .into(),
            bind_dn: r.maybe("ldap.bind_dn", "who searches; empty: anonymous").unwrap_or_default(),
            bind_password: r
                .secret("ldap.bind_password", "its password")
                .map(|s| s.reveal().to_owned())
                .unwrap_or_default(),
            bind_password_file: r.maybe("ldap.bind_password_file", "a file that holds it").unwrap_or_default().into(),
            user_base: r.get("ldap.base", String::new(), "a distinguished name", "below which people are searched"),
            user_filter: r.get("ldap.filter", d.user_filter, "a filter", "finds a person; {account} is replaced"),
            account_attribute: r.get("ldap.account_attribute", d.account_attribute, "a name", "holds the account name"),
            name_attributes: r.list(
                "ldap.name_attributes",
                d.name_attributes,
                "a name",
                "hold the display name, in order",
            ),
            mail_attribute: r.get("ldap.mail_attribute", d.mail_attribute, "a name", "holds the mail address"),
            groups: r.choice(
                "ldap.groups",
                "member-of",
                &words,
                GroupSource::MemberOf,
                "member-of, search or in-chain",
            ),
            member_of_attribute: r.get(
                "ldap.member_of_attribute",
                d.member_of_attribute,
                "a name",
                "names a person's groups",
            ),
            group_base: r.get(
                "ldap.group_base",
                String::new(),
                "a distinguished name",
                "below which groups are searched",
            ),
            group_filter: r.get("ldap.group_filter", d.group_filter, "a filter", "finds groups; {dn} is replaced"),
            group_depth: r.within("ldap.group_depth", d.group_depth, 1..=100, "levels of groups in groups"),
            group_limit: r.within("ldap.group_limit", d.group_limit, 1..=100_000, "a person's groups at most"),
            timeout_ms: r.within("ldap.timeout_ms", d.timeout_ms, 100..=60_000, "for one server to answer a sign-in"),
            retry_after_s: r.within(
                "ldap.retry_after_s",
                d.retry_after_s,
                1..=3_600,
                "a server that failed is tried last",
            ),
            ..LdapConfig::default()
        };
        let roles =
            r.tables("ldap.roles", Vec::new(), "roles on the platform: group, role (operator, auditor, engineer)");
        if enabled && (driver.servers.is_empty() || driver.user_base.is_empty()) {
            r.blame("ldap.enabled", "ldap.enabled needs ldap.urls and ldap.base");
        }
        enabled.then_some(Self { driver, roles })
    }
}

fn text(d: &dyn std::fmt::Display) -> String {
    d.to_string()
}

/// Images of databases and of machine learning have 20 GiB, unpacked; the disk's free room
/// is a limit of its own.
const MAX_ARCHIVE_BYTES: u64 = 32 << 30;

/// Uploads.
#[derive(Debug, Clone)]
pub struct Upload {
    /// Largest upload in bytes.
    pub max_bytes: u64,
    /// Largest unpacked size in bytes.
    pub max_unpacked_bytes: u64,
    /// Largest file with an image in bytes, unpacked if it is packed.
    pub max_archive_bytes: u64,
    /// Largest number of entries.
    pub max_entries: u64,
    /// Bytes of the disk that uploads leave free.
    pub keep_free_bytes: u64,
    /// An upload that nothing was added to for this long is forgotten.
    pub forget: Duration,
}
impl Upload {
    pub(super) fn read(r: &mut Reader) -> Self {
        let any = 1..=u64::MAX;
        let unpacked = package::MAX_UNPACKED_BYTES;
        let hours = Duration::from_secs;
        Self {
            max_bytes: r.within("upload.max_bytes", package::MAX_PACKAGE_BYTES, any.clone(), "largest upload"),
            max_unpacked_bytes: r.within("upload.max_unpacked_bytes", unpacked, any.clone(), "largest unpacked size"),
            max_archive_bytes: r.within(
                "upload.max_archive_bytes",
                MAX_ARCHIVE_BYTES,
                any.clone(),
                "largest file with an image that is brought in",
            ),
            max_entries: r.within("upload.max_entries", package::MAX_ENTRIES, any, "largest number of files inside"),
            keep_free_bytes: r.within("upload.keep_free_bytes", 256 << 20, 0..=u64::MAX, "of the disk, left alone"),
            forget: hours(r.within(
                "upload.forget_s",
                86_400,
                60..=31_536_000,
                "seconds until a broken upload is forgotten",
            )),
        }
    }
}

/// The reconciler.
#[derive(Debug, Clone)]
pub struct Reconcile {
    /// Work rows handled at the same time.
    pub workers: u32,
    /// Everything is looked at again after this time.
    pub sweep: Duration,
    /// An event stream that is silent for longer counts as broken.
    pub silence: Duration,
    /// Between two looks at hosts, use and balancer figures.
    pub observe: Duration,
    /// The longest time that an instance has to finish its requests.
    pub drain: Duration,
    /// Seconds between asking a process to end and ending it.
    pub kill_grace_s: u32,
}
impl Reconcile {
    pub(super) fn read(r: &mut Reader) -> Self {
        let (s, ms) = (Duration::from_secs, Duration::from_millis);
        Self {
            workers: r.within("reconcile.workers", 4, 1..=256, "applications handled at the same time"),
            sweep: s(r.within("reconcile.sweep_s", 20, 1..=3_600, "seconds between two looks at everything")),
            silence: s(r.within(
                "reconcile.silence_s",
                45,
                1..=3_600,
                "seconds after which a silent event stream is broken",
            )),
            observe: ms(r.within(
                "reconcile.observe_ms",
                2_000,
                100..=600_000,
                "between two looks at hosts and figures",
            )),
            drain: s(r.within(
                "reconcile.drain_s",
                30,
                0..=3_600,
                "seconds that an instance has to finish its requests",
            )),
            kill_grace_s: r.within(
                "reconcile.kill_grace_s",
                10,
                0..=600,
                "between asking a process to end and ending it",
            ),
        }
    }
}
