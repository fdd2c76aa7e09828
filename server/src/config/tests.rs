use super::*;
use padis_domain::words::Stage;

fn env(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    pairs.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect()
}
fn shown<'c>(c: &'c Config, key: &str) -> &'c Shown {
    c.shown.iter().find(|s| s.key == key).expect("known key")
}
fn faults(file: &str, e: &[(&str, &str)]) -> Vec<String> {
    match from(Some(("padis.toml", file)), env(e), None) {
        Ok(_) => Vec::new(),
        Err(e) => e.faults.iter().map(ToString::to_string).collect(),
    }
}

#[test]
fn everything_has_a_default() {
    let c = from(None, env(&[]), None).expect("defaults");
    assert_eq!(c.listen.to_string(), "127.0.0.1:3000");
    assert_eq!(c.database.reveal(), "sqlite:/var/lib/padis/padis.db");
    assert_eq!(c.engine.marathon_listen.to_string(), "127.0.0.1:8080");
    assert_eq!(c.engine.mesos_listen.to_string(), "127.0.0.1:5050");
    assert_eq!(c.registry.base(), "http://127.0.0.1:5000");
    assert_eq!(c.dns.listen.port(), 5353);
    assert_eq!(c.balancer.listen.port(), 8000);
    assert_eq!(c.engine.agents.len(), 2);
    assert!(c.ldap.is_none() && !c.cookies_secure());
    assert!(c.shown.iter().all(|s| s.origin == Origin::Default));
}

#[test]
fn the_environment_wins_and_says_so() {
    let file = "listen = \"127.0.0.1:4000\"\n\n[registry]\nlisten = \"127.0.0.1:5001\"\n";
    let c =
        from(Some(("padis.toml", file)), env(&[("PADIS_LISTEN", "127.0.0.1:4001"), ("PADIS_DATA", "/tmp/x")]), None);
    let c = c.expect("settings");
    assert_eq!(c.listen.port(), 4001);
    assert_eq!(shown(&c, "listen").origin, Origin::Env("PADIS_LISTEN".into()));
    assert_eq!(shown(&c, "registry.listen").origin, Origin::File { path: "padis.toml".into(), line: 4 });
    assert_eq!(c.database.reveal(), "sqlite:/tmp/x/padis.db");
}

#[test]
fn a_misspelt_key_is_an_error_with_a_suggestion_and_all_are_told() {
    let f = faults("lisen = \"x\"\n[registry]\nlistenn = 1\n", &[("PADIS_LISTENN", "1")]);
    assert_eq!(
        f,
        [
            "padis.toml:1: unknown setting lisen; did you mean listen?",
            "padis.toml:3: unknown setting registry.listenn; did you mean registry.listen?",
            "PADIS_LISTENN: unknown setting; did you mean PADIS_LISTEN?",
        ]
    );
    assert!(faults("", &[("PADIS_TEST_DOCKER", "unix:///x"), ("PADIS_LAB", "/tmp")]).is_empty());
}

#[test]
fn a_wrong_value_names_its_place_and_what_fits() {
    let f = faults("listen = \"here\"\n", &[("PADIS_SIGNIN_FAILURES", "0"), ("PADIS_LOG_FORMAT", "xml")]);
    assert_eq!(f.len(), 3, "{f:?}");
    assert!(f[0].starts_with("padis.toml:1: listen must be an address"), "{f:?}");
    assert!(f.iter().any(|l| l == "PADIS_LOG_FORMAT: log.format must be one of text, json"), "{f:?}");
    assert!(f.iter().any(|l| l == "PADIS_SIGNIN_FAILURES: signin.failures must be a number from 1 to 1000"), "{f:?}");
}

#[test]
fn broken_toml_names_the_line_and_not_the_secret_on_it() {
    let f = faults("listen = \"127.0.0.1:1\"\n[admin]\npassword = \"hunter2\n", &[]);
    assert_eq!(f.len(), 1);
    assert!(f[0].starts_with("padis.toml:3: ") && !f[0].contains("hunter2"), "{f:?}");
}

#[test]
fn secrets_are_masked() {
    let file = "[admin]\npassword = \"hunter2\"\n[database]\nurl = \"postgres://padis:geheim@db/padis\"\n";
    let c = from(Some(("padis.toml", file)), env(&[("PADIS_MARATHON_TOKEN", "t0ken")]), None).expect("settings");
    let text = format!("{}{c:?}", c.describe());
    for secret in ["hunter2", "geheim", "t0ken"] {
        assert!(!text.contains(secret), "{secret} in {text}");
    }
    assert!(c.describe().contains("admin.password = ***"));
    assert!(c.describe().contains("database.url = postgres://padis:***@db/padis"));
    assert_eq!(c.database.reveal(), "postgres://padis:geheim@db/padis");
}

#[test]
fn agents_and_lists() {
    let file = "[[engine.agents]]\nname = \"a\"\nattributes = { rack = \"1\" }\ncpus = 2.0\nmem_mib = 512\n";
    let c = from(Some(("f", file)), env(&[("PADIS_DNS_ZONES", "a.test, b.test")]), None).expect("settings");
    assert_eq!(c.engine.agents.len(), 1);
    assert_eq!(c.engine.agents[0].attributes["rack"], "1");
    assert_eq!(c.dns.zones, ["a.test", "b.test"]);
    let c = from(None, env(&[("PADIS_ENGINE_AGENTS", "[{ name = \"b\", share = 1.0 }]")]), None).expect("settings");
    assert_eq!(c.engine.agents[0].name, "b");
    assert!(!faults("[[engine.agents]]\nname = \"a\"\nmem = 1\n", &[]).is_empty());
}

#[test]
fn cookies_are_plain_on_plain_loopback_only() {
    let secure = |e: &[(&str, &str)]| from(None, env(e), None).expect("settings").cookies_secure();
    assert!(secure(&[("PADIS_LISTEN", "10.0.0.1:3000")]));
    assert!(secure(&[("PADIS_PUBLIC_URL", "https://padis.example")]));
    assert!(!secure(&[("PADIS_LISTEN", "[::1]:3000")]));
    assert!(secure(&[("PADIS_SECURE_COOKIES", "on")]));
}

#[test]
fn ldap_needs_servers() {
    assert_eq!(faults("[ldap]\nenabled = true\n", &[]), ["padis.toml:2: ldap.enabled needs ldap.urls and ldap.base"]);
}

#[test]
fn an_authority_of_the_masters_is_a_setting_and_their_secret_is_masked() {
    let file =
        "[mesos]\nprincipal = \"padis\"\nsecret = \"hunter2\"\nca = \"/etc/padis/ca.pem\"\nplain_agents = true\n";
    let c = from(Some(("f", file)), env(&[("PADIS_MESOS_CA", "/run/ca.pem")]), None).expect("settings");
    assert_eq!((c.marathon.mesos_ca.as_deref(), c.marathon.mesos_plain_agents), (Some("/run/ca.pem"), true));
    assert_eq!(shown(&c, "mesos.ca").origin, Origin::Env("PADIS_MESOS_CA".into()));
    let text = c.describe();
    assert!(text.contains("mesos.ca = /run/ca.pem") && text.contains("mesos.plain_agents = true"), "{text}");
    assert!(text.contains("mesos.secret = ***") && !text.contains("hunter2"), "{text}");
    let alone = faults("[mesos]\nsecret = \"hunter2\"\n", &[]);
    assert_eq!(alone, ["padis.toml:2: mesos.secret needs mesos.principal"]);
}

#[test]
fn registries_have_names_of_their_own_and_their_secrets_are_not_shown() {
    let file = "[registry]\nstage = \"dev\"\n\n[[registries]]\nname = \"prod\"\nurl = \"https://r.bank\"\nstage = \"prod\"\n\
                writable = true\nuser = \"padis\"\npassword = \"hunter2\"\ntoken = \"hunter3\"\nstorage = \"/mnt/prod\"\n";
    let c = from(Some(("padis.toml", file)), env(&[]), None).expect("settings");
    let prod = &c.registry.others[0];
    assert_eq!((c.registry.stage, prod.stage, prod.writable), (Some(Stage::Dev), Some(Stage::Prod), true));
    assert_eq!((prod.storage.as_deref(), c.registry.storage.as_deref()), (Some("/mnt/prod"), None));
    assert_eq!(c.registry.collect_young.as_secs(), 7_200);
    assert_eq!(prod.password.as_ref().map(|p| p.reveal()), Some("hunter2"));
    let text = format!("{} {c:?}", c.describe());
    for secret in ["hunter2", "hunter3"] {
        assert!(!text.contains(secret), "{secret}: {text}");
    }
    for wrong in [
        "[[registries]]\nname = \"padis\"\nurl = \"http://a\"\n",
        "[[registries]]\nname = \"A b\"\nurl = \"http://a\"\n",
        "[[registries]]\nname = \"a\"\nurl = \"http://a\"\nuser = \"u\"\n",
        "[[registries]]\nname = \"a\"\nurl = \"http://a\"\nstage = \"moon\"\n",
        "[[registries]]\nname = \"a\"\nurl = \"http://u:hunter1@a\"\n",
        "[[registries]]\nname = \"a\"\nurl = \"ftp://a\"\n",
        "[[registries]]\nname = \"a\"\nurl = \"http://a\"\nstorage = \"data\"\n",
        "[registry]\nstorage = \"/data\"\n",
    ] {
        let said = faults(wrong, &[]).join(" ");
        assert!(!said.is_empty() && !said.contains("hunter1"), "{wrong}: {said}");
    }
}
