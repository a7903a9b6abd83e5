//! Invitations to link an account with whoever brings the code: one for each user, and it counts once.

use super::Tx;
use super::error::Result;
use crate::domain::ids::{Hash, UpstreamId, UserId};
use crate::domain::time::Time;

/// Invites a user; an older invitation is void. `Error::Conflict` if user or provider have gone.
pub async fn put(
    tx: &mut Tx<'_>,
    user: &UserId,
    upstream: &UpstreamId,
    hash: &Hash,
    expires_at: Time,
) -> Result<()> {
    execute!(
        tx,
        "INSERT INTO link_invitations (user_id, upstream_id, hash, expires_at) VALUES ($1, $2, $3, $4)
         ON CONFLICT (user_id) DO UPDATE SET upstream_id = excluded.upstream_id, hash = excluded.hash,
             expires_at = excluded.expires_at",
        user,
        upstream,
        hash,
        expires_at,
    )?;
    Ok(())
}

/// Whom this code invites to sign in at this provider.
pub async fn invited(
    tx: &mut Tx<'_>,
    upstream: &UpstreamId,
    hash: &Hash,
    now: Time,
) -> Result<Option<UserId>> {
    Ok(on!(tx, conn => sqlx::query_scalar(
        "SELECT user_id FROM link_invitations WHERE hash = $1 AND upstream_id = $2 AND expires_at > $3")
        .bind(hash).bind(upstream).bind(now).fetch_optional(conn))?)
}

/// Uses the invitation up; of two at once, one gets `true`.
pub async fn redeem(
    tx: &mut Tx<'_>,
    user: &UserId,
    upstream: &UpstreamId,
    hash: &Hash,
    now: Time,
) -> Result<bool> {
    let sql = "DELETE FROM link_invitations WHERE hash = $1 AND user_id = $2 AND upstream_id = $3 AND expires_at > $4";
    Ok(execute!(tx, sql, hash, user, upstream, now)? == 1)
}
