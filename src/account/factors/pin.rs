//! A PIN in one field with the code, before or behind it (functional specification 6.5).
//!
//! PIN and code are always both checked: an attacker who guesses one does not learn that the other was right, and a right
//! code with a wrong PIN is consumed. The hash of a four-digit PIN can be reversed by trying all PINs, so it is sealed.

use super::super::attempts::Counter;
use super::super::{Account, Error};
use crate::crypto::password::{Against, Password};
use crate::domain::authenticator::{Authenticator, Pin, PinPosition};
use crate::domain::typed;
use crate::storage::attempts::AttemptKind as Guess;

/// What was typed, taken apart.
#[derive(Debug)]
pub(super) struct TypedParts {
    /// The code alone.
    pub(super) code: String,
    /// The PIN; `None` if the authenticator has no PIN.
    pub(super) pin: Option<String>,
}

/// The last or first digits are the code, the others the PIN. `None`: it is shorter than a code.
pub(super) fn split(authenticator: &Authenticator, typed: &str) -> Option<TypedParts> {
    let all = typed::code(typed, 32);
    let Some(Pin { position, .. }) = &authenticator.pin else {
        return Some(TypedParts { code: all.to_string(), pin: None });
    };
    let digits = usize::try_from(authenticator.kind.digits()).ok()?;
    let (pin, code) = match position {
        PinPosition::Before => all.split_at_checked(all.len().checked_sub(digits)?)?,
        PinPosition::After => all.split_at_checked(digits).map(|(code, pin)| (pin, code))?,
    };
    Some(TypedParts { code: code.to_owned(), pin: Some(pin.to_owned()) })
}

/// A PIN that was typed, and whether it is the one.
#[derive(Clone, Debug)]
pub(super) struct PinTry {
    /// The tries that it takes from.
    pub(super) counter: Counter,
    pub(super) is_right: bool,
}

impl Account<'_> {
    /// Checks what was typed for a PIN; `None`: this authenticator has none.
    pub(super) async fn check_pin(
        &self,
        authenticator: &Authenticator,
        typed: Option<&str>,
    ) -> Result<Option<PinTry>, Error> {
        let Some(pin) = &authenticator.pin else { return Ok(None) };
        let phc = self.sealer.open(&pin.sealed_hash, &authenticator.pin_row())?;
        let phc = String::from_utf8_lossy(&phc).into_owned();
        let is_right = match Password::normalise(typed.unwrap_or_default()) {
            Ok(typed) => self.hasher.verify(typed, Against::Own(&phc)).await?.matches,
            Err(_) => false,
        };
        let counter = Counter::new(self.sealer, Guess::Pin, authenticator.user.as_str());
        Ok(Some(PinTry { counter, is_right }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::authenticator::AuthenticatorKind;
    use crate::domain::ids::{AuthenticatorId, UserId};
    use crate::domain::time::Time;

    fn parts(
        position: Option<PinPosition>,
        kind: AuthenticatorKind,
        typed: &str,
    ) -> Option<(String, Option<String>)> {
        let (id, user) = (AuthenticatorId::new("a"), UserId::new("u"));
        let mut device = Authenticator::pending(id, user, kind, Time::from_unix(0));
        device.pin = position.map(|position| Pin { sealed_hash: String::new(), position });
        split(&device, typed).map(|parts| (parts.code, parts.pin))
    }

    #[test]
    fn the_code_is_as_long_as_the_device_makes_it() {
        use PinPosition::{After, Before};
        let both = |code: &str, pin: &str| Some((code.to_owned(), Some(pin.to_owned())));
        let app = AuthenticatorKind::application;
        assert_eq!(parts(None, app(), " 123 456"), Some(("123456".to_owned(), None)));
        assert_eq!(parts(Some(Before), app(), "9753 123456"), both("123456", "9753"));
        assert_eq!(parts(Some(After), app(), "123456 9753"), both("123456", "9753"));
        assert_eq!(
            parts(Some(Before), AuthenticatorKind::Hotp { digits: 8 }, "975312345678"),
            both("12345678", "9753")
        );
        assert_eq!(parts(Some(Before), app(), "９７５３-123‑456"), both("123456", "9753"));
        assert_eq!(parts(Some(Before), app(), "123456"), both("123456", ""));
        for typed in ["", "12345", "ääääääää"] {
            for position in [Before, After] {
                assert!(
                    parts(Some(position), app(), typed).is_none_or(|(code, _)| code.len() == 6),
                    "{typed}"
                );
            }
        }
    }
}
