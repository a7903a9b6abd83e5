//! crypt(3) with SHA-256 and SHA-512: `$5$` and `$6$`.
//!
//! Its cost grows with the password's length, so a long password is checked only within the cost limit, and only up to
//! the length that libxcrypt reads.

use std::fmt;
use std::ops::RangeInclusive;

use base64ct::{Base64ShaCrypt, Encoding};
use sha_crypt::Params;

use super::derivation::{Derivation, DerivedHash, HashCost, ImportError, MAX_KIB, MAX_MILLIS};
use super::parameters::{HashParameters, number};

/// libxcrypt's maximum is 512 bytes including the terminating NUL.
const MAX_PASSWORD: usize = 511;
const MAX_SALT: usize = 16;
const DEFAULT_ROUNDS: u32 = 5000;

/// The order in which crypt encodes the bytes of a digest.
const ORDER_256: [usize; 32] = [
    20, 10, 0, 11, 1, 21, 2, 22, 12, 23, 13, 3, 14, 4, 24, 5, 25, 15, 26, 16, 6, 17, 7, 27, 8, 28, 18, 29,
    19, 9, 30, 31,
];
const ORDER_512: [usize; 64] = [
    42, 21, 0, 1, 43, 22, 23, 2, 44, 45, 24, 3, 4, 46, 25, 26, 5, 47, 48, 27, 6, 7, 49, 28, 29, 8, 50, 51,
    30, 9, 10, 52, 31, 32, 11, 53, 54, 33, 12, 13, 55, 34, 35, 14, 56, 57, 36, 15, 16, 58, 37, 38, 17, 59,
    60, 39, 18, 19, 61, 40, 41, 20, 62, 63,
];

/// SHA-crypt with a number of rounds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in super::super) struct ShaCryptScheme {
    wide: bool,
    rounds: u32,
}

impl ShaCryptScheme {
    pub(super) fn read(name: &str, parameters: &HashParameters<'_>) -> Option<Self> {
        let wide = match name {
            "sha256-crypt" => false,
            "sha512-crypt" => true,
            _ => return None,
        };
        Some(Self { wide, rounds: parameters.get("rounds")? })
    }

    /// Estimated milliseconds for a password of `length` bytes: each round hashes it nearly twice, besides digest and
    /// salt.
    fn millis(&self, length: usize) -> u64 {
        let (digest, block, nanos) = if self.wide { (64, 128, 450) } else { (32, 64, 300) };
        let hashed = digest + length * 13 / 7 + MAX_SALT + block / 8;
        let blocks = u64::try_from(hashed.div_ceil(block)).unwrap_or(u64::MAX);
        u64::from(self.rounds).saturating_mul(blocks * nanos) / 1_000_000
    }

    const fn order(&self) -> &'static [usize] {
        if self.wide { &ORDER_512 } else { &ORDER_256 }
    }

    /// Decodes a digest from crypt's base64.
    fn decode(&self, text: &str) -> Option<Vec<u8>> {
        let mut buffer = [0; ORDER_512.len()];
        let written = Base64ShaCrypt::decode(text, &mut buffer).ok()?;
        let mut digest = vec![0; self.order().len()];
        for (byte, at) in written.iter().zip(self.order()) {
            *digest.get_mut(*at)? = *byte;
        }
        (written.len() == digest.len()).then_some(digest)
    }
}

impl fmt::Display for ShaCryptScheme {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = if self.wide { "sha512-crypt" } else { "sha256-crypt" };
        write!(f, "{name},rounds={}", self.rounds)
    }
}

impl Derivation for ShaCryptScheme {
    fn derive(&self, password: &[u8], salt: &[u8]) -> Option<Vec<u8>> {
        let params = Params::new(self.rounds).ok()?;
        if password.len() > MAX_PASSWORD || password.contains(&0) || self.millis(password.len()) > MAX_MILLIS
        {
            return None;
        }
        Some(if self.wide {
            sha_crypt::sha512_crypt(password, salt, params).to_vec()
        } else {
            sha_crypt::sha256_crypt(password, salt, params).to_vec()
        })
    }

    fn cost(&self) -> HashCost {
        HashCost { millis: self.millis(16), kib: 1 }
    }

    /// Always cheap: SHA-2 is fast on graphics cards, at the usual 5,000 rounds in particular.
    fn is_cheap(&self, _own: HashCost) -> bool {
        true
    }

    fn digest_length(&self) -> usize {
        self.order().len()
    }

    fn salt_lengths(&self) -> RangeInclusive<usize> {
        0..=MAX_SALT
    }
}

/// Parses `$6$<salt>$<digest>` and `$6$rounds=656000$<salt>$<digest>`.
pub(super) fn parse(text: &str) -> Result<DerivedHash<ShaCryptScheme>, ImportError> {
    let read = || {
        let mut parts = text.strip_prefix('$')?.split('$').peekable();
        let wide = parts.next()? == "6";
        let rounds = match parts.next_if(|part| part.starts_with("rounds=")) {
            Some(part) => number(part.strip_prefix("rounds=")?)?,
            None => DEFAULT_ROUNDS,
        };
        Params::new(rounds).ok()?;
        let scheme = ShaCryptScheme { wide, rounds };
        let salt = parts.next()?;
        let digest = scheme.decode(parts.next()?)?;
        let hash = DerivedHash::new(scheme, salt.as_bytes().to_vec(), digest);
        parts.next().is_none().then_some(hash)
    };
    read().ok_or(ImportError::Malformed("crypt"))?.check("crypt", MAX_KIB)
}
