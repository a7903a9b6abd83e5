//! Client assertions that were accepted, so that none counts twice (RFC 7523 §3, `jti`).

use crate::domain::ids::{ClientId, Hash, IssuerId};
use crate::domain::time::Time;
use crate::storage::core::error::Result;
use crate::storage::core::tx::Tx;

/// Uses an assertion up; of all who bring it, one gets `true`. Keep it until it would be refused for its age.
pub async fn claim(
    tx: &mut Tx<'_>,
    issuer: &IssuerId,
    client: &ClientId,
    jti: &Hash,
    expires_at: Time,
) -> Result<bool> {
    let claimed = execute!(
        tx,
        "INSERT INTO assertions (client_issuer_id, client_id, jti, expires_at) VALUES ($1, $2, $3, $4)
         ON CONFLICT (client_issuer_id, client_id, jti) DO NOTHING",
        issuer.home(),
        client,
        jti,
        expires_at,
    )?;
    Ok(claimed == 1)
}
