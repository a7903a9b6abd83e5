//! Salted SHA digests of LDAP: `{SSHA}`, `{SSHA256}`, `{SSHA512}`.

use std::fmt;

use aws_lc_rs::digest::{Algorithm, Context, SHA1_FOR_LEGACY_USE_ONLY, SHA256, SHA512};

use super::derivation::{Derivation, DerivedHash, HashCost, ImportError, MAX_KIB};
use super::encoding::base64;

/// One SHA digest over password and salt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in super::super) enum SaltedShaScheme {
    Sha1,
    Sha256,
    Sha512,
}

impl SaltedShaScheme {
    pub(super) fn read(name: &str) -> Option<Self> {
        match name {
            "ssha" => Some(Self::Sha1),
            "ssha256" => Some(Self::Sha256),
            "ssha512" => Some(Self::Sha512),
            _ => None,
        }
    }

    fn algorithm(self) -> &'static Algorithm {
        match self {
            Self::Sha1 => &SHA1_FOR_LEGACY_USE_ONLY,
            Self::Sha256 => &SHA256,
            Self::Sha512 => &SHA512,
        }
    }
}

impl fmt::Display for SaltedShaScheme {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Sha1 => "ssha",
            Self::Sha256 => "ssha256",
            Self::Sha512 => "ssha512",
        })
    }
}

impl Derivation for SaltedShaScheme {
    fn derive(&self, password: &[u8], salt: &[u8]) -> Option<Vec<u8>> {
        let mut context = Context::new(self.algorithm());
        context.update(password);
        context.update(salt);
        Some(context.finish().as_ref().to_vec())
    }

    fn cost(&self) -> HashCost {
        HashCost::default()
    }

    fn is_cheap(&self, _own: HashCost) -> bool {
        true
    }

    fn digest_length(&self) -> usize {
        self.algorithm().output_len()
    }
}

/// Parses the base64 text behind the name: digest, then salt.
pub(super) fn parse(
    scheme: SaltedShaScheme,
    text: &str,
) -> Result<DerivedHash<SaltedShaScheme>, ImportError> {
    let bytes = base64(text).ok_or(ImportError::Malformed("SSHA"))?;
    let parts = bytes.split_at_checked(scheme.digest_length()).filter(|(_, salt)| !salt.is_empty());
    let (digest, salt) = parts.ok_or(ImportError::Malformed("SSHA"))?;
    DerivedHash::new(scheme, salt.to_vec(), digest.to_vec()).check("SSHA", MAX_KIB)
}
