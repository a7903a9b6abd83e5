//! Tenants.

use super::{ended_sessions, epochs};
use crate::domain::branding::Branding;
use crate::domain::epoch::Epoch;
use crate::domain::ids::{ResellerId, TenantId};
use crate::domain::locale::Locale;
use crate::domain::tenant::{Tenant, TenantDomain, TenantPolicy};
use crate::domain::zone::Zone;
use crate::storage::core::error::Result;
use crate::storage::core::json::{Json, Word};
use crate::storage::core::revision;
use crate::storage::core::tx::Tx;

#[derive(sqlx::FromRow)]
struct Row {
    id: TenantId,
    domain: TenantDomain,
    name: String,
    reseller_id: Option<ResellerId>,
    disabled: bool,
    epoch: Epoch,
    locale: Word<Locale>,
    time_zone: Word<Zone>,
    policy: Json<TenantPolicy>,
    branding: Json<Branding>,
}

impl From<Row> for Tenant {
    fn from(row: Row) -> Self {
        Self {
            id: row.id,
            domain: row.domain,
            name: row.name,
            reseller: row.reseller_id,
            disabled: row.disabled,
            epoch: row.epoch,
            locale: row.locale.0,
            time_zone: row.time_zone.0,
            policy: row.policy.0,
            branding: row.branding.0,
        }
    }
}

/// Adds or replaces the tenant with this id. Disabling raises the epoch, which ends everything issued to its users and
/// clients.
pub async fn upsert(tx: &mut Tx<'_>, tenant: &Tenant) -> Result<()> {
    execute!(
        tx,
        "INSERT INTO tenants (id, domain, name, reseller_id, disabled, locale, time_zone, policy, branding)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
         ON CONFLICT (id) DO UPDATE SET domain = excluded.domain, name = excluded.name,
             epoch = tenants.epoch + CASE WHEN excluded.disabled AND NOT tenants.disabled THEN 1 ELSE 0 END,
             reseller_id = excluded.reseller_id, disabled = excluded.disabled, locale = excluded.locale,
             time_zone = excluded.time_zone, policy = excluded.policy, branding = excluded.branding",
        &tenant.id,
        &tenant.domain,
        &tenant.name,
        &tenant.reseller,
        tenant.disabled,
        Word(tenant.locale),
        Word(tenant.time_zone),
        Json(&tenant.policy),
        Json(&tenant.branding),
    )?;
    if tenant.disabled {
        ended_sessions::end_of_tenant(tx, &tenant.id).await?;
    }
    revision::bump(tx).await
}

/// The tenant with this id.
pub async fn by_id(tx: &mut Tx<'_>, id: &TenantId) -> Result<Option<Tenant>> {
    let row: Option<Row> = on!(tx, conn => sqlx::query_as(
        "SELECT id, domain, name, reseller_id, disabled, epoch, locale, time_zone, policy, branding
         FROM tenants WHERE id = $1")
        .bind(id).fetch_optional(conn))?;
    Ok(row.map(Tenant::from))
}

/// The tenant with this domain.
pub async fn by_domain(tx: &mut Tx<'_>, domain: &TenantDomain) -> Result<Option<Tenant>> {
    let row: Option<Row> = on!(tx, conn => sqlx::query_as(
        "SELECT id, domain, name, reseller_id, disabled, epoch, locale, time_zone, policy, branding
         FROM tenants WHERE domain = $1")
        .bind(domain).fetch_optional(conn))?;
    Ok(row.map(Tenant::from))
}

/// All tenants by domain.
pub async fn all(tx: &mut Tx<'_>) -> Result<Vec<Tenant>> {
    let rows: Vec<Row> = on!(tx, conn => sqlx::query_as(
        "SELECT id, domain, name, reseller_id, disabled, epoch, locale, time_zone, policy, branding
         FROM tenants ORDER BY domain")
        .fetch_all(conn))?;
    Ok(rows.into_iter().map(Tenant::from).collect())
}

/// Returns whether there is any tenant.
pub async fn any(tx: &mut Tx<'_>) -> Result<bool> {
    let first: Option<TenantId> = on!(tx, conn => sqlx::query_scalar("SELECT id FROM tenants LIMIT 1")
        .fetch_optional(conn))?;
    Ok(first.is_some())
}

/// Removes the tenant with its users, clients, keys and everything that refers to them.
pub async fn remove(tx: &mut Tx<'_>, id: &TenantId) -> Result<bool> {
    revision::bump(tx).await?;
    let removed: Option<Epoch> = on!(tx, conn => sqlx::query_scalar(
        "SELECT t.epoch + COALESCE((SELECT MAX(u.epoch) FROM users u WHERE u.tenant_id = t.id), 0)
             + COALESCE((SELECT MAX(c.epoch) FROM clients c WHERE c.tenant_id = t.id), 0)
         FROM tenants t WHERE t.id = $1").bind(id).fetch_optional(conn))?;
    let Some(removed) = removed else { return Ok(false) };
    epochs::raise_floor(tx, removed).await?;
    ended_sessions::end_of_tenant(tx, id).await?;
    Ok(execute!(tx, "DELETE FROM tenants WHERE id = $1", id)? == 1)
}

/// Returns whether a tenant lets its users sign in with a passkey alone. A policy is stored as JSON without spaces.
pub async fn any_passkey_sign_in(tx: &mut Tx<'_>) -> Result<bool> {
    on!(tx, conn => sqlx::query_scalar(
        "SELECT EXISTS (SELECT 1 FROM tenants WHERE NOT disabled AND policy LIKE '%\"passkey_sign_in\":true%')")
        .fetch_one(conn))
}
