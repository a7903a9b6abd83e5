//! What can go wrong in the store, sorted by what the caller must do about it.

use std::borrow::Cow;
use std::sync::Arc;

type Source = Box<dyn std::error::Error + Send + Sync>;

/// A failed read or write. Nothing of a failed write remains; of one that is [`Error::Busy`] because PostgreSQL did not
/// answer, it is not known.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Locked, full, read-only or away: try again later (503). Never the caller's fault.
    #[error("the database is busy or away: {0}")]
    Busy(#[source] Source),
    /// The row stands against another one: taken already, or what it refers to is gone.
    #[error("the row conflicts with another one")]
    Conflict,
    /// The handle only reads ([`super::Db::reading`]).
    #[error("nothing may be written by this handle")]
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
    /// A defect or damage.
    #[error("database: {0}")]
    Other(#[source] Source),
}

/// A result of the store.
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    pub(in crate::storage) fn busy(reason: &'static str) -> Self {
        Self::Busy(reason.into())
    }

    /// The same failure for one more of those who waited for the same thing.
    pub(in crate::storage) fn shared(error: &Arc<Self>) -> Self {
        match **error {
            Self::Busy(_) => Self::Busy(Arc::clone(error).into()),
            _ => Self::other(Arc::clone(error)),
        }
    }

    pub(in crate::storage) fn other(reason: impl Into<Source>) -> Self {
        Self::Other(reason.into())
    }

    /// What was to be stored has no form to store it in: no text, or no seal.
    pub(crate) fn encoding(reason: impl Into<Source>) -> Self {
        Self::other(reason)
    }

    /// Lost a race on PostgreSQL (serialization failure, deadlock): running the closure again is the cure.
    pub(in crate::storage) fn is_lost_race(&self) -> bool {
        matches!(self.sql_state().as_deref(), Some("40001" | "40P01"))
    }

    /// What the database itself said, if it was the database.
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

/// Does the error lie in the state of the database or of the way to it, so that it may heal by itself?
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

/// Connection, resources, shutting down, lost races, time-outs, a standby.
fn is_passing_in_postgres(code: &str) -> bool {
    ["08", "53", "57", "40"].iter().any(|class| code.starts_with(class))
        || matches!(code, "55P03" | "25006" | "25P03" | "25P04")
}
