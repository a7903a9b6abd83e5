//! A client of one provider: its registration, and what one step of a login needs.

use std::sync::Arc;
use std::time::Duration;

use openidconnect::{AuthType, ClientId, ClientSecret, RedirectUrl};
use zeroize::Zeroizing;

use super::error::ProviderError;
use super::http::HttpClient;
use super::metadata::{CoreProviderClient, Metadata, MetadataCache};
use crate::domain::time::Time;

/// The client's registration at the provider.
pub(crate) struct ClientRegistration {
    /// The issuer identifier of the provider.
    pub(crate) issuer: String,
    pub(crate) client_id: String,
    /// `None` for a public client.
    pub(crate) secret: Option<Zeroizing<String>>,
    /// Where the secret is sent: in the `Authorization` header or in the body.
    pub(crate) auth_type: AuthType,
    pub(crate) redirect_uri: String,
    /// `id_token_signed_response_alg`; `None` accepts the signature algorithms of the provider's metadata.
    pub(crate) id_token_alg: Option<String>,
}

/// A client of one provider, for one step of a login.
pub(crate) struct OidcClient<'a> {
    pub(crate) registration: &'a ClientRegistration,
    pub(crate) http: &'a HttpClient,
    pub(crate) cache: &'a MetadataCache,
    /// The deadline for everything that the step requests from the provider.
    pub(crate) deadline: Duration,
    pub(crate) now: Time,
}

impl OidcClient<'_> {
    /// The provider's metadata and keys, from the cache if they are fresh.
    pub(crate) async fn metadata(&self) -> Result<Arc<Metadata>, ProviderError> {
        self.cache.get(self.http, &self.registration.issuer, self.deadline).await
    }

    /// The same, fetched again unless that was done within the last minute.
    pub(crate) async fn renewed_metadata(&self) -> Result<Arc<Metadata>, ProviderError> {
        self.cache.renew(self.http, &self.registration.issuer, self.deadline).await
    }

    /// The crate's client for this provider and registration.
    pub(crate) fn with_metadata(&self, metadata: &Metadata) -> Result<CoreProviderClient, ProviderError> {
        let registration = self.registration;
        let redirect_uri = RedirectUrl::new(registration.redirect_uri.clone());
        let redirect_uri = redirect_uri.map_err(|error| ProviderError::unproved("redirect_uri", &error))?;
        let secret = registration.secret.as_ref().map(|secret| ClientSecret::new(secret.as_str().to_owned()));
        let client_id = ClientId::new(registration.client_id.clone());
        Ok(CoreProviderClient::from_provider_metadata(metadata.provider.clone(), client_id, secret)
            .set_redirect_uri(redirect_uri)
            .set_auth_type(registration.auth_type.clone()))
    }

    /// Runs a step within the deadline.
    pub(crate) async fn in_time<T>(
        &self,
        step: impl Future<Output = Result<T, ProviderError>>,
    ) -> Result<T, ProviderError> {
        tokio::time::timeout(self.deadline, step).await.unwrap_or_else(|_| Err(ProviderError::late()))
    }
}
