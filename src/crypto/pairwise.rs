//! Pairwise identifiers (OpenID Connect Core §8.1): they differ per sector, so that clients of different sectors cannot
//! correlate a user.
//!
//! Why encryption and not a hash: identifiers come back (in `id_token_hint`, in `claims`), and the provider must be
//! able to map them to the user; a hash would need a row for each user and sector. AES-GCM-SIV (RFC 8452) with a
//! constant nonce is deterministic and authenticated: two identifiers are equal only if id and sector are, and they
//! cannot be forged. Kind and sector are the associated data, so that an identifier is valid for its kind and sector
//! only.

use aws_lc_rs::aead::{AES_256_GCM_SIV, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

/// The key of all pairwise identifiers. It is generated once per database and never changes: a new key would change
/// every `sub`.
pub(crate) struct PairwiseKey(LessSafeKey);

/// The kind of a pairwise identifier.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum PairwiseKind {
    /// A user (`sub`).
    User,
    /// A session (`sid`).
    Session,
}

/// The key has the wrong length, or the cipher failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the cipher of pairwise names failed")]
pub(crate) struct PairwiseError;

impl PairwiseKey {
    /// Bytes of the secret.
    pub(crate) const LENGTH: usize = 32;

    /// Creates the key from the database's random secret of [`Self::LENGTH`] bytes.
    pub(crate) fn new(secret: &[u8]) -> Result<Self, PairwiseError> {
        let key = UnboundKey::new(&AES_256_GCM_SIV, secret).map_err(|_| PairwiseError)?;
        Ok(Self(LessSafeKey::new(key)))
    }

    /// The identifier of `id` in this sector: base64url of the id's bytes plus a tag of 16 bytes.
    pub(crate) fn name(&self, of: PairwiseKind, sector: &str, id: &str) -> Result<String, PairwiseError> {
        let mut text = id.as_bytes().to_vec();
        let sealed = self.0.seal_in_place_append_tag(nonce(), context(of, sector), &mut text);
        sealed.map_err(|_| PairwiseError)?;
        Ok(URL_SAFE_NO_PAD.encode(text))
    }

    /// The id behind an identifier in this sector; `None` if the identifier was not issued for it.
    pub(crate) fn id(&self, of: PairwiseKind, sector: &str, name: &str) -> Option<String> {
        let mut text = URL_SAFE_NO_PAD.decode(name).ok()?;
        let id = self.0.open_in_place(nonce(), context(of, sector), &mut text).ok()?;
        String::from_utf8(id.to_vec()).ok()
    }
}

fn nonce() -> Nonce {
    Nonce::assume_unique_for_key([0; NONCE_LEN])
}

fn context(of: PairwiseKind, sector: &str) -> Aad<Vec<u8>> {
    let claim = match of {
        PairwiseKind::User => "sub",
        PairwiseKind::Session => "sid",
    };
    Aad::from(format!("{claim} {sector}").into_bytes())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn key(byte: u8) -> PairwiseKey {
        PairwiseKey::new(&[byte; PairwiseKey::LENGTH]).unwrap()
    }

    #[test]
    fn a_name_is_the_same_in_its_sector_and_another_elsewhere() {
        let name = |byte, of, sector| key(byte).name(of, sector, "anna").unwrap();
        let here = name(1, PairwiseKind::User, "a.test");
        assert_eq!(here, name(1, PairwiseKind::User, "a.test"));
        assert_eq!(key(1).id(PairwiseKind::User, "a.test", &here).as_deref(), Some("anna"));
        for (byte, of, sector) in [
            (1, PairwiseKind::User, "b.test"),
            (1, PairwiseKind::Session, "a.test"),
            (2, PairwiseKind::User, "a.test"),
        ] {
            assert_ne!(here, name(byte, of, sector), "{byte} {of:?} {sector}");
            assert_eq!(key(byte).id(of, sector, &here), None, "{byte} {of:?} {sector}");
        }
        assert!(PairwiseKey::new(b"short").is_err());
    }

    /// User ids have the same length, so no part of an identifier may be common to all of them.
    #[test]
    fn names_have_nothing_in_common() {
        let name =
            |id| URL_SAFE_NO_PAD.decode(key(1).name(PairwiseKind::User, "a.test", id).unwrap()).unwrap();
        let (one, other) = (name("anna"), name("anne"));
        assert_ne!(one.get(..3), other.get(..3));
    }

    #[test]
    fn nobody_makes_up_a_name() {
        let name = key(1).name(PairwiseKind::User, "a.test", "anna").unwrap();
        let bytes = URL_SAFE_NO_PAD.decode(&name).unwrap();
        for at in 0..bytes.len() {
            let mut altered = bytes.clone();
            altered[at] ^= 1;
            let altered = URL_SAFE_NO_PAD.encode(altered);
            assert_eq!(key(1).id(PairwiseKind::User, "a.test", &altered), None, "byte {at}");
        }
        for text in ["", "anna", "AAAA", &format!("{name}A"), "!"] {
            assert_eq!(key(1).id(PairwiseKind::User, "a.test", text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn every_id_comes_back(id in "[!-~]{1,170}", sector in "[a-z.]{0,30}") {
            let name = key(1).name(PairwiseKind::User, &sector, &id).unwrap();
            // Core §2: at most 255 characters.
            prop_assert!(name.len() <= 255);
            prop_assert_eq!(key(1).id(PairwiseKind::User, &sector, &name), Some(id));
        }
    }
}
