//! The master key of a database: unwraps its keys, and can be replaced.
//!
//! Replacing it needs no downtime. The new wrapping is stored beside the old one: running nodes keep the keys in
//! memory, and nodes that start can unwrap with either master key. Once every node has the new one, the old wrapping is
//! deleted, and the old master key opens only old backups.

use crate::crypto::seal::{MasterKey, Sealer};
use crate::storage::wrapped_keys::{self, KeySlot, WrappedKeys};
use crate::storage::{self, Db};

/// The keys of a database could not be opened, or the master key was not replaced.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SealingError {
    /// The keys are wrapped by another master key.
    #[error(
        "this is not the master key of this database: its keys are wrapped by the one with the id {expected}, and this one has {found}; bring the right one back"
    )]
    Foreign {
        /// The id of the database's master key.
        expected: String,
        /// The id of the given master key.
        found: String,
    },
    /// The wrapped keys were altered.
    #[error("the keys in the database cannot be opened: {0}")]
    Damaged(#[from] crate::crypto::seal::SealError),
    /// Another replacement was faster, or the previous wrapping has not been deleted.
    #[error("{0}")]
    Refused(&'static str),
    /// The store failed.
    #[error(transparent)]
    Storage(storage::Error),
}

/// Opens the keys that seal this database's values. An empty database gets its keys now; of nodes that start
/// concurrently, one generates them for all.
pub(super) async fn open(db: &Db, master: &MasterKey) -> Result<Sealer, SealingError> {
    if let Some(sealer) = unwrap(db, master).await? {
        return Ok(sealer);
    }
    let first = WrappedKeys { master: master.id(), wrapped: Sealer::generate().wrapped(master)? };
    db.write(move |tx| {
        let first = first.clone();
        Box::pin(async move { wrapped_keys::insert_first(tx, &first).await })
    })
    .await
    .map_err(SealingError::Storage)?;
    unwrap(db, master).await?.ok_or(SealingError::Refused("keys just stored are missing"))
}

/// Unwraps the keys; `None`: the database has no keys yet.
async fn unwrap(db: &Db, master: &MasterKey) -> Result<Option<Sealer>, SealingError> {
    let mut reader = db.read();
    let Some(current) =
        wrapped_keys::at(&mut reader.tx(), KeySlot::Current).await.map_err(SealingError::Storage)?
    else {
        return Ok(None);
    };
    let previous =
        wrapped_keys::at(&mut reader.tx(), KeySlot::Previous).await.map_err(SealingError::Storage)?;
    let found = master.id();
    let expected = current.master.clone();
    let ours = [Some(current), previous].into_iter().flatten().find(|keys| keys.master == found);
    let ours = ours.ok_or(SealingError::Foreign { expected, found })?;
    Ok(Some(Sealer::unwrap(&ours.wrapped, master)?))
}

/// Makes `new` the current master key of this database; `old` still opens it until it is [forgotten](forget_previous).
#[cfg(feature = "server")]
pub(super) async fn replace(db: &Db, old: &MasterKey, new: &MasterKey) -> Result<(), SealingError> {
    let sealer = open(db, old).await?;
    let keys = WrappedKeys { master: new.id(), wrapped: sealer.wrapped(new)? };
    let from = old.id();
    let replaced = db.write(move |tx| {
        let (from, keys) = (from.clone(), keys.clone());
        Box::pin(async move { wrapped_keys::replace(tx, &from, &keys).await })
    });
    if replaced.await.map_err(SealingError::Storage)? {
        return Ok(());
    }
    Err(SealingError::Refused(
        "the master key was replaced before, and the previous one still opens the database: make sure that every node has the current one, then run `vestibule keys forget-master`",
    ))
}

/// Deletes the previous wrapping: from now on only `current` opens this database.
#[cfg(feature = "server")]
pub(super) async fn forget_previous(db: &Db, current: &MasterKey) -> Result<(), SealingError> {
    open(db, current).await?;
    let id = current.id();
    let forgotten = db.write(move |tx| {
        let id = id.clone();
        Box::pin(async move { wrapped_keys::forget_previous(tx, &id).await })
    });
    if forgotten.await.map_err(SealingError::Storage)? {
        return Ok(());
    }
    Err(SealingError::Refused(
        "there is nothing to forget: no earlier master key opens this database, or this node does not have the current one",
    ))
}
