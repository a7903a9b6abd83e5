//! What an access token says (RFC 9068 §2.2).

use serde::{Deserialize, Serialize};

use super::acr::Acr;
use super::audience::Audience;
use super::epoch::Epoch;
use super::grant::Grant;
use super::ids::{ClientId, GrantId};
use super::own_scopes::AccessTokenTyp;
use super::scope::Scope;
use super::time::Time;

/// The claims of an access token, whatever form it has on the wire.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct AccessToken {
    pub(crate) iss: String,
    pub(crate) sub: String,
    /// The APIs that it opens; the provider itself is one, for UserInfo.
    pub(crate) aud: Audience,
    pub(crate) client_id: ClientId,
    pub(crate) iat: Time,
    pub(crate) exp: Time,
    pub(crate) jti: String,
    pub(crate) scope: Scope,
    /// Ours: where it speaks for the client itself, the epoch of the client and its tenant.
    #[serde(default, skip_serializing_if = "super::is_default")]
    pub(crate) epoch: Epoch,
    /// The `typ` of its header, where it is a JWT.
    #[serde(skip)]
    pub(crate) typ: AccessTokenTyp,
    /// Only where it speaks for a user.
    #[serde(flatten)]
    pub(crate) login: Option<Login>,
}

/// The login behind a user's token.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Login {
    pub(crate) auth_time: Time,
    pub(crate) acr: Acr,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) amr: Vec<String>,
    /// Ours: the grant it stands on, so that one read tells whether it still stands.
    pub(crate) grant: GrantId,
}

impl AccessToken {
    /// Has it been issued, and not expired?
    pub(crate) fn is_current(&self, now: Time) -> bool {
        (self.iat..self.exp).contains(&now)
    }
}

impl From<&Grant> for Login {
    fn from(grant: &Grant) -> Self {
        Self {
            auth_time: grant.context.auth_time,
            acr: grant.context.acr,
            amr: grant.context.amr.clone(),
            grant: grant.id.clone(),
        }
    }
}
