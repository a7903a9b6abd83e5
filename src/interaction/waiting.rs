//! Login requests whose user is not known yet. Anyone can send any number of them without an account, so until a first
//! factor is proved each has a size limit, each network a cap, and all of them a cap together.
//!
//! - **A row has 1 KiB.** The long parts of a request (`state`, `claims`) may be longer. Such a request is sealed for its
//!   row and carried by the browser in the addresses of its pages, and stored when a first factor is proved or the browser
//!   leaves for an upstream provider, which sends nothing of ours back but a `state`. A pushed request is stored already
//!   and is not carried.
//! - **A network has [`OF_NETWORK`] of them**, counted by the insert itself over the rows of that network: no request
//!   writes anything but its row. Further ones are answered 429 on a page, never by a redirect to the client, which would
//!   only send the browser here again; a pushed request is not used up by that. A browser that has some waiting replaces its
//!   oldest, so reloading does not shut a user out. A browser with a session is not counted: its user is known.
//! - **All networks together have [`WAITING`]**: beyond that the oldest go, since an attacker with many addresses must not
//!   fill the disk, nor shut everybody out by filling a cap.

use std::sync::Arc;

use axum::http::StatusCode;
use axum::response::Response;
use futures_util::FutureExt;

use super::finish::Outcome;
use super::login::{Due, Login};
use super::visitor::{PageRequest, retry_after};
use crate::domain::ids::{Hash, InteractionId};
use crate::domain::interaction::Interaction;
use crate::domain::request::AuthorizationRequest;
use crate::protocol::authorize::respond::with_query;
use crate::provider::Internal;
use crate::storage::interactions::{OF_NETWORK, WAITING};
use crate::storage::{self, interactions};
use crate::views::{Body, Refusal, Refused};

/// The parameter of a page's address that carries the request.
const CARRIED: &str = "carried";
/// How many rows one trim removes at most: more than come between two.
const TRIM: i64 = 256;
/// Seconds until a network may try again.
const PAUSE: i64 = 60;

/// Makes a new login, of a user who is not known, count in its network, and its row small.
pub(super) fn begin(login: &mut Login) -> Result<(), Internal> {
    if login.person.is_some() {
        return Ok(());
    }
    // Where the host does not tell addresses, each request is a network of its own and counts in the whole alone.
    let network = login.visitor.network.as_deref().unwrap_or_else(|| login.interaction.id.as_str());
    login.interaction.network = Some(login.idp().sealer().keyed_hash("waiting requests", network));
    if login.validated.pushed().is_none() && !interactions::fits(&login.interaction)? {
        let plain = serde_json::to_vec(login.request()).map_err(storage::Error::encoding)?;
        let sealed = login.idp().sealer().seal(&plain, &row(&login.interaction.id))?;
        login.interaction.carried = true;
        login.carried = Some(Arc::from(sealed));
    }
    Ok(())
}

/// Stores the request whole and stops counting it in its network: the first factor is proved.
pub(super) fn end(login: &mut Login) {
    login.interaction.network = None;
    login.interaction.carried = false;
    login.carried = None;
}

/// The row with the whole request, where the browser carries it now; it still counts in its network.
pub(super) fn whole(login: &Login) -> Option<Interaction> {
    let whole = Interaction { carried: false, ..(*login.interaction).clone() };
    login.interaction.carried.then_some(whole)
}

/// What the address of this request's page carries.
pub(super) fn carried_by(visitor: &PageRequest) -> Option<String> {
    let query = visitor.uri.query().unwrap_or_default();
    let mut pairs = url::form_urlencoded::parse(query.as_bytes());
    pairs.find(|(name, _)| name == CARRIED).map(|(_, value)| value.into_owned())
}

/// The request in it, if it was sealed for this login.
pub(super) fn open(visitor: &PageRequest, id: &InteractionId, sealed: &str) -> Option<AuthorizationRequest> {
    let plain = visitor.idp.sealer().open(sealed, &row(id)).ok()?;
    serde_json::from_slice(&plain).ok()
}

/// The address, with what it has to carry.
pub(super) fn carrying(address: String, sealed: Option<&str>) -> String {
    match sealed {
        Some(sealed) => with_query(&address, [(CARRIED, sealed.to_owned())]),
        None => address,
    }
}

/// Stores a new login; `Err`: its network has too many.
pub(super) async fn store(login: Login) -> Result<Result<(Login, Outcome), Box<Response>>, Internal> {
    let asks = matches!(login.next(), Due::Ask(_));
    let Some(network) = login.interaction.network.clone().filter(|_| asks) else {
        return Ok(Ok(login.store().await?));
    };
    if !is_known_full(&login, &network) {
        let (login, end) = login.clone().store().await?;
        if !matches!(end, Outcome::Conflict) || !found_full(&login, &network).await? {
            stored(&login).await?;
            return Ok(Ok((login, end)));
        }
    }
    match in_place_of_own(&login, &network).await? {
        Some(stored) => Ok(Ok(stored)),
        None => Ok(Err(Box::new(refused(&login.visitor)))),
    }
}

/// Was the network of this login found full a moment ago?
pub(super) fn is_known_full(login: &Login, network: &Hash) -> bool {
    login.idp().limits().full_networks.wait(network, login.idp().unix_millis()).is_some()
}

/// Is a login that could not be stored one too many of its network? If not, its pushed request was used up meanwhile.
pub(super) async fn found_full(login: &Login, network: &Hash) -> Result<bool, Internal> {
    let full = interactions::is_full(&mut login.idp().db().read().tx(), network, login.now).await?;
    if full {
        login.idp().limits().full_networks.count(network, login.idp().unix_millis());
    }
    Ok(full)
}

/// Stores it in place of the oldest that waits in this browser.
async fn in_place_of_own(login: &Login, network: &Hash) -> Result<Option<(Login, Outcome)>, Internal> {
    let Some(browser) = login.visitor.browser() else { return Ok(None) };
    let (begun, network) = (login.clone(), network.clone());
    let written = login.idp().db().write(move |tx| {
        let (login, network, browser) = (begun.clone(), network.clone(), browser.clone());
        async move {
            if !interactions::make_room(tx, &network, &browser).await? {
                return Ok(None);
            }
            login.advance(tx).await.map(Some)
        }
        .boxed()
    });
    match written.await {
        Err(storage::Error::Conflict) => Ok(None),
        written => Ok(written?),
    }
}

/// Counts a login that was stored; from time to time the oldest of all that wait are removed.
pub(super) async fn stored(login: &Login) -> Result<(), Internal> {
    if login.idp().limits().count_waiting_request() {
        let trim = login.idp().db().write(|tx| Box::pin(interactions::trim(tx, WAITING, TRIM)));
        let removed = trim.await?;
        if removed > 0 {
            tracing::warn!(removed, most = WAITING, "login requests that waited for an answer were removed");
        }
    }
    Ok(())
}

/// Too many of the network wait.
pub(super) fn refused(visitor: &PageRequest) -> Response {
    let network = visitor.network.as_deref().unwrap_or("unknown");
    let hint = format!(
        "{OF_NETWORK} login requests of {network} wait for an answer; if that is a reverse proxy, set trusted_proxies"
    );
    let reference = Some(visitor.refuse("too_many_requests_waiting", Some(hint)));
    let refused = Refused { refusal: Refusal::TooManyWaiting, detail: None, reference, back: None };
    retry_after(visitor.notice(StatusCode::TOO_MANY_REQUESTS, Body::Refused(refused)), PAUSE)
}

fn row(id: &InteractionId) -> String {
    format!("interactions/{id}/request")
}
