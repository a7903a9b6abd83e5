//! The code at the end of a login, and the grant that it stands for.

use std::time::Duration;

use crate::crypto::secret::Secret;
use crate::domain::acr::AuthContext;
use crate::domain::client::GrantType;
use crate::domain::epoch::Epoch;
use crate::domain::grant::{Grant, IssuedCode};
use crate::domain::ids::{GrantId, SessionId, UserId};
use crate::domain::scope::OFFLINE_ACCESS;
use crate::domain::settings::Settings;
use crate::domain::time::Time;
use crate::protocol::authorize::Validated;
use crate::storage::{self, Tx, codes, grants};

/// The result of a login, from which its grant is made.
#[derive(Clone, Debug)]
pub(crate) struct CompletedLogin {
    /// What its grant will be called.
    pub(crate) grant: GrantId,
    /// Who signed in.
    pub(crate) user: UserId,
    /// In which browser session.
    pub(crate) session: SessionId,
    /// Of the user, the user's tenant, the client and the client's tenant.
    pub(crate) epoch: Epoch,
    /// The session's idle time.
    pub(crate) session_idle: Duration,
    /// When it ends in any case.
    pub(crate) session_ends: Time,
    /// What was proved.
    pub(crate) context: AuthContext,
}

/// A code that was made but not written yet: a writing closure may run twice, randomness must not.
#[derive(Clone, Debug)]
pub(crate) struct NewCode {
    secret: Secret,
    code: IssuedCode,
    grant: Grant,
}

/// Makes a code for a request that the user has allowed.
pub(crate) fn issue_code(
    settings: &Settings,
    validated: &Validated,
    login: CompletedLogin,
    now: Time,
) -> NewCode {
    let request = validated.request();
    let secret = Secret::generate();
    let expires_at = now.plus(settings.code_lifetime);
    let refreshing = Refreshing::of(validated, &login, now);
    let metadata = &validated.client().metadata;
    let grant = Grant {
        id: login.grant,
        issuer: request.issuer.clone(),
        client: request.client.clone(),
        user: login.user,
        session: login.session,
        epoch: login.epoch,
        scope: request.scope.clone(),
        audience: request.resource.clone(),
        claims: request.claims.clone(),
        context: login.context,
        created_at: now,
        expires_at: match &refreshing {
            Some(refreshing) => refreshing.until,
            None => expires_at.plus(metadata.access_token_lifetime()),
        },
        refresh_idle: refreshing.map(|refreshing| refreshing.idle),
    };
    let code = IssuedCode {
        hash: secret.hash(),
        grant: grant.id.clone(),
        redirect_uri: request.redirect_uri.clone(),
        code_challenge: request.code_challenge.clone(),
        nonce: request.nonce.clone(),
        expires_at,
    };
    NewCode { secret, code, grant }
}

/// How long a grant can be refreshed.
struct Refreshing {
    idle: Duration,
    until: Time,
}

impl Refreshing {
    /// With `offline_access` as the client's registration says (OpenID Connect Core §11). Without it the
    /// refresh token ends with the session and has its idle time and expiry.
    fn of(validated: &Validated, login: &CompletedLogin, now: Time) -> Option<Self> {
        let metadata = &validated.client().metadata;
        if !metadata.may_use(GrantType::RefreshToken) {
            return None;
        }
        let limit = now.plus(metadata.refresh_token_lifetime());
        Some(if validated.request().scope.contains(OFFLINE_ACCESS) {
            Self { idle: metadata.refresh_token_idle(), until: limit }
        } else {
            Self { idle: login.session_idle, until: limit.min(login.session_ends) }
        })
    }
}

impl NewCode {
    /// Queues grant and code, as part of the transaction that ends the login.
    pub(crate) fn queue_insert(&self, tx: &mut Tx<'_>) -> Result<(), storage::Error> {
        grants::queue_insert(tx, &self.grant)?;
        codes::queue_insert(tx, &self.code)
    }

    /// The value of `code`, for the client alone.
    pub(crate) fn value(&self) -> &str {
        self.secret.expose()
    }
}
