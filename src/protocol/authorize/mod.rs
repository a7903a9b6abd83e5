//! The authorization endpoint without its pages: a request becomes a [`Validated`] one, an outcome a [`Delivery`].
//!
//! `interaction` owns the address itself. Until client and redirect URI are proven an error is *shown*; afterwards
//! it goes *back to the client*. Two variants of [`AuthorizeError`], so that the compiler keeps them apart.

pub(crate) mod respond;

use std::sync::Arc;

use crate::domain::client::Client;
use crate::domain::error::OAuthError;
use crate::domain::request::{AuthorizationRequest, ResponseMode};

pub(crate) use respond::Delivery;

/// A request that passed every check, with the client that made it.
#[derive(Clone, Debug)]
pub(crate) struct Validated {
    request: AuthorizationRequest,
    client: Arc<Client>,
}

impl Validated {
    /// The request.
    pub(crate) const fn request(&self) -> &AuthorizationRequest {
        &self.request
    }

    /// The client.
    pub(crate) const fn client(&self) -> &Arc<Client> {
        &self.client
    }
}

/// Where and how the answer goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Target {
    /// Matched with a registered one.
    pub(crate) redirect_uri: String,
    /// `query` until the request named a better one that exists.
    pub(crate) response_mode: ResponseMode,
    /// Given back byte for byte.
    pub(crate) state: Option<String>,
}

impl From<&AuthorizationRequest> for Target {
    fn from(request: &AuthorizationRequest) -> Self {
        Self {
            redirect_uri: request.redirect_uri.clone(),
            response_mode: request.response_mode,
            state: request.state.clone(),
        }
    }
}

/// Why a request was not accepted, by where the error goes.
#[derive(Clone, Debug)]
pub(crate) enum AuthorizeError {
    /// Client or redirect URI is not proven: a page with status 400, never a redirect (RFC 6749 §4.1.2.1).
    Show(OAuthError),
    /// Back to the client.
    Redirect(Target, OAuthError),
}
