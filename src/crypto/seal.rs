//! Encryption at rest of values that are read back (signing keys, OTP secrets), and keyed hashes of values that are
//! not.
//!
//! AES-256-GCM with the row's identity as associated data, so that a sealed value copied into another row does not
//! open. A sealed value names scheme and key: `v1.<key id>.<base64url of nonce, ciphertext, tag>`.
//!
//! The keys are random, generated once per database, and stored there [wrapped](Sealer::wrapped) by the master key. A
//! new master key therefore only needs a new wrapping: sealed values and keyed hashes stay the same, and running
//! providers need no notice. The wrapping key is derived from the master key alone, so an old master key is useless
//! once its wrapping is deleted.

use aws_lc_rs::aead::{AES_256_GCM, Aad, Nonce, RandomizedNonceKey};
use aws_lc_rs::hmac::{self, HMAC_SHA256};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use zeroize::Zeroizing;

pub(crate) use self::master_key::{MasterKey, MasterKeyError};
use super::random;
use crate::domain::ids::Hash;

mod master_key;

const SCHEME: &str = "v1";
const NONCE_LENGTH: usize = 12;
const KEY_LENGTH: usize = 32;

/// The reason why a value could not be sealed or opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum SealError {
    /// Not in the format of [`Sealer::seal`].
    #[error("the sealed value is malformed")]
    Malformed,
    /// Sealed with another key.
    #[error("the value was sealed under another key")]
    OtherKey,
    /// Altered, or sealed for another row.
    #[error("the sealed value was altered or belongs to another row")]
    Forged,
    /// The cipher failed.
    #[error("the cipher failed")]
    Cipher,
}

/// Seals and opens the values of one database.
pub(crate) struct Sealer {
    key_id: String,
    sealing: SealKey,
    hashing: SealKey,
    hasher: hmac::Key,
}

type SealKey = Zeroizing<[u8; KEY_LENGTH]>;

impl Sealer {
    /// Generates keys for a new database.
    pub(crate) fn generate() -> Self {
        Self::of(Zeroizing::new(random::bytes()), Zeroizing::new(random::bytes()))
    }

    fn of(sealing: SealKey, hashing: SealKey) -> Self {
        let tag = hmac::sign(&hmac::Key::new(HMAC_SHA256, sealing.as_slice()), b"vestibule/key-id");
        let (short, _) = tag.as_ref().split_at(6.min(tag.as_ref().len()));
        let hasher = hmac::Key::new(HMAC_SHA256, hashing.as_slice());
        Self { key_id: URL_SAFE_NO_PAD.encode(short), sealing, hashing, hasher }
    }

    /// The keys in their stored form, wrapped by this master key.
    pub(crate) fn wrapped(&self, master: &MasterKey) -> Result<String, SealError> {
        let keys = Zeroizing::new([self.sealing.as_slice(), self.hashing.as_slice()].concat());
        encrypt(&master.wrapping(), &keys, &wrapping_row(master)).map(|text| URL_SAFE_NO_PAD.encode(text))
    }

    /// Unwraps the keys with this master key.
    pub(crate) fn unwrap(wrapped: &str, master: &MasterKey) -> Result<Self, SealError> {
        let text = URL_SAFE_NO_PAD.decode(wrapped).map_err(|_| SealError::Malformed)?;
        let keys = decrypt(&master.wrapping(), &text, &wrapping_row(master))?;
        let (sealing, hashing) = keys.split_at_checked(KEY_LENGTH).ok_or(SealError::Malformed)?;
        let key = |bytes: &[u8]| bytes.try_into().map(Zeroizing::new).map_err(|_| SealError::Malformed);
        Ok(Self::of(key(sealing)?, key(hashing)?))
    }

    /// Seals a value for a row, named for example `signing-key/tenant-a/RS256`.
    pub(crate) fn seal(&self, plain: &[u8], row: &str) -> Result<String, SealError> {
        let sealed = encrypt(&self.sealing, plain, row)?;
        Ok(format!("{SCHEME}.{}.{}", self.key_id, URL_SAFE_NO_PAD.encode(sealed)))
    }

    /// Opens a value sealed for this row.
    pub(crate) fn open(&self, sealed: &str, row: &str) -> Result<Zeroizing<Vec<u8>>, SealError> {
        let mut parts = sealed.splitn(3, '.');
        let (Some(SCHEME), Some(key_id), Some(body)) = (parts.next(), parts.next(), parts.next()) else {
            return Err(SealError::Malformed);
        };
        if key_id != self.key_id {
            return Err(SealError::OtherKey);
        }
        let body = URL_SAFE_NO_PAD.decode(body).map_err(|_| SealError::Malformed)?;
        decrypt(&self.sealing, &body, row)
    }

    /// A keyed hash of a typed name or an address, which cannot be reversed or tested without the key. It differs per
    /// purpose.
    pub(crate) fn keyed_hash(&self, purpose: &str, text: &str) -> Hash {
        Hash::new(URL_SAFE_NO_PAD.encode(self.tag(purpose, text)))
    }

    /// A keyed number, uniformly distributed over all texts.
    pub(crate) fn keyed_number(&self, purpose: &str, text: &str) -> u64 {
        let tag = self.tag(purpose, text);
        tag.as_ref().first_chunk().copied().map_or(0, u64::from_be_bytes)
    }

    fn tag(&self, purpose: &str, text: &str) -> hmac::Tag {
        let mut context = hmac::Context::with_key(&self.hasher);
        context.update(&(purpose.len() as u64).to_be_bytes());
        context.update(purpose.as_bytes());
        context.update(text.as_bytes());
        context.sign()
    }
}

/// The associated data of a wrapping.
fn wrapping_row(master: &MasterKey) -> String {
    format!("wrapped_keys/{}", master.id())
}

/// Nonce, ciphertext and tag.
fn encrypt(key: &SealKey, plain: &[u8], row: &str) -> Result<Vec<u8>, SealError> {
    let mut text = Zeroizing::new(plain.to_vec());
    let aad = Aad::from(row.as_bytes());
    let nonce = cipher(key)?.seal_in_place_append_tag(aad, &mut *text).map_err(|_| SealError::Cipher)?;
    Ok([nonce.as_ref(), text.as_slice()].concat())
}

fn decrypt(key: &SealKey, sealed: &[u8], row: &str) -> Result<Zeroizing<Vec<u8>>, SealError> {
    let (nonce, text) = sealed.split_at_checked(NONCE_LENGTH).ok_or(SealError::Malformed)?;
    let nonce = Nonce::try_assume_unique_for_key(nonce).map_err(|_| SealError::Malformed)?;
    let mut text = Zeroizing::new(text.to_vec());
    let aad = Aad::from(row.as_bytes());
    let length = cipher(key)?.open_in_place(nonce, aad, &mut text).map_err(|_| SealError::Forged)?.len();
    text.truncate(length);
    Ok(text)
}

fn cipher(key: &SealKey) -> Result<RandomizedNonceKey, SealError> {
    RandomizedNonceKey::new(&AES_256_GCM, key.as_slice()).map_err(|_| SealError::Cipher)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn sealer(byte: u8) -> Sealer {
        Sealer::of(Zeroizing::new([byte; 32]), Zeroizing::new([byte; 32]))
    }

    #[test]
    fn what_is_sealed_opens_in_its_own_row_only() {
        let sealer = sealer(1);
        let text = sealer.seal(b"secret", "authenticator/1").unwrap();
        assert_eq!(sealer.open(&text, "authenticator/1").unwrap().as_slice(), b"secret");
        assert_eq!(sealer.open(&text, "authenticator/2"), Err(SealError::Forged));
        assert!(!text.contains("secret"));
    }

    #[test]
    fn the_same_value_is_never_sealed_alike() {
        let sealer = sealer(1);
        assert_ne!(sealer.seal(b"x", "row").unwrap(), sealer.seal(b"x", "row").unwrap());
    }

    #[test]
    fn another_key_is_named_as_the_reason() {
        let text = sealer(1).seal(b"x", "row").unwrap();
        assert_eq!(sealer(2).open(&text, "row"), Err(SealError::OtherKey));
    }

    #[test]
    fn only_its_master_key_unwraps_what_was_wrapped() {
        let (one, other) = (MasterKey::generate(), MasterKey::generate());
        let sealer = Sealer::generate();
        let value = sealer.seal(b"x", "row").unwrap();
        for master in [&one, &other] {
            let again = Sealer::unwrap(&sealer.wrapped(master).unwrap(), master).unwrap();
            assert_eq!(again.open(&value, "row").unwrap().as_slice(), b"x");
            assert_eq!(again.keyed_hash("name", "anna"), sealer.keyed_hash("name", "anna"));
        }
        let wrapped = sealer.wrapped(&one).unwrap();
        assert_eq!(Sealer::unwrap(&wrapped, &other).err(), Some(SealError::Forged));
        assert_eq!(Sealer::unwrap("AAAA", &one).err(), Some(SealError::Malformed));
        assert_ne!(Sealer::generate().keyed_hash("name", "anna"), sealer.keyed_hash("name", "anna"));
    }

    #[test]
    fn an_altered_value_does_not_open() {
        let sealer = sealer(1);
        let text = sealer.seal(b"secret", "row").unwrap();
        let (prefix, body) = text.rsplit_once('.').unwrap();
        let bytes = URL_SAFE_NO_PAD.decode(body).unwrap();
        for at in 0..bytes.len() {
            let mut altered = bytes.clone();
            altered[at] ^= 1;
            let altered = format!("{prefix}.{}", URL_SAFE_NO_PAD.encode(altered));
            assert_eq!(sealer.open(&altered, "row"), Err(SealError::Forged), "byte {at}");
        }
    }

    #[test]
    fn what_was_never_sealed_is_malformed() {
        let sealer = sealer(1);
        let id = &sealer.key_id;
        for text in
            ["", "v1", "v1.", "plain", &format!("v2.{id}.AAAA"), &format!("v1.{id}.A"), &format!("v1.{id}.!")]
        {
            assert_eq!(sealer.open(text, "row"), Err(SealError::Malformed), "{text}");
        }
    }

    #[test]
    fn a_keyed_hash_depends_on_key_purpose_and_text() {
        let hash = |key: u8, purpose: &str, text: &str| sealer(key).keyed_hash(purpose, text);
        assert_eq!(hash(1, "name", "anna"), hash(1, "name", "anna"));
        assert_ne!(hash(1, "name", "anna"), hash(2, "name", "anna"));
        assert_ne!(hash(1, "name", "anna"), hash(1, "namea", "nna"));
        assert_ne!(hash(1, "name", "anna"), hash(1, "name", "anne"));
    }

    proptest! {
        #[test]
        fn every_value_comes_back(plain: Vec<u8>, row: String) {
            let sealer = sealer(3);
            let text = sealer.seal(&plain, &row).unwrap();
            prop_assert_eq!(sealer.open(&text, &row).unwrap().to_vec(), plain);
        }

        #[test]
        fn no_text_makes_opening_panic(text in "(v1\\.)?[A-Za-z0-9_.-]{0,80}") {
            prop_assert!(sealer(3).open(&text, "row").is_err());
        }
    }
}
