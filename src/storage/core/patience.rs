//! The time that PostgreSQL is given for one statement: a server that hangs must not hang this process.

use std::time::Duration;

use super::error::{Error, Result};

/// The deadline of one statement.
pub(in crate::storage) const PATIENCE: Duration = Duration::from_secs(4);

/// Waits for PostgreSQL until the deadline.
pub(in crate::storage) async fn patiently<T>(
    answer: impl Future<Output = Result<T, sqlx::Error>>,
) -> Result<T> {
    match tokio::time::timeout(PATIENCE, answer).await {
        Ok(answer) => answer.map_err(Error::from),
        Err(_) => Err(Error::busy("PostgreSQL does not answer")),
    }
}
