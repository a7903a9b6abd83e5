//! The cache of signing keys: parsed once, with the tokens that were read with them.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use quick_cache::sync::Cache;
use tokio::sync::Mutex;

use crate::crypto::jwt::VerifyingKey;
use crate::crypto::keys::SigningKey;
use crate::domain::access_token::AccessToken;
use crate::domain::ids::{Hash, IssuerId, KeyId};
use crate::storage::keys::StoredKey;

/// The keys of an issuer, as stored and as parsed for verification.
type IssuerKeys = (Arc<Vec<StoredKey>>, Arc<Vec<VerifyingKey>>);

/// A verified token and the keys it was verified with.
type VerifiedToken = (Arc<Vec<VerifyingKey>>, Arc<AccessToken>);

/// Parsed keys, and the tokens verified with them.
pub(crate) struct Keyring {
    pub(super) signing: Cache<KeyId, SigningKey>,
    pub(super) verifying: Cache<IssuerId, IssuerKeys>,
    pub(super) read: Cache<Hash, VerifiedToken>,
    pub(super) making: Mutex<()>,
    /// The catalogue's revision at the last check for unused keys.
    tended: AtomicI64,
}

impl Keyring {
    /// An empty ring; the capacities bound its memory, not the number of keys and tokens.
    pub(crate) fn new() -> Self {
        Self {
            signing: Cache::new(4096),
            verifying: Cache::new(4096),
            read: Cache::new(2048),
            making: Mutex::default(),
            tended: AtomicI64::new(-1),
        }
    }

    /// Returns whether unused keys have been checked at this revision.
    pub(super) fn is_tended(&self, revision: i64) -> bool {
        self.tended.load(Ordering::Relaxed) == revision
    }

    /// Records that unused keys have been checked.
    pub(super) fn note_tended(&self, revision: i64) {
        self.tended.store(revision, Ordering::Relaxed);
    }
}
