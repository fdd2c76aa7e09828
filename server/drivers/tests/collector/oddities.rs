//! What stands among a registry's files and should not: garbage, links, files of others,
//! another registry's folder, one that is not there.

use super::{Real, run};
use crate::world::{MANIFEST, sha256};
use padis_domain::ports::{Collector, PortError, Registry};
use padis_drivers::registry::{StorageCollector, StorageConfig};
use serde_json::json;
use std::collections::BTreeMap;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

fn write(path: &Path, bytes: &[u8]) {
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, bytes).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn garbage_keeps_whatever_it_could_name() {
    let real = Real::start().await;
    let pusher = real.server.pusher();
    let v2 = real.data().join("docker/registry/v2");
    let blob = |digest: &str| v2.join("blobs/sha256").join(&digest[7..9]).join(&digest[7..]).join("data");
    let revision = |repository: &str, digest: &str| {
        let link = v2.join("repositories").join(repository).join("_manifests/revisions/sha256").join(&digest[7..]);
        write(&link.join("link"), digest.as_bytes());
    };
    real.push(&real.archive(2), "good:1");
    let free = pusher.blob("good", b"nothing names this".to_vec()).await;

    // Each of these has a layer that only its broken manifest could name.
    let mut kept = Vec::new();
    let garbage = b"\x00no manifest at all".to_vec();
    let unknown = br#"{"mediaType": "application/of.the.future", "things": 1}"#.to_vec();
    let large = vec![b' '; (4 << 20) + 1];
    for (name, bytes) in [("garbage", &garbage), ("unknown", &unknown), ("large", &large)] {
        kept.push(pusher.blob(name, format!("layer of {name}").into_bytes()).await);
        write(&blob(&sha256(bytes)), bytes);
        revision(name, &sha256(bytes));
    }
    // One whose bytes are gone, one that was damaged on the disk, one that is a link out of the folder.
    kept.push(pusher.blob("missing", b"layer of missing".to_vec()).await);
    revision("missing", &sha256(b"lost"));
    let digest = pusher.image("damaged", "1", &BTreeMap::new()).await;
    kept.push(sha256(b"layer of damaged:1"));
    write(&blob(&digest), b"{}");
    kept.push(pusher.blob("linked", b"layer of linked".to_vec()).await);
    let outside = real.folder.path().join("outside");
    write(&outside, br#"{"manifests": []}"#);
    let digest = sha256(br#"{"manifests": []}"#);
    std::fs::create_dir_all(blob(&digest).parent().unwrap()).unwrap();
    symlink(&outside, blob(&digest)).unwrap();
    revision("linked", &digest);
    // Garbage that names a layer of another repository, which is no way that a registry knows.
    let other = pusher.blob("good", b"named by garbage".to_vec()).await;
    let names = format!("so to speak {other}");
    write(&blob(&sha256(names.as_bytes())), names.as_bytes());
    revision("garbage", &sha256(names.as_bytes()));
    kept.push(other);
    // Files that no registry has put there.
    for name in ["blobs/sha256/zz/note", "blobs/sha256/ab/.nfs001", "blobs/README", "repositories/good/notes.txt"] {
        write(&v2.join(name), b"mine");
    }
    let hex = sha256(b"a link")[7..].to_owned();
    std::fs::create_dir_all(v2.join("blobs/sha256").join(&hex[..2]).join(&hex)).unwrap();
    symlink(&outside, v2.join("blobs/sha256").join(&hex[..2]).join(&hex).join("data")).unwrap();

    let done = real.collect().await;
    assert_eq!(done.removed, 1, "{done:?}");
    assert!(done.unclear >= 6, "{done:?}");
    assert!(done.foreign >= 3, "{done:?}");
    for name in ["garbage@", "unknown@", "large@", "missing@", "damaged@", "linked@"] {
        assert!(done.unreadable.iter().any(|u| u.starts_with(name)), "{name}: {:?}", done.unreadable);
    }
    let left = real.blobs();
    assert!(!left.contains(&free[7..].to_owned()));
    for digest in &kept {
        assert!(left.contains(&digest[7..].to_owned()), "{digest} is gone");
    }
    assert_eq!(std::fs::read(&outside).unwrap(), br#"{"manifests": []}"#);
    assert_eq!(run("find", &[&v2.display().to_string(), "-size", "-5c", "-name", "note*"]).unwrap().lines().count(), 2);
    real.pull("good:1", "good").unwrap();
    real.server.child.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_index_keeps_what_its_manifests_name_though_none_is_tagged() {
    let real = Real::start().await;
    let pusher = real.server.pusher();
    let one = pusher.image("many", "one", &BTreeMap::new()).await;
    let size = std::fs::metadata(
        real.data().join("docker/registry/v2/blobs/sha256").join(&one[7..9]).join(&one[7..]).join("data"),
    );
    let index = json!({"schemaVersion": 2, "mediaType": crate::world::INDEX, "manifests": [
        {"mediaType": MANIFEST, "digest": one, "size": size.unwrap().len()}]});
    pusher.manifest("many", "all", crate::world::INDEX, &index).await;
    // The revision of the part is lost; the index still names it.
    let client = real.server.client();
    let gone = pusher.image("many", "other", &BTreeMap::new()).await;
    client.delete("many", &gone).await.unwrap();
    client.delete("many", &one).await.unwrap();
    let done = real.collect().await;
    // The manifest of the other and its layer; the configuration is the same.
    assert_eq!((done.removed, done.unclear), (2, 0), "{done:?}");
    assert!(
        real.blobs().contains(&one[7..].to_owned())
            && real.blobs().contains(&sha256(b"layer of many:one")[7..].to_owned())
    );
    real.server.child.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn files_that_can_not_be_those_of_the_registry_are_refused() {
    let real = Real::start().await;
    let pusher = real.server.pusher();
    let free = pusher.blob("shop", b"nothing names this".to_vec()).await;
    let refused = |outcome: padis_domain::ports::PortResult<padis_domain::ports::Collected>, words: &str| {
        let error = outcome.unwrap_err();
        assert!(matches!(error, PortError::Refused { .. }), "{error:?}");
        assert!(error.chain().contains(words), "{}", error.chain());
        assert!(real.blobs().contains(&free[7..].to_owned()));
    };
    let collect = async |root: &Path| {
        let config = StorageConfig { root: root.to_owned(), young: Duration::ZERO, settle: Duration::ZERO };
        StorageCollector::new(Arc::new(real.server.client()), config).collect(Arc::new(|_| {})).await
    };
    refused(collect(&real.data().join("nowhere")).await, "there is no such folder");
    refused(collect(real.folder.path()).await, "no registry keeps images there");
    // Another registry's files: ours does not see what is put there.
    let other = Real::start().await;
    other.push(&other.archive(2), "shop/web:1");
    let theirs = other.server.pusher().blob("shop", b"nothing names this".to_vec()).await;
    refused(collect(&other.data()).await, "the files are another's");
    assert!(other.blobs().contains(&theirs[7..].to_owned()));
    assert_eq!(other.blobs().len(), 5, "nothing of ours is left");
    other.server.child.stop().await;
    // A repository that lies elsewhere may name anything.
    let link = real.data().join("docker/registry/v2/repositories/elsewhere");
    symlink(real.folder.path(), &link).unwrap();
    refused(real.tried().await, "may name any layer");
    std::fs::remove_file(&link).unwrap();
    // A registry that does not answer can't be asked: what was aside is put back.
    let down =
        padis_drivers::registry::RegistryClient::new(&padis_drivers::registry::RegistryConfig::at("127.0.0.1:1"));
    let config = StorageConfig { root: real.data(), young: Duration::ZERO, settle: Duration::ZERO };
    let silent = StorageCollector::new(Arc::new(down.unwrap()), config).collect(Arc::new(|_| {})).await.unwrap_err();
    assert!(matches!(silent, PortError::Transient { .. }), "{silent:?}");
    assert!(real.blobs().contains(&free[7..].to_owned()));
    // The setting itself may be a link.
    let through = real.folder.path().join("through");
    symlink(real.data(), &through).unwrap();
    assert_eq!(collect(&through).await.unwrap().removed, 1);
    assert!(!real.blobs().contains(&free[7..].to_owned()));
    assert!(real.server.client().ping().await.is_ok());
    real.server.child.stop().await;
}
