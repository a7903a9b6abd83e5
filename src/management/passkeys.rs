//! Passkeys of users, as they were exported. Nothing in them is secret.
//!
//! The list is complete: passkeys that it does not name are removed. A stored passkey stays as it is, its counter too,
//! because the export may be older than its last use.

use serde_json::{Value, json};
use uuid::Uuid;

use super::change::StoreChange;
use super::error::Error;
use super::members::{Member, MemberKind, Members, member};
use super::validation::Validation;
use super::values;
use crate::crypto::random;
use crate::crypto::webauthn;
use crate::domain::ids::{AuthenticatorId, UserHandle, UserId};
use crate::domain::passkey::{Passkey, RpId};
use crate::storage::passkeys;

pub(super) const MEMBERS: &[Member] = &[
    member("rp_id", MemberKind::One(values::text)),
    member("user_handle", MemberKind::One(values::text)),
    member("credential", MemberKind::One(values::text)),
    member("counter", MemberKind::One(values::number)),
];

/// Returns the members of a passkey.
pub(crate) fn stored(passkey: &Passkey) -> Value {
    json!({
        "rp_id": passkey.rp,
        "user_handle": passkey.user_handle,
        "credential": passkey.credential,
        "counter": passkey.counter,
    })
}

impl Validation<'_, '_> {
    pub(super) async fn passkeys(&mut self, members: &Members, user: &UserId) -> Result<(), Error> {
        if !members.names("passkeys") {
            return Ok(());
        }
        let known = passkeys::of_user(&mut self.set.reader.tx(), user).await?;
        let mut named = Vec::new();
        for table in members.tables("passkeys") {
            let Some(passkey) = self.read_passkey(&table, user) else { continue };
            self.is_first(&table, &format!("passkey {}", passkey.credential_id));
            let owner = passkeys::by_credential(&mut self.set.reader.tx(), &passkey.credential_id).await;
            match owner? {
                Some(there) if there.user != *user => self.mistakes.at(table.path(), "is another user's"),
                Some(there) => named.push(there.id),
                None => self.write(StoreChange::Passkey(Box::new(passkey))),
            }
        }
        for gone in known.into_iter().filter(|known| !named.contains(&known.id)) {
            self.write(StoreChange::RemovePasskey(user.clone(), gone.id));
        }
        Ok(())
    }

    fn read_passkey(&mut self, table: &Members, user: &UserId) -> Option<Passkey> {
        for name in ["rp_id", "user_handle", "credential"].into_iter().filter(|name| !table.names(name)) {
            self.mistakes.at(&table.path_of(name), "is missing");
        }
        let rp = RpId::parse(table.text("rp_id")).ok_or("must be a host name");
        let rp = self.mistakes.keep(&table.path_of("rp_id"), rp);
        let handle = Uuid::parse_str(table.text("user_handle")).map_err(|_| "must be a UUID");
        let handle = self.mistakes.keep(&table.path_of("user_handle"), handle);
        let credential_id = webauthn::credential_id_in(table.text("credential"));
        let credential_id = credential_id.map_err(|_| "must be a credential as it was exported");
        let credential_id = self.mistakes.keep(&table.path_of("credential"), credential_id);
        Some(Passkey {
            id: AuthenticatorId::new(random::uuid()),
            user: user.clone(),
            user_handle: UserHandle::new(handle?.to_string()),
            credential_id: credential_id?,
            rp: rp?,
            credential: table.text("credential").to_owned(),
            counter: table.get("counter").and_then(Value::as_i64).unwrap_or_default(),
            created_at: self.management.now(),
            last_used_at: None,
        })
    }
}
