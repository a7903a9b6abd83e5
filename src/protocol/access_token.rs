//! Access tokens: how they are made, read and asked whether they still stand.
//!
//! They come as JWTs (RFC 9068), which an API reads by itself, or as opaque texts, of which only a hash is kept here.
//!
//! A token is about a user, and then it names the grant it was issued from, or about the client itself (RFC 6749 §4.4).

mod at_jwt;
mod opaque;

use std::sync::Arc;

use futures_util::FutureExt;
use serde_json::Map;

use super::error::{BearerError, TokenError};
use super::{claims, subject};
use crate::crypto::random;
use crate::domain::access_token::AccessToken;
use crate::domain::audience::Audience;
use crate::domain::client::{Client, TokenFormat};
use crate::domain::epoch::Epoch;
use crate::domain::error::{ErrorCode, OAuthError};
use crate::domain::grant::Grant;
use crate::domain::issuer::Issuer;
use crate::domain::scope::Scope;
use crate::domain::user::User;
use crate::provider::{Idp, Internal};
use crate::storage::grants::GrantWithUser;

/// The subject of a new access token.
#[derive(Clone, Copy, Debug)]
pub(super) enum TokenSubject<'a> {
    /// A user as of now, by what was allowed to the client.
    Grant(&'a Grant, &'a User),
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

/// An active token and its subject.
#[derive(Debug)]
pub(super) struct ActiveToken {
    /// What it says.
    pub(super) token: Arc<AccessToken>,
    /// `None`: for the client itself.
    pub(super) person: Option<TokenUser>,
}

/// The user that a token speaks for. What it opens is the token's scope: it may have been made for less than was granted,
/// and never for more.
#[derive(Debug)]
pub(super) struct TokenUser {
    ground: Arc<GrantWithUser>,
    /// The user as the host's directory knows them now, if they are from there.
    told: Option<User>,
}

impl TokenUser {
    /// What the user allowed the client.
    pub(super) fn grant(&self) -> &Grant {
        &self.ground.grant
    }

    /// Who it is.
    pub(super) fn user(&self) -> &User {
        self.told.as_ref().unwrap_or(&self.ground.user)
    }
}

/// Makes a token with this scope, for these APIs (see [`super::resource`]).
pub(super) async fn issue(
    idp: &Idp,
    issuer: &Issuer,
    client: &Client,
    basis: TokenSubject<'_>,
    scope: Scope,
    audience: Audience,
) -> Result<Issued, TokenError> {
    let now = idp.now();
    let mut expires = now.plus(client.metadata.access_token_lifetime());
    if let TokenSubject::Grant(grant, _) = basis {
        // The last token of a family does not outlive it.
        expires = expires.min(grant.expires_at);
    }
    let (sub, epoch, login) = match basis {
        TokenSubject::Grant(grant, _) => {
            (subject::of(idp, client, &grant.user).await?, Epoch::default(), Some(grant.into()))
        }
        TokenSubject::Client => (client.id.as_str().to_owned(), client.epoch, None),
    };
    let typ = idp.scopes().await?.own().typ(&audience);
    let token = AccessToken {
        typ,
        iss: issuer.url.to_string(),
        sub,
        aud: audience,
        client_id: client.id.clone(),
        iat: now,
        exp: expires,
        jti: random::uuid(),
        scope,
        epoch,
        login,
    };
    let value = match client.metadata.access_token_format {
        TokenFormat::Jwt => {
            let more = match basis {
                TokenSubject::Grant(_, user) => {
                    claims::in_access_token(idp, user, client, &token.scope).await?
                }
                TokenSubject::Client => Map::new(),
            };
            at_jwt::sign(idp, issuer, client, &token, &more).await?
        }
        TokenFormat::Opaque => opaque::store(idp, issuer, token).boxed().await?,
    };
    Ok(Issued { value, lifetime: expires.since(now) })
}

/// A token that is meant for the provider itself, as UserInfo and its other APIs demand it.
pub(super) async fn for_us(idp: &Idp, issuer: &Issuer, text: &str) -> Result<ActiveToken, BearerError> {
    let live = live(idp, issuer, text).await?;
    let meant = live.token.aud.contains(issuer.url.as_str());
    if meant { Ok(live) } else { Err(invalid("meant for others")) }
}

/// Returns an active token of this issuer with its grant and user: one read, and a request to the directory that the
/// user comes from. The caller checks the audience.
pub(super) async fn live(idp: &Idp, issuer: &Issuer, text: &str) -> Result<ActiveToken, BearerError> {
    let (token, ground) = match opaque::hash(text) {
        Some(hash) => opaque::alive(idp, issuer, &hash).await?,
        None => at_jwt::alive(idp, issuer, text).await?,
    };
    let person = match ground {
        Some(ground) if ground.user.directory.is_some() => {
            let told =
                idp.account().recheck_directory(ground.user.clone()).boxed().await.map_err(Internal::from)?;
            let told = told.ok_or_else(|| invalid("the user has gone from the directory"))?;
            Some(TokenUser { ground, told: Some(told) })
        }
        ground => ground.map(|ground| TokenUser { ground, told: None }),
    };
    Ok(ActiveToken { token, person })
}

/// Does a text look like a token that has to be looked up?
pub(super) fn is_opaque(text: &str) -> bool {
    opaque::is_shaped(text)
}

/// Ends one token of this client (RFC 7009 §2). `false`: it has the form of no access token of ours.
pub(super) async fn revoke(
    idp: &Idp,
    issuer: &Issuer,
    client: &Client,
    text: &str,
) -> Result<bool, Internal> {
    match opaque::hash(text) {
        Some(hash) => opaque::revoke(idp, issuer, client, hash).await,
        None => at_jwt::revoke(idp, issuer, client, text).await,
    }
}

/// One answer for every reason; which it was is for the log.
pub(super) fn invalid(hint: &str) -> BearerError {
    let description = "the access token is malformed, expired, revoked or not for this issuer";
    OAuthError::new(ErrorCode::InvalidToken, description).with_hint(hint).into()
}
