//! Messages to users, as the handle offers them: which ways out there are, sending one, and what became of it.

use std::time::Duration;

use super::Idp;
use super::Internal;
use crate::account::delivery::SendOutcome;
use crate::domain::ids::{MessageId, Reference, UserId};
use crate::domain::message::{Channel, Delivery, Message, MessageContent};
use crate::storage::{outbox, users};

/// The store or the master key failed; the log has the reason under this reference.
#[derive(Clone, Debug, thiserror::Error)]
#[error("the outbox could not be reached; the log tells more under {0}")]
pub struct SendFailed(Reference);

impl<E: Into<Internal>> From<E> for SendFailed {
    fn from(error: E) -> Self {
        Self(error.into().reference().clone())
    }
}

impl Idp {
    /// Can mail be sent? What needs it is offered only then.
    pub fn can_mail(&self) -> bool {
        self.parts().mailer.is_some()
    }

    /// Can text messages be sent?
    pub fn can_sms(&self) -> bool {
        self.parts().sms.is_some()
    }

    /// Sends a letter to a user under the name of the user's tenant, as soon as housekeeping comes to it; if that is not
    /// within its `lifetime`, never. Codes and links are capped by address, number and user.
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
            Box::pin(async move { post.settle(tx).await })
        });
        Ok(settled.await?)
    }

    /// How many messages wait to be sent this way, by any node.
    pub async fn messages_waiting(&self, channel: Channel) -> Result<u64, SendFailed> {
        let waiting = outbox::waiting(&mut self.db().read().tx(), channel).await?;
        Ok(waiting.unsigned_abs())
    }

    /// Where a message stands; `None` a week after it was asked for.
    pub async fn delivery(&self, id: &MessageId) -> Result<Option<Delivery>, SendFailed> {
        Ok(self.account().delivery(id).await?)
    }
}
