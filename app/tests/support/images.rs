//! Made-up registries and what they hold.

use super::NOW;
use super::apps::app_ref;
use padis_domain::ports::{Image, ImageStep};
use padis_domain::view::*;
use padis_domain::words::Stage;

const NGINX: &str = "sha256:77aa77aa77aa77aa77aa77aa77aa77aa77aa77aa77aa77aa77aa77aa77aa77aa";
const BROKEN: &str = "sha256:00bb00bb00bb00bb00bb00bb00bb00bb00bb00bb00bb00bb00bb00bb00bb00bb";

pub fn registries() -> Vec<RegistryRow> {
    let row = |name: &str, stage, takes, silent| RegistryRow {
        name: name.into(),
        place: format!("{name}.example:5000"),
        stage,
        takes,
        repositories: 2,
        seen_at: Some(NOW - 60_000),
        silent,
    };
    vec![row("padis", None, true, false), row("prod", Some(Stage::Prod), false, true)]
}

pub fn repositories() -> Vec<RepositoryRow> {
    let row = |registry: &str, stage, name: &str| RepositoryRow {
        registry: registry.into(),
        stage,
        name: name.into(),
        title: "Web site <Nginx>".into(),
        title_zh: "网站 <Nginx>".into(),
        versions: 2,
        newest: "1.22".into(),
        newest_at: Some(NOW - 3_600_000),
        bytes: 12_000_000,
    };
    vec![row("padis", None, "stacks/nginx"), row("prod", Some(Stage::Prod), "stacks/nginx")]
}

fn versions() -> Vec<VersionRow> {
    vec![
        VersionRow {
            tag: "1.22".into(),
            digest: NGINX.into(),
            bytes: 12_000_000,
            made_at: Some(NOW - 3_600_000),
            since: Some(NOW - 60_000),
            fault: String::new(),
            used_by: vec![app_ref("motor", "claims-portal")],
            stages: vec![Stage::Prod],
        },
        VersionRow {
            tag: "broken".into(),
            digest: BROKEN.into(),
            bytes: 0,
            made_at: None,
            since: Some(NOW),
            fault: "its configuration is not there".into(),
            used_by: Vec::new(),
            stages: Vec::new(),
        },
    ]
}

pub fn repository(registry: &str, name: &str) -> Option<RepositoryView> {
    let row = repositories().into_iter().find(|r| r.registry == registry && r.name == name)?;
    let targets = registries().into_iter().filter(|r| r.takes).collect();
    let room = TeamRoom { team: "motor".into(), versions: 3, most_versions: 20, bytes: 1_200_000_000, most_bytes: 0 };
    let room = (registry == "padis").then_some(room);
    Some(RepositoryView { live: registry == "padis", row, versions: versions(), room, targets })
}

pub fn image(registry: &str, name: &str, tag: &str) -> Option<ImageView> {
    let row = repositories().into_iter().find(|r| r.registry == registry && r.name == name)?;
    let version = versions().into_iter().find(|v| v.tag == tag)?;
    let image = Image {
        digest: version.digest.clone(),
        media_type: "application/vnd.oci.image.manifest.v1+json".into(),
        platforms: vec!["linux/amd64".into()],
        runs_here: true,
        bytes: version.bytes,
        created: "2026-11-20T08:00:00Z".into(),
        user: "10001".into(),
        command: vec!["nginx".into(), "-g".into(), "daemon off;".into()],
        env: vec!["PATH=/bin".into()],
        ports: vec!["8080/tcp".into()],
        labels: [("vendor".to_owned(), "<b>".to_owned())].into(),
        steps: vec![
            ImageStep {
                created: String::new(),
                made_by: "COPY rootfs /".into(),
                layer: Some((NGINX.into(), 12_000_000)),
            },
            ImageStep { created: String::new(), made_by: "USER 10001".into(), layer: None },
        ],
        ..Image::default()
    };
    let image = version.fault.is_empty().then_some(image);
    let places = vec![(registry.to_owned(), name.to_owned(), tag.to_owned())];
    let targets = registries().into_iter().filter(|r| r.takes).collect();
    Some(ImageView { row, version, image, places, targets })
}

pub fn copies() -> Vec<CopyRow> {
    let row = |id: &str, state, why: &str| CopyRow {
        id: id.into(),
        from: ("padis".into(), "stacks/nginx".into(), "1.22".into()),
        to: ("prod".into(), "stacks/nginx".into(), "1.22".into()),
        digest: NGINX.into(),
        state,
        blobs: vec![
            CopyBlobRow { digest: NGINX.into(), bytes: 10_000_000, at: 4_000_000, how: String::new() },
            CopyBlobRow { digest: BROKEN.into(), bytes: 2_000_000, at: 2_000_000, how: "there".into() },
        ],
        why: why.into(),
        by: "Ada".into(),
        asked_at: NOW - 10_000,
        began_at: Some(NOW - 9_000),
        ended_at: (state != CopyState::Running).then_some(NOW - 1_000),
    };
    vec![row("2", CopyState::Running, ""), row("1", CopyState::Failed, "the target is full")]
}

pub fn offers(may: bool) -> Vec<PromotionOffer> {
    let checks = |ok| {
        vec![
            PromotionCheck::Readable(true),
            PromotionCheck::Size { bytes: 12_000_000, most: if ok { 1 << 30 } else { 1 << 20 } },
        ]
    };
    let offer = |registry: &str, stage, ok, approval| PromotionOffer {
        registry: registry.into(),
        place: format!("{registry}.example:5000"),
        stage,
        there: String::new(),
        approval,
        checks: checks(ok),
        may,
    };
    vec![
        offer("test", Stage::Test, true, false),
        offer("prod", Stage::Prod, true, true),
        offer("small", Stage::Prod, false, true),
    ]
}

pub fn promotions() -> Vec<PromotionRow> {
    let place = |registry: &str| (registry.to_owned(), "stacks/nginx".to_owned(), "1.22".to_owned());
    let row = |id: &str, state, copy, may| PromotionRow {
        id: id.into(),
        from: place("padis"),
        to: place("prod"),
        stage: Some(Stage::Prod),
        digest: NGINX.into(),
        before: BROKEN.into(),
        bytes: 12_000_000,
        state,
        copy,
        why: String::new(),
        checks: vec![PromotionCheck::Readable(true), PromotionCheck::Free { by: "Mia <Wu>".into() }],
        note: "For the <new> release.".into(),
        by: "Lin".into(),
        asked_at: NOW - 60_000,
        judged_by: String::new(),
        judged_at: None,
        judged_note: String::new(),
        back_by: String::new(),
        back_at: None,
        may,
    };
    let may = PromotionMay::default();
    vec![
        row("1", PromotionState::Asked, None, PromotionMay { judge: true, withdraw: true, ..may }),
        row("2", PromotionState::Approved, Some(CopyState::Done), PromotionMay { roll_back: true, ..may }),
        row("3", PromotionState::Back, Some(CopyState::Running), may),
    ]
}

pub fn retention(may: bool) -> RetentionView {
    let row = |digest: &str, tag: &str, stays| RetentionRow {
        digest: digest.into(),
        tags: vec![tag.into(), "also".into()],
        bytes: 5_000_000,
        at: Some(NOW - 3_600_000),
        stays,
    };
    let run = RetentionRun {
        by: "Lin <Wu>".into(),
        asked_at: NOW - 60_000,
        ended_at: None,
        gone: 2,
        gone_bytes: 10_000_000,
        kept: 1,
        left: 3,
        why: "the registry <sleeps>".into(),
    };
    let rows = vec![row(NGINX, "1.22", vec![Stays::Used, Stays::Newest]), row(BROKEN, "broken", Vec::new())];
    let by_rule = RetentionRun { by: String::new(), why: String::new(), ended_at: Some(NOW), ..run.clone() };
    let kept = KeptRule {
        rule: Retention { newest: 3, days: 14 },
        by: "Lin <Wu>".into(),
        set_at: NOW - 86_400_000,
        looked_at: Some(NOW - 3_600_000),
        due_at: NOW + 82_800_000,
    };
    RetentionView { rows, runs: vec![run, by_rule], kept: Some(kept), may }
}
