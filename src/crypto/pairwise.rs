//! Pairwise names (OpenID Connect Core §8.1): another one in every sector, so that clients of different sectors cannot
//! tell that they talk of the same person.
//!
//! Why encryption and not a hash: names come back (in `id_token_hint`, in `claims`), and only the provider must be able
//! to turn them around; a hash would need a row for every user and sector. AES-GCM-SIV (RFC 8452) under one nonce for all
//! is deterministic and authenticated: equal names come from equal ids of one sector alone, and nobody makes one up.
//! What a name stands for and its sector are the associated data, so that no name means anything elsewhere.

use aws_lc_rs::aead::{AES_256_GCM_SIV, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

/// What names are made with: one for a database, for ever. With another one every user is a stranger everywhere.
pub(crate) struct PairwiseKey(LessSafeKey);

/// What a name stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Named {
    /// A user (`sub`).
    User,
    /// A session (`sid`).
    Session,
}

/// The key has another length, or the cipher refused to work.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the cipher of pairwise names failed")]
pub(crate) struct PairwiseError;

impl PairwiseKey {
    /// Bytes of the secret.
    pub(crate) const LENGTH: usize = 32;

    /// From the database's random secret of [`Self::LENGTH`] bytes.
    pub(crate) fn new(secret: &[u8]) -> Result<Self, PairwiseError> {
        let key = UnboundKey::new(&AES_256_GCM_SIV, secret).map_err(|_| PairwiseError)?;
        Ok(Self(LessSafeKey::new(key)))
    }

    /// What `id` is called in this sector: base64url, 22 characters and four thirds of the id.
    pub(crate) fn name(&self, of: Named, sector: &str, id: &str) -> Result<String, PairwiseError> {
        let mut text = id.as_bytes().to_vec();
        let sealed = self.0.seal_in_place_append_tag(nonce(), context(of, sector), &mut text);
        sealed.map_err(|_| PairwiseError)?;
        Ok(URL_SAFE_NO_PAD.encode(text))
    }

    /// Whose name this is in this sector; `None`: nobody's.
    pub(crate) fn id(&self, of: Named, sector: &str, name: &str) -> Option<String> {
        let mut text = URL_SAFE_NO_PAD.decode(name).ok()?;
        let id = self.0.open_in_place(nonce(), context(of, sector), &mut text).ok()?;
        String::from_utf8(id.to_vec()).ok()
    }
}

fn nonce() -> Nonce {
    Nonce::assume_unique_for_key([0; NONCE_LEN])
}

fn context(of: Named, sector: &str) -> Aad<Vec<u8>> {
    let claim = match of {
        Named::User => "sub",
        Named::Session => "sid",
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
        let here = name(1, Named::User, "a.test");
        assert_eq!(here, name(1, Named::User, "a.test"));
        assert_eq!(key(1).id(Named::User, "a.test", &here).as_deref(), Some("anna"));
        for (byte, of, sector) in
            [(1, Named::User, "b.test"), (1, Named::Session, "a.test"), (2, Named::User, "a.test")]
        {
            assert_ne!(here, name(byte, of, sector), "{byte} {of:?} {sector}");
            assert_eq!(key(byte).id(of, sector, &here), None, "{byte} {of:?} {sector}");
        }
        assert!(PairwiseKey::new(b"short").is_err());
    }

    /// Users' ids are of one length, so no part of a name may be the same for all of them.
    #[test]
    fn names_have_nothing_in_common() {
        let name = |id| URL_SAFE_NO_PAD.decode(key(1).name(Named::User, "a.test", id).unwrap()).unwrap();
        let (one, other) = (name("anna"), name("anne"));
        assert_ne!(one.get(..3), other.get(..3));
    }

    #[test]
    fn nobody_makes_up_a_name() {
        let name = key(1).name(Named::User, "a.test", "anna").unwrap();
        let bytes = URL_SAFE_NO_PAD.decode(&name).unwrap();
        for at in 0..bytes.len() {
            let mut altered = bytes.clone();
            altered[at] ^= 1;
            let altered = URL_SAFE_NO_PAD.encode(altered);
            assert_eq!(key(1).id(Named::User, "a.test", &altered), None, "byte {at}");
        }
        for text in ["", "anna", "AAAA", &format!("{name}A"), "!"] {
            assert_eq!(key(1).id(Named::User, "a.test", text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn every_id_comes_back(id in "[!-~]{1,170}", sector in "[a-z.]{0,30}") {
            let name = key(1).name(Named::User, &sector, &id).unwrap();
            // Core §2: at most 255 characters.
            prop_assert!(name.len() <= 255);
            prop_assert_eq!(key(1).id(Named::User, &sector, &name), Some(id));
        }
    }
}
