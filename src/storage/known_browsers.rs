//! Browsers in which users have signed in.

use super::Tx;
use super::error::Result;
use crate::domain::ids::{Hash, UserId};
use crate::domain::time::Time;

/// How a browser stands to the user who has just signed in there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sight {
    /// The user has signed in there before.
    Known,
    /// No browser of this user is known, so this is not news.
    First,
    /// Others are known, and this one is not.
    New,
}

/// Notes a sign-in in this browser, which is known from now on until `until`. Of more than `most` of one user those that
/// would be forgotten first go.
pub async fn note(
    tx: &mut Tx<'_>,
    user: &UserId,
    hash: &Hash,
    until: Time,
    most: i64,
    now: Time,
) -> Result<Sight> {
    let touch =
        "UPDATE known_browsers SET expires_at = $3 WHERE user_id = $1 AND hash = $2 AND expires_at > $4";
    if execute!(tx, touch, user, hash, until, now)? == 1 {
        return Ok(Sight::Known);
    }
    let others: i64 = on!(tx, conn => sqlx::query_scalar(
        "SELECT COUNT(*) FROM known_browsers WHERE user_id = $1 AND expires_at > $2")
        .bind(user).bind(now).fetch_one(conn))?;
    // Two answers of one browser at once: one of them is the first.
    let insert = "INSERT INTO known_browsers (user_id, hash, expires_at) VALUES ($1, $2, $3)
         ON CONFLICT (user_id, hash) DO UPDATE SET expires_at = excluded.expires_at
         WHERE known_browsers.expires_at <= $4";
    if execute!(tx, insert, user, hash, until, now)? == 0 {
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

/// How many browsers of this user are known.
pub async fn count(tx: &mut Tx<'_>, user: &UserId) -> Result<i64> {
    Ok(on!(tx, conn => sqlx::query_scalar("SELECT COUNT(*) FROM known_browsers WHERE user_id = $1")
        .bind(user).fetch_one(conn))?)
}
