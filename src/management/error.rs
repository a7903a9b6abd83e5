//! Why something cannot be changed.

use super::mistakes::{Mistake, Mistakes};
use crate::crypto::password::HasherBusy;
use crate::crypto::seal::SealError;
use crate::storage;

/// Why a change cannot be made.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// The members are wrong; these are all mistakes that were found.
    #[error("{}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))]
    Mistakes(Vec<Mistake>),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] storage::Error),
    /// A secret cannot be sealed or opened.
    #[error(transparent)]
    Seal(#[from] SealError),
    /// Too many passwords are being hashed.
    #[error(transparent)]
    Busy(#[from] HasherBusy),
    /// What is stored cannot be shown as members.
    #[error("{0}")]
    Unreadable(String),
}

impl From<Mistakes> for Error {
    fn from(mistakes: Mistakes) -> Self {
        Self::Mistakes(mistakes.0)
    }
}
