//! A disk that is really full: the data folder is a small file system of its own.
//! What can't be written is refused in plain words, what was written is kept, and
//! once there is room the same request succeeds.

use super::Outcome;
use crate::portal::{Place, Portal};
use crate::world::{site, test};
use serde_json::Value;
use std::io::Write;
use std::path::{Path, PathBuf};
use tokio::process::Command;

const MIB: u64 = 1 << 20;
const DISK_MIB: u64 = 128;
const PACKAGE: usize = 24 << 20;

/// ext4 on a file, mounted; unmounted at the end, however the test ends.
struct Disk(PathBuf);

impl Disk {
    async fn mount(at: &Path) -> Outcome<Self> {
        std::fs::create_dir_all(at)?;
        let image = at.with_extension("img");
        std::fs::File::create(&image)?.set_len(DISK_MIB * MIB)?;
        // No blocks are kept back for root: full is full.
        let made = Command::new("mkfs.ext4").args(["-q", "-m", "0", "-F"]).arg(&image).status().await?;
        let mounted = Command::new("mount").args(["-o", "loop"]).arg(&image).arg(at).status().await?;
        if made.success() && mounted.success() { Ok(Self(at.to_owned())) } else { Err("no small disk".into()) }
    }

    fn free(&self) -> Outcome<u64> {
        let s = rustix::fs::statvfs(&self.0)?;
        Ok(s.f_bavail * s.f_frsize)
    }

    fn ballast(&self) -> PathBuf {
        self.0.join("ballast")
    }

    /// Fills it until so many bytes are free.
    fn fill(&self, leave: u64) -> Outcome<()> {
        let mut f = std::fs::OpenOptions::new().create(true).append(true).open(self.ballast())?;
        while self.free()? > leave {
            let n = (self.free()? - leave).min(MIB);
            let all = f.write_all(&vec![1; usize::try_from(n)?]);
            // Delayed allocation would let the last bytes seem free for a while.
            f.sync_all()?;
            if all.is_err() {
                break;
            }
        }
        Ok(())
    }

    fn make_room(&self) -> Outcome<()> {
        Ok(std::fs::remove_file(self.ballast())?)
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let _ = std::process::Command::new("umount").arg("-l").arg(&self.0).status();
        let _ = std::fs::remove_file(self.0.with_extension("img"));
    }
}

/// The steps of tus, one by one.
struct Tus<'a> {
    p: &'a Portal,
    at: String,
}

impl<'a> Tus<'a> {
    async fn begin(p: &'a Portal, length: usize) -> Outcome<Result<Self, (u16, String)>> {
        let answer = p
            .change(reqwest::Method::POST, "/uploads")
            .header("Tus-Resumable", "1.0.0")
            .header("Upload-Length", length)
            .header("Upload-Metadata", "filename c2l0ZS56aXA=,team ZGVmYXVsdA==")
            .send()
            .await?;
        let status = answer.status().as_u16();
        let at = answer.headers().get("location").and_then(|l| l.to_str().ok()).map(str::to_owned);
        Ok(match at {
            Some(at) if status == 201 => Ok(Self { p, at }),
            _ => Err((status, answer.text().await?)),
        })
    }

    async fn offset(&self) -> Outcome<usize> {
        let answer = self.p.change(reqwest::Method::HEAD, &self.at).header("Tus-Resumable", "1.0.0").send().await?;
        let offset = answer.headers().get("upload-offset").and_then(|o| o.to_str().ok()?.parse().ok());
        offset.ok_or_else(|| format!("HEAD: {}", answer.status()).into())
    }

    /// Sends everything from `offset` on.
    async fn send(&self, all: &[u8], offset: usize) -> Outcome<(u16, String)> {
        let answer = self
            .p
            .change(reqwest::Method::PATCH, &self.at)
            .header("Tus-Resumable", "1.0.0")
            .header("Upload-Offset", offset)
            .header("Content-Type", "application/offset+octet-stream")
            .body(all[offset..].to_vec())
            .send()
            .await?;
        Ok((answer.status().as_u16(), answer.text().await?))
    }
}

fn names(folder: &Path) -> Vec<String> {
    let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
    entries.filter_map(|e| Some(e.ok()?.file_name().to_string_lossy().into_owned())).collect()
}

/// Everything below `packages/`, flat.
fn packages(data: &Path) -> Vec<String> {
    let folder = data.join("packages");
    names(&folder).iter().flat_map(|n| names(&folder.join(n))).collect()
}

fn is_full(said: &(u16, String)) -> bool {
    said.0 == 507 && said.1.contains("disk_full")
}

async fn lives(p: &Portal) -> Outcome<()> {
    for path in ["/", "/packages", "/health"] {
        let status = p.get(path).await?.status();
        if !status.is_success() {
            return Err(format!("{path}: {status} while the disk is full").into());
        }
    }
    Ok(())
}

/// The disk fills up in the middle of an upload; with room, it goes on where it was.
async fn upload(p: &Portal, disk: &Disk, place: &Place) -> Outcome<()> {
    let z = site(PACKAGE)?;
    let upload = Tus::begin(p, z.len()).await?.map_err(|e| format!("{e:?}"))?;
    disk.fill(8 * MIB)?;
    let said = upload.send(&z, 0).await?;
    assert!(is_full(&said), "{said:?}");
    lives(p).await?;
    let offset = upload.offset().await?;
    assert!(offset < z.len(), "{offset} of {}", z.len());
    assert_eq!(packages(&place.data), Vec::<String>::new(), "half a package");
    let other = Tus::begin(p, z.len()).await?;
    assert!(other.as_ref().is_err_and(is_full), "an upload that can't fit is refused before it begins");
    // Room for the file and not for what is in it: nothing half-unpacked stays.
    disk.make_room()?;
    disk.fill((z.len() - offset) as u64 + 4 * MIB)?;
    let said = upload.send(&z, offset).await?;
    assert!(is_full(&said), "{said:?}");
    assert_eq!(upload.offset().await?, z.len(), "every byte is here");
    assert_eq!(packages(&place.data), Vec::<String>::new(), "half a package");
    disk.make_room()?;
    let (status, text) = upload.send(&z, z.len()).await?;
    let package: Value = serde_json::from_str(&text).map_err(|e| format!("{status} {text}: {e}"))?;
    let sha = package["package"]["sha256"].as_str().unwrap_or_default();
    let mut there = packages(&place.data);
    there.sort();
    assert_eq!(there, [format!("{sha}.tree"), format!("{sha}.zip")]);
    assert_eq!(names(&place.data.join("uploads")), Vec::<String>::new(), "an upload is left");
    assert_eq!(p.upload("site.zip", z.clone(), z.len() as u64).await?, sha, "the same once more is the same");
    Ok(())
}

async fn team(p: &Portal, once: &str) -> Outcome<(u16, String)> {
    let form = [
        ("slug", "late"),
        ("title", "Late"),
        ("member_groups", ""),
        ("lead_groups", ""),
        ("new", "on"),
        ("once", once),
    ];
    let body = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(form).finish();
    let answer = p
        .change(reqwest::Method::POST, "/api/put_team")
        .header("Content-Type", "application/x-www-form-urlencoded")
        .body(body)
        .send()
        .await?;
    Ok((answer.status().as_u16(), answer.text().await?))
}

/// The database is on the full disk: requests say so, pages are shown, nothing is lost.
async fn database(p: &Portal, disk: &Disk) -> Outcome<()> {
    let once = p.once().await?;
    disk.fill(0)?;
    // What the database has set aside is used up first; each form's token is a row.
    let mut said = (0, String::new());
    p.until("the database finds its disk full", 60, async |p| {
        disk.fill(0)?;
        let answer = p.get("/api/new_app_options").await?;
        said = (answer.status().as_u16(), answer.text().await?);
        Ok(said.0 != 200)
    })
    .await?;
    assert!(is_full(&said), "{said:?}");
    let said = team(p, &once).await?;
    assert!(is_full(&said), "{said:?}");
    lives(p).await?;
    disk.make_room()?;
    p.until("there is room", 30, async |p| Ok(p.get("/api/new_app_options").await?.status().is_success())).await?;
    // The very same form: it had no effect, so it has one now.
    let said = team(p, &once).await?;
    assert!((200..400).contains(&said.0), "{said:?}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_refuses_in_plain_words_and_loses_nothing() {
    test("disk", async |place| {
        let disk = Disk::mount(&place.data).await?;
        let more = [("PADIS_UPLOAD_KEEP_FREE_BYTES", "0".to_owned())];
        let mut p = Portal::launch_with(place, &more).await?;
        p.sign_in().await?;
        upload(&p, &disk, place).await?;
        database(&p, &disk).await?;
        // What was saved before and after is there after a kill, too.
        p.child.kill().await?;
        let mut p = Portal::launch_with(place, &more).await?;
        p.sign_in().await?;
        let teams = p.ask("teams").await?.to_string();
        assert!(teams.contains("\"late\"") && teams.contains("\"default\""), "{teams}");
        assert!(p.get("/packages").await?.text().await?.contains("site.zip"));
        p.stop().await;
        drop(disk);
        Ok(())
    })
    .await;
}
