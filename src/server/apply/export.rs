//! Writing what is there as a document that brings it back, in a fixed order. What has its default is left out.

use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};
use serde_json::{Map, Value, json};

use super::format::{DOCUMENT, Kind, Member};
use super::{ApplyError, Syntax, value};
use crate::crypto::otp::OtpSecret;
use crate::domain::authenticator;
use crate::domain::branding::Branding;
use crate::domain::client::{Client, ClientAuthentication, ClientKeys, ClientMetadata};
use crate::domain::locale::Locale;
use crate::domain::tenant::{Tenant, TenantPolicy};
use crate::domain::upstream::{Owner, Reseller, Upstream, UpstreamRules};
use crate::domain::zone::Zone;
use crate::provider::Idp;
use crate::storage::authenticators::Stored;
use crate::storage::users::Credentials;
use crate::storage::{
    Reader, authenticators, clients, issuers, own_scopes, passkeys, resellers, tenants, upstreams, users,
};

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
        let mut reader = self.db().read();
        let document = self.document(&mut reader).await?;
        let table = show_table(DOCUMENT, &document);
        match syntax {
            Syntax::Toml => toml::to_string(&table).map_err(ApplyError::failed),
            Syntax::Json => serde_json::to_string_pretty(&table).map_err(ApplyError::failed),
        }
    }

    async fn document(&self, reader: &mut Reader) -> Result<Map<String, Value>, ApplyError> {
        let all = tenants::all(&mut reader.tx()).await.map_err(ApplyError::failed)?;
        let resellers = resellers::all(&mut reader.tx()).await.map_err(ApplyError::failed)?;
        let upstreams = upstreams::all(&mut reader.tx()).await.map_err(ApplyError::failed)?;
        let reseller_tables =
            resellers.iter().map(|it| json!({ "name": it.name, "title": it.title })).collect();
        let upstream_tables = upstreams.iter().map(|it| stored_upstream(&it.upstream, &all, &resellers));
        let upstream_tables = upstream_tables.collect::<Result<_, _>>()?;
        let (mut tenant_tables, mut user_tables, mut client_tables) = (Vec::new(), Vec::new(), Vec::new());
        let mut group_tables = Vec::new();
        for tenant in &all {
            let hosts = issuers::hosts(&mut reader.tx(), &tenant.id).await.map_err(ApplyError::failed)?;
            tenant_tables.push(stored_tenant(tenant, hosts, &resellers)?);
            group_tables.extend(super::groups::stored(reader, tenant).await?);
            let mut members = super::groups::members(reader, tenant).await?;
            let users = users::all(&mut reader.tx(), &tenant.id).await.map_err(ApplyError::failed)?;
            for user in users {
                let account = user.user.upstream.clone();
                let groups = members.remove(&user.user.id);
                let mut table = self.stored_user(reader, tenant, user).await?;
                if let (Some(account), Some(table)) = (account, table.as_object_mut()) {
                    let at = upstreams.iter().find(|stored| stored.upstream.id == account.upstream);
                    table.insert("upstream".to_owned(), json!(at.map(|stored| &stored.upstream.name)));
                    table.insert("upstream_subject".to_owned(), json!(account.subject));
                }
                if let Some(table) = table.as_object_mut() {
                    table.insert("groups".to_owned(), json!(groups));
                }
                user_tables.push(table);
            }
        }
        for client in clients::all(&mut reader.tx()).await.map_err(ApplyError::failed)? {
            let owner = client.issuer.tenant();
            let tenant = owner.and_then(|owner| all.iter().find(|tenant| tenant.id == owner));
            let mut table = stored_client(&client, tenant)?;
            if !client.metadata.groups_of.is_empty() {
                let named = super::client_claims::stored_tenants(&client.metadata, &all);
                table.insert("groups_of".to_owned(), json!(named));
            }
            client_tables.push(Value::Object(table));
        }
        // Row ids are random: only natural keys give the same order in every store.
        let key = |table: &Value| ["tenant", "client_id"].map(|name| table.get(name).map(Value::to_string));
        client_tables.sort_by_key(key);
        let own = own_scopes::all(&mut reader.tx()).await.map_err(ApplyError::failed)?;
        let (scope_tables, api_tables) = super::own_scopes::stored(&own);
        let lists: [(&str, Vec<Value>); 8] = [
            ("resellers", reseller_tables),
            ("tenants", tenant_tables),
            ("upstreams", upstream_tables),
            ("groups", group_tables),
            ("users", user_tables),
            ("scopes", scope_tables),
            ("apis", api_tables),
            ("clients", client_tables),
        ];
        let lists = lists.into_iter().filter(|(_, tables)| !tables.is_empty());
        Ok(lists.map(|(name, tables)| (name.to_owned(), Value::Array(tables))).collect())
    }

    async fn stored_user(
        &self,
        reader: &mut Reader,
        tenant: &Tenant,
        stored: Credentials,
    ) -> Result<Value, ApplyError> {
        let Credentials { user, password_hash, must_change_password, has, .. } = stored;
        let mut table = object(&user.profile)?;
        let mut put = |name: &str, value: Value| drop(table.insert(name.to_owned(), value));
        put("tenant", json!(tenant.domain));
        put("username", json!(user.username));
        put("sub", json!(user.id));
        put("password_hash", json!(password_hash));
        put("must_change_password", json!(must_change_password.then_some(true)));
        put("disabled", json!(user.disabled.then_some(true)));
        put("personal_desktop", json!(user.personal_desktop));
        put("roles", json!(Some(user.roles).filter(|roles| !roles.is_empty())));
        if has.authenticator
            && let Some(stored) =
                authenticators::active(&mut reader.tx(), &user.id).await.map_err(ApplyError::failed)?
        {
            let authenticator = self.stored_authenticator(&stored)?;
            put("authenticators", json!([authenticator]));
        }
        if has.passkeys {
            let own = passkeys::of_user(&mut reader.tx(), &user.id).await.map_err(ApplyError::failed)?;
            put("passkeys", own.iter().map(super::passkeys::stored).collect());
        }
        Ok(Value::Object(table))
    }
}

impl Idp {
    /// An authenticator by its kind, with what that kind needs.
    fn stored_authenticator(&self, stored: &Stored) -> Result<Map<String, Value>, ApplyError> {
        let kinds = object(&stored.authenticator.kind)?;
        let Some((kind, Value::Object(mut table))) = kinds.into_iter().next() else {
            return Err(ApplyError::failed("an authenticator of no kind"));
        };
        let device = &stored.authenticator;
        table.insert("kind".to_owned(), json!(kind));
        if let authenticator::Kind::Hotp { .. } = device.kind {
            table.insert("counter".to_owned(), json!(device.last_accepted.saturating_add(1)));
        }
        table.insert("serial".to_owned(), json!(device.serial));
        if let Some(pin) = &device.pin {
            let opened = self.sealer().open(&pin.sealed_hash, &device.pin_row());
            let phc = opened.map_err(ApplyError::failed)?;
            table.insert("pin_hash".to_owned(), json!(String::from_utf8_lossy(&phc)));
            table.insert("pin_position".to_owned(), json!(pin.position));
        }
        if let Some(sealed) = &stored.sealed_secret {
            let opened = self.sealer().open(sealed, &stored.authenticator.row());
            let secret = OtpSecret::from_bytes(&opened.map_err(ApplyError::failed)?);
            let secret = secret.map_err(ApplyError::failed)?;
            table.insert("secret".to_owned(), json!(secret.base32().as_str()));
            if secret.is_short() {
                table.insert("allow_short_secret".to_owned(), json!(true));
            }
        }
        Ok(table)
    }
}

fn stored_upstream(
    upstream: &Upstream,
    tenants: &[Tenant],
    resellers: &[Reseller],
) -> Result<Value, ApplyError> {
    let mut table = without_defaults(object(&upstream.rules)?, &object(&UpstreamRules::default())?);
    let mut put = |name: &str, value: Value| drop(table.insert(name.to_owned(), value));
    match &upstream.owner {
        Owner::Reseller(id) => {
            put("reseller", json!(resellers.iter().find(|it| it.id == *id).map(|it| &it.name)));
        }
        Owner::Tenant(id) => {
            put("tenant", json!(tenants.iter().find(|it| it.id == *id).map(|it| &it.domain)));
        }
    }
    put("name", json!(upstream.name));
    put("title", json!(upstream.title));
    put("issuer", json!(upstream.issuer));
    put("client_id", json!(upstream.client_id));
    Ok(Value::Object(table))
}

fn stored_tenant(tenant: &Tenant, hosts: Vec<String>, resellers: &[Reseller]) -> Result<Value, ApplyError> {
    let reseller = resellers.iter().find(|it| Some(&it.id) == tenant.reseller.as_ref());
    let policy = without_defaults(object(&tenant.policy)?, &object(&TenantPolicy::default())?);
    let branding = without_defaults(object(&tenant.branding)?, &object(&Branding::default())?);
    let locale = if tenant.locale == Locale::default() { Value::Null } else { json!(tenant.locale.tag()) };
    Ok(json!({
        "domain": tenant.domain,
        "name": tenant.name,
        "reseller": reseller.map(|it| &it.name),
        "disabled": tenant.disabled.then_some(true),
        "locale": locale,
        "time_zone": Some(tenant.time_zone).filter(|&zone| zone != Zone::default()),
        "hosts": Some(hosts).filter(|hosts| !hosts.is_empty()),
        "policy": policy,
        "branding": branding,
    }))
}

fn stored_client(client: &Client, tenant: Option<&Tenant>) -> Result<Map<String, Value>, ApplyError> {
    let mut table = without_defaults(object(&client.metadata)?, &object(&ClientMetadata::default())?);
    if let Some(Value::Object(localized)) = table.remove("localized") {
        table.extend(localized);
    }
    let mut put = |name: &str, value: Value| drop(table.insert(name.to_owned(), value));
    put("tenant", json!(tenant.map(|tenant| &tenant.domain)));
    put("client_id", json!(client.id));
    put("disabled", json!(client.disabled.then_some(true)));
    put("token_endpoint_auth_method", json!(client.authentication.method()));
    match &client.authentication {
        ClientAuthentication::None => {}
        ClientAuthentication::ClientSecret(hash)
        | ClientAuthentication::ClientSecretBasic(hash)
        | ClientAuthentication::ClientSecretPost(hash) => put("client_secret_hash", json!(hash)),
        ClientAuthentication::ClientSecretJwt(sealed) => put("client_secret_sealed", json!(sealed)),
        ClientAuthentication::PrivateKeyJwt(ClientKeys::Inline(keys)) => put("jwks", keys.clone()),
        ClientAuthentication::PrivateKeyJwt(ClientKeys::At(address)) => put("jwks_uri", json!(address)),
    }
    Ok(table)
}

fn object(value: &impl Serialize) -> Result<Map<String, Value>, ApplyError> {
    match serde_json::to_value(value).map_err(ApplyError::failed)? {
        Value::Object(members) => Ok(members),
        other => Err(ApplyError::failed(format!("not a table: {other}"))),
    }
}

fn without_defaults(mut table: Map<String, Value>, defaults: &Map<String, Value>) -> Map<String, Value> {
    table.retain(|name, value| defaults.get(name) != Some(value));
    table
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

fn show(kind: &'static Kind, value: &Value) -> Node {
    match (kind, value) {
        (Kind::Span, _) => Node::Value(json!(value::show_span(value.as_u64().unwrap_or_default()))),
        (Kind::Moment, _) => Node::Value(json!(value::show_moment(value.as_i64().unwrap_or_default()))),
        (Kind::Logo, _) => {
            let text = |name| value.get(name).and_then(Value::as_str).unwrap_or_default();
            Node::Value(json!(format!("data:{};base64,{}", text("media_type"), text("data"))))
        }
        (Kind::Table(format), Value::Object(table)) => Node::Table(show_table(format, table)),
        (Kind::Tables(format), Value::Array(tables)) => {
            let tables = tables.iter().filter_map(Value::as_object);
            Node::List(tables.map(|table| Node::Table(show_table(format, table))).collect())
        }
        _ => Node::Value(value.clone()),
    }
}
