//! Clients that nobody here wrote, against the engine.
#![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

mod support;

use std::path::{Path, PathBuf};
use std::time::Duration;
use support::Rig;

/// Python with the packages of `clients/requirements.txt`; `.ci/tools test` makes it.
fn python() -> PathBuf {
    let below = |name: &str| std::env::var_os(name).map(PathBuf::from);
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let folder = below("PADIS_TEST_CLIENTS").or_else(|| below("PADIS_CACHE").map(|c| c.join("clients")));
    let python = folder.unwrap_or_else(|| root.join("target/clients")).join("bin/python");
    assert!(python.exists(), "no {}: make it with `.ci/tools test`", python.display());
    python
}

async fn passes(script: &str) {
    let rig = Rig::simulated(5, Duration::from_millis(5), 0.0).await;
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/clients").join(script);
    let mut command = tokio::process::Command::new(python());
    command.arg(script).args([&rig.base, &rig.mesos]).kill_on_drop(true);
    let output = tokio::time::timeout(Duration::from_secs(120), command.output()).await.unwrap().unwrap();
    let (told, errors) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{told}\n{errors}");
    assert!(!errors.contains("Exception in thread"), "the event stream could not be read: {errors}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_python_package_marathon() {
    passes("marathon_client.py").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_deployment_tool_shpkpr() {
    passes("shpkpr_client.py").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_command_line_of_apache_mesos() {
    passes("mesos_cli.py").await;
}
