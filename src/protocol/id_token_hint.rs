//! ID tokens that come back: a client names the user, and perhaps the session, that it means.
//!
//! One that has expired is as good a hint as ever (OpenID Connect Core §3.1.2.1, RP-Initiated Logout §2).

use std::time::Duration;

use serde::Deserialize;
use serde_json::Value;

use super::response_jwt::ResponseJwt;
use crate::crypto::jwt::{self, AudienceRule, Expected, Subject};
use crate::domain::client::SigningAlgorithm;
use crate::domain::ids::ClientId;
use crate::domain::issuer::Issuer;
use crate::domain::time::Time;
use crate::provider::{Idp, Internal};

/// What a genuine ID token says.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Hint {
    /// The user, by the identifier that the client knows.
    pub(super) sub: String,
    /// The client that it was issued to.
    #[serde(rename = "aud")]
    pub(super) client: ClientId,
    /// Which session it tells of, likewise.
    pub(super) sid: String,
    /// When it expires.
    pub(super) exp: Time,
}

/// Reads an ID token of this issuer; `None` if it is not one.
pub(super) async fn verify(idp: &Idp, issuer: &Issuer, token: &str) -> Result<Option<Hint>, Internal> {
    let keys = idp.verifying_keys(&issuer.id).await?;
    let expected = Expected {
        typ: &[ResponseJwt::IdToken.typ()],
        algorithms: &SigningAlgorithm::ALL,
        issuer: issuer.url.as_str(),
        audience: AudienceRule::One,
        subject: Subject::Somebody,
        now: idp.now(),
        leeway: Duration::ZERO,
        max_lifetime: None,
        allow_expired: true,
    };
    let claims = jwt::verify(token, &keys, &expected).ok();
    Ok(claims.and_then(|claims| serde_json::from_value(Value::Object(claims)).ok()))
}
