//! The public keys of clients: registered inline, or published by the client at its `jwks_uri`.
//!
//! A published set is fetched when it is needed, cached, and fetched again when it is five minutes old or when a
//! signature names an unknown `kid` (OpenID Connect Core §10.1.1). Everyone who knows a `client_id` can name an unknown
//! `kid`, so there is at most one fetch per client in half a minute, whatever its outcome, and one at a time. A fetch
//! continues if its caller is dropped; requests with a known `kid` do not wait for it. If a set can no longer be
//! fetched, it is used for an hour, so that a client's outage does not stop its users at once; longer would keep a
//! stolen key valid that the client has removed.
//!
//! Why memory and not rows: each node can fetch the set itself, and nothing is lost on a restart.

use std::sync::Arc;

use url::Url;

use super::Idp;
use super::published_keys::ClientKeysError;
use crate::crypto::jwt::VerifyingKey;
use crate::domain::client::{Client, ClientAuthentication, ClientKeys};

/// Maximum size of a set in bytes; sixteen keys with certificates are smaller.
const LIMIT: usize = 64 * 1024;

impl Idp {
    /// The keys that may have made a signature of this client that names `kid`.
    pub(crate) async fn client_keys(
        &self,
        client: &Client,
        kid: Option<&str>,
    ) -> Result<Arc<Vec<VerifyingKey>>, ClientKeysError> {
        match &client.authentication {
            ClientAuthentication::PrivateKeyJwt(ClientKeys::Inline(set)) => {
                Ok(Arc::new(VerifyingKey::from_set(set)?))
            }
            ClientAuthentication::PrivateKeyJwt(ClientKeys::At(address)) => {
                self.published_keys_of(client, address, kid).await
            }
            _ => Err(ClientKeysError::None),
        }
    }

    async fn published_keys_of(
        &self,
        client: &Client,
        address: &str,
        kid: Option<&str>,
    ) -> Result<Arc<Vec<VerifyingKey>>, ClientKeysError> {
        let key = (client.issuer.clone(), client.id.clone());
        let slot = self.parts().published_keys.of(&key)?;
        if let Some(answer) = slot.answer(address, kid, self.now()) {
            return answer;
        }
        // A task of its own: if the caller is dropped or no longer polled, the fetch neither stops (the next one could
        // begin at once) nor keeps the lock from those that wait for it.
        let (idp, address, kid) = (self.clone(), address.to_owned(), kid.map(str::to_owned));
        let fetch = tokio::spawn(async move {
            let _turn = slot.fetching.lock().await;
            if let Some(answer) = slot.answer(&address, kid.as_deref(), idp.now()) {
                return answer;
            }
            let asked_at = idp.now();
            let fetched = idp.fetch_keys(&address).await;
            slot.note(address, asked_at, fetched)
        });
        fetch.await.unwrap_or_else(|error| Err(ClientKeysError::NotFetched(error.to_string())))
    }

    async fn fetch_keys(&self, address: &str) -> Result<Vec<VerifyingKey>, ClientKeysError> {
        let failed = |error: &dyn std::fmt::Display| ClientKeysError::NotFetched(error.to_string());
        let url = Url::parse(address).map_err(|error| failed(&error))?;
        let set = self.outbound().get_json(&url, LIMIT).await.map_err(|error| failed(&error))?;
        Ok(VerifyingKey::from_published(&set)?)
    }
}
