//! Registered clients. A client belongs to the root issuer or to a tenant; the tenant's host issuers see the same ones.

use super::epochs;
use crate::domain::client::{Client, ClientAuthentication, ClientMetadata};
use crate::domain::epoch::Epoch;
use crate::domain::ids::{ClientId, IssuerId};
use crate::storage::core::error::Result;
use crate::storage::core::json::Json;
use crate::storage::core::revision;
use crate::storage::core::tx::Tx;

#[derive(sqlx::FromRow)]
struct Row {
    issuer_id: IssuerId,
    id: ClientId,
    disabled: bool,
    epoch: Epoch,
    authentication: Json<ClientAuthentication>,
    metadata: Json<ClientMetadata>,
}

/// The sum of the epochs of a client and its tenant.
macro_rules! epoch {
    () => {
        "clients.epoch + COALESCE((SELECT t.epoch FROM tenants t WHERE t.id = clients.tenant_id), 0) AS epoch"
    };
}

/// The columns of a [`Row`].
macro_rules! client {
    () => {
        concat!("issuer_id, id, disabled, authentication, metadata, ", epoch!())
    };
}

impl From<Row> for Client {
    fn from(row: Row) -> Self {
        Self {
            id: row.id,
            issuer: row.issuer_id,
            disabled: row.disabled,
            epoch: row.epoch,
            authentication: row.authentication.0,
            metadata: row.metadata.0,
        }
    }
}

/// Adds or replaces the client with this id at this issuer. Disabling raises its epoch. `Error::Conflict` if the id of
/// a new client is a user's id: an API that reads `sub` would take the client for that user (RFC 9700 §4.15).
pub async fn upsert(tx: &mut Tx<'_>, client: &Client) -> Result<()> {
    // First, because it waits for a concurrent removal of the same id: the epoch must start above the removed one's.
    revision::bump(tx).await?;
    let written = execute!(
        tx,
        "INSERT INTO clients (issuer_id, id, tenant_id, disabled, authentication, metadata, epoch)
         SELECT $1, $2, $3, $4, $5, $6, (SELECT floor FROM epochs)
         WHERE NOT EXISTS (SELECT 1 FROM users WHERE id = $2)
             OR EXISTS (SELECT 1 FROM clients WHERE issuer_id = $1 AND id = $2)
         ON CONFLICT (issuer_id, id) DO UPDATE SET
             epoch = clients.epoch + CASE WHEN excluded.disabled AND NOT clients.disabled THEN 1 ELSE 0 END,
             disabled = excluded.disabled,
             authentication = excluded.authentication, metadata = excluded.metadata",
        client.issuer.home(),
        &client.id,
        client.issuer.tenant(),
        client.disabled,
        Json(&client.authentication),
        Json(&client.metadata),
    )?;
    if written == 1 { Ok(()) } else { Err(crate::storage::Error::Conflict) }
}

/// Returns whether a client with this id exists at any issuer.
pub async fn exists(tx: &mut Tx<'_>, id: &str) -> Result<bool> {
    Ok(on!(tx, conn => sqlx::query_scalar("SELECT EXISTS (SELECT 1 FROM clients WHERE id = $1)")
        .bind(id).fetch_one(conn))?)
}

/// The client with this id that is visible at this issuer, disabled or not.
pub async fn by_id(tx: &mut Tx<'_>, issuer: &IssuerId, id: &ClientId) -> Result<Option<Client>> {
    let row: Option<Row> = on!(tx, conn => sqlx::query_as(
        concat!("SELECT ", client!(), " FROM clients WHERE issuer_id = $1 AND id = $2"))
        .bind(issuer.home()).bind(id).fetch_optional(conn))?;
    Ok(row.map(Client::from))
}

/// The client with this id that is visible at this issuer; `None` if it or its tenant is disabled.
pub async fn enabled(tx: &mut Tx<'_>, issuer: &IssuerId, id: &ClientId) -> Result<Option<Client>> {
    let row: Option<Row> = on!(tx, conn => sqlx::query_as(concat!(
        "SELECT ", client!(), " FROM clients WHERE issuer_id = $1 AND id = $2 AND NOT disabled
             AND NOT EXISTS (SELECT 1 FROM tenants t WHERE t.id = clients.tenant_id AND t.disabled)"))
        .bind(issuer.home()).bind(id).fetch_optional(conn))?;
    Ok(row.map(Client::from))
}

/// The clients that are registered at an issuer, disabled or not.
pub async fn of_issuer(tx: &mut Tx<'_>, home: &IssuerId) -> Result<Vec<Client>> {
    let rows: Vec<Row> = on!(tx, conn => sqlx::query_as(
        concat!("SELECT ", client!(), " FROM clients WHERE issuer_id = $1 ORDER BY id"))
        .bind(home).fetch_all(conn))?;
    Ok(rows.into_iter().map(Client::from).collect())
}

/// All clients of all issuers.
pub async fn all(tx: &mut Tx<'_>) -> Result<Vec<Client>> {
    let rows: Vec<Row> = on!(tx, conn => sqlx::query_as(
        concat!("SELECT ", client!(), " FROM clients ORDER BY issuer_id, id"))
        .fetch_all(conn))?;
    Ok(rows.into_iter().map(Client::from).collect())
}

/// Removes a client with its grants and consents.
pub async fn remove(tx: &mut Tx<'_>, issuer: &IssuerId, id: &ClientId) -> Result<bool> {
    revision::bump(tx).await?;
    let removed: Option<Epoch> = on!(tx, conn => sqlx::query_scalar(concat!(
        "SELECT ", epoch!(), " FROM clients WHERE issuer_id = $1 AND id = $2"))
        .bind(issuer.home()).bind(id).fetch_optional(conn))?;
    let Some(removed) = removed else { return Ok(false) };
    epochs::raise_floor(tx, removed).await?;
    Ok(execute!(tx, "DELETE FROM clients WHERE issuer_id = $1 AND id = $2", issuer.home(), id)? == 1)
}
