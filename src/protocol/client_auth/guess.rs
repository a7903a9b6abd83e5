//! Whoever guesses at a client's secret is told to wait.
//!
//! Wrong secrets are counted by client and network, so a stranger elsewhere never keeps the client out; who must wait is
//! not looked at any more, or a right guess among the refused ones would still be one. Where a host application serves
//! without connection information nobody waits: one count for all would be a way to lock the client out, and a secret
//! has at least 32 characters. That a client exists may be seen by this; its `client_id` stands in every browser's address
//! bar anyway.

use crate::domain::client::Client;
use crate::domain::ids::{ClientId, IssuerId};
use crate::http::ClientAddress;
use crate::protocol::error::TokenError;
use crate::provider::Idp;

/// A secret that is about to be looked at.
pub(super) struct Guess<'a> {
    idp: &'a Idp,
    by: Option<(IssuerId, ClientId, String)>,
}

impl<'a> Guess<'a> {
    /// Refuses whoever was wrong too often.
    pub(super) fn begin(idp: &'a Idp, client: &Client, address: ClientAddress) -> Result<Self, TokenError> {
        let by = address.network().map(|network| (client.issuer.clone(), client.id.clone(), network));
        let limit = &idp.limits().secret_guesses;
        match by.as_ref().and_then(|by| limit.wait(by, idp.unix_millis())) {
            Some(retry_after) => {
                Err(TokenError::TooMany { what: "too many wrong secrets from this network", retry_after })
            }
            None => Ok(Self { idp, by }),
        }
    }

    /// Counts it.
    pub(super) fn was_wrong(&self) {
        if let Some(by) = &self.by {
            self.idp.limits().secret_guesses.count(by, self.idp.unix_millis());
        }
    }
}
