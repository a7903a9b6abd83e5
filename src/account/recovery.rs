//! Recovery codes (functional specification 6.10): ten codes of 50 bits, for the day the authenticator is lost.

use zeroize::Zeroizing;

use super::attempts::{Allowance, Counter};
use super::delivery::QueuedMessage;
use super::factors::attempt::FactorVerdict;
use super::{Account, Error};
use crate::crypto::random;
use crate::crypto::seal::{SealError, Sealer};
use crate::domain::ids::{Hash, UserId};
use crate::domain::message::AccountNotice;
use crate::domain::tenant::Tenant;
use crate::domain::time::Time;
use crate::domain::user::User;
use crate::storage::attempts::AttemptKind;
use crate::storage::{Result as Stores, Tx, recovery_codes};

/// How many a user gets.
const COUNT: usize = 10;

/// What comes with every new authenticator, whatever it is: a fresh set of codes, and a mail that tells of it.
#[derive(Clone, Debug)]
pub(crate) struct NewCodes {
    user: UserId,
    hashes: Vec<Hash>,
    notice: Option<QueuedMessage>,
    /// The codes for their page, under the master key.
    pub(crate) sealed: String,
}

impl NewCodes {
    /// Whose they are.
    pub(super) const fn user(&self) -> &UserId {
        &self.user
    }

    /// Gives them to the user; the old set is void.
    pub(crate) async fn replace(&self, tx: &mut Tx<'_>) -> Stores<()> {
        recovery_codes::replace(tx, &self.user, &self.hashes).await?;
        if let Some(notice) = &self.notice {
            notice.enqueue(tx).await?;
        }
        Ok(())
    }
}

/// A code that was typed.
#[derive(Clone, Debug)]
pub(crate) struct RecoveryAttempt {
    user: UserId,
    hash: Hash,
    counter: Counter,
}

impl RecoveryAttempt {
    /// Counts the try and uses the code up.
    pub(crate) async fn consume(&self, tx: &mut Tx<'_>, now: Time) -> Stores<FactorVerdict> {
        if let Allowance::Locked(until) = self.counter.take(tx, now).await? {
            return Ok(FactorVerdict::Locked(until));
        }
        if !recovery_codes::redeem(tx, &self.user, &self.hash, now).await? {
            return Ok(FactorVerdict::Wrong);
        }
        self.counter.queue_clear(tx)?;
        Ok(FactorVerdict::Right)
    }
}

impl Account<'_> {
    /// Makes a set of codes for a user with a new authenticator; this row keeps them until they are stored.
    pub(crate) fn new_recovery_codes(
        &self,
        user: &User,
        tenant: &Tenant,
        row: &str,
    ) -> Result<NewCodes, Error> {
        let codes: Vec<_> = (0..COUNT).map(|_| Zeroizing::new(random::crockford::<10>())).collect();
        let hashes = codes.iter().map(|code| hash(self.sealer, &user.id, code)).collect();
        let groups: Vec<_> = codes.iter().filter_map(|code| code.split_at_checked(5)).collect();
        let shown: Vec<_> = groups.into_iter().map(|(left, right)| format!("{left}-{right}")).collect();
        let sealed = self.sealer.seal(Zeroizing::new(shown.join(" ")).as_bytes(), row)?;
        let notice = self.notice(user, tenant, AccountNotice::SecondFactorEnrolled)?;
        Ok(NewCodes { user: user.id.clone(), hashes, notice, sealed })
    }

    /// The codes that this row keeps, for their page.
    pub(crate) fn shown_recovery_codes(&self, sealed: &str, row: &str) -> Result<Vec<String>, SealError> {
        let shown = self.sealer.open(sealed, row)?;
        Ok(String::from_utf8_lossy(&shown).split(' ').map(str::to_owned).collect())
    }

    /// A code as it was typed, to be consumed.
    pub(crate) fn recovery_attempt(&self, user: &UserId, typed: &str) -> RecoveryAttempt {
        let counter = Counter::new(self.sealer, AttemptKind::Recovery, user.as_str());
        RecoveryAttempt {
            user: user.clone(),
            hash: hash(self.sealer, user, &random::crockford_typed(typed)),
            counter,
        }
    }
}

/// 50 bits are few enough to try them all, so the hash is keyed.
fn hash(sealer: &Sealer, user: &UserId, code: &str) -> Hash {
    sealer.keyed_hash("recovery code", &format!("{user}\n{code}"))
}
