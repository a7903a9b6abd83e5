//! Browsers in which users have signed in.

use crate::domain::epoch::Epoch;
use crate::domain::ids::{Hash, UserId};
use crate::domain::time::Time;
use crate::storage::core::error::Result;
use crate::storage::core::tx::Tx;

/// A sign-in of a user in a browser.
#[derive(Clone, Copy, Debug)]
pub struct SignIn<'a> {
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

/// How a browser that was not known to its user relates to the user's others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sight {
    /// It is known by now: another sign-in with the same cookie won the race.
    Known,
    /// No browser of this user is known, so this is not news.
    First,
    /// Others are known, and this one is not.
    New,
}

/// Prolongs a browser that is known; `false`: it is not.
pub async fn touch(tx: &mut Tx<'_>, sign_in: SignIn<'_>, now: Time) -> Result<bool> {
    let SignIn { user, hash, epoch, until } = sign_in;
    let sql = "UPDATE known_browsers SET expires_at = $3, epoch = COALESCE($4, epoch)
               WHERE user_id = $1 AND hash = $2 AND expires_at > $5";
    Ok(execute!(tx, sql, user, hash, until, epoch, now)? == 1)
}

/// Adds a browser. Of more than `most` of one user those that would be forgotten first go.
pub async fn add(tx: &mut Tx<'_>, sign_in: SignIn<'_>, most: i64, now: Time) -> Result<Sight> {
    let SignIn { user, hash, epoch, until } = sign_in;
    let others: i64 = on!(tx, conn => sqlx::query_scalar(
        "SELECT COUNT(*) FROM known_browsers WHERE user_id = $1 AND expires_at > $2")
        .bind(user).bind(now).fetch_one(conn))?;
    // Of two sign-ins with one cookie at once, one is the first.
    let insert = "INSERT INTO known_browsers (user_id, hash, expires_at, epoch) VALUES ($1, $2, $3, $4)
         ON CONFLICT (user_id, hash) DO UPDATE
             SET expires_at = excluded.expires_at, epoch = excluded.epoch
         WHERE known_browsers.expires_at <= $5";
    if execute!(tx, insert, user, hash, until, epoch, now)? == 0 {
        return Ok(Sight::Known);
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
    Ok(if others == 0 { Sight::First } else { Sight::New })
}

/// Does this browser have password tries of its own for this user: is it known, and has nothing ended since?
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

/// How many browsers of this user are known.
pub async fn count(tx: &mut Tx<'_>, user: &UserId) -> Result<i64> {
    Ok(on!(tx, conn => sqlx::query_scalar("SELECT COUNT(*) FROM known_browsers WHERE user_id = $1")
        .bind(user).fetch_one(conn))?)
}
