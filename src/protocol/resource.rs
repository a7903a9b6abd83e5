//! Resource indicators (RFC 8707): which APIs a request names, and for which of them a token is meant.
//!
//! The provider itself may always be named: UserInfo is what it has to offer, and its scopes say who gets that.

use super::parameters::Parameters;
use crate::domain::audience::{Audience, ResourceIndicator};
use crate::domain::client::Client;
use crate::domain::error::{ErrorCode, OAuthError};
use crate::domain::issuer::Issuer;
use crate::domain::scope::{OPENID, Scope};

/// What a request names, and what it may name. A value of its own, so that a transaction can take it along.
#[derive(Clone, Debug)]
pub(super) struct ResourceRequest {
    /// In as many parameters as the request likes.
    named: Audience,
    provider: ResourceIndicator,
    /// What is meant where a request names nothing (`default_audience`).
    default: Audience,
    /// What is registered for the client today, and the provider.
    registered: Audience,
}

impl ResourceRequest {
    /// Reads the request's `resource` parameters.
    pub(super) fn of(parameters: &Parameters, issuer: &Issuer, client: &Client) -> Result<Self, OAuthError> {
        let named: Result<Audience, _> = parameters.all("resource").map(ResourceIndicator::parse).collect();
        let named = named.or_else(|_| refuse("resource is not an absolute URI without a fragment"))?;
        let provider = ResourceIndicator::from(&issuer.url);
        let default: Audience = client.metadata.default_audience.iter().cloned().collect();
        let registered = client.metadata.audiences.iter().chain(&client.metadata.default_audience);
        let registered: Audience = registered.cloned().collect();
        Ok(Self { named, registered: registered.with(provider.clone()), default, provider })
    }

    /// What an authorization request asks for (§2.1): only what is registered for the client.
    pub(super) fn requested(self) -> Result<Audience, OAuthError> {
        if self.named.is_subset(&self.registered) {
            Ok(self.named)
        } else {
            refuse("a resource is not registered for this client")
        }
    }

    /// What a token of a grant is for (§2.2): what the token request names, if that was granted; otherwise everything
    /// granted, and the provider itself where `openid` is among the scopes or nothing was named at all. A grant for which
    /// nothing was named is for the client's default audience as it is registered today.
    pub(super) fn narrowed(&self, granted: &Audience, scope: &Scope) -> Result<Audience, OAuthError> {
        let granted = if granted.is_empty() { &self.default } else { granted };
        let granted = self.with_provider(granted.intersection(&self.registered), scope);
        if self.named.is_empty() {
            return Ok(granted);
        }
        if self.named.is_subset(&granted) {
            Ok(self.named.clone())
        } else {
            refuse("a resource was not granted")
        }
    }

    /// What a client's own token is for (RFC 6749 §4.4): what the token request names, otherwise the client's default
    /// audience, otherwise the provider itself.
    pub(super) fn of_client(self, scope: &Scope) -> Result<Audience, OAuthError> {
        if self.named.is_empty() {
            return Ok(self.with_provider(self.default.clone(), scope));
        }
        self.requested()
    }

    fn with_provider(&self, audience: Audience, scope: &Scope) -> Audience {
        let reaches_us = audience.is_empty() || scope.contains(OPENID);
        if reaches_us { audience.with(self.provider.clone()) } else { audience }
    }
}

fn refuse<T>(description: &'static str) -> Result<T, OAuthError> {
    Err(OAuthError::new(ErrorCode::InvalidTarget, description))
}
