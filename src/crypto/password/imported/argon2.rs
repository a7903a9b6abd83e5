//! Argon2 of other systems: all three variants, both versions, any number of lanes.
//!
//! Argon2id version 19 with up to four lanes is our own notation and handled by [`super::super::stored`]; everything
//! else is computed here.

use std::fmt;
use std::ops::RangeInclusive;

use argon2::{Algorithm, Argon2, Params, Version};

use super::derivation::{Derivation, DerivedHash, HashCost, ImportError, MAX_BYTES};
use super::encoding::base64;
use super::parameters::HashParameters;

/// Maximum lanes. They are computed sequentially, each with an overhead per pass.
const MAX_LANES: u32 = 64;

/// Argon2 with these parameters (RFC 9106).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in super::super) struct Argon2Scheme {
    algorithm: Algorithm,
    version: Version,
    params: Params,
}

impl Argon2Scheme {
    pub(super) fn read(name: &str, parameters: &HashParameters<'_>) -> Option<Self> {
        let length = usize::try_from(parameters.get("l")?).ok()?;
        Self::new(name, parameters.get("v"), parameters, length)
    }

    /// The scheme with this name; no version means version 16.
    pub(super) fn new(
        name: &str,
        version: Option<u32>,
        parameters: &HashParameters<'_>,
        length: usize,
    ) -> Option<Self> {
        let algorithm = Algorithm::new(name).ok()?;
        let version = Version::try_from(version.unwrap_or(Version::V0x10.into())).ok()?;
        let lanes = parameters.get("p").filter(|lanes| *lanes <= MAX_LANES)?;
        let length = Some(length).filter(|length| *length <= MAX_BYTES);
        let params = Params::new(parameters.get("m")?, parameters.get("t")?, lanes, Some(length?)).ok()?;
        Some(Self { algorithm, version, params })
    }
}

impl fmt::Display for Argon2Scheme {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (memory, passes, lanes) = (self.params.m_cost(), self.params.t_cost(), self.params.p_cost());
        let (name, version) = (self.algorithm.as_str(), u32::from(self.version));
        write!(f, "{name},v={version},m={memory},t={passes},p={lanes},l={}", self.digest_length())
    }
}

impl Derivation for Argon2Scheme {
    fn derive(&self, password: &[u8], salt: &[u8]) -> Option<Vec<u8>> {
        let mut output = vec![0; self.digest_length()];
        let argon2 = Argon2::new(self.algorithm, self.version, self.params.clone());
        argon2.hash_password_into(password, salt, &mut output).ok()?;
        Some(output)
    }

    fn cost(&self) -> HashCost {
        HashCost::of_argon2(self.params.m_cost(), self.params.t_cost())
    }

    fn is_cheap(&self, own: HashCost) -> bool {
        self.cost().millis < own.millis
    }

    fn digest_length(&self) -> usize {
        self.params.output_len().unwrap_or(Params::DEFAULT_OUTPUT_LEN)
    }

    fn salt_lengths(&self) -> RangeInclusive<usize> {
        argon2::MIN_SALT_LEN..=MAX_BYTES
    }
}

/// Parses `$argon2i$v=19$m=65536,t=3,p=4$<salt>$<digest>`; a missing `v=19$` means version 16.
pub(super) fn parse(text: &str, max_kib: u64) -> Result<DerivedHash<Argon2Scheme>, ImportError> {
    let read = || {
        let mut parts = text.strip_prefix('$')?.split('$').peekable();
        let name = parts.next()?;
        let version = parts.next_if(|part| part.starts_with("v="));
        let version = match version {
            Some(version) => Some(HashParameters::parse(version)?.get("v")?),
            None => None,
        };
        let parameters =
            HashParameters::parse(parts.next()?).filter(|parameters| parameters.are(&["m", "t", "p"]))?;
        let (salt, digest) = (base64(parts.next()?)?, base64(parts.next()?)?);
        let scheme = Argon2Scheme::new(name, version, &parameters, digest.len())?;
        parts.next().is_none().then(|| DerivedHash::new(scheme, salt, digest))
    };
    read().ok_or(ImportError::Malformed("argon2"))?.check("argon2", max_kib)
}
