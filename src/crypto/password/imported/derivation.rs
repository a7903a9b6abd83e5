//! Key derivations: what each scheme implements, and the limits that a hash must keep to be imported.

use std::ops::RangeInclusive;

/// Minimum digest length in bytes; shorter ones can be found by brute force.
const MIN_DIGEST: usize = 16;
/// Maximum length of salt and digest in bytes; no listed system stores longer ones.
pub(super) const MAX_BYTES: usize = 256;

/// Salt length in bytes that every scheme accepts.
pub(in super::super) const DUMMY_SALT: usize = 16;

pub(super) const MAX_MILLIS: u64 = 1000;
pub(in super::super) const MAX_KIB: u64 = 64 * 1024;
/// Django's default for Argon2 is 100 MiB.
pub(super) const MAX_KIB_DJANGO: u64 = 100 * 1024;

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
    pub(in super::super) fn of_argon2(kib: u32, passes: u32) -> Self {
        // About 1 GiB a second.
        Self { millis: u64::from(kib) * u64::from(passes) / 1024, kib: u64::from(kib) }
    }

    /// Returns an error if a check is too expensive.
    pub(in super::super) fn check(self, max_kib: u64) -> Result<(), ImportError> {
        if self.millis > MAX_MILLIS || self.kib > max_kib {
            return Err(ImportError::TooDear { cost: self, max_kib });
        }
        Ok(())
    }
}

/// A key derivation of one family, with the parameters that its cost depends on.
pub(in super::super) trait Derivation {
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

    /// Whether the scheme accepts a salt of this length.
    fn takes_salt(&self, salt: &[u8]) -> bool {
        self.salt_lengths().contains(&salt.len())
    }
}

/// A hash of one scheme, independent of its notation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in super::super) struct DerivedHash<S> {
    pub(in super::super) scheme: S,
    pub(in super::super) salt: Vec<u8>,
    pub(in super::super) digest: Vec<u8>,
}

impl<S> DerivedHash<S> {
    pub(super) fn new(scheme: S, salt: Vec<u8>, digest: Vec<u8>) -> Self {
        Self { scheme, salt, digest }
    }

    /// The same hash with its scheme as another type.
    pub(super) fn map<T>(self, scheme: impl FnOnce(S) -> T) -> DerivedHash<T> {
        DerivedHash { scheme: scheme(self.scheme), salt: self.salt, digest: self.digest }
    }
}

impl<S: Derivation> DerivedHash<S> {
    /// Accepts a hash with a long enough digest that is cheap enough to check.
    pub(super) fn check(self, name: &'static str, max_kib: u64) -> Result<Self, ImportError> {
        let length = self.digest.len();
        let sound = (MIN_DIGEST..=MAX_BYTES).contains(&length)
            && length == self.scheme.digest_length()
            && self.scheme.takes_salt(&self.salt);
        if !sound {
            return Err(ImportError::Malformed(name));
        }
        self.scheme.cost().check(max_kib)?;
        Ok(self)
    }
}
