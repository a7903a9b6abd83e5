//! Access tokens: how they are made, read and asked whether they still stand (RFC 9068).
//!
//! A token is about a user, and then it names the grant it was issued from, or about the client itself (RFC 6749 §4.4).

use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::error::BearerError;
use super::subject;
use crate::crypto::jwt::{self, Expected};
use crate::crypto::random;
use crate::domain::acr::Acr;
use crate::domain::audience::Audience;
use crate::domain::client::{Client, SigningAlgorithm};
use crate::domain::error::{ErrorCode, OAuthError};
use crate::domain::grant::Grant;
use crate::domain::ids::{ClientId, GrantId};
use crate::domain::issuer::Issuer;
use crate::domain::scope::Scope;
use crate::domain::time::Time;
use crate::domain::user::User;
use crate::http::{Idp, Internal};
use crate::storage::grants;

/// `typ` of an access token (RFC 9068 §2.1).
const TYP: &str = "at+jwt";

/// Whom a token speaks for.
#[derive(Clone, Copy, Debug)]
pub(super) enum Basis<'a> {
    /// A user, by what was allowed to the client.
    Grant(&'a Grant),
    /// The client itself.
    Client,
}

/// A token that was just made.
#[derive(Debug)]
pub(super) struct Issued {
    /// What the client presents.
    pub(super) value: String,
    /// Seconds that it lives (`expires_in`).
    pub(super) lifetime: i64,
}

/// What a token says (RFC 9068 §2.2).
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct AccessToken {
    pub(super) iss: String,
    pub(super) sub: String,
    /// The APIs that it opens; the provider itself is one, for UserInfo.
    pub(super) aud: Audience,
    pub(super) client_id: ClientId,
    pub(super) iat: Time,
    pub(super) exp: Time,
    pub(super) jti: String,
    pub(super) scope: Scope,
    /// Only where it speaks for a user.
    #[serde(flatten)]
    pub(super) login: Option<Login>,
}

/// The login behind a user's token.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Login {
    pub(super) auth_time: Time,
    pub(super) acr: Acr,
    pub(super) amr: Vec<String>,
    /// Ours: the grant it stands on, so that one read tells whether it still stands.
    pub(super) grant: GrantId,
}

/// What a token that still stands opens.
#[derive(Debug)]
pub(super) enum Standing {
    /// The claims of a user, as far as the grant goes.
    User(Box<(Grant, User)>),
    /// What belongs to the client itself.
    Client,
}

/// Makes a token with this scope, for these APIs (see [`super::resource`]).
pub(super) async fn issue(
    idp: &Idp,
    issuer: &Issuer,
    client: &Client,
    basis: Basis<'_>,
    scope: Scope,
    audience: Audience,
) -> Result<Issued, Internal> {
    let now = idp.now();
    let mut expires = now.plus(client.metadata.access_token_lifetime());
    if let Basis::Grant(grant) = basis {
        // The last token of a family does not outlive it.
        expires = expires.min(grant.expires_at);
    }
    let (sub, login) = match basis {
        Basis::Grant(grant) => (subject::of(idp, client, &grant.user).await?, Some(Login::of(grant))),
        Basis::Client => (client.id.as_str().to_owned(), None),
    };
    let token = AccessToken {
        iss: issuer.url.to_string(),
        sub,
        aud: audience,
        client_id: client.id.clone(),
        iat: now,
        exp: expires,
        jti: random::uuid(),
        scope,
        login,
    };
    let key = idp.signing_key(&issuer.id, client.metadata.access_token_alg()).await?;
    Ok(Issued { value: jwt::sign(&key, TYP, &token)?, lifetime: expires.since(now) })
}

/// Reads a token of this issuer (RFC 9068 §4). Whether it is for whoever got it, and still stands, are other questions.
pub(super) async fn open(idp: &Idp, issuer: &Issuer, text: &str) -> Result<AccessToken, BearerError> {
    let keys = idp.verifying_keys(&issuer.id).await?;
    let expected = Expected {
        typ: &[TYP],
        algorithms: &SigningAlgorithm::ALL,
        issuer: issuer.url.as_str(),
        audience: jwt::Audience::Several,
        subject: None,
        now: idp.now(),
        leeway: Duration::ZERO,
        max_lifetime: None,
        allow_expired: false,
    };
    let claims = jwt::verify(text, &keys, &expected).map_err(|error| invalid(&error.to_string()))?;
    let names_grant = claims.contains_key("grant");
    let token: Option<AccessToken> = serde_json::from_value(Value::Object(claims)).ok();
    // What is malformed is not absent: a user's token with a broken grant is not the client's own.
    let whole = |token: &AccessToken| match &token.login {
        Some(_) => names_grant,
        None => !names_grant && token.sub == token.client_id.as_str(),
    };
    token.filter(whole).ok_or_else(|| invalid("not a token of ours"))
}

/// Reads a token of this issuer, for this issuer: what opens the provider's own endpoints (RFC 8707 §2, RFC 9068 §4).
pub(super) async fn open_own(idp: &Idp, issuer: &Issuer, text: &str) -> Result<AccessToken, BearerError> {
    let token = open(idp, issuer, text).await?;
    let ours = token.aud.contains(issuer.url.as_str());
    if ours { Ok(token) } else { Err(invalid("meant for others")) }
}

/// Do grant, user and client behind the token still stand? One read; and a question to the directory that the user
/// comes from.
pub(super) async fn standing(idp: &Idp, token: &AccessToken) -> Result<Standing, BearerError> {
    let Some(login) = &token.login else { return Ok(Standing::Client) };
    let found = grants::with_user(&mut idp.db().read().await?.tx(), &login.grant).await?;
    let ended = || invalid("the grant, its user, session or client has ended");
    let (mut grant, user) = found.ok_or_else(ended)?;
    // A token may have been made for less than was granted.
    grant.scope = grant.scope.intersection(&token.scope);
    let user = idp.account().still(user).await.map_err(Internal::from)?.ok_or_else(ended)?;
    Ok(Standing::User(Box::new((grant, user))))
}

/// One answer for every reason; which it was is for the log.
pub(super) fn invalid(hint: &str) -> BearerError {
    let description = "the access token is malformed, expired, revoked or not for this issuer";
    OAuthError::new(ErrorCode::InvalidToken, description).with_hint(hint).into()
}

impl Login {
    fn of(grant: &Grant) -> Self {
        Self {
            auth_time: grant.context.auth_time,
            acr: grant.context.acr,
            amr: grant.context.amr.clone(),
            grant: grant.id.clone(),
        }
    }
}
