//! Images for workbenches, pushed over plain HTTP: Debian's static busybox, some files, and
//! whatever configuration a test is about.

use super::world::{Pusher, sha256};
use serde_json::{Value, json};
use std::process::Command;
use std::sync::OnceLock;

/// A tar of a small system with a shell, made once.
pub fn system() -> Vec<u8> {
    static ONCE: OnceLock<Vec<u8>> = OnceLock::new();
    let make = || {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        for name in ["bin", "etc", "srv", "tmp", "root"] {
            std::fs::create_dir(path(name)).unwrap();
        }
        std::fs::copy("/bin/busybox", path("bin/busybox")).unwrap();
        for name in ["sh", "sleep", "rm", "mkdir", "cat", "stty", "dd", "true"] {
            std::os::unix::fs::symlink("busybox", path("bin").join(name)).unwrap();
        }
        std::fs::write(path("etc/app.conf"), "plain").unwrap();
        std::fs::write(path("srv/old"), "old").unwrap();
        std::fs::write(path("srv/kept"), "kept").unwrap();
        tar(folder.path())
    };
    ONCE.get_or_init(make).clone()
}

/// A tar of a small system of Debian's own programs: dash, bash, coreutils, and the libraries that
/// they need.
pub fn debian() -> Vec<u8> {
    let folder = tempfile::tempdir().unwrap();
    let place = |from: &str| {
        let to = folder.path().join(from.trim_start_matches('/'));
        std::fs::create_dir_all(to.parent().unwrap()).unwrap();
        std::fs::copy(from, to).unwrap();
    };
    for name in ["dash", "bash", "sleep", "rm", "mkdir", "cat", "stty", "true"] {
        let program = format!("/bin/{name}");
        place(&program);
        let needs = Command::new("ldd").arg(&program).output().unwrap();
        let needs = String::from_utf8(needs.stdout).unwrap();
        needs.split_whitespace().filter(|w| w.starts_with('/')).for_each(place);
    }
    std::os::unix::fs::symlink("dash", folder.path().join("bin/sh")).unwrap();
    for name in ["tmp", "srv", "root"] {
        std::fs::create_dir(folder.path().join(name)).unwrap();
    }
    tar(folder.path())
}

/// A tar with a file that can't be run.
pub fn bare() -> Vec<u8> {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("data"), "data").unwrap();
    tar(folder.path())
}

fn tar(folder: &std::path::Path) -> Vec<u8> {
    let out = Command::new("tar").arg("-C").arg(folder).args(["--owner=0", "--group=0", "-c", "."]).output().unwrap();
    assert!(out.status.success());
    out.stdout
}

/// What the contract's base is like.
pub fn config() -> Value {
    json!({"Entrypoint": ["/bin/sh", "-c"], "Cmd": ["exec sleep 1000"], "User": "1000:1000", "WorkingDir": "/srv",
        "Env": ["PATH=/opt/tool/bin:/bin", "MODE=base"], "ExposedPorts": {"80/tcp": {}},
        "Labels": {"kept": "yes", "taken": "yes"}})
}

/// Pushes a system with this configuration; its digest.
pub async fn push(pusher: &Pusher, repository: &str, tag: &str, config: Value, system: Vec<u8>) -> String {
    let architecture = if cfg!(target_arch = "aarch64") { "arm64" } else { "amd64" };
    let whole = json!({"created": "2026-01-01T00:00:00Z", "architecture": architecture, "os": "linux", "config": config,
        "rootfs": {"type": "layers", "diff_ids": [sha256(&system)]},
        "history": [{"created": "2026-01-01T00:00:00Z", "created_by": "made by a test"}]});
    pusher.made(repository, tag, &whole, vec![system]).await
}
