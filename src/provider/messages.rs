//! Messages to users, as methods of the handle: availability of the channels, sending, and the state of a message.

use std::time::Duration;

use super::Idp;
use super::Internal;
use crate::account::delivery::SendOutcome;
use crate::domain::ids::{MessageId, Reference, SessionId, UserId};
use crate::domain::logout::LogoutNotice;
use crate::domain::message::{Channel, Delivery, Message, MessageContent};
use crate::storage::{logout_notices, outbox, users};

/// The store or the master key failed; the reason is in the log under this reference.
#[derive(Clone, Debug, thiserror::Error)]
#[error("cannot access the outbox; see {0} in the log")]
pub struct SendFailed(Reference);

impl<E: Into<Internal>> From<E> for SendFailed {
    fn from(error: E) -> Self {
        Self(error.into().reference().clone())
    }
}

impl Idp {
    /// Returns whether mail can be sent. Features that need mail are offered only then.
    pub fn can_mail(&self) -> bool {
        self.parts().mailer.is_some()
    }

    /// Returns whether text messages can be sent.
    pub fn can_sms(&self) -> bool {
        self.parts().sms.is_some()
    }

    /// Queues a message to a user, in the name of the user's tenant. Housekeeping sends it, unless its `lifetime` ends
    /// before. Codes and links are rate-limited by address, number and user.
    pub async fn send(
        &self,
        user: &UserId,
        letter: MessageContent,
        lifetime: Duration,
    ) -> Result<SendOutcome, SendFailed> {
        let Some(user) = users::by_id(&mut self.db().read().tx(), user).await? else {
            return Ok(SendOutcome::Impossible);
        };
        let expires_at = self.now().plus(lifetime);
        let message = Message { tenant: user.tenant, user: user.id, expires_at, letter };
        let post = self.account().post(&message)?;
        let settled = self.db().write(move |tx| {
            let post = post.clone();
            Box::pin(async move { post.enqueue(tx).await })
        });
        Ok(settled.await?)
    }

    /// The number of messages of this channel that wait to be sent by any node.
    pub async fn messages_waiting(&self, channel: Channel) -> Result<u64, SendFailed> {
        let waiting = outbox::waiting(&mut self.db().read().tx(), channel).await?;
        Ok(waiting.unsigned_abs())
    }

    /// The logout tokens of an ended session, one for each client with a `backchannel_logout_uri`. Empty until housekeeping
    /// has looked the clients up, and again a week later.
    pub async fn logout_notices(&self, session: &SessionId) -> Result<Vec<LogoutNotice>, SendFailed> {
        Ok(logout_notices::of_session(&mut self.db().read().tx(), session).await?)
    }

    /// The delivery state of a message; `None` a week after it was queued.
    pub async fn delivery(&self, id: &MessageId) -> Result<Option<Delivery>, SendFailed> {
        Ok(self.account().delivery(id).await?)
    }
}
