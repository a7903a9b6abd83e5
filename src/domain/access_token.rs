//! The content of an access token (RFC 9068 §2.2).

use serde::{Deserialize, Serialize};

use super::acr::Acr;
use super::audience::Audience;
use super::epoch::Epoch;
use super::grant::Grant;
use super::ids::{ClientId, GrantId};
use super::own_scopes::AccessTokenTyp;
use super::scope::Scope;
use super::time::Time;

/// The claims of an access token, independent of its format.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct AccessToken {
    pub(crate) iss: String,
    pub(crate) sub: String,
    /// The APIs it is for; for UserInfo the provider itself is one.
    pub(crate) aud: Audience,
    pub(crate) client_id: ClientId,
    pub(crate) iat: Time,
    pub(crate) exp: Time,
    pub(crate) jti: String,
    pub(crate) scope: Scope,
    /// Own claim: the sum of the epochs of the client and its tenant in a client's own token.
    #[serde(default, skip_serializing_if = "super::is_default")]
    pub(crate) epoch: Epoch,
    /// The `typ` of its header, if it is a JWT.
    #[serde(skip)]
    pub(crate) typ: AccessTokenTyp,
    /// Present if it was issued for a user.
    #[serde(flatten)]
    pub(crate) login: Option<TokenLogin>,
}

/// The login behind a token issued for a user.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct TokenLogin {
    pub(crate) auth_time: Time,
    pub(crate) acr: Acr,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) amr: Vec<String>,
    /// Own claim: the grant, so that one read shows whether it is still active.
    pub(crate) grant: GrantId,
}

impl AccessToken {
    /// Returns whether it has been issued and has not expired.
    pub(crate) fn is_current(&self, now: Time) -> bool {
        (self.iat..self.exp).contains(&now)
    }
}

impl From<&Grant> for TokenLogin {
    fn from(grant: &Grant) -> Self {
        Self {
            auth_time: grant.context.auth_time,
            acr: grant.context.acr,
            amr: grant.context.amr.clone(),
            grant: grant.id.clone(),
        }
    }
}
