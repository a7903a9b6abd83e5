//! Accounts at upstream providers, by which users without a local password sign in.

use crate::domain::ids::{ResellerId, TenantId, UpstreamId, UserId};
use crate::domain::upstream::UpstreamAccount;
use crate::storage::core::error::Result;
use crate::storage::core::tx::Tx;
use crate::storage::ended_sessions;

/// The users of a tenant who sign in at providers of this reseller, by name.
pub async fn at_reseller(tx: &mut Tx<'_>, tenant: &TenantId, reseller: &ResellerId) -> Result<Vec<String>> {
    Ok(on!(tx, conn => sqlx::query_scalar(
        "SELECT username FROM users
         WHERE tenant_id = $1 AND upstream_id IN (SELECT id FROM upstreams WHERE reseller_id = $2) ORDER BY username_key")
        .bind(tenant).bind(reseller).fetch_all(conn))?)
}

/// Raises the epoch of a tenant's users who sign in at providers of this reseller.
pub async fn end_at_reseller(tx: &mut Tx<'_>, tenant: &TenantId, reseller: &ResellerId) -> Result<u64> {
    let users = execute!(
        tx,
        "UPDATE users SET epoch = epoch + 1
         WHERE tenant_id = $1 AND upstream_id IN (SELECT id FROM upstreams WHERE reseller_id = $2)",
        tenant,
        reseller,
    )?;
    ended_sessions::end_at_reseller(tx, tenant, reseller).await?;
    Ok(users)
}

/// Raises the epoch of all users who sign in at this provider.
pub async fn end_at_upstream(tx: &mut Tx<'_>, upstream: &UpstreamId) -> Result<u64> {
    let users = execute!(tx, "UPDATE users SET epoch = epoch + 1 WHERE upstream_id = $1", upstream)?;
    ended_sessions::end_at_upstream(tx, upstream).await?;
    Ok(users)
}

/// The user who is linked with this subject of an upstream provider.
pub async fn user(tx: &mut Tx<'_>, upstream: &UpstreamId, subject: &str) -> Result<Option<UserId>> {
    Ok(on!(tx, conn => sqlx::query_scalar(
        "SELECT id FROM users WHERE upstream_id = $1 AND upstream_subject = $2")
        .bind(upstream).bind(subject).fetch_optional(conn))?)
}

/// Sets the upstream account by which the user signs in; `None` = a local sign-in. `Error::Conflict` if the subject is
/// linked with another user.
pub async fn set(tx: &mut Tx<'_>, id: &UserId, account: Option<&UpstreamAccount>) -> Result<()> {
    let (upstream, subject) = (account.map(|a| &a.upstream), account.and_then(|a| a.subject.as_deref()));
    let sql = "UPDATE users SET upstream_id = $2, upstream_subject = $3, version = version + 1 WHERE id = $1";
    execute!(tx, sql, id, upstream, subject)?;
    Ok(())
}

/// Links the user with a subject, unless the user is linked already. Of concurrent callers one gets `true`.
/// `Error::Conflict` if the subject is linked with another user.
pub async fn link(tx: &mut Tx<'_>, id: &UserId, upstream: &UpstreamId, subject: &str) -> Result<bool> {
    let sql = "UPDATE users SET upstream_id = $2, upstream_subject = $3, version = version + 1
               WHERE id = $1 AND upstream_subject IS NULL";
    Ok(execute!(tx, sql, id, upstream, subject)? == 1)
}
