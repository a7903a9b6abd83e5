//! Whether this process still gets on with its work: the marks of the store, and those of the delivery lanes.

use std::time::Duration;

use super::Idp;
use crate::domain::message::Channel;
use crate::storage::Mark;

/// The marks of the delivery lanes. A lane leaves one in every turn, and turns at least every few seconds.
#[derive(Default)]
pub(crate) struct Lanes {
    mail: Mark,
    sms: Mark,
}

impl Lanes {
    /// The mark of this channel's lane.
    pub(crate) const fn of(&self, channel: Channel) -> &Mark {
        match channel {
            Channel::Mail => &self.mail,
            Channel::Sms => &self.sms,
        }
    }
}

impl Idp {
    /// What has had work for this long and made no progress, in words for a log line. A host's liveness probe may fail on
    /// it; while the database is gone it says nothing about this process.
    pub fn stalled(&self, patience: Duration) -> Vec<&'static str> {
        let mut stalled: Vec<_> = self.db().stalled(patience).collect();
        if self.catalogue().is_stalled(patience) {
            stalled.push("the catalogue's look");
        }
        for channel in Channel::ALL {
            if self.parts().lanes.of(channel).is_stalled(patience) {
                stalled.push(match channel {
                    Channel::Mail => "the delivery of mail",
                    Channel::Sms => "the delivery of text messages",
                });
            }
        }
        stalled
    }
}
