//! Codes that are sent: how they are made, bound and found right, whatever brings them.
//!
//! A code is good for one login, one purpose and one destination (functional specification 6.6). Only its keyed hash is
//! stored, and all three are hashed along: a code brought to another login, or for a number that was changed since, is
//! simply wrong. A new code makes the old one void, and calls its message back where that still waits.

use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;

use super::super::delivery::{QueuedMessage, SendOutcome};
use super::super::{Account, Error};
use super::{Claim, Finding, TypedCode, factor};
use crate::crypto::random;
use crate::crypto::seal::Sealer;
use crate::domain::authenticator::{Authenticator, Kind};
use crate::domain::ids::{AuthenticatorId, Hash, InteractionId, TenantId};
use crate::domain::locale::Locale;
use crate::domain::message::{Code, Confidential, Message, MessageContent, Purpose};
use crate::domain::time::Time;
use crate::domain::typed;
use crate::storage::delivered_codes::{self, Tried};
use crate::storage::{Result as Stores, Tx, authenticators, outbox};

/// Tries that one code has.
const TRIES: i64 = 5;

/// Who wants a code, where, and what for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct CodeRequest<'a> {
    /// The login that it is to be good for.
    pub(crate) login: &'a InteractionId,
    /// What it is to be good for there.
    pub(crate) purpose: Purpose,
    /// Where it goes.
    pub(crate) authenticator: &'a Authenticator,
    /// Whose name the message carries.
    pub(crate) tenant: &'a TenantId,
    /// The name of the account.
    pub(crate) account: &'a str,
    /// The language of the message.
    pub(crate) locale: Locale,
    /// The host name of the page that will ask for the code.
    pub(crate) host: &'a str,
}

/// A code in its message, not yet in the outbox.
#[derive(Clone, Debug)]
pub(crate) struct CodeDelivery {
    login: InteractionId,
    purpose: Purpose,
    authenticator: AuthenticatorId,
    hash: Hash,
    expires_at: Time,
    post: QueuedMessage,
}

impl CodeDelivery {
    /// Sends the code, if nothing stands against it; then the one before is void.
    pub(crate) async fn settle(&self, tx: &mut Tx<'_>) -> Stores<SendOutcome> {
        let posted = self.post.settle(tx).await?;
        if let SendOutcome::Queued(message) = &posted {
            let new = delivered_codes::New {
                interaction: self.login.clone(),
                purpose: self.purpose,
                authenticator: self.authenticator.clone(),
                hash: self.hash.clone(),
                message: message.clone(),
                expires_at: self.expires_at,
            };
            if let Some(old) = delivered_codes::replace(tx, &new).await? {
                outbox::withdraw(tx, &old).await?;
            }
        }
        Ok(posted)
    }
}

impl Account<'_> {
    /// A new code in its message, to be settled; `None` for an authenticator that makes its codes itself.
    pub(crate) fn code(&self, wish: &CodeRequest<'_>) -> Result<Option<CodeDelivery>, Error> {
        let CodeRequest { login, purpose, authenticator, tenant, account, locale, host } = *wish;
        let Some(way) = factor(&authenticator.kind).and_then(|factor| factor.delivers()) else {
            return Ok(None);
        };
        let digits = random::digits();
        let hash = hash(self.sealer, login, purpose, &authenticator.kind, &digits);
        let code = Code { purpose, code: Confidential::new(digits.as_str()), minutes: way.minutes() };
        let Some(content) = way.content(&authenticator.kind, code, host) else { return Ok(None) };
        let expires_at = self.now().plus(Duration::from_mins(way.minutes().into()));
        let message = Message {
            tenant: tenant.clone(),
            user: authenticator.user.clone(),
            expires_at,
            letter: MessageContent { locale, account: account.to_owned(), content },
        };
        let post = self.post(&message)?;
        let (login, authenticator) = (login.clone(), authenticator.id.clone());
        Ok(Some(CodeDelivery { login, purpose, authenticator, hash, expires_at, post }))
    }
}

/// A code that was typed. Whether it is right, the row decides.
#[derive(Clone, Debug)]
struct Typed {
    login: InteractionId,
    purpose: Purpose,
    authenticator: AuthenticatorId,
    hash: Hash,
}

/// What both factors do with what was typed.
pub(super) fn read(account: &Account<'_>, entry: &TypedCode<'_>) -> Arc<dyn Claim> {
    let TypedCode { stored, login, purpose, typed } = *entry;
    let digits = typed::code(typed, 16);
    let kind = &stored.authenticator.kind;
    Arc::new(Typed {
        login: login.clone(),
        purpose,
        authenticator: stored.authenticator.id.clone(),
        hash: hash(account.sealer, login, purpose, kind, &digits),
    })
}

impl Typed {
    async fn attempt(&self, tx: &mut Tx<'_>, now: Time) -> Stores<Tried> {
        let Self { login, purpose, authenticator, hash } = self;
        delivered_codes::attempt(tx, login, *purpose, authenticator, hash, TRIES, now).await
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
fn hash(sealer: &Sealer, login: &InteractionId, purpose: Purpose, kind: &Kind, digits: &str) -> Hash {
    let destination = match kind {
        Kind::Sms { number } => number.as_str(),
        Kind::Mail { address } => address.as_str(),
        Kind::Totp { .. } | Kind::Hotp { .. } => "",
    };
    sealer.keyed_hash("delivered code", &format!("{login}\n{}\n{destination}\n{digits}", purpose.as_str()))
}
