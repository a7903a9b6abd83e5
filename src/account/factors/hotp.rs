//! Devices with a button that count (RFC 4226). Administrators hand them out: who enrols a method takes an application.

use std::sync::Arc;

use super::super::Account;
use super::factor::{Claim, ClaimResult, Factor, TypedCode};
use super::oath::MovingFactor;
use crate::crypto::otp::{OtpSecret, hotp, resync};
use crate::domain::authenticator::{AuthenticatorKind, Method};
use crate::domain::fact::FactKind;
use crate::domain::ids::AuthenticatorId;
use crate::storage::authenticators::StoredAuthenticator;

pub(super) struct HotpFactor;

impl Factor for HotpFactor {
    fn enrols(&self) -> Option<Method> {
        None
    }

    fn serves(&self, kind: &AuthenticatorKind) -> bool {
        matches!(kind, AuthenticatorKind::Hotp { .. })
    }

    fn proves(&self, authenticator: AuthenticatorId) -> FactKind {
        FactKind::Otp(authenticator)
    }

    fn read(&self, account: &Account<'_>, entry: TypedCode<'_>) -> ClaimResult {
        claim(account, entry.stored, |digits, secret, next| {
            hotp::find_counter(digits, secret, entry.typed, next)
        })
    }

    fn resync(
        &self,
        account: &Account<'_>,
        stored: &StoredAuthenticator,
        codes: (&str, &str),
    ) -> ClaimResult {
        claim(account, stored, |digits, secret, next| resync::find_counter_pair(digits, secret, codes, next))
    }
}

fn claim(
    account: &Account<'_>,
    stored: &StoredAuthenticator,
    find: impl FnOnce(u32, &OtpSecret, i64) -> Option<i64>,
) -> ClaimResult {
    let AuthenticatorKind::Hotp { digits } = stored.authenticator.kind else { return Ok(None) };
    let next = stored.authenticator.last_accepted.saturating_add(1);
    let number = find(digits, &account.secret(stored)?, next);
    let authenticator = stored.authenticator.id.clone();
    Ok(number.map(|number| Arc::new(MovingFactor { authenticator, number, drift: 0 }) as Arc<dyn Claim>))
}
