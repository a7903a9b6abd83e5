//! Resellers.

use crate::domain::ids::ResellerId;
use crate::domain::upstream::{Reseller, Slug};
use crate::storage::core::error::Result;
use crate::storage::core::revision;
use crate::storage::core::tx::Tx;

#[derive(sqlx::FromRow)]
struct Row {
    id: ResellerId,
    name: Slug,
    title: String,
}

impl From<Row> for Reseller {
    fn from(row: Row) -> Self {
        Self { id: row.id, name: row.name, title: row.title }
    }
}

/// Adds or replaces the reseller with this id. `Error::Conflict` if the name is taken.
pub async fn upsert(tx: &mut Tx<'_>, reseller: &Reseller) -> Result<()> {
    execute!(
        tx,
        "INSERT INTO resellers (id, name, title) VALUES ($1, $2, $3)
         ON CONFLICT (id) DO UPDATE SET name = excluded.name, title = excluded.title",
        &reseller.id,
        &reseller.name,
        &reseller.title,
    )?;
    Ok(())
}

/// The reseller with this name.
pub async fn by_name(tx: &mut Tx<'_>, name: &str) -> Result<Option<Reseller>> {
    let row: Option<Row> = on!(tx, conn => sqlx::query_as(
        "SELECT id, name, title FROM resellers WHERE name = $1").bind(name).fetch_optional(conn))?;
    Ok(row.map(Reseller::from))
}

/// All resellers by name.
pub async fn all(tx: &mut Tx<'_>) -> Result<Vec<Reseller>> {
    let rows: Vec<Row> = on!(tx, conn => sqlx::query_as("SELECT id, name, title FROM resellers ORDER BY name").fetch_all(conn))?;
    Ok(rows.into_iter().map(Reseller::from).collect())
}

/// The rows that refer to the reseller, as `tenant 123456.sms` or `upstream north-login`.
pub async fn holders(tx: &mut Tx<'_>, id: &ResellerId) -> Result<Vec<String>> {
    Ok(on!(tx, conn => sqlx::query_scalar(
        "SELECT 'tenant ' || domain FROM tenants WHERE reseller_id = $1
         UNION ALL SELECT 'upstream ' || name FROM upstreams WHERE reseller_id = $1 ORDER BY 1").bind(id).fetch_all(conn))?)
}

/// Removes the reseller. `Error::Conflict` while it has tenants or upstream providers.
pub async fn remove(tx: &mut Tx<'_>, id: &ResellerId) -> Result<bool> {
    let removed = execute!(tx, "DELETE FROM resellers WHERE id = $1", id)?;
    revision::bump(tx).await?;
    Ok(removed == 1)
}
