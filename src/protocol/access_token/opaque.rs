//! Access tokens as opaque texts: 256 random bits behind a prefix, of which the store keeps a hash.
//!
//! The prefix identifies an access token before anything is looked up, and lets scanners find leaked ones.

use std::sync::Arc;

use super::invalid;
use crate::crypto::secret::{self, Secret};
use crate::domain::access_token::AccessToken;
use crate::domain::client::Client;
use crate::domain::error::{ErrorCode, OAuthError};
use crate::domain::grant::OpaqueToken;
use crate::domain::ids::Hash;
use crate::domain::issuer::Issuer;
use crate::domain::own_scopes::AccessTokenTyp;
use crate::protocol::error::{BearerError, TokenError};
use crate::provider::{Idp, Internal};
use crate::storage::grants::GrantWithUser;
use crate::storage::{self, access_tokens};

const PREFIX: &str = "at_";

/// Keeps a token and gives the text by which it is found.
pub(super) async fn store(idp: &Idp, issuer: &Issuer, token: AccessToken) -> Result<String, TokenError> {
    let secret = Secret::generate();
    let value = format!("{PREFIX}{}", secret.expose());
    let stored = OpaqueToken {
        hash: secret::hash(&value),
        jti: token.jti,
        issuer: issuer.id.clone(),
        client: token.client_id,
        grant: token.login.map(|login| login.grant),
        epoch: token.epoch,
        subject: token.sub,
        scope: token.scope,
        audience: token.aud,
        issued_at: token.iat,
        expires_at: token.exp,
    };
    let insert = idp.db().write(move |tx| {
        let stored = stored.clone();
        Box::pin(async move { access_tokens::insert(tx, &stored).await })
    });
    match insert.await {
        Ok(()) => Ok(value),
        Err(storage::Error::Conflict) => {
            Err(OAuthError::new(ErrorCode::InvalidGrant, "what was granted has ended meanwhile").into())
        }
        Err(error) => Err(Internal::from(error).into()),
    }
}

/// Is a text shaped like an opaque token?
pub(super) fn is_shaped(text: &str) -> bool {
    text.strip_prefix(PREFIX).is_some_and(secret::is_shaped)
}

/// What is stored of a text, if it is shaped like one.
pub(super) fn hash(text: &str) -> Option<Hash> {
    is_shaped(text).then(|| secret::hash(text))
}

/// A token that still stands, in the one read.
pub(super) async fn alive(
    idp: &Idp,
    issuer: &Issuer,
    hash: &Hash,
) -> Result<(Arc<AccessToken>, Option<Arc<GrantWithUser>>), BearerError> {
    let now = idp.now();
    let found = idp.grant_cache().of_token(&issuer.id, hash, now).await.map_err(Internal::from)?;
    let (stored, ground) =
        found.ok_or_else(|| invalid("unknown, expired, revoked, or somebody has ended"))?;
    let token = AccessToken {
        typ: AccessTokenTyp::default(),
        iss: issuer.url.to_string(),
        sub: stored.subject.clone(),
        aud: stored.audience.clone(),
        client_id: stored.client.clone(),
        iat: stored.issued_at,
        exp: stored.expires_at,
        jti: stored.jti.clone(),
        scope: stored.scope.clone(),
        epoch: stored.epoch,
        login: ground.as_ref().map(|ground| (&ground.grant).into()),
    };
    if token.iat.is_ahead_of(now) {
        Err(invalid("issued in the future"))
    } else {
        Ok((Arc::new(token), ground))
    }
}

/// Ends a token of this client, if it is one.
pub(super) async fn revoke(
    idp: &Idp,
    issuer: &Issuer,
    client: &Client,
    hash: Hash,
) -> Result<bool, Internal> {
    let (issuer, client) = (issuer.id.clone(), client.id.clone());
    let write = idp.db().write(move |tx| {
        let (issuer, client, hash) = (issuer.clone(), client.clone(), hash.clone());
        Box::pin(async move { access_tokens::revoke(tx, &issuer, &client, &hash).await })
    });
    write.await?;
    Ok(true)
}
