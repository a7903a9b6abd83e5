//! The installation's own scopes, and APIs.

use std::collections::BTreeSet;

use crate::domain::audience::ResourceIndicator;
use crate::domain::own_scopes::{AccessTokenTyp, Api, OwnScope, OwnScopes, Title};
use crate::domain::scope::Scope;
use crate::storage::core::error::Result;
use crate::storage::core::json::{Json, Word};
use crate::storage::core::revision;
use crate::storage::core::tx::Tx;

#[derive(sqlx::FromRow)]
struct ScopeRow {
    name: String,
    title: Json<Title>,
    claims: Json<BTreeSet<String>>,
}

#[derive(sqlx::FromRow)]
struct ApiRow {
    audience: Word<ResourceIndicator>,
    typ: Word<AccessTokenTyp>,
    scopes: Word<Scope>,
}

/// Adds or replaces the scope with this name.
pub async fn upsert(tx: &mut Tx<'_>, own: &OwnScope) -> Result<()> {
    let sql = "INSERT INTO own_scopes (name, title, claims) VALUES ($1, $2, $3)
               ON CONFLICT (name) DO UPDATE SET title = excluded.title, claims = excluded.claims";
    execute!(tx, sql, &own.name, Json(&own.title), Json(&own.claims))?;
    revision::bump(tx).await
}

/// Removes a scope. Grants that contain it no longer give access to anything by it.
pub async fn remove(tx: &mut Tx<'_>, name: &str) -> Result<bool> {
    let removed = execute!(tx, "DELETE FROM own_scopes WHERE name = $1", name)?;
    revision::bump(tx).await?;
    Ok(removed == 1)
}

/// Adds or replaces the API with this audience.
pub async fn upsert_api(tx: &mut Tx<'_>, api: &Api) -> Result<()> {
    let sql = "INSERT INTO apis (audience, typ, scopes) VALUES ($1, $2, $3)
               ON CONFLICT (audience) DO UPDATE SET typ = excluded.typ, scopes = excluded.scopes";
    execute!(tx, sql, api.audience.as_str(), Word(api.typ), Word(&api.scopes))?;
    revision::bump(tx).await
}

/// Removes an API.
pub async fn remove_api(tx: &mut Tx<'_>, audience: &ResourceIndicator) -> Result<bool> {
    let removed = execute!(tx, "DELETE FROM apis WHERE audience = $1", audience.as_str())?;
    revision::bump(tx).await?;
    Ok(removed == 1)
}

/// All scopes and APIs, each sorted by name.
pub async fn all(tx: &mut Tx<'_>) -> Result<OwnScopes> {
    let scopes: Vec<ScopeRow> =
        on!(tx, conn => sqlx::query_as("SELECT name, title, claims FROM own_scopes").fetch_all(conn))?;
    let apis: Vec<ApiRow> =
        on!(tx, conn => sqlx::query_as("SELECT audience, typ, scopes FROM apis").fetch_all(conn))?;
    let scope = |row: ScopeRow| OwnScope { name: row.name, title: row.title.0, claims: row.claims.0 };
    let api = |row: ApiRow| Api { audience: row.audience.0, typ: row.typ.0, scopes: row.scopes.0 };
    let mut own = OwnScopes {
        scopes: scopes.into_iter().map(scope).collect(),
        apis: apis.into_iter().map(api).collect(),
    };
    // Sorted here: the two databases collate text differently.
    own.scopes.sort_by(|a, b| a.name.cmp(&b.name));
    own.apis.sort_by(|a, b| a.audience.cmp(&b.audience));
    Ok(own)
}
