//! Migrates the schema to this version, and rejects a database that a newer version has migrated.
//!
//! The list is written by hand because sqlx's `migrate!` needs its macros, which would compile both drivers twice.

use std::time::Duration;

use sqlx::migrate::{MigrateError, Migration, MigrationType, Migrator};
use sqlx::postgres::PgConnectOptions;
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions, Connection, SqlSafeStr};

use super::error::{Error, Result};
use super::writer;

/// Version, name, text. Append-only: an applied migration is compared by its checksum.
const MIGRATIONS: &[(i64, &str, &str)] = &[
    (1, "schema", include_str!("../../../migrations/0001_schema.sql")),
    (2, "refresh_tokens", include_str!("../../../migrations/0002_refresh_tokens.sql")),
    (3, "access_tokens", include_str!("../../../migrations/0003_access_tokens.sql")),
    (4, "key_states", include_str!("../../../migrations/0004_key_states.sql")),
    (5, "pushed_requests", include_str!("../../../migrations/0005_pushed_requests.sql")),
    (6, "sessions", include_str!("../../../migrations/0006_sessions.sql")),
    (7, "revoked_tokens", include_str!("../../../migrations/0007_revoked_tokens.sql")),
    (10, "factors", include_str!("../../../migrations/0010_factors.sql")),
    (11, "outbox", include_str!("../../../migrations/0011_outbox.sql")),
    (12, "salts", include_str!("../../../migrations/0012_salts.sql")),
    (14, "delivered_codes", include_str!("../../../migrations/0014_delivered_codes.sql")),
    (15, "recovery", include_str!("../../../migrations/0015_recovery.sql")),
    (16, "passkeys", include_str!("../../../migrations/0016_passkeys.sql")),
    (17, "upstreams", include_str!("../../../migrations/0017_upstreams.sql")),
    (18, "wrapped_keys", include_str!("../../../migrations/0018_wrapped_keys.sql")),
    (19, "trusted_browsers", include_str!("../../../migrations/0019_trusted_browsers.sql")),
    (20, "notices", include_str!("../../../migrations/0020_notices.sql")),
    (21, "user_versions", include_str!("../../../migrations/0021_user_versions.sql")),
    (26, "epochs", include_str!("../../../migrations/0026_epochs.sql")),
    (33, "known_browsers", include_str!("../../../migrations/0033_known_browsers.sql")),
    (34, "waiting_requests", include_str!("../../../migrations/0034_waiting_requests.sql")),
    (35, "groups", include_str!("../../../migrations/0035_groups.sql")),
    (36, "imported_passwords", include_str!("../../../migrations/0036_imported_passwords.sql")),
    (37, "own_scopes", include_str!("../../../migrations/0037_own_scopes.sql")),
    (40, "folded_names", include_str!("../../../migrations/0040_folded_names.sql")),
    (43, "logout_notices", include_str!("../../../migrations/0043_logout_notices.sql")),
    (45, "rp_sessions", include_str!("../../../migrations/0045_rp_sessions.sql")),
    (46, "ceremonies", include_str!("../../../migrations/0046_ceremonies.sql")),
];

/// Migrations of which each database has a text of its own.
const SQLITE: &[(i64, &str, &str)] =
    &[(41, "audit", include_str!("../../../migrations/0041_audit.sqlite.sql"))];
const POSTGRES: &[(i64, &str, &str)] =
    &[(41, "audit", include_str!("../../../migrations/0041_audit.postgres.sql"))];

/// Time limit for another node's migration to finish.
const WAIT: Duration = Duration::from_mins(1);

/// Migrates inside one transaction that takes the write lock at once: a second process waits, then finds nothing to do.
pub(super) async fn sqlite(options: &SqliteConnectOptions) -> Result<()> {
    let mut connection = writer::connect(&options.clone().busy_timeout(WAIT)).await?;
    let mut transaction = connection.begin_with("BEGIN IMMEDIATE").await?;
    migrator(SQLITE).run(&mut *transaction).await.map_err(explain)?;
    transaction.commit().await?;
    connection.close().await?;
    Ok(())
}

/// Migrates under sqlx's advisory lock, which is released when the connection is dropped.
pub(super) async fn postgres(options: &PgConnectOptions) -> Result<()> {
    let run = async {
        let mut connection = options.connect().await?;
        migrator(POSTGRES).run(&mut connection).await.map_err(explain)?;
        connection.close().await?;
        Ok(())
    };
    let late = |_| Err(Error::busy("another node has been migrating for a minute"));
    tokio::time::timeout(WAIT, run).await.unwrap_or_else(late)
}

fn migrator(own: &[(i64, &'static str, &'static str)]) -> Migrator {
    let migration = |&(version, name, text): &(i64, &'static str, &'static str)| {
        Migration::new(version, name.into(), MigrationType::Simple, text.into_sql_str(), false)
    };
    let mut all: Vec<_> = MIGRATIONS.iter().chain(own).collect();
    all.sort_by_key(|(version, ..)| *version);
    Migrator::with_migrations(all.into_iter().map(migration).collect())
}

fn explain(error: MigrateError) -> Error {
    let known = MIGRATIONS.iter().chain(SQLITE).map(|(version, ..)| *version).max().unwrap_or_default();
    match error {
        MigrateError::VersionMissing(found) if found > known => Error::Newer { found, known },
        MigrateError::Execute(error) | MigrateError::ExecuteMigration(error, _) => error.into(),
        other => Error::other(other),
    }
}
