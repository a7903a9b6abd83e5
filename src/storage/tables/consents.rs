//! Consents that are remembered: the scopes that users allow clients without being asked again.

use crate::domain::ids::{ClientId, IssuerId, UserId};
use crate::domain::scope::Scope;
use crate::storage::core::error::Result;
use crate::storage::core::json::Word;
use crate::storage::core::tx::Tx;

/// Stores the user's consent for this client, in place of an earlier one.
pub async fn record(
    tx: &mut Tx<'_>,
    user: &UserId,
    issuer: &IssuerId,
    client: &ClientId,
    scope: &Scope,
) -> Result<()> {
    execute!(
        tx,
        "INSERT INTO consents (user_id, client_issuer_id, client_id, scope) VALUES ($1, $2, $3, $4)
         ON CONFLICT (user_id, client_issuer_id, client_id) DO UPDATE SET scope = excluded.scope",
        user,
        issuer.home(),
        client,
        Word(scope),
    )?;
    Ok(())
}

/// The user's consent for this client.
pub async fn of(
    tx: &mut Tx<'_>,
    user: &UserId,
    issuer: &IssuerId,
    client: &ClientId,
) -> Result<Option<Scope>> {
    let scope: Option<Word<Scope>> = on!(tx, conn => sqlx::query_scalar(
        "SELECT scope FROM consents WHERE user_id = $1 AND client_issuer_id = $2 AND client_id = $3")
        .bind(user).bind(issuer.home()).bind(client).fetch_optional(conn))?;
    Ok(scope.map(|word| word.0))
}
