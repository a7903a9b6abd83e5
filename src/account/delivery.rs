//! Messages to users: sealed, counted, and put into the outbox by the caller's write.
//!
//! What can be asked for is capped where the message is made, for every caller alike: by address and number, by user, and
//! for texts, which cost money, by block of numbers and by tenant (attacks 133 and 134). The waits grow: a minute, half an
//! hour, hours. Notices of what has happened are never held back: using a cap up must not silence them.
//!
//! There is no cap per network here: codes follow a right password, and people behind one address must not use up each
//! other's. Reset mails, which strangers ask for, have one of their own ([`super::reset_requests`]).

use std::time::Duration;

use super::{Account, Error};
use crate::crypto::random;
use crate::domain::ids::{Hash, MessageId};
use crate::domain::message::{Content, Delivery, Message, MessageKind};
use crate::domain::time::Time;
use crate::storage::attempts::{self, Rate};
use crate::storage::{self, Tx, outbox};

/// One, then a minute's wait.
pub(crate) const RESEND: Rate = Rate { count: 1, per: Duration::from_mins(1) };
/// Three codes at once, then one every half hour: in no hour more than five (functional specification 6.6).
const CODES: Rate = Rate { count: 3, per: Duration::from_mins(90) };
/// Ten codes, then one every 144 minutes.
const CODES_OF_DAY: Rate = Rate { count: 10, per: Duration::from_hours(24) };
/// Three links at once, then one an hour: in no hour more than three (SEED1-16).
const LINKS: Rate = Rate { count: 3, per: Duration::from_hours(3) };
/// Limit per block of 1000 numbers (SMS pumping fraud).
const OF_BLOCK: Rate = Rate { count: 50, per: Duration::from_hours(24) };

/// A message that is sealed and not yet in the outbox.
#[derive(Clone, Debug)]
pub(crate) struct QueuedMessage {
    new: outbox::NewMessage,
    caps: Vec<(Hash, Rate)>,
    /// Whether a sender serves it.
    has_way: bool,
}

/// What became of the wish to send a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SendOutcome {
    /// It will be sent; what comes of that can be asked for by this id.
    Queued(MessageId),
    /// Too many were asked for; another can be at this time.
    Wait(Time),
    /// There is no way out for it: none is set up, the country is not served, or too many messages wait already. The page
    /// says that it could not be sent, and offers another method.
    Impossible,
}

impl QueuedMessage {
    /// Puts the message into the outbox, if no cap stands against it.
    pub(crate) async fn enqueue(&self, tx: &mut Tx<'_>) -> storage::Result<SendOutcome> {
        if !self.has_way {
            return Ok(SendOutcome::Impossible);
        }
        let now = self.new.created_at;
        for (at, (key, rate)) in self.caps.iter().enumerate() {
            if !attempts::flow(tx, key, now, *rate).await? {
                self.queue_refunds(tx, at)?;
                return Ok(SendOutcome::Wait(attempts::flows_at(tx, key, *rate).await?.max(now)));
            }
        }
        if outbox::enqueue(tx, &self.new).await? {
            return Ok(SendOutcome::Queued(self.new.id.clone()));
        }
        self.queue_refunds(tx, self.caps.len())?;
        Ok(SendOutcome::Impossible)
    }

    /// Queues the refund of what the caps counted for a message that is not sent.
    fn queue_refunds(&self, tx: &mut Tx<'_>, taken: usize) -> storage::Result<()> {
        for (key, rate) in self.caps.iter().take(taken) {
            attempts::queue_refund(tx, key, *rate)?;
        }
        Ok(())
    }
}

impl Account<'_> {
    /// Seals a message, to be enqueued.
    pub(crate) fn post(&self, message: &Message) -> Result<QueuedMessage, Error> {
        let Message { tenant, user, expires_at, letter } = message;
        let id = MessageId::new(random::uuid());
        let plain =
            serde_json::to_vec(letter).map(zeroize::Zeroizing::new).map_err(storage::Error::encoding)?;
        let has_way = match &letter.content {
            Content::Mail { .. } => self.ways.mail,
            Content::Sms { to, .. } => self.ways.sms.is_some_and(|limits| limits.serve(to.country())),
        };
        let new = outbox::NewMessage {
            tenant: tenant.clone(),
            user: user.clone(),
            channel: letter.content.channel(),
            kind: letter.content.kind(),
            destination: letter.content.masked(),
            sealed: self.sealer.seal(&plain, &outbox::row(&id))?,
            created_at: self.now(),
            expires_at: *expires_at,
            id,
        };
        Ok(QueuedMessage { new, caps: self.caps(message), has_way })
    }

    /// Where a message stands; `None` if it is forgotten.
    pub(crate) async fn delivery(&self, id: &MessageId) -> Result<Option<Delivery>, Error> {
        let entry = outbox::by_id(&mut self.db.read().tx(), id).await?;
        Ok(entry.map(|entry| entry.delivery))
    }

    /// The key of a cap on what is sent.
    pub(super) fn cap(&self, what: &str, subject: &str) -> Hash {
        self.sealer.keyed_hash(&format!("delivery/{what}"), subject)
    }

    fn caps(&self, message: &Message) -> Vec<(Hash, Rate)> {
        let user = message.user.as_str();
        let mut caps = Vec::new();
        let mut cap = |what: &str, subject: &str, rates: &[Rate]| {
            for (at, rate) in rates.iter().enumerate() {
                caps.push((self.cap(&format!("{what}/{at}"), subject), *rate));
            }
        };
        match (&message.letter.content, message.letter.content.kind()) {
            (_, MessageKind::Notice) => return caps,
            (Content::Mail { to, .. }, MessageKind::Reset | MessageKind::Activation) => {
                cap("links-of-address", &to.key(), &[RESEND, LINKS]);
                cap("links-of-user", user, &[LINKS]);
            }
            (Content::Mail { to, .. }, MessageKind::SignInCode | MessageKind::AddressCode) => {
                cap("mail-of-address", &to.key(), &[RESEND, CODES]);
                cap("mail-of-user", user, &[CODES]);
            }
            (Content::Sms { to, .. }, _) => {
                cap("sms-of-number", to.as_str(), &[RESEND, CODES, CODES_OF_DAY]);
                cap("sms-of-user", user, &[CODES, CODES_OF_DAY]);
                cap("sms-of-block", to.block(), &[OF_BLOCK]);
                let count = self.ways.sms.map_or(0, |limits| limits.tenant_day);
                let day = Rate { count, per: Duration::from_hours(24) };
                cap("sms-of-tenant", message.tenant.as_str(), &[day]);
            }
        }
        caps
    }
}
