//! skopeo, which nobody here wrote: it reads what we copied, and we copy what it pushed.

use super::world::{Server, noise};
use super::{Real, copy, ends};
use padis_domain::ports::Registry;
use std::path::Path;
use std::process::Command;

/// Runs skopeo; panics with its words if it fails.
fn skopeo(args: &[&str]) -> String {
    let out = Command::new("skopeo").arg("--insecure-policy").args(args).output();
    let out = out.unwrap_or_else(|e| panic!("skopeo (Debian's package) is needed: {e}"));
    assert!(out.status.success(), "skopeo {args:?}: {}", String::from_utf8_lossy(&out.stderr));
    String::from_utf8_lossy(&out.stdout).into_owned()
}

fn at(server: &Server, name: &str) -> String {
    format!("docker://{}/{name}", server.address)
}

/// An image of two layers as `docker save` writes it, made by tar.
fn archive(folder: &Path) -> String {
    let run = |line: &str| {
        let done = Command::new("sh").args(["-ec", line]).current_dir(folder).output().unwrap();
        assert!(done.status.success(), "{line}: {}", String::from_utf8_lossy(&done.stderr));
        String::from_utf8_lossy(&done.stdout).trim().to_owned()
    };
    let mut ids = Vec::new();
    for n in 1..=2_u64 {
        std::fs::write(folder.join(format!("file{n}")), noise(n, 700_000)).unwrap();
        run(&format!("tar -cf layer{n}.tar file{n}"));
        ids.push(format!("\"sha256:{}\"", run(&format!("sha256sum layer{n}.tar | cut -d' ' -f1"))));
    }
    let config = format!(
        r#"{{"architecture":"amd64","os":"linux","created":"2026-11-22T08:00:00Z","config":{{"Cmd":["run"],
            "Labels":{{"by":"tar"}}}},"rootfs":{{"type":"layers","diff_ids":[{}]}},
            "history":[{{"created_by":"one"}},{{"created_by":"ENV","empty_layer":true}},{{"created_by":"two"}}]}}"#,
        ids.join(",")
    );
    std::fs::write(folder.join("config.json"), config).unwrap();
    let manifest = r#"[{"Config":"config.json","RepoTags":["a:1"],"Layers":["layer1.tar","layer2.tar"]}]"#;
    std::fs::write(folder.join("manifest.json"), manifest).unwrap();
    run("tar -cf image.tar manifest.json config.json layer1.tar layer2.tar");
    format!("docker-archive:{}", folder.join("image.tar").display())
}

#[tokio::test]
async fn skopeo_reads_what_we_copied_and_we_copy_what_it_pushed() {
    let real = Real::start().await;
    let folder = tempfile::tempdir().unwrap();
    let archive = archive(folder.path());
    let forms = [
        ("v2s2", "application/vnd.docker.distribution.manifest.v2+json"),
        ("oci", "application/vnd.oci.image.manifest.v1+json"),
    ];
    for (form, media_type) in forms {
        let pushed = at(&real.one, &format!("pushed/{form}:1"));
        skopeo(&["copy", "-q", "--format", form, "--dest-tls-verify=false", &archive, &pushed]);
        let repository = format!("pushed/{form}");
        let digest = real.first.digest(&repository, "1").await.unwrap().unwrap();
        let image = real.first.image(&repository, &digest).await.unwrap().unwrap();
        assert_eq!(image.media_type, media_type);
        assert_eq!((image.platforms, image.command), (vec!["linux/amd64".to_owned()], vec!["run".to_owned()]));
        assert_eq!(image.labels["by"], "tar");
        let made: Vec<_> = image.steps.iter().map(|s| (s.made_by.as_str(), s.layer.is_some())).collect();
        assert_eq!(made, [("one", true), ("ENV", false), ("two", true)]);

        let (done, told) = copy(&real.transfer, &ends(&format!("one/{repository}"), &digest, "two/copy", form)).await;
        done.unwrap();
        // The two forms share their layers; the second time they are there.
        assert_eq!(told.counts(), if form == "v2s2" { [0, 0, 3] } else { [2, 0, 1] });
        let copied = at(&real.two, &format!("copy:{form}"));
        let told = skopeo(&["inspect", "--tls-verify=false", "--format", "{{.Digest}}", &copied]);
        assert_eq!(told.trim(), digest);
        let raw = |place: &str| skopeo(&["inspect", "--raw", "--tls-verify=false", place]);
        assert_eq!(raw(&copied), raw(&pushed));
        let to = folder.path().join(form);
        skopeo(&["copy", "-q", "--src-tls-verify=false", &copied, &format!("dir:{}", to.display())]);
        // The manifest, the version of the form, a configuration and two layers.
        assert_eq!(std::fs::read_dir(to).unwrap().count(), 5);
    }
}
