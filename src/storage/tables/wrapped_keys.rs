//! The sealing keys of the database, wrapped by a master key: one row, or two while the master key is being replaced.

use serde::{Deserialize, Serialize};

use crate::storage::core::error::Result;
use crate::storage::core::tx::Tx;

/// Keys wrapped by one master key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, sqlx::FromRow)]
pub struct WrappedKeys {
    /// The id of that master key.
    pub master: String,
    /// Base64url.
    pub wrapped: String,
}

/// Selects one of the two rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeySlot {
    /// Wrapped by the current master key, which every node should have.
    Current,
    /// Wrapped by the previous master key, for nodes that do not have the current one yet.
    Previous,
}

impl KeySlot {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Current => "current",
            Self::Previous => "previous",
        }
    }
}

/// The wrapped keys in this row.
pub async fn at(tx: &mut Tx<'_>, place: KeySlot) -> Result<Option<WrappedKeys>> {
    on!(tx, conn => sqlx::query_as("SELECT master, wrapped FROM wrapped_keys WHERE place = $1")
        .bind(place.as_str()).fetch_optional(conn))
}

/// Stores the first keys. Of concurrent callers one gets `true`.
pub async fn insert_first(tx: &mut Tx<'_>, keys: &WrappedKeys) -> Result<bool> {
    let sql = "INSERT INTO wrapped_keys (place, master, wrapped) VALUES ('current', $1, $2) ON CONFLICT (place) DO NOTHING";
    Ok(execute!(tx, sql, &keys.master, &keys.wrapped)? == 1)
}

/// Makes `keys` current and those wrapped by the master key `from` previous. `false`: `from` is not the current master
/// key, or there is a previous row already.
pub async fn replace(tx: &mut Tx<'_>, from: &str, keys: &WrappedKeys) -> Result<bool> {
    let sql = "UPDATE wrapped_keys SET place = 'previous' WHERE place = 'current' AND master = $1 \
               AND NOT EXISTS (SELECT 1 FROM wrapped_keys AS other WHERE other.place = 'previous')";
    Ok(execute!(tx, sql, from)? == 1 && insert_first(tx, keys).await?)
}

/// Deletes the previous row. `false` if it does not exist or `current` is not the current master key.
pub async fn forget_previous(tx: &mut Tx<'_>, current: &str) -> Result<bool> {
    let sql = "DELETE FROM wrapped_keys WHERE place = 'previous' \
               AND EXISTS (SELECT 1 FROM wrapped_keys AS other WHERE other.place = 'current' AND other.master = $1)";
    Ok(execute!(tx, sql, current)? == 1)
}
