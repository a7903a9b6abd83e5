//! Passwords: Argon2id on a bounded number of threads that step back for all others, so that a flood of logins costs
//! neither memory nor the requests that need no hash.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use argon2::{Algorithm, Argon2, Block, Version};
use subtle::ConstantTimeEq;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};
use unicode_normalization::UnicodeNormalization;
use zeroize::Zeroizing;

pub(crate) use self::stored::ImportError;
use self::stored::Stored;
use self::threads::Threads;
use super::random;
use crate::domain::settings::PasswordCost;

mod stored;
mod threads;

/// A password as it is hashed: NFKC, so that it can be typed on any keyboard.
#[derive(Clone)]
pub(crate) struct Password(Zeroizing<String>);

/// The text cannot be a password.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum PasswordError {
    /// Nothing was typed.
    #[error("is empty")]
    Empty,
    /// More than 128 characters or 1024 bytes.
    #[error("is longer than 128 characters")]
    TooLong,
}

impl Password {
    const MAX_CHARS: usize = 128;
    const MAX_BYTES: usize = 1024;

    /// Normalises what was typed. Nothing is cut off or trimmed.
    pub(crate) fn normalise(typed: &str) -> Result<Self, PasswordError> {
        if typed.len() > Self::MAX_BYTES {
            return Err(PasswordError::TooLong);
        }
        let text: Zeroizing<String> = Zeroizing::new(typed.nfkc().collect());
        match text.chars().count() {
            0 => Err(PasswordError::Empty),
            1..=Self::MAX_CHARS => Ok(Self(text)),
            _ => Err(PasswordError::TooLong),
        }
    }
}

impl Password {
    /// The text, to be judged.
    pub(crate) fn expose(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Debug for Password {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Password(..)")
    }
}

/// Too many hashes are waiting, or the process is ending: try again in a moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("too many passwords are being checked")]
pub(crate) struct Busy;

/// What a check of a password found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Verdict {
    /// It is the password.
    pub(crate) matches: bool,
    /// It is, and its hash was made at another cost than today's: hash it again.
    pub(crate) outdated: bool,
}

/// How busy a hasher is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HashLoad {
    /// How many hashes run.
    pub running: usize,
    /// How many have a place and wait for a thread.
    pub waiting: usize,
    /// How many found no place since the start.
    pub refused: u64,
}

/// Hashes and checks passwords; cloning shares the pool.
#[derive(Clone)]
pub(crate) struct PasswordHasher(Arc<Pool>);

struct Pool {
    cost: PasswordCost,
    /// What is checked against where there is no hash, so that this takes as long. Nothing matches it, whatever comes
    /// out: so it need not be random, and the first random number, which costs 15 ms, is not drawn before it is needed.
    dummy: Stored,
    /// How many may be inside, running or waiting.
    places: Arc<Semaphore>,
    /// How many found no place so far.
    refused: AtomicU64,
    /// How many may run: as many as there are threads.
    permits: Arc<Semaphore>,
    /// How many permits and places there are.
    most: (usize, usize),
    threads: Threads,
    /// Memory between two hashes: never more pieces than ran at once.
    memory: Mutex<Vec<Vec<Block>>>,
}

impl PasswordHasher {
    /// At most `permits` hashes run and `queue` wait.
    pub(crate) fn new(cost: PasswordCost, permits: usize, queue: usize) -> Self {
        let permits = permits.clamp(1, 1024);
        let places = permits.saturating_add(queue).min(Semaphore::MAX_PERMITS);
        Self(Arc::new(Pool {
            cost,
            dummy: Stored::new(cost, [0; 16], [0; 32]),
            places: Arc::new(Semaphore::new(places)),
            refused: AtomicU64::new(0),
            most: (permits, places),
            permits: Arc::new(Semaphore::new(permits)),
            threads: Threads::new(permits),
            memory: Mutex::new(Vec::new()),
        }))
    }

    /// A place inside, taken before anything else is spent on a login that could not be served.
    pub(crate) fn enter(&self) -> Result<Place, Busy> {
        let permit = Arc::clone(&self.0.places).try_acquire_owned().map_err(|_| self.0.refuse())?;
        Ok(Place { pool: Arc::clone(&self.0), permit })
    }

    /// Would somebody be let in at this moment? Who is told no goes away, and counts as refused; who is told yes has no
    /// place yet.
    pub(crate) fn has_room(&self) -> Result<(), Busy> {
        if self.0.places.available_permits() == 0 { Err(self.0.refuse()) } else { Ok(()) }
    }

    /// How busy it is.
    pub(crate) fn load(&self) -> HashLoad {
        let (permits, places) = self.0.most;
        let running = permits.saturating_sub(self.0.permits.available_permits());
        let inside = places.saturating_sub(self.0.places.available_permits());
        HashLoad {
            running,
            waiting: inside.saturating_sub(running),
            refused: self.0.refused.load(Ordering::Relaxed),
        }
    }

    /// Enters and hashes.
    pub(crate) async fn hash(&self, password: Password) -> Result<String, Busy> {
        self.enter()?.hash(password).await
    }

    /// Enters and checks.
    pub(crate) async fn verify(&self, password: Password, stored: Option<&str>) -> Result<Verdict, Busy> {
        self.enter()?.verify(password, stored).await
    }

    /// May this PHC string be stored? Argon2id only, and not dearer than we are willing to compute.
    pub(crate) fn check_import(phc: &str) -> Result<(), ImportError> {
        Stored::parse(phc).map(|_| ())
    }
}

/// Room for one hash: whoever holds it will be served.
pub(crate) struct Place {
    pool: Arc<Pool>,
    permit: OwnedSemaphorePermit,
}

impl Place {
    /// The PHC string to be stored.
    pub(crate) async fn hash(self, password: Password) -> Result<String, Busy> {
        self.run(move |pool| {
            let mut made = Stored::new(pool.cost, random::bytes(), [0; 32]);
            made.output = pool.compute(&password, &made)?;
            Some(made.to_phc())
        })
        .await?
        .ok_or(Busy)
    }

    /// Checks a password against the PHC string that is stored. Where none is, or one that we would not compute,
    /// the answer takes as long as any and is no.
    pub(crate) async fn verify(self, password: Password, stored: Option<&str>) -> Result<Verdict, Busy> {
        let stored = stored.and_then(|phc| Stored::parse(phc).ok());
        self.run(move |pool| {
            let expected = stored.as_ref().unwrap_or(&pool.dummy);
            let output = pool.compute(&password, expected)?;
            let matches = bool::from(output.ct_eq(&expected.output)) && stored.is_some();
            Some(Verdict { matches, outdated: matches && !expected.costs_like(&pool.dummy) })
        })
        .await?
        .ok_or(Busy)
    }

    /// Runs the work when a thread is free. Both permits go with it: a caller that gives up does not let the next one
    /// in before the work is done.
    async fn run<T: Send + 'static>(self, work: impl FnOnce(&Pool) -> T + Send + 'static) -> Result<T, Busy> {
        let Self { pool, permit: place } = self;
        let permit = Arc::clone(&pool.permits).acquire_owned().await.map_err(|_| Busy)?;
        let (answer, outcome) = oneshot::channel();
        let at_work = Arc::clone(&pool);
        pool.threads
            .run(Box::new(move || {
                let result = work(&at_work);
                drop((permit, place));
                // Who has gone is told nothing.
                let _ = answer.send(result);
            }))
            .map_err(|_| Busy)?;
        outcome.await.map_err(|_| Busy)
    }
}

impl Pool {
    /// Counts somebody who found no place.
    fn refuse(&self) -> Busy {
        self.refused.fetch_add(1, Ordering::Relaxed);
        Busy
    }

    /// The output for this password with the salt and the parameters of `stored`; `None` if Argon2 refuses them.
    fn compute(&self, password: &Password, stored: &Stored) -> Option<Vec<u8>> {
        let mut memory = self.lend();
        let blocks = stored.params.block_count();
        if memory.len() < blocks {
            memory.resize(blocks, Block::new());
        }
        let mut output = vec![0; stored.output.len()];
        let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, stored.params.clone());
        let done = argon2.hash_password_into_with_memory(
            password.0.as_bytes(),
            &stored.salt,
            &mut output,
            memory.as_mut_slice(),
        );
        self.take_back(memory);
        done.ok().map(|()| output)
    }

    fn lend(&self) -> Vec<Block> {
        self.memory.lock().unwrap_or_else(PoisonError::into_inner).pop().unwrap_or_default()
    }

    /// Keeps memory of today's cost; what one dear old hash needed goes back to the system.
    fn take_back(&self, memory: Vec<Block>) {
        if memory.len() <= self.dummy.params.block_count() {
            self.memory.lock().unwrap_or_else(PoisonError::into_inner).push(memory);
        }
    }
}

#[cfg(test)]
mod tests;
