//! `vestibule keys rotate-master` and `vestibule keys forget-master`
//!
//! The order of steps is safe against a crash at any point: the new key is in its file before the database is
//! rewrapped, the database is rewrapped before the new file replaces the old one, and the old key is kept for other
//! nodes and for backups.

use std::path::Path;

use crate::crypto::seal::MasterKey;
use crate::server::builder::{self, MASTER_KEY};
use crate::server::config::Config;
use crate::server::failure::Failure;
use crate::server::sealing;
use crate::storage::Db;

/// Generates a new master key and stores its wrapping.
pub(super) async fn rotate(config: &Config) -> Result<(), Failure> {
    match &config.master_key {
        Some(given) => rotate_given(config, given).await,
        None => rotate_file(config).await,
    }
}

async fn rotate_given(config: &Config, given: &str) -> Result<(), Failure> {
    let old = MasterKey::from_base64(given).map_err(keys)?;
    let new = MasterKey::generate();
    replace(config, &old, &new).await?;
    println!("VESTIBULE_MASTER_KEY={}", new.to_base64().as_str());
    eprintln!("Give this to every node and keep it safe: it is written nowhere. {NEXT}");
    Ok(())
}

async fn rotate_file(config: &Config) -> Result<(), Failure> {
    let (file, next) = (config.keys.join(MASTER_KEY), config.keys.join("master.key.next"));
    let old = existing(&file)?;
    let new = MasterKey::load_or_create(&next).map_err(keys)?;
    replace(config, &old, &new).await?;
    let aside = config.keys.join(format!("master.key.{}", old.id()));
    put_in_place(&file, &next, &aside).map_err(|error| keys(format!("{}: {error}", file.display())))?;
    let (file, aside) = (file.display(), aside.display());
    println!("{file} is new; the one before is {aside}. Copy the new one to every node. {NEXT}");
    Ok(())
}

const NEXT: &str = "Running servers need no restart. Then run: vestibule keys forget-master";

/// Deletes the wrapping of the previous master key.
pub(super) async fn forget_previous(config: &Config) -> Result<(), Failure> {
    let current = match &config.master_key {
        Some(given) => MasterKey::from_base64(given).map_err(keys)?,
        None => existing(&config.keys.join(MASTER_KEY))?,
    };
    let db = open(config).await?;
    let forgotten = sealing::forget_previous(&db, &current).await;
    db.close().await;
    forgotten.map_err(keys)?;
    println!("Only this master key opens the database now. Backups made before need the one before it.");
    Ok(())
}

async fn replace(config: &Config, old: &MasterKey, new: &MasterKey) -> Result<(), Failure> {
    let db = open(config).await?;
    let replaced = sealing::replace(&db, old, new).await;
    db.close().await;
    replaced.map_err(keys)
}

/// Reads the key in this file. It is not created if missing, because a new key could not unwrap anything.
fn existing(file: &Path) -> Result<MasterKey, Failure> {
    if !file.exists() {
        return Err(keys(format!("{} does not exist", file.display())));
    }
    MasterKey::load_or_create(file).map_err(keys)
}

/// Renames in an order in which the key file exists at every moment: the old key gets a second name, then the new one
/// replaces it.
fn put_in_place(file: &Path, next: &Path, aside: &Path) -> std::io::Result<()> {
    std::fs::hard_link(file, aside)?;
    std::fs::rename(next, file)
}

async fn open(config: &Config) -> Result<Db, Failure> {
    builder::open(&config.database).await.map_err(|error| Failure::new(format!("database: {error}")))
}

fn keys(problem: impl std::fmt::Display) -> Failure {
    Failure::new(format!("keys: {problem}"))
}
