//! Refusals of requests that proved nothing. Anybody can cause them in any number, so they never wait for the store and are
//! bounded (attacks 216, 218): they are queued in memory and written in batches, a limited number for one network and in
//! all. What exceeds a limit is counted, and the count is one entry.

use std::collections::HashMap;
use std::mem;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::domain::audit::{Actor, Entry};
use crate::domain::event::Event;
use crate::domain::time::Time;
use crate::storage::{Db, Result, audit};

/// Entries of one network in one minute.
const NETWORK_MINUTE: u32 = 60;
/// Networks that are counted apart in one minute; entries of further ones are only counted.
const NETWORKS: usize = 4096;
/// Entries that wait to be written.
const WAITING: usize = 1024;
/// Refusals stored in all. Only the entries that tell how many were left out come on top, one an hour.
pub(crate) const STORED: u64 = 20_000;
/// Entries written by one transaction.
const BATCH: usize = 100;

const MINUTE: i64 = 60;
const HOUR: i64 = 3600;

/// The refusals that wait to be written.
#[derive(Debug, Default)]
pub(crate) struct RefusalQueue(Mutex<QueueState>);

#[derive(Debug, Default)]
struct QueueState {
    entries: Vec<Entry>,
    /// The minute that is counted, since 1970.
    minute: i64,
    networks: HashMap<String, u32>,
    /// Refusals that were left out since the last entry about that.
    omitted: u64,
    /// When the last entry about that was written, in seconds since 1970.
    told_at: i64,
}

impl RefusalQueue {
    /// Queues an entry, or counts it if there are too many. Never waits.
    pub(crate) fn push(&self, mut entry: Entry) {
        entry.event.shorten();
        let mut waiting = self.lock();
        let minute = entry.at.unix().div_euclid(MINUTE);
        if minute != waiting.minute {
            waiting.minute = minute;
            waiting.networks.clear();
        }
        if waiting.entries.len() < WAITING && waiting.may_add(entry.origin.network.as_deref()) {
            waiting.entries.push(entry);
        } else {
            waiting.omitted += 1;
        }
    }

    /// Writes what waits. An entry about those that were left out comes once a minute, and once an hour while no more
    /// refusals can be stored; with `last`, at once.
    pub(crate) async fn write(&self, db: &Db, now: Time, last: bool) -> Result<()> {
        loop {
            let batch = {
                let mut waiting = self.lock();
                let some = waiting.entries.len().min(BATCH);
                Arc::new(waiting.entries.drain(..some).collect::<Vec<_>>())
            };
            if batch.is_empty() {
                return self.write_omitted(db, now, last).await;
            }
            let work = Arc::clone(&batch);
            let stored = db.write(move |tx| {
                let batch = Arc::clone(&work);
                Box::pin(async move {
                    let free = STORED.saturating_sub(audit::refusals(tx).await?);
                    let free = usize::try_from(free).unwrap_or(usize::MAX);
                    for entry in batch.iter().take(free) {
                        audit::queue_insert_told(tx, entry)?;
                    }
                    Ok(batch.len().min(free))
                })
            });
            match stored.await {
                Ok(stored) => self.lock().omitted += (batch.len() - stored) as u64,
                Err(error) => {
                    self.put_back(&batch);
                    return Err(error);
                }
            }
        }
    }

    async fn write_omitted(&self, db: &Db, now: Time, last: bool) -> Result<()> {
        let (count, told_at) = {
            let waiting = self.lock();
            (waiting.omitted, waiting.told_at)
        };
        let since = now.unix().saturating_sub(told_at);
        if count == 0 || !last && since < MINUTE {
            return Ok(());
        }
        let is_full = audit::refusals(&mut db.read().tx()).await? >= STORED;
        if is_full && !last && since < HOUR {
            return Ok(());
        }
        let entry = Entry::new(now, Actor::System, Event::RefusalsOmitted { count });
        db.write(move |tx| {
            let entry = entry.clone();
            Box::pin(async move { audit::queue_insert(tx, entry) })
        })
        .await?;
        let mut waiting = self.lock();
        waiting.omitted = waiting.omitted.saturating_sub(count);
        waiting.told_at = now.unix();
        Ok(())
    }

    /// Puts entries that could not be written in front of those that came since.
    fn put_back(&self, batch: &[Entry]) {
        let mut waiting = self.lock();
        let since = mem::replace(&mut waiting.entries, batch.to_vec());
        waiting.entries.extend(since);
        let over = waiting.entries.len().saturating_sub(WAITING);
        waiting.entries.truncate(WAITING);
        waiting.omitted += over as u64;
    }

    fn lock(&self) -> MutexGuard<'_, QueueState> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl QueueState {
    /// Counts an entry of this network; `false` if it has had as many as it may in this minute. Requests whose address
    /// is not known count as one network.
    fn may_add(&mut self, network: Option<&str>) -> bool {
        let network = network.unwrap_or_default();
        if let Some(count) = self.networks.get_mut(network) {
            *count += 1;
            return *count <= NETWORK_MINUTE;
        }
        let has_room = self.networks.len() < NETWORKS;
        if has_room {
            self.networks.insert(network.to_owned(), 1);
        }
        has_room
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::ids::{IssuerId, Reference};

    fn refusal(at: i64, network: &str) -> Entry {
        let event = Event::Refused {
            issuer: IssuerId::root(),
            error: "invalid_request",
            hint: None,
            reference: Reference::new("AAAA-AAAA"),
        };
        Entry::new(Time::from_unix(at), Actor::Anonymous, event).with_network(Some(network))
    }

    fn state(queue: &RefusalQueue) -> (usize, u64) {
        let waiting = queue.lock();
        (waiting.entries.len(), waiting.omitted)
    }

    #[test]
    fn one_network_has_sixty_a_minute() {
        let queue = RefusalQueue::default();
        (0..100).for_each(|_| queue.push(refusal(120, "192.0.2.1")));
        assert_eq!(state(&queue), (60, 40));
        queue.push(refusal(179, "192.0.2.2"));
        queue.push(refusal(179, "192.0.2.1"));
        assert_eq!(state(&queue), (61, 41), "another network has its own");
        queue.push(refusal(180, "192.0.2.1"));
        assert_eq!(state(&queue), (62, 41), "another minute");
    }

    #[test]
    fn what_a_stranger_makes_long_is_shortened() {
        let queue = RefusalQueue::default();
        let mut long = refusal(120, "192.0.2.1");
        if let Event::Refused { hint, .. } = &mut long.event {
            *hint = Some("ü".repeat(10_000));
        }
        queue.push(long);
        let Event::Refused { hint, .. } = &queue.lock().entries[0].event else { panic!("refused") };
        assert_eq!(hint.as_deref(), Some("ü".repeat(300).as_str()));
    }

    #[test]
    fn memory_is_bounded_whatever_comes() {
        let queue = RefusalQueue::default();
        (0..1_000_000).for_each(|n| queue.push(refusal(120 + n / 100_000, &n.to_string())));
        assert_eq!(state(&queue), (WAITING, 1_000_000 - WAITING as u64));
        assert!(queue.lock().networks.len() <= NETWORKS);
        queue.put_back(&[refusal(120, "back")]);
        assert_eq!(state(&queue), (WAITING, 1_000_000 - WAITING as u64 + 1));
        assert_eq!(queue.lock().entries[0].origin.network.as_deref(), Some("back"));
    }
}
