//! The clients of a document.

use std::sync::Arc;

use serde_json::{Map, Value};

use super::ApplyError;
use super::change::Change;
use super::plan::{Novelty, Planner};
use super::read::Entry;
use super::value;
use crate::domain::client::{Client, ClientAuthentication, ClientMetadata, GrantType};
use crate::domain::ids::{ClientId, IssuerId, UserId};
use crate::domain::reserved_names;
use crate::domain::scope::Scope;
use crate::provider::Scopes;
use crate::storage::{clients, users};

/// The natural key of an entry's client.
pub(super) fn key(entry: &Entry) -> String {
    key_of(entry.names("tenant").then(|| entry.text("tenant")), entry.text("client_id"))
}

/// The natural key of the client of this tenant, or of the root issuer.
pub(super) fn key_of(tenant: Option<&str>, id: &str) -> String {
    match tenant {
        Some(tenant) => format!("client {tenant}/{id}"),
        None => format!("client {id}"),
    }
}

impl Planner<'_> {
    /// Looks at everything that the entry says, so that all its mistakes are told at once. What depends on a member that was
    /// refused is passed over.
    pub(super) async fn client(&mut self, entry: &Entry) -> Result<(), ApplyError> {
        let issuer = self.issuer_of(entry).await?;
        let key = key(entry);
        let is_named = !entry.refuses(&["tenant", "client_id"]);
        if is_named && !self.is_first(entry, &key) && entry.absent {
            return Ok(());
        }
        let id = ClientId::new(entry.text("client_id"));
        let known = match &issuer {
            Some(issuer) => clients::by_id(&mut self.reader.tx(), issuer, &id).await,
            None => Ok(None),
        };
        let known = known.map_err(ApplyError::failed)?;
        if entry.absent {
            if let Some(known) = known {
                self.remove(key, Change::RemoveClient(known.issuer, id));
            }
            return Ok(());
        }
        let before = self.noted();
        let known_metadata = known.as_ref().map(|known| &known.metadata);
        let members = self.with_tenant_ids(entry, issuer.as_ref()).await?;
        let metadata = self.metadata(entry, &known_metadata.cloned().unwrap_or_default(), members);
        self.check_claim_names(entry, &metadata);
        self.is_no_apis_audience(entry);
        self.sector(entry, &metadata, known_metadata).await;
        let was_disabled = known.as_ref().is_some_and(|known| known.disabled);
        let disabled = entry.members.get("disabled").and_then(Value::as_bool).unwrap_or(was_disabled);
        let epoch = known.as_ref().map(|known| known.epoch).unwrap_or_default();
        let authentication = ClientAuthentication::None;
        let issuer = issuer.unwrap_or_else(IssuerId::root);
        let mut client = Client { id, issuer, disabled, epoch, authentication, metadata };
        let known_proof = known.as_ref().map(|known| &known.authentication);
        let authentication = self.authentication(entry, &mut client, known_proof);
        let novelty = if known.is_some() { Novelty::Known } else { Novelty::New };
        if novelty == Novelty::New && is_named {
            self.is_no_users_sub(entry, &client.id).await?;
        }
        let Some(authentication) = authentication else { return Ok(()) };
        client.authentication = authentication;
        if known.as_ref() != Some(&client) {
            if client.metadata.may_use(GrantType::AuthorizationCode) && !client.must_use_pkce() {
                self.applied.notes.push(format!("{key} may sign users in without PKCE (require_pkce)"));
            }
            self.note_unusable_redirects(&key, &client);
            self.change(Change::Client(Box::new(client)));
        }
        self.tell(key, novelty, before);
        Ok(())
    }

    /// The issuer that the client belongs to; `None` if the entry names a tenant that is not there.
    async fn issuer_of(&mut self, entry: &Entry) -> Result<Option<IssuerId>, ApplyError> {
        if entry.refuses(&["tenant"]) {
            return Ok(None);
        }
        if !entry.names("tenant") {
            return Ok(Some(IssuerId::root()));
        }
        Ok(self.tenant_of(entry).await?.map(|tenant| IssuerId::of_tenant(&tenant)))
    }

    /// Refuses the id of a new client that is a user's `sub`: an API that tells clients and users apart by `sub` would take the
    /// one for the other (RFC 9700 §4.15).
    async fn is_no_users_sub(&mut self, entry: &Entry, id: &ClientId) -> Result<(), ApplyError> {
        let user = UserId::new(id.as_str());
        let stored = users::by_id(&mut self.reader.tx(), &user).await.map_err(ApplyError::failed)?;
        if stored.is_some() || self.names_subject(&user) {
            self.mistakes.at(&entry.place_of("client_id"), "is a user's sub");
        }
        Ok(())
    }

    /// `members` are the entry's as they are stored.
    fn metadata(
        &mut self,
        entry: &Entry,
        base: &ClientMetadata,
        members: Map<String, Value>,
    ) -> ClientMetadata {
        let (localized, mut members): (Map<_, _>, Map<_, _>) =
            members.into_iter().partition(|(name, _)| name.contains('#'));
        members.insert("localized".to_owned(), Value::Object(localized));
        let metadata = self.overlay(&entry.place, base, &members).unwrap_or_else(|| base.clone());
        let signs_in = metadata.grant_types.contains(&GrantType::AuthorizationCode);
        let unknown = entry.refuses(&["grant_types", "redirect_uris"]);
        if signs_in && metadata.redirect_uris.is_empty() && !unknown {
            self.mistakes.at(&entry.place_of("redirect_uris"), "must name at least one address");
        }
        if entry.names("scope") && !entry.refuses(&["grant_types"]) {
            // What a client may have for itself are words of the APIs behind it.
            let is_free = |word: &&str| {
                metadata.may_use(GrantType::ClientCredentials) && !reserved_names::has_own_prefix(word)
            };
            let words = metadata.scope.iter().flat_map(Scope::iter).filter(|word| !is_free(word));
            self.scopes_exist(&entry.place_of("scope"), words);
        }
        metadata
    }

    /// Scopes that do not exist here would be promises that nobody keeps.
    fn scopes_exist<'s>(&mut self, place: &str, mut words: impl Iterator<Item = &'s str>) {
        let scopes = Scopes::new(self.idp.own_claims(), Arc::new(self.own_scopes.clone()));
        let known = scopes.all();
        if let Some(word) = words.find(|word| !known.contains(word)) {
            let wrong = format!("{word:?} is not a scope; {}", value::one_of(&known));
            self.mistakes.at(place, wrong);
        }
    }
}
