//! The relying party: everything that a client of OpenID Connect has to check, with the `openidconnect` crate.

use std::pin::Pin;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use openidconnect::core::{
    CoreAuthenticationFlow, CoreClient, CoreIdToken, CoreTokenResponse, CoreUserInfoClaims,
};
use openidconnect::{
    AccessTokenHash, AsyncHttpClient, AuthorizationCode, ClientId, ClientSecret, CsrfToken, EndpointMaybeSet,
    EndpointNotSet, EndpointSet, HttpRequest, HttpResponse, IssuerUrl, LogoutRequest, Nonce,
    OAuth2TokenResponse, PkceCodeChallenge, PkceCodeVerifier, PostLogoutRedirectUrl,
    ProviderMetadataWithLogout, RedirectUrl, Scope, TokenResponse,
};
use reqwest::redirect::Policy;
use serde::Deserialize;
use serde_json::Value;
use url::Url;

/// A client of a provider that was just discovered.
type Client = CoreClient<
    EndpointSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointMaybeSet,
    EndpointMaybeSet,
>;

/// What is asked for, beyond `openid`.
const SCOPES: [&str; 3] = ["profile", "email", "phone"];
/// The provider is near; a user is waiting.
const TIMEOUT: Duration = Duration::from_secs(10);

/// The application as the provider knows it.
pub(super) struct RelyingParty {
    pub(super) issuer: IssuerUrl,
    client_id: ClientId,
    client_secret: ClientSecret,
    redirect_uri: RedirectUrl,
    signed_out_uri: PostLogoutRedirectUrl,
    http: Http,
}

/// A browser on its way to the provider, and what its answer has to fit.
pub(super) struct Departure {
    pub(super) address: Url,
    state: CsrfToken,
    nonce: Nonce,
    verifier: String,
}

impl Departure {
    /// Is this the answer to it, and to no other browser's (RFC 6749 §10.12)?
    pub(super) fn expects(&self, answer: &Answer) -> bool {
        answer.state.as_deref() == Some(self.state.secret())
    }
}

/// What the browser brings back from the provider (RFC 6749 §4.1.2, RFC 9207).
#[derive(Deserialize)]
pub(super) struct Answer {
    code: Option<String>,
    state: Option<String>,
    iss: Option<String>,
    error: Option<String>,
    error_description: Option<String>,
}

/// A user who is signed in, and everything that was learned, verified.
pub(super) struct SignedIn {
    /// The claims of the ID token.
    pub(super) claims: Value,
    /// The answer of the UserInfo endpoint.
    pub(super) userinfo: Value,
    pub(super) id_token: Decoded,
    pub(super) access_token: Decoded,
    hint: CoreIdToken,
}

/// The parts of a JWT, to be looked at.
pub(super) struct Decoded {
    pub(super) header: Value,
    pub(super) payload: Value,
}

/// Why somebody was not signed in or out.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(super) struct Refusal(String);

impl Refusal {
    pub(super) fn new(reason: impl std::fmt::Display) -> Self {
        Self(reason.to_string())
    }

    /// An error with its causes.
    fn at(step: &str, error: &dyn std::error::Error) -> Self {
        let causes = std::iter::successors(Some(error), |error| error.source());
        let causes: Vec<String> = causes.map(ToString::to_string).collect();
        Self(format!("{step}: {}", causes.join(": ")))
    }
}

impl RelyingParty {
    /// Knows the provider by its address alone.
    pub(super) fn new(
        issuer: String,
        client_id: String,
        client_secret: String,
        address: &str,
    ) -> Result<Self, Refusal> {
        let wrong = |error: url::ParseError| Refusal::at("an address", &error);
        // A provider that redirects a back-channel request is none to be followed.
        let http = reqwest::Client::builder().redirect(Policy::none()).no_proxy().timeout(TIMEOUT).build();
        Ok(Self {
            issuer: IssuerUrl::new(issuer).map_err(wrong)?,
            client_id: ClientId::new(client_id),
            client_secret: ClientSecret::new(client_secret),
            redirect_uri: RedirectUrl::new(format!("{address}/callback")).map_err(wrong)?,
            signed_out_uri: PostLogoutRedirectUrl::new(format!("{address}/signed-out")).map_err(wrong)?,
            http: Http(http.map_err(|error| Refusal::at("the HTTP client", &error))?),
        })
    }

    /// OpenID Connect Discovery §4, each time anew: keys and addresses are never stale.
    async fn discover(&self) -> Result<ProviderMetadataWithLogout, Refusal> {
        let found = ProviderMetadataWithLogout::discover_async(self.issuer.clone(), &self.http).await;
        found.map_err(|error| Refusal::at("discovery", &error))
    }

    fn client(&self, provider: ProviderMetadataWithLogout) -> Client {
        let secret = Some(self.client_secret.clone());
        CoreClient::from_provider_metadata(provider, self.client_id.clone(), secret)
            .set_redirect_uri(self.redirect_uri.clone())
    }

    /// The authorization request: state, nonce and PKCE are made for this browser alone.
    pub(super) async fn depart(&self) -> Result<Departure, Refusal> {
        let client = self.client(self.discover().await?);
        let (challenge, verifier) = PkceCodeChallenge::new_random_sha256();
        let (address, state, nonce) = client
            .authorize_url(
                CoreAuthenticationFlow::AuthorizationCode,
                CsrfToken::new_random,
                Nonce::new_random,
            )
            .add_scopes(SCOPES.map(|scope| Scope::new(scope.to_owned())))
            .set_pkce_challenge(challenge)
            .url();
        Ok(Departure { address, state, nonce, verifier: verifier.into_secret() })
    }

    /// Checks the answer, redeems the code, verifies the ID token and asks for the user's claims.
    pub(super) async fn arrive(&self, departure: &Departure, answer: Answer) -> Result<SignedIn, Refusal> {
        let code = self.checked_code(answer)?;
        let client = self.client(self.discover().await?);
        let request =
            client.exchange_code(code).map_err(|error| Refusal::at("the token endpoint", &error))?;
        let tokens = request
            .set_pkce_verifier(PkceCodeVerifier::new(departure.verifier.clone()))
            .request_async(&self.http)
            .await
            .map_err(|error| Refusal::at("the token endpoint", &error))?;
        let id_token = tokens.id_token().ok_or_else(|| Refusal::new("there is no ID token"))?;
        let subject = verify(&client, id_token, &departure.nonce, &tokens)?;
        // OpenID Connect Core §5.3.4: claims about another subject are no claims about this user.
        let userinfo: CoreUserInfoClaims = client
            .user_info(tokens.access_token().clone(), Some(subject))
            .map_err(|error| Refusal::at("UserInfo", &error))?
            .request_async(&self.http)
            .await
            .map_err(|error| Refusal::at("UserInfo", &error))?;
        let decoded = Decoded::read(&id_token.to_string())?;
        Ok(SignedIn {
            claims: decoded.payload.clone(),
            userinfo: serde_json::to_value(userinfo).map_err(|error| Refusal::at("UserInfo", &error))?,
            id_token: decoded,
            access_token: Decoded::read(tokens.access_token().secret())?,
            hint: id_token.clone(),
        })
    }

    /// The answer must be from this provider (`iss`) before anything in it counts; that it is this browser's says the
    /// `state` by which its departure was found.
    fn checked_code(&self, answer: Answer) -> Result<AuthorizationCode, Refusal> {
        if answer.iss.as_deref() != Some(self.issuer.as_str()) {
            return Err(Refusal::new("the answer is not from this provider (iss, RFC 9207)"));
        }
        if let Some(error) = answer.error {
            let description = answer.error_description.unwrap_or_default();
            return Err(Refusal::new(format!("the provider said {error}: {description}")));
        }
        answer.code.map(AuthorizationCode::new).ok_or_else(|| Refusal::new("the answer holds no code"))
    }

    /// RP-Initiated Logout §2: whom to sign out, and where to come back to.
    pub(super) async fn sign_out_address(&self, user: &SignedIn, state: &str) -> Result<Url, Refusal> {
        let provider = self.discover().await?;
        let endpoint = provider.additional_metadata().end_session_endpoint.clone();
        let endpoint = endpoint.ok_or_else(|| Refusal::new("the provider has no sign-out"))?;
        let request = LogoutRequest::from(endpoint)
            .set_id_token_hint(&user.hint)
            .set_post_logout_redirect_uri(self.signed_out_uri.clone())
            .set_state(CsrfToken::new(state.to_owned()));
        Ok(request.http_get_url())
    }
}

/// Signature, `iss`, `aud`, `exp` and `nonce` (OpenID Connect Core §3.1.3.7), then `at_hash` (§3.1.3.8). Returns `sub`.
fn verify(
    client: &Client,
    id_token: &CoreIdToken,
    nonce: &Nonce,
    tokens: &CoreTokenResponse,
) -> Result<openidconnect::SubjectIdentifier, Refusal> {
    let refuse = |error: &dyn std::error::Error| Refusal::at("the ID token", error);
    let verifier = client.id_token_verifier();
    let claims = id_token.claims(&verifier, nonce).map_err(|error| refuse(&error))?;
    if let Some(expected) = claims.access_token_hash() {
        let algorithm = id_token.signing_alg().map_err(|error| refuse(&error))?;
        let key = id_token.signing_key(&verifier).map_err(|error| refuse(&error))?;
        let actual = AccessTokenHash::from_token(tokens.access_token(), algorithm, key);
        if actual.map_err(|error| refuse(&error))? != *expected {
            return Err(Refusal::new("the access token is not the one that the ID token names (at_hash)"));
        }
    }
    Ok(claims.subject().clone())
}

impl Decoded {
    /// Only to be shown: whoever needs to trust a token verifies it.
    fn read(token: &str) -> Result<Self, Refusal> {
        let part = |part: Option<&str>| {
            let bytes = URL_SAFE_NO_PAD.decode(part?).ok()?;
            serde_json::from_slice::<Value>(&bytes).ok()
        };
        let mut parts = token.split('.');
        match (part(parts.next()), part(parts.next())) {
            (Some(header), Some(payload)) => Ok(Self { header, payload }),
            _ => Err(Refusal::new("a token is no JWT")),
        }
    }
}

/// A value that nobody can guess, for cookies and `state`.
pub(super) fn unguessable() -> String {
    CsrfToken::new_random().into_secret()
}

/// What `openidconnect` sends through.
struct Http(reqwest::Client);

impl<'c> AsyncHttpClient<'c> for Http {
    type Error = reqwest::Error;
    type Future = Pin<Box<dyn Future<Output = Result<HttpResponse, reqwest::Error>> + Send + 'c>>;

    fn call(&'c self, request: HttpRequest) -> Self::Future {
        Box::pin(async move {
            let answer = self.0.execute(request.try_into()?).await?;
            let mut response = HttpResponse::new(Vec::new());
            *response.status_mut() = answer.status();
            *response.headers_mut() = answer.headers().clone();
            *response.body_mut() = answer.bytes().await?.to_vec();
            Ok(response)
        })
    }
}
