//! Space is freed in the portal's own registry, and the portal is killed by SIGKILL while what
//! nothing names is aside: the next start puts it back, begins again and ends it.

use super::Outcome;
use crate::portal::Portal;
use crate::shelf::{Pusher, sha256};
use crate::world::test;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

/// Everything below it was written three hours ago.
fn age(folder: &Path) -> Outcome<()> {
    let old = SystemTime::now() - Duration::from_secs(3 * 3600);
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            age(&entry.path())?;
        } else {
            std::fs::File::open(entry.path())?.set_modified(old)?;
        }
    }
    Ok(())
}

fn blob(data: &Path, digest: &str) -> PathBuf {
    let hex = &digest[7..];
    data.join("docker/registry/v2/blobs/sha256").join(&hex[..2]).join(hex).join("data")
}

#[tokio::test(flavor = "multi_thread")]
async fn sigkill_while_layers_are_aside_loses_nothing_and_frees_all_in_the_end() {
    test("collect", async |place| {
        let mut p = Portal::launch(place).await?;
        p.sign_in().await?;
        let data = place.data.join("registry/data");
        let pusher = Pusher::new(p.registry.parse()?, None);
        let stays = pusher.image("shop/web", "1", &BTreeMap::new()).await;
        let goes = pusher.image("shop/web", "2", &BTreeMap::new()).await;
        let layer = sha256(b"layer of shop/web:2");
        pusher.send("DELETE", &format!("/v2/shop/web/manifests/{goes}"), "text/plain", vec![]).await;
        age(&data)?;
        let once = p.ask("once").await?;
        let form = format!("registry=padis&once={}", once.as_str().unwrap_or_default());
        let asked = p.change(reqwest::Method::POST, "/api/collect_registry");
        let asked = asked.header("Content-Type", "application/x-www-form-urlencoded").body(form).send().await?;
        assert!(asked.status().as_u16() < 400, "{}", asked.status());
        p.until("it is aside", 30, async |_| Ok(!blob(&data, &goes).exists() && !blob(&data, &layer).exists())).await?;
        p.child.kill().await?;
        assert!(!blob(&data, &layer).exists(), "nobody has put it back, and nothing is deleted");
        let aside = data.join("padis-collect").join(&layer[7..9]).join(&layer[7..]);
        assert!(aside.exists());

        p = Portal::launch(place).await?;
        p.sign_in().await?;
        p.until("it is done", 60, async |p| {
            let page = p.get("/images/storage").await?.text().await?;
            Ok(page.contains("freed, 2 layers") || page.contains("（2 个数据块）"))
        })
        .await?;
        assert!(!blob(&data, &goes).exists() && !blob(&data, &layer).exists() && !aside.exists());
        assert!(blob(&data, &stays).exists() && blob(&data, &sha256(b"layer of shop/web:1")).exists());
        // It is taken again, whole, though it was there before: nothing is remembered.
        assert_eq!(pusher.image("shop/web", "2", &BTreeMap::new()).await, goes);
        assert!(blob(&data, &goes).exists() && blob(&data, &layer).exists());
        p.stop().await;
        Ok(())
    })
    .await;
}
