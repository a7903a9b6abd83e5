//! Background tasks: expired rows are deleted in small batches, keys are rotated, messages and logout tokens are sent.

use std::time::Duration;

use crate::audit;
use crate::domain::message::Channel;
use crate::provider::Idp;
use crate::storage::{audit as trail, sweep};

/// Time between two rounds.
const INTERVAL: Duration = Duration::from_secs(30);
/// Interval at which queued refusals are written.
const TRAIL: Duration = Duration::from_secs(1);
/// Rows per table and transaction, small enough that no login waits long.
const BATCH: i64 = 500;

impl Idp {
    /// Runs the background tasks forever; the host decides where. Dropping the future at any moment loses nothing.
    pub async fn housekeeping(self) {
        tokio::join!(
            self.tidy(),
            self.keep_trail(),
            self.lane(Channel::Mail),
            self.lane(Channel::Sms),
            self.logout_lane()
        );
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

    /// Writes the queued refusals to the audit trail, and numbers its entries even if they are not read.
    async fn keep_trail(&self) {
        loop {
            let written = match self.write_refusals(false).await {
                Ok(()) => audit::assign_places(self.db()).await,
                failed => failed,
            };
            if let Err(error) = written {
                tracing::warn!(%error, "cannot write to the audit trail");
            }
            tokio::time::sleep(TRAIL).await;
        }
    }

    /// Deletes one batch of expired rows and returns their number.
    pub(crate) async fn sweep(&self) -> Result<u64, crate::storage::Error> {
        let now = self.now();
        let entries = now.minus(self.settings().audit.entries);
        let refusals = now.minus(self.settings().audit.refusals);
        let swept = self.db().write(move |tx| {
            Box::pin(async move {
                let expired = sweep::sweep(tx, now, BATCH).await?;
                let refusals = trail::remove_before(tx, true, refusals, BATCH).await?;
                Ok(expired + refusals + trail::remove_before(tx, false, entries, BATCH).await?)
            })
        });
        swept.await
    }
}
