//! Password hashes of other systems: a scheme with its parameters, a salt and a digest.
//!
//! [`notation`] parses the notations of other systems (`docs/password-hashes.md` lists them). Hashes are stored in one
//! notation of our own, so that a sign-in needs no other parser. A digest that is cheaper to attack than our Argon2id
//! is wrapped: Argon2id over the digest is stored, the digest is not.
//!
//! One check costs at most 1 s on one core and 64 MiB. The exception is Argon2 in Django's notation, where 100 MiB are
//! accepted: that is what Django's default parameters take, so a lower bound would refuse all its users.

use std::fmt;
use std::ops::RangeInclusive;
use std::str::FromStr;

use base64::Engine;
use base64::engine::general_purpose::STANDARD_NO_PAD;

use self::argon2::Argon2Scheme;
use self::bcrypt::BcryptScheme;
use self::parameters::HashParameters;
use self::pbkdf2::Pbkdf2Scheme;
use self::salted_sha::SaltedShaScheme;
use self::scrypt::ScryptScheme;
use self::sha_crypt::ShaCryptScheme;

mod argon2;
mod bcrypt;
mod keycloak;
pub(super) mod notation;
mod parameters;
mod pbkdf2;
mod salted_sha;
mod scrypt;
mod sha_crypt;

/// Minimum digest length in bytes; shorter ones can be found by brute force.
const MIN_DIGEST: usize = 16;
/// Maximum length of salt and digest in bytes; no listed system stores longer ones.
const MAX_BYTES: usize = 256;

/// Salt length in bytes that every scheme accepts.
pub(super) const DUMMY_SALT: usize = 16;

const MAX_MILLIS: u64 = 1000;
pub(super) const MAX_KIB: u64 = 64 * 1024;
/// Django's default for Argon2 is 100 MiB.
const MAX_KIB_DJANGO: u64 = 100 * 1024;

/// The reason why a hash cannot be imported.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum ImportError {
    /// The notation is unknown.
    #[error(
        "is in no format that is accepted: $argon2id$ $argon2i$ $argon2d$ $2a$ $2b$ $2y$ $scrypt$ $firebase-scrypt$ \
         $pbkdf2-sha256$ $5$ $6$ {{SSHA}}, or as Django, Werkzeug, Keycloak, ASP.NET Identity and passlib write them \
         (docs/password-hashes.md)"
    )]
    Unknown,
    /// A known notation, incomplete or out of range.
    #[error("is not a complete {0} hash (docs/password-hashes.md has its exact form)")]
    Malformed(&'static str),
    /// A check would exceed the limits.
    #[error(
        "takes about {}.{} s and {} MiB to check; at most 1 s and {} MiB are accepted",
        cost.millis.div_ceil(100) / 10, cost.millis.div_ceil(100) % 10, cost.kib.div_ceil(1024), max_kib / 1024
    )]
    TooDear {
        /// The estimate.
        cost: HashCost,
        /// The accepted memory.
        max_kib: u64,
    },
}

/// The estimated cost of one check on one core of a typical server.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct HashCost {
    pub(crate) millis: u64,
    pub(crate) kib: u64,
}

impl HashCost {
    /// The cost of Argon2 with these parameters; lanes are computed sequentially.
    pub(super) fn of_argon2(kib: u32, passes: u32) -> Self {
        // About 1 GiB a second.
        Self { millis: u64::from(kib) * u64::from(passes) / 1024, kib: u64::from(kib) }
    }

    /// Returns an error if a check is too expensive.
    pub(super) fn check(self, max_kib: u64) -> Result<(), ImportError> {
        if self.millis > MAX_MILLIS || self.kib > max_kib {
            return Err(ImportError::TooDear { cost: self, max_kib });
        }
        Ok(())
    }
}

/// A key derivation of one family, with the parameters that its cost depends on.
trait Derivation {
    /// The digest of a password; `None` if the scheme rejects the password (a NUL, or too long).
    fn derive(&self, password: &[u8], salt: &[u8]) -> Option<Vec<u8>>;

    /// The estimated cost of [`Derivation::derive`].
    fn cost(&self) -> HashCost;

    /// Whether a guess is cheaper for an attacker than one at our own Argon2id, which costs `own`.
    fn is_cheap(&self, own: HashCost) -> bool;

    /// Digest length in bytes.
    fn digest_length(&self) -> usize;

    /// Accepted salt lengths in bytes.
    fn salt_lengths(&self) -> RangeInclusive<usize> {
        0..=MAX_BYTES
    }
}

/// An algorithm and its parameters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Scheme {
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

    /// The digest of a password; `None` if the scheme rejects the password (a NUL, or too long).
    pub(super) fn derive(&self, password: &[u8], salt: &[u8]) -> Option<Vec<u8>> {
        self.derivation().derive(password, salt)
    }

    /// Whether its digests must be wrapped.
    pub(super) fn is_cheap(&self, own: HashCost) -> bool {
        self.derivation().is_cheap(own)
    }

    /// The estimated cost of one check.
    pub(super) fn cost(&self) -> HashCost {
        self.derivation().cost()
    }

    /// Whether the scheme accepts a salt of this length.
    pub(super) fn takes_salt(&self, salt: &[u8]) -> bool {
        self.derivation().salt_lengths().contains(&salt.len())
    }

    /// The accepted memory of a check.
    const fn max_kib(&self) -> u64 {
        if matches!(self, Self::Argon2(_)) { MAX_KIB_DJANGO } else { MAX_KIB }
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
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct ImportedHash {
    pub(super) scheme: Scheme,
    pub(super) salt: Vec<u8>,
    pub(super) digest: Vec<u8>,
}

impl ImportedHash {
    /// Prefix of an imported hash that is not wrapped: `$imported$<scheme>$<salt>$<digest>`.
    pub(super) const PREFIX: &str = "$imported$";

    fn new(scheme: Scheme, salt: Vec<u8>, digest: Vec<u8>) -> Self {
        Self { scheme, salt, digest }
    }

    /// Parses the stored notation.
    pub(super) fn parse(text: &str) -> Result<Self, ImportError> {
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
    pub(super) fn to_text(&self) -> String {
        let (salt, digest) = (STANDARD_NO_PAD.encode(&self.salt), STANDARD_NO_PAD.encode(&self.digest));
        format!("{}{}${salt}${digest}", Self::PREFIX, self.scheme)
    }

    /// A hash whose check costs as much as others of its scheme.
    pub(super) fn dummy(scheme: Scheme) -> Self {
        let digest = vec![0; scheme.derivation().digest_length()];
        Self::new(scheme, vec![0; DUMMY_SALT], digest)
    }

    /// Accepts a hash with a long enough digest that is cheap enough to check.
    fn check(self, name: &'static str, max_kib: u64) -> Result<Self, ImportError> {
        let length = self.digest.len();
        let sound = (MIN_DIGEST..=MAX_BYTES).contains(&length)
            && length == self.scheme.derivation().digest_length()
            && self.scheme.takes_salt(&self.salt);
        if !sound {
            return Err(ImportError::Malformed(name));
        }
        self.scheme.cost().check(max_kib)?;
        Ok(self)
    }
}

#[cfg(test)]
mod tests;
