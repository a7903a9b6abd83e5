//! The redemption of an authorization response: its origin, the code, the ID token.

use openidconnect::core::{CoreIdTokenClaims, CoreTokenResponse};
use openidconnect::{AuthorizationCode, Nonce, PkceCodeVerifier, TokenResponse};

use super::client::OidcClient;
use super::error::ProviderError;
use super::metadata::Metadata;
use super::verify::IdTokenError;

/// The authorization response, and the secrets of the request that it must match.
pub(crate) struct CallbackParameters<'a> {
    pub(crate) code: Option<&'a str>,
    pub(crate) iss: Option<&'a str>,
    pub(crate) error: Option<&'a str>,
    pub(crate) nonce: String,
    pub(crate) verifier: String,
}

impl OidcClient<'_> {
    /// Redeems the code and verifies the ID token that comes with the access token.
    pub(crate) async fn redeem(
        &self,
        callback: &CallbackParameters<'_>,
    ) -> Result<(CoreTokenResponse, CoreIdTokenClaims), ProviderError> {
        let metadata = self.metadata().await?;
        let code = self.checked_code(&metadata, callback)?;
        let tokens = self.exchange(&metadata, code, callback.verifier.clone()).await?;
        let claims = self.verified_claims(&tokens, Some(&Nonce::new(callback.nonce.clone()))).await?;
        Ok((tokens, claims))
    }

    /// The code, if the response is from this provider: its `iss` must match, and be present if the metadata promises it
    /// (RFC 9207 §2.4). This is checked before anything else in the response counts.
    fn checked_code(
        &self,
        metadata: &Metadata,
        callback: &CallbackParameters<'_>,
    ) -> Result<AuthorizationCode, ProviderError> {
        let promised = metadata.provider.additional_metadata().authorization_response_iss_parameter_supported;
        let fits = match callback.iss {
            Some(iss) => iss == self.registration.issuer,
            None => promised != Some(true),
        };
        if !fits {
            return Err(ProviderError::Unproved(
                "the answer is not from this provider (iss, RFC 9207)".into(),
            ));
        }
        if let Some(error) = callback.error {
            return Err(ProviderError::Refused(
                error.chars().filter(char::is_ascii_graphic).take(64).collect(),
            ));
        }
        let code = callback.code.ok_or_else(|| ProviderError::Unproved("the answer holds no code".into()))?;
        Ok(AuthorizationCode::new(code.to_owned()))
    }

    async fn exchange(
        &self,
        metadata: &Metadata,
        code: AuthorizationCode,
        verifier: String,
    ) -> Result<CoreTokenResponse, ProviderError> {
        let client = self.with_metadata(metadata)?;
        let request = client
            .exchange_code(code)
            .map_err(|error| ProviderError::unavailable("token endpoint", &error))?;
        let request = request.set_pkce_verifier(PkceCodeVerifier::new(verifier));
        let tokens = request.request_async(self.http).await;
        tokens.map_err(|error| ProviderError::from_token_endpoint(&error))
    }

    /// The verified claims of the ID token in a token response. A signature by an unknown key is checked once more with
    /// the provider's current keys. Without a nonce the token may carry any (a refresh, Core §12.2).
    pub(crate) async fn verified_claims(
        &self,
        tokens: &CoreTokenResponse,
        nonce: Option<&Nonce>,
    ) -> Result<CoreIdTokenClaims, ProviderError> {
        let id_token =
            tokens.id_token().ok_or_else(|| ProviderError::Unproved("there is no ID token".into()))?;
        let metadata = self.metadata().await?;
        match self.verify_id_token(&metadata, id_token, tokens, nonce) {
            Err(IdTokenError::UnknownKey) => {
                let renewed = self.renewed_metadata().await?;
                Ok(self.verify_id_token(&renewed, id_token, tokens, nonce)?.clone())
            }
            verified => Ok(verified?.clone()),
        }
    }
}
