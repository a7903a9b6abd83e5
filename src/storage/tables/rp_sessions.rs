//! Sessions of the provider's own relying parties, and the logout tokens that they accepted.
//!
//! A row belongs to one relying party: an issuer and a `client_id` there. It exists from the moment a browser is sent to
//! sign in. Concurrent changes are ordered by `version`, an optimistic lock: [`replace`] succeeds once for each version.

use crate::domain::ids::{ClientId, Hash, SessionId, UserId};
use crate::domain::time::Time;
use crate::storage::core::error::Result;
use crate::storage::core::tx::Tx;

/// A browser's session at a relying party.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct RpSession {
    /// The hash of the cookie.
    pub cookie: Hash,
    /// The provider.
    pub issuer: String,
    /// The relying party.
    #[sqlx(rename = "client_id")]
    pub client: ClientId,
    /// The `sid` of the ID token, while a user is signed in.
    pub sid: Option<SessionId>,
    /// The `sub` of the ID token, while a user is signed in.
    pub subject: Option<UserId>,
    /// Tokens and pending sign-ins, sealed.
    pub sealed: String,
    /// The end of the session in any case.
    pub expires_at: Time,
    /// Raised by every change.
    pub version: i64,
}

/// Adds a session.
pub async fn insert(tx: &mut Tx<'_>, new: &RpSession) -> Result<()> {
    execute!(
        tx,
        "INSERT INTO rp_sessions (cookie, issuer, client_id, sid, subject, sealed, expires_at, version, refreshing_until)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 0)",
        &new.cookie,
        &new.issuer,
        &new.client,
        &new.sid,
        &new.subject,
        &new.sealed,
        new.expires_at,
        new.version,
    )?;
    Ok(())
}

/// The relying party's session with this cookie, unless it has ended or expired.
pub async fn by_cookie(
    tx: &mut Tx<'_>,
    issuer: &str,
    client: &ClientId,
    cookie: &Hash,
    now: Time,
) -> Result<Option<RpSession>> {
    Ok(on!(tx, conn => sqlx::query_as(
        "SELECT cookie, issuer, client_id, sid, subject, sealed, expires_at, version
         FROM rp_sessions WHERE cookie = $1 AND issuer = $2 AND client_id = $3 AND expires_at > $4")
        .bind(cookie).bind(issuer).bind(client).bind(now).fetch_optional(conn))?)
}

/// Writes the next version of a session, perhaps with a new cookie. `false` if the session with the old cookie has ended
/// or is no longer at the version that `next` was made from.
pub async fn replace(tx: &mut Tx<'_>, old: &Hash, next: &RpSession) -> Result<bool> {
    let replaced = execute!(
        tx,
        "UPDATE rp_sessions SET cookie = $3, sid = $4, subject = $5, sealed = $6, expires_at = $7, version = $2 + 1,
             refreshing_until = 0
         WHERE cookie = $1 AND version = $2",
        old,
        next.version,
        &next.cookie,
        &next.sid,
        &next.subject,
        &next.sealed,
        next.expires_at,
    )?;
    Ok(replaced == 1)
}

/// Claims the refresh of this version's tokens; of two at once, one gets `true`. A claim that was not followed by
/// [`replace`] ends at `until`.
pub async fn claim_refresh(
    tx: &mut Tx<'_>,
    cookie: &Hash,
    version: i64,
    now: Time,
    until: Time,
) -> Result<bool> {
    let sql = "UPDATE rp_sessions SET refreshing_until = $4
               WHERE cookie = $1 AND version = $2 AND refreshing_until <= $3";
    Ok(execute!(tx, sql, cookie, version, now, until)? == 1)
}

/// Ends a session; of two at once, one gets `true`.
pub async fn end(tx: &mut Tx<'_>, cookie: &Hash) -> Result<bool> {
    Ok(execute!(tx, "DELETE FROM rp_sessions WHERE cookie = $1", cookie)? == 1)
}

/// Ends the relying party's sessions that came from this session at the provider; returns how many.
pub async fn end_of_sid(tx: &mut Tx<'_>, issuer: &str, client: &ClientId, sid: &SessionId) -> Result<u64> {
    let sql = "DELETE FROM rp_sessions WHERE issuer = $1 AND client_id = $2 AND sid = $3";
    execute!(tx, sql, issuer, client, sid)
}

/// Ends all sessions of a user at the relying party; returns how many.
pub async fn end_of_subject(
    tx: &mut Tx<'_>,
    issuer: &str,
    client: &ClientId,
    subject: &UserId,
) -> Result<u64> {
    let sql = "DELETE FROM rp_sessions WHERE issuer = $1 AND client_id = $2 AND subject = $3";
    execute!(tx, sql, issuer, client, subject)
}

/// Claims a logout token by the hash of its `jti`; `false` if it was claimed before.
pub async fn claim_logout_token(
    tx: &mut Tx<'_>,
    issuer: &str,
    client: &ClientId,
    jti: &Hash,
    expires_at: Time,
) -> Result<bool> {
    let sql = "INSERT INTO rp_logout_tokens (issuer, client_id, jti, expires_at) VALUES ($1, $2, $3, $4)
               ON CONFLICT (issuer, client_id, jti) DO NOTHING";
    Ok(execute!(tx, sql, issuer, client, jti, expires_at)? == 1)
}
