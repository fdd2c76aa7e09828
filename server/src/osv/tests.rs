use super::*;
use padis_domain::view::Severity;
use serde_json::json;

fn package(origin: PackageOrigin, name: &str, source: &str, version: &str) -> Contained {
    Contained {
        origin,
        name: name.into(),
        version: version.into(),
        source: source.into(),
        source_version: version.into(),
        ..Contained::default()
    }
}

fn entries() -> serde_json::Value {
    json!([
        {
            "id": "DEBIAN-CVE-2024-0001", "upstream": ["CVE-2024-0001"], "details": "A hole in OpenSSL.\nMore of it.",
            "severity": [{"type": "CVSS_V3", "score": "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"}],
            "affected": [
                {
                    "package": {"ecosystem": "Debian:12", "name": "openssl"},
                    "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "3.0.13-1~deb12u1"}]}]
                },
                {
                    "package": {"ecosystem": "Debian:13", "name": "openssl"},
                    "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}]}]
                }
            ]
        },
        {
            "id": "GHSA-jfh8-c2jp-5v3q", "aliases": ["CVE-2021-44228"], "summary": "Remote code injection in Log4j",
            "database_specific": {"severity": "CRITICAL"},
            "affected": [{
                "package": {"ecosystem": "Maven", "name": "org.apache.logging.log4j:log4j-core"},
                "ranges": [{"type": "ECOSYSTEM", "events": [
                    {"introduced": "2.13.0"}, {"fixed": "2.15.0"}, {"introduced": "2.4"}, {"fixed": "2.12.2"}
                ]}]
            }]
        },
        {
            "id": "OLD-1", "summary": "By a list, and up to a last one",
            "affected": [{
                "package": {"ecosystem": "Debian:12", "name": "zlib"}, "versions": ["1:1.2.13.dfsg-1"],
                "ecosystem_specific": {"urgency": "low**"}
            }, {
                "package": {"ecosystem": "Alpine:v3.20", "name": "zlib"},
                "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "1.2"}, {"last_affected": "1.3.1-r0"}]}]
            }]
        },
        {"id": "GONE-1", "withdrawn": "2024-01-01T00:00:00Z", "affected": [
            {"package": {"ecosystem": "Debian:12", "name": "openssl"}, "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}]}]}
        ]},
        {"no": "entry"}
    ])
}

fn known(feed: &serde_json::Value) -> (Known, tempfile::TempDir) {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("feed.json");
    std::fs::write(&path, feed.to_string()).expect("written");
    let known = Known::new(Some(path));
    known.read();
    (known, folder)
}

fn debian() -> Os {
    Os::parse("ID=debian\nVERSION_ID=12\n")
}

#[test]
fn packages_are_matched_by_source_ecosystem_and_version_worst_first() {
    let (known, _folder) = known(&entries());
    let view = known.view().expect("a feed");
    assert_eq!((view.entries, view.fault.as_str()), (3, ""));
    let log4j = |v| {
        package(PackageOrigin::Jar, "org.apache.logging.log4j:log4j-core", "org.apache.logging.log4j:log4j-core", v)
    };
    let packages = [
        package(PackageOrigin::Dpkg, "libssl3", "openssl", "3.0.11-1~deb12u2"),
        package(PackageOrigin::Dpkg, "zlib1g", "zlib", "1:1.2.13.dfsg-1"),
        log4j("2.14.1"),
        log4j("2.12.1"),
        log4j("2.12.4"),
        log4j("2.17.1"),
    ];
    let found = known.matches("sha256:1", &debian(), &packages);
    let told: Vec<_> = found.iter().map(|m| (&*m.id, m.severity, m.score, &*m.package, &*m.fixed)).collect();
    let core = "org.apache.logging.log4j:log4j-core";
    assert_eq!(
        told,
        [
            ("CVE-2024-0001", Severity::Critical, Some(98), "libssl3", "3.0.13-1~deb12u1"),
            ("CVE-2021-44228", Severity::Critical, None, core, "2.12.2"),
            ("CVE-2021-44228", Severity::Critical, None, core, "2.15.0"),
            ("OLD-1", Severity::Low, None, "zlib1g", ""),
        ]
    );
    assert_eq!(found[0].summary, "A hole in OpenSSL.");
    let mended = [package(PackageOrigin::Dpkg, "libssl3", "openssl", "3.0.13-1~deb12u1")];
    assert_eq!(*known.matches("sha256:2", &debian(), &mended), []);
    let trixie = Os::parse("ID=debian\nVERSION_ID=13\n");
    assert_eq!(known.matches("sha256:3", &trixie, &mended).len(), 1, "not mended there");
    assert_eq!(
        *known.matches("sha256:4", &Os::default(), &packages[..2]),
        [],
        "of an unknown distribution nothing is known"
    );
    let alpine = Os::parse("ID=alpine\nVERSION_ID=3.20.1\n");
    for (version, hits) in [("1.3.1-r0", 1), ("1.3.1-r1", 0), ("1.1-r0", 0)] {
        let one = [package(PackageOrigin::Apk, "zlib", "zlib", version)];
        assert_eq!(known.matches(version, &alpine, &one).len(), hits, "{version}");
    }
}

#[test]
fn a_feed_that_can_not_be_read_leaves_the_one_before() {
    let (known, folder) = known(&entries());
    let packages = [package(PackageOrigin::Dpkg, "libssl3", "openssl", "3.0.11-1")];
    assert_eq!(known.matches("sha256:1", &debian(), &packages).len(), 1);
    std::fs::write(folder.path().join("feed.json"), "{").expect("written");
    known.read();
    let view = known.view().expect("a feed");
    assert!(view.entries == 3 && view.fault.contains("feed.json"), "{view:?}");
    assert_eq!(known.matches("sha256:1", &debian(), &packages).len(), 1);
    std::fs::write(folder.path().join("feed.json"), "[]").expect("written");
    known.read();
    assert_eq!(known.matches("sha256:1", &debian(), &packages).len(), 0, "what was matched before is matched anew");
    assert_eq!(Known::new(None).view(), None);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_folder_is_read_and_read_again_when_a_file_comes() {
    let folder = tempfile::tempdir().expect("a folder");
    for (n, entry) in entries().as_array().expect("a list").iter().enumerate() {
        std::fs::write(folder.path().join(format!("{n}.json")), entry.to_string()).expect("written");
    }
    std::fs::write(folder.path().join("readme.txt"), "no entry").expect("written");
    let known = Arc::new(Known::new(Some(folder.path().to_owned())));
    let (changes, stop) = (Changes::new(), CancellationToken::new());
    let mut heard = changes.subscribe();
    let task = tokio::spawn(Arc::clone(&known).keep(Duration::from_millis(50), changes.clone(), stop.clone()));
    heard.recv().await.expect("told");
    assert_eq!(known.view().expect("a feed").entries, 3);
    let more = json!({"id": "CVE-2030-1", "affected": []});
    std::fs::write(folder.path().join("more.json"), more.to_string()).expect("written");
    heard.recv().await.expect("told");
    assert_eq!(known.view().expect("a feed").entries, 4);
    stop.cancel();
    task.await.expect("ended");
}
