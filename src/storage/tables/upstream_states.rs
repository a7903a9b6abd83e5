//! Requests sent to an upstream provider, found by the hash of `state`. Each is answered once; its row is kept as long
//! as its login lasts.

use crate::domain::ids::{Hash, InteractionId, IssuerId, UpstreamId};
use crate::domain::time::Time;
use crate::storage::core::error::Result;
use crate::storage::core::tx::Tx;

/// Maximum pending requests of one login (tabs); beyond it the oldest are deleted.
const OF_ONE_LOGIN: i64 = 8;

/// A request to an upstream provider.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct UpstreamState {
    /// The hash of the value of `state`.
    pub state: Hash,
    /// The login that it belongs to.
    #[sqlx(rename = "interaction_id")]
    pub interaction: InteractionId,
    /// The provider it was sent to.
    #[sqlx(rename = "upstream_id")]
    pub upstream: UpstreamId,
    /// The time at which it was sent.
    pub departed_at: Time,
}

/// Stores a request. `Error::Conflict` if the login has ended.
pub async fn insert(tx: &mut Tx<'_>, new: &UpstreamState) -> Result<()> {
    execute!(
        tx,
        "DELETE FROM departures WHERE interaction_id = $1 AND state NOT IN
             (SELECT state FROM departures WHERE interaction_id = $1 ORDER BY departed_at DESC, state LIMIT $2)",
        &new.interaction,
        OF_ONE_LOGIN - 1,
    )?;
    execute!(
        tx,
        "INSERT INTO departures (state, interaction_id, upstream_id, departed_at, used) VALUES ($1, $2, $3, $4, FALSE)",
        &new.state,
        &new.interaction,
        &new.upstream,
        new.departed_at,
    )?;
    Ok(())
}

/// The request with this state, answered or not, if it belongs to an unexpired login at this issuer.
pub async fn by_state(
    tx: &mut Tx<'_>,
    state: &Hash,
    issuer: &IssuerId,
    now: Time,
) -> Result<Option<UpstreamState>> {
    Ok(on!(tx, conn => sqlx::query_as(
        "SELECT d.state, d.interaction_id, d.upstream_id, d.departed_at
         FROM departures d JOIN interactions i ON i.id = d.interaction_id
         WHERE d.state = $1 AND i.issuer_id = $2 AND i.expires_at > $3")
        .bind(state).bind(issuer).bind(now).fetch_optional(conn))?)
}

/// Marks the request as answered; of concurrent callers one gets `true`, and only that one may redeem the code.
pub async fn claim(tx: &mut Tx<'_>, state: &Hash) -> Result<bool> {
    Ok(execute!(tx, "UPDATE departures SET used = TRUE WHERE state = $1 AND NOT used", state)? == 1)
}
