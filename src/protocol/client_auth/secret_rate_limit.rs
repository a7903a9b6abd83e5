//! Rate limit for wrong client secrets.
//!
//! Wrong secrets are counted by client and network, so that a third party cannot lock the client out from elsewhere. While
//! the limit holds, secrets are not compared at all: a correct guess among the refused ones would otherwise succeed. A
//! host that serves without connection information has no limit, because one counter for all networks would let anybody
//! lock the client out; a secret has at least 32 characters. The answer reveals that a client exists, but its `client_id`
//! is in every browser's address bar anyway.

use crate::domain::client::Client;
use crate::domain::ids::{ClientId, IssuerId};
use crate::http::ClientAddress;
use crate::protocol::error::TokenError;
use crate::provider::Idp;

/// A client secret that is about to be compared.
pub(super) struct SecretAttempt<'a> {
    idp: &'a Idp,
    by: Option<(IssuerId, ClientId, String)>,
}

impl<'a> SecretAttempt<'a> {
    /// Refuses the attempt if the client had too many wrong secrets from this network.
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

    /// Counts a wrong secret.
    pub(super) fn was_wrong(&self) {
        if let Some(by) = &self.by {
            self.idp.limits().secret_guesses.count(by, self.idp.unix_millis());
        }
    }
}
