//! The requests of a relying party to the provider: authorization, tokens, UserInfo, the address of a sign-out.

use std::time::Duration;

use openidconnect::core::{
    CoreAuthenticationFlow, CoreErrorResponseType, CoreIdToken, CoreTokenResponse, CoreUserInfoClaims,
};
use openidconnect::{
    CsrfToken, EndSessionUrl, LogoutRequest, Nonce, OAuth2TokenResponse, PkceCodeChallenge,
    PostLogoutRedirectUrl, RefreshToken, RequestTokenError, Scope, SubjectIdentifier, TokenResponse,
};
use serde_json::Value;
use url::Url;

use super::content::{PendingSignIn, UserTokens, decoded};
use super::{RelyingParty, RpError};
use crate::domain::time::Time;
use crate::oidc_client::{CallbackParameters, OidcClient, ProviderError};

/// The deadline for everything that one step requests from the provider: a user is waiting.
pub(super) const DEADLINE: Duration = Duration::from_secs(10);

/// A verified sign-in.
pub(super) struct VerifiedUser {
    pub(super) tokens: UserTokens,
    pub(super) subject: String,
    /// The claim `sid`, by which a logout token names the session.
    pub(super) sid: Option<String>,
}

/// What a refresh came to.
pub(super) enum Refreshed {
    Tokens(Box<UserTokens>),
    /// The refresh token is no longer valid: the session at the provider has ended.
    Ended,
}

impl RelyingParty {
    pub(super) fn oidc(&self) -> OidcClient<'_> {
        OidcClient {
            registration: &self.registration,
            http: &self.handle.http,
            cache: &self.metadata,
            deadline: DEADLINE,
            now: self.handle.clock.now(),
        }
    }

    /// The authorization request: state, nonce and PKCE verifier are made for this browser alone.
    pub(super) async fn authorization_request(&self) -> Result<(Url, PendingSignIn), RpError> {
        let oidc = self.oidc();
        let client = oidc.with_metadata(&*oidc.in_time(oidc.metadata()).await?)?;
        let (challenge, verifier) = PkceCodeChallenge::new_random_sha256();
        let code = CoreAuthenticationFlow::AuthorizationCode;
        let (address, state, nonce) = client
            .authorize_url(code, CsrfToken::new_random, Nonce::new_random)
            .add_scopes(self.scopes.iter().cloned().map(Scope::new))
            .set_pkce_challenge(challenge)
            .url();
        let pending = PendingSignIn {
            state: state.into_secret(),
            nonce: nonce.secret().clone(),
            verifier: verifier.into_secret(),
        };
        Ok((address, pending))
    }

    /// Redeems the code, verifies the ID token and requests the user's claims.
    pub(super) async fn redeem(&self, callback: &CallbackParameters<'_>) -> Result<VerifiedUser, RpError> {
        let oidc = self.oidc();
        let verified = oidc.in_time(async {
            let (tokens, claims) = oidc.redeem(callback).await?;
            let userinfo = self.userinfo(&oidc, &tokens, claims.subject().clone()).await?;
            Ok((tokens, claims, userinfo))
        });
        let (tokens, claims, userinfo) = verified.await?;
        let id_token = tokens.id_token().map(ToString::to_string).unwrap_or_default();
        Ok(VerifiedUser {
            sid: payload_member(&id_token, "sid"),
            subject: claims.subject().to_string(),
            tokens: UserTokens {
                access_token: tokens.access_token().secret().clone(),
                access_expires_at: self.expiry(&tokens),
                refresh_token: tokens.refresh_token().map(|token| token.secret().clone()),
                id_token,
                userinfo,
            },
        })
    }

    /// OpenID Connect Core §5.3.4: UserInfo about another subject is refused.
    async fn userinfo(
        &self,
        oidc: &OidcClient<'_>,
        tokens: &CoreTokenResponse,
        subject: SubjectIdentifier,
    ) -> Result<Value, ProviderError> {
        let client = oidc.with_metadata(&*oidc.metadata().await?)?;
        let request = client
            .user_info(tokens.access_token().clone(), Some(subject))
            .map_err(|error| ProviderError::unavailable("UserInfo", &error))?;
        let claims: CoreUserInfoClaims = request
            .request_async(oidc.http)
            .await
            .map_err(|error| ProviderError::unproved("UserInfo", &error))?;
        serde_json::to_value(claims).map_err(|error| ProviderError::unproved("UserInfo", &error))
    }

    /// Exchanges the refresh token (RFC 6749 §6). A new ID token must be about the same user (Core §12.2).
    pub(super) async fn refresh(&self, tokens: &UserTokens, subject: &str) -> Result<Refreshed, RpError> {
        let Some(refresh_token) = tokens.refresh_token.clone().map(RefreshToken::new) else {
            return Ok(Refreshed::Ended);
        };
        let oidc = self.oidc();
        let refreshed = oidc.in_time(async {
            let client = oidc.with_metadata(&*oidc.metadata().await?)?;
            let request = client
                .exchange_refresh_token(&refresh_token)
                .map_err(|error| ProviderError::unavailable("token endpoint", &error))?;
            let answer = match request.request_async(oidc.http).await {
                Ok(answer) => answer,
                Err(RequestTokenError::ServerResponse(error))
                    if *error.error() == CoreErrorResponseType::InvalidGrant =>
                {
                    return Ok(None);
                }
                Err(error) => return Err(ProviderError::from_token_endpoint(&error)),
            };
            if answer.id_token().is_some()
                && oidc.verified_claims(&answer, None).await?.subject().as_str() != subject
            {
                return Err(ProviderError::Unproved("the ID token names another user (sub)".into()));
            }
            Ok(Some(answer))
        });
        let Some(answer) = refreshed.await? else { return Ok(Refreshed::Ended) };
        Ok(Refreshed::Tokens(Box::new(UserTokens {
            access_token: answer.access_token().secret().clone(),
            access_expires_at: self.expiry(&answer),
            refresh_token: answer
                .refresh_token()
                .map(|token| token.secret().clone())
                .or_else(|| tokens.refresh_token.clone()),
            id_token: answer.id_token().map_or_else(|| tokens.id_token.clone(), ToString::to_string),
            userinfo: tokens.userinfo.clone(),
        })))
    }

    /// RP-Initiated Logout 1.0 §2: the address that ends the user's session at the provider.
    pub(super) async fn end_session_url(&self, id_token: &str, state: &str) -> Result<Url, RpError> {
        let oidc = self.oidc();
        let metadata = oidc.in_time(oidc.metadata()).await?;
        let endpoint = metadata.end_session_endpoint().map(str::to_owned);
        let endpoint = endpoint.ok_or_else(|| RpError::refused("the provider has no sign-out"))?;
        let hint: CoreIdToken =
            id_token.parse().map_err(|_| RpError::refused("the ID token of the session is malformed"))?;
        let back = PostLogoutRedirectUrl::new(self.post_logout_redirect_uri.clone());
        let request = LogoutRequest::from(EndSessionUrl::new(endpoint).map_err(RpError::setup)?)
            .set_id_token_hint(&hint)
            .set_post_logout_redirect_uri(back.map_err(RpError::setup)?)
            .set_state(CsrfToken::new(state.to_owned()));
        Ok(request.http_get_url())
    }

    fn expiry(&self, tokens: &CoreTokenResponse) -> Option<Time> {
        tokens.expires_in().map(|lifetime| self.handle.clock.now().plus(lifetime))
    }
}

/// A text member of a verified token's payload that the crate does not read.
fn payload_member(token: &str, name: &str) -> Option<String> {
    let payload = decoded(token)?.1;
    payload.get(name).and_then(Value::as_str).map(str::to_owned)
}
