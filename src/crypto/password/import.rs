//! Parses a hash of another system and decides how it is stored.

use super::imported::{Derivation, HashCost, ImportError, ImportedHash, MAX_KIB, notation};
use super::stored::PhcHash;
use super::stored_hash::{StoredHash, WRAPPED};
use crate::domain::settings::PasswordCost;

/// A hash accepted for import.
#[derive(Debug)]
pub(crate) struct Import(pub(super) StoredForm);

/// The form in which it is stored.
#[derive(Debug)]
pub(super) enum StoredForm {
    /// Unchanged.
    Ready(StoredHash),
    /// Wrapped in Argon2id, because its digest is cheaper to guess than one of our own.
    Cheap(ImportedHash),
}

impl Import {
    /// Parses any accepted notation; `own` is the current cost of our own hashes.
    pub(super) fn read(text: &str, own: PasswordCost) -> Result<Self, ImportError> {
        let own = HashCost::of_argon2(own.memory_kib, own.passes);
        if text.starts_with(WRAPPED) {
            let wrapped = StoredHash::parse(text).ok_or(ImportError::Malformed("wrapped"))?;
            if let StoredHash::Wrapped { scheme, salt, outer } = &wrapped {
                if !scheme.takes_salt(salt) {
                    return Err(ImportError::Malformed("wrapped"));
                }
                scheme.cost().check(MAX_KIB)?;
                check_own(outer, own)?;
            }
            return Ok(Self(StoredForm::Ready(wrapped)));
        }
        if let Ok(stored) = PhcHash::parse(text.strip_prefix("{ARGON2}").unwrap_or(text)) {
            check_own(&stored, own)?;
            if cost_of(&stored).millis >= own.millis {
                return Ok(Self(StoredForm::Ready(StoredHash::Own(stored))));
            }
        }
        let hash = if text.starts_with(ImportedHash::PREFIX) {
            ImportedHash::parse(text)?
        } else {
            notation::parse(text)?
        };
        let cheap = hash.scheme.is_cheap(own);
        Ok(Self(if cheap { StoredForm::Cheap(hash) } else { StoredForm::Ready(StoredHash::Imported(hash)) }))
    }
}

fn cost_of(stored: &PhcHash) -> HashCost {
    HashCost::of_argon2(stored.params.m_cost(), stored.params.t_cost())
}

/// Accepts a hash that costs no more than our own without checking the limits, so that an export can always be
/// imported.
fn check_own(stored: &PhcHash, own: HashCost) -> Result<(), ImportError> {
    let cost = cost_of(stored);
    let like_own = cost.millis <= own.millis && cost.kib <= own.kib;
    if like_own { Ok(()) } else { cost.check(MAX_KIB) }
}
