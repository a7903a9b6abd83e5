//! bcrypt: `$2a$`, `$2b$`, `$2y$`, and Django's two notations around it.
//!
//! bcrypt reads 72 bytes, and C implementations stop at a NUL. Truncation is kept for an imported hash, because the
//! original system truncated too. A password with a NUL never matches: no system has stored one, and truncating it
//! would accept `right\0anything`.

use std::fmt;
use std::ops::RangeInclusive;

use aws_lc_rs::digest;
use base64::Engine;
use base64::alphabet::BCRYPT;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use zeroize::Zeroizing;

use super::derivation::{Derivation, DerivedHash, HashCost, ImportError, MAX_KIB};
use super::parameters::{HashParameters, number};

const MIN_COST: u32 = 4;
const MAX_COST: u32 = 31;
const SALT_LENGTH: usize = 16;
const DIGEST_LENGTH: usize = 23;
/// Maximum bytes of a password, including the terminating NUL.
const MAX_KEY: usize = 72;
/// OWASP's minimum cost. Below it a guess is cheaper than with Argon2id at its own minimum.
const CHEAP_BELOW: u32 = 10;

/// Some libraries leave trailing bits set in salt and digest.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &BCRYPT,
    GeneralPurposeConfig::new()
        .with_decode_allow_trailing_bits(true)
        .with_decode_padding_mode(DecodePaddingMode::RequireNone),
);

/// bcrypt at a given cost.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in super::super) struct BcryptScheme {
    cost: u32,
    /// Whether the password is hashed with SHA-256 first (Django's `bcrypt_sha256`).
    prehashed: bool,
}

impl BcryptScheme {
    pub(super) fn read(name: &str, parameters: &HashParameters<'_>) -> Option<Self> {
        let prehashed = match name {
            "bcrypt" => false,
            "bcrypt-sha256" => true,
            _ => return None,
        };
        let cost = parameters.get("c").filter(|cost| (MIN_COST..=MAX_COST).contains(cost))?;
        Some(Self { cost, prehashed })
    }
}

impl fmt::Display for BcryptScheme {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = if self.prehashed { "bcrypt-sha256" } else { "bcrypt" };
        write!(f, "{name},c={}", self.cost)
    }
}

impl Derivation for BcryptScheme {
    fn derive(&self, password: &[u8], salt: &[u8]) -> Option<Vec<u8>> {
        let text = if self.prehashed {
            hex(digest::digest(&digest::SHA256, password).as_ref())
        } else {
            password.to_vec()
        };
        let mut key = Zeroizing::new(text);
        if key.contains(&0) {
            return None;
        }
        key.push(0);
        key.truncate(MAX_KEY);
        let mut output = bcrypt::bcrypt(self.cost, salt.try_into().ok()?, &key).to_vec();
        output.truncate(DIGEST_LENGTH);
        Some(output)
    }

    fn cost(&self) -> HashCost {
        // About 60 ms at cost 10.
        HashCost { millis: (60_u64 << self.cost.min(MAX_COST)) >> 10, kib: 5 }
    }

    fn is_cheap(&self, _own: HashCost) -> bool {
        self.cost < CHEAP_BELOW
    }

    fn digest_length(&self) -> usize {
        DIGEST_LENGTH
    }

    fn salt_lengths(&self) -> RangeInclusive<usize> {
        SALT_LENGTH..=SALT_LENGTH
    }
}

/// Parses `$2b$12$<22 characters of salt><31 characters of digest>`.
pub(super) fn parse(text: &str, prehashed: bool) -> Result<DerivedHash<BcryptScheme>, ImportError> {
    let read = || {
        let mut parts = text.strip_prefix('$')?.split('$');
        parts.next().filter(|version| ["2a", "2b", "2y"].contains(version))?;
        let cost = parts.next().filter(|cost| cost.len() == 2).and_then(number)?;
        let (salt, digest) = parts.next()?.split_at_checked(22)?;
        let (salt, digest) = (BASE64.decode(salt).ok()?, BASE64.decode(digest).ok()?);
        let scheme =
            BcryptScheme { cost: Some(cost).filter(|cost| (MIN_COST..=MAX_COST).contains(cost))?, prehashed };
        parts.next().is_none().then(|| DerivedHash::new(scheme, salt, digest))
    };
    read().ok_or(ImportError::Malformed("bcrypt"))?.check("bcrypt", MAX_KIB)
}

fn hex(bytes: &[u8]) -> Vec<u8> {
    bytes.iter().flat_map(|byte| format!("{byte:02x}").into_bytes()).collect()
}
