//! Secrets at rest: values of secret variables are sealed before they go into the database,
//! with a key that is not in it.
//!
//! AES-256-GCM with a random nonce for each value; bound to the application and the
//! variable's name, so that a row that somebody copies to another place does not open there.
//! One could get it wrong by opening what only has to be kept: a form that leaves a secret as
//! it is, a roll-back and a restart carry the sealed value on, and only what is handed to
//! Marathon is opened. Values from before there was a key are sealed at the next start.

use crate::store::{Store, StoreError, What, from_json, to_json};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use padis_domain::app::{Env, EnvVar, ReleaseSpec};
use ring::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use ring::rand::{SecureRandom, SystemRandom};
use sha2::{Digest, Sha256};
use std::io::{Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

/// What a sealed value begins with; then the key's name, a colon, and Base64 of nonce,
/// ciphertext and tag.
const PREFIX: &str = "sealed:v1:";
/// Bytes of a key.
const KEY: usize = 32;

/// Why there is no key.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// The file.
    #[error("the key of secrets at {path} can't be read or made")]
    File {
        /// Where.
        path: PathBuf,
        /// Why.
        #[source]
        cause: std::io::Error,
    },
    /// What is in it.
    #[error("{0} holds no key: 32 bytes in Base64 are needed, as `head -c 32 /dev/urandom | base64` makes them")]
    Malformed(PathBuf),
    /// The machine has no random numbers to give.
    #[error("no random numbers for a key")]
    Random,
}

/// Why a value does not open.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OpenError {
    /// Another key has sealed it.
    #[error("it was sealed with another key, {0}")]
    OtherKey(String),
    /// It is not what was sealed, or not here.
    #[error("it is damaged, or was sealed for another place")]
    Damaged,
}

/// Seals and opens.
pub struct Sealer {
    key: LessSafeKey,
    /// What values say of it.
    name: String,
    random: SystemRandom,
}

impl std::fmt::Debug for Sealer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Sealer").field("name", &self.name).finish_non_exhaustive()
    }
}

impl Sealer {
    fn new(key: &[u8; KEY]) -> Result<Self, KeyError> {
        let name = Sha256::digest(key).iter().take(4).map(|b| format!("{b:02x}")).collect();
        let key = UnboundKey::new(&AES_256_GCM, key).map_err(|_| KeyError::Random)?;
        Ok(Self { key: LessSafeKey::new(key), name, random: SystemRandom::new() })
    }

    /// With a key that nobody else has; for tests, and for who keeps nothing.
    ///
    /// # Errors
    /// There are no random numbers.
    pub fn random() -> Result<Self, KeyError> {
        let mut key = [0; KEY];
        SystemRandom::new().fill(&mut key).map_err(|_| KeyError::Random)?;
        Self::new(&key)
    }

    /// With the key in a file, which is made, readable for us alone, if it is not there.
    ///
    /// # Errors
    /// It can't be read or made, or holds something else.
    pub fn load(path: &Path) -> Result<Self, KeyError> {
        let failed = |cause| KeyError::File { path: path.to_owned(), cause };
        let made = std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
        match made {
            Ok(mut file) => {
                let mut key = [0; KEY];
                SystemRandom::new().fill(&mut key).map_err(|_| KeyError::Random)?;
                file.write_all(format!("{}\n", BASE64.encode(key)).as_bytes()).map_err(failed)?;
                file.sync_all().map_err(failed)?;
                tracing::info!(path = %path.display(), "made a key for secrets: keep a copy of it beside the database's");
                Self::new(&key)
            }
            Err(e) if e.kind() == std::io::ErrorKind::AlreadyExists => {
                let mut text = String::new();
                let file = std::fs::File::open(path).map_err(failed)?;
                file.take(1024).read_to_string(&mut text).map_err(failed)?;
                let key = BASE64.decode(text.trim()).ok().and_then(|k| <[u8; KEY]>::try_from(k).ok());
                Self::new(&key.ok_or_else(|| KeyError::Malformed(path.to_owned()))?)
            }
            Err(e) => Err(failed(e)),
        }
    }

    fn place(app_id: &str, name: &str) -> Vec<u8> {
        format!("env\0{app_id}\0{name}").into_bytes()
    }

    fn seal(&self, app_id: &str, name: &str, value: &str) -> Option<String> {
        let mut nonce = [0; NONCE_LEN];
        self.random.fill(&mut nonce).ok()?;
        let mut sealed = value.as_bytes().to_vec();
        let place = Aad::from(Self::place(app_id, name));
        self.key.seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), place, &mut sealed).ok()?;
        let bytes = [&nonce[..], &sealed].concat();
        Some(format!("{PREFIX}{}:{}", self.name, BASE64.encode(bytes)))
    }

    /// A secret variable's value; one from before there was a key is as it stands.
    ///
    /// # Errors
    /// It does not open.
    pub fn open(&self, app_id: &str, name: &str, value: &str) -> Result<String, OpenError> {
        let Some(rest) = value.strip_prefix(PREFIX) else { return Ok(value.to_owned()) };
        let (key, text) = rest.split_once(':').ok_or(OpenError::Damaged)?;
        if key != self.name {
            return Err(OpenError::OtherKey(key.to_owned()));
        }
        let mut bytes = BASE64.decode(text).map_err(|_| OpenError::Damaged)?;
        let (nonce, sealed) = bytes.split_at_mut_checked(NONCE_LEN).ok_or(OpenError::Damaged)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).map_err(|_| OpenError::Damaged)?;
        let place = Aad::from(Self::place(app_id, name));
        let plain = self.key.open_in_place(nonce, place, sealed).map_err(|_| OpenError::Damaged)?;
        String::from_utf8(plain.to_vec()).map_err(|_| OpenError::Damaged)
    }

    /// An application's variables as they go into the database: secret ones sealed, except
    /// those that `before` has sealed already and that stayed as they were.
    ///
    /// # Errors
    /// There are no random numbers, and nothing may be written.
    pub fn env(&self, app_id: &str, env: Env, before: &Env) -> Result<Env, StoreError> {
        let one = |(name, v): (String, EnvVar)| {
            let kept = |b: &EnvVar| b.secret && b.value == v.value && b.value.starts_with(PREFIX);
            if !v.secret || before.get(&name).is_some_and(kept) {
                return Ok((name, v));
            }
            let value = self.seal(app_id, &name, &v.value).ok_or_else(|| StoreError::Row {
                what: "release.spec",
                detail: "a secret can't be sealed: no random numbers".to_owned(),
            })?;
            Ok((name, EnvVar { secret: true, value }))
        };
        env.into_iter().map(one).collect()
    }

    /// Seals what stands in the database from before there was a key; how many releases.
    ///
    /// # Errors
    /// The database.
    pub async fn seal_all(&self, store: &Store) -> Result<u64, StoreError> {
        const WHAT: &str = "seal secrets";
        let rows: Vec<(String, i64, String)> =
            sqlx::query_as("SELECT app_id, number, spec FROM release WHERE spec LIKE '%\"secret\":true%'")
                .fetch_all(store.read())
                .await
                .what(WHAT)?;
        let mut done = 0;
        for (app_id, number, text) in rows {
            let spec: ReleaseSpec = from_json("release.spec", &text)?;
            if spec.env.values().all(|v| !v.secret || v.value.starts_with(PREFIX)) {
                continue;
            }
            // What is sealed already stays as it is.
            let before = spec.env.clone();
            let env = self.env(&app_id, spec.env, &before)?;
            let next = to_json("release.spec", &ReleaseSpec { env, ..spec })?;
            // Another process may have done it meanwhile.
            let sealed = sqlx::query("UPDATE release SET spec = $3 WHERE app_id = $1 AND number = $2 AND spec = $4")
                .bind(&app_id)
                .bind(number)
                .bind(next)
                .bind(&text)
                .execute(store.write())
                .await
                .what(WHAT)?;
            done += sealed.rows_affected();
        }
        Ok(done)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    fn env(pairs: &[(&str, bool, &str)]) -> Env {
        let one = |(n, secret, value): &(&str, bool, &str)| {
            ((*n).to_owned(), EnvVar { secret: *secret, value: (*value).to_owned() })
        };
        pairs.iter().map(one).collect()
    }

    #[test]
    fn what_is_sealed_opens_in_its_place_and_nowhere_else() {
        let s = Sealer::random().expect("a key");
        let sealed =
            s.env("a1", env(&[("TOKEN", true, "hush"), ("OPEN", false, "seen")]), &Env::new()).expect("sealed");
        assert_eq!(sealed["OPEN"].value, "seen");
        let token = &sealed["TOKEN"].value;
        assert!(token.starts_with(PREFIX) && !token.contains("hush"), "{token}");
        assert_eq!(s.open("a1", "TOKEN", token).as_deref(), Ok("hush"));
        assert_eq!(s.open("a2", "TOKEN", token), Err(OpenError::Damaged));
        assert_eq!(s.open("a1", "OTHER", token), Err(OpenError::Damaged));
        let other = Sealer::random().expect("a key");
        assert!(matches!(other.open("a1", "TOKEN", token), Err(OpenError::OtherKey(_))));
        // Every byte counts.
        let last = token.len() - 6;
        let swapped = if token.as_bytes()[last] == b'A' { "B" } else { "A" };
        let mut damaged = token.clone();
        damaged.replace_range(last..=last, swapped);
        assert_eq!(s.open("a1", "TOKEN", &damaged), Err(OpenError::Damaged));
        for odd in ["sealed:v1:", "sealed:v1:x", &format!("{PREFIX}{}:", s.name), &format!("{PREFIX}{}:AAAA", s.name)] {
            assert!(s.open("a1", "TOKEN", odd).is_err(), "{odd}");
        }
        // From before there was a key.
        assert_eq!(s.open("a1", "TOKEN", "plain").as_deref(), Ok("plain"));
    }

    #[test]
    fn what_stays_as_it_is_is_not_sealed_twice_and_what_is_typed_always_is() {
        let s = Sealer::random().expect("a key");
        let before = s.env("a1", env(&[("A", true, "one"), ("B", true, "two")]), &Env::new()).expect("sealed");
        let typed =
            env(&[("A", true, &before["A"].value), ("B", true, "sealed:v1:typed"), ("C", true, &before["A"].value)]);
        let after = s.env("a1", typed, &before).expect("sealed");
        assert_eq!(after["A"], before["A"]);
        assert_eq!(s.open("a1", "B", &after["B"].value).as_deref(), Ok("sealed:v1:typed"));
        // What somebody has copied from a dump is a text like any other.
        assert_eq!(s.open("a1", "C", &after["C"].value), Ok(before["A"].value.clone()));
    }

    #[test]
    fn a_key_is_made_once_and_readable_for_us_alone() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("secrets.key");
        let first = Sealer::load(&path).expect("made");
        assert_eq!(std::fs::metadata(&path).expect("it is there").permissions().mode() & 0o777, 0o600);
        let sealed = first.seal("a", "N", "v").expect("sealed");
        assert_eq!(Sealer::load(&path).expect("read").open("a", "N", &sealed).as_deref(), Ok("v"));
        std::fs::write(&path, "short").expect("written");
        assert!(matches!(Sealer::load(&path), Err(KeyError::Malformed(_))));
        assert!(matches!(Sealer::load(&folder.path().join("no/such")), Err(KeyError::File { .. })));
    }
}
