//! Authorization codes: each is redeemed once (RFC 6749 §4.1.2).

use super::grants::{self, GrantWithUser};
use crate::domain::grant::{Grant, IssuedCode};
use crate::domain::ids::{GrantId, Hash};
use crate::domain::time::Time;
use crate::domain::user::User;
use crate::storage::core::error::Result;
use crate::storage::core::queue::ExpectedRows;
use crate::storage::core::tx::Tx;

#[derive(sqlx::FromRow)]
struct Row {
    hash: Hash,
    grant_id: GrantId,
    redirect_uri: String,
    code_challenge: Option<String>,
    nonce: Option<String>,
    expires_at: Time,
}

impl From<Row> for IssuedCode {
    fn from(row: Row) -> Self {
        Self {
            hash: row.hash,
            grant: row.grant_id,
            redirect_uri: row.redirect_uri,
            code_challenge: row.code_challenge,
            nonce: row.nonce,
            expires_at: row.expires_at,
        }
    }
}

/// The result of redeeming a code.
#[derive(Clone, Debug)]
pub enum Redemption {
    /// The code was valid and is now consumed.
    Fresh(Box<Redeemed>),
    /// The code was used before: revoke this grant (RFC 6749 §4.1.2, RFC 9700 §2.1.1).
    Reused(GrantId),
    /// The code does not exist or has expired; its grant, user, tenant or client has ended; or its redirect URI is no
    /// longer registered.
    Unknown,
}

/// A redeemed code with its grant and user.
#[derive(Clone, Debug)]
pub struct Redeemed {
    /// The code.
    pub code: IssuedCode,
    /// Its grant, which is active.
    pub grant: Grant,
    /// The user, who is not disabled.
    pub user: User,
}

/// Adds a code.
pub fn queue_insert(tx: &mut Tx<'_>, code: &IssuedCode) -> Result<()> {
    queue!(
        tx,
        ExpectedRows::Any,
        "INSERT INTO codes (hash, grant_id, redirect_uri, code_challenge, nonce, expires_at)
         VALUES ($1, $2, $3, $4, $5, $6)",
        &code.hash,
        &code.grant,
        &code.redirect_uri,
        &code.code_challenge,
        &code.nonce,
        code.expires_at,
    );
    Ok(())
}

/// Makes the code redeemable again if it was redeemed at this time: used if no token could be issued for it.
pub async fn give_back(tx: &mut Tx<'_>, hash: &Hash, redeemed_at: Time) -> Result<()> {
    let sql = "UPDATE codes SET used_at = NULL WHERE hash = $1 AND used_at = $2";
    execute!(tx, sql, hash, redeemed_at)?;
    Ok(())
}

/// Redeems a code: of concurrent callers one gets [`Redemption::Fresh`], the others [`Redemption::Reused`].
pub async fn redeem(tx: &mut Tx<'_>, hash: &Hash, now: Time) -> Result<Redemption> {
    let row: Option<Row> = on!(tx, conn => sqlx::query_as(
        "UPDATE codes SET used_at = $2 WHERE hash = $1 AND used_at IS NULL AND expires_at > $2
         RETURNING hash, grant_id, redirect_uri, code_challenge, nonce, expires_at")
        .bind(hash).bind(now).fetch_optional(conn))?;
    if let Some(code) = row.map(IssuedCode::from) {
        let alive = grants::with_redirect_uri(tx, &code.grant, &code.redirect_uri).await?;
        return Ok(alive.map_or(Redemption::Unknown, |GrantWithUser { grant, user, .. }| {
            Redemption::Fresh(Box::new(Redeemed { code, grant, user }))
        }));
    }
    let used: Option<GrantId> = on!(tx, conn => sqlx::query_scalar(
        "SELECT grant_id FROM codes WHERE hash = $1 AND used_at IS NOT NULL").bind(hash).fetch_optional(conn))?;
    Ok(used.map_or(Redemption::Unknown, Redemption::Reused))
}
