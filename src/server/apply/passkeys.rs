//! The passkeys of a user. A document may bring them back, for nothing in them is secret, but nobody can write one by
//! hand: what stands here was exported.
//!
//! The list is whole: what it does not name is removed. A passkey that is there already stays as it is, its counter too,
//! since a document may be older than its last use.

use serde_json::{Value, json};
use uuid::Uuid;

use super::ApplyError;
use super::change::Change;
use super::plan::Planner;
use super::read::Entry;
use crate::crypto::random;
use crate::crypto::webauthn;
use crate::domain::ids::{AuthenticatorId, UserHandle, UserId};
use crate::domain::passkey::{Passkey, RpId};
use crate::storage::passkeys;

/// A passkey as a document has it.
pub(super) fn stored(passkey: &Passkey) -> Value {
    json!({
        "rp_id": passkey.rp,
        "user_handle": passkey.user_handle,
        "credential": passkey.credential,
        "counter": passkey.counter,
    })
}

impl Planner<'_> {
    pub(super) async fn passkeys(&mut self, entry: &Entry, user: &UserId) -> Result<(), ApplyError> {
        if !entry.names("passkeys") {
            return Ok(());
        }
        let known = passkeys::of_user(&mut self.reader.tx(), user).await.map_err(ApplyError::failed)?;
        let mut named = Vec::new();
        for table in entry.tables("passkeys") {
            let Some(passkey) = self.read_passkey(&table, user) else { continue };
            self.is_first(&table, &format!("passkey {}", passkey.credential_id));
            let owner = passkeys::by_credential(&mut self.reader.tx(), &passkey.credential_id).await;
            match owner.map_err(ApplyError::failed)? {
                Some(there) if there.user != *user => self.mistakes.at(&table.place, "is another user's"),
                Some(there) => named.push(there.id),
                None => self.change(Change::Passkey(Box::new(passkey))),
            }
        }
        for gone in known.into_iter().filter(|known| !named.contains(&known.id)) {
            self.change(Change::RemovePasskey(user.clone(), gone.id));
        }
        Ok(())
    }

    fn read_passkey(&mut self, table: &Entry, user: &UserId) -> Option<Passkey> {
        for name in ["rp_id", "user_handle", "credential"].into_iter().filter(|name| !table.names(name)) {
            self.mistakes.at(&table.place_of(name), "is missing");
        }
        let rp = RpId::parse(table.text("rp_id")).ok_or("must be a host name");
        let rp = self.mistakes.keep(&table.place_of("rp_id"), rp);
        let handle = Uuid::parse_str(table.text("user_handle")).map_err(|_| "must be a UUID");
        let handle = self.mistakes.keep(&table.place_of("user_handle"), handle);
        let credential_id = webauthn::credential_id_in(table.text("credential"));
        let credential_id = credential_id.map_err(|_| "must be a credential as it was exported");
        let credential_id = self.mistakes.keep(&table.place_of("credential"), credential_id);
        Some(Passkey {
            id: AuthenticatorId::new(random::uuid()),
            user: user.clone(),
            user_handle: UserHandle::new(handle?.to_string()),
            credential_id: credential_id?,
            rp: rp?,
            credential: table.text("credential").to_owned(),
            counter: table.members.get("counter").and_then(Value::as_i64).unwrap_or_default(),
            created_at: self.idp.now(),
            last_used_at: None,
        })
    }
}
