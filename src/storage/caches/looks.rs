//! Reads of the revision row ("looks"): one at a time, shared by all requests that need one.
//!
//! A look runs as a task of its own on the catalogue's connection, and requests wait for its result. It continues if
//! those requests are dropped, and a request whose future is no longer polled blocks no other, because it holds neither
//! a lock nor a connection. A request waits for at most a second, then fails with [`Error::Busy`].

use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::timeout;

use crate::ext::Clock;
use crate::storage::core::db::Db;
use crate::storage::core::error::{Error, Result};
use crate::storage::core::patience::PATIENCE;
use crate::storage::core::pool::WAIT;
use crate::storage::core::progress::Mark;
use crate::storage::core::revision;

/// Maximum age of the last look at the revision.
pub(super) const LOOK_MILLIS: i64 = 250;
/// Time limit of a look, which opens a connection if needed and runs one statement.
const DEADLINE: Duration = Duration::from_secs(2 * PATIENCE.as_secs());

/// The looks of one catalogue.
pub(super) struct Looks {
    db: Db,
    clock: Arc<dyn Clock>,
    last: Arc<RwLock<Option<Look>>>,
    under_way: Mutex<UnderWay>,
    mark: Arc<Mark>,
}

/// The revision that a look read, and when it began.
#[derive(Clone, Copy)]
struct Look {
    revision: i64,
    began: Moment,
}

/// A point in time, and the number of changes this process had made by then.
#[derive(Clone, Copy)]
struct Moment {
    at_millis: i64,
    own_changes: u64,
}

/// The pending look, if any, and the number of looks begun so far.
#[derive(Default)]
struct UnderWay {
    begun: u64,
    outcome: Option<LookOutcome>,
}

type LookOutcome = watch::Receiver<Option<std::result::Result<Look, Arc<Error>>>>;

impl Looks {
    pub(super) fn new(db: Db, clock: Arc<dyn Clock>) -> Self {
        Self { db, clock, last: Arc::default(), under_way: Mutex::default(), mark: Arc::default() }
    }

    /// Returns whether looks have been requested for `patience` and none succeeded.
    pub(super) fn is_stalled(&self, patience: Duration) -> bool {
        self.mark.is_stalled(patience)
    }

    /// The revision read by the last look, if that is recent enough.
    pub(super) fn recent(&self) -> Option<i64> {
        let look = (*self.last.read().unwrap_or_else(PoisonError::into_inner))?;
        look.serves(self.now()).then_some(look.revision)
    }

    /// The revision read by the pending look if that began late enough, otherwise by the next one.
    pub(super) async fn renewed(&self) -> Result<i64> {
        let (came, begun) = (self.now(), self.under_way().begun);
        let wait = async {
            loop {
                let (number, mut outcome) = self.join();
                let told = outcome.wait_for(Option::is_some).await;
                let told = told.ok().and_then(|told| told.clone());
                match told.ok_or_else(|| Error::busy("the read of the catalogue's revision was cancelled"))? {
                    Ok(look) if number > begun || look.serves(came) => return Ok(look.revision),
                    Ok(_) => {}
                    Err(error) => return Err(Error::shared(&error)),
                }
            }
        };
        let late = |_| Err(Error::busy("the read of the catalogue's revision timed out"));
        timeout(WAIT, wait).await.unwrap_or_else(late)
    }

    /// Joins the pending look, or begins one, and returns its number.
    fn join(&self) -> (u64, LookOutcome) {
        let mut under_way = self.under_way();
        if let Some(outcome) = &under_way.outcome
            && outcome.borrow().is_none()
            && outcome.has_changed().is_ok()
        {
            return (under_way.begun, outcome.clone());
        }
        let (tell, outcome) = watch::channel(None);
        // Recorded before the row is read, so that a change made meanwhile causes another look.
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
    /// Returns whether the look is recent enough for a request at this moment. A clock that was set back invalidates
    /// all.
    fn serves(&self, moment: Moment) -> bool {
        let age = moment.at_millis - self.began.at_millis;
        (0..LOOK_MILLIS).contains(&age) && self.began.own_changes == moment.own_changes
    }
}
