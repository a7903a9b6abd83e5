//! Issuers. They have no table: the root issuer is configured, and a tenant has one by path and one for each of its
//! hosts.

use super::tenants;
use crate::domain::ids::{IssuerId, TenantId};
use crate::domain::issuer::{Issuer, IssuerAddress, IssuerUrl};
use crate::domain::tenant::Tenant;
use crate::storage::core::error::Result;
use crate::storage::core::revision;
use crate::storage::core::tx::Tx;

/// The issuer at an address.
pub async fn by_address(
    tx: &mut Tx<'_>,
    root: &IssuerUrl,
    address: &IssuerAddress,
) -> Result<Option<Issuer>> {
    Ok(match address {
        IssuerAddress::Root => Some(root_issuer(root)),
        IssuerAddress::Tenant(domain) => {
            tenants::by_domain(tx, domain).await?.map(|tenant| path_issuer(root, &tenant))
        }
        IssuerAddress::Host(host) => {
            let owner: Option<TenantId> = on!(tx, conn => sqlx::query_scalar(
                "SELECT tenant_id FROM hosts WHERE host = $1").bind(host).fetch_optional(conn))?;
            owner.and_then(|tenant| host_issuer(root, tenant, host))
        }
    })
}

/// The issuer with this id.
pub async fn by_id(tx: &mut Tx<'_>, root: &IssuerUrl, id: &IssuerId) -> Result<Option<Issuer>> {
    let Some(tenant) = id.tenant() else { return Ok(Some(root_issuer(root))) };
    let found = match id.host() {
        None => tenants::by_id(tx, &tenant).await?.map(|tenant| path_issuer(root, &tenant)),
        Some(host) => by_address(tx, root, &IssuerAddress::Host(host.to_owned())).await?,
    };
    Ok(found.filter(|issuer| issuer.id == *id))
}

/// The host names of a tenant.
pub async fn hosts(tx: &mut Tx<'_>, tenant: &TenantId) -> Result<Vec<String>> {
    on!(tx, conn => sqlx::query_scalar("SELECT host FROM hosts WHERE tenant_id = $1 ORDER BY host")
        .bind(tenant).fetch_all(conn))
}

/// Replaces the host names of a tenant; `Error::Conflict` if another tenant has one of them.
pub async fn set_hosts(tx: &mut Tx<'_>, tenant: &TenantId, hosts: &[String]) -> Result<()> {
    execute!(tx, "DELETE FROM hosts WHERE tenant_id = $1", tenant)?;
    for host in hosts {
        execute!(
            tx,
            "INSERT INTO hosts (host, tenant_id) VALUES ($1, $2)",
            host.to_ascii_lowercase(),
            tenant
        )?;
    }
    revision::bump(tx).await
}

fn root_issuer(root: &IssuerUrl) -> Issuer {
    Issuer { id: IssuerId::root(), url: root.clone(), tenant: None }
}

fn path_issuer(root: &IssuerUrl, tenant: &Tenant) -> Issuer {
    Issuer {
        id: IssuerId::of_tenant(&tenant.id),
        url: root.for_tenant(&tenant.domain),
        tenant: Some(tenant.id.clone()),
    }
}

/// `None` if the name is not valid in a URL, so that no request can have come to it.
fn host_issuer(root: &IssuerUrl, tenant: TenantId, host: &str) -> Option<Issuer> {
    let url = root.on_host(host).ok()?;
    Some(Issuer { id: IssuerId::of_host(&tenant, host), url, tenant: Some(tenant) })
}
