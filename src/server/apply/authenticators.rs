//! The authenticators of a document's users: enrolled already, so that nobody has to do it again.

use serde_json::Value;

use super::ApplyError;
use super::change::Change;
use super::plan::Planner;
use super::read::Entry;
use crate::crypto::otp::TotpSecret;
use crate::crypto::random;
use crate::domain::authenticator::{Authenticator, AuthenticatorState, Kind, TotpParameters};
use crate::domain::contact::{EmailAddress, PhoneNumber};
use crate::domain::ids::{AuthenticatorId, UserId};
use crate::storage::authenticators::{self, Stored};

/// Which members each kind has, those that it needs first.
const KINDS: [(&str, &[&str], &[&str]); 3] = [
    ("totp", &["secret"], &["algorithm", "digits", "period"]),
    ("sms", &["phone_number"], &[]),
    ("mail", &["email"], &[]),
];

impl Planner<'_> {
    pub(super) async fn authenticators(&mut self, entry: &Entry, user: &UserId) -> Result<(), ApplyError> {
        if !entry.names("authenticators") {
            return Ok(());
        }
        let known = authenticators::active(&mut self.reader.tx(), user).await.map_err(ApplyError::failed)?;
        let tables = entry.tables("authenticators");
        if let Some(second) = tables.get(1) {
            self.mistakes.at(&second.place, "a user has one authenticator application, number or address");
        }
        let Some(table) = tables.first() else {
            if known.is_some() {
                self.change(Change::RemoveAuthenticators(user.clone()));
            }
            return Ok(());
        };
        self.check_members(table);
        let Some(kind) = self.kind(table) else { return Ok(()) };
        let secret = self.otp_secret(table);
        if kind.has_secret() && secret.is_none() {
            return Ok(());
        }
        if known.is_some_and(|known| self.is_same(&known, secret.as_ref(), &kind)) {
            return Ok(());
        }
        let id = AuthenticatorId::new(random::uuid());
        let pending = Authenticator::pending(id, user.clone(), kind, self.idp.now());
        let authenticator = Authenticator { state: AuthenticatorState::Active, ..pending };
        let row = authenticator.row();
        let sealed = secret.map(|secret| self.idp.sealer().seal(secret.as_bytes(), &row)).transpose();
        let sealed_secret = sealed.map_err(ApplyError::failed)?;
        self.change(Change::Authenticator(Box::new(Stored { authenticator, sealed_secret })));
        Ok(())
    }

    /// Is everything there that this kind needs, and nothing that it has no use for?
    fn check_members(&mut self, table: &Entry) {
        let word = table.text("kind");
        let Some((_, needed, more)) = KINDS.into_iter().find(|(kind, ..)| *kind == word) else {
            if !table.names("kind") {
                self.mistakes.at(&table.place_of("kind"), "is missing");
            }
            return;
        };
        for name in needed.iter().filter(|name| !table.names(name)) {
            self.mistakes.at(&table.place_of(name), "is missing");
        }
        let known = |name: &str| name == "kind" || needed.contains(&name) || more.contains(&name);
        for name in table.members.keys().filter(|name| !known(name)) {
            self.mistakes.at(&table.place_of(name), format!("has no use with the kind {word}"));
        }
    }

    fn kind(&mut self, table: &Entry) -> Option<Kind> {
        match table.text("kind") {
            "totp" => {
                let parameters: TotpParameters =
                    self.overlay(&table.place, &TotpParameters::default(), &table.members)?;
                if !parameters.is_valid() {
                    let rule = "digits must be 6 or 8, period a multiple of 30 up to 86400";
                    self.mistakes.at(&table.place, rule);
                }
                Some(Kind::Totp { parameters, drift: 0 })
            }
            "sms" => {
                let number = self.given(table, "phone_number", |text| PhoneNumber::parse(text, None))?;
                Some(Kind::Sms { number })
            }
            "mail" => Some(Kind::Mail { address: self.given(table, "email", EmailAddress::parse)? }),
            _ => None,
        }
    }

    fn given<T, E: std::fmt::Display>(
        &mut self,
        table: &Entry,
        name: &str,
        parse: impl FnOnce(&str) -> Result<T, E>,
    ) -> Option<T> {
        let text = table.members.get(name).and_then(Value::as_str)?;
        self.mistakes.keep(&table.place_of(name), parse(text))
    }

    fn otp_secret(&mut self, table: &Entry) -> Option<TotpSecret> {
        self.refuse_sample(&table.place_of("secret"), table.text("secret"));
        self.given(table, "secret", TotpSecret::from_base32)
    }

    /// Is it enrolled already? How far its clock has drifted does not matter.
    fn is_same(&self, known: &Stored, secret: Option<&TotpSecret>, kind: &Kind) -> bool {
        let Stored { authenticator, sealed_secret } = known;
        let opened =
            sealed_secret.as_ref().map(|sealed| self.idp.sealer().open(sealed, &authenticator.row()));
        let same_secret = match (opened, secret) {
            (Some(Ok(known)), Some(secret)) => *known == secret.as_bytes(),
            (None, None) => true,
            _ => false,
        };
        same_secret && authenticator.kind.clone().drifted(0) == *kind
    }
}
