//! The client of upstream providers: sends browsers there and turns what they bring back into a testimony.
//!
//! Every check that a client of OpenID Connect has to make is made in [`crate::oidc_client`]. Whether the browser is the
//! one that left and whether it comes back once, the caller knows. Requests go through [`crate::outbound`], with one
//! deadline for a step of a login: while a user waits, a slow provider counts as one that is away.

use std::time::Duration;

use openidconnect::core::{CoreAuthPrompt, CoreAuthenticationFlow, CoreIdTokenClaims};
use openidconnect::{
    AuthType, AuthenticationContextClass, CsrfToken, LanguageTag, Nonce, PkceCodeChallenge, PkceCodeVerifier,
};
use url::Url;
use zeroize::Zeroizing;

use crate::domain::time::Time;
use crate::domain::upstream::{Authentication, Upstream};
use crate::oidc_client::{
    CallbackParameters, ClientRegistration, HttpClient, MetadataCache, OidcClient, ProviderError,
};
use crate::outbound::Outbound;

/// The client of one upstream provider, at one issuer of this provider.
pub(crate) struct UpstreamClient<'a> {
    pub(crate) upstream: &'a Upstream,
    pub(crate) secret: Option<Zeroizing<String>>,
    pub(crate) redirect_uri: String,
    pub(crate) outbound: &'a Outbound,
    pub(crate) cache: &'a MetadataCache,
    /// The deadline for everything that is requested from the provider in one step of a login.
    pub(crate) patience: Duration,
    pub(crate) now: Time,
}

/// The parameters of an authorization request that differ from login to login.
pub(crate) struct UpstreamRequest {
    pub(crate) state: String,
    pub(crate) nonce: String,
    /// The PKCE verifier.
    pub(crate) verifier: String,
    /// `login` or `select_account`, if the provider must ask the user again.
    pub(crate) prompt: Option<CoreAuthPrompt>,
    /// The maximum age of the user's authentication. With it the provider must return `auth_time` (Core §3.1.2.1).
    pub(crate) max_age: Duration,
    /// Acceptable authentication context classes.
    pub(crate) acr_values: Vec<String>,
    /// The language of the page that the user comes from.
    pub(crate) locale: String,
}

/// The provider's verified statement about the user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Testimony {
    pub(crate) subject: String,
    pub(crate) auth_time: Option<Time>,
    pub(crate) acr: Option<String>,
    pub(crate) amr: Vec<String>,
}

impl From<&CoreIdTokenClaims> for Testimony {
    fn from(claims: &CoreIdTokenClaims) -> Self {
        let amr = claims.auth_method_refs().into_iter().flatten();
        Self {
            subject: claims.subject().to_string(),
            auth_time: claims.auth_time().map(|at| Time::from_unix(at.timestamp())),
            acr: claims.auth_context_ref().map(|acr| acr.to_string()),
            amr: amr.map(|method| method.to_string()).take(32).collect(),
        }
    }
}

impl UpstreamClient<'_> {
    /// The address to send the browser to.
    pub(crate) async fn authorization_url(&self, request: UpstreamRequest) -> Result<Url, ProviderError> {
        let (registration, http) = (self.registration(), self.http());
        let client = self.client(&registration, &http);
        let metadata = client.in_time(client.metadata()).await?;
        let provider = client.with_metadata(&metadata)?;
        let UpstreamRequest { state, nonce, verifier, prompt, max_age, acr_values, locale } = request;
        let challenge = PkceCodeChallenge::from_code_verifier_sha256(&PkceCodeVerifier::new(verifier));
        let flow = CoreAuthenticationFlow::AuthorizationCode;
        let mut builder = provider
            .authorize_url(flow, || CsrfToken::new(state), || Nonce::new(nonce))
            .set_pkce_challenge(challenge)
            .set_max_age(max_age)
            .add_ui_locale(LanguageTag::new(locale));
        for acr in acr_values {
            builder = builder.add_auth_context_value(AuthenticationContextClass::new(acr));
        }
        if let Some(prompt) = prompt {
            builder = builder.add_prompt(prompt);
        }
        let (url, ..) = builder.url();
        Ok(url)
    }

    /// Redeems the code and verifies the ID token.
    pub(crate) async fn redeem(&self, callback: &CallbackParameters<'_>) -> Result<Testimony, ProviderError> {
        let (registration, http) = (self.registration(), self.http());
        let client = self.client(&registration, &http);
        let (_, claims) = client.in_time(client.redeem(callback)).await?;
        Ok(Testimony::from(&claims))
    }

    fn client<'c>(&'c self, registration: &'c ClientRegistration, http: &'c HttpClient) -> OidcClient<'c> {
        OidcClient { registration, http, cache: self.cache, deadline: self.patience, now: self.now }
    }

    fn http(&self) -> HttpClient {
        HttpClient::Network(self.outbound.clone())
    }

    fn registration(&self) -> ClientRegistration {
        ClientRegistration {
            issuer: self.upstream.issuer.clone(),
            client_id: self.upstream.client_id.clone(),
            secret: self.secret.clone(),
            auth_type: match self.upstream.rules.token_endpoint_auth_method {
                Authentication::ClientSecretBasic => AuthType::BasicAuth,
                Authentication::ClientSecretPost | Authentication::None => AuthType::RequestBody,
            },
            redirect_uri: self.redirect_uri.clone(),
            id_token_alg: self.upstream.rules.id_token_signed_response_alg.clone(),
        }
    }
}
