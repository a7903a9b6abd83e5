//! The clients of a document.

use serde_json::Value;

use super::ApplyError;
use super::change::Change;
use super::plan::{Novelty, Planner};
use super::read::Entry;
use super::value;
use crate::crypto::jwt::VerifyingKey;
use crate::crypto::secret;
use crate::domain::client::{Client, ClientAuthentication, ClientMetadata, GrantType};
use crate::domain::ids::{ClientId, Hash, IssuerId};
use crate::domain::scope::Scope;
use crate::storage::clients;

/// Client secrets are stored under one fast hash, so they must not be guessable.
const SECRET_MIN: usize = 32;

impl Planner<'_> {
    pub(super) async fn client(&mut self, entry: &Entry) -> Result<(), ApplyError> {
        let (issuer, key) = if entry.names("tenant") {
            let Some(tenant) = self.tenant_of(entry).await? else { return Ok(()) };
            let key = format!("client {}/{}", entry.text("tenant"), entry.text("client_id"));
            (IssuerId::of_tenant(&tenant), key)
        } else {
            (IssuerId::root(), format!("client {}", entry.text("client_id")))
        };
        if !self.is_first(entry, &key) {
            return Ok(());
        }
        let id = ClientId::new(entry.text("client_id"));
        let known = clients::by_id(&mut self.reader.tx(), &issuer, &id).await.map_err(ApplyError::failed)?;
        if entry.absent {
            if known.is_some() {
                self.remove(key, Change::RemoveClient(issuer, id));
            }
            return Ok(());
        }
        let before = self.noted();
        let metadata = known.as_ref().map(|known| known.metadata.clone()).unwrap_or_default();
        let Some(metadata) = self.metadata(entry, &metadata) else { return Ok(()) };
        let authentication = self.authentication(entry, known.as_ref().map(|known| &known.authentication));
        let Some(authentication) = authentication else { return Ok(()) };
        let was_disabled = known.as_ref().is_some_and(|known| known.disabled);
        let disabled = entry.members.get("disabled").and_then(Value::as_bool).unwrap_or(was_disabled);
        let client = Client { id, issuer, disabled, authentication, metadata };
        if client.metadata.require_signed_request_object && client.jwks().is_none() {
            let place = entry.place_of("require_signed_request_object");
            self.mistakes.at(&place, "needs keys: register jwks");
        }
        let novelty = if known.is_some() { Novelty::Known } else { Novelty::New };
        if known.as_ref() != Some(&client) {
            self.change(Change::Client(Box::new(client)));
        }
        self.tell(key, novelty, before);
        Ok(())
    }

    fn metadata(&mut self, entry: &Entry, base: &ClientMetadata) -> Option<ClientMetadata> {
        let metadata = self.overlay(&entry.place, base, &entry.members)?;
        if metadata.grant_types.contains(&GrantType::AuthorizationCode) && metadata.redirect_uris.is_empty() {
            self.mistakes.at(&entry.place_of("redirect_uris"), "must name at least one address");
        }
        // What a client may have for itself are words of the APIs behind it.
        if entry.names("scope") && !metadata.may_use(GrantType::ClientCredentials) {
            self.scopes_exist(&entry.place_of("scope"), metadata.scope.iter().flat_map(Scope::iter));
        }
        Some(metadata)
    }

    /// Scopes that do not exist here would be promises that nobody keeps.
    fn scopes_exist<'s>(&mut self, place: &str, mut words: impl Iterator<Item = &'s str>) {
        let known = self.idp.scopes();
        if let Some(word) = words.find(|word| !known.contains(word)) {
            let wrong = format!("{word:?} is not a scope; {}", value::one_of(&known));
            self.mistakes.at(place, wrong);
        }
    }

    /// The method, and the secret or keys that it needs: from the document, or those known already.
    fn authentication(
        &mut self,
        entry: &Entry,
        known: Option<&ClientAuthentication>,
    ) -> Option<ClientAuthentication> {
        let method = match entry.text("token_endpoint_auth_method") {
            "" => known.map_or("client_secret_basic", ClientAuthentication::method),
            named => named,
        };
        let secret_is_named = entry.names("client_secret") || entry.names("client_secret_hash");
        let hash = if secret_is_named { self.secret(entry) } else { known.and_then(known_secret) };
        let keys = match entry.members.get("jwks") {
            Some(named) => self.keys(&entry.place_of("jwks"), named),
            None => known.and_then(known_keys),
        };
        let uses_secret = method.starts_with("client_secret");
        if secret_is_named && !uses_secret {
            self.mistakes.at(&entry.place, format!("a client secret has no use with the method {method}"));
        }
        if entry.names("jwks") && method != "private_key_jwt" {
            self.mistakes.at(&entry.place_of("jwks"), format!("has no use with the method {method}"));
        }
        match method {
            "none" => return Some(ClientAuthentication::None),
            "private_key_jwt" if keys.is_none() && !entry.names("jwks") => {
                self.mistakes.at(&entry.place_of("jwks"), "is missing");
            }
            _ if uses_secret && hash.is_none() && !secret_is_named => {
                self.mistakes.at(&entry.place_of("client_secret"), "is missing");
            }
            _ => {}
        }
        match method {
            "private_key_jwt" => keys.map(ClientAuthentication::PrivateKeyJwt),
            "client_secret_post" => hash.map(ClientAuthentication::ClientSecretPost),
            _ => hash.map(ClientAuthentication::ClientSecretBasic),
        }
    }

    fn secret(&mut self, entry: &Entry) -> Option<Hash> {
        if entry.names("client_secret_hash") {
            let place = entry.place_of("client_secret_hash");
            if entry.names("client_secret") {
                self.mistakes.at(&place, "cannot stand beside client_secret");
            }
            let hash = entry.text("client_secret_hash");
            let shaped = hash.len() == 43
                && hash.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'));
            if !shaped {
                self.mistakes.at(&place, "must be a SHA-256 in base64url, as export writes it");
            }
            return shaped.then(|| Hash::new(hash));
        }
        let (place, text) = (entry.place_of("client_secret"), entry.text("client_secret"));
        // RFC 6749 appendix A.2
        let visible = text.bytes().all(|b| matches!(b, 0x20..=0x7e));
        if text.len() < SECRET_MIN || !visible {
            self.mistakes
                .at(&place, format!("must have at least {SECRET_MIN} characters, all visible ASCII"));
            return None;
        }
        self.refuse_sample(&place, text);
        Some(secret::hash(text))
    }

    fn keys(&mut self, place: &str, set: &Value) -> Option<Value> {
        let checked = VerifyingKey::from_set(set);
        self.mistakes.keep(place, checked).map(|_| set.clone())
    }
}

fn known_secret(known: &ClientAuthentication) -> Option<Hash> {
    match known {
        ClientAuthentication::ClientSecretBasic(hash) | ClientAuthentication::ClientSecretPost(hash) => {
            Some(hash.clone())
        }
        _ => None,
    }
}

fn known_keys(known: &ClientAuthentication) -> Option<Value> {
    match known {
        ClientAuthentication::PrivateKeyJwt(keys) => Some(keys.clone()),
        _ => None,
    }
}
