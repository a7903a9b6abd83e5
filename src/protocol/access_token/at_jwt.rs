//! Access tokens as JWTs (RFC 9068).
//!
//! For an API whose decoder knows no other `typ` a token says `JWT`, as ID tokens do. What tells the two apart is what they
//! say: an ID token has neither `client_id`, `jti` nor `scope`, and no claim of these names can be declared.

use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::invalid;
use crate::crypto::jwt::{self, Expected, JwtError, Subject, VerifyingKey};
use crate::domain::access_token::AccessToken;
use crate::domain::client::{Client, SigningAlgorithm};
use crate::domain::issuer::Issuer;
use crate::domain::own_scopes::AccessTokenTyp;
use crate::domain::time::Time;
use crate::protocol::error::BearerError;
use crate::provider::{Idp, Internal};
use crate::storage::grants::GrantWithUser;
use crate::storage::revoked_tokens;

/// A token with claims about its user.
#[derive(Serialize)]
struct Payload<'a> {
    #[serde(flatten)]
    token: &'a AccessToken,
    #[serde(flatten)]
    more: &'a Map<String, Value>,
}

/// The token, signed with the algorithm that the client has for it; `more` are claims about the user.
pub(super) async fn sign(
    idp: &Idp,
    issuer: &Issuer,
    client: &Client,
    token: &AccessToken,
    more: &Map<String, Value>,
) -> Result<String, Internal> {
    let key = idp.signing_key(&issuer.id, client.metadata.access_token_alg()).await?;
    Ok(jwt::sign(&key, token.typ.as_str(), &Payload { token, more })?)
}

/// A token that still stands. A user's is asked for its grant, a client's own for its client.
pub(super) async fn alive(
    idp: &Idp,
    issuer: &Issuer,
    text: &str,
) -> Result<(Arc<AccessToken>, Option<Arc<GrantWithUser>>), BearerError> {
    let token = open(idp, issuer, text).await?;
    let Some(login) = &token.login else {
        let client = idp.catalogue().client(&issuer.id, &token.client_id).await.map_err(Internal::from)?;
        let revoked =
            revoked_tokens::contains(&mut idp.db().read().tx(), &token.jti).await.map_err(Internal::from)?;
        return match client.filter(|client| !revoked && client.epoch == token.epoch) {
            Some(_) => Ok((token, None)),
            None => Err(invalid("revoked, or the client has ended")),
        };
    };
    let found = idp.grant_cache().of_grant(&login.grant, &token.jti).await.map_err(Internal::from)?;
    let ground =
        found.ok_or_else(|| invalid("revoked, or the grant, its user, session or client has ended"))?;
    Ok((token, Some(ground)))
}

/// Ends a token of this client. `false`: it is no token of ours.
pub(super) async fn revoke(
    idp: &Idp,
    issuer: &Issuer,
    client: &Client,
    text: &str,
) -> Result<bool, Internal> {
    let token = match open(idp, issuer, text).await {
        Ok(token) => token,
        Err(BearerError::Internal(internal)) => return Err(internal),
        Err(BearerError::Missing | BearerError::Refused(_)) => return Ok(false),
    };
    if token.client_id == client.id {
        let write = idp.db().write(move |tx| {
            let (jti, expires) = (token.jti.clone(), token.exp);
            Box::pin(async move { revoked_tokens::insert(tx, &jti, expires).await })
        });
        write.await?;
    }
    Ok(true)
}

/// Verifies a token of this issuer (RFC 9068 §4), but neither its audience nor whether it is still active.
async fn open(idp: &Idp, issuer: &Issuer, text: &str) -> Result<Arc<AccessToken>, BearerError> {
    let now = idp.now();
    let token = idp.read_once(&issuer.id, text, |keys| read(issuer, text, keys, now)).await??;
    // One that was read earlier has grown older, and so has what is registered.
    if token.typ == AccessTokenTyp::Jwt && idp.scopes().await?.own().typ(&token.aud) != token.typ {
        return Err(invalid("typ JWT, and none of its APIs wants that"));
    }
    if token.is_current(now) { Ok(token) } else { Err(invalid("expired, or issued in the future")) }
}

/// What a token says, whenever that is asked.
fn read(issuer: &Issuer, text: &str, keys: &[VerifyingKey], now: Time) -> Result<AccessToken, BearerError> {
    let verify = |typ: AccessTokenTyp| {
        let expected = Expected {
            typ: &[typ.as_str()],
            algorithms: &SigningAlgorithm::ALL,
            issuer: issuer.url.as_str(),
            audience: jwt::AudienceRule::Several,
            subject: Subject::Somebody,
            now,
            leeway: Duration::ZERO,
            max_lifetime: None,
            allow_expired: false,
        };
        jwt::verify(text, keys, &expected).map(|claims| (typ, claims))
    };
    // The type is the first thing that is looked at.
    let verified = match verify(AccessTokenTyp::AtJwt) {
        Err(JwtError::Header("typ")) => verify(AccessTokenTyp::Jwt),
        verified => verified,
    };
    let (typ, claims) = verified.map_err(|error| invalid(&error.to_string()))?;
    let names_grant = claims.contains_key("grant");
    let token = AccessToken::deserialize(claims).ok();
    // What is malformed is not absent: a user's token with a broken grant is not the client's own.
    let whole = |token: &AccessToken| match &token.login {
        Some(_) => names_grant,
        None => !names_grant && token.sub == token.client_id.as_str(),
    };
    let token = token.filter(whole).ok_or_else(|| invalid("not a token of ours"))?;
    Ok(AccessToken { typ, ..token })
}
