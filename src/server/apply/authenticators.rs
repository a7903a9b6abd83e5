//! The authenticators of a document's users: enrolled already, so that nobody has to do it again.

use serde_json::Value;

use super::ApplyError;
use super::change::Change;
use super::plan::Planner;
use super::read::Entry;
use crate::crypto::otp::{OtpSecret, SecretEncoding};
use crate::crypto::password::{Against, Password, PasswordHasher};
use crate::crypto::random;
use crate::domain::authenticator::{
    Authenticator, AuthenticatorState, Kind, Pin, PinPosition, TotpParameters,
};
use crate::domain::contact::{EmailAddress, PhoneNumber};
use crate::domain::ids::{AuthenticatorId, TenantId, UserId};
use crate::storage::authenticators::{self, Stored};

/// Which members each kind has, those that it needs first.
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

/// Every kind may have a PIN.
const PIN: [&str; 3] = ["pin", "pin_hash", "pin_position"];

impl Planner<'_> {
    pub(super) async fn authenticators(
        &mut self,
        entry: &Entry,
        tenant: &TenantId,
        user: &UserId,
    ) -> Result<(), ApplyError> {
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
        let serial = Some(table.text("serial").to_owned()).filter(|serial| !serial.is_empty());
        self.check_serial(table, entry.text("tenant"), tenant, user).await?;
        let known_pin = known.as_ref().and_then(|known| self.known_pin(&known.authenticator));
        let same_pin = self.is_same_pin(table, known_pin).await?;
        let same = known.is_some_and(|known| {
            known.authenticator.serial == serial && self.is_same(&known, secret.as_ref(), &kind)
        });
        if same && same_pin {
            return Ok(());
        }
        let id = AuthenticatorId::new(random::uuid());
        let pending = Authenticator::pending(id, user.clone(), kind, self.idp.now());
        let counter = table.members.get("counter").and_then(Value::as_i64).unwrap_or_default();
        let authenticator = Authenticator {
            state: AuthenticatorState::Active,
            serial,
            last_accepted: counter.saturating_sub(1),
            ..pending
        };
        let pin = self.pin(table, &authenticator).await?;
        let authenticator = Authenticator { pin, ..authenticator };
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
        let known = |name: &str| {
            name == "kind" || PIN.contains(&name) || needed.contains(&name) || more.contains(&name)
        };
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
            "hotp" => {
                let digits = table.members.get("digits").map_or(Some(6), Value::as_u64);
                let digits =
                    digits.and_then(|digits| u32::try_from(digits).ok()).filter(|n| matches!(n, 6 | 8));
                if digits.is_none() {
                    self.mistakes.at(&table.place_of("digits"), "must be 6 or 8");
                }
                digits.map(|digits| Kind::Hotp { digits })
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

    fn otp_secret(&mut self, table: &Entry) -> Option<OtpSecret> {
        let encoding = SecretEncoding::parse(table.text("secret_encoding")).unwrap_or_default();
        let allow_short =
            table.members.get("allow_short_secret").and_then(Value::as_bool).unwrap_or_default();
        let secret = self.given(table, "secret", |text| OtpSecret::import(text, encoding, allow_short))?;
        // In every encoding: the samples are written in base32.
        self.refuse_sample(&table.place_of("secret"), &secret.base32());
        Some(secret)
    }

    /// A serial number means one device of the tenant.
    async fn check_serial(
        &mut self,
        table: &Entry,
        domain: &str,
        tenant: &TenantId,
        user: &UserId,
    ) -> Result<(), ApplyError> {
        let serial = table.text("serial");
        if serial.is_empty() || !self.is_first(table, &format!("serial {domain}/{serial}")) {
            return Ok(());
        }
        let owner = authenticators::owner_of_serial(&mut self.reader.tx(), tenant, serial).await;
        if owner.map_err(ApplyError::failed)?.is_some_and(|owner| owner != *user) {
            self.mistakes.at(&table.place_of("serial"), "is another user's");
        }
        Ok(())
    }

    /// The PHC string of the PIN that is stored, and where it is typed.
    fn known_pin(&self, authenticator: &Authenticator) -> Option<(String, PinPosition)> {
        let pin = authenticator.pin.as_ref()?;
        let opened = self.idp.sealer().open(&pin.sealed_hash, &authenticator.pin_row()).ok()?;
        Some((String::from_utf8_lossy(&opened).into_owned(), pin.position))
    }

    /// A PIN that verifies already is not hashed again.
    async fn is_same_pin(
        &mut self,
        table: &Entry,
        known: Option<(String, PinPosition)>,
    ) -> Result<bool, ApplyError> {
        let Some((phc, position)) = known else { return Ok(!table.names("pin") && !table.names("pin_hash")) };
        if position != position_of(table) {
            return Ok(false);
        }
        if table.names("pin_hash") {
            return Ok(table.text("pin_hash") == phc);
        }
        let Ok(typed) = Password::normalise(table.text("pin")) else { return Ok(false) };
        let verdict =
            self.idp.hasher().verify(typed, Against::Own(&phc)).await.map_err(ApplyError::failed)?;
        Ok(verdict.matches)
    }

    /// The PIN that is named, hashed and sealed.
    async fn pin(&mut self, table: &Entry, authenticator: &Authenticator) -> Result<Option<Pin>, ApplyError> {
        let phc = if table.names("pin_hash") {
            if table.names("pin") {
                self.mistakes.at(&table.place_of("pin"), "cannot stand beside pin_hash");
            }
            let checked = PasswordHasher::check_pin_hash(table.text("pin_hash"));
            self.mistakes.keep(&table.place_of("pin_hash"), checked);
            table.text("pin_hash").to_owned()
        } else if table.names("pin") {
            if !is_pin(table.text("pin")) {
                let rule = "must be 4 to 8 digits, neither all the same nor in a row";
                self.mistakes.at(&table.place_of("pin"), rule);
                return Ok(None);
            }
            let Ok(pin) = Password::normalise(table.text("pin")) else { return Ok(None) };
            self.idp.hasher().hash(pin).await.map_err(ApplyError::failed)?
        } else {
            return Ok(None);
        };
        let sealed = self.idp.sealer().seal(phc.as_bytes(), &authenticator.pin_row());
        let sealed_hash = sealed.map_err(ApplyError::failed)?;
        Ok(Some(Pin { sealed_hash, position: position_of(table) }))
    }

    /// Is it enrolled already? How far its clock or counter has run does not matter.
    fn is_same(&self, known: &Stored, secret: Option<&OtpSecret>, kind: &Kind) -> bool {
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

fn position_of(table: &Entry) -> PinPosition {
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
