//! Failures of the provider itself, as opposed to errors in a request.
//!
//! Each is logged once, where it occurs, with a reference; the caller sees only that reference. `http::error` turns it
//! into a response.

use crate::account;
use crate::crypto::jwt::JwtError;
use crate::crypto::random;
use crate::crypto::seal::SealError;
use crate::domain::ids::Reference;
use crate::ext::Unavailable;
use crate::storage;

/// An internal failure that has been logged.
#[derive(Clone, Debug)]
pub(crate) enum Internal {
    /// Temporary: try again soon.
    Busy(Reference),
    /// A bug or damaged data.
    Fault(Reference),
    /// A HEAD request, which must not change anything, for a resource that a GET would change.
    Unchanged(Reference),
}

impl Internal {
    /// Logs a bug and assigns a reference.
    pub(crate) fn fault(source: &dyn std::fmt::Display) -> Self {
        let reference = random::reference();
        tracing::error!(%reference, error = %source, "internal error");
        Self::Fault(reference)
    }

    /// Logs a temporary failure and assigns a reference.
    pub(crate) fn busy(source: &dyn std::fmt::Display) -> Self {
        let reference = random::reference();
        tracing::warn!(%reference, error = %source, "busy");
        Self::Busy(reference)
    }

    /// The reference that the user can quote.
    pub(crate) const fn reference(&self) -> &Reference {
        match self {
            Self::Busy(reference) | Self::Fault(reference) | Self::Unchanged(reference) => reference,
        }
    }
}

impl From<storage::Error> for Internal {
    fn from(error: storage::Error) -> Self {
        match error {
            storage::Error::Busy(_) => Self::busy(&error),
            storage::Error::ReadOnly => Self::Unchanged(random::reference()),
            _ => Self::fault(&error),
        }
    }
}

impl From<account::Error> for Internal {
    fn from(error: account::Error) -> Self {
        match error {
            account::Error::Store(error) => error.into(),
            account::Error::Busy(error) => Self::busy(&error),
            account::Error::Directory(error) => error.into(),
            account::Error::Seal(error) => error.into(),
            account::Error::Passkey(error) => Self::fault(&error),
        }
    }
}

impl From<Unavailable> for Internal {
    fn from(error: Unavailable) -> Self {
        Self::busy(&error)
    }
}

impl From<SealError> for Internal {
    fn from(error: SealError) -> Self {
        Self::fault(&error)
    }
}

impl From<JwtError> for Internal {
    fn from(error: JwtError) -> Self {
        Self::fault(&error)
    }
}
