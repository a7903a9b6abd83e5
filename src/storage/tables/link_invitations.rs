//! Invitations to link an account with an upstream account: at most one per user, each redeemed once.

use crate::domain::epoch::Epoch;
use crate::domain::ids::{Hash, ResellerId, TenantId, UpstreamId, UserId};
use crate::domain::time::Time;
use crate::storage::core::error::Result;
use crate::storage::core::tx::Tx;

/// Invites a user, whose epoch was read before, and replaces an older invitation. `Error::Conflict` if user or provider
/// no longer exist.
pub async fn put(
    tx: &mut Tx<'_>,
    user: &UserId,
    upstream: &UpstreamId,
    hash: &Hash,
    epoch: Epoch,
    expires_at: Time,
) -> Result<()> {
    execute!(
        tx,
        "INSERT INTO link_invitations (user_id, upstream_id, hash, expires_at, epoch) VALUES ($1, $2, $3, $4, $5)
         ON CONFLICT (user_id) DO UPDATE SET upstream_id = excluded.upstream_id, hash = excluded.hash,
             expires_at = excluded.expires_at, epoch = excluded.epoch",
        user,
        upstream,
        hash,
        expires_at,
        epoch,
    )?;
    Ok(())
}

/// The user whom this code invites to sign in at this provider.
pub async fn invited(
    tx: &mut Tx<'_>,
    upstream: &UpstreamId,
    hash: &Hash,
    now: Time,
) -> Result<Option<UserId>> {
    Ok(on!(tx, conn => sqlx::query_scalar(
        "SELECT i.user_id FROM link_invitations i
         JOIN users u ON u.id = i.user_id
         JOIN tenants t ON t.id = u.tenant_id
         WHERE i.hash = $1 AND i.upstream_id = $2 AND i.expires_at > $3 AND i.epoch = u.epoch + t.epoch")
        .bind(hash).bind(upstream).bind(now).fetch_optional(conn))?)
}

/// Deletes the invitations of a tenant's users to providers of this reseller.
pub async fn remove_at_reseller(tx: &mut Tx<'_>, tenant: &TenantId, reseller: &ResellerId) -> Result<u64> {
    execute!(
        tx,
        "DELETE FROM link_invitations
         WHERE user_id IN (SELECT id FROM users WHERE tenant_id = $1)
             AND upstream_id IN (SELECT id FROM upstreams WHERE reseller_id = $2)",
        tenant,
        reseller,
    )
}

/// Deletes all invitations to this provider.
pub async fn remove_at(tx: &mut Tx<'_>, upstream: &UpstreamId) -> Result<u64> {
    execute!(tx, "DELETE FROM link_invitations WHERE upstream_id = $1", upstream)
}

/// Redeems the invitation; of concurrent callers one gets `true`.
pub async fn redeem(
    tx: &mut Tx<'_>,
    user: &UserId,
    upstream: &UpstreamId,
    hash: &Hash,
    now: Time,
) -> Result<bool> {
    let sql = "DELETE FROM link_invitations WHERE hash = $1 AND user_id = $2 AND upstream_id = $3 AND expires_at > $4
               AND epoch = (SELECT u.epoch + t.epoch FROM users u JOIN tenants t ON t.id = u.tenant_id WHERE u.id = $2)";
    Ok(execute!(tx, sql, hash, user, upstream, now)? == 1)
}
