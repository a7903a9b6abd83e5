//! Authenticator applications and devices that go by the clock (RFC 6238).
//!
//! A code's time step is found beforehand, in a small window around the expected one; that it counts is decided by one
//! conditional update. The window follows the device's clock, by itself no further than an hour; a device that has drifted
//! more is found by resynchronisation, and followed from there.

use std::sync::Arc;
use std::time::Duration;

use super::super::Account;
use super::factor::{Claim, ClaimResult, Factor, TypedCode};
use super::oath::MovingFactor;
use crate::crypto::otp::{self, resync};
use crate::domain::authenticator::{Authenticator, AuthenticatorKind, Method, TotpParameters};
use crate::domain::fact::FactKind;
use crate::domain::ids::AuthenticatorId;
use crate::domain::time::Time;
use crate::storage::authenticators::StoredAuthenticator;

/// Steps of drift that are followed in all: an hour at the usual 30 seconds.
const MAX_DRIFT: i64 = 120;
/// Idle time after which the window widens by one step.
const STEP_OF_IDLENESS: Duration = Duration::from_hours(60 * 24);
/// Steps to either side, at most.
const WIDEST: i64 = 4;

pub(super) struct TotpFactor;

impl Factor for TotpFactor {
    fn enrols(&self) -> Option<Method> {
        Some(Method::Totp)
    }

    fn serves(&self, kind: &AuthenticatorKind) -> bool {
        matches!(kind, AuthenticatorKind::Totp { .. })
    }

    fn proves(&self, authenticator: AuthenticatorId) -> FactKind {
        FactKind::Otp(authenticator)
    }

    fn read(&self, account: &Account<'_>, TypedCode { stored, typed, .. }: TypedCode<'_>) -> ClaimResult {
        let AuthenticatorKind::Totp { parameters, drift } = &stored.authenticator.kind else {
            return Ok(None);
        };
        let (secret, now) = (account.secret(stored)?, account.now());
        let window = otp::Window {
            drift: *drift,
            around: around(&stored.authenticator, now),
            last_accepted: stored.authenticator.last_accepted,
        };
        let step = otp::find_step(parameters, &secret, typed, now, window);
        Ok(claim(&stored.authenticator, parameters, step, now, |seen| followed(*drift, seen)))
    }

    fn resync(
        &self,
        account: &Account<'_>,
        stored: &StoredAuthenticator,
        codes: (&str, &str),
    ) -> ClaimResult {
        let AuthenticatorKind::Totp { parameters, .. } = &stored.authenticator.kind else { return Ok(None) };
        let (secret, now) = (account.secret(stored)?, account.now());
        let last_accepted = stored.authenticator.last_accepted;
        let step = resync::find_step_pair(parameters, &secret, codes, now, last_accepted);
        Ok(claim(&stored.authenticator, parameters, step, now, |seen| seen))
    }
}

fn claim(
    authenticator: &Authenticator,
    parameters: &TotpParameters,
    step: Option<i64>,
    now: Time,
    drift: impl FnOnce(i64) -> i64,
) -> Option<Arc<dyn Claim>> {
    let (number, expected) = step.zip(otp::step_at(parameters, now))?;
    let (authenticator, drift) = (authenticator.id.clone(), drift(number.saturating_sub(expected)));
    Some(Arc::new(MovingFactor { authenticator, number, drift }))
}

/// The drift to be stored: the one seen, unless that is further away than is followed.
const fn followed(known: i64, seen: i64) -> i64 {
    if seen.saturating_abs() <= MAX_DRIFT || seen.saturating_abs() < known.saturating_abs() {
        seen
    } else {
        known
    }
}

/// How many steps to either side count: one, and one more for each two months that the device was not used.
fn around(authenticator: &Authenticator, now: Time) -> i64 {
    let seen = authenticator.last_used_at.unwrap_or(authenticator.created_at);
    let idle = now.since(seen) / i64::try_from(STEP_OF_IDLENESS.as_secs()).unwrap_or(i64::MAX);
    1_i64.saturating_add(idle).clamp(1, WIDEST)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::ids::UserId;

    #[test]
    fn drift_is_followed_for_an_hour_and_kept_where_resynchronisation_found_it() {
        for (known, seen, stored) in [
            (0, 1, 1),
            (119, 120, 120),
            (120, 121, 120),
            (-120, -121, -120),
            (-720, -719, -719),
            (-720, -721, -720),
        ] {
            assert_eq!(followed(known, seen), stored, "{known} {seen}");
        }
    }

    #[test]
    fn the_window_widens_by_a_step_in_two_months() {
        let (id, user) = (AuthenticatorId::new("a"), UserId::new("u"));
        let device = Authenticator::pending(id, user, AuthenticatorKind::application(), Time::from_unix(0));
        for (days, expected) in [(0, 1), (59, 1), (60, 2), (120, 3), (180, 4), (5000, 4)] {
            let now = Time::from_unix(days * 24 * 3600);
            assert_eq!(around(&device, now), expected, "{days}");
        }
        assert_eq!(around(&device, Time::from_unix(-1_000_000_000)), 1);
    }
}
