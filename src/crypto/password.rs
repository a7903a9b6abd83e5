//! Passwords: Argon2id on a bounded number of threads that step back for all others, so that a flood of logins costs
//! neither memory nor the requests that need no hash. Imported hashes are checked on the same threads.

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
use self::imported::ImportedHash;
pub(crate) use self::stored::PhcError;
use self::stored::Stored;
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

/// A password as it is hashed: NFKC, so that it can be typed on any keyboard.
#[derive(Clone)]
pub(crate) struct Password {
    normalised: Zeroizing<String>,
    /// As it was typed, where that differs: other systems did not normalise.
    typed: Option<Zeroizing<String>>,
}

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

    /// A password that may be chosen. Nothing is cut off or trimmed.
    pub(crate) fn normalise(typed: &str) -> Result<Self, PasswordError> {
        let password = Self::at_sign_in(typed)?;
        if password.normalised.chars().count() > Self::MAX_CHARS {
            return Err(PasswordError::TooLong);
        }
        Ok(password)
    }

    /// A password to be compared: one that was imported may be longer than one that may be chosen, and stays so when it
    /// is hashed again.
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

    /// The text, to be judged.
    pub(crate) fn expose(&self) -> &str {
        &self.normalised
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

/// What a password is compared with.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Against<'a> {
    /// A hash that was computed here.
    Own(&'a str),
    /// A hash that was imported: the password as it was typed is compared too.
    Imported(&'a str),
    /// No hash: the answer takes as long as for an imported hash of this scheme, or for one computed here.
    Nothing(Option<&'a str>),
}

/// What a check of a password found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Verdict {
    /// It is the password.
    pub(crate) matches: bool,
    /// It is, and its hash is imported or was made at another cost than today's: hash it again.
    pub(crate) outdated: bool,
}

/// An imported hash as it is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ImportedPassword {
    /// The hash.
    pub(crate) hash: String,
    /// All that the time of a check depends on, for [`Against::Nothing`].
    pub(crate) scheme: String,
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
    engine: Engine,
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
}

impl PasswordHasher {
    /// At most `permits` hashes run and `queue` wait.
    pub(crate) fn new(cost: PasswordCost, permits: usize, queue: usize) -> Self {
        let permits = permits.clamp(1, 1024);
        let places = permits.saturating_add(queue).min(Semaphore::MAX_PERMITS);
        let dummy = Stored::new(cost, [0; 16], [0; 32]);
        Self(Arc::new(Pool {
            cost,
            engine: Engine::new(dummy.params.clone()),
            dummy,
            places: Arc::new(Semaphore::new(places)),
            refused: AtomicU64::new(0),
            most: (permits, places),
            permits: Arc::new(Semaphore::new(permits)),
            threads: Threads::new(permits),
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
    pub(crate) async fn verify(&self, password: Password, against: Against<'_>) -> Result<Verdict, Busy> {
        self.enter()?.verify(password, against).await
    }

    /// Whether this is a PIN's hash: Argon2id only, and not dearer than we are willing to compute.
    pub(crate) fn check_pin_hash(phc: &str) -> Result<(), PhcError> {
        Stored::parse(phc).map(|_| ())
    }

    /// Reads a hash of this or another system.
    pub(crate) fn read_import(&self, text: &str) -> Result<Import, ImportError> {
        Import::read(text, self.0.cost)
    }

    /// The hash as it is stored: what is cheaper than our own is wrapped by it.
    pub(crate) async fn store_import(&self, import: Import) -> Result<ImportedPassword, Busy> {
        let expected = match import.0 {
            StoredForm::Ready(expected) => expected,
            StoredForm::Cheap(hash) => {
                let made = self.enter()?.run(move |pool| {
                    let outer = pool.hash(&hash.digest)?;
                    Some(StoredHash::Wrapped { scheme: hash.scheme, salt: hash.salt, outer })
                });
                made.await?.ok_or(Busy)?
            }
        };
        Ok(ImportedPassword { hash: expected.to_text(), scheme: expected.scheme() })
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
        self.run(move |pool| pool.hash(password.normalised.as_bytes()).map(|made| made.to_phc()))
            .await?
            .ok_or(Busy)
    }

    /// Checks a password. Where there is no hash, or one that cannot be read, the answer takes as long as any and is no.
    ///
    /// How much is computed depends on the scheme and on what was typed, never on whether something matches.
    pub(crate) async fn verify(self, password: Password, against: Against<'_>) -> Result<Verdict, Busy> {
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
            Some(Verdict { matches, outdated: matches && !current })
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

    /// Our own hash of a text, at today's cost.
    fn hash(&self, text: &[u8]) -> Option<Stored> {
        let salt = random::bytes();
        let output = self.engine.make(text, &salt)?;
        Some(Stored::new(self.cost, salt, output))
    }

    /// Whether this text is what was hashed; `None` if Argon2 refuses to compute.
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

    /// The output for this text with the salt and the parameters of `stored`; `None` if Argon2 refuses them.
    fn compute(&self, text: &[u8], stored: &Stored) -> Option<Vec<u8>> {
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
