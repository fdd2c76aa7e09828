//! Passwords as argon2id hashes.
//!
//! One could get it wrong in four ways: by hashing on an async worker (a hash
//! takes tens of milliseconds of pure computing), by hashing any number at once
//! (each takes 19 MiB), by answering sooner where there is nothing to compare
//! with, or by asking the allocator for those 19 MiB each time: it keeps twice as much
//! for every thread that ever hashed. So hashing runs on the blocking pool, few at a time
//! and in memory that is kept, and an unknown account is compared with a hash that nobody
//! knows the password of.

use argon2::password_hash::{Ident, Output, ParamsString, PasswordHash, Salt, SaltString};
use argon2::{Algorithm, Argon2, Block, Params, Version};
use rand::RngCore;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::Semaphore;

/// OWASP's Password Storage Cheat Sheet: argon2id with 19 MiB, two passes, one lane.
const MEMORY_KIB: u32 = 19_456;
const PASSES: u32 = 2;
const LANES: u32 = 1;
/// Hashes computed at the same time: 4 × 19 MiB.
const AT_ONCE: usize = 4;
/// The longest password in bytes: longer ones only cost time.
pub const MAX_PASSWORD: usize = 1024;

/// Hashing failed: for the operator, never for the person.
#[derive(Debug, thiserror::Error)]
#[error("password hashing: {0}")]
pub struct HashError(String);

/// Hashes and compares passwords.
#[derive(Clone)]
pub struct Passwords {
    slots: Arc<Semaphore>,
    nobody: Arc<str>,
    kept: Kept,
}

impl std::fmt::Debug for Passwords {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Passwords").finish_non_exhaustive()
    }
}

/// The memory of a hash, kept for the next one: never more than [`AT_ONCE`] of them.
type Kept = Arc<Mutex<Vec<Vec<Block>>>>;

fn said(e: impl std::fmt::Display) -> HashError {
    HashError(e.to_string())
}

/// The hash of a password in memory that is kept.
fn compute(kept: &Kept, params: &Params, password: &[u8], salt: &[u8], len: usize) -> Result<Vec<u8>, HashError> {
    let mut blocks = kept.lock().unwrap_or_else(PoisonError::into_inner).pop().unwrap_or_default();
    blocks.resize(params.block_count().max(blocks.len()), Block::default());
    let mut out = vec![0; len];
    let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params.clone());
    let done = argon2.hash_password_into_with_memory(password, salt, &mut out, &mut blocks);
    kept.lock().unwrap_or_else(PoisonError::into_inner).push(blocks);
    done.map(|()| out).map_err(said)
}

fn hash_now(kept: &Kept, password: &[u8]) -> Result<String, HashError> {
    let mut bytes = [0u8; 16];
    rand::rng().fill_bytes(&mut bytes);
    let salt = SaltString::encode_b64(&bytes).map_err(said)?;
    let params = Params::new(MEMORY_KIB, PASSES, LANES, None).map_err(said)?;
    let out = compute(kept, &params, password, &bytes, Params::DEFAULT_OUTPUT_LEN)?;
    let hash = PasswordHash {
        algorithm: Ident::new(Algorithm::Argon2id.as_str()).map_err(said)?,
        version: Some(Version::V0x13.into()),
        params: ParamsString::try_from(&params).map_err(said)?,
        salt: Some(Salt::from(&salt)),
        hash: Some(Output::new(&out).map_err(said)?),
    };
    Ok(hash.to_string())
}

/// Whether a password is that of a PHC string; the comparison takes always as long.
fn fits_now(kept: &Kept, password: &[u8], hash: &str) -> Result<bool, HashError> {
    let parsed = PasswordHash::new(hash).map_err(said)?;
    let ours = Algorithm::try_from(parsed.algorithm).is_ok_and(|a| a == Algorithm::Argon2id);
    if !ours || parsed.version != Some(Version::V0x13.into()) {
        return Err(HashError("a hash that was not made here".to_owned()));
    }
    let (Some(salt), Some(known)) = (parsed.salt, parsed.hash) else {
        return Err(HashError("a hash without salt or value".to_owned()));
    };
    let mut bytes = [0u8; 64];
    let salt = salt.decode_b64(&mut bytes).map_err(said)?;
    let params = Params::try_from(&parsed).map_err(said)?;
    let out = compute(kept, &params, password, salt, known.len())?;
    Ok(Output::new(&out).map_err(said)? == known)
}

impl Passwords {
    /// Computes the hash that unknown accounts are compared with.
    pub async fn new() -> Result<Self, HashError> {
        let mut secret = [0u8; 32];
        rand::rng().fill_bytes(&mut secret);
        let kept = Kept::default();
        let memory = kept.clone();
        let nobody = blocking(move || hash_now(&memory, &secret)).await?;
        Ok(Self { slots: Arc::new(Semaphore::new(AT_ONCE)), nobody: nobody.into(), kept })
    }

    /// The hash of a new password, a PHC string.
    pub async fn hash(&self, password: &str) -> Result<String, HashError> {
        let _slot = self.slots.acquire().await.map_err(said)?;
        let (password, kept) = (password.to_owned(), self.kept.clone());
        blocking(move || hash_now(&kept, password.as_bytes())).await
    }

    /// Whether the password fits; without a hash the same work is done and the answer is no.
    pub async fn fits(&self, password: &str, hash: Option<&str>) -> Result<bool, HashError> {
        let known = hash.is_some();
        let hash: String = hash.unwrap_or(&self.nobody).to_owned();
        let password: String = if password.len() > MAX_PASSWORD { String::new() } else { password.to_owned() };
        let _slot = self.slots.acquire().await.map_err(said)?;
        let kept = self.kept.clone();
        let fits = blocking(move || Ok(fits_now(&kept, password.as_bytes(), &hash)? && !password.is_empty())).await?;
        Ok(fits && known)
    }
}

async fn blocking<T: Send + 'static>(
    f: impl FnOnce() -> Result<T, HashError> + Send + 'static,
) -> Result<T, HashError> {
    tokio::task::spawn_blocking(f).await.map_err(|e| HashError(e.to_string()))?
}

/// A password that a person can type: 20 letters and digits without look-alikes, 99 bits.
pub fn random_password() -> String {
    const LETTERS: &[u8; 31] = b"abcdefghjkmnpqrstuvwxyz23456789";
    let mut out = String::new();
    while out.len() < 20 {
        let mut b = [0u8; 1];
        rand::rng().fill_bytes(&mut b);
        // 248 = 8 × 31: every letter is equally likely.
        if b[0] < 248 {
            out.push(char::from(LETTERS[usize::from(b[0] % 31)]));
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_password_fits_its_hash_and_nothing_else_does() {
        let p = Passwords::new().await.expect("argon2");
        let h = p.hash("correct horse").await.expect("hash");
        assert!(h.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{h}");
        assert!(p.fits("correct horse", Some(&h)).await.expect("verify"));
        assert!(!p.fits("correct hors", Some(&h)).await.expect("verify"));
        assert!(!p.fits("", Some(&h)).await.expect("verify"));
        assert!(!p.fits("correct horse", None).await.expect("verify"));
        assert!(!p.fits(&"x".repeat(MAX_PASSWORD + 1), Some(&h)).await.expect("verify"));
        assert_ne!(h, p.hash("correct horse").await.expect("hash"), "salted");
        // One that this library's own writer made, as all that stand in databases are.
        use argon2::password_hash::PasswordHasher;
        let salt = SaltString::encode_b64(b"sixteen bytes ok").expect("salt");
        let params = Params::new(MEMORY_KIB, PASSES, LANES, None).expect("params");
        let writer = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
        let old = writer.hash_password(b"correct horse", &salt).expect("hash").to_string();
        assert!(p.fits("correct horse", Some(&old)).await.expect("verify"));
        assert!(!p.fits("another horse", Some(&old)).await.expect("verify"));
        // And it reads ours.
        use argon2::password_hash::PasswordVerifier;
        let ours = PasswordHash::new(&h).expect("a PHC string");
        assert!(writer.verify_password(b"correct horse", &ours).is_ok());
        assert!(p.fits("x", Some("nonsense")).await.is_err());
        assert_eq!(p.kept.lock().expect("kept").len(), 1, "one after the other share their memory");
    }

    #[test]
    fn random_passwords_differ() {
        let (a, b) = (random_password(), random_password());
        assert!(a != b && a.len() == 20);
    }
}
