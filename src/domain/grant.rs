//! A grant: the authorization that one login gave one client. Every token issued from it belongs to its family.

use std::time::Duration;

use super::acr::AuthContext;
use super::audience::Audience;
use super::claims::ClaimsRequest;
use super::epoch::Epoch;
use super::ids::{ClientId, GrantId, Hash, IssuerId, SessionId, UserId};
use super::scope::Scope;
use super::time::Time;

/// The authorization of a client by a user. Tokens refer to their grant; revoking the grant ends them all.
#[derive(Clone, Debug, PartialEq)]
pub struct Grant {
    /// Its id.
    pub id: GrantId,
    /// The issuer at which it was given.
    pub issuer: IssuerId,
    /// The authorized client.
    pub client: ClientId,
    /// The user who gave it.
    pub user: UserId,
    /// The browser session in which it was given.
    pub session: SessionId,
    /// The sum of the epochs of user, user's tenant, client and client's tenant.
    pub epoch: Epoch,
    /// The granted scopes.
    pub scope: Scope,
    /// The APIs, besides the provider itself.
    pub audience: Audience,
    /// The claims requested individually.
    pub claims: ClaimsRequest,
    /// The authentication context of the login.
    pub context: AuthContext,
    /// The time of its creation.
    pub created_at: Time,
    /// The time after which nothing issued from it is valid: the lifetimes of code and access token together, or the
    /// end of refreshing.
    pub expires_at: Time,
    /// The idle lifetime of a refresh token; `None`: the grant has none.
    pub refresh_idle: Option<Duration>,
}

impl Grant {
    /// The expiry of a refresh token issued now if it is not used; `None` if the grant has none.
    pub fn refresh_token_expiry(&self, now: Time) -> Option<Time> {
        self.refresh_idle.map(|idle| now.plus(idle).min(self.expires_at))
    }
}

/// An opaque access token as stored; its value is only known to the client.
#[derive(Clone, Debug, PartialEq)]
pub struct OpaqueToken {
    /// The hash of the value.
    pub hash: Hash,
    /// Its public identifier.
    pub jti: String,
    /// The issuer.
    pub issuer: IssuerId,
    /// The client that it was issued to.
    pub client: ClientId,
    /// Its grant; `None` for the client's own token (RFC 6749 §4.4).
    pub grant: Option<GrantId>,
    /// The sum of the epochs of client and client's tenant for a client's own token; otherwise the grant's epoch is
    /// used.
    pub epoch: Epoch,
    /// The value of `sub`.
    pub subject: String,
    /// The scopes of the token.
    pub scope: Scope,
    /// The APIs that it is for.
    pub audience: Audience,
    /// The time of issue.
    pub issued_at: Time,
    /// The time of expiry.
    pub expires_at: Time,
}

/// An authorization code as stored (RFC 6749 §4.1.2); its value is only known to the client.
#[derive(Clone, Debug, PartialEq)]
pub struct IssuedCode {
    /// The hash of the value.
    pub hash: Hash,
    /// The grant that it gives access to.
    pub grant: GrantId,
    /// The request's `redirect_uri`, which the token request must repeat.
    pub redirect_uri: String,
    /// The request's PKCE challenge, if it had one.
    pub code_challenge: Option<String>,
    /// The request's `nonce`, for the ID token.
    pub nonce: Option<String>,
    /// The time of expiry.
    pub expires_at: Time,
}

/// A refresh token as stored; its value is only known to the client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RefreshToken {
    /// The hash of the value.
    pub hash: Hash,
    /// The grant, which identifies its family.
    pub grant: GrantId,
    /// The time of expiry.
    pub expires_at: Time,
    /// Whether it was used.
    pub state: RefreshState,
}

/// Whether a refresh token was used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RefreshState {
    /// Unused; the last of its family.
    Fresh,
    /// Used; it has a successor.
    Used {
        /// The time of use.
        at: Time,
        /// The salt from which, with the token's own value, the successor is derived.
        salt: String,
    },
}
