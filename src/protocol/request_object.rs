//! Request objects by value (RFC 9101, OpenID Connect Core §6.1): the parameters of an authorization request as a JWT
//! that the client signed. They are read from inside alone; whatever stands outside counts for nothing.
//!
//! Signed ones only: `none` proves nothing, and encryption would hide from the browser what its user may see. Where the
//! standards leave room, we decided: `iss`, `aud` (this issuer alone) and an `exp` within the hour must be there, so
//! that no object is good elsewhere or for long. An object with a `jti` counts once, for that is what the claim is for
//! (RFC 7519 §4.1.7); one without it is good until it expires, as RFC 9101 allows. `sub` must not be there, or an object
//! could pass for a client assertion (§10.8). `response_type` outside is compared, not demanded: Core §6.1 wants it
//! there, RFC 9101 §5 does not, and certified clients leave it out.

use std::time::Duration;

use serde_json::{Map, Value};

use super::parameters::Parameters;
use crate::crypto::jwt::{self, AudienceRule, Expected, Subject};
use crate::crypto::secret;
use crate::domain::client::{Client, SigningAlgorithm};
use crate::domain::error::{ErrorCode, OAuthError};
use crate::domain::ids::Hash;
use crate::domain::issuer::Issuer;
use crate::provider::{Idp, Internal};
use crate::storage::assertions;

/// What a request object may be signed with.
pub(super) const ALGORITHMS: [SigningAlgorithm; 4] = SigningAlgorithm::ALL;

/// RFC 9101 §10.8; most clients still write `JWT`, or nothing.
const TYPES: [&str; 2] = ["oauth-authz-req+jwt", "JWT"];
/// Clocks differ.
const LEEWAY: Duration = Duration::from_mins(1);
/// The longest an object may live: as long its `jti` must be remembered.
const LONGEST: Duration = Duration::from_hours(1);
/// Claims that say what the object is; all others are parameters.
const OF_THE_JWT: [&str; 6] = ["iss", "aud", "exp", "nbf", "iat", "jti"];

/// A request object that its client signed for this issuer.
pub(super) struct RequestObject {
    /// What it asks for.
    pub(super) parameters: Parameters,
    /// The hash of its `jti`.
    pub(super) jti: Option<Hash>,
}

impl RequestObject {
    /// The object in the request's `request` parameter, if there is one.
    pub(super) async fn read(
        idp: &Idp,
        issuer: &Issuer,
        client: &Client,
        outer: &Parameters,
    ) -> Result<Option<Self>, OAuthError> {
        let Some(text) = outer.get("request") else { return Ok(None) };
        if outer.is_doubled("request") || outer.get("request_uri").is_some() {
            let wrong = "request must be sent once and without request_uri";
            return Err(OAuthError::new(ErrorCode::InvalidRequest, wrong));
        }
        let claims = verify(idp, issuer, client, text).await?;
        // RFC 9101 §4
        if ["request", "request_uri"].iter().any(|name| claims.contains_key(*name)) {
            return refuse("a request object must not name another one");
        }
        let parameters = Parameters::of_pairs(pairs(&claims))
            .map_err(|error| OAuthError { code: ErrorCode::InvalidRequestObject, ..error })?;
        if parameters.get("client_id") != Some(client.id.as_str()) {
            return refuse("client_id inside the request object is not the one outside");
        }
        let outside = outer.get("response_type");
        if outside.is_some() && outside != parameters.get("response_type") {
            return refuse("response_type inside the request object is not the one outside");
        }
        let jti = claims.get("jti").map(|jti| secret::hash(&format!("request object {jti}")));
        Ok(Some(Self { parameters, jti }))
    }

    /// Uses the object up, when everything else about it is right; `false`: it was used before.
    pub(super) async fn claim(&self, idp: &Idp, issuer: &Issuer, client: &Client) -> Result<bool, Internal> {
        let Some(jti) = self.jti.clone() else { return Ok(true) };
        // However short the object's own life is, it is over by then.
        let forgotten = idp.now().plus(LONGEST).plus(LEEWAY).plus(LEEWAY);
        let (issuer, client) = (issuer.id.clone(), client.id.clone());
        let write = idp.db().write(move |tx| {
            let (issuer, client, jti) = (issuer.clone(), client.clone(), jti.clone());
            Box::pin(async move { assertions::claim(tx, &issuer, &client, &jti, forgotten).await })
        });
        Ok(write.await?)
    }
}

/// The claims of an object that one of the client's registered keys has signed.
async fn verify(
    idp: &Idp,
    issuer: &Issuer,
    client: &Client,
    text: &str,
) -> Result<Map<String, Value>, OAuthError> {
    if !client.has_keys() {
        return refuse("the client has no keys registered");
    }
    let kid = jwt::claimed_key_id(text).map_err(|error| refused().with_hint(error.to_string()))?;
    let keys = idp.client_keys(client, kid.as_deref()).await;
    let keys = keys.map_err(|error| refused().with_hint(error.to_string()))?;
    let registered = client.metadata.request_object_signing_alg;
    let expected = Expected {
        typ: &TYPES,
        algorithms: registered.as_ref().map_or(&ALGORITHMS[..], std::slice::from_ref),
        issuer: client.id.as_str(),
        audience: AudienceRule::One,
        subject: Subject::Nobody,
        now: idp.now(),
        leeway: LEEWAY,
        max_lifetime: Some(LONGEST),
        allow_expired: false,
    };
    let claims =
        jwt::verify(text, &keys, &expected).map_err(|error| refused().with_hint(error.to_string()))?;
    // One alone, as a text or as a list of one.
    let audience = match claims.get("aud") {
        Some(Value::Array(all)) => all.first(),
        other => other,
    };
    if audience.and_then(Value::as_str) == Some(issuer.url.as_str()) {
        Ok(claims)
    } else {
        Err(refused().with_hint("the claim aud is not acceptable"))
    }
}

/// The claims as parameters. `claims` is an object and `max_age` a number there (Core §6.1), and `resource` may be a
/// list; whatever else is no text is written out, and no check will take it for what it is not.
fn pairs(claims: &Map<String, Value>) -> impl Iterator<Item = (String, String)> {
    let parameters = claims.iter().filter(|(name, value)| {
        let empty = value.is_null();
        !empty && !OF_THE_JWT.contains(&name.as_str())
    });
    parameters.flat_map(|(name, value)| {
        let values = match value {
            Value::Array(all) if name == "resource" => all.as_slice(),
            one => std::slice::from_ref(one),
        };
        values
            .iter()
            .map(|value| (name.clone(), value.as_str().map_or_else(|| value.to_string(), str::to_owned)))
    })
}

/// One answer for every failure; the reason is for the log.
fn refused() -> OAuthError {
    OAuthError::new(ErrorCode::InvalidRequestObject, "the request object is not acceptable")
}

fn refuse<T>(description: &'static str) -> Result<T, OAuthError> {
    Err(OAuthError::new(ErrorCode::InvalidRequestObject, description))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    #[test]
    fn claims_become_parameters() {
        let claims = json!({
            "iss": "a", "jti": "b", "scope": "openid", "max_age": 60, "display": null,
            "claims": { "id_token": { "sub": null } }, "resource": ["https://a.test", "https://b.test"],
            "prompt": ["none"], "flag": true,
        });
        let mut pairs: Vec<_> = pairs(claims.as_object().unwrap()).collect();
        pairs.sort();
        let pairs: Vec<_> = pairs.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        assert_eq!(
            pairs,
            [
                ("claims", r#"{"id_token":{"sub":null}}"#),
                ("flag", "true"),
                ("max_age", "60"),
                ("prompt", r#"["none"]"#),
                ("resource", "https://a.test"),
                ("resource", "https://b.test"),
                ("scope", "openid"),
            ]
        );
    }

    fn any_json() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![any::<i64>().prop_map(Value::from), ".*".prop_map(Value::from)];
        leaf.prop_recursive(3, 12, 4, |inner| {
            prop_oneof![
                proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                proptest::collection::btree_map(".*", inner, 0..4).prop_map(|all| json!(all)),
            ]
        })
    }

    proptest! {
        #[test]
        fn only_resource_is_ever_doubled(claims in proptest::collection::btree_map("resource|iss|.*", any_json(), 0..8)) {
            let claims: Map<String, Value> = claims.into_iter().collect();
            if let Ok(parameters) = Parameters::of_pairs(pairs(&claims)) {
                prop_assert!(parameters.each_once().is_ok());
                prop_assert_eq!(parameters.get("iss"), None);
            }
        }
    }
}
