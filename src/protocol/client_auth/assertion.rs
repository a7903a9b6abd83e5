//! `private_key_jwt` (OpenID Connect Core §9, RFC 7523 §3): a JWT that the client signed for us, now, and once.

use std::time::Duration;

use serde_json::Value;

use super::failed;
use crate::crypto::jwt::{self, Audience, Expected, JwkError, JwtError, Subject, VerifyingKey};
use crate::crypto::secret;
use crate::domain::client::SigningAlgorithm;
use crate::domain::error::ErrorCode;
use crate::domain::ids::{ClientId, Hash};
use crate::domain::issuer::Issuer;
use crate::domain::time::Time;
use crate::http::Idp;
use crate::protocol::error::TokenError;
use crate::protocol::parameters::Parameters;
use crate::storage::assertions;

/// What an assertion may be signed with.
pub(in crate::protocol) const ALGORITHMS: [SigningAlgorithm; 3] = SigningAlgorithm::ALL;

const TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
/// Clocks differ.
const LEEWAY: Duration = Duration::from_mins(1);
/// The longest an assertion may live: as long its `jti` must be remembered.
const LONGEST: Duration = Duration::from_hours(1);

/// The assertion, if there is one, and the client that it says it is from.
pub(super) fn read(parameters: &Parameters) -> Result<Option<(ClientId, &str)>, TokenError> {
    match (parameters.get("client_assertion_type"), parameters.get("client_assertion")) {
        (None, None) => Ok(None),
        (Some(TYPE), Some(assertion)) => {
            let subject = jwt::claimed_subject(assertion).map_err(|error| failed(error.to_string()))?;
            Ok(Some((ClientId::new(subject), assertion)))
        }
        (Some(TYPE), None) | (None, Some(_)) => Err(TokenError::new(
            ErrorCode::InvalidRequest,
            "client_assertion needs client_assertion_type and vice versa",
        )),
        (Some(_), _) => Err(failed("unknown client_assertion_type")),
    }
}

/// Checks signature and claims, then uses the assertion up.
pub(super) async fn prove(
    idp: &Idp,
    issuer: &Issuer,
    client: &ClientId,
    jwks: &Value,
    assertion: &str,
) -> Result<(), TokenError> {
    let now = idp.now();
    let jti = verify(issuer, client, jwks, assertion, now).map_err(|error| failed(error.to_string()))?;
    // However short the assertion's own life is, it is over by then.
    let forgotten = now.plus(LONGEST).plus(LEEWAY).plus(LEEWAY);
    let (issuer, client) = (issuer.id.clone(), client.clone());
    let fresh = idp
        .db()
        .write(move |tx| {
            let (issuer, client, jti) = (issuer.clone(), client.clone(), jti.clone());
            Box::pin(async move { assertions::claim(tx, &issuer, &client, &jti, forgotten).await })
        })
        .await?;
    if fresh { Ok(()) } else { Err(failed("the assertion was used before")) }
}

/// The hash of its `jti`, by which it is known again.
fn verify(
    issuer: &Issuer,
    client: &ClientId,
    jwks: &Value,
    assertion: &str,
    now: Time,
) -> Result<Hash, AssertionError> {
    let keys = VerifyingKey::from_set(jwks)?;
    let expected = Expected {
        typ: &["JWT", "client-authentication+jwt"],
        algorithms: &ALGORITHMS,
        issuer: client.as_str(),
        audience: Audience::One,
        subject: Subject::One(client.as_str()),
        now,
        leeway: LEEWAY,
        max_lifetime: Some(LONGEST),
        allow_expired: false,
    };
    let claims = jwt::verify(assertion, &keys, &expected)?;
    let text = |name: &str| claims.get(name).and_then(Value::as_str);
    // Alone and in one spelling, so that what is meant for another server is never taken here; RFC 9126 §2 adds `/par`.
    let audiences = [issuer.url.as_str(), &issuer.url.at("/token"), &issuer.url.at("/par")];
    if !text("aud").is_some_and(|audience| audiences.contains(&audience)) {
        return Err(AssertionError::Claim("aud"));
    }
    let jti = text("jti").filter(|jti| !jti.is_empty()).ok_or(AssertionError::Claim("jti"))?;
    Ok(secret::hash(jti))
}

/// Why an assertion is not accepted: for the log.
#[derive(Debug, thiserror::Error)]
enum AssertionError {
    #[error(transparent)]
    Key(#[from] JwkError),
    #[error(transparent)]
    Jwt(#[from] JwtError),
    #[error("the claim {0} is not acceptable")]
    Claim(&'static str),
}
