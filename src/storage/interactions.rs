//! Logins in progress. What a statement decides by is a column; the rest is JSON, so that a login may learn new things.

use super::Tx;
use super::error::Result;
use super::json::Json;
use super::queue::Touches;
use crate::domain::ids::{Hash, InteractionId, IssuerId};
use crate::domain::interaction::Interaction;
use crate::domain::time::Time;

#[derive(sqlx::FromRow)]
struct Row {
    browser: Option<Hash>,
    state: Json<Interaction>,
    version: i64,
}

impl From<Row> for Interaction {
    fn from(row: Row) -> Self {
        Self { browser: row.browser, version: row.version, ..row.state.0 }
    }
}

/// Adds a login.
pub async fn insert(tx: &mut Tx<'_>, interaction: &Interaction) -> Result<()> {
    later!(
        tx,
        Touches::Any,
        "INSERT INTO interactions (id, issuer_id, browser, state, version, expires_at)
         VALUES ($1, $2, $3, $4, $5, $6)",
        &interaction.id,
        &interaction.issuer,
        &interaction.browser,
        Json(interaction),
        interaction.version,
        interaction.expires_at,
    );
    Ok(())
}

/// The login with this id at this issuer, unless it has expired. Whether the browser is the right one, the caller checks.
pub async fn by_id(
    tx: &mut Tx<'_>,
    id: &InteractionId,
    issuer: &IssuerId,
    now: Time,
) -> Result<Option<Interaction>> {
    let row: Option<Row> = on!(tx, conn => sqlx::query_as(
        "SELECT browser, state, version FROM interactions WHERE id = $1 AND issuer_id = $2 AND expires_at > $3")
        .bind(id).bind(issuer).bind(now).fetch_optional(conn))?;
    Ok(row.map(Interaction::from))
}

/// Binds a login to a browser, if it is not bound yet; of two browsers, one wins.
pub async fn bind(tx: &mut Tx<'_>, id: &InteractionId, browser: &Hash) -> Result<bool> {
    let sql = "UPDATE interactions SET browser = $2 WHERE id = $1 AND browser IS NULL";
    Ok(execute!(tx, sql, id, browser)? == 1)
}

/// Stores a changed login, if nobody changed it since it was read; the version stored is one higher. `false`: it is late.
pub async fn save(tx: &mut Tx<'_>, interaction: &Interaction) -> Result<bool> {
    let sql = "UPDATE interactions SET state = $3, version = version + 1 WHERE id = $1 AND version = $2";
    Ok(execute!(tx, sql, &interaction.id, interaction.version, Json(interaction))? == 1)
}

/// Keeps everybody else from changing a login until this write is over; `false`: somebody has changed it since it was read.
pub async fn hold(tx: &mut Tx<'_>, interaction: &Interaction) -> Result<bool> {
    let sql = "UPDATE interactions SET version = version WHERE id = $1 AND version = $2";
    Ok(execute!(tx, sql, &interaction.id, interaction.version)? == 1)
}

/// Ends a login; of two at once, one may answer the client, and the other's write is a [`Conflict`](super::Error::Conflict).
pub async fn remove(tx: &mut Tx<'_>, id: &InteractionId) -> Result<()> {
    later!(tx, Touches::One, "DELETE FROM interactions WHERE id = $1", id);
    Ok(())
}
