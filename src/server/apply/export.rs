//! Writing what is there as a document that brings it back, in a fixed order. What has its default is left out.

use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};
use serde_json::{Map, Value, json};

use super::read::DOCUMENT;
use super::{ApplyError, Syntax};
use crate::domain::tenant::Tenant;
use crate::management::members::{Member, MemberKind};
use crate::management::{
    self, apis, clients, groups, own_scopes, resellers, tenants, upstreams, users, values,
};
use crate::provider::Idp;
use crate::storage::upstreams::StoredUpstream;
use crate::storage::{self, Reader, issuers};

/// A value whose tables keep the order of the format.
#[derive(Serialize)]
#[serde(untagged)]
enum Node {
    Value(Value),
    List(Vec<Self>),
    Table(Table),
}

struct Table(Vec<(String, Node)>);

impl Serialize for Table {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for (name, node) in &self.0 {
            map.serialize_entry(name, node)?;
        }
        map.end()
    }
}

impl Idp {
    /// [`Idp::export`] in the syntax wanted.
    pub(crate) async fn export_as(&self, syntax: Syntax) -> Result<String, ApplyError> {
        let lists = self.stored_lists().await.map_err(ApplyError::failed)?;
        let shown = lists.iter().zip(DOCUMENT).filter(|((_, tables), _)| !tables.is_empty());
        let shown = shown
            .map(|((name, tables), (_, schema))| ((*name).to_owned(), show_list(schema.members, tables)));
        let table = Table(shown.collect());
        match syntax {
            Syntax::Toml => toml::to_string(&table).map_err(ApplyError::failed),
            Syntax::Json => serde_json::to_string_pretty(&table).map_err(ApplyError::failed),
        }
    }

    /// The lists of the document: of each thing its members, as they are stored.
    async fn stored_lists(&self) -> Result<[(&'static str, Vec<Value>); 8], management::Error> {
        let mut reader = self.db().read();
        let all = storage::tenants::all(&mut reader.tx()).await?;
        let owners = storage::resellers::all(&mut reader.tx()).await?;
        let providers = storage::upstreams::all(&mut reader.tx()).await?;
        let (mut tenant_tables, mut group_tables, mut user_tables) = (Vec::new(), Vec::new(), Vec::new());
        for tenant in &all {
            let hosts = issuers::hosts(&mut reader.tx(), &tenant.id).await?;
            tenant_tables.push(tenants::stored(tenant, hosts, &owners)?);
            group_tables.extend(groups::stored(&mut reader, tenant).await?);
            user_tables.extend(self.stored_users(&mut reader, tenant, &providers).await?);
        }
        let providers = providers.iter().map(|it| upstreams::stored(&it.upstream, &all, &owners));
        let registered = storage::clients::all(&mut reader.tx()).await?;
        let registered = registered.iter().map(|it| Ok(Value::Object(clients::stored(it, &all)?)));
        let mut client_tables = registered.collect::<Result<Vec<_>, management::Error>>()?;
        // Row ids are random: only natural keys give the same order in every store.
        let key = |table: &Value| ["tenant", "client_id"].map(|name| table.get(name).map(Value::to_string));
        client_tables.sort_by_key(key);
        let own = storage::own_scopes::all(&mut reader.tx()).await?;
        Ok([
            ("resellers", owners.iter().map(resellers::stored).collect()),
            ("tenants", tenant_tables),
            ("upstreams", providers.collect::<Result<_, _>>()?),
            ("groups", group_tables),
            ("users", user_tables),
            ("scopes", own.scopes.iter().map(own_scopes::stored).collect()),
            ("apis", own.apis.iter().map(apis::stored).collect()),
            ("clients", client_tables),
        ])
    }

    async fn stored_users(
        &self,
        reader: &mut Reader,
        tenant: &Tenant,
        providers: &[StoredUpstream],
    ) -> Result<Vec<Value>, management::Error> {
        let mut groups = groups::of_users(reader, tenant).await?;
        let mut tables = Vec::new();
        for user in storage::users::all(&mut reader.tx(), &tenant.id).await? {
            let groups = groups.remove(&user.user.id);
            let is_there = |at: &&StoredUpstream| {
                user.user.upstream.as_ref().is_some_and(|account| account.upstream == at.upstream.id)
            };
            let upstream = providers.iter().find(is_there).map(|at| &at.upstream.name);
            let table = users::stored(self.management(), reader, tenant, user, upstream, groups).await?;
            tables.push(Value::Object(table));
        }
        Ok(tables)
    }
}

/// Stored members as the document writes them, in the format's order.
fn show_table(format: &'static [Member], stored: &Map<String, Value>) -> Table {
    let empty = |value: &Value| value.is_null() || value.as_object().is_some_and(Map::is_empty);
    let shown = format.iter().flat_map(|member| {
        let named = stored.iter().filter(|(name, value)| member.tag(name).is_some() && !empty(value));
        named.map(|(name, value)| (name.clone(), show(&member.kind, value)))
    });
    Table(shown.collect())
}

fn show_list(format: &'static [Member], tables: &[Value]) -> Node {
    let tables = tables.iter().filter_map(Value::as_object);
    Node::List(tables.map(|table| Node::Table(show_table(format, table))).collect())
}

fn show(kind: &'static MemberKind, value: &Value) -> Node {
    match (kind, value) {
        (MemberKind::Span, _) => Node::Value(json!(values::show_span(value.as_u64().unwrap_or_default()))),
        (MemberKind::Moment, _) => {
            Node::Value(json!(values::show_moment(value.as_i64().unwrap_or_default())))
        }
        (MemberKind::Logo, _) => {
            let text = |name| value.get(name).and_then(Value::as_str).unwrap_or_default();
            Node::Value(json!(format!("data:{};base64,{}", text("media_type"), text("data"))))
        }
        (MemberKind::Table(format), Value::Object(table)) => Node::Table(show_table(format, table)),
        (MemberKind::Tables(format), Value::Array(tables)) => show_list(format, tables),
        _ => Node::Value(value.clone()),
    }
}
