//! A parsed PHC string, within the limits of the accepted cost.

use argon2::{ARGON2ID_IDENT, Params, PasswordHash, Version};
use base64::Engine;
use base64::engine::general_purpose::STANDARD_NO_PAD;

use crate::domain::settings::PasswordCost;

/// The most expensive accepted hash: 256 MiB, 10 passes, 4 lanes.
const MAX_MEMORY_KIB: u32 = 256 * 1024;
const MAX_PASSES: u32 = 10;
const MAX_LANES: u32 = 4;

/// Minimum output length in bytes; shorter ones could be found by brute force.
const MIN_OUTPUT: usize = 16;

/// The reason why a text is rejected as a hash.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum PhcError {
    /// Not a PHC string with salt and hash.
    #[error(
        "must be an Argon2id hash, $argon2id$v=19$…, with salt and hash; PINs of other systems cannot be imported"
    )]
    Malformed,
    /// Another algorithm or version.
    #[error("is not an argon2id hash of version 19")]
    Algorithm,
    /// More expensive than the accepted cost.
    #[error("costs more than 256 MiB, 10 passes or 4 lanes")]
    TooDear,
}

/// An Argon2id hash, version 19.
#[derive(Clone, Debug)]
pub(super) struct PhcHash {
    pub(super) params: Params,
    pub(super) salt: Vec<u8>,
    pub(super) output: Vec<u8>,
}

impl PhcHash {
    /// A hash at this cost, clamped to the range that Argon2 supports.
    pub(super) fn new(cost: PasswordCost, salt: [u8; 16], output: [u8; 32]) -> Self {
        let memory = cost.memory_kib.max(Params::MIN_M_COST);
        let params = Params::new(memory, cost.passes.max(Params::MIN_T_COST), 1, None).unwrap_or_default();
        Self { params, salt: salt.to_vec(), output: output.to_vec() }
    }

    /// Parses a PHC string.
    pub(super) fn parse(phc: &str) -> Result<Self, PhcError> {
        let hash = PasswordHash::new(phc).map_err(|_| PhcError::Malformed)?;
        if hash.algorithm != ARGON2ID_IDENT || hash.version != Some(Version::V0x13.into()) {
            return Err(PhcError::Algorithm);
        }
        let params = Params::try_from(&hash.params).map_err(|_| PhcError::Malformed)?;
        if params.m_cost() > MAX_MEMORY_KIB || params.t_cost() > MAX_PASSES || params.p_cost() > MAX_LANES {
            return Err(PhcError::TooDear);
        }
        match (hash.salt, hash.hash) {
            (Some(salt), Some(output)) if output.len() >= MIN_OUTPUT => {
                Ok(Self { params, salt: salt.to_vec(), output: output.as_bytes().to_vec() })
            }
            _ => Err(PhcError::Malformed),
        }
    }

    /// Formats the PHC string.
    pub(super) fn to_phc(&self) -> String {
        let (memory, passes, lanes) = (self.params.m_cost(), self.params.t_cost(), self.params.p_cost());
        let (salt, output) = (STANDARD_NO_PAD.encode(&self.salt), STANDARD_NO_PAD.encode(&self.output));
        format!("$argon2id$v=19$m={memory},t={passes},p={lanes}${salt}${output}")
    }

    /// Returns whether both have the same parameters.
    pub(super) fn costs_like(&self, other: &Self) -> bool {
        self.params == other.params && self.output.len() == other.output.len()
    }
}
