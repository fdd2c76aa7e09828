//! `padis config`: every setting with its value and where it came from, no secret
//! among them; and a start refuses what it does not know.

use std::process::{Command, Output};

fn padis(folder: &std::path::Path, file: &str, env: &[(&str, &str)], args: &[&str]) -> Output {
    std::fs::write(folder.join("padis.toml"), file).expect("a file");
    let mut c = Command::new(env!("CARGO_BIN_EXE_padis"));
    c.env_clear().current_dir(folder).args(args).envs(env.iter().copied());
    c.output().expect("padis runs")
}

#[test]
fn the_binary_shows_every_setting_with_its_origin_and_no_secret() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = "listen = \"127.0.0.1:4000\"\n[admin]\npassword = \"hunter2-hunter2\"\n[marathon]\nurls = [\"http://padis:geheim@m1:8080\"]\n\
                [registry]\nuser = \"padis\"\npassword = \"pull-secret\"\n[ldap]\nbind_password = \"bind-secret\"\n";
    let env = [
        ("PADIS_DATABASE_URL", "postgres://padis:pg-secret@db/padis"),
        ("PADIS_MARATHON_TOKEN", "token-secret"),
        ("PADIS_DNS_LISTEN", "127.0.0.1:5399"),
    ];
    let out = padis(folder.path(), file, &env, &["config"]);
    let text = String::from_utf8(out.stdout).expect("text");
    assert!(out.status.success(), "{text}{}", String::from_utf8_lossy(&out.stderr));
    for secret in ["hunter2-hunter2", "geheim", "pull-secret", "bind-secret", "pg-secret", "token-secret"] {
        assert!(!text.contains(secret), "{secret} in\n{text}");
    }
    let line = |key: &str| {
        let start = format!("{key} = ");
        text.lines().find(|l| l.starts_with(&start)).unwrap_or_else(|| panic!("{key} is not shown in\n{text}"))
    };
    for (key, value, origin) in [
        ("listen", "127.0.0.1:4000", "padis.toml:1"),
        ("dns.listen", "127.0.0.1:5399", "PADIS_DNS_LISTEN"),
        ("balancer.listen", "127.0.0.1:8000", "default"),
        ("admin.password", "***", "padis.toml:3"),
        ("marathon.token", "***", "PADIS_MARATHON_TOKEN"),
        ("database.url", "postgres://padis:***@db/padis", "PADIS_DATABASE_URL"),
    ] {
        let l = line(key);
        let (left, right) = l.split_once('#').unwrap_or((l, ""));
        assert!(left.contains(value) && right.contains(origin), "{key}: {l}");
    }
    // Every line names a setting, its value, its origin and what it is for.
    let (settings, comments): (Vec<&str>, Vec<&str>) = text.lines().partition(|l| !l.starts_with('#'));
    assert_eq!(comments.len(), 1, "{comments:?}");
    assert!(settings.len() > 50, "{} settings", settings.len());
    for l in settings {
        let about = l.split_once(" = ").and_then(|(_, rest)| rest.split_once("# "));
        assert!(about.is_some_and(|(_, a)| a.contains("; ") && a.len() > 12), "{l}");
    }
}

#[test]
fn the_binary_refuses_what_it_does_not_know_and_names_the_place() {
    let folder = tempfile::tempdir().expect("a folder");
    for args in [&["config"][..], &["serve"][..], &["engine"][..]] {
        let out = padis(
            folder.path(),
            "listen = \"127.0.0.1:4000\"\n[balancer]\nlisten_on = \"127.0.0.1:1\"\n",
            &[("PADIS_REGISTRI_LISTEN", "127.0.0.1:1")],
            args,
        );
        let said = String::from_utf8_lossy(&out.stderr).into_owned();
        assert_eq!(out.status.code(), Some(2), "{args:?}: {said}");
        assert!(said.contains("padis.toml:3: unknown setting balancer.listen_on"), "{args:?}: {said}");
        assert!(said.contains("PADIS_REGISTRI_LISTEN: unknown setting"), "{args:?}: {said}");
        assert!(said.contains("did you mean PADIS_REGISTRY_LISTEN?"), "{args:?}: {said}");
        assert!(out.stdout.is_empty(), "{args:?}: nothing is begun");
    }
}
