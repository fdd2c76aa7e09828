//! Digests: what is computed of bytes that have come, and compared with what they were
//! asked by.
//!
//! One could get it wrong by believing a digest of a kind that one can't compute.

use padis_domain::ports::{PortError, PortResult};
use padis_domain::problem::System;
use sha2::{Digest, Sha256, Sha512};

/// The digest of bytes that come one after the other. A clone is a point to go on from.
#[derive(Clone)]
pub(super) enum Hasher {
    Sha256(Sha256),
    Sha512(Sha512),
}

impl Hasher {
    /// The one that this digest is compared by; `None`: no kind that the specification
    /// registers, or not of its form.
    pub(super) fn of(digest: &str) -> Option<Self> {
        let (kind, hex) = digest.split_once(':')?;
        let sound = |length| hex.len() == length && hex.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
        match kind {
            "sha256" if sound(64) => Some(Self::Sha256(Sha256::new())),
            "sha512" if sound(128) => Some(Self::Sha512(Sha512::new())),
            _ => None,
        }
    }

    pub(super) fn update(&mut self, bytes: &[u8]) {
        match self {
            Self::Sha256(h) => h.update(bytes),
            Self::Sha512(h) => h.update(bytes),
        }
    }

    /// `sha256:…`.
    pub(super) fn digest(self) -> String {
        match self {
            Self::Sha256(h) => format!("sha256:{}", hex(&h.finalize())),
            Self::Sha512(h) => format!("sha512:{}", hex(&h.finalize())),
        }
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}

/// `sha256:…` of some bytes.
pub(super) fn digest_of(bytes: &[u8]) -> String {
    format!("sha256:{}", hex(&Sha256::digest(bytes)))
}

/// Why bytes are not those of a digest; `None`: they are.
pub(super) fn differs(bytes: &[u8], digest: &str) -> Option<String> {
    let Some(mut hasher) = Hasher::of(digest) else {
        return Some(format!("{} is no digest that can be computed", crate::http::excerpt(digest)));
    };
    hasher.update(bytes);
    (hasher.digest() != digest).then(|| format!("the bytes received are not those of {digest}"))
}

/// A registry (or what stands before it) that gives other bytes than asked for must not be believed.
pub(super) fn check(what: &str, body: &[u8], digest: &str) -> PortResult<()> {
    match differs(body, digest) {
        None => Ok(()),
        Some(why) => Err(PortError::transient(System::Registry, what, why)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_digest_is_the_one_that_the_specification_names() {
        // SHA-256 and SHA-512 of nothing, FIPS 180-4.
        let nothing = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
        assert_eq!(digest_of(b""), nothing);
        assert_eq!(differs(b"", nothing), None);
        let long = "sha512:cf83e1357eefb8bdf1542850d66d8007d620e4050b5715dc83f4a921d36ce9ce47d0d13c5d85f2b0ff8318d2877eec2f63b931bd47417a81a538327af927da3e";
        assert_eq!(differs(b"", long), None);
        assert!(differs(b"x", nothing).is_some());
    }

    #[test]
    fn what_can_not_be_computed_is_not_believed() {
        for odd in ["", "sha256", "sha256:", "sha256:E3B0", "md5:d41d8cd98f00b204e9800998ecf8427e", "sha256:../../x"] {
            assert!(Hasher::of(odd).is_none(), "{odd}");
            assert!(differs(b"", odd).is_some(), "{odd}");
        }
    }
}
