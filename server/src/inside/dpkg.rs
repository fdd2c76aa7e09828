//! The package databases of Debian (dpkg) and of Alpine (apk), which are texts.
//!
//! `var/lib/dpkg/status` holds a stanza for each package; images without dpkg itself have
//! one file for each in `status.d`. What one could get wrong: a package that was removed
//! still has its stanza there, and vulnerabilities are told of the SOURCE package.

use padis_domain::view::{Contained, PackageOrigin};

/// Packages of one database; more are nobody's.
const MAX_PACKAGES: usize = 20_000;
/// Characters of a name, a version, a license.
const MAX_WORD: usize = 256;

/// A word as it is shown and kept.
pub fn word(s: &str) -> String {
    s.trim().chars().filter(|c| !c.is_control()).take(MAX_WORD).collect()
}

/// `source` of `name (version)`, and the version where it is another.
fn source(field: &str, version: &str) -> (String, String) {
    match field.split_once('(') {
        Some((name, rest)) => (word(name), word(rest.trim_end().trim_end_matches(')'))),
        None => (word(field), version.to_owned()),
    }
}

/// The packages that are installed by dpkg.
pub fn dpkg(text: &str, path: &str) -> Vec<Contained> {
    let mut out = Vec::new();
    for stanza in text.split("\n\n") {
        let field = |name: &str| {
            let line = stanza.lines().find_map(|l| l.split_once(':').filter(|(k, _)| k.eq_ignore_ascii_case(name)));
            line.map(|(_, v)| v.trim()).unwrap_or_default()
        };
        let (name, version, status) = (word(field("Package")), word(field("Version")), field("Status"));
        let installed = status.is_empty() || status.split_whitespace().next_back() == Some("installed");
        if name.is_empty() || version.is_empty() || !installed {
            continue;
        }
        let (source, source_version) = match field("Source") {
            "" => (name.clone(), version.clone()),
            told => source(told, &version),
        };
        out.push(Contained {
            origin: PackageOrigin::Dpkg,
            name,
            arch: word(field("Architecture")),
            version,
            source,
            source_version,
            path: path.to_owned(),
            ..Contained::default()
        });
        if out.len() >= MAX_PACKAGES {
            break;
        }
    }
    out
}

/// The packages that are installed by apk (apk-tools, "Installed database").
pub fn apk(text: &str, path: &str) -> Vec<Contained> {
    let mut out = Vec::new();
    for stanza in text.split("\n\n") {
        let field = |letter: char| {
            let mut lines = stanza.lines();
            lines.find_map(|l| l.strip_prefix(letter)?.strip_prefix(':')).map(word).unwrap_or_default()
        };
        let (name, version) = (field('P'), field('V'));
        if name.is_empty() || version.is_empty() {
            continue;
        }
        let origin = field('o');
        out.push(Contained {
            origin: PackageOrigin::Apk,
            source: if origin.is_empty() { name.clone() } else { origin },
            source_version: version.clone(),
            name,
            version,
            arch: field('A'),
            license: field('L'),
            path: path.to_owned(),
            ..Contained::default()
        });
        if out.len() >= MAX_PACKAGES {
            break;
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_dpkg_has_installed_is_told_with_its_source() {
        let text = "Package: libssl3\nStatus: install ok installed\nArchitecture: amd64\nSource: openssl (3.0.11-1)\n\
                    Version: 3.0.11-1~deb12u2\nDescription: TLS\n .\n Package: none\n\n\
                    Package: gone\nStatus: deinstall ok config-files\nVersion: 1\n\n\
                    Package: base-files\nVersion: 12.4\nArchitecture: amd64\n";
        let all = dpkg(text, "var/lib/dpkg/status");
        let told: Vec<_> = all.iter().map(|p| (&*p.name, &*p.version, &*p.source, &*p.source_version)).collect();
        assert_eq!(
            told,
            [("libssl3", "3.0.11-1~deb12u2", "openssl", "3.0.11-1"), ("base-files", "12.4", "base-files", "12.4")]
        );
    }

    #[test]
    fn what_apk_has_installed_is_told_with_its_license() {
        let text = "C:Q1abc=\nP:musl\nV:1.2.5-r0\nA:x86_64\nL:MIT\no:musl\nF:lib\nR:ld-musl-x86_64.so.1\n\n\
                    C:Q1d=\nP:libcrypto3\nV:3.3.2-r0\nA:x86_64\nL:Apache-2.0\no:openssl\n\n";
        let all = apk(text, "lib/apk/db/installed");
        let told: Vec<_> = all.iter().map(|p| (&*p.name, &*p.version, &*p.source, &*p.license)).collect();
        assert_eq!(told, [("musl", "1.2.5-r0", "musl", "MIT"), ("libcrypto3", "3.3.2-r0", "openssl", "Apache-2.0")]);
    }
}
