//! Authenticators of users that were enrolled elsewhere, with the secrets of their devices.

use serde_json::{Map, Value, json};

use super::change::StoreChange;
use super::error::Error;
use super::members::{Member, MemberKind, Members, member};
use super::stored;
use super::validation::Validation;
use super::values;
use crate::crypto::otp::{OtpSecret, SecretEncoding};
use crate::crypto::password::{Against, Password, PasswordHasher};
use crate::crypto::random;
use crate::crypto::seal::Sealer;
use crate::domain::authenticator::{
    Authenticator, AuthenticatorKind, AuthenticatorState, Pin, PinPosition, TotpParameters,
};
use crate::domain::contact::{EmailAddress, PhoneNumber};
use crate::domain::ids::{AuthenticatorId, TenantId, UserId};
use crate::storage::authenticators::{self, StoredAuthenticator};

pub(super) const MEMBERS: &[Member] = &[
    member("kind", MemberKind::Word(&["totp", "hotp", "sms", "mail"])),
    member("secret", MemberKind::One(values::secret)),
    member("secret_encoding", MemberKind::Word(&SecretEncoding::NAMES)),
    member("allow_short_secret", MemberKind::One(values::flag)),
    member("algorithm", MemberKind::One(values::otp_algorithm)),
    member("digits", MemberKind::One(values::number)),
    member("period", MemberKind::One(values::number)),
    member("counter", MemberKind::One(values::number)),
    member("serial", MemberKind::One(values::text)),
    member("pin", MemberKind::One(values::secret)),
    member("pin_hash", MemberKind::One(values::secret)),
    member("pin_position", MemberKind::Word(&["before", "after"])),
    member("phone_number", MemberKind::One(values::phone)),
    member("email", MemberKind::One(values::email)),
];

/// The members of each kind: the required ones, then the optional ones.
const KINDS: [(&str, &[&str], &[&str]); 4] = [
    (
        "totp",
        &["secret"],
        &["secret_encoding", "allow_short_secret", "algorithm", "digits", "period", "serial"],
    ),
    ("hotp", &["secret"], &["secret_encoding", "allow_short_secret", "digits", "counter", "serial"]),
    ("sms", &["phone_number"], &[]),
    ("mail", &["email"], &[]),
];

/// The members of a PIN, which every kind may have.
const PIN: [&str; 3] = ["pin", "pin_hash", "pin_position"];

/// Returns the members of an authenticator, with its opened secret.
pub(crate) fn stored(sealer: &Sealer, stored: &StoredAuthenticator) -> Result<Map<String, Value>, Error> {
    let kinds = stored::table(&stored.authenticator.kind)?;
    let Some((kind, Value::Object(mut table))) = kinds.into_iter().next() else {
        return Err(Error::Unreadable("an authenticator of no kind".to_owned()));
    };
    let device = &stored.authenticator;
    table.insert("kind".to_owned(), json!(kind));
    if let AuthenticatorKind::Hotp { .. } = device.kind {
        table.insert("counter".to_owned(), json!(device.last_accepted.saturating_add(1)));
    }
    table.insert("serial".to_owned(), json!(device.serial));
    if let Some(pin) = &device.pin {
        let opened = sealer.open(&pin.sealed_hash, &device.pin_row());
        let phc = opened?;
        table.insert("pin_hash".to_owned(), json!(String::from_utf8_lossy(&phc)));
        table.insert("pin_position".to_owned(), json!(pin.position));
    }
    if let Some(sealed) = &stored.sealed_secret {
        let opened = sealer.open(sealed, &stored.authenticator.row());
        let secret = OtpSecret::from_bytes(&opened?);
        let secret = secret.map_err(|error| Error::Unreadable(error.to_string()))?;
        table.insert("secret".to_owned(), json!(secret.base32().as_str()));
        if secret.is_short() {
            table.insert("allow_short_secret".to_owned(), json!(true));
        }
    }
    Ok(table)
}

impl Validation<'_, '_> {
    pub(super) async fn authenticators(
        &mut self,
        members: &Members,
        tenant: &TenantId,
        user: &UserId,
    ) -> Result<(), Error> {
        if !members.names("authenticators") {
            return Ok(());
        }
        let known = authenticators::active(&mut self.set.reader.tx(), user).await?;
        let tables = members.tables("authenticators");
        if let Some(second) = tables.get(1) {
            self.mistakes.at(second.path(), "a user has one authenticator application, number or address");
        }
        let Some(table) = tables.first() else {
            if known.is_some() {
                self.write(StoreChange::RemoveAuthenticators(user.clone()));
            }
            return Ok(());
        };
        self.check_members(table);
        let Some(kind) = self.kind(table) else { return Ok(()) };
        let secret = self.otp_secret(table);
        if kind.has_secret() && secret.is_none() {
            return Ok(());
        }
        let serial = Some(table.text("serial").to_owned()).filter(|serial| !serial.is_empty());
        self.check_serial(table, members.text("tenant"), tenant, user).await?;
        let known_pin = known.as_ref().and_then(|known| self.known_pin(&known.authenticator));
        let same_pin = self.is_same_pin(table, known_pin).await?;
        let same = known.is_some_and(|known| {
            known.authenticator.serial == serial && self.is_same(&known, secret.as_ref(), &kind)
        });
        if same && same_pin {
            return Ok(());
        }
        let id = AuthenticatorId::new(random::uuid());
        let pending = Authenticator::pending(id, user.clone(), kind, self.management.now());
        let counter = table.get("counter").and_then(Value::as_i64).unwrap_or_default();
        let authenticator = Authenticator {
            state: AuthenticatorState::Active,
            serial,
            last_accepted: counter.saturating_sub(1),
            ..pending
        };
        let pin = self.pin(table, &authenticator).await?;
        let authenticator = Authenticator { pin, ..authenticator };
        let row = authenticator.row();
        let sealed = secret.map(|secret| self.management.sealer.seal(secret.as_bytes(), &row)).transpose();
        let sealed_secret = sealed?;
        self.write(StoreChange::Authenticator(Box::new(StoredAuthenticator {
            authenticator,
            sealed_secret,
        })));
        Ok(())
    }

    /// Checks that the kind has its required members and no members of other kinds.
    fn check_members(&mut self, table: &Members) {
        let word = table.text("kind");
        let Some((_, needed, more)) = KINDS.into_iter().find(|(kind, ..)| *kind == word) else {
            if !table.names("kind") {
                self.mistakes.at(&table.path_of("kind"), "is missing");
            }
            return;
        };
        for name in needed.iter().filter(|name| !table.names(name)) {
            self.mistakes.at(&table.path_of(name), "is missing");
        }
        let known = |name: &str| {
            name == "kind" || PIN.contains(&name) || needed.contains(&name) || more.contains(&name)
        };
        for name in table.values().keys().filter(|name| !known(name)) {
            self.mistakes.at(&table.path_of(name), format!("has no use with the kind {word}"));
        }
    }

    fn kind(&mut self, table: &Members) -> Option<AuthenticatorKind> {
        match table.text("kind") {
            "totp" => {
                let parameters: TotpParameters =
                    self.overlay(table.path(), &TotpParameters::default(), table.values())?;
                if !parameters.is_valid() {
                    let rule = "digits must be 6 or 8, period a multiple of 30 up to 86400";
                    self.mistakes.at(table.path(), rule);
                }
                Some(AuthenticatorKind::Totp { parameters, drift: 0 })
            }
            "hotp" => {
                let digits = table.get("digits").map_or(Some(6), Value::as_u64);
                let digits =
                    digits.and_then(|digits| u32::try_from(digits).ok()).filter(|n| matches!(n, 6 | 8));
                if digits.is_none() {
                    self.mistakes.at(&table.path_of("digits"), "must be 6 or 8");
                }
                digits.map(|digits| AuthenticatorKind::Hotp { digits })
            }
            "sms" => {
                let number = self.given(table, "phone_number", |text| PhoneNumber::parse(text, None))?;
                Some(AuthenticatorKind::Sms { number })
            }
            "mail" => {
                Some(AuthenticatorKind::Mail { address: self.given(table, "email", EmailAddress::parse)? })
            }
            _ => None,
        }
    }

    fn given<T, E: std::fmt::Display>(
        &mut self,
        table: &Members,
        name: &str,
        parse: impl FnOnce(&str) -> Result<T, E>,
    ) -> Option<T> {
        let text = table.get(name).and_then(Value::as_str)?;
        self.mistakes.keep(&table.path_of(name), parse(text))
    }

    fn otp_secret(&mut self, table: &Members) -> Option<OtpSecret> {
        let encoding = SecretEncoding::parse(table.text("secret_encoding")).unwrap_or_default();
        let allow_short = table.flag("allow_short_secret").unwrap_or_default();
        let secret = self.given(table, "secret", |text| OtpSecret::import(text, encoding, allow_short))?;
        // In every encoding: the samples are written in base32.
        self.refuse_sample(&table.path_of("secret"), &secret.base32());
        Some(secret)
    }

    /// Checks that the serial number is that of no other user's device in the tenant.
    async fn check_serial(
        &mut self,
        table: &Members,
        domain: &str,
        tenant: &TenantId,
        user: &UserId,
    ) -> Result<(), Error> {
        let serial = table.text("serial");
        if serial.is_empty() || !self.is_first(table, &format!("serial {domain}/{serial}")) {
            return Ok(());
        }
        let owner = authenticators::owner_of_serial(&mut self.set.reader.tx(), tenant, serial).await;
        if owner?.is_some_and(|owner| owner != *user) {
            self.mistakes.at(&table.path_of("serial"), "is another user's");
        }
        Ok(())
    }

    /// Returns the PHC string of the stored PIN, and its position.
    fn known_pin(&self, authenticator: &Authenticator) -> Option<(String, PinPosition)> {
        let pin = authenticator.pin.as_ref()?;
        let opened = self.management.sealer.open(&pin.sealed_hash, &authenticator.pin_row()).ok()?;
        Some((String::from_utf8_lossy(&opened).into_owned(), pin.position))
    }

    /// Returns whether the PIN is the stored one: a new salt would look like a change.
    async fn is_same_pin(
        &mut self,
        table: &Members,
        known: Option<(String, PinPosition)>,
    ) -> Result<bool, Error> {
        let Some((phc, position)) = known else { return Ok(!table.names("pin") && !table.names("pin_hash")) };
        if position != position_of(table) {
            return Ok(false);
        }
        if table.names("pin_hash") {
            return Ok(table.text("pin_hash") == phc);
        }
        let Ok(typed) = Password::normalise(table.text("pin")) else { return Ok(false) };
        let verdict = self.management.hasher.verify(typed, Against::Own(&phc)).await?;
        Ok(verdict.matches)
    }

    /// Returns the named PIN, hashed and sealed.
    async fn pin(&mut self, table: &Members, authenticator: &Authenticator) -> Result<Option<Pin>, Error> {
        let phc = if table.names("pin_hash") {
            if table.names("pin") {
                self.mistakes.at(&table.path_of("pin"), "cannot stand beside pin_hash");
            }
            let checked = PasswordHasher::check_pin_hash(table.text("pin_hash"));
            self.mistakes.keep(&table.path_of("pin_hash"), checked);
            table.text("pin_hash").to_owned()
        } else if table.names("pin") {
            if !is_pin(table.text("pin")) {
                let rule = "must be 4 to 8 digits, neither all the same nor in a row";
                self.mistakes.at(&table.path_of("pin"), rule);
                return Ok(None);
            }
            let Ok(pin) = Password::normalise(table.text("pin")) else { return Ok(None) };
            self.management.hasher.hash(pin).await?
        } else {
            return Ok(None);
        };
        let sealed = self.management.sealer.seal(phc.as_bytes(), &authenticator.pin_row());
        let sealed_hash = sealed?;
        Ok(Some(Pin { sealed_hash, position: position_of(table) }))
    }

    /// Returns whether the same device is enrolled already; clock drift and counter are ignored.
    fn is_same(
        &self,
        known: &StoredAuthenticator,
        secret: Option<&OtpSecret>,
        kind: &AuthenticatorKind,
    ) -> bool {
        let StoredAuthenticator { authenticator, sealed_secret } = known;
        let opened =
            sealed_secret.as_ref().map(|sealed| self.management.sealer.open(sealed, &authenticator.row()));
        let same_secret = match (opened, secret) {
            (Some(Ok(known)), Some(secret)) => *known == secret.as_bytes(),
            (None, None) => true,
            _ => false,
        };
        same_secret && authenticator.kind.clone().drifted(0) == *kind
    }
}

fn position_of(table: &Members) -> PinPosition {
    if table.text("pin_position") == "after" { PinPosition::After } else { PinPosition::Before }
}

/// Functional specification, SEED2-17: no 0000, no 1234.
fn is_pin(text: &str) -> bool {
    let digits = text.as_bytes();
    let steps = digits.windows(2).filter_map(|pair| pair.last()?.checked_sub(*pair.first()?));
    let steps: Vec<_> = steps.collect();
    let in_a_row = steps.len() + 1 == digits.len() && steps.iter().all(|step| *step == 1);
    let same = digits.iter().all(|digit| Some(digit) == digits.first());
    (4..=8).contains(&digits.len()) && digits.iter().all(u8::is_ascii_digit) && !same && !in_a_row
}
