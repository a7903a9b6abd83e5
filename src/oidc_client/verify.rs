//! The checks of an ID token (OpenID Connect Core §3.1.3.7, §3.1.3.8).

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, Utc};
use openidconnect::core::{
    CoreIdToken, CoreIdTokenClaims, CoreJwsSigningAlgorithm as Algorithm, CoreTokenResponse,
};
use openidconnect::{
    AccessTokenHash, ClaimsVerificationError, Nonce, NonceVerifier, OAuth2TokenResponse,
    SignatureVerificationError,
};

use super::client::OidcClient;
use super::error::ProviderError;
use super::metadata::Metadata;
use crate::domain::time::Time;

/// Allowed clock skew between the provider and this client.
const LEEWAY: Duration = Duration::from_secs(10);

/// The algorithms accepted where the registration names none: signatures that only the provider can make.
const SIGNATURES: [Algorithm; 9] = [
    Algorithm::RsaSsaPkcs1V15Sha256,
    Algorithm::RsaSsaPkcs1V15Sha384,
    Algorithm::RsaSsaPkcs1V15Sha512,
    Algorithm::RsaSsaPssSha256,
    Algorithm::RsaSsaPssSha384,
    Algorithm::RsaSsaPssSha512,
    Algorithm::EcdsaP256Sha256,
    Algorithm::EcdsaP384Sha384,
    Algorithm::EdDsa,
];

/// Why a token is refused.
pub(super) enum IdTokenError {
    /// No known key fits. It may be newer than the cached ones.
    UnknownKey,
    Unproved(ProviderError),
}

impl IdTokenError {
    fn unproved(what: &str) -> Self {
        Self::Unproved(ProviderError::Unproved(what.to_owned()))
    }

    fn of(error: &dyn std::error::Error) -> Self {
        Self::Unproved(ProviderError::unproved("the ID token", error))
    }
}

impl From<IdTokenError> for ProviderError {
    fn from(error: IdTokenError) -> Self {
        match error {
            IdTokenError::UnknownKey => {
                Self::Unproved("the ID token is signed with a key that the provider does not publish".into())
            }
            IdTokenError::Unproved(error) => error,
        }
    }
}

impl OidcClient<'_> {
    /// Verifies an ID token and the access token that came with it.
    pub(super) fn verify_id_token<'t>(
        &self,
        metadata: &Metadata,
        id_token: &'t CoreIdToken,
        tokens: &CoreTokenResponse,
        nonce: Option<&Nonce>,
    ) -> Result<&'t CoreIdTokenClaims, IdTokenError> {
        let claims = self.signed_claims(metadata, id_token, tokens, nonce)?;
        // Core §3.1.3.7: the crate leaves the authorized party to its users.
        if claims.authorized_party().is_some_and(|azp| azp.as_str() != self.registration.client_id) {
            return Err(IdTokenError::unproved("the ID token is for another party (azp)"));
        }
        let subject = claims.subject().as_str();
        if subject.is_empty() || subject.len() > 255 || subject.chars().any(char::is_control) {
            return Err(IdTokenError::unproved("the ID token names nobody (sub)"));
        }
        Ok(claims)
    }

    fn signed_claims<'t>(
        &self,
        metadata: &Metadata,
        id_token: &'t CoreIdToken,
        tokens: &CoreTokenResponse,
        nonce: Option<&Nonce>,
    ) -> Result<&'t CoreIdTokenClaims, IdTokenError> {
        let client = self.with_metadata(metadata).map_err(IdTokenError::Unproved)?;
        let now = self.now.minus(LEEWAY).unix();
        let verifier = client
            .id_token_verifier()
            .set_allowed_algs(self.algorithms(metadata))
            .set_time_fn(move || DateTime::<Utc>::from_timestamp(now, 0).unwrap_or_default());
        let same_nonce = |found: Option<&Nonce>| nonce.map_or(Ok(()), |nonce| nonce.verify(found));
        let claims = id_token.claims(&verifier, same_nonce).map_err(|error| match &error {
            ClaimsVerificationError::SignatureVerification(SignatureVerificationError::NoMatchingKey) => {
                IdTokenError::UnknownKey
            }
            _ => IdTokenError::of(&error),
        })?;
        let latest = self.now.plus(LEEWAY);
        let not_before = not_before(id_token).map_err(|error| IdTokenError::of(&error))?;
        let issued_at = Time::from_unix(claims.issue_time().timestamp());
        if issued_at > latest || not_before.is_some_and(|at| at > latest) {
            return Err(IdTokenError::unproved("the ID token is from the future (iat, nbf)"));
        }
        if let Some(expected) = claims.access_token_hash() {
            let algorithm = id_token.signing_alg().map_err(|error| IdTokenError::of(&error))?;
            let key = id_token.signing_key(&verifier).map_err(|error| IdTokenError::of(&error))?;
            let actual = AccessTokenHash::from_token(tokens.access_token(), algorithm, key);
            if actual.map_err(|error| IdTokenError::of(&error))? != *expected {
                let what = "the access token is not the one that the ID token names (at_hash)";
                return Err(IdTokenError::unproved(what));
            }
        }
        Ok(claims)
    }

    /// The algorithm that the registration names, or the signatures of the provider's metadata.
    fn algorithms(&self, metadata: &Metadata) -> Vec<Algorithm> {
        if let Some(name) = &self.registration.id_token_alg {
            let named = serde_json::from_value(serde_json::Value::String(name.clone()));
            return named.into_iter().filter(|algorithm| *algorithm != Algorithm::None).collect();
        }
        let offered = metadata.provider.id_token_signing_alg_values_supported();
        SIGNATURES.into_iter().filter(|algorithm| offered.contains(algorithm)).collect()
    }
}

/// The `nbf` of a token whose signature is verified. The crate does not read it (RFC 7519 §4.1.5).
fn not_before(id_token: &CoreIdToken) -> Result<Option<Time>, serde_json::Error> {
    #[derive(serde::Deserialize)]
    struct NotBefore {
        nbf: Option<f64>,
    }
    let token = id_token.to_string();
    let payload = token.split('.').nth(1).and_then(|payload| URL_SAFE_NO_PAD.decode(payload).ok());
    let NotBefore { nbf } = serde_json::from_slice(&payload.unwrap_or_default())?;
    #[expect(clippy::cast_possible_truncation, reason = "a float that is too large saturates")]
    let whole = |seconds: f64| Time::from_unix(seconds.ceil() as i64);
    Ok(nbf.map(whole))
}
