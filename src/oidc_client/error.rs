//! Why a provider signed no user in, sorted by who is at fault.

use openidconnect::RequestTokenError;

/// A failed step at a provider. The texts are for the log.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum ProviderError {
    /// The provider does not answer, or not as an OpenID provider.
    #[error("{0}")]
    Unavailable(String),
    /// The provider returned an OAuth error, for example because the user cancelled there.
    #[error("the provider said {0}")]
    Refused(String),
    /// The response or a token in it failed a check.
    #[error("{0}")]
    Unproved(String),
}

impl ProviderError {
    /// A failed check, with the causes of the error.
    pub(crate) fn unproved(what: &str, error: &dyn std::error::Error) -> Self {
        Self::Unproved(with_causes(what, error))
    }

    /// A provider that cannot be reached or used, with the causes of the error.
    pub(crate) fn unavailable(what: &str, error: &dyn std::error::Error) -> Self {
        Self::Unavailable(with_causes(what, error))
    }

    /// A provider that exceeded the deadline.
    pub(super) fn late() -> Self {
        Self::Unavailable("the provider takes too long".into())
    }

    /// A failed token request: of the network, or of what the provider answered.
    pub(crate) fn from_token_endpoint<E, T>(error: &RequestTokenError<E, T>) -> Self
    where
        E: std::error::Error + 'static,
        T: openidconnect::ErrorResponse + 'static,
    {
        match error {
            RequestTokenError::Request(error) => Self::unavailable("token endpoint", error),
            _ => Self::unproved("token endpoint", error),
        }
    }
}

fn with_causes(what: &str, error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(Some(error), |error| error.source());
    let causes: Vec<_> = causes.map(ToString::to_string).collect();
    format!("{what}: {}", causes.join(": "))
}
