//! Client assertions that were accepted, kept to prevent replay (RFC 7523 §3, `jti`).

use crate::domain::ids::{ClientId, Hash, IssuerId};
use crate::domain::time::Time;
use crate::storage::core::error::Result;
use crate::storage::core::tx::Tx;

/// Records an assertion; of concurrent callers one gets `true`. It must be kept until the assertion is too old to be
/// accepted.
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
