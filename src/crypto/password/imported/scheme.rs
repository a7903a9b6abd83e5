//! The schemes as one type, and the notation in which their hashes are stored.

use std::fmt;
use std::ops::RangeInclusive;
use std::str::FromStr;

use base64::Engine;
use base64::engine::general_purpose::STANDARD_NO_PAD;

use super::argon2::Argon2Scheme;
use super::bcrypt::BcryptScheme;
use super::derivation::{
    DUMMY_SALT, Derivation, DerivedHash, HashCost, ImportError, MAX_KIB, MAX_KIB_DJANGO,
};
use super::parameters::HashParameters;
use super::pbkdf2::Pbkdf2Scheme;
use super::salted_sha::SaltedShaScheme;
use super::scrypt::ScryptScheme;
use super::sha_crypt::ShaCryptScheme;

/// An algorithm and its parameters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in super::super) enum Scheme {
    Argon2(Argon2Scheme),
    Bcrypt(BcryptScheme),
    Pbkdf2(Pbkdf2Scheme),
    SaltedSha(SaltedShaScheme),
    Scrypt(ScryptScheme),
    ShaCrypt(ShaCryptScheme),
}

impl Scheme {
    fn derivation(&self) -> &dyn Derivation {
        match self {
            Self::Argon2(scheme) => scheme,
            Self::Bcrypt(scheme) => scheme,
            Self::Pbkdf2(scheme) => scheme,
            Self::SaltedSha(scheme) => scheme,
            Self::Scrypt(scheme) => scheme,
            Self::ShaCrypt(scheme) => scheme,
        }
    }

    /// The accepted memory of a check.
    const fn max_kib(&self) -> u64 {
        if matches!(self, Self::Argon2(_)) { MAX_KIB_DJANGO } else { MAX_KIB }
    }
}

impl Derivation for Scheme {
    fn derive(&self, password: &[u8], salt: &[u8]) -> Option<Vec<u8>> {
        self.derivation().derive(password, salt)
    }

    fn cost(&self) -> HashCost {
        self.derivation().cost()
    }

    fn is_cheap(&self, own: HashCost) -> bool {
        self.derivation().is_cheap(own)
    }

    fn digest_length(&self) -> usize {
        self.derivation().digest_length()
    }

    fn salt_lengths(&self) -> RangeInclusive<usize> {
        self.derivation().salt_lengths()
    }
}

/// The scheme's name and parameters, for example `pbkdf2-sha256,i=29000,l=32`.
impl fmt::Display for Scheme {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Argon2(scheme) => scheme.fmt(f),
            Self::Bcrypt(scheme) => scheme.fmt(f),
            Self::Pbkdf2(scheme) => scheme.fmt(f),
            Self::SaltedSha(scheme) => scheme.fmt(f),
            Self::Scrypt(scheme) => scheme.fmt(f),
            Self::ShaCrypt(scheme) => scheme.fmt(f),
        }
    }
}

impl FromStr for Scheme {
    type Err = ImportError;

    fn from_str(text: &str) -> Result<Self, ImportError> {
        let (name, parameters) = text.split_once(',').unwrap_or((text, ""));
        let read = HashParameters::parse(parameters).and_then(|parameters| {
            None.or_else(|| Argon2Scheme::read(name, &parameters).map(Self::Argon2))
                .or_else(|| BcryptScheme::read(name, &parameters).map(Self::Bcrypt))
                .or_else(|| Pbkdf2Scheme::read(name, &parameters).map(Self::Pbkdf2))
                .or_else(|| SaltedShaScheme::read(name).map(Self::SaltedSha))
                .or_else(|| ScryptScheme::read(name, &parameters).map(Self::Scrypt))
                .or_else(|| ShaCryptScheme::read(name, &parameters).map(Self::ShaCrypt))
        });
        read.ok_or(ImportError::Malformed("imported"))
    }
}

/// A hash of another system, independent of its notation.
pub(in super::super) type ImportedHash = DerivedHash<Scheme>;

impl ImportedHash {
    /// Prefix of an imported hash that is not wrapped: `$imported$<scheme>$<salt>$<digest>`.
    pub(in super::super) const PREFIX: &str = "$imported$";

    /// Parses the stored notation.
    pub(in super::super) fn parse(text: &str) -> Result<Self, ImportError> {
        let read = || {
            let mut parts = text.strip_prefix(Self::PREFIX)?.split('$');
            let scheme: Scheme = parts.next()?.parse().ok()?;
            let salt = STANDARD_NO_PAD.decode(parts.next()?).ok()?;
            let digest = STANDARD_NO_PAD.decode(parts.next()?).ok()?;
            parts.next().is_none().then(|| Self::new(scheme, salt, digest))
        };
        let hash = read().ok_or(ImportError::Malformed("imported"))?;
        let max_kib = hash.scheme.max_kib();
        hash.check("imported", max_kib)
    }

    /// The stored notation.
    pub(in super::super) fn to_text(&self) -> String {
        let (salt, digest) = (STANDARD_NO_PAD.encode(&self.salt), STANDARD_NO_PAD.encode(&self.digest));
        format!("{}{}${salt}${digest}", Self::PREFIX, self.scheme)
    }

    /// A hash whose check costs as much as others of its scheme.
    pub(in super::super) fn dummy(scheme: Scheme) -> Self {
        let digest = vec![0; scheme.digest_length()];
        Self::new(scheme, vec![0; DUMMY_SALT], digest)
    }
}
