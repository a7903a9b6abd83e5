//! Passwords: Argon2id on a bounded number of low-priority threads, so that a flood of logins exhausts neither memory
//! nor the CPU time of other requests. Imported hashes are checked on the same threads.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use argon2::{Algorithm, Argon2, Version};
use subtle::ConstantTimeEq;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};
use unicode_normalization::UnicodeNormalization;
use zeroize::Zeroizing;

use self::engine::Engine;
pub(crate) use self::import::Import;
use self::import::StoredForm;
pub(crate) use self::imported::ImportError;
use self::imported::{Derivation, ImportedHash};
pub(crate) use self::stored::PhcError;
use self::stored::PhcHash;
use self::stored_hash::StoredHash;
use self::threads::Threads;
use super::random;
use crate::domain::settings::PasswordCost;

mod engine;
mod import;
mod imported;
mod stored;
mod stored_hash;
mod threads;

/// A password, normalized with NFKC, so that different keyboards produce the same text.
#[derive(Clone)]
pub(crate) struct Password {
    normalised: Zeroizing<String>,
    /// The text as typed, if it differs: other systems did not normalize.
    typed: Option<Zeroizing<String>>,
}

/// The text is not a valid password.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum PasswordError {
    /// The text is empty.
    #[error("is empty")]
    Empty,
    /// More than 128 characters or 1024 bytes.
    #[error("is longer than 128 characters")]
    TooLong,
}

impl Password {
    const MAX_CHARS: usize = 128;
    const MAX_BYTES: usize = 1024;

    /// Validates a password that a user chooses. It is neither truncated nor trimmed.
    pub(crate) fn normalise(typed: &str) -> Result<Self, PasswordError> {
        let password = Self::at_sign_in(typed)?;
        if password.normalised.chars().count() > Self::MAX_CHARS {
            return Err(PasswordError::TooLong);
        }
        Ok(password)
    }

    /// Wraps a password for comparison: an imported one may be longer than a new one, and stays so when it is rehashed.
    pub(crate) fn at_sign_in(typed: &str) -> Result<Self, PasswordError> {
        if typed.len() > Self::MAX_BYTES {
            return Err(PasswordError::TooLong);
        }
        let normalised: Zeroizing<String> = Zeroizing::new(typed.nfkc().collect());
        if normalised.is_empty() {
            return Err(PasswordError::Empty);
        }
        let typed = (*normalised != typed).then(|| Zeroizing::new(typed.to_owned()));
        Ok(Self { normalised, typed })
    }

    /// The normalized text, for the password policy.
    pub(crate) fn expose(&self) -> &str {
        &self.normalised
    }
}

impl std::fmt::Debug for Password {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Password(..)")
    }
}

/// The hashing queue is full, or the process is shutting down: try again later.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("too many passwords are being checked")]
pub(crate) struct HasherBusy;

/// The hash that a password is compared with.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Against<'a> {
    /// A hash computed here.
    Own(&'a str),
    /// An imported hash: the password as typed is compared too.
    Imported(&'a str),
    /// No hash, with the same duration as an imported hash of this scheme, or as our own if `None`.
    Nothing(Option<&'a str>),
}

/// The result of checking a password.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct PasswordCheck {
    /// The password is right.
    pub(crate) matches: bool,
    /// The password is right, and its hash is imported or has other cost parameters than the current ones: rehash it.
    pub(crate) outdated: bool,
}

/// An imported hash as it is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ImportedPassword {
    /// The hash.
    pub(crate) hash: String,
    /// Every parameter that the duration of a check depends on, for [`Against::Nothing`].
    pub(crate) scheme: String,
}

/// The load of the hasher.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HashLoad {
    /// Running hashes.
    pub running: usize,
    /// Queued hashes.
    pub waiting: usize,
    /// Requests refused since the start, because the queue was full.
    pub refused: u64,
}

/// Hashes and checks passwords. Clones share the threads.
#[derive(Clone)]
pub(crate) struct PasswordHasher(Arc<HashPool>);

struct HashPool {
    cost: PasswordCost,
    engine: Engine,
    /// Dummy hash that is checked for an unknown user, so that the response takes as long. No result of it counts, so it
    /// need not be random; drawing the first random number costs 15 ms, which is avoided here.
    dummy: PhcHash,
    /// Permits for all hashes, running or queued.
    capacity: Arc<Semaphore>,
    /// Requests refused so far.
    refused: AtomicU64,
    /// Permits to run: one per thread.
    permits: Arc<Semaphore>,
    /// The totals of `permits` and `capacity`.
    most: (usize, usize),
    threads: Threads,
}

impl PasswordHasher {
    /// Creates a hasher for at most `permits` running and `queue` waiting hashes.
    pub(crate) fn new(cost: PasswordCost, permits: usize, queue: usize) -> Self {
        let permits = permits.clamp(1, 1024);
        let capacity = permits.saturating_add(queue).min(Semaphore::MAX_PERMITS);
        let dummy = PhcHash::new(cost, [0; 16], [0; 32]);
        Self(Arc::new(HashPool {
            cost,
            engine: Engine::new(dummy.params.clone()),
            dummy,
            capacity: Arc::new(Semaphore::new(capacity)),
            refused: AtomicU64::new(0),
            most: (permits, capacity),
            permits: Arc::new(Semaphore::new(permits)),
            threads: Threads::new(permits),
        }))
    }

    /// Reserves capacity for one hash, before any other work is done for a login.
    pub(crate) fn acquire(&self) -> Result<HashPermit, HasherBusy> {
        let permit = Arc::clone(&self.0.capacity).try_acquire_owned().map_err(|_| self.0.refuse())?;
        Ok(HashPermit { pool: Arc::clone(&self.0), permit })
    }

    /// Returns whether there is capacity at this moment, without reserving it. [`HasherBusy`] counts as a refused request.
    pub(crate) fn has_capacity(&self) -> Result<(), HasherBusy> {
        if self.0.capacity.available_permits() == 0 { Err(self.0.refuse()) } else { Ok(()) }
    }

    /// A snapshot of the load.
    pub(crate) fn load(&self) -> HashLoad {
        let (permits, capacity) = self.0.most;
        let running = permits.saturating_sub(self.0.permits.available_permits());
        let inside = capacity.saturating_sub(self.0.capacity.available_permits());
        HashLoad {
            running,
            waiting: inside.saturating_sub(running),
            refused: self.0.refused.load(Ordering::Relaxed),
        }
    }

    /// Acquires a permit and hashes.
    pub(crate) async fn hash(&self, password: Password) -> Result<String, HasherBusy> {
        self.acquire()?.hash(password).await
    }

    /// Acquires a permit and checks.
    pub(crate) async fn verify(
        &self,
        password: Password,
        against: Against<'_>,
    ) -> Result<PasswordCheck, HasherBusy> {
        self.acquire()?.verify(password, against).await
    }

    /// Validates the hash of a PIN: Argon2id only, within the accepted cost.
    pub(crate) fn check_pin_hash(phc: &str) -> Result<(), PhcError> {
        PhcHash::parse(phc).map(|_| ())
    }

    /// Parses a hash of this or another system.
    pub(crate) fn read_import(&self, text: &str) -> Result<Import, ImportError> {
        Import::read(text, self.0.cost)
    }

    /// Returns the hash in its stored form: a scheme cheaper than our own is wrapped in Argon2id.
    pub(crate) async fn store_import(&self, import: Import) -> Result<ImportedPassword, HasherBusy> {
        let expected = match import.0 {
            StoredForm::Ready(expected) => expected,
            StoredForm::Cheap(hash) => {
                let made = self.acquire()?.run(move |pool| {
                    let outer = pool.hash(&hash.digest)?;
                    Some(StoredHash::Wrapped { scheme: hash.scheme, salt: hash.salt, outer })
                });
                made.await?.ok_or(HasherBusy)?
            }
        };
        Ok(ImportedPassword { hash: expected.to_text(), scheme: expected.scheme() })
    }
}

/// Reserved capacity for one hash.
pub(crate) struct HashPermit {
    pool: Arc<HashPool>,
    permit: OwnedSemaphorePermit,
}

impl HashPermit {
    /// Returns the PHC string to store.
    pub(crate) async fn hash(self, password: Password) -> Result<String, HasherBusy> {
        self.run(move |pool| pool.hash(password.normalised.as_bytes()).map(|made| made.to_phc()))
            .await?
            .ok_or(HasherBusy)
    }

    /// Checks a password. If there is no hash, or one that cannot be parsed, the check takes as long and fails.
    ///
    /// The amount of computation depends on the scheme and the typed password, never on whether it matches.
    pub(crate) async fn verify(
        self,
        password: Password,
        against: Against<'_>,
    ) -> Result<PasswordCheck, HasherBusy> {
        let (stored, imported) = match against {
            Against::Own(hash) => (StoredHash::parse(hash), false),
            Against::Imported(hash) => (StoredHash::parse(hash), true),
            Against::Nothing(scheme) => (None, scheme.is_some()),
        };
        let dummy = match against {
            Against::Nothing(Some(scheme)) => StoredHash::dummy(scheme),
            _ => None,
        };
        self.run(move |pool| {
            let own = StoredHash::Own(pool.dummy.clone());
            let expected = stored.as_ref().or(dummy.as_ref()).unwrap_or(&own);
            let normalised = pool.is_match(password.normalised.as_bytes(), expected)?;
            let typed = match password.typed.as_ref().filter(|_| imported) {
                Some(typed) => pool.is_match(typed.as_bytes(), expected)?,
                None => false,
            };
            let matches = (normalised | typed) && stored.is_some();
            let current =
                matches!(expected, StoredHash::Own(hash) if hash.costs_like(&pool.dummy)) && normalised;
            Some(PasswordCheck { matches, outdated: matches && !current })
        })
        .await?
        .ok_or(HasherBusy)
    }

    /// Runs the work on the next free thread. Both permits move with it, so that a caller that is dropped does not free
    /// capacity before the work is done.
    async fn run<T: Send + 'static>(
        self,
        work: impl FnOnce(&HashPool) -> T + Send + 'static,
    ) -> Result<T, HasherBusy> {
        let Self { pool, permit: reserved } = self;
        let permit = Arc::clone(&pool.permits).acquire_owned().await.map_err(|_| HasherBusy)?;
        let (answer, outcome) = oneshot::channel();
        let at_work = Arc::clone(&pool);
        pool.threads
            .run(Box::new(move || {
                let result = work(&at_work);
                drop((permit, reserved));
                // Ignored if the caller was dropped.
                let _ = answer.send(result);
            }))
            .map_err(|_| HasherBusy)?;
        outcome.await.map_err(|_| HasherBusy)
    }
}

impl HashPool {
    /// Counts a refused request.
    fn refuse(&self) -> HasherBusy {
        self.refused.fetch_add(1, Ordering::Relaxed);
        HasherBusy
    }

    /// Our own hash of a text at the current cost.
    fn hash(&self, text: &[u8]) -> Option<PhcHash> {
        let salt = random::bytes();
        let output = self.engine.make(text, &salt)?;
        Some(PhcHash::new(self.cost, salt, output))
    }

    /// Returns whether the text matches the hash; `None` if Argon2 rejects the parameters.
    fn is_match(&self, text: &[u8], expected: &StoredHash) -> Option<bool> {
        match expected {
            StoredHash::Own(stored) => Some(self.compute(text, stored)?.ct_eq(&stored.output).into()),
            StoredHash::Imported(ImportedHash { scheme, salt, digest }) => {
                Some(scheme.derive(text, salt).is_some_and(|made| made.ct_eq(digest).into()))
            }
            StoredHash::Wrapped { scheme, salt, outer } => match scheme.derive(text, salt) {
                Some(digest) => Some(self.compute(&digest, outer)?.ct_eq(&outer.output).into()),
                None => Some(false),
            },
        }
    }

    /// The output for this text with salt and parameters of `stored`; `None` if Argon2 rejects them.
    fn compute(&self, text: &[u8], stored: &PhcHash) -> Option<Vec<u8>> {
        if stored.costs_like(&self.dummy) {
            return self.engine.check(text, &stored.salt).map(Vec::from);
        }
        let mut output = vec![0; stored.output.len()];
        let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, stored.params.clone());
        argon2.hash_password_into(text, &stored.salt, &mut output).ok().map(|()| output)
    }
}

#[cfg(test)]
mod tests;
