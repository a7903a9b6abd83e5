//! A login in progress: what was asked for, in which browser, and what is known so far.

use serde::{Deserialize, Serialize};

use super::fact::Facts;
use super::ids::{AuthenticatorId, Hash, InteractionId, IssuerId, SessionId, TenantId, UserId};
use super::locale::Locale;
use super::request::AuthorizationRequest;
use super::time::Time;

/// One login, from the authorization request to its answer. Whoever removes it, and nobody else, may answer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Interaction {
    /// Stands in the page addresses.
    pub id: InteractionId,
    /// Where.
    pub issuer: IssuerId,
    /// What the client asked for.
    pub request: AuthorizationRequest,
    /// The hash of the cookie of the one browser that may go on; `None` before the first page was shown.
    #[serde(skip)]
    pub browser: Option<Hash>,
    /// The tenant, once it is fixed by the issuer or was typed.
    pub tenant: Option<TenantId>,
    /// Who signs in, once a first factor or a session said so.
    pub user: Option<UserId>,
    /// The browser session that this login builds on.
    pub session: Option<SessionId>,
    /// What was proved or answered in this login; the session's facts are not repeated.
    pub facts: Facts,
    /// The authenticator that is being enrolled.
    pub enrolment: Option<AuthenticatorId>,
    /// The language the user chose on a page.
    pub locale: Option<Locale>,
    /// When the authorization request arrived.
    pub requested_at: Time,
    /// When the login is given up.
    pub expires_at: Time,
    /// Raised by every change, so that of two tabs the second learns that it is late.
    #[serde(skip)]
    pub version: i64,
}
