//! Budgets for guesses (functional specification 6.7), with their numbers.
//!
//! The counters are keyed by a keyed hash: of the user's id, or for a first factor of what was typed, so that unknown
//! users and unknown tenants are counted and locked exactly like known ones.
//!
//! Even the hard stop ends by itself: anyone can fail in a user's name, and a stranger must not be able to
//! lock a user out for good (OWASP ASVS 6.1.1). A hundred failures take 18 hours of locks; then nothing is checked
//! for a day.
//!
//! A browser in which the user has signed in has a budget of its own for the password ([`super::sign_in_history`]): its
//! tries draw neither on the name's budget nor on the network's, and its failures lock that browser alone. Its success
//! does not end the lock of the name: otherwise each sign-in of the user would give strangers five more guesses.

use std::time::Duration;

use super::{Account, Error};
use crate::crypto::seal::Sealer;
use crate::domain::ids::{Hash, UserId};
use crate::domain::time::Time;
use crate::storage::attempts::{self, AttemptKind, Budget, Rate, Reservation};
use crate::storage::{Result, Tx, sign_in_history};

/// Five tries, then five minutes, doubling to an hour.
const BUDGET: Budget = Budget {
    tries: 5,
    first_lock: Duration::from_mins(5),
    longest_lock: Duration::from_hours(1),
    hard_stop: 100,
};

/// What a known browser has for itself.
const OF_BROWSER: Budget = Budget { tries: 10, ..BUDGET };

/// Two codes are looked for in a wide window, so there are few tries: five, then a day.
const RESYNC: Budget = Budget { first_lock: STOPPED, longest_lock: STOPPED, ..BUDGET };

/// How long nothing is checked after the hard stop.
const STOPPED: Duration = Duration::from_hours(24);

/// Failed sign-ins from one network. Generous, for a whole company may stand behind one address.
const PER_ADDRESS: Rate = Rate { count: 100, per: Duration::from_mins(10) };

/// One counter.
#[derive(Clone, Debug)]
pub(crate) struct Counter {
    key: Hash,
    kind: AttemptKind,
}

/// Whether a guess may be checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Allowance {
    /// Yes; it is counted as a failure until it proves right.
    Granted {
        /// The lock that stands unless it does.
        lock: Option<Time>,
    },
    /// Not before this time.
    Locked(Time),
}

impl Counter {
    /// The counter of whatever `subject` names.
    pub(crate) fn new(sealer: &Sealer, kind: AttemptKind, subject: &str) -> Self {
        Self { key: sealer.keyed_hash("attempts", subject), kind }
    }

    const fn budget(&self) -> &'static Budget {
        match self.kind {
            AttemptKind::Resync => &RESYNC,
            AttemptKind::KnownBrowser => &OF_BROWSER,
            _ => &BUDGET,
        }
    }

    /// Takes one try, before anything is checked: guesses made at once find one budget.
    pub(crate) async fn take(&self, tx: &mut Tx<'_>, now: Time) -> Result<Allowance> {
        let budget = self.budget();
        let mut reservation = attempts::reserve(tx, &self.key, self.kind, now, budget).await?;
        if reservation == Reservation::Stopped
            && attempts::forget(tx, &self.key, self.kind, now, STOPPED).await?
        {
            reservation = attempts::reserve(tx, &self.key, self.kind, now, budget).await?;
        }
        Ok(match reservation {
            Reservation::Taken { lock, .. } => Allowance::Granted { lock },
            Reservation::Locked(until) => Allowance::Locked(until),
            Reservation::Stopped => Allowance::Locked(now.plus(STOPPED)),
        })
    }

    /// Queues the reset of the counter after a successful check.
    pub(crate) fn queue_clear(&self, tx: &mut Tx<'_>) -> Result<()> {
        attempts::queue_success(tx, &self.key, self.kind)
    }

    /// The guess could not be checked: neither it nor the lock it set counts.
    pub(crate) async fn give_back(&self, tx: &mut Tx<'_>, lock: Option<Time>) -> Result<()> {
        attempts::give_back(tx, &self.key, self.kind, lock).await
    }
}

/// The failures of one network.
#[derive(Clone, Debug)]
pub(crate) struct Network(Hash);

impl Network {
    /// The network with this address.
    pub(crate) fn new(sealer: &Sealer, address: &str) -> Self {
        Self(sealer.keyed_hash("network", address))
    }

    /// Counts one failure in advance.
    pub(crate) async fn take(&self, tx: &mut Tx<'_>, now: Time) -> Result<Allowance> {
        let flows = attempts::flow(tx, &self.0, now, PER_ADDRESS).await?;
        Ok(if flows {
            Allowance::Granted { lock: None }
        } else {
            Allowance::Locked(now.plus(Duration::from_mins(1)))
        })
    }

    /// Refunds the attempt: it was not a failure.
    pub(crate) fn queue_refund(&self, tx: &mut Tx<'_>) -> Result<()> {
        attempts::queue_refund(tx, &self.0, PER_ADDRESS)
    }
}

/// A browser that may have tries of its own for the user whose password is typed.
#[derive(Clone, Debug)]
pub(super) struct KnownBrowser {
    pub(super) user: UserId,
    pub(super) hash: Hash,
}

impl KnownBrowser {
    /// Whether it has.
    pub(super) async fn has_tries(&self, tx: &mut Tx<'_>, now: Time) -> Result<bool> {
        sign_in_history::has_tries(tx, &self.user, &self.hash, now).await
    }

    /// The counter of its tries. The hash is keyed already.
    pub(super) fn counter(&self) -> Counter {
        Counter { key: self.hash.clone(), kind: AttemptKind::KnownBrowser }
    }
}

/// The budgets that a try at a first factor may count in.
#[derive(Clone, Debug)]
pub(super) struct Budgets {
    /// The failures of what was typed.
    pub(super) counter: Counter,
    /// The failures of the network.
    pub(super) network: Option<Network>,
    /// A browser that may have tries of its own.
    pub(super) browser: Option<KnownBrowser>,
}

/// One try at a first factor, taken from the budgets it counts in.
#[derive(Clone, Debug)]
pub(crate) struct Try {
    counter: Counter,
    network: Option<Network>,
    /// The counter of the browser, where the try was not taken from it.
    browser: Option<Counter>,
    /// The lock that it set.
    lock: Option<Time>,
}

impl Try {
    /// Reserves a try, or returns when the next one is available.
    async fn take(tx: &mut Tx<'_>, budgets: Budgets, now: Time) -> Result<std::result::Result<Self, Time>> {
        let Budgets { counter, network, browser } = budgets;
        let (counter, network, browser) = match browser {
            Some(browser) if browser.has_tries(tx, now).await? => (browser.counter(), None, None),
            browser => (counter, network, browser.map(|browser| browser.counter())),
        };
        if let Some(network) = &network
            && let Allowance::Locked(until) = network.take(tx, now).await?
        {
            return Ok(Err(until));
        }
        Ok(match counter.take(tx, now).await? {
            Allowance::Granted { lock } => Ok(Self { counter, network, browser, lock }),
            Allowance::Locked(until) => Err(until),
        })
    }

    /// Queues the reset of the counters: the password was right.
    pub(crate) fn queue_success(&self, tx: &mut Tx<'_>) -> Result<()> {
        self.counter.queue_clear(tx)?;
        if let Some(browser) = &self.browser {
            browser.queue_clear(tx)?;
        }
        self.queue_refund(tx)
    }

    async fn was_not_checked(&self, tx: &mut Tx<'_>) -> Result<()> {
        self.counter.give_back(tx, self.lock).await?;
        self.queue_refund(tx)
    }

    fn queue_refund(&self, tx: &mut Tx<'_>) -> Result<()> {
        match &self.network {
            Some(network) => network.queue_refund(tx),
            None => Ok(()),
        }
    }
}

impl Account<'_> {
    /// The budgets for a try from this network.
    pub(super) fn budgets(&self, counter: Counter, network: Option<&str>) -> Budgets {
        let network = network.map(|address| Network::new(self.sealer, address));
        Budgets { counter, network, browser: None }
    }

    /// Takes a try at a first factor before it is checked; `Err`: none is left until then.
    pub(super) async fn try_once(
        &self,
        budgets: Budgets,
    ) -> std::result::Result<std::result::Result<Try, Time>, Error> {
        let now = self.now();
        let taken = self.db.write(move |tx| {
            let budgets = budgets.clone();
            Box::pin(async move { Try::take(tx, budgets, now).await })
        });
        Ok(taken.await?)
    }

    /// What was tried could not be checked.
    pub(super) async fn give_back(&self, tried: Try) -> std::result::Result<(), Error> {
        let given = self.db.write(move |tx| {
            let tried = tried.clone();
            Box::pin(async move { tried.was_not_checked(tx).await })
        });
        Ok(given.await?)
    }
}
