//! The marks of the delivery lanes, by which it is told whether they make progress.

use crate::domain::message::Channel;
use crate::storage::Mark;

/// The progress marks of the delivery lanes. A lane sets its mark in every round, at least every few seconds.
#[derive(Default)]
pub(crate) struct Lanes {
    mail: Mark,
    sms: Mark,
    logout_tokens: Mark,
}

impl Lanes {
    /// The mark of this channel's lane.
    pub(crate) const fn of(&self, channel: Channel) -> &Mark {
        match channel {
            Channel::Mail => &self.mail,
            Channel::Sms => &self.sms,
        }
    }

    /// The mark of the lane of logout tokens.
    pub(crate) const fn of_logout_tokens(&self) -> &Mark {
        &self.logout_tokens
    }
}
