//! Clients, by the member names of RFC 7591 and a few of our own.

mod authentication;
mod claims;
mod metadata;
mod redirects;
mod sector;

use serde_json::{Map, Value, json};

use super::change::{Change, StoreChange};
use super::change_set::ChangeSet;
use super::error::Error;
use super::members::{Members, Schema};
use super::stored;
use super::validation::{Novelty, Validation};
use crate::domain::client::{Client, ClientAuthentication, ClientKeys, GrantType};
use crate::domain::ids::{ClientId, IssuerId, TenantId, UserId};
use crate::domain::tenant::Tenant;
use crate::storage::{clients, users};

/// The members of a client.
pub(crate) const SCHEMA: Schema = Schema { members: metadata::MEMBERS, keys: &["client_id"] };

/// Validates the members of a client. It looks at everything, so that all mistakes are found at once; what depends on a
/// member that was refused is skipped.
pub(crate) async fn validate(set: &mut ChangeSet<'_>, members: &Members) -> Result<Change, Error> {
    let mut validation = Validation::tolerant(set, members);
    validation.client(members).await?;
    validation.finish()
}

/// The natural key of the client that the members name.
fn key(members: &Members) -> String {
    key_of(members.names("tenant").then(|| members.text("tenant")), members.text("client_id"))
}

/// The natural key of the client of this tenant, or of the root issuer.
pub(super) fn key_of(tenant: Option<&str>, id: &str) -> String {
    match tenant {
        Some(tenant) => format!("client {tenant}/{id}"),
        None => format!("client {id}"),
    }
}

/// Returns the members of a client. A secret is shown as its hash, or sealed.
pub(crate) fn stored(client: &Client, tenants: &[Tenant]) -> Result<Map<String, Value>, Error> {
    let mut table = stored::without_defaults(&client.metadata)?;
    if let Some(Value::Object(localized)) = table.remove("localized") {
        table.extend(localized);
    }
    let mut put = |name: &str, value: Value| drop(table.insert(name.to_owned(), value));
    let domain_of =
        |id: &TenantId| tenants.iter().find(|tenant| tenant.id == *id).map(|tenant| &tenant.domain);
    put("tenant", json!(client.issuer.tenant().as_ref().map(domain_of)));
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
    // Tenants that were removed are left out.
    let groups_of: Vec<_> = client.metadata.groups_of.iter().filter_map(domain_of).collect();
    put("groups_of", json!(Some(groups_of).filter(|_| !client.metadata.groups_of.is_empty())));
    Ok(table)
}

impl Validation<'_, '_> {
    async fn client(&mut self, members: &Members) -> Result<(), Error> {
        let issuer = self.issuer_of(members).await?;
        let key = key(members);
        if members.names("scope") {
            self.set.clients_with_scope.insert(key.clone());
        }
        let is_named = !members.refuses(&["tenant", "client_id"]);
        if is_named && !self.is_first(members, &key) && members.absent() {
            return Ok(());
        }
        let id = ClientId::new(members.text("client_id"));
        let known = match &issuer {
            Some(issuer) => clients::by_id(&mut self.set.reader.tx(), issuer, &id).await,
            None => Ok(None),
        };
        let known = known?;
        if members.absent() {
            if let Some(known) = known {
                self.remove(key, StoreChange::RemoveClient(known.issuer, id));
            }
            return Ok(());
        }
        let known_metadata = known.as_ref().map(|known| &known.metadata);
        let stored_form = self.with_tenant_ids(members, issuer.as_ref()).await?;
        let metadata = self.metadata(members, &known_metadata.cloned().unwrap_or_default(), stored_form);
        self.check_claim_names(members, &metadata);
        self.refuse_api_audience(members);
        self.sector(members, &metadata, known_metadata).await;
        let was_disabled = known.as_ref().is_some_and(|known| known.disabled);
        let disabled = members.flag("disabled").unwrap_or(was_disabled);
        let epoch = known.as_ref().map(|known| known.epoch).unwrap_or_default();
        let authentication = ClientAuthentication::None;
        let issuer = issuer.unwrap_or_else(IssuerId::root);
        let mut client = Client { id, issuer, disabled, epoch, authentication, metadata };
        let known_proof = known.as_ref().map(|known| &known.authentication);
        let authentication = self.authentication(members, &mut client, known_proof);
        let novelty = Novelty::of(known.as_ref());
        if novelty == Novelty::New && is_named {
            self.refuse_users_sub(members, &client.id).await?;
        }
        let Some(authentication) = authentication else { return Ok(()) };
        client.authentication = authentication;
        if known.as_ref() != Some(&client) {
            if client.metadata.may_use(GrantType::AuthorizationCode) && !client.must_use_pkce() {
                self.note(format!("{key} may sign users in without PKCE (require_pkce)"));
            }
            self.note_unusable_redirects(&key, &client);
            self.write(StoreChange::Client(Box::new(client)));
        }
        self.describe(key, novelty);
        Ok(())
    }

    /// Returns the client's issuer; `None` if the members name a tenant that does not exist.
    async fn issuer_of(&mut self, members: &Members) -> Result<Option<IssuerId>, Error> {
        if members.refuses(&["tenant"]) {
            return Ok(None);
        }
        if !members.names("tenant") {
            return Ok(Some(IssuerId::root()));
        }
        Ok(self.tenant_of(members).await?.map(|tenant| IssuerId::of_tenant(&tenant)))
    }

    /// Refuses the id of a new client that is a user's `sub`: an API that tells clients and users apart by `sub` would take the
    /// one for the other (RFC 9700 §4.15).
    async fn refuse_users_sub(&mut self, members: &Members, id: &ClientId) -> Result<(), Error> {
        let user = UserId::new(id.as_str());
        let stored = users::by_id(&mut self.set.reader.tx(), &user).await?;
        if stored.is_some() || self.names_subject(&user) {
            self.mistakes.at(&members.path_of("client_id"), "is a user's sub");
        }
        Ok(())
    }
}
