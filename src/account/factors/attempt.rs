//! A second factor that is tried: what was typed, what it takes tries from, and what came of it.

use std::sync::Arc;

use super::super::attempts::{Allowance, Counter};
use super::super::{Account, Error};
use super::factor::{Claim, Factor, Finding, TypedCode};
use super::factor_of;
use super::pin::{self, PinTry};
use crate::domain::ceremony::Ceremony;
use crate::domain::fact::FactKind;
use crate::domain::ids::UserId;
use crate::domain::message::CodePurpose;
use crate::domain::time::Time;
use crate::storage::attempts::AttemptKind as Guess;
use crate::storage::authenticators::{self, StoredAuthenticator};
use crate::storage::{Result as Stores, Tx};

/// The verdict on a code, or on the browser's answer for a passkey.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FactorVerdict {
    /// It was right, and is used up.
    Right,
    /// It was wrong, expired or used already; the user is not told which.
    Wrong,
    /// No code was valid, so the attempt does not count.
    Expired,
    /// The signature counter of the passkey went back: the key may have been cloned.
    Copied,
    /// Not checked: there were too many failures.
    Locked(Time),
}

/// A code that was typed for an active authenticator.
#[derive(Clone, Debug)]
pub(crate) struct FactorAttempt {
    /// What it proves if it is right.
    pub(crate) proves: FactKind,
    claim: Option<Arc<dyn Claim>>,
    /// What it takes a try from.
    counters: Vec<Counter>,
    pin: Option<PinTry>,
}

impl FactorAttempt {
    /// Counts the try and uses the code up, whatever the PIN is.
    pub(crate) async fn consume(&self, tx: &mut Tx<'_>, now: Time) -> Stores<FactorVerdict> {
        let mut taken = Vec::new();
        for counter in self.counters.iter().chain(self.pin.as_ref().map(|pin| &pin.counter)) {
            match counter.take(tx, now).await? {
                Allowance::Granted { lock } => taken.push((counter, lock)),
                Allowance::Locked(until) => {
                    give_back(tx, &taken).await?;
                    return Ok(FactorVerdict::Locked(until));
                }
            }
        }
        let finding = match &self.claim {
            Some(claim) => claim.accept(tx, now).await?,
            None => Finding::Wrong,
        };
        let pin_is_wrong = self.pin.as_ref().is_some_and(|pin| !pin.is_right);
        match finding {
            Finding::Void => {
                give_back(tx, &taken).await?;
                Ok(FactorVerdict::Expired)
            }
            Finding::Right if !pin_is_wrong => {
                for (counter, _) in taken {
                    counter.queue_clear(tx)?;
                }
                Ok(FactorVerdict::Right)
            }
            Finding::Right | Finding::Wrong => {
                // The PIN's own tries are for wrong PINs.
                if let (false, Some(_), Some(last)) = (pin_is_wrong, &self.pin, taken.pop()) {
                    give_back(tx, &[last]).await?;
                }
                Ok(FactorVerdict::Wrong)
            }
        }
    }
}

async fn give_back(tx: &mut Tx<'_>, taken: &[(&Counter, Option<Time>)]) -> Stores<()> {
    for (counter, lock) in taken {
        counter.give_back(tx, *lock).await?;
    }
    Ok(())
}

impl Account<'_> {
    /// A code for the user's active authenticator, typed in this ceremony, to be consumed; `None` if there is no such
    /// authenticator.
    pub(crate) async fn code_attempt(
        &self,
        user: &UserId,
        ceremony: &Ceremony,
        typed: &str,
    ) -> Result<Option<FactorAttempt>, Error> {
        let Some((stored, factor)) = self.active(user).await? else { return Ok(None) };
        let parts = pin::split(&stored.authenticator, typed);
        let pin = parts.as_ref().and_then(|parts| parts.pin.as_deref());
        let pin = self.check_pin(&stored.authenticator, pin).await?;
        let claim = match &parts {
            Some(parts) => {
                let (ceremony, purpose) = (ceremony.id.as_ref(), CodePurpose::SignIn);
                let entry = TypedCode { stored: &stored, ceremony, purpose, typed: &parts.code };
                factor.read(self, entry)?
            }
            None => None,
        };
        let counters = vec![Counter::new(self.sealer, factor.budget(), user.as_str())];
        Ok(Some(FactorAttempt { proves: factor.proves(stored.authenticator.id), claim, counters, pin }))
    }

    /// Two codes of the user's active device, one typed after the other, each with the PIN if there is one; to be consumed.
    /// They take a try from the codes' budget and from their own.
    pub(crate) async fn resync_attempt(
        &self,
        user: &UserId,
        first: &str,
        second: &str,
    ) -> Result<Option<FactorAttempt>, Error> {
        let Some((stored, factor)) = self.active(user).await? else { return Ok(None) };
        let parts = [first, second].map(|typed| pin::split(&stored.authenticator, typed));
        let [pin, again] =
            parts.each_ref().map(|parts| parts.as_ref().and_then(|parts| parts.pin.as_deref()));
        let pin = pin.filter(|_| pin == again);
        let pin = self.check_pin(&stored.authenticator, pin).await?;
        let claim = match &parts {
            [Some(first), Some(second)] => {
                factor.resync(self, &stored, (first.code.as_str(), second.code.as_str()))?
            }
            _ => None,
        };
        let counters = [factor.budget(), Guess::Resync];
        let counters = counters.map(|kind| Counter::new(self.sealer, kind, user.as_str())).to_vec();
        Ok(Some(FactorAttempt { proves: factor.proves(stored.authenticator.id), claim, counters, pin }))
    }

    async fn active(
        &self,
        user: &UserId,
    ) -> Result<Option<(StoredAuthenticator, &'static dyn Factor)>, Error> {
        let active = authenticators::active(&mut self.db.read().tx(), user).await?;
        Ok(active.and_then(|stored| {
            let factor = factor_of(&stored.authenticator.kind)?;
            Some((stored, factor))
        }))
    }
}
