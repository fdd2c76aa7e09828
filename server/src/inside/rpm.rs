//! The package database of rpm in its present form: `rpmdb.sqlite`, whose rows are the
//! headers of the packages.
//!
//! A header is a list of entries and a store that they point into (rpm's manual, "RPM
//! Package Format"). One could get it wrong by believing an offset, or by asking what an
//! image says is a table: a view of that name may take for ever to answer.

use super::dpkg::word;
use futures::TryStreamExt;
use padis_domain::view::{Contained, PackageOrigin};
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions, Connection};
use std::path::Path;

/// Tags of rpm's `rpmtag.h`.
const NAME: u32 = 1000;
const VERSION: u32 = 1001;
const RELEASE: u32 = 1002;
const EPOCH: u32 = 1003;
const LICENSE: u32 = 1014;
const ARCH: u32 = 1022;
const SOURCE: u32 = 1044;
/// Packages that are read.
const MAX_PACKAGES: i64 = 20_000;
/// Bytes of one header.
const MAX_HEADER: i64 = 4 << 20;

/// The packages in the database in this file, found at `path` in the image.
pub async fn read(file: &Path, path: &str) -> Result<Vec<Contained>, sqlx::Error> {
    // One header at a time: a buffer of them may be large.
    let options = SqliteConnectOptions::new().filename(file).read_only(true).immutable(true).row_buffer_size(1);
    let mut db = options.disable_statement_logging().connect().await?;
    let form: Option<(String, i64)> =
        sqlx::query_as("SELECT sql, rootpage FROM sqlite_master WHERE type = 'table' AND name = 'Packages'")
            .fetch_optional(&mut db)
            .await?;
    // A view, or a column that is computed, would run what the image wants.
    let plain = form.is_some_and(|(sql, root)| {
        let sql = sql.to_ascii_uppercase();
        root > 0
            && sql.starts_with("CREATE TABLE")
            && !sql.split(|c: char| !c.is_ascii_alphanumeric()).any(|w| w == "AS")
    });
    if !plain {
        return Err(sqlx::Error::Protocol("its table of packages is none that rpm makes".to_owned()));
    }
    let mut out = Vec::new();
    let mut rows = sqlx::query_scalar::<_, Vec<u8>>("SELECT blob FROM Packages WHERE length(blob) <= ? LIMIT ?")
        .bind(MAX_HEADER)
        .bind(MAX_PACKAGES)
        .fetch(&mut db);
    while let Some(header) = rows.try_next().await? {
        out.extend(package(&header, path));
    }
    drop(rows);
    db.close().await?;
    Ok(out)
}

fn package(header: &[u8], path: &str) -> Option<Contained> {
    let text = |tag| string(header, tag).map(|s| word(&s)).unwrap_or_default();
    let (name, version, release) = (text(NAME), text(VERSION), text(RELEASE));
    // Keys of signatures stand there, too, as if they were packages.
    if name.is_empty() || version.is_empty() || name == "gpg-pubkey" {
        return None;
    }
    let epoch = number(header, EPOCH).filter(|e| *e > 0).map(|e| format!("{e}:")).unwrap_or_default();
    let version = if release.is_empty() { version } else { format!("{epoch}{version}-{release}") };
    // `bash-5.1.8-9.el9.src.rpm`.
    let source = text(SOURCE);
    let source = source.rsplitn(3, '-').nth(2).filter(|s| !s.is_empty()).unwrap_or(&name).to_owned();
    Some(Contained {
        origin: PackageOrigin::Rpm,
        source,
        source_version: version.clone(),
        name,
        version,
        arch: text(ARCH),
        license: text(LICENSE),
        path: path.to_owned(),
        ..Contained::default()
    })
}

fn be32(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_be_bytes(bytes.get(at..at.checked_add(4)?)?.try_into().ok()?))
}

/// Where a tag's value begins in the header, and its type.
fn find(header: &[u8], tag: u32) -> Option<(u32, usize)> {
    let entries = usize::try_from(be32(header, 0)?).ok()?.min(header.len() / 16);
    let store = 8 + entries * 16;
    let entry = (0..entries).map(|n| 8 + n * 16).find(|at| be32(header, *at) == Some(tag))?;
    let offset = usize::try_from(be32(header, entry + 8)?).ok()?;
    Some((be32(header, entry + 4)?, store.checked_add(offset)?))
}

fn string(header: &[u8], tag: u32) -> Option<String> {
    // 6 a string, 8 several, 9 one that is translated.
    let (_, at) = find(header, tag).filter(|(kind, _)| matches!(kind, 6 | 8 | 9))?;
    let bytes = header.get(at..)?;
    let end = bytes.iter().position(|b| *b == 0)?;
    Some(String::from_utf8_lossy(&bytes[..end]).into_owned())
}

fn number(header: &[u8], tag: u32) -> Option<u32> {
    let (_, at) = find(header, tag).filter(|(kind, _)| *kind == 4)?;
    be32(header, at)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header(fields: &[(u32, &str)], epoch: Option<u32>) -> Vec<u8> {
        let (mut index, mut store) = (Vec::new(), Vec::new());
        let mut entry = |tag: u32, kind: u32, at: usize| {
            for n in [tag, kind, u32::try_from(at).expect("small"), 1] {
                index.extend(n.to_be_bytes());
            }
        };
        if let Some(epoch) = epoch {
            entry(EPOCH, 4, store.len());
            store.extend(epoch.to_be_bytes());
        }
        for (tag, text) in fields {
            entry(*tag, 6, store.len());
            store.extend(text.bytes().chain([0]));
        }
        let count = u32::try_from(index.len() / 16).expect("small");
        let bytes = u32::try_from(store.len()).expect("small");
        [&count.to_be_bytes()[..], &bytes.to_be_bytes()[..], &index, &store].concat()
    }

    #[tokio::test]
    async fn headers_are_read_from_a_database() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("rpmdb.sqlite");
        let mut db = SqliteConnectOptions::new().filename(&file).create_if_missing(true).connect().await.expect("made");
        sqlx::raw_sql("CREATE TABLE Packages (hnum INTEGER PRIMARY KEY AUTOINCREMENT, blob BLOB NOT NULL)")
            .execute(&mut db)
            .await
            .expect("a table");
        let bash = [
            (NAME, "bash"),
            (VERSION, "5.1.8"),
            (RELEASE, "9.el9"),
            (ARCH, "x86_64"),
            (LICENSE, "GPLv3+"),
            (SOURCE, "bash-5.1.8-9.el9.src.rpm"),
        ];
        let libs =
            [(NAME, "openssl-libs"), (VERSION, "3.0.7"), (RELEASE, "27.el9"), (SOURCE, "openssl-3.0.7-27.el9.src.rpm")];
        let key = [(NAME, "gpg-pubkey"), (VERSION, "fd431d51"), (RELEASE, "4ae0493b")];
        for blob in [header(&bash, None), header(&key, None), b"\xff\xff\xff\xff\0\0".to_vec(), header(&libs, Some(1))]
        {
            sqlx::query("INSERT INTO Packages (blob) VALUES (?)").bind(blob).execute(&mut db).await.expect("a row");
        }
        db.close().await.expect("closed");
        let found = read(&file, "var/lib/rpm/rpmdb.sqlite").await.expect("read");
        let told: Vec<_> = found.iter().map(|p| (&*p.name, &*p.version, &*p.source, &*p.license)).collect();
        assert_eq!(
            told,
            [("bash", "5.1.8-9.el9", "bash", "GPLv3+"), ("openssl-libs", "1:3.0.7-27.el9", "openssl", "")]
        );
        let endless =
            "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i FROM n) SELECT i AS hnum, x'' AS blob FROM n";
        let computed = "CREATE TABLE Packages (hnum INTEGER PRIMARY KEY, blob BLOB AS (zeroblob(900000000)))";
        for hostile in [format!("CREATE VIEW Packages AS {endless}"), computed.to_owned()] {
            std::fs::remove_file(&file).expect("removed");
            let made = SqliteConnectOptions::new().filename(&file).create_if_missing(true);
            let mut db = made.connect().await.expect("made");
            sqlx::raw_sql(&hostile).execute(&mut db).await.expect("made");
            db.close().await.expect("closed");
            assert!(read(&file, "x").await.is_err(), "{hostile}");
        }
        std::fs::write(&file, b"no database").expect("written");
        assert!(read(&file, "x").await.is_err());
    }

    /// Made by rpm 4.18 itself (`rpm --initdb`, `rpm -i --justdb` of two packages of one source);
    /// `rpm -qa` tells of it what is expected here.
    #[tokio::test]
    async fn a_database_that_rpm_made_is_read() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("rpmdb.sqlite");
        let mut bytes = Vec::new();
        let mut packed = flate2::read::GzDecoder::new(&include_bytes!("recorded/rpmdb.sqlite.gz")[..]);
        std::io::Read::read_to_end(&mut packed, &mut bytes).expect("unpacked");
        std::fs::write(&file, bytes).expect("written");
        let mut found = read(&file, "x").await.expect("read");
        found.sort_by(|a, b| a.name.cmp(&b.name));
        let told: Vec<_> = found.iter().map(|p| (&*p.name, &*p.version, &*p.arch, &*p.source, &*p.license)).collect();
        assert_eq!(
            told,
            [
                ("tool", "2:2.1~rc1-3.el9", "noarch", "tool", "MIT and GPLv2+"),
                ("tool-libs", "2:2.1~rc1-3.el9", "noarch", "tool", "MIT"),
            ]
        );
    }
}
