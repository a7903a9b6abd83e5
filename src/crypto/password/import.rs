//! Imports a hash of another system: reads it, and decides how it is stored.

use super::expected::{Expected, WRAPPED};
use super::imported::{HashCost, ImportError, ImportedHash, MAX_KIB, notation};
use super::stored::Stored;
use crate::domain::settings::PasswordCost;

/// A hash that may be imported.
#[derive(Debug)]
pub(crate) struct Import(pub(super) Form);

/// How it is stored.
#[derive(Debug)]
pub(super) enum Form {
    /// As it is.
    Ready(Expected),
    /// Wrapped, since a guess would cost less than at our own.
    Cheap(ImportedHash),
}

impl Import {
    /// Reads any accepted notation; `own` is today's cost of our own hashes.
    pub(super) fn read(text: &str, own: PasswordCost) -> Result<Self, ImportError> {
        let own = HashCost::of_argon2(own.memory_kib, own.passes);
        if text.starts_with(WRAPPED) {
            let wrapped = Expected::parse(text).ok_or(ImportError::Malformed("wrapped"))?;
            if let Expected::Wrapped { scheme, outer, .. } = &wrapped {
                scheme.cost().check(MAX_KIB)?;
                check_own(outer, own)?;
            }
            return Ok(Self(Form::Ready(wrapped)));
        }
        if let Ok(stored) = Stored::parse(text.strip_prefix("{ARGON2}").unwrap_or(text)) {
            check_own(&stored, own)?;
            if cost_of(&stored).millis >= own.millis {
                return Ok(Self(Form::Ready(Expected::Own(stored))));
            }
        }
        let hash = if text.starts_with(ImportedHash::PREFIX) {
            ImportedHash::parse(text)?
        } else {
            notation::parse(text)?
        };
        let cheap = hash.scheme.is_cheap(own);
        Ok(Self(if cheap { Form::Cheap(hash) } else { Form::Ready(Expected::Imported(hash)) }))
    }
}

fn cost_of(stored: &Stored) -> HashCost {
    HashCost::of_argon2(stored.params.m_cost(), stored.params.t_cost())
}

/// Our own hashes come back whatever our own cost is.
fn check_own(stored: &Stored, own: HashCost) -> Result<(), ImportError> {
    let cost = cost_of(stored);
    let like_own = cost.millis <= own.millis && cost.kib <= own.kib;
    if like_own { Ok(()) } else { cost.check(MAX_KIB) }
}
