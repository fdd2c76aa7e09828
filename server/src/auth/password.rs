//! Passwords as argon2id hashes.
//!
//! One could get it wrong in three ways: by hashing on an async worker (a hash
//! takes tens of milliseconds of pure computing), by hashing any number at once
//! (each takes 19 MiB), or by answering sooner where there is nothing to compare
//! with. So hashing runs on the blocking pool, few at a time, and an unknown
//! account is compared with a hash that nobody knows the password of.

use argon2::password_hash::{PasswordHash, PasswordHasher, PasswordVerifier, SaltString};
use argon2::{Algorithm, Argon2, Params, Version};
use rand::RngCore;
use std::sync::Arc;
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
#[derive(Debug, Clone)]
pub struct Passwords {
    slots: Arc<Semaphore>,
    nobody: Arc<str>,
}

fn argon2() -> Result<Argon2<'static>, HashError> {
    let params = Params::new(MEMORY_KIB, PASSES, LANES, None).map_err(|e| HashError(e.to_string()))?;
    Ok(Argon2::new(Algorithm::Argon2id, Version::V0x13, params))
}

fn hash_now(password: &[u8]) -> Result<String, HashError> {
    let mut salt = [0u8; 16];
    rand::rng().fill_bytes(&mut salt);
    let salt = SaltString::encode_b64(&salt).map_err(|e| HashError(e.to_string()))?;
    Ok(argon2()?.hash_password(password, &salt).map_err(|e| HashError(e.to_string()))?.to_string())
}

impl Passwords {
    /// Computes the hash that unknown accounts are compared with.
    pub async fn new() -> Result<Self, HashError> {
        let mut secret = [0u8; 32];
        rand::rng().fill_bytes(&mut secret);
        let nobody = blocking(move || hash_now(&secret)).await?;
        Ok(Self { slots: Arc::new(Semaphore::new(AT_ONCE)), nobody: nobody.into() })
    }

    /// The hash of a new password, a PHC string.
    pub async fn hash(&self, password: &str) -> Result<String, HashError> {
        let _slot = self.slots.acquire().await.map_err(|e| HashError(e.to_string()))?;
        let password = password.to_owned();
        blocking(move || hash_now(password.as_bytes())).await
    }

    /// Whether the password fits; without a hash the same work is done and the answer is no.
    pub async fn fits(&self, password: &str, hash: Option<&str>) -> Result<bool, HashError> {
        let known = hash.is_some();
        let hash: String = hash.unwrap_or(&self.nobody).to_owned();
        let password: String = if password.len() > MAX_PASSWORD { String::new() } else { password.to_owned() };
        let _slot = self.slots.acquire().await.map_err(|e| HashError(e.to_string()))?;
        let fits = blocking(move || {
            let parsed = PasswordHash::new(&hash).map_err(|e| HashError(e.to_string()))?;
            Ok(argon2()?.verify_password(password.as_bytes(), &parsed).is_ok() && !password.is_empty())
        })
        .await?;
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
    }

    #[test]
    fn random_passwords_differ() {
        let (a, b) = (random_password(), random_password());
        assert!(a != b && a.len() == 20);
    }
}
