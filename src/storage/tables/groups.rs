//! Groups and their members.

use super::users;
use crate::domain::group::{Group, GroupName};
use crate::domain::ids::{GroupId, TenantId, UserId};
use crate::storage::core::error::{Error, Result};
use crate::storage::core::tx::Tx;

#[derive(sqlx::FromRow)]
struct Row {
    id: GroupId,
    tenant_id: TenantId,
    name: GroupName,
}

impl From<Row> for Group {
    fn from(row: Row) -> Self {
        Self { id: row.id, tenant: row.tenant_id, name: row.name }
    }
}

/// Adds a group. `Error::Conflict` if the tenant has one of this name.
pub async fn insert(tx: &mut Tx<'_>, group: &Group) -> Result<()> {
    let sql = "INSERT INTO user_groups (id, tenant_id, name) VALUES ($1, $2, $3)";
    execute!(tx, sql, &group.id, &group.tenant, &group.name)?;
    Ok(())
}

/// The group of this tenant with this name.
pub async fn by_name(tx: &mut Tx<'_>, tenant: &TenantId, name: &GroupName) -> Result<Option<Group>> {
    let row: Option<Row> = on!(tx, conn => sqlx::query_as(
        "SELECT id, tenant_id, name FROM user_groups WHERE tenant_id = $1 AND name = $2")
        .bind(tenant).bind(name).fetch_optional(conn))?;
    Ok(row.map(Group::from))
}

/// The groups of a tenant by name.
pub async fn all(tx: &mut Tx<'_>, tenant: &TenantId) -> Result<Vec<Group>> {
    let rows: Vec<Row> = on!(tx, conn => sqlx::query_as(
        "SELECT id, tenant_id, name FROM user_groups WHERE tenant_id = $1").bind(tenant).fetch_all(conn))?;
    Ok(sorted(rows))
}

/// The groups of a user by name.
pub async fn of_user(tx: &mut Tx<'_>, user: &UserId) -> Result<Vec<Group>> {
    let rows: Vec<Row> = on!(tx, conn => sqlx::query_as(
        "SELECT g.id, g.tenant_id, g.name FROM group_members m JOIN user_groups g ON g.id = m.group_id
         WHERE m.user_id = $1").bind(user).fetch_all(conn))?;
    Ok(sorted(rows))
}

/// The members of the groups of a tenant, each with the name of one group.
pub async fn members(tx: &mut Tx<'_>, tenant: &TenantId) -> Result<Vec<(UserId, GroupName)>> {
    on!(tx, conn => sqlx::query_as(
        "SELECT m.user_id, g.name FROM user_groups g JOIN group_members m ON m.group_id = g.id
         WHERE g.tenant_id = $1").bind(tenant).fetch_all(conn))
}

/// Sorts by name; the two databases collate text differently.
fn sorted(rows: Vec<Row>) -> Vec<Group> {
    let mut groups: Vec<Group> = rows.into_iter().map(Group::from).collect();
    groups.sort_by(|a, b| a.name.cmp(&b.name));
    groups
}

/// Makes the user a member of exactly these groups. `Error::Conflict` if one no longer exists or is another tenant's.
pub async fn set_of_user(tx: &mut Tx<'_>, user: &UserId, groups: &[GroupId]) -> Result<()> {
    users::hold(tx, user).await?;
    execute!(tx, "DELETE FROM group_members WHERE user_id = $1", user)?;
    for group in groups {
        let sql = "INSERT INTO group_members (user_id, group_id)
                   SELECT u.id, g.id FROM users u JOIN user_groups g ON g.tenant_id = u.tenant_id
                   WHERE u.id = $1 AND g.id = $2";
        if execute!(tx, sql, user, group)? != 1 {
            return Err(Error::Conflict);
        }
    }
    Ok(())
}

/// Removes a group; its members stay.
pub async fn remove(tx: &mut Tx<'_>, id: &GroupId) -> Result<bool> {
    Ok(execute!(tx, "DELETE FROM user_groups WHERE id = $1", id)? == 1)
}
