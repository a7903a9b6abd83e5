//! `sub` and `sid`: how an issuer names a user, and his session, to a client (OpenID Connect Core §8). The one place
//! where they are made, and read.
//!
//! ID tokens, UserInfo, access tokens and introspection say the same, by the *client's* sector, even where an access
//! token is meant for another client's API. The client can read its token as well as the API can, so an API's own name for
//! the user, or the public one, would tell the client what it must not learn; and UserInfo has to agree with the ID token
//! (Core §5.3.2). The price is wanted: an API sees one user by as many names as he uses clients of different sectors, and
//! APIs that put their tokens together learn no more than those clients could (RFC 9068 §6). An API that must know its
//! users asks for clients with public names, or for a claim.
//!
//! `sid` goes the same way: one session's public id, given to clients of two sectors, would join what `sub` keeps apart.

use crate::crypto::pairwise::PairwiseKind;
use crate::domain::client::Client;
use crate::domain::ids::{SessionId, UserId};
use crate::provider::{Idp, Internal};

/// The user's name: the same for every client, or one for the client's sector.
pub(super) async fn of(idp: &Idp, client: &Client, user: &UserId) -> Result<String, Internal> {
    named(idp, client, PairwiseKind::User, user.as_str()).await
}

/// The session's name, likewise.
pub(super) async fn of_session(idp: &Idp, client: &Client, session: &SessionId) -> Result<String, Internal> {
    named(idp, client, PairwiseKind::Session, session.as_str()).await
}

/// The user that the client knows by this identifier, if any.
pub(super) async fn user(idp: &Idp, client: &Client, sub: &str) -> Result<Option<UserId>, Internal> {
    Ok(meant(idp, client, PairwiseKind::User, sub).await?.and_then(|id| UserId::named(&id)))
}

/// The session that the client knows by this name.
pub(super) async fn session(idp: &Idp, client: &Client, sid: &str) -> Result<Option<SessionId>, Internal> {
    Ok(meant(idp, client, PairwiseKind::Session, sid).await?.and_then(|id| SessionId::named(&id)))
}

async fn named(idp: &Idp, client: &Client, of: PairwiseKind, id: &str) -> Result<String, Internal> {
    match client.sector() {
        None => Ok(id.to_owned()),
        Some(sector) => {
            let name = idp.pairwise_key().await?.name(of, &sector, id);
            name.map_err(|error| Internal::fault(&error))
        }
    }
}

async fn meant(idp: &Idp, client: &Client, of: PairwiseKind, name: &str) -> Result<Option<String>, Internal> {
    match client.sector() {
        None => Ok(Some(name.to_owned())),
        Some(sector) => Ok(idp.pairwise_key().await?.id(of, &sector, name)),
    }
}
