//! The ID token: what must hold before a word of it counts.

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, Utc};
use openidconnect::core::{
    CoreIdToken, CoreIdTokenClaims, CoreJwsSigningAlgorithm as Algorithm, CoreTokenResponse,
};
use openidconnect::{
    AccessTokenHash, ClaimsVerificationError, Nonce, OAuth2TokenResponse, SignatureVerificationError,
};

use super::metadata::{Client, Metadata};
use super::{RelyingParty, Testimony, UpstreamError};
use crate::domain::time::Time;

/// How far the provider's clock and ours may differ.
pub(super) const LEEWAY: Duration = Duration::from_secs(10);

/// The signatures that are believed where the settings name none: those that only the provider can make.
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

/// Why a token does not count.
pub(super) enum Refusal {
    /// It may be signed with a key that is newer than what we know.
    UnknownKey,
    Unproved(UpstreamError),
}

impl From<Refusal> for UpstreamError {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::UnknownKey => {
                Self::Unproved("the ID token is signed with a key that the provider does not publish".into())
            }
            Refusal::Unproved(error) => error,
        }
    }
}

/// Verifies an ID token with all that belongs to it.
pub(super) fn testimony(
    party: &RelyingParty<'_>,
    client: &Client,
    metadata: &Metadata,
    id_token: &CoreIdToken,
    tokens: &CoreTokenResponse,
    nonce: &Nonce,
) -> Result<Testimony, Refusal> {
    let claims = claims(party, client, metadata, id_token, tokens, nonce)?;
    let refuse = |what: &str| Err(Refusal::Unproved(UpstreamError::Unproved(what.to_owned())));
    // Core §3.1.3.7: the crate leaves the authorized party to its users.
    if claims.authorized_party().is_some_and(|azp| azp.as_str() != party.upstream.client_id) {
        return refuse("the ID token is for another party (azp)");
    }
    let subject = claims.subject().as_str();
    if subject.is_empty() || subject.len() > 255 || subject.chars().any(char::is_control) {
        return refuse("the ID token names nobody (sub)");
    }
    let amr = claims.auth_method_refs().into_iter().flatten();
    Ok(Testimony {
        subject: subject.to_owned(),
        auth_time: claims.auth_time().map(|at| Time::from_unix(at.timestamp())),
        acr: claims.auth_context_ref().map(|acr| acr.to_string()),
        amr: amr.map(|method| method.to_string()).take(32).collect(),
    })
}

fn claims<'t>(
    party: &RelyingParty<'_>,
    client: &Client,
    metadata: &Metadata,
    id_token: &'t CoreIdToken,
    tokens: &CoreTokenResponse,
    nonce: &Nonce,
) -> Result<&'t CoreIdTokenClaims, Refusal> {
    let unproved =
        |error: &dyn std::error::Error| Refusal::Unproved(UpstreamError::unproved("the ID token", error));
    let now = party.now.minus(LEEWAY).unix();
    let verifier = client
        .id_token_verifier()
        .set_allowed_algs(algorithms(party, metadata))
        .set_time_fn(move || DateTime::<Utc>::from_timestamp(now, 0).unwrap_or_default());
    let claims = id_token.claims(&verifier, nonce).map_err(|error| match &error {
        ClaimsVerificationError::SignatureVerification(SignatureVerificationError::NoMatchingKey) => {
            Refusal::UnknownKey
        }
        _ => unproved(&error),
    })?;
    let latest = party.now.plus(LEEWAY);
    let not_before = not_before(id_token).map_err(|error| unproved(&error))?;
    if Time::from_unix(claims.issue_time().timestamp()) > latest || not_before.is_some_and(|at| at > latest) {
        let what = "the ID token is from the future (iat, nbf)";
        return Err(Refusal::Unproved(UpstreamError::Unproved(what.into())));
    }
    if let Some(expected) = claims.access_token_hash() {
        let algorithm = id_token.signing_alg().map_err(|error| unproved(&error))?;
        let key = id_token.signing_key(&verifier).map_err(|error| unproved(&error))?;
        let actual = AccessTokenHash::from_token(tokens.access_token(), algorithm, key);
        if actual.map_err(|error| unproved(&error))? != *expected {
            let what = "the access token is not the one that the ID token names (at_hash)";
            return Err(Refusal::Unproved(UpstreamError::Unproved(what.into())));
        }
    }
    Ok(claims)
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

/// The one that the settings name, or the provider's own signatures.
fn algorithms(party: &RelyingParty<'_>, metadata: &Metadata) -> Vec<Algorithm> {
    if let Some(name) = &party.upstream.rules.id_token_signed_response_alg {
        let named = serde_json::from_value(serde_json::Value::String(name.clone()));
        return named.into_iter().filter(|algorithm| *algorithm != Algorithm::None).collect();
    }
    let offered = metadata.provider.id_token_signing_alg_values_supported();
    SIGNATURES.into_iter().filter(|algorithm| offered.contains(algorithm)).collect()
}
