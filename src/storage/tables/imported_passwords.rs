//! Imported password hashes, kept until their users sign in, and the number of users per scheme.

use crate::domain::ids::{Hash, TenantId, UserId};
use crate::storage::core::error::Result;
use crate::storage::core::revision;
use crate::storage::core::tx::Tx;

/// Stores an imported hash with its scheme and the keyed hash of the text it was imported from.
pub async fn set(tx: &mut Tx<'_>, id: &UserId, hash: &str, scheme: &str, source: &Hash) -> Result<bool> {
    let sql = "UPDATE users SET password_hash = $2, password_scheme = $3, password_source = $4 WHERE id = $1";
    let written = execute!(tx, sql, id, hash, scheme, source)?;
    // The catalogue caches the schemes in use.
    revision::bump(tx).await?;
    Ok(written == 1)
}

/// The number of users per password scheme.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SchemeShares {
    /// The imported schemes, by name.
    pub imported: Vec<(String, u64)>,
    /// The number of all users; 0 if there is no imported scheme.
    pub users: u64,
}

impl SchemeShares {
    /// The scheme at this point of the scale 0 to 2^64, on which each scheme covers its share of the users, imported
    /// ones first; `None` = our own hash.
    ///
    /// The imported share only shrinks, while users sign in and are added, so a point that has once met our own scheme
    /// stays there: an unknown name changes from an imported scheme to our own as a known one does. (A remainder by the
    /// number of users would change with each new user.)
    pub fn at(&self, point: u64) -> Option<&str> {
        let scaled = (u128::from(point) * u128::from(self.users)) >> 64;
        let mut left = u64::try_from(scaled).ok()?;
        for (scheme, users) in &self.imported {
            left = match left.checked_sub(*users) {
                Some(left) => left,
                None => return Some(scheme),
            };
        }
        None
    }
}

/// The password schemes of a tenant's users, or of all users.
pub async fn shares(tx: &mut Tx<'_>, tenant: Option<&TenantId>) -> Result<SchemeShares> {
    let rows: Vec<(String, i64, i64)> = match tenant {
        Some(tenant) => on!(tx, conn => sqlx::query_as(
            "SELECT password_scheme, COUNT(*), (SELECT COUNT(*) FROM users WHERE tenant_id = $1) FROM users
             WHERE tenant_id = $1 AND password_scheme IS NOT NULL GROUP BY password_scheme ORDER BY password_scheme")
            .bind(tenant).fetch_all(conn))?,
        None => on!(tx, conn => sqlx::query_as(
            "SELECT password_scheme, COUNT(*), (SELECT COUNT(*) FROM users) FROM users
             WHERE password_scheme IS NOT NULL GROUP BY password_scheme ORDER BY password_scheme")
            .fetch_all(conn))?,
    };
    let count = |number: i64| u64::try_from(number).unwrap_or_default();
    let users = rows.first().map_or(0, |(.., users)| count(*users));
    let imported = rows.into_iter().map(|(scheme, number, _)| (scheme, count(number))).collect();
    Ok(SchemeShares { imported, users })
}
