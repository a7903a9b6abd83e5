//! Passwords whose hash another system computed, until their users sign in, and how many there are of each scheme.

use crate::domain::ids::{Hash, TenantId, UserId};
use crate::storage::core::error::Result;
use crate::storage::core::revision;
use crate::storage::core::tx::Tx;

/// Stores an imported hash, with its scheme and a keyed hash of the text that it was imported from.
pub async fn set(tx: &mut Tx<'_>, id: &UserId, hash: &str, scheme: &str, source: &Hash) -> Result<bool> {
    let sql = "UPDATE users SET password_hash = $2, password_scheme = $3, password_source = $4 WHERE id = $1";
    let written = execute!(tx, sql, id, hash, scheme, source)?;
    // The schemes in use are cached.
    revision::bump(tx).await?;
    Ok(written == 1)
}

/// How many users have a hash of which scheme.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SchemeShares {
    /// The imported schemes, by name.
    pub imported: Vec<(String, u64)>,
    /// All users, if there is an imported scheme.
    pub users: u64,
}

impl SchemeShares {
    /// The scheme of the user at this point of all users in a row (2^64 is the end of the row), imported schemes first;
    /// `None` = a hash of our own.
    ///
    /// The imported share only shrinks while users sign in and are added, so a point that has once met our own stays there:
    /// an unknown name changes as a known one does. (A remainder by the number of users would change with each of them.)
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

/// The schemes of a tenant's users, or of all.
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
