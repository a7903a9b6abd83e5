//! The store's errors, by what the caller must do about them.

use std::borrow::Cow;
use std::sync::Arc;

type Source = Box<dyn std::error::Error + Send + Sync>;

/// A failed read or write. A failed write leaves nothing behind, with one exception: if PostgreSQL did not answer
/// ([`Error::Busy`]), the outcome is unknown.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Locked, full, read-only or unreachable: try again later (503). Never the caller's fault.
    #[error("the database is busy or unreachable: {0}")]
    Busy(#[source] Source),
    /// A constraint was violated: the key is taken, or a referenced row is missing.
    #[error("the row conflicts with another one")]
    Conflict,
    /// The handle is read-only ([`super::Db::reading`]).
    #[error("cannot write with a read-only handle")]
    ReadOnly,
    /// A newer version of this program has changed the store.
    #[error(
        "the database was written by a newer version of vestibule (its schema is {found}, this version knows {known}); start that version, or restore a backup made before the upgrade"
    )]
    Newer {
        /// The schema found.
        found: i64,
        /// The newest this version knows.
        known: i64,
    },
    /// A bug, or a damaged database.
    #[error("database: {0}")]
    Other(#[source] Source),
}

/// A result of the store.
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    pub(in crate::storage) fn busy(reason: &'static str) -> Self {
        Self::Busy(reason.into())
    }

    /// A copy of the error for another caller that waited for the same result.
    pub(in crate::storage) fn shared(error: &Arc<Self>) -> Self {
        match **error {
            Self::Busy(_) => Self::Busy(Arc::clone(error).into()),
            _ => Self::other(Arc::clone(error)),
        }
    }

    pub(in crate::storage) fn other(reason: impl Into<Source>) -> Self {
        Self::Other(reason.into())
    }

    /// A value that could not be encoded or sealed for storage.
    pub(crate) fn encoding(reason: impl Into<Source>) -> Self {
        Self::other(reason)
    }

    /// Returns whether PostgreSQL aborted the transaction for a lost race (serialization failure, deadlock): retry it.
    pub(in crate::storage) fn is_lost_race(&self) -> bool {
        matches!(self.sql_state().as_deref(), Some("40001" | "40P01"))
    }

    /// The SQLSTATE or SQLite code, if the error came from the database.
    fn sql_state(&self) -> Option<Cow<'_, str>> {
        let (Self::Busy(source) | Self::Other(source)) = self else { return None };
        source.downcast_ref::<sqlx::Error>()?.as_database_error()?.code()
    }
}

impl From<sqlx::Error> for Error {
    fn from(error: sqlx::Error) -> Self {
        use sqlx::error::ErrorKind;
        if let Some(database) = error.as_database_error()
            && matches!(database.kind(), ErrorKind::UniqueViolation | ErrorKind::ForeignKeyViolation)
        {
            return Self::Conflict;
        }
        if is_passing(&error) { Self::Busy(error.into()) } else { Self::Other(error.into()) }
    }
}

/// Returns whether the error may pass without intervention: it comes from the state of the database or the connection.
fn is_passing(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::Io(_)
        | sqlx::Error::Tls(_)
        | sqlx::Error::Protocol(_)
        | sqlx::Error::PoolTimedOut
        | sqlx::Error::PoolClosed
        | sqlx::Error::WorkerCrashed
        | sqlx::Error::BeginFailed => true,
        sqlx::Error::Database(database) => {
            let code = database.code().unwrap_or_default();
            if database.try_downcast_ref::<sqlx::sqlite::SqliteError>().is_some() {
                is_passing_in_sqlite(&code)
            } else {
                is_passing_in_postgres(&code)
            }
        }
        _ => false,
    }
}

/// `BUSY`, `LOCKED`, `READONLY`, `IOERR`, `FULL`, `CANTOPEN`: the low byte of the extended code.
fn is_passing_in_sqlite(code: &str) -> bool {
    code.parse::<u32>().is_ok_and(|code| matches!(code & 0xff, 5 | 6 | 8 | 10 | 13 | 14))
}

/// Classes 08 connection, 53 resources, 57 operator intervention (shutdown, time-out, standby), 40 rollback.
fn is_passing_in_postgres(code: &str) -> bool {
    ["08", "53", "57", "40"].iter().any(|class| code.starts_with(class))
        || matches!(code, "55P03" | "25006" | "25P03" | "25P04")
}
