//! Session rows as the relying party sees them: opened, changed under their version, sealed again.
//!
//! The only file of the room that uses the store.

use super::content::SessionContent;
use super::{RelyingParty, RpError};
use crate::crypto::secret::{self, Secret};
use crate::domain::ids::{ClientId, Hash, SessionId, UserId};
use crate::domain::time::Time;
use crate::storage::Error as StoreError;
use crate::storage::rp_sessions::{self, RpSession};

/// The number of times a change is tried again after a concurrent one.
const RETRIES: usize = 16;

/// A session with its content.
pub(super) struct OpenedSession {
    pub(super) row: RpSession,
    pub(super) content: SessionContent,
}

/// What a logout ends: one session at the provider, or all of a user.
pub(super) enum LogoutScope {
    Session(SessionId),
    Subject(UserId),
}

impl RelyingParty {
    fn client_id(&self) -> ClientId {
        ClientId::new(self.registration.client_id.as_str())
    }

    /// The session with this cookie, whether a user is signed in or not.
    pub(super) async fn open(&self, cookie: &str) -> Result<Option<OpenedSession>, RpError> {
        let (cookie, client, now) = (secret::hash(cookie), self.client_id(), self.handle.clock.now());
        let row = {
            let mut reader = self.handle.db.read();
            rp_sessions::by_cookie(&mut reader.tx(), self.issuer(), &client, &cookie, now).await
        };
        let Some(row) = row.map_err(RpError::internal)? else { return Ok(None) };
        let content = self.handle.sealer.open(&row.sealed, &sealed_row(&row.cookie));
        let content = serde_json::from_slice(&content.map_err(RpError::internal)?);
        // A row of a version of the program that stored something else: the user signs in again.
        Ok(content.ok().map(|content| OpenedSession { row, content }))
    }

    /// Begins a session with this content; returns its cookie.
    pub(super) async fn insert(&self, content: &SessionContent, expires_at: Time) -> Result<Secret, RpError> {
        let cookie = Secret::generate();
        let row = RpSession {
            cookie: cookie.hash(),
            issuer: self.issuer().to_owned(),
            client: self.client_id(),
            sid: None,
            subject: None,
            sealed: self.seal(&cookie.hash(), content)?,
            expires_at,
            version: 0,
        };
        let inserted = self.handle.db.write(move |tx| {
            let row = row.clone();
            Box::pin(async move { rp_sessions::insert(tx, &row).await })
        });
        inserted.await.map_err(RpError::internal)?;
        Ok(cookie)
    }

    /// Changes a session. The change is made again on the newer version if another request changed the session meanwhile.
    /// It returns `None` if there is nothing to change.
    pub(super) async fn change<T>(
        &self,
        cookie: &str,
        change: impl Fn(&mut OpenedSession) -> Option<T>,
    ) -> Result<Option<T>, RpError> {
        for _ in 0..RETRIES {
            let Some(mut session) = self.open(cookie).await? else { return Ok(None) };
            let old = session.row.cookie.clone();
            let Some(outcome) = change(&mut session) else { return Ok(None) };
            if self.replace(old, session).await? {
                return Ok(Some(outcome));
            }
        }
        Err(RpError::internal(StoreError::Conflict))
    }

    /// Writes a changed session; `false` if it is no longer at this version.
    async fn replace(&self, old: Hash, session: OpenedSession) -> Result<bool, RpError> {
        let OpenedSession { mut row, content } = session;
        row.sealed = self.seal(&row.cookie, &content)?;
        let replaced = self.handle.db.write(move |tx| {
            let (old, row) = (old.clone(), row.clone());
            Box::pin(async move { rp_sessions::replace(tx, &old, &row).await })
        });
        replaced.await.map_err(RpError::internal)
    }

    /// Claims the refresh of the tokens of this version; of several at once, one gets `true`.
    pub(super) async fn claim_refresh(&self, row: &RpSession, until: Time) -> Result<bool, RpError> {
        let (cookie, version, now) = (row.cookie.clone(), row.version, self.handle.clock.now());
        let claimed = self.handle.db.write(move |tx| {
            let cookie = cookie.clone();
            Box::pin(async move { rp_sessions::claim_refresh(tx, &cookie, version, now, until).await })
        });
        claimed.await.map_err(RpError::internal)
    }

    /// Ends the session with this cookie; `false` if it has ended.
    pub(super) async fn end(&self, cookie: &str) -> Result<bool, RpError> {
        let cookie = secret::hash(cookie);
        let ended = self.handle.db.write(move |tx| {
            let cookie = cookie.clone();
            Box::pin(async move { rp_sessions::end(tx, &cookie).await })
        });
        ended.await.map_err(RpError::internal)
    }

    /// Ends the sessions that a logout token names, once for each `jti`; `None` if it was used before.
    pub(super) async fn log_out(
        &self,
        jti: &str,
        scope: LogoutScope,
        expires_at: Time,
    ) -> Result<Option<u64>, RpError> {
        let (issuer, client, jti) = (self.issuer().to_owned(), self.client_id(), secret::hash(jti));
        let scope = std::sync::Arc::new(scope);
        let ended = self.handle.db.write(move |tx| {
            let (issuer, client, jti, scope) = (issuer.clone(), client.clone(), jti.clone(), scope.clone());
            Box::pin(async move {
                if !rp_sessions::claim_logout_token(tx, &issuer, &client, &jti, expires_at).await? {
                    return Ok(None);
                }
                let ended = match scope.as_ref() {
                    LogoutScope::Session(sid) => rp_sessions::end_of_sid(tx, &issuer, &client, sid).await?,
                    LogoutScope::Subject(subject) => {
                        rp_sessions::end_of_subject(tx, &issuer, &client, subject).await?
                    }
                };
                Ok(Some(ended))
            })
        });
        ended.await.map_err(RpError::internal)
    }

    fn seal(&self, cookie: &Hash, content: &SessionContent) -> Result<String, RpError> {
        let plain = serde_json::to_vec(content).map(zeroize::Zeroizing::new);
        let plain = plain.map_err(|error| RpError::internal(StoreError::encoding(error)))?;
        self.handle.sealer.seal(&plain, &sealed_row(cookie)).map_err(RpError::internal)
    }
}

/// The row that sealed content is bound to.
fn sealed_row(cookie: &Hash) -> String {
    format!("rp_sessions/{cookie}")
}
