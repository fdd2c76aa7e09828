//! A slapd of its own for each test: certificates, people, groups in groups.

use padis_drivers::ldap::{GroupSource, LdapConfig};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

pub struct Slapd {
    pub folder: tempfile::TempDir,
    pub plain_port: u16,
    pub tls_port: u16,
    child: Child,
}

fn run(program: &str, args: &[&str], folder: &Path) -> String {
    let out = Command::new(program).args(args).current_dir(folder).output();
    let out = out.unwrap_or_else(|e| panic!("{program} (Debian's openssl, slapd and ldap-utils are needed): {e}"));
    assert!(out.status.success(), "{program} {args:?}: {}", String::from_utf8_lossy(&out.stderr));
    String::from_utf8(out.stdout).unwrap()
}

fn free_port() -> u16 {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// A certificate authority and, signed by it, a certificate for loopback.
fn certificates(folder: &Path) {
    super::certificates::authority(folder, "ca");
    super::certificates::server(folder, "ca", "server", "DNS:localhost,IP:127.0.0.1");
}

fn setup(folder: &Path) -> String {
    let at = folder.display();
    let password = run("slappasswd", &["-s", "adminpw"], folder);
    let password = password.trim();
    let schemas: String = ["core", "cosine", "inetorgperson"]
        .iter()
        .map(|s| format!("include: file:///etc/ldap/schema/{s}.ldif\n"))
        .collect();
    format!(
        "dn: cn=config
objectClass: olcGlobal
cn: config
olcPidFile: {at}/slapd.pid
olcTLSCACertificateFile: {at}/ca.crt
olcTLSCertificateFile: {at}/server.crt
olcTLSCertificateKeyFile: {at}/server.key

dn: cn=module{{0}},cn=config
objectClass: olcModuleList
cn: module{{0}}
olcModulePath: /usr/lib/ldap
olcModuleLoad: back_mdb
olcModuleLoad: memberof

dn: cn=schema,cn=config
objectClass: olcSchemaConfig
cn: schema

{schemas}
dn: olcDatabase=mdb,cn=config
objectClass: olcDatabaseConfig
objectClass: olcMdbConfig
olcDatabase: mdb
olcDbDirectory: {at}/db
olcSuffix: dc=test
olcRootDN: cn=admin,dc=test
olcRootPW: {password}
olcDbIndex: uid,cn,member eq
olcAccess: to attrs=userPassword by anonymous auth by * none
olcAccess: to * by dn.exact=\"cn=portal,dc=test\" read by * none

dn: olcOverlay=memberof,olcDatabase={{1}}mdb,cn=config
objectClass: olcOverlayConfig
objectClass: olcMemberOf
olcOverlay: memberof
olcMemberOfRefInt: TRUE
"
    )
}

/// alice is in `ops`, `ops` in `staff`, `staff` in `all`, and `all` in `ops`: a loop.
const PEOPLE: &str = "dn: dc=test
objectClass: domain
dc: test

dn: cn=portal,dc=test
objectClass: organizationalRole
objectClass: simpleSecurityObject
cn: portal
userPassword: portalpw

dn: ou=people,dc=test
objectClass: organizationalUnit
ou: people

dn: ou=Groups,dc=test
objectClass: organizationalUnit
ou: Groups

dn: uid=Alice,ou=people,dc=test
objectClass: inetOrgPerson
uid: Alice
cn: Alice Zhang
displayName:: 5byg54ix5Li9
sn: Zhang
mail: alice@example.test
userPassword: pw-alice

dn: uid=bob,ou=people,dc=test
objectClass: inetOrgPerson
uid: bob
cn: Bob (Ops) *Star*
sn: x
userPassword: pw-bob

dn: cn=Ward\\, Ann (Night*),ou=people,dc=test
objectClass: inetOrgPerson
uid: ann
cn: Ward, Ann (Night*)
sn: Ward
userPassword: pw-ann

dn: uid=twin,ou=people,dc=test
objectClass: inetOrgPerson
uid: twin
cn: Twin One
sn: x
userPassword: pw-twin

dn: cn=Twin Two,ou=people,dc=test
objectClass: inetOrgPerson
uid: twin
cn: Twin Two
sn: x
userPassword: pw-twin

dn: uid=nopassword,ou=people,dc=test
objectClass: inetOrgPerson
uid: nopassword
cn: No Password
sn: x

dn: cn=Ops,ou=Groups,dc=test
objectClass: groupOfNames
cn: Ops
member: uid=Alice,ou=people,dc=test

dn: cn=Staff,ou=Groups,dc=test
objectClass: groupOfNames
cn: Staff
member: cn=Ops,ou=Groups,dc=test
member: cn=Ward\\, Ann (Night*),ou=people,dc=test

dn: cn=All,ou=Groups,dc=test
objectClass: groupOfNames
cn: All
member: cn=Staff,ou=Groups,dc=test

dn: cn=Ops,ou=Groups,dc=test
changetype: modify
add: member
member: cn=All,ou=Groups,dc=test
";

impl Slapd {
    pub async fn new() -> Self {
        tokio::task::spawn_blocking(Self::start).await.unwrap()
    }

    fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let at = folder.path();
        certificates(at);
        for name in ["config", "db"] {
            std::fs::create_dir(at.join(name)).unwrap();
        }
        std::fs::write(at.join("setup.ldif"), setup(at)).unwrap();
        run("slapadd", &["-n", "0", "-F", "config", "-l", "setup.ldif"], at);
        let (plain_port, tls_port) = (free_port(), free_port());
        let urls = format!("ldap://127.0.0.1:{plain_port} ldaps://127.0.0.1:{tls_port}");
        let mut command = Command::new("slapd");
        // `-d 0` keeps it in the foreground: it ends when we end it.
        command.args(["-h", &urls, "-F", "config", "-d", "0"]).current_dir(at);
        let child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("Debian's slapd is needed");
        let slapd = Self { folder, plain_port, tls_port, child };
        let end = Instant::now() + Duration::from_secs(15);
        while std::net::TcpStream::connect(("127.0.0.1", tls_port)).is_err() {
            assert!(Instant::now() < end, "slapd does not start");
            std::thread::sleep(Duration::from_millis(10));
        }
        std::fs::write(slapd.folder.path().join("people.ldif"), PEOPLE).unwrap();
        let url = format!("ldap://127.0.0.1:{plain_port}");
        let add = ["-a", "-x", "-H", &url, "-D", "cn=admin,dc=test", "-w", "adminpw", "-f", "people.ldif"];
        run("ldapmodify", &add, slapd.folder.path());
        slapd
    }

    pub fn ca(&self) -> PathBuf {
        self.folder.path().join("ca.crt")
    }

    pub fn ldaps(&self) -> String {
        format!("ldaps://127.0.0.1:{}", self.tls_port)
    }

    pub fn plain(&self) -> String {
        format!("ldap://localhost:{}", self.plain_port)
    }

    /// The usual settings for these servers.
    pub fn config(&self, servers: &[String]) -> LdapConfig {
        LdapConfig {
            servers: servers.to_vec(),
            ca_file: self.ca(),
            bind_dn: "cn=portal,dc=test".to_owned(),
            bind_password: "portalpw".to_owned(),
            user_base: "ou=people,dc=test".to_owned(),
            group_base: "ou=Groups,dc=test".to_owned(),
            groups: GroupSource::Search,
            timeout_ms: 3000,
            ..LdapConfig::default()
        }
    }
}

impl Drop for Slapd {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}
