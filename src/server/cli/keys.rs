//! `vestibule keys …`: signing keys and the master key, on a stopped server's database or a running one's.

use clap::{Subcommand, ValueEnum};
use serde_json::json;

use super::master_key;
use super::setup::{build, configure};
use crate::domain::client::SigningAlgorithm;
use crate::i18n::machine;
use crate::provider::{Idp, KeyStatus, Rotated, Rotation};
use crate::server::config::Flags;
use crate::server::failure::Failure;
use crate::storage::keys::KeyState;

#[derive(Subcommand)]
pub(super) enum KeysCommand {
    /// List all signing keys with state, start of signing and end of publication
    List {
        /// One JSON object per line
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        settings: Flags,
    },
    /// Give issuers new signing keys, which are published first and sign once every client must have fetched them.
    /// While such a key waits, no other is made
    Rotate {
        /// The URL of one issuer [default: every issuer that has keys]
        #[arg(long, value_name = "URL")]
        of: Option<String>,
        /// One algorithm [default: RS256, ES256, and others that clients of the issuer use]
        #[arg(long, value_enum)]
        algorithm: Option<Algorithm>,
        /// The keys are compromised: sign with new ones at once, and accept no signature of the old ones. All users
        /// must sign in again, and clients with a cached key set fail until they fetch it again
        #[arg(long)]
        now: bool,
        #[command(flatten)]
        settings: Flags,
    },
    /// Make a new master key without downtime: running nodes continue, and nodes start with the old or the new key
    RotateMaster {
        #[command(flatten)]
        settings: Flags,
    },
    /// Remove the previous master key, once every node has the new one: it then opens only backups made until now
    ForgetMaster {
        #[command(flatten)]
        settings: Flags,
    },
}

#[derive(Clone, Copy, ValueEnum)]
pub(super) enum Algorithm {
    #[value(name = "RS256")]
    Rs256,
    #[value(name = "ES256")]
    Es256,
    #[value(name = "EdDSA")]
    EdDsa,
    #[value(name = "Ed25519")]
    Ed25519,
}

impl From<Algorithm> for SigningAlgorithm {
    fn from(algorithm: Algorithm) -> Self {
        match algorithm {
            Algorithm::Rs256 => Self::Rs256,
            Algorithm::Es256 => Self::Es256,
            Algorithm::EdDsa => Self::EdDsa,
            Algorithm::Ed25519 => Self::Ed25519,
        }
    }
}

pub(super) async fn run(command: KeysCommand) -> Result<(), Failure> {
    match command {
        KeysCommand::List { json, settings } => {
            let idp = build(&configure(&settings)?).await?;
            let keys = idp.keys().await;
            idp.db().close().await;
            keys.map_err(Failure::new)?.iter().for_each(|key| print(key, json));
            Ok(())
        }
        KeysCommand::Rotate { of, algorithm, now, settings } => {
            let idp = build(&configure(&settings)?).await?;
            let rotation = if now { Rotation::Now } else { Rotation::Gentle };
            let rotated = rotate(&idp, of.as_deref(), algorithm.map(SigningAlgorithm::from), rotation);
            let rotated = idp.seen_by_every_node(rotated).await;
            idp.db().close().await;
            rotated
        }
        KeysCommand::RotateMaster { settings } => master_key::rotate(&configure(&settings)?).await,
        KeysCommand::ForgetMaster { settings } => master_key::forget_previous(&configure(&settings)?).await,
    }
}

async fn rotate(
    idp: &Idp,
    of: Option<&str>,
    algorithm: Option<SigningAlgorithm>,
    rotation: Rotation,
) -> Result<(), Failure> {
    let known = idp.keys().await.map_err(Failure::new)?;
    let mut wanted: Vec<KeyStatus> = Vec::new();
    for key in known {
        let is_asked = of.is_none_or(|of| of.trim_end_matches('/') == key.issuer_url)
            && algorithm.is_none_or(|algorithm| algorithm == key.algorithm);
        let is_listed = |other: &KeyStatus| other.issuer == key.issuer && other.algorithm == key.algorithm;
        if is_asked && !wanted.iter().any(is_listed) {
            wanted.push(key);
        }
    }
    if wanted.is_empty() {
        return Err(nothing_to_rotate(of, algorithm));
    }
    for key in wanted {
        if algorithm.is_some() || idp.signs_with(&key.issuer, key.algorithm).await.map_err(Failure::new)? {
            let rotated = idp.rotate_key(&key.issuer, key.algorithm, rotation).await;
            tell(&rotated.map_err(Failure::new)?);
        } else if rotation == Rotation::Now {
            idp.remove_keys(&key.issuer, key.algorithm).await.map_err(Failure::new)?;
            println!(
                "{} {}: keys removed, because no client uses them",
                key.issuer_url,
                key.algorithm.as_str()
            );
        }
    }
    Ok(())
}

/// The error if no key fits the options.
fn nothing_to_rotate(of: Option<&str>, algorithm: Option<SigningAlgorithm>) -> Failure {
    let issuer = of.map_or_else(|| "no issuer has".to_owned(), |of| format!("{of} has no"));
    let kind = algorithm.map_or_else(String::new, |algorithm| format!("{} ", algorithm.as_str()));
    Failure::new(format!(
        "{issuer} {kind}keys: see `vestibule keys list`; RS256 and ES256 keys are made when somebody first asks for an \
         issuer's, others when a client is registered with their algorithm"
    ))
}

fn tell(rotated: &Rotated) {
    match rotated {
        Rotated::Key(key) => print(key, false),
        Rotated::Waiting(key) => println!(
            "{} {}: no new key was made, because {} is published already and signs from {}; --now replaces all keys \
             at once",
            key.issuer_url,
            key.algorithm.as_str(),
            key.id,
            machine(key.signs_from)
        ),
    }
}

fn print(key: &KeyStatus, as_json: bool) {
    let state = match (key.state, key.published) {
        (KeyState::Next, _) => "next",
        (KeyState::Active, _) => "active",
        (KeyState::Retired, true) => "retired",
        (KeyState::Retired, false) => "left",
    };
    let (issuer, algorithm) = (&key.issuer_url, key.algorithm.as_str());
    if as_json {
        println!(
            "{}",
            json!({
                "kid": key.id, "issuer": issuer, "algorithm": algorithm, "state": state,
                "signs_from": key.signs_from, "leaves_at": key.leaves_at,
            })
        );
        return;
    }
    let leaves = key.leaves_at.map(|at| format!(", leaves {}", machine(at))).unwrap_or_default();
    println!("{issuer} {algorithm} {} {state}, signs from {}{leaves}", key.id, machine(key.signs_from));
}
