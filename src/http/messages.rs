//! Messages to users, as the handle offers them: which ways out there are, sending one, and what became of it.

use super::error::Internal;
use super::state::Idp;
use crate::account::delivery::Posted;
use crate::domain::ids::{MessageId, Reference};
use crate::domain::message::{Delivery, Message};

/// The store or the master key failed; the log has the reason under this reference.
#[derive(Clone, Debug, thiserror::Error)]
#[error("the message could not be stored; the log tells more under {0}")]
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

    /// Sends a message to a user, as soon as housekeeping comes to it. Codes and links are capped by address, number and
    /// user; the texts are the provider's own.
    pub async fn send(&self, message: &Message) -> Result<Posted, SendFailed> {
        let post = self.account().post(message, None)?;
        let settled = self.db().write(move |tx| {
            let post = post.clone();
            Box::pin(async move { post.settle(tx).await })
        });
        Ok(settled.await?)
    }

    /// Where a message stands; `None` a week after it was sent or given up.
    pub async fn delivery(&self, id: &MessageId) -> Result<Option<Delivery>, SendFailed> {
        Ok(self.account().delivery(id).await?)
    }
}
