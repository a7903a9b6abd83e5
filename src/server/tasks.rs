//! Background tasks: expired rows are deleted in small batches, keys are rotated, messages and logout tokens are sent.

use std::time::Duration;

use crate::domain::message::Channel;
use crate::provider::Idp;
use crate::storage::sweep;

/// Time between two rounds.
const INTERVAL: Duration = Duration::from_secs(30);
/// Rows per table and transaction, small enough that no login waits long.
const BATCH: i64 = 500;

impl Idp {
    /// Runs the background tasks forever; the host decides where. Dropping the future at any moment loses nothing.
    pub async fn housekeeping(self) {
        tokio::join!(self.tidy(), self.lane(Channel::Mail), self.lane(Channel::Sms), self.logout_lane());
    }

    async fn tidy(&self) {
        loop {
            if let Err(error) = self.tend_keys().await {
                tracing::warn!(%error, "cannot rotate signing keys");
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

    /// Deletes one batch of expired rows and returns their number.
    pub(crate) async fn sweep(&self) -> Result<u64, crate::storage::Error> {
        let now = self.now();
        self.db().write(move |tx| Box::pin(sweep::sweep(tx, now, BATCH))).await
    }
}
