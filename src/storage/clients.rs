//! Registered clients. A client belongs to the root issuer or to a tenant; the tenant's host issuers see the same ones.

use super::error::Result;
use super::json::Json;
use super::{Tx, revision};
use crate::domain::client::{Client, ClientAuthentication, ClientMetadata};
use crate::domain::ids::{ClientId, IssuerId};

#[derive(sqlx::FromRow)]
struct Row {
    issuer_id: IssuerId,
    id: ClientId,
    disabled: bool,
    authentication: Json<ClientAuthentication>,
    metadata: Json<ClientMetadata>,
}

impl From<Row> for Client {
    fn from(row: Row) -> Self {
        Self {
            id: row.id,
            issuer: row.issuer_id,
            disabled: row.disabled,
            authentication: row.authentication.0,
            metadata: row.metadata.0,
        }
    }
}

/// Adds the client, or changes the one with this id at this issuer.
pub async fn upsert(tx: &mut Tx<'_>, client: &Client) -> Result<()> {
    execute!(
        tx,
        "INSERT INTO clients (issuer_id, id, tenant_id, disabled, authentication, metadata)
         VALUES ($1, $2, $3, $4, $5, $6)
         ON CONFLICT (issuer_id, id) DO UPDATE SET disabled = excluded.disabled,
             authentication = excluded.authentication, metadata = excluded.metadata",
        client.issuer.home(),
        &client.id,
        client.issuer.tenant(),
        client.disabled,
        Json(&client.authentication),
        Json(&client.metadata),
    )?;
    revision::bump(tx).await
}

/// The client with this id that is seen at this issuer, disabled or not.
pub async fn by_id(tx: &mut Tx<'_>, issuer: &IssuerId, id: &ClientId) -> Result<Option<Client>> {
    let row: Option<Row> = on!(tx, conn => sqlx::query_as(
        "SELECT issuer_id, id, disabled, authentication, metadata FROM clients WHERE issuer_id = $1 AND id = $2")
        .bind(issuer.home()).bind(id).fetch_optional(conn))?;
    Ok(row.map(Client::from))
}

/// The clients that are registered at an issuer, disabled or not.
pub async fn of_issuer(tx: &mut Tx<'_>, home: &IssuerId) -> Result<Vec<Client>> {
    let rows: Vec<Row> = on!(tx, conn => sqlx::query_as(
        "SELECT issuer_id, id, disabled, authentication, metadata FROM clients WHERE issuer_id = $1 ORDER BY id")
        .bind(home).fetch_all(conn))?;
    Ok(rows.into_iter().map(Client::from).collect())
}

/// All clients of all issuers.
pub async fn all(tx: &mut Tx<'_>) -> Result<Vec<Client>> {
    let rows: Vec<Row> = on!(tx, conn => sqlx::query_as(
        "SELECT issuer_id, id, disabled, authentication, metadata FROM clients ORDER BY issuer_id, id")
        .fetch_all(conn))?;
    Ok(rows.into_iter().map(Client::from).collect())
}

/// Removes a client with its grants and consents.
pub async fn remove(tx: &mut Tx<'_>, issuer: &IssuerId, id: &ClientId) -> Result<bool> {
    let removed = execute!(tx, "DELETE FROM clients WHERE issuer_id = $1 AND id = $2", issuer.home(), id)?;
    revision::bump(tx).await?;
    Ok(removed == 1)
}
