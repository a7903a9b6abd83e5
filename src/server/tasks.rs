//! What has to happen in the background: expired rows are swept in small batches, keys are replaced, messages are sent.

use std::time::Duration;

use crate::domain::message::Channel;
use crate::provider::Idp;
use crate::storage::sweep;

/// How often to look.
const INTERVAL: Duration = Duration::from_secs(30);
/// Rows per table and transaction: small, so that no login waits behind the broom.
const BATCH: i64 = 500;

impl Idp {
    /// Runs for ever; the host decides where. Dropping it at any moment loses nothing.
    pub async fn housekeeping(self) {
        tokio::join!(self.tidy(), self.lane(Channel::Mail), self.lane(Channel::Sms));
    }

    async fn tidy(&self) {
        loop {
            if let Err(error) = self.tend_keys().await {
                tracing::warn!(%error, "keys could not be looked after");
            }
            match self.sweep().await {
                Ok(rows) if rows >= BATCH.unsigned_abs() => {}
                Ok(_) => tokio::time::sleep(INTERVAL).await,
                Err(error) => {
                    tracing::warn!(%error, "sweeping failed");
                    tokio::time::sleep(INTERVAL).await;
                }
            }
        }
    }

    /// Removes one batch of what has expired; tells how many rows.
    pub(crate) async fn sweep(&self) -> Result<u64, crate::storage::Error> {
        let now = self.now();
        self.db().write(move |tx| Box::pin(sweep::sweep(tx, now, BATCH))).await
    }
}
