//! The participant of a ceremony: its user, and where it takes place.

use crate::domain::issuer::Issuer;
use crate::domain::locale::Locale;
use crate::domain::passkey::Passkey;
use crate::domain::tenant::Tenant;
use crate::domain::user::User;

/// The user of a ceremony, as the caller has read them, and where it takes place.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Participant<'a> {
    pub(crate) user: &'a User,
    pub(crate) tenant: &'a Tenant,
    /// The issuer whose pages ask.
    pub(crate) issuer: &'a Issuer,
    /// Every passkey of the user, also those for other host names.
    pub(crate) passkeys: &'a [Passkey],
    /// The language of messages to a user who has chosen none.
    pub(crate) locale: Locale,
}
