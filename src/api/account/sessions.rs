//! `/api/account/sessions`: where the user is signed in, and the ways to end that.

use axum::extract::{Path, State};
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};

use crate::account;
use crate::api::error::ApiError;
use crate::api::guard::Authorized;
use crate::api::json::ApiJson;
use crate::api::query::ApiQuery;
use crate::audit;
use crate::domain::audit::{Actor, Origin};
use crate::domain::event::Event;
use crate::domain::ids::{ClientId, SessionId};
use crate::domain::session::Session;
use crate::domain::time::Time;
use crate::domain::user::User;
use crate::domain::user_agent;
use crate::http::{ClientAddress, CurrentIssuer};
use crate::protocol::bearer::Caller;
use crate::provider::{Idp, Internal};

/// A session of the user.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct SessionResource {
    /// The value of `sid` in the session's ID tokens.
    #[cfg_attr(test, schemars(with = "String"))]
    id: SessionId,
    /// Whether the caller's token comes from this session.
    current: bool,
    /// The issuer that the user is signed in at; null if it has been removed.
    issuer: Option<String>,
    /// When the user signed in, in seconds since 1970.
    #[cfg_attr(test, schemars(with = "i64"))]
    created_at: Time,
    /// When the session last signed the user in to an application, in seconds since 1970.
    #[cfg_attr(test, schemars(with = "i64"))]
    last_used_at: Time,
    /// When the session ends at the latest, in seconds since 1970.
    #[cfg_attr(test, schemars(with = "i64"))]
    expires_at: Time,
    /// The family of the browser; null if it is unknown.
    browser: Option<&'static str>,
    /// The network that the user signed in from: an IPv4 address, or the first half of an IPv6 address.
    address: Option<String>,
    /// The applications that the session signed the user in to.
    applications: Vec<SessionClient>,
}

/// An application that a session signed the user in to.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct SessionClient {
    /// The application's `client_id`.
    #[cfg_attr(test, schemars(with = "String"))]
    client_id: ClientId,
    /// The application's name.
    client_name: String,
}

/// The sessions of the user.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(in crate::api) struct SessionCollection {
    /// The session used last comes first.
    sessions: Vec<SessionResource>,
}

/// The outcome of ending several sessions.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(in crate::api) struct EndedSessions {
    /// The number of sessions that were ended.
    ended: u64,
}

/// `GET`: every session of the user, at every issuer.
pub(super) async fn list(
    State(idp): State<Idp>,
    Authorized(caller): Authorized,
) -> Result<ApiJson<SessionCollection>, ApiError> {
    let mut sessions = Vec::new();
    for session in idp.account().sessions(&caller.user).await.map_err(Internal::from)? {
        sessions.push(resource(&idp, session, &caller).await?);
    }
    Ok(ApiJson(SessionCollection { sessions }))
}

async fn resource(idp: &Idp, session: Session, caller: &Caller) -> Result<SessionResource, Internal> {
    let mut applications = Vec::new();
    for client_id in session.clients {
        // A removed client has nothing left to end.
        if let Some(client) = idp.catalogue().client(&session.issuer, &client_id).await? {
            applications.push(SessionClient { client_id, client_name: client.name().to_owned() });
        }
    }
    let issuer = idp.catalogue().issuer_by_id(&session.issuer).await?;
    Ok(SessionResource {
        current: session.id == caller.grant.session,
        id: session.id,
        issuer: issuer.map(|issuer| issuer.url.to_string()),
        created_at: session.created_at,
        last_used_at: session.used_at,
        expires_at: session.expires_at,
        browser: session.user_agent.as_deref().and_then(user_agent::browser),
        address: session.address,
        applications,
    })
}

/// `DELETE` of one: ends the session with everything that was issued in it, `offline_access` included.
pub(super) async fn end(
    State(idp): State<Idp>,
    Authorized(caller): Authorized,
    current: CurrentIssuer,
    Path(path): Path<SessionPath>,
    address: ClientAddress,
) -> Result<StatusCode, ApiError> {
    let session = SessionId::named(&path.id).ok_or(ApiError::NotFound)?;
    let (owner, now) = (caller.user.id.clone(), idp.now());
    let entry = sessions_ended(&idp, &current, caller.user.clone(), address.network());
    let ended = idp.db().write(move |tx| {
        let (owner, session) = (owner.clone(), session.clone());
        let entry = entry.clone();
        Box::pin(async move {
            let ended = account::sessions::end(tx, &owner, &session, now).await?;
            if ended {
                audit::record(tx, entry(1))?;
            }
            Ok(ended)
        })
    });
    if !ended.await.map_err(Internal::from)? {
        return Err(ApiError::NotFound);
    }
    Ok(StatusCode::NO_CONTENT)
}

/// The parameter of the path; below a tenant's issuer the path has another one before it.
#[derive(Debug, Deserialize)]
pub(super) struct SessionPath {
    id: String,
}

/// The parameters of ending several sessions.
#[derive(Debug, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(in crate::api) struct EndSessionsQuery {
    /// The session that is not ended; without it, all are.
    #[serde(default)]
    #[cfg_attr(test, schemars(with = "KeptSession"))]
    keep: Option<KeptSession>,
}

/// A session that is not ended.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
#[cfg_attr(test, derive(schemars::JsonSchema))]
enum KeptSession {
    /// The session that the caller's token comes from.
    Current,
}

/// `DELETE` of all: signs the user out everywhere; with `?keep=current` everywhere else.
pub(super) async fn end_all(
    State(idp): State<Idp>,
    Authorized(caller): Authorized,
    current: CurrentIssuer,
    address: ClientAddress,
    ApiQuery(query): ApiQuery<EndSessionsQuery>,
) -> Result<ApiJson<EndedSessions>, ApiError> {
    let keep = query.keep.map(|KeptSession::Current| caller.grant.session.clone());
    let owner = caller.user.id.clone();
    let entry = sessions_ended(&idp, &current, caller.user.clone(), address.network());
    let ended = idp.db().write(move |tx| {
        let (owner, keep, entry) = (owner.clone(), keep.clone(), entry.clone());
        Box::pin(async move {
            let ended = account::sessions::end_all(tx, &owner, keep.as_ref()).await?;
            audit::record(tx, entry(ended))?;
            Ok(ended)
        })
    });
    let ended = ended.await.map_err(Internal::from)?;
    Ok(ApiJson(EndedSessions { ended }))
}

/// Makes the audit entry for a number of sessions that their user has ended here.
fn sessions_ended(
    idp: &Idp,
    current: &CurrentIssuer,
    user: User,
    network: Option<String>,
) -> impl Fn(u64) -> audit::Entry + Clone + Send + Sync + 'static {
    let (now, issuer) = (idp.now(), current.issuer.id.clone());
    move |sessions| {
        let event = Event::SessionsEnded { user: user.id.clone(), sessions };
        let origin = Origin { issuer: Some(issuer.clone()), network: network.clone() };
        let entry = audit::Entry::new(now, Actor::User(user.id.clone()), event).of_tenant(&user.tenant);
        audit::Entry { origin, ..entry }
    }
}
