//! Upstream providers, with our sealed client secrets.

use crate::domain::ids::{ResellerId, TenantId, UpstreamId};
use crate::domain::upstream::{Owner, Slug, Upstream, UpstreamRules};
use crate::storage::core::error::{Error, Result};
use crate::storage::core::json::Json;
use crate::storage::core::revision;
use crate::storage::core::tx::Tx;

/// An upstream provider as stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredUpstream {
    /// The provider.
    pub upstream: Upstream,
    /// Our client secret, sealed for its row; `None` for a public client, which uses PKCE only.
    pub sealed_secret: Option<String>,
}

impl StoredUpstream {
    /// The row name that the secret is sealed for.
    pub fn row(id: &UpstreamId) -> String {
        format!("upstreams/{id}")
    }
}

#[derive(sqlx::FromRow)]
struct Row {
    id: UpstreamId,
    name: Slug,
    reseller_id: Option<ResellerId>,
    tenant_id: Option<TenantId>,
    title: String,
    issuer: String,
    client_id: String,
    sealed_secret: Option<String>,
    rules: Json<UpstreamRules>,
}

impl TryFrom<Row> for StoredUpstream {
    type Error = Error;

    fn try_from(row: Row) -> Result<Self> {
        let owner = match (row.reseller_id, row.tenant_id) {
            (Some(reseller), None) => Owner::Reseller(reseller),
            (None, Some(tenant)) => Owner::Tenant(tenant),
            _ => return Err(Error::other("an upstream provider must have exactly one owner")),
        };
        let upstream = Upstream {
            id: row.id,
            name: row.name,
            owner,
            title: row.title,
            issuer: row.issuer,
            client_id: row.client_id,
            rules: row.rules.0,
        };
        Ok(Self { upstream, sealed_secret: row.sealed_secret })
    }
}

fn stored(rows: Vec<Row>) -> Result<Vec<StoredUpstream>> {
    rows.into_iter().map(StoredUpstream::try_from).collect()
}

/// Adds or replaces the provider with this id. `Error::Conflict` if the name is taken.
pub async fn upsert(tx: &mut Tx<'_>, new: &StoredUpstream) -> Result<()> {
    let StoredUpstream { upstream, sealed_secret } = new;
    let (reseller, tenant) = match &upstream.owner {
        Owner::Reseller(reseller) => (Some(reseller), None),
        Owner::Tenant(tenant) => (None, Some(tenant)),
    };
    execute!(
        tx,
        "INSERT INTO upstreams
             (id, name, reseller_id, tenant_id, title, issuer, client_id, sealed_secret, rules)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
         ON CONFLICT (id) DO UPDATE SET name = excluded.name, reseller_id = excluded.reseller_id,
             tenant_id = excluded.tenant_id, title = excluded.title, issuer = excluded.issuer,
             client_id = excluded.client_id, sealed_secret = excluded.sealed_secret, rules = excluded.rules",
        &upstream.id,
        &upstream.name,
        reseller,
        tenant,
        &upstream.title,
        &upstream.issuer,
        &upstream.client_id,
        sealed_secret,
        Json(&upstream.rules),
    )?;
    revision::bump(tx).await
}

/// The provider with this name.
pub async fn by_name(tx: &mut Tx<'_>, name: &str) -> Result<Option<StoredUpstream>> {
    let row: Option<Row> = on!(tx, conn => sqlx::query_as(
        "SELECT id, name, reseller_id, tenant_id, title, issuer, client_id, sealed_secret, rules
         FROM upstreams WHERE name = $1").bind(name).fetch_optional(conn))?;
    row.map(StoredUpstream::try_from).transpose()
}

/// All providers by name.
pub async fn all(tx: &mut Tx<'_>) -> Result<Vec<StoredUpstream>> {
    let rows = on!(tx, conn => sqlx::query_as(
        "SELECT id, name, reseller_id, tenant_id, title, issuer, client_id, sealed_secret, rules
         FROM upstreams ORDER BY name").fetch_all(conn))?;
    stored(rows)
}

/// The providers at which this tenant's users may sign in: its own and its reseller's, by title.
pub async fn of_tenant(tx: &mut Tx<'_>, tenant: &TenantId) -> Result<Vec<StoredUpstream>> {
    let rows = on!(tx, conn => sqlx::query_as(
        "SELECT id, name, reseller_id, tenant_id, title, issuer, client_id, sealed_secret, rules
         FROM upstreams
         WHERE tenant_id = $1 OR reseller_id = (SELECT reseller_id FROM tenants WHERE id = $1)
         ORDER BY title, name").bind(tenant).fetch_all(conn))?;
    stored(rows)
}

/// The providers of all resellers, by title.
pub async fn of_resellers(tx: &mut Tx<'_>) -> Result<Vec<StoredUpstream>> {
    let rows = on!(tx, conn => sqlx::query_as(
        "SELECT id, name, reseller_id, tenant_id, title, issuer, client_id, sealed_secret, rules
         FROM upstreams WHERE reseller_id IS NOT NULL ORDER BY title, name").fetch_all(conn))?;
    stored(rows)
}

/// The accounts that sign in at this provider, as `user 123456.sms/anna`.
pub async fn holders(tx: &mut Tx<'_>, id: &UpstreamId) -> Result<Vec<String>> {
    Ok(on!(tx, conn => sqlx::query_scalar(
        "SELECT 'user ' || t.domain || '/' || u.username_key
         FROM users u JOIN tenants t ON t.id = u.tenant_id WHERE u.upstream_id = $1 ORDER BY 1").bind(id).fetch_all(conn))?)
}

/// Removes the provider. `Error::Conflict` while accounts sign in there.
pub async fn remove(tx: &mut Tx<'_>, id: &UpstreamId) -> Result<bool> {
    let removed = execute!(tx, "DELETE FROM upstreams WHERE id = $1", id)?;
    revision::bump(tx).await?;
    Ok(removed == 1)
}
