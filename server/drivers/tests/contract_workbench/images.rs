//! Images for workbenches, pushed over plain HTTP: Debian's static busybox, some files, and
//! whatever configuration a test is about.

use super::world::{Pusher, sha256};
use serde_json::{Value, json};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
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
    programs(
        folder.path(),
        &["dash", "bash", "sleep", "rm", "mkdir", "cat", "stty", "true"].map(|name| format!("/bin/{name}")),
    );
    std::os::unix::fs::symlink("dash", folder.path().join("bin/sh")).unwrap();
    for name in ["tmp", "srv", "root"] {
        std::fs::create_dir(folder.path().join(name)).unwrap();
    }
    tar(folder.path())
}

/// A file from this machine, in a folder that becomes an image.
fn place(folder: &Path, from: &str) {
    let to = folder.join(from.trim_start_matches('/'));
    std::fs::create_dir_all(to.parent().unwrap()).unwrap();
    std::fs::copy(from, to).unwrap();
}

/// Programs with the libraries that they need.
fn programs(folder: &Path, all: &[impl AsRef<str>]) {
    for program in all.iter().map(AsRef::as_ref) {
        place(folder, program);
        let needs = Command::new("ldd").arg(program).output().unwrap();
        let needs = String::from_utf8(needs.stdout).unwrap();
        needs.split_whitespace().filter(|w| w.starts_with('/')).for_each(|needed| place(folder, needed));
    }
}

/// Debian's apt and dpkg, and a repository of one package, `padis-hello`.
pub fn apt() -> Vec<u8> {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    let at = |path: &str| root.join(path);
    let write = |path: &str, content: &str| {
        std::fs::create_dir_all(at(path).parent().unwrap()).unwrap();
        std::fs::write(at(path), content).unwrap();
    };
    programs(root, &["/bin/dash", "/bin/rm", "/bin/cat", "/bin/sleep", "/bin/mkdir", "/bin/tar", "/usr/bin/diff"]);
    programs(root, &["/usr/bin/apt-get", "/usr/bin/dpkg", "/usr/bin/dpkg-deb", "/usr/bin/dpkg-split"]);
    programs(root, &["/usr/lib/apt/methods/file", "/usr/lib/apt/methods/copy", "/usr/lib/apt/methods/store"]);
    programs(root, &["/sbin/ldconfig", "/sbin/start-stop-daemon"]);
    std::os::unix::fs::symlink("dash", at("bin/sh")).unwrap();
    for table in ["cputable", "ostable", "tupletable"] {
        place(root, &format!("/usr/share/dpkg/{table}"));
    }
    for name in ["tmp", "var/lib/dpkg/info", "var/lib/dpkg/updates", "var/lib/apt/lists/partial", "etc/apt/apt.conf.d"]
    {
        std::fs::create_dir_all(at(name)).unwrap();
    }
    std::fs::create_dir_all(at("var/cache/apt/archives/partial")).unwrap();
    std::fs::create_dir_all(at("var/log/apt")).unwrap();
    write("var/lib/dpkg/status", "");
    write("etc/passwd", "root:x:0:0::/:/bin/sh\n_apt:x:42:42::/:/bin/false\n");
    write("etc/group", "root:x:0:\n_apt:x:42:\n");
    write("etc/apt/sources.list", "deb [trusted=yes] file:/srv/repo ./\n");
    let control = "Package: padis-hello\nVersion: 1.0\nArchitecture: all\nMaintainer: nobody <n@example.com>\nDescription: says hello\n";
    let package = tempfile::tempdir().unwrap();
    let inside = |path: &str| package.path().join(path);
    std::fs::create_dir_all(inside("DEBIAN")).unwrap();
    std::fs::create_dir_all(inside("usr/share")).unwrap();
    std::fs::write(inside("DEBIAN/control"), control).unwrap();
    std::fs::write(inside("usr/share/padis-hello"), "hello\n").unwrap();
    std::fs::create_dir_all(at("srv/repo")).unwrap();
    let made = at("srv/repo/padis-hello.deb");
    let built =
        Command::new("dpkg-deb").args(["--root-owner-group", "-Zgzip", "-b"]).arg(package.path()).arg(&made).output();
    assert!(built.unwrap().status.success());
    let bytes = std::fs::read(&made).unwrap();
    let digest = sha256(&bytes);
    let digest = digest.trim_start_matches("sha256:");
    let index = format!("{control}Filename: ./padis-hello.deb\nSize: {}\nSHA256: {digest}\n", bytes.len());
    write("srv/repo/Packages", &index);
    tar(root)
}

/// What runs there.
pub fn apt_config() -> Value {
    json!({"Cmd": ["sleep", "1000"], "User": "1000:1000", "Env": ["PATH=/usr/sbin:/usr/bin:/sbin:/bin"]})
}

/// A system whose package manager takes its time.
pub fn slow() -> Vec<u8> {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    std::fs::create_dir(path("bin")).unwrap();
    std::fs::copy("/bin/busybox", path("bin/busybox")).unwrap();
    for name in ["sh", "sleep"] {
        std::os::unix::fs::symlink("busybox", path("bin").join(name)).unwrap();
    }
    std::fs::write(path("bin/apk"), "#!/bin/sh\necho it takes long\nexec sleep 600\n").unwrap();
    std::fs::set_permissions(path("bin/apk"), std::fs::Permissions::from_mode(0o755)).unwrap();
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
