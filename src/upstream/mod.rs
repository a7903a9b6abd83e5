//! The relying party: sending browsers to an upstream provider, and believing what they bring back.
//!
//! Everything that a client of OpenID Connect has to check is checked here, with the crate `openidconnect`: issuer,
//! audience, authorized party, nonce, expiry, signature and access-token hash (Core §3.1.3.7, §3.1.3.8), the answer's own
//! issuer (RFC 9207), and PKCE. The algorithm is the one that the settings name, or a signature that the provider's own
//! metadata names: never `none`, and an HMAC only where the settings say so. Whose browser it is and whether it came once,
//! the caller knows.
//!
//! Everything is fetched through the guarded way out ([`crate::outbound`]), with a deadline for all of it: while a user
//! waits, a provider that is slow is a provider that is away.

mod metadata;
mod verify;

use std::pin::Pin;
use std::time::Duration;

use openidconnect::core::{CoreAuthPrompt, CoreAuthenticationFlow, CoreTokenResponse};
use openidconnect::{
    AsyncHttpClient, AuthType, AuthenticationContextClass, AuthorizationCode, ClientId, ClientSecret,
    CsrfToken, HttpRequest, HttpResponse, LanguageTag, Nonce, PkceCodeChallenge, PkceCodeVerifier,
    RedirectUrl, RequestTokenError, TokenResponse,
};
use url::Url;
use zeroize::Zeroizing;

pub(crate) use self::metadata::MetadataCache;
use self::metadata::{Client, Metadata};
use crate::domain::time::Time;
use crate::domain::upstream::{Authentication, Upstream};
use crate::outbound::{Outbound, OutboundError};

/// Bytes of an answer; metadata, key sets and tokens are far shorter.
const LIMIT: usize = 256 * 1024;

/// What we are to one upstream provider, at one issuer of ours.
pub(crate) struct RelyingParty<'a> {
    pub(crate) upstream: &'a Upstream,
    pub(crate) secret: Option<Zeroizing<String>>,
    pub(crate) redirect_uri: String,
    pub(crate) outbound: &'a Outbound,
    pub(crate) known: &'a MetadataCache,
    /// How long all that is asked of the provider for one step of a login may take.
    pub(crate) patience: Duration,
    pub(crate) now: Time,
}

/// What stands in an authorization request besides what always does.
pub(crate) struct Request {
    /// By what the answer is found.
    pub(crate) state: String,
    /// By what nobody else's ID token fits.
    pub(crate) nonce: String,
    /// By what nobody else's code fits.
    pub(crate) verifier: String,
    /// What the provider must ask the user again.
    pub(crate) prompt: Option<CoreAuthPrompt>,
    /// How long ago the user may have signed in there. Whoever sends this is told when that was (Core §3.1.2.1).
    pub(crate) max_age: Duration,
    /// Classes that would do.
    pub(crate) acr_values: Vec<String>,
    /// The language of the page that the user comes from.
    pub(crate) locale: String,
}

/// What a browser brings back, and what has to fit it.
pub(crate) struct Answer<'a> {
    pub(crate) code: Option<&'a str>,
    pub(crate) iss: Option<&'a str>,
    pub(crate) error: Option<&'a str>,
    pub(crate) nonce: String,
    pub(crate) verifier: String,
}

/// What the provider says of the user, verified.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Testimony {
    pub(crate) subject: String,
    pub(crate) auth_time: Option<Time>,
    pub(crate) acr: Option<String>,
    pub(crate) amr: Vec<String>,
}

/// Why nobody was sent there, or nobody is signed in. The texts are for the log.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum UpstreamError {
    /// The provider does not answer, or not as one.
    #[error("{0}")]
    Unavailable(String),
    /// It says no; a user who cancels there says so too.
    #[error("the provider said {0}")]
    Refused(String),
    /// It said something that does not count.
    #[error("{0}")]
    Unproved(String),
}

impl UpstreamError {
    fn unproved(what: &str, error: &dyn std::error::Error) -> Self {
        Self::Unproved(with_causes(what, error))
    }

    fn unavailable(what: &str, error: &dyn std::error::Error) -> Self {
        Self::Unavailable(with_causes(what, error))
    }
}

fn with_causes(what: &str, error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(Some(error), |error| error.source());
    let causes: Vec<_> = causes.map(ToString::to_string).collect();
    format!("{what}: {}", causes.join(": "))
}

impl RelyingParty<'_> {
    /// Where to send the browser.
    pub(crate) async fn authorization_url(&self, request: Request) -> Result<Url, UpstreamError> {
        let metadata = self.in_time(self.metadata()).await?;
        let client = self.client(&metadata)?;
        let Request { state, nonce, verifier, prompt, max_age, acr_values, locale } = request;
        let challenge = PkceCodeChallenge::from_code_verifier_sha256(&PkceCodeVerifier::new(verifier));
        let flow = CoreAuthenticationFlow::AuthorizationCode;
        let mut builder = client
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

    /// Redeems what the browser brought, and verifies what comes of it.
    pub(crate) async fn redeem(&self, answer: &Answer<'_>) -> Result<Testimony, UpstreamError> {
        self.in_time(async {
            let metadata = self.metadata().await?;
            let code = self.checked_code(&metadata, answer)?;
            let tokens = self.exchange(&metadata, code, answer.verifier.clone()).await?;
            let id_token =
                tokens.id_token().ok_or_else(|| UpstreamError::Unproved("there is no ID token".into()))?;
            let nonce = Nonce::new(answer.nonce.clone());
            let verified =
                verify::testimony(self, &self.client(&metadata)?, &metadata, id_token, &tokens, &nonce);
            match verified {
                Err(verify::Refusal::UnknownKey) => {
                    let renewed = self.known.renewed(self).await?;
                    let client = self.client(&renewed)?;
                    Ok(verify::testimony(self, &client, &renewed, id_token, &tokens, &nonce)?)
                }
                verified => Ok(verified?),
            }
        })
        .await
    }

    /// The answer must be this provider's before anything in it counts: its name must be right if it is there, and be
    /// there if the provider says that it always is (RFC 9207 §2.4).
    fn checked_code(
        &self,
        metadata: &Metadata,
        answer: &Answer<'_>,
    ) -> Result<AuthorizationCode, UpstreamError> {
        let named = metadata.provider.additional_metadata().authorization_response_iss_parameter_supported;
        let fits = match answer.iss {
            Some(iss) => iss == self.upstream.issuer,
            None => named != Some(true),
        };
        if !fits {
            return Err(UpstreamError::Unproved(
                "the answer is not from this provider (iss, RFC 9207)".into(),
            ));
        }
        if let Some(error) = answer.error {
            return Err(UpstreamError::Refused(
                error.chars().filter(char::is_ascii_graphic).take(64).collect(),
            ));
        }
        let code = answer.code.ok_or_else(|| UpstreamError::Unproved("the answer holds no code".into()))?;
        Ok(AuthorizationCode::new(code.to_owned()))
    }

    async fn exchange(
        &self,
        metadata: &Metadata,
        code: AuthorizationCode,
        verifier: String,
    ) -> Result<CoreTokenResponse, UpstreamError> {
        let client = self.client(metadata)?;
        let request = client
            .exchange_code(code)
            .map_err(|error| UpstreamError::unavailable("token endpoint", &error))?;
        let http = Http(self.outbound);
        let tokens = request.set_pkce_verifier(PkceCodeVerifier::new(verifier)).request_async(&http).await;
        tokens.map_err(|error| match &error {
            RequestTokenError::Request(error) => UpstreamError::unavailable("token endpoint", error),
            _ => UpstreamError::unproved("token endpoint", &error),
        })
    }

    fn client(&self, metadata: &Metadata) -> Result<Client, UpstreamError> {
        let redirect_uri = RedirectUrl::new(self.redirect_uri.clone());
        let redirect_uri = redirect_uri.map_err(|error| UpstreamError::unproved("redirect_uri", &error))?;
        let secret = self.secret.as_ref().map(|secret| ClientSecret::new(secret.as_str().to_owned()));
        let auth_type = match self.upstream.rules.token_endpoint_auth_method {
            Authentication::ClientSecretBasic => AuthType::BasicAuth,
            Authentication::ClientSecretPost | Authentication::None => AuthType::RequestBody,
        };
        let client_id = ClientId::new(self.upstream.client_id.clone());
        Ok(Client::from_provider_metadata(metadata.provider.clone(), client_id, secret)
            .set_redirect_uri(redirect_uri)
            .set_auth_type(auth_type))
    }

    async fn metadata(&self) -> Result<std::sync::Arc<Metadata>, UpstreamError> {
        self.known.of(self).await
    }

    async fn in_time<T>(
        &self,
        work: impl Future<Output = Result<T, UpstreamError>>,
    ) -> Result<T, UpstreamError> {
        let late = |_| Err(UpstreamError::Unavailable("the provider takes too long".into()));
        tokio::time::timeout(self.patience, work).await.unwrap_or_else(late)
    }
}

/// What `openidconnect` sends through.
struct Http<'o>(&'o Outbound);

impl<'c> AsyncHttpClient<'c> for Http<'_> {
    type Error = OutboundError;
    type Future = Pin<Box<dyn Future<Output = Result<HttpResponse, OutboundError>> + Send + 'c>>;

    fn call(&'c self, request: HttpRequest) -> Self::Future {
        Box::pin(self.0.send(request, LIMIT))
    }
}
