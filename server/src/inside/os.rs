//! Which distribution an image is of, and what its packages are called by others: package
//! URLs (purl, ECMA-427) and the ecosystems of OSV.
//!
//! One could get it wrong by guessing: an image without `os-release` has packages of an
//! unknown distribution, and nothing is matched by the distribution then.

use padis_domain::view::{Contained, PackageOrigin};
use serde::{Deserialize, Serialize};

/// What `os-release(5)` says.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Os {
    /// `debian`.
    pub id: String,
    /// `12`; empty for one that only goes on (Debian's testing).
    pub version: String,
    /// For people: `Debian GNU/Linux 12 (bookworm)`.
    pub name: String,
}

impl Os {
    /// From the file's text.
    pub fn parse(text: &str) -> Self {
        let mut out = Self::default();
        for (key, value) in text.lines().filter_map(|l| l.split_once('=')) {
            let value = super::dpkg::word(value.trim().trim_matches(['"', '\'']));
            match key.trim() {
                "ID" => out.id = value.to_lowercase(),
                "VERSION_ID" => out.version = value,
                "PRETTY_NAME" => out.name = value,
                _ => {}
            }
        }
        out
    }

    /// As OSV's data names it: `Debian:12`, `Alpine:v3.20`; `None`: it has none of its own there.
    pub fn ecosystem(&self) -> Option<String> {
        let first = |n: usize| self.version.split('.').take(n).collect::<Vec<_>>().join(".");
        Some(match self.id.as_str() {
            "debian" => format!("Debian:{}", first(1)),
            "ubuntu" => format!("Ubuntu:{}", first(2)),
            "alpine" => format!("Alpine:v{}", first(2)),
            "rocky" => format!("Rocky Linux:{}", first(1)),
            "almalinux" => format!("AlmaLinux:{}", first(1)),
            "wolfi" => "Wolfi".to_owned(),
            "chainguard" => "Chainguard".to_owned(),
            _ => return None,
        })
    }
}

/// The package URL.
pub fn purl(p: &Contained, os: &Os) -> String {
    let (name, version, arch) = (escape(&p.name), escape(&p.version), escape(&p.arch));
    let space = |fallback: &str| escape(if os.id.is_empty() { fallback } else { &os.id });
    let mut more = Vec::new();
    if !arch.is_empty() {
        more.push(format!("arch={arch}"));
    }
    if !os.id.is_empty() && p.origin != PackageOrigin::Jar {
        let release = if os.version.is_empty() { os.id.clone() } else { format!("{}-{}", os.id, os.version) };
        more.push(format!("distro={}", escape(&release)));
    }
    let more = if more.is_empty() { String::new() } else { format!("?{}", more.join("&")) };
    match p.origin {
        PackageOrigin::Dpkg => format!("pkg:deb/{}/{name}@{version}{more}", space("debian")),
        PackageOrigin::Apk => format!("pkg:apk/{}/{name}@{version}{more}", space("alpine")),
        PackageOrigin::Rpm => format!("pkg:rpm/{}/{name}@{version}{more}", space("redhat")),
        PackageOrigin::Jar => {
            let at = if version.is_empty() { String::new() } else { format!("@{version}") };
            match p.name.split_once(':') {
                Some((group, artifact)) => format!("pkg:maven/{}/{}{at}", escape(group), escape(artifact)),
                None => format!("pkg:generic/{name}{at}"),
            }
        }
    }
}

/// Percent-encoded but for letters, digits and `.-_~`, as the specification wants it.
fn escape(s: &str) -> String {
    let mut out = String::with_capacity(s.len());
    for b in s.bytes() {
        match b {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'.' | b'-' | b'_' | b'~' | b':' => out.push(char::from(b)),
            _ => out.push_str(&format!("%{b:02X}")),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_package_is_called_as_others_call_it() {
        let os = Os::parse("PRETTY_NAME=\"Debian GNU/Linux 12 (bookworm)\"\nID=debian\nVERSION_ID=\"12\"\n");
        assert_eq!(os.name, "Debian GNU/Linux 12 (bookworm)");
        assert_eq!(os.ecosystem().as_deref(), Some("Debian:12"));
        let of = |origin, name: &str, version: &str, arch: &str| Contained {
            origin,
            name: name.into(),
            version: version.into(),
            arch: arch.into(),
            ..Contained::default()
        };
        let deb = of(PackageOrigin::Dpkg, "libstdc++6", "1:12.2.0-14+b1", "amd64");
        assert_eq!(purl(&deb, &os), "pkg:deb/debian/libstdc%2B%2B6@1:12.2.0-14%2Bb1?arch=amd64&distro=debian-12");
        let jar = of(PackageOrigin::Jar, "org.apache.logging.log4j:log4j-core", "2.14.1", "");
        assert_eq!(purl(&jar, &os), "pkg:maven/org.apache.logging.log4j/log4j-core@2.14.1");
        let alpine = Os::parse("ID=alpine\nVERSION_ID=3.20.3\n");
        assert_eq!(alpine.ecosystem().as_deref(), Some("Alpine:v3.20"));
        let apk = of(PackageOrigin::Apk, "musl", "1.2.5-r0", "x86_64");
        assert_eq!(purl(&apk, &alpine), "pkg:apk/alpine/musl@1.2.5-r0?arch=x86_64&distro=alpine-3.20.3");
        assert_eq!(purl(&deb, &Os::default()), "pkg:deb/debian/libstdc%2B%2B6@1:12.2.0-14%2Bb1?arch=amd64");
    }
}
