//! The channels by which messages leave.

use crate::domain::settings::SmsLimits;

/// The ways out that this provider has.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Channels<'a> {
    /// Whether there is a mailer.
    pub(crate) mail: bool,
    /// How texts are limited, if there is a sender of any.
    pub(crate) sms: Option<&'a SmsLimits>,
}
