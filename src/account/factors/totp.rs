//! Authenticator applications (RFC 6238): enrolment in two phases, and codes that count once.
//!
//! A code's time step is found beforehand; that it counts is decided by one conditional update in the caller's
//! transaction (functional specification 6.4). So the same code twice, at once or at two nodes, wins once.

use zeroize::Zeroizing;

use super::super::attempts::{Allowance, Counter};
use super::super::{Account, Error};
use super::Verdict;
use crate::crypto::otp::{self, TotpSecret};
use crate::crypto::random;
use crate::crypto::seal::SealError;
use crate::domain::authenticator::{Authenticator, AuthenticatorState, TotpParameters};
use crate::domain::ids::{AuthenticatorId, UserId};
use crate::domain::time::Time;
use crate::storage::attempts::Kind;
use crate::storage::authenticators::Stored;
use crate::storage::{Result as Stores, Tx, authenticators};

/// Steps of drift that are followed in all: an hour at the usual 30 seconds.
const MAX_DRIFT: i64 = 120;

/// A code that was typed for the active authenticator.
#[derive(Clone, Debug)]
pub(crate) struct Attempt {
    /// The authenticator it was typed for.
    pub(crate) authenticator: AuthenticatorId,
    found: Option<Found>,
    counter: Counter,
}

/// The time step a code belongs to, and how far the device is ahead by it.
#[derive(Clone, Copy, Debug)]
struct Found {
    step: i64,
    drift: i64,
}

impl Attempt {
    /// Counts the try and uses the code up.
    pub(crate) async fn settle(&self, tx: &mut Tx<'_>, now: Time) -> Stores<Verdict> {
        if let Allowance::Locked(until) = self.counter.take(tx, now).await? {
            return Ok(Verdict::Locked(until));
        }
        let Some(Found { step, drift }) = self.found else { return Ok(Verdict::Wrong) };
        if !authenticators::accept_step(tx, &self.authenticator, step, drift).await? {
            return Ok(Verdict::Wrong);
        }
        self.counter.clear(tx).await?;
        Ok(Verdict::Right)
    }
}

/// A new secret, to be stored as pending.
#[derive(Clone, Debug)]
pub(crate) struct Start {
    /// The new authenticator.
    pub(crate) authenticator: Authenticator,
    sealed: String,
}

impl Start {
    /// Stores it; whatever the user began before and did not confirm is void.
    pub(crate) async fn settle(&self, tx: &mut Tx<'_>) -> Stores<()> {
        authenticators::remove_pending(tx, &self.authenticator.user).await?;
        authenticators::insert(tx, &self.authenticator, &self.sealed).await
    }
}

/// A pending authenticator, as its page shows it.
#[derive(Debug)]
pub(crate) struct Enrolment {
    stored: Authenticator,
    secret: TotpSecret,
}

impl Enrolment {
    /// The secret in groups of four.
    pub(crate) fn groups(&self) -> Vec<String> {
        self.secret.groups()
    }

    /// The `otpauth:` address.
    pub(crate) fn uri(&self, issuer: &str, account: &str) -> Option<Zeroizing<String>> {
        self.secret.otpauth_uri(issuer, account, &self.stored.totp)
    }

    /// The first code, as typed.
    pub(crate) fn confirmation(&self, code: &str, now: Time) -> Option<Confirmation> {
        let Authenticator { id, user, totp, last_accepted_step, .. } = &self.stored;
        let step = otp::find_step(totp, &self.secret, code, now, 0, *last_accepted_step)?;
        Some(Confirmation { authenticator: id.clone(), user: user.clone(), step })
    }
}

/// A first code that fits.
#[derive(Clone, Debug)]
pub(crate) struct Confirmation {
    /// The authenticator it is for.
    pub(crate) authenticator: AuthenticatorId,
    user: UserId,
    step: i64,
}

impl Confirmation {
    /// Makes the authenticator active, and the only one; its first code is used up. `false`: it is no longer pending, or
    /// the active one is not (or no longer) the one it may replace.
    pub(crate) async fn settle(&self, tx: &mut Tx<'_>, replaced: Option<&AuthenticatorId>) -> Stores<bool> {
        let active = authenticators::active(tx, &self.user).await?;
        if active.map(|active| active.authenticator.id).as_ref() != replaced {
            return Ok(false);
        }
        let confirmed = authenticators::confirm(tx, &self.authenticator, self.step).await?;
        if confirmed {
            authenticators::revoke_others(tx, &self.user, &self.authenticator).await?;
        }
        Ok(confirmed)
    }
}

impl Account<'_> {
    /// A code for the user's active authenticator, to be settled; `None` if there is no such authenticator.
    pub(crate) async fn totp_attempt(&self, user: &UserId, code: &str) -> Result<Option<Attempt>, Error> {
        let active = authenticators::active(&mut self.db.read().await?.tx(), user).await?;
        let Some(stored) = active else { return Ok(None) };
        let secret = self.open(&stored)?;
        let Authenticator { id, totp, drift_steps, last_accepted_step, .. } = stored.authenticator;
        let now = self.now();
        let step = otp::find_step(&totp, &secret, code, now, drift_steps, last_accepted_step);
        let found = step.zip(otp::step_at(&totp, now)).map(|(step, expected)| Found {
            step,
            drift: step.saturating_sub(expected).clamp(-MAX_DRIFT, MAX_DRIFT),
        });
        let counter = Counter::new(self.sealer, Kind::Otp, user.as_str());
        Ok(Some(Attempt { authenticator: id, found, counter }))
    }

    /// A new secret for this user, to be settled.
    pub(crate) fn totp_start(&self, user: &UserId) -> Result<Start, Error> {
        let authenticator = Authenticator {
            id: AuthenticatorId::new(random::uuid()),
            user: user.clone(),
            totp: TotpParameters::default(),
            state: AuthenticatorState::Pending,
            drift_steps: 0,
            last_accepted_step: 0,
            created_at: self.now(),
        };
        let sealed = self.sealer.seal(TotpSecret::generate().as_bytes(), &authenticator.row())?;
        Ok(Start { authenticator, sealed })
    }

    /// The enrolment that this user has begun; `None` if it was confirmed or is void.
    pub(crate) async fn totp_enrolment(
        &self,
        user: &UserId,
        id: &AuthenticatorId,
    ) -> Result<Option<Enrolment>, Error> {
        let found = authenticators::by_id(&mut self.db.read().await?.tx(), id).await?;
        let pending = found.filter(|stored| {
            stored.authenticator.user == *user && stored.authenticator.state == AuthenticatorState::Pending
        });
        let Some(stored) = pending else { return Ok(None) };
        let secret = self.open(&stored)?;
        Ok(Some(Enrolment { stored: stored.authenticator, secret }))
    }

    fn open(&self, stored: &Stored) -> Result<TotpSecret, SealError> {
        let bytes = self.sealer.open(&stored.sealed_secret, &stored.authenticator.row())?;
        // Only secrets of ours and checked imports are ever sealed for this row.
        TotpSecret::from_bytes(&bytes).map_err(|_| SealError::Malformed)
    }
}
