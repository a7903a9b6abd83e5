//! Logout tokens that the provider sends (OpenID Connect Back-Channel Logout 1.0).

use serde_json::{Map, Value};

use super::rows::LogoutScope;
use super::{RelyingParty, RpError};
use crate::crypto::jwt::{self, AudienceRule, Expected, JwtError, Subject, VerifyingKey};
use crate::domain::client::SigningAlgorithm;
use crate::domain::ids::{SessionId, UserId};
use crate::domain::time::Time;

/// The member of `events` that makes a token a logout token (§2.4).
const EVENT: &str = "http://schemas.openid.net/event/backchannel-logout";
/// The longest time that a logout token may be valid: its `jti` is remembered as long.
const MAX_LIFETIME: std::time::Duration = std::time::Duration::from_mins(10);

impl RelyingParty {
    /// Verifies a logout token (§2.6) and ends the sessions that it names; returns how many. Each token counts once.
    pub async fn back_channel_logout(&self, logout_token: &str) -> Result<u64, RpError> {
        let claims = self.verified_logout(logout_token).await?;
        let text = |name: &str| claims.get(name).and_then(Value::as_str).filter(|text| !text.is_empty());
        let (sid, subject) = (text("sid").and_then(SessionId::named), text("sub").and_then(UserId::named));
        let scope = match (sid, subject) {
            (Some(sid), _) => LogoutScope::Session(sid),
            (None, Some(subject)) => LogoutScope::Subject(subject),
            (None, None) => return Err(refused("sid, sub")),
        };
        let is_logout =
            claims.get("events").and_then(|events| events.get(EVENT)).is_some_and(Value::is_object);
        if !is_logout {
            return Err(refused("events"));
        }
        if claims.contains_key("nonce") {
            return Err(refused("nonce"));
        }
        if !claims.contains_key("iat") {
            return Err(refused("iat"));
        }
        let jti = text("jti").ok_or_else(|| refused("jti"))?;
        let expires_at = claims.get("exp").and_then(Value::as_f64).ok_or_else(|| refused("exp"))?;
        #[expect(clippy::cast_possible_truncation, reason = "verified to lie before the year 10000")]
        let expires_at = Time::from_unix(expires_at as i64).plus(2 * Time::SKEW);
        let ended = self.log_out(jti, scope, expires_at).await?;
        ended.ok_or_else(|| refused("jti"))
    }

    /// Signature, `typ`, `iss`, `aud` and times. A signature by an unknown key is checked once more with the provider's
    /// current keys.
    async fn verified_logout(&self, token: &str) -> Result<Map<String, Value>, RpError> {
        let oidc = self.oidc();
        let metadata = oidc.in_time(oidc.metadata()).await?;
        let verified = match self.verify_with(token, &metadata.jwks()?) {
            Err(JwtError::Key) => {
                let renewed = oidc.in_time(oidc.renewed_metadata()).await?;
                self.verify_with(token, &renewed.jwks()?)
            }
            verified => verified,
        };
        let claims = verified.map_err(|error| RpError::Refused(format!("the logout token: {error}")))?;
        let is_ours = match claims.get("aud") {
            Some(Value::String(audience)) => *audience == self.registration.client_id,
            Some(Value::Array(all)) => all.iter().any(|audience| *audience == *self.registration.client_id),
            _ => false,
        };
        if is_ours { Ok(claims) } else { Err(refused("aud")) }
    }

    fn verify_with(&self, token: &str, keys: &Value) -> Result<Map<String, Value>, JwtError> {
        let keys = VerifyingKey::from_published(keys).map_err(|_| JwtError::Key)?;
        jwt::verify(
            token,
            &keys,
            &Expected {
                typ: &["logout+jwt"],
                algorithms: &SigningAlgorithm::ALL,
                issuer: self.issuer(),
                audience: AudienceRule::Several,
                subject: Subject::Optional,
                now: self.handle.clock.now(),
                leeway: Time::SKEW,
                max_lifetime: Some(MAX_LIFETIME),
                allow_expired: false,
            },
        )
    }
}

fn refused(claim: &str) -> RpError {
    RpError::Refused(format!("the logout token: the claim {claim} is not acceptable"))
}
