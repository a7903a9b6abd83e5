//! A grant: what one login gave one client, and the family of everything issued from it.

use std::time::Duration;

use super::acr::AuthContext;
use super::audience::Audience;
use super::claims::ClaimsRequest;
use super::epoch::Epoch;
use super::ids::{ClientId, GrantId, Hash, IssuerId, SessionId, UserId};
use super::scope::Scope;
use super::time::Time;

/// What was allowed. Tokens name their grant; ending the grant ends them all.
#[derive(Clone, Debug, PartialEq)]
pub struct Grant {
    /// Its row.
    pub id: GrantId,
    /// The issuer.
    pub issuer: IssuerId,
    /// To whom.
    pub client: ClientId,
    /// By whom.
    pub user: UserId,
    /// In which browser session.
    pub session: SessionId,
    /// Of user, user's tenant, client and client's tenant.
    pub epoch: Epoch,
    /// Which scopes.
    pub scope: Scope,
    /// For which APIs, beside the provider itself.
    pub audience: Audience,
    /// Which claims one by one.
    pub claims: ClaimsRequest,
    /// What the login had proved.
    pub context: AuthContext,
    /// When.
    pub created_at: Time,
    /// When the last thing that can be issued from it has died: the lifetimes of code and access token together, or
    /// for as long as it may be refreshed.
    pub expires_at: Time,
    /// How long a refresh token may lie unused; `None`: the grant has none.
    pub refresh_idle: Option<Duration>,
}

impl Grant {
    /// When a refresh token that is made now dies unused; `None` where there is none to make.
    pub fn refresh_token_expiry(&self, now: Time) -> Option<Time> {
        self.refresh_idle.map(|idle| now.plus(idle).min(self.expires_at))
    }
}

/// An opaque access token as stored: the value itself is only known to the client.
#[derive(Clone, Debug, PartialEq)]
pub struct OpaqueToken {
    /// The hash of the value.
    pub hash: Hash,
    /// Its name, which may be told.
    pub jti: String,
    /// Where it was issued.
    pub issuer: IssuerId,
    /// To whom.
    pub client: ClientId,
    /// What it stands on; `None`: it is the client's own (RFC 6749 §4.4).
    pub grant: Option<GrantId>,
    /// Of client and client's tenant, where it is the client's own; otherwise the grant's counts.
    pub epoch: Epoch,
    /// The value of `sub`.
    pub subject: String,
    /// Which scopes.
    pub scope: Scope,
    /// For which APIs.
    pub audience: Audience,
    /// When.
    pub issued_at: Time,
    /// When it dies.
    pub expires_at: Time,
}

/// An authorization code as stored (RFC 6749 §4.1.2): the value itself is only known to the client.
#[derive(Clone, Debug, PartialEq)]
pub struct Code {
    /// The hash of the value.
    pub hash: Hash,
    /// What it stands for.
    pub grant: GrantId,
    /// The request's `redirect_uri`, which the token request must repeat.
    pub redirect_uri: String,
    /// The request's PKCE challenge, if it had one.
    pub code_challenge: Option<String>,
    /// The request's `nonce`, for the ID token.
    pub nonce: Option<String>,
    /// When it dies unused.
    pub expires_at: Time,
}

/// A refresh token as stored; the value itself is only known to the client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RefreshToken {
    /// The hash of the value.
    pub hash: Hash,
    /// Its family.
    pub grant: GrantId,
    /// When it dies unused.
    pub expires_at: Time,
    /// Whether it was used.
    pub state: RefreshState,
}

/// Whether a refresh token was used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RefreshState {
    /// It is the last of its family.
    Fresh,
    /// It has a successor.
    Used {
        /// Since when.
        at: Time,
        /// What the successor is made of, together with the value of the token itself.
        salt: String,
    },
}
