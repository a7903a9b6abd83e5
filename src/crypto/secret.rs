//! Secrets that are shown once and stored as a hash: codes, cookies, client secrets.
//!
//! A generated secret has 256 bits of entropy, so one SHA-256 is enough: it cannot be guessed.

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::hmac;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use super::random;
use crate::domain::ids::Hash;

/// A secret in plain text; wiped when dropped, never printed.
#[derive(Clone)]
pub(crate) struct Secret(Zeroizing<String>);

impl Secret {
    /// Generates a secret: 256 random bits in base64url. Its characters are unreserved (RFC 3986 §2.3), so that a
    /// client that does not form-encode it (RFC 6749 §2.3.1) still sends the right value.
    pub(crate) fn generate() -> Self {
        Self::new(URL_SAFE_NO_PAD.encode(Zeroizing::new(random::bytes::<32>())))
    }

    /// Wraps a received secret.
    pub(crate) fn new(text: String) -> Self {
        Self(Zeroizing::new(text))
    }

    /// The plain text.
    pub(crate) fn expose(&self) -> &str {
        &self.0
    }

    /// The hash to store.
    pub(crate) fn hash(&self) -> Hash {
        hash(&self.0)
    }
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secret(..)")
    }
}

/// Derives the secret that follows another: deterministic with both inputs, unpredictable without one of them.
pub(crate) fn successor(secret: &str, salt: &str) -> Secret {
    let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, salt.as_bytes()), secret.as_bytes());
    Secret::new(URL_SAFE_NO_PAD.encode(tag.as_ref()))
}

/// Returns whether a text has the form of a generated secret.
pub(crate) fn is_shaped(text: &str) -> bool {
    /// 256 bits in base64url.
    const LENGTH: usize = 43;
    text.len() == LENGTH && text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'))
}

/// The SHA-256 of a secret, base64url.
pub(crate) fn hash(secret: &str) -> Hash {
    Hash::new(URL_SAFE_NO_PAD.encode(digest(&SHA256, secret.as_bytes())))
}

/// Compares two hashes in constant time.
pub(crate) fn equal(left: &Hash, right: &Hash) -> bool {
    left.as_str().as_bytes().ct_eq(right.as_str().as_bytes()).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_has_256_bits_and_is_never_the_same() {
        let secret = Secret::generate();
        assert_eq!(URL_SAFE_NO_PAD.decode(secret.expose()).unwrap().len(), 32);
        assert_ne!(secret.expose(), Secret::generate().expose());
        let encoded: String = url::form_urlencoded::byte_serialize(secret.expose().as_bytes()).collect();
        assert_eq!(encoded, secret.expose());
    }

    #[test]
    fn the_hash_is_sha_256() {
        assert_eq!(hash("abc").as_str(), "ungWv48Bz-pBQUDeXa4iI7ADYaOWF3qctBD_YfIAFa0");
        assert_eq!(Secret::new("abc".to_owned()).hash(), hash("abc"));
    }

    #[test]
    fn hashes_are_compared_whole() {
        assert!(equal(&hash("a"), &hash("a")));
        assert!(!equal(&hash("a"), &hash("b")));
        assert!(!equal(&hash("a"), &Hash::new("")));
    }

    #[test]
    fn a_successor_needs_both_halves() {
        let next = successor("token", "salt");
        assert_eq!(next.hash(), successor("token", "salt").hash());
        assert_ne!(next.hash(), successor("other", "salt").hash());
        assert_ne!(next.hash(), successor("token", "pepper").hash());
        assert_eq!(URL_SAFE_NO_PAD.decode(next.expose()).unwrap().len(), 32);
    }

    #[test]
    fn a_secret_is_not_printed() {
        let secret = Secret::generate();
        assert!(!format!("{secret:?}").contains(secret.expose()));
    }
}
