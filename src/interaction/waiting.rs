//! Login requests whose user is not known yet. Anyone can send any number of them without an account, so until a first
//! factor is proved each has a size limit, each network a cap, and all of them a cap together.
//!
//! - **A row has 1 KiB**: `login/carried.rs`.
//! - **A network has [`OF_NETWORK`] of them**, counted by the insert itself over the rows of that network: no request
//!   writes anything but its row. Further ones are answered 429 on a page, never by a redirect to the client, which would
//!   only send the browser here again; a pushed request is not used up by that. A browser that has some waiting replaces its
//!   oldest, so reloading does not shut a user out. A browser with a session is not counted: its user is known.
//! - **All networks together have [`WAITING`]**: beyond that the oldest go, since an attacker with many addresses must not
//!   fill the disk, nor shut everybody out by filling a cap.

use axum::http::StatusCode;
use axum::response::Response;
use futures_util::FutureExt;

use super::error_pages::retry_after;
use super::login::{Due, Login, Outcome};
use super::page_request::PageRequest;
use crate::domain::ids::Hash;
use crate::provider::Internal;
use crate::storage::interactions::{OF_NETWORK, WAITING};
use crate::storage::{self, interactions};
use crate::views::{Body, RefusalReason, RefusedView};

/// How many rows one trim removes at most: more than come between two.
const TRIM: i64 = 256;
/// Seconds until a network may try again.
const PAUSE: i64 = 60;

/// Stores a new login; `Err`: its network has too many.
pub(super) async fn store(login: Login) -> Result<Result<(Login, Outcome), Box<Response>>, Internal> {
    let asks = matches!(login.next(), Due::Ask(_));
    let Some(network) = login.interaction.network.clone().filter(|_| asks) else {
        return Ok(Ok(login.store().await?));
    };
    if !is_known_full(&login, &network) {
        let (login, outcome) = login.clone().store().await?;
        if !matches!(outcome, Outcome::Conflict) || !found_full(&login, &network).await? {
            stored(&login).await?;
            return Ok(Ok((login, outcome)));
        }
    }
    match in_place_of_own(&login, &network).await? {
        Some(stored) => Ok(Ok(stored)),
        None => Ok(Err(Box::new(refused(&login.page_request)))),
    }
}

/// Whether the network of this login was found full a moment ago.
pub(super) fn is_known_full(login: &Login, network: &Hash) -> bool {
    login.idp().limits().full_networks.wait(network, login.idp().unix_millis()).is_some()
}

/// Whether a login that could not be stored is one too many of its network; otherwise its pushed request was consumed.
pub(super) async fn found_full(login: &Login, network: &Hash) -> Result<bool, Internal> {
    let full = interactions::is_full(&mut login.idp().db().read().tx(), network, login.now).await?;
    if full {
        login.idp().limits().full_networks.count(network, login.idp().unix_millis());
    }
    Ok(full)
}

/// Stores it in place of the oldest that waits in this browser.
async fn in_place_of_own(login: &Login, network: &Hash) -> Result<Option<(Login, Outcome)>, Internal> {
    let Some(browser) = login.page_request.browser() else { return Ok(None) };
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
pub(super) fn refused(page_request: &PageRequest) -> Response {
    let network = page_request.network.as_deref().unwrap_or("unknown");
    let hint = format!(
        "{OF_NETWORK} login requests of {network} wait for an answer; if that is a reverse proxy, set trusted_proxies"
    );
    let reference = Some(page_request.refuse("too_many_requests_waiting", Some(hint)));
    let refused = RefusedView { refusal: RefusalReason::TooManyWaiting, detail: None, reference, back: None };
    retry_after(page_request.notice(StatusCode::TOO_MANY_REQUESTS, Body::Refused(refused)), PAUSE)
}
