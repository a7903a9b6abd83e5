//! `private_key_jwt` and `client_secret_jwt` (OpenID Connect Core §9, RFC 7523 §3): a JWT that the client made for us,
//! now, and once.
//!
//! Which kind of algorithm there may be is a matter of the registered method, and which one of the registered
//! `token_endpoint_auth_signing_alg`: no public key is ever taken for a secret (RFC 8725 §3.1). Where keys are to be
//! found is registered too: what the header says of that (`jku`, `jwk`, `x5u`) is not read.

use std::time::Duration;

use serde_json::{Map, Value};

use super::failed;
use super::secret_rate_limit::SecretAttempt;
use crate::crypto::jwt::{self, AudienceRule, Expected, JwtError, Subject};
use crate::crypto::seal::SealError;
use crate::crypto::secret;
use crate::domain::client::{AssertionAlgorithm, Client, MacAlgorithm, SigningAlgorithm};
use crate::domain::error::ErrorCode;
use crate::domain::ids::{ClientId, Hash};
use crate::domain::issuer::Issuer;
use crate::protocol::error::TokenError;
use crate::protocol::parameters::Parameters;
use crate::provider::{ClientKeysError, Idp, Internal};
use crate::storage::assertions;

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

/// Accepts an assertion that was made with the secret that both sides know. `attempt` counts a wrong one.
pub(super) async fn made_with(
    idp: &Idp,
    issuer: &Issuer,
    client: &Client,
    sealed: &str,
    assertion: &str,
    attempt: &SecretAttempt<'_>,
) -> Result<(), TokenError> {
    let claims = mac_claims(idp, client, sealed, assertion).map_err(|error| {
        if matches!(error, AssertionError::Jwt(JwtError::Signature)) {
            attempt.was_wrong();
        }
        failed(error.to_string())
    })?;
    accept(idp, issuer, client, &claims).await
}

/// Accepts an assertion that was signed with one of the client's keys.
pub(super) async fn signed(
    idp: &Idp,
    issuer: &Issuer,
    client: &Client,
    assertion: &str,
) -> Result<(), TokenError> {
    let claims = signed_claims(idp, client, assertion).await.map_err(|error| failed(error.to_string()))?;
    accept(idp, issuer, client, &claims).await
}

fn mac_claims(
    idp: &Idp,
    client: &Client,
    sealed: &str,
    assertion: &str,
) -> Result<Map<String, Value>, AssertionError> {
    let registered = client.metadata.token_endpoint_auth_signing_alg;
    let allowed = |mac: &MacAlgorithm| registered.is_none_or(|one| one == AssertionAlgorithm::Mac(*mac));
    let algorithms: Vec<_> = MacAlgorithm::ALL.into_iter().filter(allowed).collect();
    let secret = idp.sealer().open(sealed, &client.secret_row())?;
    Ok(jwt::verify_mac(assertion, &secret, &algorithms, &expected(idp, client, &[]))?)
}

async fn signed_claims(
    idp: &Idp,
    client: &Client,
    assertion: &str,
) -> Result<Map<String, Value>, AssertionError> {
    let registered = client.metadata.token_endpoint_auth_signing_alg;
    let allowed =
        |alg: &SigningAlgorithm| registered.is_none_or(|one| one == AssertionAlgorithm::Signature(*alg));
    let algorithms: Vec<_> = SigningAlgorithm::ALL.into_iter().filter(allowed).collect();
    let kid = jwt::claimed_key_id(assertion)?;
    let keys = idp.client_keys(client, kid.as_deref()).await?;
    Ok(jwt::verify(assertion, &keys, &expected(idp, client, &algorithms))?)
}

fn expected<'a>(idp: &Idp, client: &'a Client, algorithms: &'a [SigningAlgorithm]) -> Expected<'a> {
    Expected {
        typ: &["JWT", "client-authentication+jwt"],
        algorithms,
        issuer: client.id.as_str(),
        audience: AudienceRule::Several,
        subject: Subject::One(client.id.as_str()),
        now: idp.now(),
        leeway: LEEWAY,
        max_lifetime: Some(LONGEST),
        allow_expired: false,
    }
}

/// Uses a genuine assertion up, if it is meant for this server.
async fn accept(
    idp: &Idp,
    issuer: &Issuer,
    client: &Client,
    claims: &Map<String, Value>,
) -> Result<(), TokenError> {
    let jti = meant_for(issuer, claims).map_err(|error| failed(error.to_string()))?;
    // However short the assertion's own life is, it is over by then.
    let forgotten = idp.now().plus(LONGEST).plus(LEEWAY).plus(LEEWAY);
    let (issuer, client) = (issuer.id.clone(), client.id.clone());
    let claim = idp.db().write(move |tx| {
        let (issuer, client, jti) = (issuer.clone(), client.clone(), jti.clone());
        Box::pin(async move { assertions::claim(tx, &issuer, &client, &jti, forgotten).await })
    });
    if claim.await.map_err(Internal::from)? { Ok(()) } else { Err(failed("the assertion was used before")) }
}

/// The hash of its `jti`, by which it is known again, if it is meant for this server.
///
/// This server alone is meant, so that what is meant for another is never taken here, by one of its names or by several:
/// the issuer (as RFC 7523bis wants it), the token endpoint (as Core §9 has it), or `/par` (RFC 9126 §2). Introspection and revocation
/// authenticate as the token endpoint does (RFC 7662 §2.1, RFC 7009 §2.1) and so take the same; their own addresses are no
/// names of this server.
fn meant_for(issuer: &Issuer, claims: &Map<String, Value>) -> Result<Hash, AssertionError> {
    let names = [issuer.url.as_str(), &issuer.url.at("/token"), &issuer.url.at("/par")];
    let is_ours = |audience: &Value| audience.as_str().is_some_and(|audience| names.contains(&audience));
    let is_for_us_alone = match claims.get("aud") {
        Some(Value::Array(all)) => !all.is_empty() && all.iter().all(is_ours),
        one => one.is_some_and(is_ours),
    };
    if !is_for_us_alone {
        return Err(AssertionError::Claim("aud"));
    }
    let jti = claims
        .get("jti")
        .and_then(Value::as_str)
        .filter(|jti| !jti.is_empty())
        .ok_or(AssertionError::Claim("jti"))?;
    Ok(secret::hash(jti))
}

/// Why an assertion is not accepted: for the log.
#[derive(Debug, thiserror::Error)]
enum AssertionError {
    #[error(transparent)]
    Keys(#[from] ClientKeysError),
    #[error(transparent)]
    Secret(#[from] SealError),
    #[error(transparent)]
    Jwt(#[from] JwtError),
    #[error("the claim {0} is not acceptable")]
    Claim(&'static str),
}
