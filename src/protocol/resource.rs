//! Resource indicators (RFC 8707): which APIs a request names, and for which of them a token is meant.
//!
//! The provider itself may always be named: UserInfo is what it has to offer, and its scopes say who gets that.

use super::parameters::Parameters;
use crate::domain::audience::{Audience, Resource};
use crate::domain::client::Client;
use crate::domain::error::{ErrorCode, OAuthError};
use crate::domain::issuer::Issuer;
use crate::domain::scope::{OPENID, Scope};

/// What an authorization request names (§2.1): only what is registered for the client.
pub(super) fn requested(
    parameters: &Parameters,
    issuer: &Issuer,
    client: &Client,
) -> Result<Audience, OAuthError> {
    let registered: Audience = client.metadata.audiences.iter().cloned().collect();
    let registered = registered.with(Resource::from(&issuer.url));
    let named = named(parameters)?;
    if named.is_subset(&registered) {
        Ok(named)
    } else {
        refuse("a resource is not registered for this client")
    }
}

/// What a token of a grant is for (§2.2): what the token request names, if that was granted; otherwise everything
/// granted, and the provider itself where `openid` is among the scopes or nothing was named at all.
pub(super) fn narrowed(
    parameters: &Parameters,
    issuer: &Issuer,
    granted: &Audience,
    scope: &Scope,
) -> Result<Audience, OAuthError> {
    let granted = with_provider(granted.clone(), issuer, scope);
    let named = named(parameters)?;
    match named {
        none if none.is_empty() => Ok(granted),
        some if some.is_subset(&granted) => Ok(some),
        _ => refuse("a resource was not granted"),
    }
}

/// What a client's own token is for (RFC 6749 §4.4): what the token request names, otherwise the provider itself.
pub(super) fn of_client(
    parameters: &Parameters,
    issuer: &Issuer,
    client: &Client,
    scope: &Scope,
) -> Result<Audience, OAuthError> {
    let named = requested(parameters, issuer, client)?;
    Ok(if named.is_empty() { with_provider(named, issuer, scope) } else { named })
}

fn with_provider(audience: Audience, issuer: &Issuer, scope: &Scope) -> Audience {
    let reaches_us = audience.is_empty() || scope.contains(OPENID);
    if reaches_us { audience.with(Resource::from(&issuer.url)) } else { audience }
}

/// What the request names, in as many parameters as it likes.
fn named(parameters: &Parameters) -> Result<Audience, OAuthError> {
    let named: Result<Audience, _> = parameters.all("resource").map(Resource::parse).collect();
    named.or_else(|_| refuse("resource is not an absolute URI without a fragment"))
}

fn refuse<T>(description: &'static str) -> Result<T, OAuthError> {
    Err(OAuthError::new(ErrorCode::InvalidTarget, description))
}
