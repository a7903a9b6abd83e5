//! Migrates the keys of user names from lower case to [`Username::key`], once per store (migration 40).
//!
//! It runs after the schema migrations, before the node serves. Each batch is committed together with the position
//! reached: a crash loses one batch, and the next start continues from there. If several nodes start at once, the row
//! of the position lets one of them write each batch, and the others read the position again. Statements are bounded by
//! the batch, so a million users take seconds and no long transaction; ASCII keys are the same in both forms and are
//! not read.
//!
//! **A node of an earlier version that still runs** looks up the lower-case key: until it is replaced, it does not find
//! the few users whose key differs (`ß`, a final sigma, …). Users that it adds meanwhile are found by this version,
//! because it looks up both keys ([`super::users::credentials`]).
//!
//! **Two users of a tenant whose folded names are the same** keep their keys: each still signs in by the spelling of
//! their own name. `shared_key` reserves the folded key, so that no new user can take it, and the log names both.

use std::time::Duration;

use crate::domain::ids::{TenantId, UserId};
use crate::domain::tenant::TenantDomain;
use crate::domain::user::Username;
use crate::storage::core::db::Db;
use crate::storage::core::error::{Error, Result};
use crate::storage::core::tx::Tx;

/// Users per transaction.
const BATCH: i64 = 500;
/// Tries of a batch while other nodes write, and the pause between them.
const TRIES: u32 = 60;
const PAUSE: Duration = Duration::from_millis(250);

/// The position of the migration.
#[derive(sqlx::FromRow)]
struct RewriteProgress {
    /// The last user migrated.
    position: String,
    finished: bool,
}

#[derive(sqlx::FromRow)]
struct UserKeyRow {
    id: UserId,
    tenant_id: TenantId,
    username: Username,
    username_key: String,
}

/// Users of a tenant whose folded names are the same.
#[derive(Debug)]
struct Collision {
    tenant: TenantDomain,
    usernames: Vec<String>,
}

/// The users of this tenant that share this folded key; no new user may take it.
pub async fn sharers(tx: &mut Tx<'_>, tenant: &TenantId, name: &Username) -> Result<Vec<String>> {
    Ok(on!(tx, conn => sqlx::query_scalar(
        "SELECT username FROM users WHERE tenant_id = $1 AND shared_key = $2 ORDER BY username_key")
        .bind(tenant).bind(name.key()).fetch_all(conn))?)
}

/// Moves the last remaining sharer to the folded key.
pub(in crate::storage) async fn release(tx: &mut Tx<'_>, tenant: &TenantId, key: &str) -> Result<()> {
    execute!(
        tx,
        "UPDATE users SET username_key = shared_key, shared_key = NULL
         WHERE tenant_id = $1 AND shared_key = $2
         AND NOT EXISTS (SELECT 1 FROM users AS other
             WHERE other.tenant_id = $1 AND other.shared_key = $2 AND other.id <> users.id)
         AND NOT EXISTS (SELECT 1 FROM users AS other
             WHERE other.tenant_id = $1 AND other.username_key = $2 AND other.id <> users.id)",
        tenant,
        key,
    )?;
    Ok(())
}

impl Db {
    /// Migrates the schema and the keys of user names to this version; several nodes may do so concurrently.
    pub async fn migrate(&self) -> Result<()> {
        self.migrate_schema().await?;
        rewrite(self).await
    }
}

/// Migrates the remaining users; returns when all are done, by this or another node.
async fn rewrite(db: &Db) -> Result<()> {
    let mut tries = 1;
    loop {
        match next_batch(db).await {
            Ok(None) => return Ok(()),
            Ok(Some(collisions)) => {
                tries = 1;
                for Collision { tenant, usernames } in collisions {
                    tracing::warn!(
                        %tenant,
                        users = usernames.join(", "),
                        "these user names are the same but for their spelling: each signs in by its own spelling only; \
                         remove one and add it under another name"
                    );
                }
            }
            Err(Error::Busy(_) | Error::Conflict) if tries < TRIES => {
                tries += 1;
                tokio::time::sleep(PAUSE).await;
            }
            Err(error) => return Err(error),
        }
    }
}

/// Migrates one batch unless another node has; `None`: no users are left.
async fn next_batch(db: &Db) -> Result<Option<Vec<Collision>>> {
    let mut reader = db.read();
    let RewriteProgress { position: from, finished } = on!(reader.tx(), conn => sqlx::query_as(
        "SELECT position, finished FROM rewrites WHERE name = 'username_keys'").fetch_one(conn))?;
    if finished {
        return Ok(None);
    }
    let position = from.as_str();
    let end: Option<String> = on!(reader.tx(), conn => sqlx::query_scalar(
        "SELECT max(id) FROM (SELECT id FROM users WHERE id > $1 ORDER BY id LIMIT $2) AS batch")
        .bind(position).bind(BATCH).fetch_one(conn))?;
    let written = db.write(move |tx| {
        let (from, end) = (from.clone(), end.clone());
        Box::pin(async move { write_batch(tx, &from, end.as_deref()).await })
    });
    written.await.map(Some)
}

async fn write_batch(tx: &mut Tx<'_>, from: &str, end: Option<&str>) -> Result<Vec<Collision>> {
    let claimed = execute!(
        tx,
        "UPDATE rewrites SET position = $2, finished = $3
         WHERE name = 'username_keys' AND position = $1 AND NOT finished",
        from,
        end.unwrap_or(from),
        end.is_none(),
    )?;
    let (1, Some(end)) = (claimed, end) else { return Ok(Vec::new()) };
    let batch: Vec<UserKeyRow> = on!(tx, conn => sqlx::query_as(
        "SELECT id, tenant_id, username, username_key FROM users
         WHERE id > $1 AND id <= $2 AND octet_length(username_key) > length(username_key) ORDER BY id")
        .bind(from).bind(end).fetch_all(conn))?;
    let mut collisions = Vec::new();
    for user in &batch {
        collisions.extend(rewrite_one(tx, user).await?);
    }
    Ok(collisions)
}

async fn rewrite_one(tx: &mut Tx<'_>, user: &UserKeyRow) -> Result<Option<Collision>> {
    let folded = user.username.key();
    let key = folded.as_str();
    if key == user.username_key || user.username_key != user.username.former_key() {
        return Ok(None);
    }
    // Two queries instead of OR, for which SQLite would read all users of the tenant.
    let others: Vec<UserKeyRow> = on!(tx, conn => sqlx::query_as(
        "SELECT id, tenant_id, username, username_key FROM users
         WHERE tenant_id = $1 AND username_key = $3 AND id <> $2
         UNION SELECT id, tenant_id, username, username_key FROM users
         WHERE tenant_id = $1 AND shared_key = $3 AND id <> $2 ORDER BY id")
        .bind(&user.tenant_id).bind(&user.id).bind(key).fetch_all(conn))?;
    if others.is_empty() {
        let sql = "UPDATE users SET username_key = $2 WHERE id = $1 AND username_key = $3";
        execute!(tx, sql, &user.id, key, &user.username_key)?;
        return Ok(None);
    }
    let sharers: Vec<&UserKeyRow> = others.iter().chain([user]).collect();
    for sharer in &sharers {
        let former = sharer.username.former_key();
        let sql = "UPDATE users SET username_key = $2, shared_key = $3 WHERE id = $1 AND username_key = $4";
        execute!(tx, sql, &sharer.id, former, key, &sharer.username_key)?;
    }
    let tenant = on!(tx, conn => sqlx::query_scalar("SELECT domain FROM tenants WHERE id = $1")
        .bind(&user.tenant_id).fetch_one(conn))?;
    let usernames = sharers.iter().map(|sharer| sharer.username.to_string()).collect();
    Ok(Some(Collision { tenant, usernames }))
}
