//! scrypt in the PHC notation, Django's and Werkzeug's, and Firebase's variant.
//!
//! Firebase encrypts the project's signer key with a key derived by scrypt (AES-256-CTR) and stores the result. The
//! signer key is a secret of the project and is not stored here: it is removed by XOR from the hash, which leaves the key
//! stream that the right password reproduces.

use std::fmt;

use aws_lc_rs::cipher::{AES_256, EncryptingKey, EncryptionContext, UnboundCipherKey};
use aws_lc_rs::iv::FixedLength;
use scrypt::Params;

use super::derivation::{Derivation, DerivedHash, HashCost, ImportError, MAX_BYTES, MAX_KIB};
use super::encoding::base64;
use super::parameters::{HashParameters, number};
use crate::crypto::hex;

const NAME: &str = "scrypt";
const FIREBASE: &str = "firebase-scrypt";
/// Bytes of an AES-256 key.
const KEY_LENGTH: usize = 32;
/// Upper bound of `r`: more than two blocks of this size would exceed the accepted memory.
const MAX_R: u32 = 1 << 18;
/// Upper bound of `p`, computed sequentially; listed systems use few.
const MAX_P: u32 = 64;

/// scrypt with these parameters (RFC 7914).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in super::super) struct ScryptScheme {
    log_n: u8,
    r: u32,
    p: u32,
    length: usize,
    /// Whether the digest is a key stream (Firebase).
    stream: bool,
}

impl ScryptScheme {
    pub(super) fn read(name: &str, parameters: &HashParameters<'_>) -> Option<Self> {
        let stream = match name {
            NAME => false,
            FIREBASE => true,
            _ => return None,
        };
        let length = usize::try_from(parameters.get("l")?).ok().filter(|length| *length <= MAX_BYTES)?;
        Self::new(parameters.get("ln")?, parameters.get("r")?, parameters.get("p")?, length, stream)
    }

    /// `None` if a parameter is out of range. A parameter in range may still be too expensive.
    fn new(log_n: u32, r: u32, p: u32, length: usize, stream: bool) -> Option<Self> {
        let log_n = u8::try_from(log_n).ok().filter(|log_n| (1..=31).contains(log_n))?;
        // Checked first, because `Params` multiplies them without an overflow check.
        let is_bounded = r <= MAX_R && p <= MAX_P;
        (is_bounded && Params::new(log_n, r, p).is_ok()).then_some(Self { log_n, r, p, length, stream })
    }

    /// Size in bytes of a buffer of `blocks` blocks.
    fn bytes(&self, blocks: u64) -> u64 {
        u64::from(self.r).saturating_mul(128).saturating_mul(blocks)
    }
}

impl fmt::Display for ScryptScheme {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = if self.stream { FIREBASE } else { NAME };
        write!(f, "{name},ln={},r={},p={},l={}", self.log_n, self.r, self.p, self.length)
    }
}

impl Derivation for ScryptScheme {
    fn derive(&self, password: &[u8], salt: &[u8]) -> Option<Vec<u8>> {
        let mut output = vec![0; if self.stream { KEY_LENGTH } else { self.length }];
        let params = Params::new(self.log_n, self.r, self.p).ok()?;
        scrypt::scrypt(password, salt, &params, &mut output).ok()?;
        if self.stream { key_stream(&output, self.length) } else { Some(output) }
    }

    fn cost(&self) -> HashCost {
        let (n, p) = (1 << self.log_n, u64::from(self.p));
        // About 350 MiB a second. There are two buffers: of N blocks and of p blocks (RFC 7914 §6).
        let millis = self.bytes(n).saturating_mul(p).saturating_mul(10) / (3584 * 1024);
        HashCost { millis, kib: self.bytes(n.max(p)).div_ceil(1024) }
    }

    fn is_cheap(&self, own: HashCost) -> bool {
        self.cost().millis < own.millis
    }

    fn digest_length(&self) -> usize {
        self.length
    }
}

/// The first `length` bytes of the AES-256-CTR key stream of this key, from counter 0.
fn key_stream(key: &[u8], length: usize) -> Option<Vec<u8>> {
    let key = EncryptingKey::ctr(UnboundCipherKey::new(&AES_256, key).ok()?).ok()?;
    let mut stream = vec![0; length];
    let from_zero = EncryptionContext::Iv128(FixedLength::from([0; 16]));
    key.less_safe_encrypt(&mut stream, from_zero).ok()?;
    Some(stream)
}

/// A hash of these parts; `None` parts make it malformed.
fn hash(
    log_n: Option<u32>,
    r: Option<u32>,
    p: Option<u32>,
    salt: Option<Vec<u8>>,
    digest: Option<Vec<u8>>,
    stream: bool,
) -> Result<DerivedHash<ScryptScheme>, ImportError> {
    let read = || {
        let digest = digest?;
        let scheme = ScryptScheme::new(log_n?, r?, p?, digest.len(), stream)?;
        Some(DerivedHash::new(scheme, salt?, digest))
    };
    read().ok_or(ImportError::Malformed(NAME))?.check(NAME, MAX_KIB)
}

/// The binary logarithm of `N`, written as a number.
fn log2(n: &str) -> Option<u32> {
    number(n).filter(|n| n.is_power_of_two()).map(u32::ilog2)
}

/// Parses `$scrypt$ln=16,r=8,p=1$<salt>$<digest>`.
pub(super) fn parse(text: &str) -> Result<DerivedHash<ScryptScheme>, ImportError> {
    let parts: Vec<_> = text.split('$').collect();
    let [_, _, parameters, salt, digest] = parts.as_slice() else {
        return Err(ImportError::Malformed(NAME));
    };
    let parameters = HashParameters::parse(parameters).filter(|parameters| parameters.are(&["ln", "r", "p"]));
    let get = |name| parameters.as_ref().and_then(|parameters| parameters.get(name));
    hash(get("ln"), get("r"), get("p"), base64(salt), base64(digest), false)
}

/// Parses Django's `scrypt$<n>$<salt as text>$<r>$<p>$<digest>`.
pub(super) fn parse_django(text: &str) -> Result<DerivedHash<ScryptScheme>, ImportError> {
    let parts: Vec<_> = text.split('$').collect();
    let [_, n, salt, r, p, digest] = parts.as_slice() else {
        return Err(ImportError::Malformed(NAME));
    };
    hash(log2(n), number(r), number(p), Some(salt.as_bytes().to_vec()), base64(digest), false)
}

/// Parses Werkzeug's `scrypt:<n>:<r>:<p>$<salt as text>$<digest in hex>`.
pub(super) fn parse_werkzeug(text: &str) -> Result<DerivedHash<ScryptScheme>, ImportError> {
    let parts: Vec<_> = text.split(['$', ':']).collect();
    let [_, n, r, p, salt, digest] = parts.as_slice() else {
        return Err(ImportError::Malformed(NAME));
    };
    hash(log2(n), number(r), number(p), Some(salt.as_bytes().to_vec()), hex::decode(digest), false)
}

/// Parses `$firebase-scrypt$mem_cost=14,rounds=8,salt_separator=<base64>,signer_key=<base64>$<salt>$<digest>`, with the
/// names of the project's password hash parameters.
pub(super) fn parse_firebase(text: &str) -> Result<DerivedHash<ScryptScheme>, ImportError> {
    let parts: Vec<_> = text.split('$').collect();
    let [_, _, parameters, salt, digest] = parts.as_slice() else {
        return Err(ImportError::Malformed(FIREBASE));
    };
    let pairs: Vec<_> = parameters.split(',').filter_map(|pair| pair.split_once('=')).collect();
    let get = |name: &str| pairs.iter().find(|(known, _)| *known == name).map(|(_, value)| *value);
    let read = || {
        let salt = [base64(salt)?, base64(get("salt_separator")?)?].concat();
        let (digest, key) = (base64(digest)?, base64(get("signer_key")?)?);
        let stream: Vec<_> = digest.iter().zip(&key).map(|(digest, key)| digest ^ key).collect();
        (digest.len() == key.len()).then_some((salt, stream))
    };
    let (salt, stream) = read().ok_or(ImportError::Malformed(FIREBASE))?;
    hash(
        get("mem_cost").and_then(number),
        get("rounds").and_then(number),
        Some(1),
        Some(salt),
        Some(stream),
        true,
    )
}
