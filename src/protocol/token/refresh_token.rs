//! A refresh token for new tokens (RFC 6749 §6, OpenID Connect Core §12).
//!
//! Each use makes a successor and ends the token (RFC 9700 §4.14.2); the family is the grant. An answer may be lost, and
//! two tabs may refresh at once: for ten seconds the same token gives the same successor again, never a second one.
//! A later use reveals a copy and revokes the family. The successor is made of the token and a salt that
//! its use left in the store, so neither the store nor an old token alone gives it away.
//!
//! A family with `offline_access` outlives the session; any other ends with it. None outlives the limit set when the
//! user signed in. An administrator who became one without a second factor must sign in again. A token
//! issued to another client is rejected; its family is not revoked.

use std::time::Duration;

use futures_util::future::BoxFuture;

use super::issue::{self, TokenIssuance, TokenResponse};
use super::{GrantHandler, TokenRequest};
use crate::audit::{self, Entry};
use crate::crypto::secret::{self, Secret};
use crate::domain::audience::Audience;
use crate::domain::audit::Actor;
use crate::domain::client::{Client, GrantType};
use crate::domain::error::{ErrorCode, OAuthError};
use crate::domain::event::Event;
use crate::domain::grant::{self, RefreshState};
use crate::domain::ids::{ClientId, IssuerId};
use crate::domain::scope::Scope;
use crate::domain::time::Time;
use crate::domain::user::User;
use crate::http::trace;
use crate::protocol::error::TokenError;
use crate::protocol::resource::ResourceRequest;
use crate::provider::Internal;
use crate::storage::grants::{self, GrantWithUser};
use crate::storage::{self, Tx, refresh_tokens};

/// How long a used token gives its successor once more: ten seconds, and the one that times in whole seconds leave out.
const GRACE: Duration = Duration::from_secs(11);

pub(super) struct RefreshTokenGrant;

impl GrantHandler for RefreshTokenGrant {
    fn grant_type(&self) -> GrantType {
        GrantType::RefreshToken
    }

    fn exchange<'a>(
        &'a self,
        request: &'a TokenRequest<'_>,
    ) -> BoxFuture<'a, Result<TokenResponse, TokenError>> {
        Box::pin(refresh(request))
    }
}

async fn refresh(request: &TokenRequest<'_>) -> Result<TokenResponse, TokenError> {
    let presented = RefreshRequest::of(request).await?;
    let still = presented.recheck_directory(request).await?;
    let outcome = request.idp.db().write(move |tx| {
        let presented = presented.clone();
        Box::pin(async move { presented.rotate(tx).await })
    });
    match outcome.await.map_err(Internal::from)? {
        RefreshOutcome::Rotated(live) => answer(request, *live, still).await,
        RefreshOutcome::ScopeExceeded(error) => Err(error.into()),
        RefreshOutcome::Reused => Err(refuse("used before")),
        RefreshOutcome::Refused(hint) => Err(refuse(hint)),
    }
}

/// `still`: the user as the host's directory knows them now, if it was asked.
async fn answer(
    request: &TokenRequest<'_>,
    live: RotatedToken,
    still: Option<User>,
) -> Result<TokenResponse, TokenError> {
    let RotatedToken { grant, user, scope, audience, successor } = live;
    trace::login(&grant.id);
    let user = match still {
        Some(user) => user,
        // The directory that the user came from may have been taken away altogether.
        None => {
            request.idp.account().recheck_directory(user).await.map_err(Internal::from)?.ok_or_else(gone)?
        }
    };
    if lacks_second_factor(request, &grant, &user).await? {
        end(request, &grant).await?;
        return Err(refuse("an administrator signed in without the second factor that is now due"));
    }
    let issuance = TokenIssuance {
        grant: &grant,
        user: &user,
        scope,
        audience,
        nonce: None,
        refresh_token: Some(successor.expose().to_owned()),
        id_token_can_wait: true,
    };
    issue::tokens(request.idp, request.issuer, &request.client, issuance).await
}

/// An administrator's grant from before the second-factor duty ends with its beginning (SEED1-3). Who got the role a
/// minute ago is one too.
async fn lacks_second_factor(
    request: &TokenRequest<'_>,
    grant: &grant::Grant,
    user: &User,
) -> Result<bool, TokenError> {
    if !user.is_admin() || grant.context.is_by_device() {
        return Ok(false);
    }
    let tenant = request.idp.catalogue().tenant(&user.tenant).await.map_err(Internal::from)?;
    Ok(tenant.is_some_and(|tenant| tenant.policy.admin_duty(true, request.idp.now())))
}

async fn end(request: &TokenRequest<'_>, grant: &grant::Grant) -> Result<(), TokenError> {
    let (id, now) = (grant.id.clone(), request.idp.now());
    let ended = request.idp.db().write(move |tx| {
        let id = id.clone();
        Box::pin(async move { grants::revoke(tx, &id, now).await })
    });
    ended.await.map_err(Internal::from)?;
    Ok(())
}

fn gone() -> TokenError {
    refuse("the host's directory no longer has the user")
}

/// One text for every reason, as with codes.
fn refuse(hint: &'static str) -> TokenError {
    let description = "the refresh token is unknown, used, expired, revoked or not for this client";
    OAuthError::new(ErrorCode::InvalidGrant, description).with_hint(hint).into()
}

/// What the client presents, and the salt for the case that it is the first to do so.
#[derive(Clone, Debug)]
struct RefreshRequest {
    token: Secret,
    issuer: IssuerId,
    client: ClientId,
    /// What the client's registration allows today; `None` = everything.
    registered: Option<Scope>,
    scope: Option<Scope>,
    target: ResourceRequest,
    salt: Secret,
    now: Time,
}

/// The scope that is asked for. As at the authorization endpoint, words that are no scope here are ignored, and
/// something must remain.
async fn asked_scope(request: &TokenRequest<'_>) -> Result<Option<Scope>, TokenError> {
    let Some(text) = request.parameters.get("scope") else { return Ok(None) };
    let scopes = request.idp.scopes().await?;
    let known = scopes.all();
    let asked = Scope::parse(text);
    let asked: Scope = asked.iter().filter(|word| known.contains(word)).map(str::to_owned).collect();
    if asked.is_empty() {
        return Err(TokenError::new(ErrorCode::InvalidScope, "scope holds nothing that is a scope here"));
    }
    Ok(Some(asked))
}

enum RefreshOutcome {
    Rotated(Box<RotatedToken>),
    /// More is asked for than was granted.
    ScopeExceeded(OAuthError),
    Reused,
    Refused(&'static str),
}

/// A family that goes on.
struct RotatedToken {
    grant: grant::Grant,
    user: User,
    scope: Scope,
    audience: Audience,
    successor: Secret,
}

impl RefreshRequest {
    async fn of(request: &TokenRequest<'_>) -> Result<Self, TokenError> {
        let parameters = request.parameters;
        let token = parameters
            .get("refresh_token")
            .ok_or_else(|| TokenError::new(ErrorCode::InvalidRequest, "refresh_token is missing"))?;
        let client: &Client = &request.client;
        Ok(Self {
            token: Secret::new(token.to_owned()),
            issuer: request.issuer.id.clone(),
            client: client.id.clone(),
            registered: client.metadata.scope.clone(),
            scope: asked_scope(request).await?,
            target: ResourceRequest::of(parameters, request.issuer, client)?,
            salt: Secret::generate(),
            now: request.idp.now(),
        })
    }

    /// Asks the host's directory for the user before anything is rotated: while it does not answer, the token must stay
    /// good, for however long that is. Without a directory nothing is read here.
    async fn recheck_directory(&self, request: &TokenRequest<'_>) -> Result<Option<User>, TokenError> {
        let account = request.idp.account();
        if !account.has_directory() {
            return Ok(None);
        }
        let found = {
            let mut reader = request.idp.db().read();
            refresh_tokens::with_grant(&mut reader.tx(), &self.token.hash(), self.now)
                .await
                .map_err(Internal::from)?
        };
        let Some((_, GrantWithUser { user, .. })) = found else { return Ok(None) };
        let still = account.recheck_directory(user).await.map_err(Internal::from)?;
        still.map(Some).ok_or_else(gone)
    }

    async fn rotate(self, tx: &mut Tx<'_>) -> storage::Result<RefreshOutcome> {
        let hash = self.token.hash();
        let found = refresh_tokens::with_grant(tx, &hash, self.now).await?;
        let Some((mut token, GrantWithUser { grant, user, .. })) = found else {
            return Ok(RefreshOutcome::Refused(
                "unknown or expired, or its grant, user, session, client or redirect URI has ended",
            ));
        };
        if grant.issuer != self.issuer || grant.client != self.client {
            return Ok(RefreshOutcome::Refused("given to another client"));
        }
        let (scope, audience) = match self.narrowed(&grant) {
            Ok(narrowed) => narrowed,
            Err(error) => return Ok(RefreshOutcome::ScopeExceeded(error)),
        };
        if token.state == RefreshState::Fresh {
            if refresh_tokens::claim(tx, &hash, self.salt.expose(), self.now).await? {
                let successor = secret::successor(self.token.expose(), self.salt.expose());
                // A family whose last token could be used can be refreshed.
                let expiry = grant.refresh_token_expiry(self.now).unwrap_or(self.now);
                refresh_tokens::queue_insert(tx, &successor.hash(), &grant.id, expiry)?;
                return Ok(RefreshOutcome::Rotated(Box::new(RotatedToken {
                    grant,
                    user,
                    scope,
                    audience,
                    successor,
                })));
            }
            // Lost the race: re-read the row that the winner updated.
            match refresh_tokens::by_hash(tx, &hash, self.now).await? {
                Some(spent) => token = spent,
                None => return Ok(RefreshOutcome::Refused("unknown or expired")),
            }
        }
        match token.state {
            RefreshState::Used { at, salt } if at.is_recent(self.now, GRACE) => {
                let successor = secret::successor(self.token.expose(), &salt);
                Ok(RefreshOutcome::Rotated(Box::new(RotatedToken {
                    grant,
                    user,
                    scope,
                    audience,
                    successor,
                })))
            }
            _ => {
                // Before the entry: the observer's line belongs to the login.
                trace::login(&grant.id);
                grants::revoke(tx, &grant.id, self.now).await?;
                let (issuer, client) = (self.issuer, self.client);
                let event = Event::RefreshTokenReused { issuer, client: client.clone() };
                let entry = Entry::new(self.now, Actor::Client(client), event);
                audit::record(tx, entry.of_tenant(&user.tenant).of_grant(&grant.id))?;
                Ok(RefreshOutcome::Reused)
            }
        }
    }

    /// What the new tokens are for. Looked at before the token is used up, so that a mistake costs nothing.
    fn narrowed(&self, grant: &grant::Grant) -> Result<(Scope, Audience), OAuthError> {
        let grown = || OAuthError::new(ErrorCode::InvalidScope, "the scope was not granted");
        let scope = self.scope(grant).ok_or_else(grown)?;
        let audience = self.target.narrowed(&grant.audience, &scope)?;
        Ok((scope, audience))
    }

    /// The scope of the new tokens: what is asked for, or all that was granted, as far as the registration still goes.
    /// `None` if more is asked for than was granted (RFC 6749 §6).
    fn scope(&self, grant: &grant::Grant) -> Option<Scope> {
        let granted = match &self.registered {
            Some(registered) => grant.scope.intersection(registered),
            None => grant.scope.clone(),
        };
        match &self.scope {
            None => Some(granted),
            Some(asked) => asked.is_subset(&grant.scope).then(|| asked.intersection(&granted)),
        }
    }
}
