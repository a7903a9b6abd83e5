//! Mails that tell a user what has happened to the account (OWASP ASVS 6.3.7). They go to the address that the user has,
//! and are never held back: who could use a cap up would silence them.

use std::time::Duration;

use super::delivery::QueuedMessage;
use super::{Account, Error};
use crate::domain::contact::EmailAddress;
use crate::domain::message::{AccountNotice, Content, MailContent, Message, MessageContent};
use crate::domain::tenant::Tenant;
use crate::domain::user::User;

/// As long as this the news is tried to be sent.
const NEWS: Duration = Duration::from_hours(3 * 24);

impl Account<'_> {
    /// Where a mail reaches the user, if any does.
    pub(super) fn reached_at(&self, user: &User) -> Option<EmailAddress> {
        user.address().filter(|_| self.ways.mail)
    }

    /// A mail to the user about this event, to be enqueued by the write of the event; `None` if no mail reaches the user.
    pub(crate) fn notice(
        &self,
        user: &User,
        tenant: &Tenant,
        event: AccountNotice,
    ) -> Result<Option<QueuedMessage>, Error> {
        let Some(to) = self.reached_at(user) else { return Ok(None) };
        let (at, zone) = (self.now(), user.zone().unwrap_or(tenant.time_zone));
        let letter = MessageContent {
            locale: user.locale().unwrap_or(tenant.locale),
            account: user.username.to_string(),
            content: Content::Mail { to, mail: MailContent::Notice { event, at, zone } },
        };
        let (tenant, user) = (tenant.id.clone(), user.id.clone());
        self.post(&Message { tenant, user, expires_at: at.plus(NEWS), letter }).map(Some)
    }
}
