//! Why a relying party could not do what it was asked for.

use crate::domain::ids::Reference;
use crate::oidc_client::ProviderError;
use crate::provider::Internal;

/// A failed step of a relying party.
#[derive(Debug, thiserror::Error)]
pub enum RpError {
    /// The provider cannot be reached; a retry may help.
    #[error("{0}")]
    Unavailable(String),
    /// The provider refused, or what it or the browser sent failed a check.
    #[error("{0}")]
    Refused(String),
    /// The session has ended.
    #[error("the session has ended")]
    Ended,
    /// An API call was refused.
    #[error("the provider refused the call ({status}, {kind})")]
    Api {
        /// The HTTP status.
        status: u16,
        /// The `type` of the problem details (RFC 9457 §3.1.1).
        kind: String,
    },
    /// A fault of the relying party itself, logged under this reference.
    #[error("the relying party failed (reference {0})")]
    Internal(Reference),
    /// The registration or an address in it is malformed.
    #[error("{0}")]
    Setup(String),
}

impl RpError {
    pub(super) fn refused(reason: &str) -> Self {
        Self::Refused(reason.to_owned())
    }

    pub(super) fn setup(reason: impl std::fmt::Display) -> Self {
        Self::Setup(reason.to_string())
    }

    /// Logs a failure of store, sealer or cryptography under a reference.
    pub(super) fn internal(error: impl Into<Internal>) -> Self {
        Self::Internal(error.into().reference().clone())
    }
}

impl From<ProviderError> for RpError {
    fn from(error: ProviderError) -> Self {
        match error {
            ProviderError::Unavailable(_) => Self::Unavailable(error.to_string()),
            ProviderError::Refused(_) | ProviderError::Unproved(_) => Self::Refused(error.to_string()),
        }
    }
}
