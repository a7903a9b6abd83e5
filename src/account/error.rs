//! The errors of this room.

use crate::crypto::password::HasherBusy;
use crate::crypto::seal::SealError;
use crate::crypto::webauthn;
use crate::ext::Unavailable;
use crate::storage;

/// Why nothing could be said.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// The store did not answer.
    #[error(transparent)]
    Store(#[from] storage::Error),
    /// Too many passwords are being checked.
    #[error(transparent)]
    Busy(#[from] HasherBusy),
    /// The host's directory did not answer.
    #[error(transparent)]
    Directory(#[from] Unavailable),
    /// What was sealed cannot be opened.
    #[error(transparent)]
    Seal(#[from] SealError),
    /// No passkey can be asked for.
    #[error(transparent)]
    Passkey(#[from] webauthn::CeremonyUnavailable),
}

impl From<Error> for storage::Error {
    /// For what is made inside a write because only there it is known to be needed.
    fn from(error: Error) -> Self {
        match error {
            Error::Store(error) => error,
            other => Self::encoding(other),
        }
    }
}
