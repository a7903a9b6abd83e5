//! Trusted browsers, found by the hash of their cookie.

use crate::domain::epoch::Epoch;
use crate::domain::ids::{Hash, TrustedBrowserId, UserId};
use crate::domain::time::Time;
use crate::domain::trusted_browser::{BrowserSignals, MOST, TrustedBrowser};
use crate::storage::core::error::Result;
use crate::storage::core::json::Json;
use crate::storage::core::tx::Tx;

#[derive(sqlx::FromRow)]
struct Row {
    id: TrustedBrowserId,
    user_id: UserId,
    epoch: Epoch,
    cookie: Hash,
    profile: Json<BrowserSignals>,
    label: String,
    created_at: Time,
    seen_at: Time,
    expires_at: Time,
}

impl From<Row> for TrustedBrowser {
    fn from(row: Row) -> Self {
        Self {
            id: row.id,
            user: row.user_id,
            epoch: row.epoch,
            cookie: row.cookie,
            profile: row.profile.0,
            label: row.label,
            created_at: row.created_at,
            seen_at: row.seen_at,
            expires_at: row.expires_at,
        }
    }
}

/// Adds a browser. If a user has more than [`MOST`], those used longest ago are deleted.
pub async fn insert(tx: &mut Tx<'_>, browser: &TrustedBrowser) -> Result<()> {
    execute!(
        tx,
        "INSERT INTO trusted_browsers (id, user_id, cookie, profile, label, created_at, seen_at, expires_at, epoch)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
        &browser.id,
        &browser.user,
        &browser.cookie,
        Json(&browser.profile),
        &browser.label,
        browser.created_at,
        browser.seen_at,
        browser.expires_at,
        browser.epoch,
    )?;
    execute!(
        tx,
        "DELETE FROM trusted_browsers WHERE user_id = $1 AND id NOT IN (
             SELECT id FROM trusted_browsers WHERE user_id = $1 ORDER BY seen_at DESC, created_at DESC, id LIMIT $2)",
        &browser.user,
        MOST,
    )?;
    Ok(())
}

/// The browser with this cookie, if this user trusts it. The caller checks whether the trust is still valid.
pub async fn by_cookie(tx: &mut Tx<'_>, user: &UserId, cookie: &Hash) -> Result<Option<TrustedBrowser>> {
    let row: Option<Row> = on!(tx, conn => sqlx::query_as(
        "SELECT id, user_id, epoch, cookie, profile, label, created_at, seen_at, expires_at
         FROM trusted_browsers WHERE cookie = $1 AND user_id = $2").bind(cookie).bind(user).fetch_optional(conn))?;
    Ok(row.map(TrustedBrowser::from))
}

/// The browsers of a user, the one used last first.
pub async fn of_user(tx: &mut Tx<'_>, user: &UserId) -> Result<Vec<TrustedBrowser>> {
    let rows: Vec<Row> = on!(tx, conn => sqlx::query_as(
        "SELECT id, user_id, epoch, cookie, profile, label, created_at, seen_at, expires_at
         FROM trusted_browsers WHERE user_id = $1 ORDER BY seen_at DESC, created_at DESC, id")
        .bind(user).fetch_all(conn))?;
    Ok(rows.into_iter().map(TrustedBrowser::from).collect())
}

/// Records that the browser skipped a second factor. `false`: it is no longer trusted.
pub async fn touch(tx: &mut Tx<'_>, id: &TrustedBrowserId, now: Time) -> Result<bool> {
    let sql = "UPDATE trusted_browsers SET seen_at = $2 WHERE id = $1 AND expires_at > $2";
    Ok(execute!(tx, sql, id, now)? == 1)
}

/// Deletes all trusted browsers of this user.
pub async fn remove_all(tx: &mut Tx<'_>, user: &UserId) -> Result<u64> {
    execute!(tx, "DELETE FROM trusted_browsers WHERE user_id = $1", user)
}
