//! The hash that a typed password is compared with: our own, an imported one, or Argon2id over an imported digest.

use base64::Engine;
use base64::engine::general_purpose::STANDARD_NO_PAD;

use super::imported::{DUMMY_SALT, ImportedHash, Scheme};
use super::stored::PhcHash;
use crate::domain::settings::PasswordCost;

/// Prefix of a wrapped hash: `$wrapped$<scheme>$<its salt>$argon2id$…`.
pub(super) const WRAPPED: &str = "$wrapped$";

/// A hash parsed from its stored notation.
#[derive(Debug)]
pub(super) enum StoredHash {
    /// Our own Argon2id.
    Own(PhcHash),
    /// A hash of another system.
    Imported(ImportedHash),
    /// Our own Argon2id over the digest of a cheaper scheme.
    Wrapped {
        /// The cheaper scheme.
        scheme: Scheme,
        /// Its salt.
        salt: Vec<u8>,
        /// Argon2id over its digest.
        outer: PhcHash,
    },
}

impl StoredHash {
    /// Parses the stored notation.
    pub(super) fn parse(text: &str) -> Option<Self> {
        if let Some(rest) = text.strip_prefix(WRAPPED) {
            let mut parts = rest.splitn(3, '$');
            let scheme = parts.next()?.parse().ok()?;
            let salt = STANDARD_NO_PAD.decode(parts.next()?).ok()?;
            let outer = PhcHash::parse(&format!("${}", parts.next()?)).ok()?;
            return Some(Self::Wrapped { scheme, salt, outer });
        }
        if text.starts_with(ImportedHash::PREFIX) {
            return ImportedHash::parse(text).ok().map(Self::Imported);
        }
        PhcHash::parse(text).ok().map(Self::Own)
    }

    /// The stored notation.
    pub(super) fn to_text(&self) -> String {
        match self {
            Self::Own(stored) => stored.to_phc(),
            Self::Imported(hash) => hash.to_text(),
            Self::Wrapped { scheme, salt, outer } => {
                format!("{WRAPPED}{scheme}${}{}", STANDARD_NO_PAD.encode(salt), outer.to_phc())
            }
        }
    }

    /// The timing class: the scheme with every parameter that the duration of a check depends on. [`StoredHash::dummy`]
    /// parses it.
    pub(super) fn scheme(&self) -> String {
        match self {
            Self::Own(stored) => cost_of(stored),
            Self::Imported(hash) => hash.scheme.to_string(),
            Self::Wrapped { scheme, outer, .. } => format!("{scheme}/{}", cost_of(outer)),
        }
    }

    /// A hash whose check takes as long as others of its scheme.
    pub(super) fn dummy(scheme: &str) -> Option<Self> {
        if let Some(own) = dummy_of_cost(scheme) {
            return Some(Self::Own(own));
        }
        match scheme.split_once('/') {
            Some((inner, outer)) => {
                let (scheme, outer) = (inner.parse().ok()?, dummy_of_cost(outer)?);
                Some(Self::Wrapped { scheme, salt: vec![0; DUMMY_SALT], outer })
            }
            None => Some(Self::Imported(ImportedHash::dummy(scheme.parse().ok()?))),
        }
    }
}

/// The cost of our own Argon2id, for example `own,m=19456,t=2,p=1`.
fn cost_of(stored: &PhcHash) -> String {
    let params = &stored.params;
    format!("own,m={},t={},p={}", params.m_cost(), params.t_cost(), params.p_cost())
}

/// The inverse of [`cost_of`].
fn dummy_of_cost(text: &str) -> Option<PhcHash> {
    let zeros = PhcHash::new(PasswordCost::CHEAPEST, [0; 16], [0; 32]).to_phc();
    let parameters = text.strip_prefix("own,")?;
    PhcHash::parse(&zeros.replace("m=8,t=1,p=1", parameters)).ok()
}
