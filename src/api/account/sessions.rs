//! `/api/account/sessions`: where the user is signed in, and the ways to end that.

use axum::Json;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode, Uri};
use serde::{Deserialize, Serialize};

use crate::account;
use crate::api::error::ApiError;
use crate::audit;
use crate::domain::audit::{Actor, Origin};
use crate::domain::event::Event;
use crate::domain::ids::{ClientId, SessionId};
use crate::domain::scope::ACCOUNT_SESSIONS;
use crate::domain::session::Session;
use crate::domain::time::Time;
use crate::domain::user::User;
use crate::domain::user_agent;
use crate::http::{ClientAddress, CurrentIssuer};
use crate::protocol::bearer::{self, Caller};
use crate::provider::Idp;

/// One session.
#[derive(Debug, Serialize)]
pub(super) struct Entry {
    /// The value of `sid` in the ID tokens that it gave.
    id: SessionId,
    /// Is it the one in which the caller's token was given?
    current: bool,
    /// Where it is. `None`: the issuer has been taken away since.
    issuer: Option<String>,
    /// Seconds since 1970, as everywhere below.
    created_at: Time,
    /// When an application was last signed in with it.
    last_used_at: Time,
    /// When it ends in any case.
    expires_at: Time,
    /// The browser's family, as far as it is known.
    browser: Option<&'static str>,
    /// The network it was signed in from: an IPv4 address, or the first half of an IPv6 address.
    address: Option<String>,
    /// The applications that were signed in with it.
    applications: Vec<Application>,
}

/// An application that was signed in.
#[derive(Debug, Serialize)]
struct Application {
    client_id: ClientId,
    client_name: String,
}

/// The answer of the list.
#[derive(Debug, Serialize)]
pub(super) struct List {
    /// The one used last first.
    sessions: Vec<Entry>,
}

/// The answer to ending many.
#[derive(Debug, Serialize)]
pub(super) struct Ended {
    /// How many sessions were ended.
    ended: u64,
}

/// `GET`: every session of the user, at whichever issuer.
pub(super) async fn list(
    State(idp): State<Idp>,
    current: CurrentIssuer,
    uri: Uri,
    headers: HeaderMap,
) -> Result<Json<List>, ApiError> {
    let caller = bearer::caller(&idp, &current.issuer, &uri, &headers, ACCOUNT_SESSIONS).await?;
    let mut sessions = Vec::new();
    for session in idp.account().sessions(&caller.user).await? {
        sessions.push(entry(&idp, session, &caller).await?);
    }
    Ok(Json(List { sessions }))
}

async fn entry(idp: &Idp, session: Session, caller: &Caller) -> Result<Entry, ApiError> {
    let mut applications = Vec::new();
    for client_id in session.clients {
        // One that was removed since has nothing left to end.
        if let Some(client) = idp.catalogue().client(&session.issuer, &client_id).await? {
            applications.push(Application { client_id, client_name: client.name().to_owned() });
        }
    }
    let issuer = idp.catalogue().issuer_by_id(&session.issuer).await?;
    Ok(Entry {
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

/// `DELETE` of one: it ends with everything that it gave, also what should have outlived it.
pub(super) async fn end(
    State(idp): State<Idp>,
    current: CurrentIssuer,
    Path(path): Path<Named>,
    address: ClientAddress,
    uri: Uri,
    headers: HeaderMap,
) -> Result<StatusCode, ApiError> {
    let Caller { user, .. } = bearer::caller(&idp, &current.issuer, &uri, &headers, ACCOUNT_SESSIONS).await?;
    let session = SessionId::named(&path.id).ok_or(ApiError::Absent)?;
    let (owner, now) = (user.id.clone(), idp.now());
    let entry = sessions_ended(&idp, &current, user, address.network());
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
    if !ended.await? {
        return Err(ApiError::Absent);
    }
    Ok(StatusCode::NO_CONTENT)
}

/// The part of the address that names a session; a tenant's issuer has its domain in front.
#[derive(Debug, Deserialize)]
pub(super) struct Named {
    id: String,
}

/// `DELETE` of all: signs the user out everywhere; with `?keep=current` everywhere else.
pub(super) async fn end_all(
    State(idp): State<Idp>,
    current: CurrentIssuer,
    address: ClientAddress,
    uri: Uri,
    headers: HeaderMap,
) -> Result<Json<Ended>, ApiError> {
    let caller = bearer::caller(&idp, &current.issuer, &uri, &headers, ACCOUNT_SESSIONS).await?;
    let keep = match uri.query().filter(|query| !query.is_empty()) {
        None => None,
        Some("keep=current") => Some(caller.grant.session),
        Some(_) => return Err(ApiError::Malformed("the only parameter is keep=current")),
    };
    let owner = caller.user.id.clone();
    let entry = sessions_ended(&idp, &current, caller.user, address.network());
    let ended = idp.db().write(move |tx| {
        let (owner, keep, entry) = (owner.clone(), keep.clone(), entry.clone());
        Box::pin(async move {
            let ended = account::sessions::end_all(tx, &owner, keep.as_ref()).await?;
            audit::record(tx, entry(ended))?;
            Ok(ended)
        })
    });
    Ok(Json(Ended { ended: ended.await? }))
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
