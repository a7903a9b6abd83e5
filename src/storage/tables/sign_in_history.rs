//! Browsers in which users have signed in.

use crate::domain::epoch::Epoch;
use crate::domain::ids::{Hash, UserId};
use crate::domain::time::Time;
use crate::storage::core::error::Result;
use crate::storage::core::tx::Tx;

/// A sign-in of a user in a browser.
#[derive(Clone, Copy, Debug)]
pub struct SignInRecord<'a> {
    /// The user.
    pub user: &'a UserId,
    /// The keyed hash of user and cookie.
    pub hash: &'a Hash,
    /// The sum of the epochs of user and tenant, if a first factor was proved: while it is current, the browser has
    /// password tries of its own.
    pub epoch: Option<Epoch>,
    /// The end of the time for which the browser is known.
    pub until: Time,
}

/// The state of a browser before this sign-in, in relation to the user's other browsers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BrowserRecognition {
    /// A concurrent sign-in with the same cookie has added it.
    Known,
    /// The user has no known browser, so the user is not notified.
    First,
    /// The user has known browsers, but not this one.
    New,
}

/// Extends the row of a known browser; `false`: it is not known.
pub async fn touch(tx: &mut Tx<'_>, sign_in: SignInRecord<'_>, now: Time) -> Result<bool> {
    let SignInRecord { user, hash, epoch, until } = sign_in;
    let sql = "UPDATE known_browsers SET expires_at = $3, epoch = COALESCE($4, epoch)
               WHERE user_id = $1 AND hash = $2 AND expires_at > $5";
    Ok(execute!(tx, sql, user, hash, until, epoch, now)? == 1)
}

/// Adds a browser. If a user has more than `most`, those that expire first are deleted.
pub async fn add(
    tx: &mut Tx<'_>,
    sign_in: SignInRecord<'_>,
    most: i64,
    now: Time,
) -> Result<BrowserRecognition> {
    let SignInRecord { user, hash, epoch, until } = sign_in;
    let others: i64 = on!(tx, conn => sqlx::query_scalar(
        "SELECT COUNT(*) FROM known_browsers WHERE user_id = $1 AND expires_at > $2")
        .bind(user).bind(now).fetch_one(conn))?;
    // Of two concurrent sign-ins with one cookie, one inserts the row.
    let insert = "INSERT INTO known_browsers (user_id, hash, expires_at, epoch) VALUES ($1, $2, $3, $4)
         ON CONFLICT (user_id, hash) DO UPDATE
             SET expires_at = excluded.expires_at, epoch = excluded.epoch
         WHERE known_browsers.expires_at <= $5";
    if execute!(tx, insert, user, hash, until, epoch, now)? == 0 {
        return Ok(BrowserRecognition::Known);
    }
    if others >= most {
        execute!(
            tx,
            "DELETE FROM known_browsers WHERE user_id = $1 AND hash NOT IN (
                 SELECT hash FROM known_browsers WHERE user_id = $1 ORDER BY expires_at DESC, hash LIMIT $2)",
            user,
            most,
        )?;
    }
    Ok(if others == 0 { BrowserRecognition::First } else { BrowserRecognition::New })
}

/// Returns whether this browser has password tries of its own for this user: it is known and no epoch was raised since.
pub async fn has_tries(tx: &mut Tx<'_>, user: &UserId, hash: &Hash, now: Time) -> Result<bool> {
    let found: Option<Epoch> = on!(tx, conn => sqlx::query_scalar(
        "SELECT known_browsers.epoch FROM known_browsers
         JOIN users ON users.id = known_browsers.user_id
         JOIN tenants ON tenants.id = users.tenant_id
             AND users.epoch + tenants.epoch = known_browsers.epoch
         WHERE known_browsers.user_id = $1 AND known_browsers.hash = $2 AND known_browsers.expires_at > $3")
        .bind(user).bind(hash).bind(now).fetch_optional(conn))?;
    Ok(found.is_some())
}

/// The number of browsers known to this user.
pub async fn count(tx: &mut Tx<'_>, user: &UserId) -> Result<i64> {
    Ok(on!(tx, conn => sqlx::query_scalar("SELECT COUNT(*) FROM known_browsers WHERE user_id = $1")
        .bind(user).fetch_one(conn))?)
}
