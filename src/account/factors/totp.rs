//! Authenticator applications and devices that go by the clock (RFC 6238).
//!
//! A code's time step is found beforehand, in a small window around the expected one; that it counts is decided by one
//! conditional update.

use std::sync::Arc;

use futures_util::future::BoxFuture;
use futures_util::{FutureExt, TryFutureExt};

use super::super::{Account, Error};
use super::{Claim, Entry, Factor, Finding};
use crate::crypto::otp;
use crate::domain::authenticator::{Kind, Method};
use crate::domain::fact::FactKind;
use crate::domain::ids::AuthenticatorId;
use crate::domain::time::Time;
use crate::storage::authenticators::Stored;
use crate::storage::{Result as Stores, Tx, authenticators};

/// Steps of drift that are followed in all: an hour at the usual 30 seconds.
const MAX_DRIFT: i64 = 120;

pub(super) struct Totp;

impl Factor for Totp {
    fn enrols(&self) -> Option<Method> {
        Some(Method::Totp)
    }

    fn serves(&self, kind: &Kind) -> bool {
        matches!(kind, Kind::Totp { .. })
    }

    fn proves(&self, authenticator: AuthenticatorId) -> FactKind {
        FactKind::Otp(authenticator)
    }

    fn read<'a>(
        &'a self,
        account: &'a Account<'_>,
        entry: Entry<'a>,
    ) -> BoxFuture<'a, Result<Option<Arc<dyn Claim>>, Error>> {
        let step = step(account, entry.stored, entry.typed);
        async move { Ok(step?.map(|step| Arc::new(step) as Arc<dyn Claim>)) }.boxed()
    }
}

/// The time step a code belongs to, and how far the device is ahead by it.
#[derive(Clone, Debug)]
struct TimeStep {
    authenticator: AuthenticatorId,
    number: i64,
    drift: i64,
}

fn step(account: &Account<'_>, stored: &Stored, typed: &str) -> Result<Option<TimeStep>, Error> {
    let Kind::Totp { parameters, drift } = &stored.authenticator.kind else { return Ok(None) };
    let (secret, now) = (account.secret(stored)?, account.now());
    let last_accepted = stored.authenticator.last_accepted;
    let step = otp::find_step(parameters, &secret, typed, now, *drift, last_accepted);
    Ok(step.zip(otp::step_at(parameters, now)).map(|(step, expected)| TimeStep {
        authenticator: stored.authenticator.id.clone(),
        number: step,
        drift: step.saturating_sub(expected).clamp(-MAX_DRIFT, MAX_DRIFT),
    }))
}

impl Claim for TimeStep {
    fn accept<'t>(&'t self, tx: &'t mut Tx<'_>, now: Time) -> BoxFuture<'t, Stores<Finding>> {
        let accepted = authenticators::accept(tx, &self.authenticator, self.number, self.drift, now);
        accepted.map_ok(Finding::of).boxed()
    }

    fn confirm<'t>(&'t self, tx: &'t mut Tx<'_>, now: Time) -> BoxFuture<'t, Stores<Finding>> {
        authenticators::confirm(tx, &self.authenticator, self.number, now).map_ok(Finding::of).boxed()
    }
}
