//! Delivery of queued messages: claims those that are due, renders them, passes them to a sender and records the
//! outcome.
//!
//! Mail and texts have separate lanes, so that a mail server that hangs does not delay texts; a lane sends several
//! messages concurrently, so that one that hangs does not delay the next. A lane looks for work when this node has
//! queued a message, and every few seconds for messages of other nodes and retries. The request that queued the message
//! does not wait.
//!
//! Each delivery is a task of its own, so that no lock or connection is held while its lane does something else.

use std::time::Duration;

use tokio::task::{JoinError, JoinSet};

use crate::audit::{self, Entry};
use crate::domain::audit::Actor;
use crate::domain::event::Event;
use crate::domain::message::{Channel, MessageContent};
use crate::domain::time::Time;
use crate::ext::DeliveryError;
use crate::provider::{Idp, Internal};
use crate::storage::outbox::{self, ClaimedMessage, SendAttempt};
use crate::storage::{self};
use crate::views::{self, Outgoing};

/// Maximum number of concurrent deliveries of a lane.
const AT_ONCE: usize = 8;
/// Interval of looking for messages of other nodes and retries.
const POLL: Duration = Duration::from_secs(5);
/// Time limit for a sender.
const DEADLINE: Duration = Duration::from_mins(1);
/// The life of a claim: the deadline, and time to record the outcome. The delivery is aborted when it ends.
const LEASE: Duration = Duration::from_mins(2);
/// Seconds until the next try, by the number of previous tries; after that an hour.
const PAUSES: [u64; 5] = [5, 30, 120, 600, 1800];
/// Maximum number of tries of an unexpired message.
const TRIES: i64 = 24;

impl Idp {
    /// Sends the messages of this channel forever; does nothing if there is no sender for it.
    pub(super) async fn lane(&self, channel: Channel) {
        if !self.has_way(channel) {
            return;
        }
        let mark = self.parts().lanes.of(channel);
        let mut news = self.db().messages();
        let mut under_way = JoinSet::new();
        loop {
            mark.go_on();
            if channel == Channel::Mail
                && let Err(error) = self.answer_reset_requests().await
            {
                tracing::warn!(reference = %error.reference(), "cannot process queued reset requests");
            }
            let room = AT_ONCE - under_way.len();
            if room > 0 {
                match self.claim(channel, room).await {
                    Ok(claimed) => self.deliver_all(channel, claimed, &mut under_way),
                    Err(error) => tracing::warn!(%error, "cannot read the outbox"),
                }
            }
            tokio::select! {
                Some(ended) = under_way.join_next() => tell_panic(ended),
                _ = news.changed() => {}
                () = tokio::time::sleep(POLL) => {}
            }
        }
    }

    /// Processes the queued requests for a reset mail: looks up the users and queues their mails.
    async fn answer_reset_requests(&self) -> Result<(), Internal> {
        loop {
            let answers = self.account().reset_answers().await?;
            if answers.is_empty() {
                return Ok(());
            }
            for answer in answers {
                let settled = self.db().write(move |tx| {
                    let answer = answer.clone();
                    Box::pin(async move { answer.apply(tx).await })
                });
                if let Some(refusal) = settled.await? {
                    self.refuse(refusal);
                }
                self.parts().lanes.of(Channel::Mail).go_on();
            }
        }
    }

    /// Sends one round of due messages and returns their number.
    pub(crate) async fn deliver_due(&self) -> Result<usize, Internal> {
        self.answer_reset_requests().await?;
        let mut due = JoinSet::new();
        for channel in Channel::ALL.into_iter().filter(|channel| self.has_way(*channel)) {
            self.deliver_all(channel, self.claim(channel, AT_ONCE).await?, &mut due);
        }
        let all = due.len();
        while let Some(ended) = due.join_next().await {
            tell_panic(ended);
        }
        Ok(all)
    }

    fn has_way(&self, channel: Channel) -> bool {
        match channel {
            Channel::Mail => self.can_mail(),
            Channel::Sms => self.can_sms(),
        }
    }

    async fn claim(&self, channel: Channel, room: usize) -> Result<Vec<ClaimedMessage>, storage::Error> {
        // An empty outbox costs a read and no write.
        if outbox::waiting(&mut self.db().read().tx(), channel).await? == 0 {
            return Ok(Vec::new());
        }
        let now = self.now();
        let limit = i64::try_from(room).unwrap_or(1);
        self.db().write(move |tx| Box::pin(outbox::claim(tx, channel, now, LEASE, limit))).await
    }

    fn deliver_all(&self, channel: Channel, claimed: Vec<ClaimedMessage>, under_way: &mut JoinSet<()>) {
        for claimed in claimed {
            let idp = self.clone();
            under_way.spawn(async move {
                // Afterwards another lane may claim it: sending twice is better than never.
                if tokio::time::timeout(LEASE, idp.deliver(channel, &claimed)).await.is_err() {
                    tracing::warn!(message = %claimed.id, "a delivery exceeded its lease and was aborted");
                }
            });
        }
    }

    async fn deliver(&self, channel: Channel, claimed: &ClaimedMessage) {
        let sent = match self.put_into_words(claimed).await {
            Ok(_) if claimed.expires_at <= self.now() => {
                Err(DeliveryError::Permanent("expired before it could be sent".to_owned()))
            }
            Ok(outgoing) => self.hand_over(&outgoing).await,
            Err(undelivered) => Err(undelivered),
        };
        self.write_down(channel, claimed, sent).await;
    }

    async fn put_into_words(&self, claimed: &ClaimedMessage) -> Result<Outgoing, DeliveryError> {
        let sealed = self.sealer().open(&claimed.sealed, &outbox::row(&claimed.id));
        let plain = sealed.map_err(|error| DeliveryError::Permanent(error.to_string()))?;
        let letter: MessageContent =
            serde_json::from_slice(&plain).map_err(|error| DeliveryError::Permanent(error.to_string()))?;
        let tenant = self.catalogue().tenant(&claimed.tenant).await;
        match tenant.map_err(|error| DeliveryError::Transient(error.to_string()))? {
            Some(tenant) => Ok(views::compose(&claimed.id, &letter, &tenant)),
            None => Err(DeliveryError::Permanent("the tenant no longer exists".to_owned())),
        }
    }

    async fn hand_over(&self, outgoing: &Outgoing) -> Result<(), DeliveryError> {
        let parts = self.parts();
        let sending = match (outgoing, &parts.mailer, &parts.sms) {
            (Outgoing::Mail(mail), Some(mailer), _) => mailer.send(mail),
            (Outgoing::Sms(sms), _, Some(sender)) => sender.send(sms),
            _ => return Err(DeliveryError::Transient("there is no sender".to_owned())),
        };
        let late = |_| Err(DeliveryError::Transient("no answer in time".to_owned()));
        tokio::time::timeout(DEADLINE, sending).await.unwrap_or_else(late)
    }

    async fn write_down(&self, channel: Channel, claimed: &ClaimedMessage, sent: Result<(), DeliveryError>) {
        let outcome = outcome(claimed, sent, self.now());
        let (id, tries, work) = (claimed.id.clone(), claimed.tries, outcome.clone());
        let failure = self.failure(claimed, &outcome);
        let settled = self.db().write(move |tx| {
            let (id, work) = (id.clone(), work.clone());
            let entry = failure.clone();
            Box::pin(async move {
                let settled = outbox::record(tx, &id, tries, &work).await?;
                entry.filter(|_| settled).map_or(Ok(()), |entry| audit::record(tx, entry))
            })
        });
        if let Err(error) = settled.await {
            // The lease expires, and the message is retried: sending twice is better than never.
            drop(Internal::from(error));
        } else {
            self.traffic().note_message(channel, word(&outcome));
        }
    }

    /// The entry about a message that is given up.
    fn failure(&self, claimed: &ClaimedMessage, outcome: &SendAttempt) -> Option<Entry> {
        let SendAttempt::Failed(reason) = outcome else { return None };
        let (tenant, message, reason) = (claimed.tenant.clone(), claimed.id.clone(), reason.clone());
        Some(Entry::new(self.now(), Actor::System, Event::MessageFailed { tenant, message, reason }))
    }
}

/// Logs a delivery that panicked; its claim runs out, and the message is tried again.
fn tell_panic(ended: Result<(), JoinError>) {
    if let Err(error) = ended {
        tracing::error!(%error, "a delivery panicked");
    }
}

/// The outcome's name in metrics.
const fn word(outcome: &SendAttempt) -> &'static str {
    match outcome {
        SendAttempt::Sent => "sent",
        SendAttempt::Again(..) => "put_off",
        SendAttempt::Failed(_) => "failed",
    }
}

/// The outcome of a try.
fn outcome(claimed: &ClaimedMessage, sent: Result<(), DeliveryError>, now: Time) -> SendAttempt {
    let reason = match sent {
        Ok(()) => return SendAttempt::Sent,
        Err(DeliveryError::Permanent(reason)) => return SendAttempt::Failed(short(&reason)),
        Err(DeliveryError::Transient(reason)) => short(&reason),
    };
    let before = usize::try_from(claimed.tries - 1).unwrap_or_default();
    let pause = PAUSES.get(before).copied().unwrap_or(3600);
    let next = now.plus(Duration::from_secs(pause));
    if claimed.tries >= TRIES || next >= claimed.expires_at {
        SendAttempt::Failed(reason)
    } else {
        SendAttempt::Again(next, reason)
    }
}

/// The first characters of a server's reply, on one line.
fn short(reason: &str) -> String {
    reason.split_whitespace().collect::<Vec<_>>().join(" ").chars().take(300).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::ids::{MessageId, TenantId};

    const NOW: Time = Time::from_unix(1_800_000_000);

    fn later(tries: i64, expires_in: u64) -> SendAttempt {
        let claimed = ClaimedMessage {
            id: MessageId::new("m"),
            tenant: TenantId::new("t"),
            sealed: String::new(),
            tries,
            expires_at: NOW.plus(Duration::from_secs(expires_in)),
        };
        outcome(&claimed, Err(DeliveryError::Transient("451\r\nlater".to_owned())), NOW)
    }

    #[test]
    fn pauses_grow_and_end_with_the_messages_use() {
        let again =
            |seconds| SendAttempt::Again(NOW.plus(Duration::from_secs(seconds)), "451 later".to_owned());
        let given_up = SendAttempt::Failed("451 later".to_owned());
        for (tries, pause) in [(1, 5), (2, 30), (3, 120), (4, 600), (5, 1800), (6, 3600), (23, 3600)] {
            assert_eq!(later(tries, 100_000), again(pause), "{tries}");
            assert_eq!(later(tries, pause), given_up, "{tries}");
        }
        assert_eq!(later(24, 100_000), given_up);
    }
}
