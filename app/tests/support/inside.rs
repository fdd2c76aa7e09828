//! Made-up insides of images.

use super::NOW;
use super::apps::app_ref;
use padis_domain::view::*;

fn log4j() -> Match {
    Match {
        id: "CVE-2021-44228".into(),
        summary: "Remote code <injection>".into(),
        severity: Severity::Critical,
        score: Some(100),
        package: "org.apache.logging.log4j:log4j-core".into(),
        version: "2.14.1".into(),
        fixed: "2.15.0".into(),
    }
}

fn feed() -> FeedView {
    FeedView { entries: 12_345, read_at: Some(NOW - 60_000), fault: String::new() }
}

/// Of our own registry all is known, of others nothing; a version `broken` can't be read.
pub fn view(may_ask: bool, registry: &str, tag: &str, q: &InsideQuery) -> InsideView {
    if registry != "padis" {
        return InsideView { may_ask, ..InsideView::default() };
    }
    if tag == "broken" {
        let why = "a layer is no tar".into();
        return InsideView { state: Some(InsideState::Failed), why, may_ask, ..InsideView::default() };
    }
    let package = Contained {
        name: "libssl3".into(),
        version: "3.0.11-1~deb12u2".into(),
        path: "var/lib/dpkg/status".into(),
        ..Contained::default()
    };
    let file = FileInside { path: "etc/nginx/nginx.conf".into(), bytes: 1_234, layer: "sha256:77aa".into() };
    InsideView {
        state: Some(InsideState::Read),
        may_ask,
        read_at: Some(NOW - 60_000),
        os: "Debian GNU/Linux 12 (bookworm)".into(),
        counts: vec![(PackageOrigin::Dpkg, 88), (PackageOrigin::Jar, 3)],
        packages: vec![package],
        found: 91,
        files_total: 4_321,
        files_found: u64::from(!q.file.is_empty()),
        files: if q.file.is_empty() { Vec::new() } else { vec![file] },
        notes: vec![InsideNote::Climbing(2), InsideNote::OldRpm],
        feed: Some(feed()),
        vulnerabilities: vec![log4j(), Match { id: "OLD-1".into(), ..Match::default() }],
        vulnerabilities_total: 2,
        ..InsideView::default()
    }
}

pub fn vulnerabilities(q: &ListQuery) -> VulnerabilitiesView {
    let row = VulnerabilityRow { one: log4j(), more: 2, apps: vec![app_ref("life", "policy-print")] };
    let rows: Vec<VulnerabilityRow> = [row].into_iter().filter(|r| r.one.id.contains(&q.q)).collect();
    VulnerabilitiesView {
        feed: Some(feed()),
        unread: vec![app_ref("agency", "desk")],
        page: Page { total: rows.len() as u64, rows, page: 1, per_page: 50 },
    }
}
