//! PBKDF2 with HMAC, in the notations of passlib, Django, Werkzeug, Keycloak and ASP.NET Identity.

use std::fmt;
use std::num::NonZeroU32;

use aws_lc_rs::pbkdf2::{
    self, Algorithm, PBKDF2_HMAC_SHA1, PBKDF2_HMAC_SHA256, PBKDF2_HMAC_SHA384, PBKDF2_HMAC_SHA512,
};

use super::derivation::{Derivation, DerivedHash, HashCost, ImportError, MAX_BYTES, MAX_KIB};
use super::encoding::{ab64, base64};
use super::parameters::{HashParameters, number};
use crate::crypto::hex;

/// OWASP's minimum iterations for HMAC-SHA-256; SHA-1 is faster to attack and needs more.
const CHEAP_BELOW: u32 = 600_000;
const CHEAP_BELOW_SHA1: u32 = 1_300_000;

/// The hash function of the HMAC.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Hmac {
    Sha1,
    Sha256,
    Sha384,
    Sha512,
}

impl Hmac {
    /// The function by the name that most systems use.
    pub(super) fn by_name(name: &str) -> Option<Self> {
        match name {
            "sha1" => Some(Self::Sha1),
            "sha256" => Some(Self::Sha256),
            "sha384" => Some(Self::Sha384),
            "sha512" => Some(Self::Sha512),
            _ => None,
        }
    }

    const fn name(self) -> &'static str {
        match self {
            Self::Sha1 => "sha1",
            Self::Sha256 => "sha256",
            Self::Sha384 => "sha384",
            Self::Sha512 => "sha512",
        }
    }

    fn algorithm(self) -> Algorithm {
        match self {
            Self::Sha1 => PBKDF2_HMAC_SHA1,
            Self::Sha256 => PBKDF2_HMAC_SHA256,
            Self::Sha384 => PBKDF2_HMAC_SHA384,
            Self::Sha512 => PBKDF2_HMAC_SHA512,
        }
    }

    /// Length of one output block in bytes, and nanoseconds per iteration.
    const fn block(self) -> (usize, u64) {
        match self {
            Self::Sha1 => (20, 300),
            Self::Sha256 => (32, 350),
            Self::Sha384 => (48, 600),
            Self::Sha512 => (64, 600),
        }
    }
}

/// PBKDF2 with a number of iterations.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in super::super) struct Pbkdf2Scheme {
    hmac: Hmac,
    iterations: NonZeroU32,
    length: usize,
}

impl Pbkdf2Scheme {
    pub(super) fn read(name: &str, parameters: &HashParameters<'_>) -> Option<Self> {
        let hmac = Hmac::by_name(name.strip_prefix("pbkdf2-")?)?;
        let length = usize::try_from(parameters.get("l")?).ok().filter(|length| *length <= MAX_BYTES)?;
        Some(Self { hmac, iterations: NonZeroU32::new(parameters.get("i")?)?, length })
    }
}

impl fmt::Display for Pbkdf2Scheme {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "pbkdf2-{},i={},l={}", self.hmac.name(), self.iterations, self.length)
    }
}

impl Derivation for Pbkdf2Scheme {
    fn derive(&self, password: &[u8], salt: &[u8]) -> Option<Vec<u8>> {
        let mut output = vec![0; self.length];
        pbkdf2::derive(self.hmac.algorithm(), self.iterations, salt, password, &mut output);
        Some(output)
    }

    fn cost(&self) -> HashCost {
        let (block, nanos) = self.hmac.block();
        let blocks = u64::try_from(self.length.div_ceil(block)).unwrap_or(u64::MAX);
        HashCost {
            millis: u64::from(self.iterations.get()).saturating_mul(nanos * blocks) / 1_000_000,
            kib: 1,
        }
    }

    /// Only the first block counts: an attacker computes no more, however long the digest is.
    fn is_cheap(&self, _own: HashCost) -> bool {
        self.iterations.get() < if self.hmac == Hmac::Sha1 { CHEAP_BELOW_SHA1 } else { CHEAP_BELOW }
    }

    fn digest_length(&self) -> usize {
        self.length
    }
}

/// A hash of these parts; `None` parts make it malformed.
pub(super) fn hash(
    hmac: Option<Hmac>,
    iterations: Option<u32>,
    salt: Option<Vec<u8>>,
    digest: Option<Vec<u8>>,
) -> Result<DerivedHash<Pbkdf2Scheme>, ImportError> {
    let read = || {
        let (hmac, iterations, digest) = (hmac?, NonZeroU32::new(iterations?)?, digest?);
        let scheme = Pbkdf2Scheme { hmac, iterations, length: digest.len() };
        Some(DerivedHash::new(scheme, salt?, digest))
    };
    read().ok_or(ImportError::Malformed("PBKDF2"))?.check("PBKDF2", MAX_KIB)
}

/// Parses passlib's `$pbkdf2-sha256$29000$<salt>$<digest>`, and the same with `i=29000` and standard base64.
pub(super) fn parse(text: &str) -> Result<DerivedHash<Pbkdf2Scheme>, ImportError> {
    let parts: Vec<_> = text.split('$').collect();
    let [_, name, rounds, salt, digest] = parts.as_slice() else {
        return Err(ImportError::Malformed("PBKDF2"));
    };
    let hmac = Hmac::by_name(name.strip_prefix("pbkdf2-").unwrap_or("sha1"));
    match rounds.strip_prefix("i=") {
        Some(iterations) => hash(hmac, number(iterations), base64(salt), base64(digest)),
        None => hash(hmac, number(rounds), ab64(salt), ab64(digest)),
    }
}

/// Parses Django's `pbkdf2_sha256$1000000$<salt as text>$<digest>`.
pub(super) fn parse_django(text: &str) -> Result<DerivedHash<Pbkdf2Scheme>, ImportError> {
    let parts: Vec<_> = text.split('$').collect();
    let [name, iterations, salt, digest] = parts.as_slice() else {
        return Err(ImportError::Malformed("PBKDF2"));
    };
    let hmac = name.strip_prefix("pbkdf2_").and_then(Hmac::by_name);
    hash(hmac, number(iterations), Some(salt.as_bytes().to_vec()), base64(digest))
}

/// Parses Werkzeug's `pbkdf2:sha256:1000000$<salt as text>$<digest in hex>`.
pub(super) fn parse_werkzeug(text: &str) -> Result<DerivedHash<Pbkdf2Scheme>, ImportError> {
    let parts: Vec<_> = text.split(['$', ':']).collect();
    let [_, name, iterations, salt, digest] = parts.as_slice() else {
        return Err(ImportError::Malformed("PBKDF2"));
    };
    hash(Hmac::by_name(name), number(iterations), Some(salt.as_bytes().to_vec()), hex::decode(digest))
}

/// Parses the decoded bytes of ASP.NET Identity v3: 0x01, the HMAC's number, the iterations and the salt's length (32
/// bits each, big-endian), salt and digest.
pub(super) fn parse_aspnet(bytes: &[u8]) -> Result<DerivedHash<Pbkdf2Scheme>, ImportError> {
    let mut rest = bytes.get(1..).unwrap_or_default();
    let mut next = || {
        let (number, left) = rest.split_first_chunk::<4>()?;
        rest = left;
        Some(u32::from_be_bytes(*number))
    };
    let hmac = match next() {
        Some(0) => Some(Hmac::Sha1),
        Some(1) => Some(Hmac::Sha256),
        Some(2) => Some(Hmac::Sha512),
        _ => None,
    };
    let (iterations, salt_length) = (next(), next().and_then(|length| usize::try_from(length).ok()));
    let (salt, digest) = salt_length.and_then(|length| rest.split_at_checked(length)).unzip();
    hash(hmac, iterations, salt.map(<[u8]>::to_vec), digest.map(<[u8]>::to_vec))
}
