//! Codes that are sent: how they are bound and found right, whatever brings them.
//!
//! A code is good for one ceremony, one purpose and one destination (functional specification 6.6). Only its keyed hash is
//! stored, and all three are hashed along: a code brought to another ceremony, or for a number that was changed since, is
//! simply wrong. A new code makes the old one void, and calls its message back where that still waits.

use std::sync::Arc;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;

use super::super::Account;
use super::factor::{Claim, Finding, TypedCode};
use crate::crypto::seal::Sealer;
use crate::domain::authenticator::{Authenticator, AuthenticatorKind};
use crate::domain::ids::{AuthenticatorId, CeremonyId, Hash};
use crate::domain::message::CodePurpose;
use crate::domain::time::Time;
use crate::domain::typed;
use crate::storage::delivered_codes::{self, Tried};
use crate::storage::{Result as Stores, Tx, authenticators};

/// Tries that one code has.
const TRIES: i64 = 5;

/// A code that was typed. Whether it is right, the row decides.
#[derive(Clone, Debug)]
struct Typed {
    /// `None`: its ceremony has sent no code.
    ceremony: Option<(CeremonyId, Hash)>,
    purpose: CodePurpose,
    authenticator: AuthenticatorId,
}

/// What both factors do with what was typed.
pub(super) fn read(account: &Account<'_>, entry: &TypedCode<'_>) -> Arc<dyn Claim> {
    let TypedCode { stored, ceremony, purpose, typed } = *entry;
    let digits = typed::code(typed, 16);
    let kind = &stored.authenticator.kind;
    let bound = |id: &CeremonyId| (id.clone(), hash(account.sealer, id, purpose, kind, &digits));
    Arc::new(Typed { ceremony: ceremony.map(bound), purpose, authenticator: stored.authenticator.id.clone() })
}

impl Typed {
    async fn attempt(&self, tx: &mut Tx<'_>, now: Time) -> Stores<Tried> {
        let Self { ceremony: Some((ceremony, hash)), purpose, authenticator } = self else {
            return Ok(Tried::Void);
        };
        delivered_codes::attempt(tx, ceremony, *purpose, authenticator, hash, TRIES, now).await
    }
}

impl Claim for Typed {
    fn accept<'t>(&'t self, tx: &'t mut Tx<'_>, now: Time) -> BoxFuture<'t, Stores<Finding>> {
        async move {
            let found = Finding::from(self.attempt(tx, now).await?);
            if found == Finding::Right && !authenticators::used(tx, &self.authenticator, now).await? {
                return Ok(Finding::Wrong);
            }
            Ok(found)
        }
        .boxed()
    }

    fn confirm<'t>(&'t self, tx: &'t mut Tx<'_>, now: Time) -> BoxFuture<'t, Stores<Finding>> {
        async move {
            let found = Finding::from(self.attempt(tx, now).await?);
            let (id, unused) = (&self.authenticator, Authenticator::UNUSED);
            if found == Finding::Right && !authenticators::confirm(tx, id, unused, now).await? {
                return Ok(Finding::Wrong);
            }
            Ok(found)
        }
        .boxed()
    }
}

impl From<Tried> for Finding {
    fn from(tried: Tried) -> Self {
        match tried {
            Tried::Right => Self::Right,
            Tried::Wrong => Self::Wrong,
            Tried::Void => Self::Void,
        }
    }
}

/// Six digits are few enough to try them all, so the hash is keyed.
pub(super) fn hash(
    sealer: &Sealer,
    ceremony: &CeremonyId,
    purpose: CodePurpose,
    kind: &AuthenticatorKind,
    digits: &str,
) -> Hash {
    let destination = match kind {
        AuthenticatorKind::Sms { number } => number.as_str(),
        AuthenticatorKind::Mail { address } => address.as_str(),
        AuthenticatorKind::Totp { .. } | AuthenticatorKind::Hotp { .. } => "",
    };
    sealer.keyed_hash("delivered code", &format!("{ceremony}\n{}\n{destination}\n{digits}", purpose.as_str()))
}
