//! A code on its way to the user: made for one ceremony, put into a message, and noted in the ceremony once it is sent.

use std::time::Duration;

use super::super::delivery::{QueuedMessage, RESEND, SendOutcome};
use super::super::participant::Participant;
use super::super::{Account, Error};
use super::delivered::hash;
use super::factor_of;
use crate::crypto::random;
use crate::domain::authenticator::Authenticator;
use crate::domain::ceremony::{Ceremony, CodeDelivery, Dispatched};
use crate::domain::ids::{AuthenticatorId, CeremonyId, Hash};
use crate::domain::message::{CodePurpose, Confidential, DeliveredCode, Message, MessageContent};
use crate::domain::time::Time;
use crate::storage::{Result as Stores, Tx, delivered_codes, outbox};

/// A code in its message, not yet in the outbox.
#[derive(Clone, Debug)]
pub(crate) struct CodeMessage {
    ceremony: CeremonyId,
    purpose: CodePurpose,
    authenticator: AuthenticatorId,
    hash: Hash,
    expires_at: Time,
    post: QueuedMessage,
}

impl CodeMessage {
    /// Sends the code, unless a cap or a missing way stands against it, and notes the outcome in the ceremony. Once it is
    /// sent, the code before it is void; a code that is out stays good while another may not be sent yet.
    pub(crate) async fn send(&self, tx: &mut Tx<'_>, ceremony: &mut Ceremony, now: Time) -> Stores<()> {
        let sent = self.post.enqueue(tx).await?;
        if let SendOutcome::Queued(message) = &sent {
            let new = delivered_codes::NewDeliveredCode {
                ceremony: self.ceremony.clone(),
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
        let before = ceremony.delivery.take().filter(|before| before.authenticator == self.authenticator);
        let (outcome, again_at) = match sent {
            SendOutcome::Queued(message) => (Dispatched::Sent(message), now.plus(RESEND.per)),
            SendOutcome::Wait(until) => (before.map_or(Dispatched::Held, |before| before.outcome), until),
            SendOutcome::Impossible => (Dispatched::Impossible, now),
        };
        let authenticator = self.authenticator.clone();
        ceremony.id = Some(self.ceremony.clone());
        ceremony.delivery = Some(CodeDelivery { authenticator, outcome, again_at });
        Ok(())
    }
}

impl Account<'_> {
    /// A new code of this ceremony in its message, to be sent; `None` for an authenticator that makes its codes itself.
    pub(crate) fn code(
        &self,
        participant: &Participant<'_>,
        ceremony: &Ceremony,
        purpose: CodePurpose,
        authenticator: &Authenticator,
    ) -> Result<Option<CodeMessage>, Error> {
        let Participant { user, tenant, issuer, locale, .. } = *participant;
        let Some(way) = factor_of(&authenticator.kind).and_then(|factor| factor.delivers()) else {
            return Ok(None);
        };
        let ceremony = ceremony.id.clone().unwrap_or_else(|| CeremonyId::new(random::uuid()));
        let digits = random::digits();
        let hash = hash(self.sealer, &ceremony, purpose, &authenticator.kind, &digits);
        let code =
            DeliveredCode { purpose, code: Confidential::new(digits.as_str()), minutes: way.minutes() };
        let Some(content) = way.content(&authenticator.kind, code, issuer.url.host()) else {
            return Ok(None);
        };
        let expires_at = self.now().plus(Duration::from_mins(way.minutes().into()));
        let locale = user.locale().unwrap_or(locale);
        let message = Message {
            tenant: tenant.id.clone(),
            user: authenticator.user.clone(),
            expires_at,
            letter: MessageContent { locale, account: user.username.to_string(), content },
        };
        let post = self.post(&message)?;
        let authenticator = authenticator.id.clone();
        Ok(Some(CodeMessage { ceremony, purpose, authenticator, hash, expires_at, post }))
    }
}
