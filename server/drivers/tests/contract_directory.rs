//! One suite for the fake and for LDAP against a real slapd, and what only a real
//! one can show: encryption, certificates, groups in groups, servers that fail.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

#[path = "lab/certificates.rs"]
mod certificates;
#[path = "directory/slapd.rs"]
mod slapd;

use padis_domain::ports::{Directory, DirectoryPerson, PortError};
use padis_drivers::fake::FakeDirectory;
use padis_drivers::ldap::{GroupSource, LdapConfig, LdapDirectory};
use slapd::Slapd;
use std::time::{Duration, Instant};
use tokio::net::TcpListener;

fn alice() -> DirectoryPerson {
    DirectoryPerson {
        account: "alice".to_owned(),
        name: "张爱丽".to_owned(),
        mail: "alice@example.test".to_owned(),
        groups: ["cn=all,ou=groups,dc=test", "cn=ops,ou=groups,dc=test", "cn=staff,ou=groups,dc=test"]
            .map(str::to_owned)
            .to_vec(),
    }
}

/// What every directory does. It holds alice (`pw-alice`) and bob (`pw-bob`).
async fn contract(directory: &dyn Directory) {
    directory.ping().await.unwrap();
    assert_eq!(directory.sign_in("alice", "pw-alice").await.unwrap(), Some(alice()));
    assert_eq!(directory.sign_in(" ALICE ", "pw-alice").await.unwrap(), Some(alice()));
    let bob = directory.sign_in("bob", "pw-bob").await.unwrap().unwrap();
    assert_eq!((bob.account.as_str(), bob.mail.as_str(), bob.groups.len()), ("bob", "", 0));
    let refused = [
        ("alice", "pw-bob"),
        ("alice", "PW-ALICE"),
        ("alice", ""),
        ("alice", "*"),
        ("carol", "pw-alice"),
        ("carol", ""),
        ("", "pw-alice"),
        ("", ""),
        ("*", "pw-alice"),
        ("al*", "pw-alice"),
        ("alice)(uid=*", "pw-alice"),
        ("*)(uid=alice", "pw-alice"),
        ("alice)(|(uid=*", "pw-alice"),
        ("*)(objectClass=*", "pw-alice"),
        ("alice))(&(uid=alice", "pw-alice"),
        ("alice\0", "pw-alice"),
        ("alice\\", "pw-alice"),
        ("\\61lice", "pw-alice"),
        ("uid=alice,ou=people,dc=test", "pw-alice"),
        ("张三", "pw-alice"),
    ];
    for (account, password) in refused {
        assert_eq!(directory.sign_in(account, password).await.unwrap(), None, "{account:?} {password:?}");
    }
    assert_eq!(directory.sign_in(&"a".repeat(100_000), "pw-alice").await.unwrap(), None);
}

#[tokio::test]
async fn the_fake_keeps_the_contract() {
    let fake = FakeDirectory::new();
    fake.add(alice(), "pw-alice");
    let bob = DirectoryPerson { account: "bob".into(), name: "Bob".into(), mail: String::new(), groups: Vec::new() };
    fake.add(bob, "pw-bob");
    contract(&fake).await;
}

#[tokio::test]
async fn ldaps_keeps_the_contract() {
    let slapd = Slapd::new().await;
    contract(&LdapDirectory::new(slapd.config(&[slapd.ldaps()])).unwrap()).await;
}

#[tokio::test]
async fn start_tls_with_the_attribute_member_of_keeps_the_contract() {
    let slapd = Slapd::new().await;
    let config = LdapConfig { groups: GroupSource::MemberOf, ..slapd.config(&[slapd.plain()]) };
    contract(&LdapDirectory::new(config).unwrap()).await;
}

#[tokio::test]
async fn names_with_special_characters_have_their_groups() {
    let slapd = Slapd::new().await;
    for groups in [GroupSource::Search, GroupSource::MemberOf] {
        let config = LdapConfig { groups, ..slapd.config(&[slapd.ldaps()]) };
        let ann = LdapDirectory::new(config).unwrap().sign_in("ann", "pw-ann").await.unwrap().unwrap();
        assert_eq!(ann.name, "Ward, Ann (Night*)");
        assert_eq!(ann.groups.len(), 3, "{groups:?}: {:?}", ann.groups);
    }
}

#[tokio::test]
async fn levels_and_number_of_groups_have_limits() {
    let slapd = Slapd::new().await;
    let groups = async |depth, limit| {
        let config = LdapConfig { group_depth: depth, group_limit: limit, ..slapd.config(&[slapd.ldaps()]) };
        LdapDirectory::new(config).unwrap().sign_in("alice", "pw-alice").await.unwrap().unwrap().groups.len()
    };
    assert_eq!(groups(1, 1000).await, 1);
    assert_eq!(groups(2, 1000).await, 2);
    assert_eq!(groups(50, 1000).await, 3);
    assert_eq!(groups(50, 2).await, 2);
    assert_eq!(groups(0, 1000).await, 0);
}

#[tokio::test]
async fn an_account_that_fits_two_entries_or_has_no_password_signs_nobody_in() {
    let slapd = Slapd::new().await;
    let directory = LdapDirectory::new(slapd.config(&[slapd.ldaps()])).unwrap();
    assert_eq!(directory.sign_in("twin", "pw-twin").await.unwrap(), None);
    assert_eq!(directory.sign_in("nopassword", "x").await.unwrap(), None);
}

#[tokio::test]
async fn a_mail_address_signs_in_as_the_account_it_belongs_to() {
    let slapd = Slapd::new().await;
    let user_filter = "(|(uid={account})(mail={account}))".to_owned();
    let directory = LdapDirectory::new(LdapConfig { user_filter, ..slapd.config(&[slapd.ldaps()]) }).unwrap();
    assert_eq!(directory.sign_in("Alice@Example.test", "pw-alice").await.unwrap(), Some(alice()));
}

#[tokio::test]
async fn a_certificate_of_a_stranger_is_named_as_the_reason() {
    let slapd = Slapd::new().await;
    let stranger = Slapd::new().await;
    for server in [slapd.ldaps(), slapd.plain()] {
        let config = LdapConfig { ca_file: stranger.ca(), ..slapd.config(std::slice::from_ref(&server)) };
        let error = LdapDirectory::new(config).unwrap().sign_in("alice", "pw-alice").await.unwrap_err();
        assert!(
            matches!(&error, PortError::Refused { reason, .. } if reason.contains("not trusted") && reason.contains(&server)),
            "{}",
            error.chain()
        );
    }
    // The right authority, the wrong name.
    let config = slapd.config(&[format!("ldaps://127.0.0.2:{}", slapd.tls_port)]);
    assert!(LdapDirectory::new(config).unwrap().ping().await.is_err());
}

#[tokio::test]
async fn a_wrong_service_account_is_a_refusal_without_its_password() {
    let slapd = Slapd::new().await;
    let config = LdapConfig { bind_password: "Wr0ng-secret".to_owned(), ..slapd.config(&[slapd.ldaps()]) };
    let directory = LdapDirectory::new(config).unwrap();
    for error in [directory.ping().await.unwrap_err(), directory.sign_in("alice", "pw-alice").await.unwrap_err()] {
        assert!(matches!(&error, PortError::Refused { reason, .. } if reason.contains("service account")), "{error}");
        assert!(!error.chain().contains("Wr0ng") && !error.chain().contains("pw-alice"), "{}", error.chain());
    }
}

#[tokio::test]
async fn the_service_password_comes_from_a_file() {
    let slapd = Slapd::new().await;
    let file = slapd.folder.path().join("password");
    std::fs::write(&file, "portalpw\n").unwrap();
    let text = format!(
        "servers = [\"{}\"]\nca_file = \"{}\"\nbind_dn = \"cn=portal,dc=test\"\nbind_password_file = \"{}\"\n\
user_base = \"ou=people,dc=test\"\ngroup_base = \"ou=groups,dc=test\"\ngroups = \"search\"\n",
        slapd.ldaps(),
        slapd.ca().display(),
        file.display()
    );
    let config: LdapConfig = toml::from_str(&text).unwrap();
    assert_eq!(LdapDirectory::new(config).unwrap().sign_in("alice", "pw-alice").await.unwrap(), Some(alice()));
}

#[tokio::test]
async fn a_server_that_is_down_or_silent_costs_no_more_than_its_deadline() {
    let slapd = Slapd::new().await;
    // Accepts and never answers.
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let silent_url = format!("ldaps://127.0.0.1:{}", silent.local_addr().unwrap().port());
    let closed = {
        let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        format!("ldaps://127.0.0.1:{port}")
    };
    for server in [&silent_url, &closed] {
        let config = LdapConfig { timeout_ms: 300, ..slapd.config(std::slice::from_ref(server)) };
        let begun = Instant::now();
        let error = LdapDirectory::new(config).unwrap().sign_in("alice", "pw-alice").await.unwrap_err();
        assert!(matches!(error, PortError::Transient { .. }), "{error}");
        assert!(begun.elapsed() < Duration::from_secs(1), "{:?}", begun.elapsed());
    }

    // The second takes over; the silent one is then left aside.
    let config = LdapConfig { timeout_ms: 1500, ..slapd.config(&[silent_url, slapd.ldaps()]) };
    let directory = LdapDirectory::new(config).unwrap();
    let begun = Instant::now();
    assert_eq!(directory.sign_in("alice", "pw-alice").await.unwrap(), Some(alice()));
    assert!(begun.elapsed() >= Duration::from_millis(1500));
    let begun = Instant::now();
    assert_eq!(directory.sign_in("alice", "pw-alice").await.unwrap(), Some(alice()));
    println!("a sign-in takes {} ms", begun.elapsed().as_millis());
    assert!(begun.elapsed() < Duration::from_millis(1500), "the silent server was asked again");
    // All down: the remembered one is tried as well, so that nobody waits for the memory to fade.
    drop(slapd);
    let error = directory.sign_in("alice", "pw-alice").await.unwrap_err();
    assert!(matches!(error, PortError::Transient { .. }), "{error}");
}

#[tokio::test]
async fn a_server_that_talks_nonsense_is_an_error_not_a_sign_in() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let talk = tokio::spawn(async move {
        use tokio::io::AsyncWriteExt;
        while let Ok((mut stream, _)) = listener.accept().await {
            drop(stream.write_all(b"220 smtp.example.com ESMTP\r\n").await);
        }
    });
    let config = LdapConfig {
        servers: vec![format!("ldap://127.0.0.1:{port}")],
        start_tls: false,
        allow_plain_loopback: true,
        user_base: "dc=test".to_owned(),
        timeout_ms: 1000,
        ..LdapConfig::default()
    };
    let directory = LdapDirectory::new(config).unwrap();
    assert!(matches!(directory.sign_in("alice", "pw-alice").await, Err(PortError::Transient { .. })));
    talk.abort();
}
