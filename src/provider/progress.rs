//! Whether this process makes progress, by the progress marks of the store and of the delivery lanes.

use std::time::Duration;

use super::Idp;
use crate::domain::message::Channel;

impl Idp {
    /// Names the parts that have had work for `patience` without progress, for a log line. A host's liveness probe may
    /// fail on it, but not while the database is unreachable, which a restart does not solve.
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
        if self.parts().lanes.of_logout_tokens().is_stalled(patience) {
            stalled.push("the delivery of logout tokens");
        }
        stalled
    }
}
