//! Recovery codes (functional specification 6.10): ten codes of 50 bits, for the day the authenticator is lost.

use zeroize::Zeroizing;

use super::Account;
use super::attempts::{Allowance, Counter};
use super::factors::Verdict;
use crate::crypto::random;
use crate::crypto::seal::Sealer;
use crate::domain::ids::{Hash, UserId};
use crate::domain::time::Time;
use crate::storage::attempts::Kind;
use crate::storage::{Result, Tx, recovery_codes};

/// How many a user gets.
const COUNT: usize = 10;

/// A fresh set of codes, as they are shown and as they are stored.
#[derive(Clone, Debug)]
pub(crate) struct NewCodes {
    shown: Zeroizing<String>,
    hashes: Vec<Hash>,
}

impl NewCodes {
    /// The codes, parted by spaces.
    pub(crate) fn shown(&self) -> &str {
        &self.shown
    }

    /// Gives them to the user; the old set is void.
    pub(crate) async fn settle(&self, tx: &mut Tx<'_>, user: &UserId) -> Result<()> {
        recovery_codes::replace(tx, user, &self.hashes).await
    }
}

/// A code that was typed.
#[derive(Clone, Debug)]
pub(crate) struct Attempt {
    user: UserId,
    hash: Hash,
    counter: Counter,
}

impl Attempt {
    /// Counts the try and uses the code up.
    pub(crate) async fn settle(&self, tx: &mut Tx<'_>, now: Time) -> Result<Verdict> {
        if let Allowance::Locked(until) = self.counter.take(tx, now).await? {
            return Ok(Verdict::Locked(until));
        }
        if !recovery_codes::redeem(tx, &self.user, &self.hash, now).await? {
            return Ok(Verdict::Wrong);
        }
        self.counter.clear(tx).await?;
        Ok(Verdict::Right)
    }
}

impl Account<'_> {
    /// Makes a set of codes.
    pub(crate) fn new_recovery_codes(&self, user: &UserId) -> NewCodes {
        let codes: Vec<_> = (0..COUNT).map(|_| Zeroizing::new(random::crockford::<10>())).collect();
        let hashes = codes.iter().map(|code| hash(self.sealer, user, code)).collect();
        let groups: Vec<_> = codes.iter().filter_map(|code| code.split_at_checked(5)).collect();
        let shown: Vec<_> = groups.into_iter().map(|(left, right)| format!("{left}-{right}")).collect();
        NewCodes { shown: Zeroizing::new(shown.join(" ")), hashes }
    }

    /// A code as it was typed, to be settled.
    pub(crate) fn recovery_attempt(&self, user: &UserId, typed: &str) -> Attempt {
        let counter = Counter::new(self.sealer, Kind::Recovery, user.as_str());
        Attempt {
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
