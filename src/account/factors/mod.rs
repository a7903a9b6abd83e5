//! Second factors, one file each behind the trait [`factor::Factor`].
//!
//! What differs between them is small: whether a code is made by the device or sent, and how it is found right. So that
//! is all that the traits ask. Everything around it is here once: enrolment in two phases, the budget of guesses, and
//! the promise that a code counts once. That promise is a [`factor::Claim`]: what a factor has found out beforehand, to be
//! consumed by one conditional statement in the *caller's* transaction. The same code twice, at once or at two nodes,
//! wins once (functional specification 6.4).
//!
//! Of `acr` and `amr` nothing is said here: they follow from the fact that a factor [proves](factor::Factor::proves), by the one
//! table in `domain::fact`.

pub(crate) mod attempt;
pub(crate) mod code_message;
mod delivered;
pub(crate) mod enrolment;
mod factor;
mod hotp;
mod mail;
mod oath;
mod pin;
mod sms;
mod totp;

use self::factor::Factor;
use super::Account;
use crate::domain::authenticator::{AuthenticatorKind, Method};
use crate::domain::tenant::TenantPolicy;

/// Every second factor that has codes.
static FACTORS: &[&dyn Factor] = &[&totp::TotpFactor, &hotp::HotpFactor, &sms::SmsFactor, &mail::MailFactor];

/// The factor of this kind; `None` for a kind that cannot be used yet.
fn factor_of(kind: &AuthenticatorKind) -> Option<&'static dyn Factor> {
    FACTORS.iter().copied().find(|factor| factor.serves(kind))
}

impl Account<'_> {
    /// What a tenant's users may enrol, in the tenant's order: what it allows, as far as there is a factor for it and a
    /// way for its codes. Whether there can be passkeys, the issuer decides.
    pub(crate) fn methods(&self, policy: &TenantPolicy, passkeys: bool) -> Vec<Method> {
        let works =
            |factor: &&dyn Factor, method| factor.enrols() == Some(method) && factor.has_way(self.ways);
        let possible = |method: &Method| match method {
            Method::Passkey => passkeys,
            other => FACTORS.iter().any(|factor| works(factor, *other)),
        };
        policy.methods.iter().copied().filter(possible).collect()
    }
}
