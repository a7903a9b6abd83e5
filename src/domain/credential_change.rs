//! Changes of a user's credentials in a login, and the proofs they need.
//!
//! `domain::policy` defines and requests the proofs; the write that makes the change checks them again.

use std::time::Duration;

use super::authenticator::{FactorStrength, Held, Method, best_usable};
use super::fact::Facts;
use super::time::Time;

/// Maximum age of a factor that a change of credentials relies on.
pub const RECENT: Duration = Duration::from_mins(5);

/// A change of a user's credentials.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CredentialChange {
    /// A new password.
    Password,
    /// A new authenticator, with new recovery codes.
    Enrolment(Method),
    /// A new clock drift or counter of the authenticator, found by two consecutive codes.
    Resynchronisation,
}

impl CredentialChange {
    /// Returns whether these facts, all proved in one login, allow the change for a user with these authenticators.
    pub fn is_allowed(self, here: &Facts, held: &[Held], now: Time) -> bool {
        let recent = here.not_before(Some(now.minus(RECENT))).without_future_factors(now);
        let least = |worth: FactorStrength| best_usable(held).map(|best| best.min(worth));
        let least = match self {
            Self::Resynchronisation => return recent.first_factor().is_some(),
            Self::Password => least(FactorStrength::Mail),
            Self::Enrolment(method) => least(method.worth()),
        };
        let proved = |least| recent.second_factor().is_some_and(|proved| proved.worth >= least);
        let second = match self {
            _ if held.is_empty() => true,
            Self::Enrolment(_) if recent.is_recovering() => true,
            _ => !recent.is_recovering() && least.is_some_and(proved),
        };
        recent.first_factor().is_some() && second
    }
}

#[cfg(test)]
mod tests {
    use super::CredentialChange::{Enrolment, Password, Resynchronisation};
    use super::*;
    use crate::domain::fact::FactKind;
    use crate::domain::ids::{AuthenticatorId, UserId};
    use crate::domain::passkey::KeyStorage;

    const AT: Time = Time::from_unix(1_000);
    const SECOND: Duration = Duration::from_secs(1);

    fn held(worth: FactorStrength) -> Vec<Held> {
        vec![Held { id: AuthenticatorId::new("a"), worth, usable: true }]
    }

    /// The write checks the same proofs as the pages.
    #[test]
    fn a_change_of_credentials_is_allowed_by_what_it_needs() {
        let passkey = Enrolment(Method::Passkey);
        let proved = |kinds: &[FactKind]| {
            let mut facts = Facts::default();
            for kind in kinds {
                facts.add(&UserId::new("anna"), kind.clone(), AT);
            }
            facts
        };
        let id = || AuthenticatorId::new("a");
        let custody = KeyStorage::Device;
        let (pwd, sms, otp) = (FactKind::Password, FactKind::SmsCode(id()), FactKind::Otp(id()));
        let both = [held(FactorStrength::Sms), held(FactorStrength::Device)].concat();
        let elsewhere = vec![Held { usable: false, ..held(FactorStrength::PhishingResistant).remove(0) }];
        let [none, text, device] = [Vec::new(), held(FactorStrength::Sms), held(FactorStrength::Device)];
        let recovery = || FactKind::RecoveryCode;
        let sign_in = FactKind::PasskeySignIn { id: id(), custody };
        for (facts, held, password, enrolment, resync) in [
            (vec![], &none, false, false, false),
            (vec![otp.clone()], &device, false, false, false),
            (vec![pwd.clone()], &none, true, true, true),
            (vec![pwd.clone()], &device, false, false, true),
            (vec![pwd.clone(), sms.clone()], &text, true, true, true),
            (vec![pwd.clone(), sms], &both, true, false, true),
            (vec![pwd.clone(), otp], &both, true, true, true),
            (vec![pwd.clone()], &elsewhere, false, false, true),
            (vec![pwd.clone(), recovery()], &elsewhere, false, true, true),
            (vec![pwd, recovery()], &device, false, true, true),
            (vec![sign_in], &held(FactorStrength::PhishingResistant), true, true, true),
        ] {
            let facts = proved(&facts);
            let allowed =
                |now| [Password, passkey, Resynchronisation].map(|it| it.is_allowed(&facts, held, now));
            assert_eq!(allowed(AT.plus(RECENT)), [password, enrolment, resync], "{facts:?} {held:?}");
            assert_eq!(allowed(AT.plus(RECENT + SECOND)), [false; 3], "too old");
            assert_eq!(
                allowed(AT.minus(Time::SKEW + SECOND)),
                [false; 3],
                "of unknown age: the clock was set back"
            );
        }
    }
}
