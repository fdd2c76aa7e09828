//! What the suites need of the laboratory: a Docker Engine in a network
//! namespace of its own, and a tiny image made of Debian's static busybox.

#![expect(clippy::expect_used, reason = "a test fails by panicking")]

use std::io::Write;
use std::process::{Command, Stdio};
use std::sync::OnceLock;

/// The image that [`image`] makes.
pub const IMAGE: &str = "padis-test/busybox:drivers";

/// What its containers do: say something on both streams, then serve a page on port 8080.
const START: &str = "echo it says hello; echo it complains >&2; exec httpd -f -p 8080 -h /www";

/// The lab's Docker endpoint. Absent means that the test was started outside of it.
pub fn endpoint() -> String {
    std::env::var("PADIS_TEST_DOCKER").unwrap_or_else(|_| {
        panic!("this test needs a Docker Engine of its own: start it as `end2end/lab/run cargo test -p padis-drivers`")
    })
}

/// Runs the docker command line in the lab; panics with its words if it fails.
pub fn docker(args: &[&str]) -> String {
    let out = Command::new("docker").arg("-H").arg(endpoint()).args(args).output().expect("docker is installed");
    assert!(out.status.success(), "docker {args:?}: {}", String::from_utf8_lossy(&out.stderr));
    String::from_utf8_lossy(&out.stdout).trim().to_owned()
}

/// Makes the image once per test program: one static binary and links to it.
pub fn image() -> &'static str {
    static ONCE: OnceLock<()> = OnceLock::new();
    ONCE.get_or_init(|| {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let bin = folder.path().join("bin");
        std::fs::create_dir_all(&bin).expect("a folder");
        std::fs::create_dir_all(folder.path().join("www")).expect("a folder");
        std::fs::write(folder.path().join("www/index.html"), "it works\n").expect("a page");
        std::fs::copy("/bin/busybox", bin.join("busybox")).expect("busybox-static is installed");
        for name in ["sh", "sleep", "httpd", "echo", "kill"] {
            std::os::unix::fs::symlink("busybox", bin.join(name)).expect("a link");
        }
        let tar =
            Command::new("tar").arg("-C").arg(folder.path()).args(["-c", "."]).output().expect("tar is installed");
        let mut import = Command::new("docker")
            .args(["-H", &endpoint(), "import", "-c", &format!("CMD [\"sh\",\"-c\",\"{START}\"]"), "-", IMAGE])
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .spawn()
            .expect("docker is installed");
        import.stdin.take().expect("a pipe").write_all(&tar.stdout).expect("the image's bytes are taken");
        assert!(import.wait().expect("docker import ends").success());
    });
    IMAGE
}
