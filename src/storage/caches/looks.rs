//! Looks at the revision row: one at a time, for all who need one.
//!
//! A look is a task of its own on the catalogue's own connection, and callers wait for what it tells them. So it goes on
//! whatever becomes of the callers: one whose future is not polled any more holds up no other, for there is no lock and no
//! connection in it. A caller waits for a second at most, then the request is told to come back.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::timeout;

use crate::ext::Clock;
use crate::storage::core::db::Db;
use crate::storage::core::error::{Error, Result};
use crate::storage::core::pool::WAIT;
use crate::storage::core::progress::Mark;
use crate::storage::core::revision;
use crate::storage::core::tx::PATIENCE;

/// How old the last look at the revision may be.
pub(super) const LOOK_MILLIS: i64 = 250;
/// How long a look may take: a connection is opened, then asked.
const DEADLINE: Duration = Duration::from_secs(2 * PATIENCE.as_secs());

/// The looks of one catalogue.
pub(super) struct Looks {
    db: Db,
    clock: Arc<dyn Clock>,
    last: Arc<RwLock<Option<Look>>>,
    under_way: Mutex<UnderWay>,
    mark: Arc<Mark>,
}

/// What a look saw, and when it began.
#[derive(Clone, Copy)]
struct Look {
    revision: i64,
    began: Moment,
}

/// A point in time, and how many changes this process had made until then.
#[derive(Clone, Copy)]
struct Moment {
    at_millis: i64,
    own_changes: u64,
}

/// The look under way, if it has not told its outcome, and how many were begun so far.
#[derive(Default)]
struct UnderWay {
    begun: u64,
    outcome: Option<Outcome>,
}

type Outcome = watch::Receiver<Option<std::result::Result<Look, Arc<Error>>>>;

impl Looks {
    pub(super) fn new(db: Db, clock: Arc<dyn Clock>) -> Self {
        Self { db, clock, last: Arc::default(), under_way: Mutex::default(), mark: Arc::default() }
    }

    /// Have looks been asked for, and did none succeed for so long?
    pub(super) fn is_stalled(&self, patience: Duration) -> bool {
        self.mark.is_stalled(patience)
    }

    /// The revision seen by a look that is young enough.
    pub(super) fn recent(&self) -> Option<i64> {
        let look = (*self.last.read().unwrap_or_else(PoisonError::into_inner))?;
        look.serves(self.now()).then_some(look.revision)
    }

    /// The revision seen by the look that is under way, if that began late enough, otherwise by the next.
    pub(super) async fn renewed(&self) -> Result<i64> {
        let (came, begun) = (self.now(), self.under_way().begun);
        let wait = async {
            loop {
                let (number, mut outcome) = self.join();
                let told = outcome.wait_for(Option::is_some).await;
                let told = told.ok().and_then(|told| told.clone());
                match told.ok_or_else(|| Error::busy("a look at the catalogue was broken off"))? {
                    Ok(look) if number > begun || look.serves(came) => return Ok(look.revision),
                    Ok(_) => {}
                    Err(error) => return Err(Error::shared(&error)),
                }
            }
        };
        let late = |_| Err(Error::busy("the look at the catalogue takes too long"));
        timeout(WAIT, wait).await.unwrap_or_else(late)
    }

    /// The look under way, begun now if there is none, and its number.
    fn join(&self) -> (u64, Outcome) {
        let mut under_way = self.under_way();
        if let Some(outcome) = &under_way.outcome
            && outcome.borrow().is_none()
            && outcome.has_changed().is_ok()
        {
            return (under_way.begun, outcome.clone());
        }
        let (tell, outcome) = watch::channel(None);
        // Noted before the row is read: what happens meanwhile is looked at again.
        let (db, began, last, mark) =
            (self.db.clone(), self.now(), Arc::clone(&self.last), Arc::clone(&self.mark));
        mark.begin();
        tokio::spawn(async move {
            let seen = timeout(DEADLINE, look(&db)).await;
            let seen = seen.unwrap_or_else(|_| Err(Error::busy("the database does not answer")));
            let seen = seen.map(|revision| Look { revision, began }).map_err(Arc::new);
            if let Ok(look) = &seen {
                *last.write().unwrap_or_else(PoisonError::into_inner) = Some(*look);
                mark.rest();
            }
            tell.send_replace(Some(seen));
        });
        under_way.begun += 1;
        under_way.outcome = Some(outcome.clone());
        (under_way.begun, outcome)
    }

    /// The clock's time in seconds since 1970.
    pub(super) fn unix_seconds(&self) -> i64 {
        self.clock.unix_millis().div_euclid(1000)
    }

    fn now(&self) -> Moment {
        Moment { at_millis: self.clock.unix_millis(), own_changes: self.db.catalogue_changes() }
    }

    fn under_way(&self) -> MutexGuard<'_, UnderWay> {
        self.under_way.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn look(db: &Db) -> Result<i64> {
    let mut reader = db.read_for_the_catalogue();
    revision::current(&mut reader.tx()).await
}

impl Look {
    /// Is it young enough for a request of this moment? A clock that was set back makes every look old.
    fn serves(&self, moment: Moment) -> bool {
        let age = moment.at_millis - self.began.at_millis;
        (0..LOOK_MILLIS).contains(&age) && self.began.own_changes == moment.own_changes
    }
}
