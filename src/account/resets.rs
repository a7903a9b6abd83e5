//! Links to choose a new password, and what a new password brings about.
//!
//! Who may have a link: a user of our own, with an address. Whose password the host keeps changes it there; who signs in
//! upstream has none.

use serde::{Deserialize, Serialize};

use super::attempts::Counter;
use super::delivery::{QueuedMessage, SendOutcome};
use super::ending::{self, Spared};
use super::{Account, Error};
use crate::crypto::secret::Secret;
use crate::domain::epoch::Epoch;
use crate::domain::event::ResetOutcome;
use crate::domain::ids::{ClientId, InteractionId, IssuerId, UserId};
use crate::domain::issuer::IssuerUrl;
use crate::domain::message::{
    AccountNotice, Confidential, Content, MailContent, Message, MessageContent, MessageLink,
};
use crate::domain::reset::{self, Reset, ResetProgress, ResetPurpose};
use crate::domain::tenant::Tenant;
use crate::domain::user::User;
use crate::storage::attempts::AttemptKind;
use crate::storage::users::{self, UserCredentials};
use crate::storage::{self, Tx, resets};

/// Where a link leads, and back to which login.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Home {
    /// The issuer.
    pub(crate) issuer: IssuerId,
    /// Its configured URL: what a request says of its host never gets into a mail (attack 152).
    pub(crate) url: IssuerUrl,
    /// The login that waits.
    pub(crate) login: Option<InteractionId>,
    /// The application that it is for.
    pub(crate) client: Option<ClientId>,
}

/// A link and the mail that brings it, to be enqueued.
#[derive(Clone, Debug)]
pub(crate) struct NewLink {
    post: QueuedMessage,
    reset: Reset,
}

impl NewLink {
    /// Puts the mail into the outbox; every link before it is void. If it cannot be sent, those stay.
    pub(crate) async fn enqueue(&self, tx: &mut Tx<'_>) -> storage::Result<SendOutcome> {
        let posted = self.post.enqueue(tx).await?;
        if matches!(posted, SendOutcome::Queued(_)) {
            resets::replace(tx, &self.reset).await?;
        }
        Ok(posted)
    }
}

/// A new password in place of the old one, to be applied.
#[derive(Clone, Debug)]
pub(crate) struct PasswordChange {
    user: UserId,
    epoch: Epoch,
    hash: String,
    counter: Counter,
    notice: Option<QueuedMessage>,
}

impl PasswordChange {
    /// The PHC string of the new password.
    pub(crate) fn hash(&self) -> &str {
        &self.hash
    }

    /// Stores the new password, unless the user's epoch was raised meanwhile, and ends what the old one had opened. Failed
    /// tries at the old password are forgotten.
    pub(crate) async fn apply(&self, tx: &mut Tx<'_>, spared: Spared<'_>) -> storage::Result<bool> {
        if !users::change_password(tx, &self.user, &self.hash, self.epoch).await? {
            return Ok(false);
        }
        ending::end(tx, &self.user, spared).await?;
        self.counter.queue_clear(tx)?;
        if let Some(notice) = &self.notice {
            notice.enqueue(tx).await?;
        }
        Ok(true)
    }
}

impl Account<'_> {
    /// Returns whether the pages may offer a reset mail. They do not if the host's directory keeps the passwords.
    pub(crate) fn mails_resets(&self, tenant: Option<&Tenant>) -> bool {
        self.ways.mail && tenant.is_none_or(|tenant| self.directory_of(tenant).is_none())
    }

    /// Checks that the user has a local password to choose; otherwise returns the reason.
    pub(super) fn own_password(&self, user: &User, tenant: &Tenant) -> Result<(), ResetOutcome> {
        if tenant.disabled {
            Err(ResetOutcome::TenantDisabled)
        } else if user.disabled {
            Err(ResetOutcome::UserDisabled)
        } else if user.upstream.is_some() || user.directory.is_some() || self.directory_of(tenant).is_some() {
            Err(ResetOutcome::Elsewhere)
        } else {
            Ok(())
        }
    }

    /// Creates a link to the user's address, to be enqueued; or returns the reason why it cannot be sent.
    pub(crate) fn new_link(
        &self,
        found: &UserCredentials,
        tenant: &Tenant,
        home: Home,
        purpose: ResetPurpose,
    ) -> Result<Result<NewLink, ResetOutcome>, Error> {
        let user = &found.user;
        if let Err(reason) = self.own_password(user, tenant) {
            return Ok(Err(reason));
        }
        let Some(to) = user.address() else { return Ok(Err(ResetOutcome::NoAddress)) };
        let secret = Secret::generate();
        let address = Confidential::new(home.url.at(&format!("/reset/link/{}", secret.expose())));
        let minutes = u32::try_from(reset::LINK.as_secs() / 60).unwrap_or(u32::MAX);
        let expires_at = self.now().plus(reset::LINK);
        let link = MessageLink { address, minutes };
        let mail = match purpose {
            ResetPurpose::Activation => MailContent::Activation(link),
            ResetPurpose::Forgotten | ResetPurpose::Console => MailContent::Reset(link),
        };
        let message = Message {
            tenant: tenant.id.clone(),
            user: user.id.clone(),
            expires_at,
            letter: MessageContent {
                locale: user.locale().unwrap_or(tenant.locale),
                account: user.username.to_string(),
                content: Content::Mail { to: to.clone(), mail },
            },
        };
        let Home { issuer, login, client, .. } = home;
        let reset = Reset {
            link: secret.hash(),
            ticket: None,
            issuer,
            user: user.id.clone(),
            purpose,
            epoch: user.epoch + tenant.epoch,
            progress: ResetProgress { sent_to: Some(to), login, client, ..ResetProgress::default() },
            expires_at,
            version: 0,
        };
        Ok(Ok(NewLink { post: self.post(&message)?, reset }))
    }

    /// A new password for this user as they were read, to be applied; a mail tells the user.
    pub(crate) fn password_change(
        &self,
        user: &User,
        tenant: &Tenant,
        hash: String,
    ) -> Result<PasswordChange, Error> {
        let notice = self.notice(user, tenant, AccountNotice::PasswordChanged)?;
        let counter = self.password_counter(tenant.domain.as_str(), &user.username.key());
        Ok(PasswordChange { user: user.id.clone(), epoch: user.epoch, hash, counter, notice })
    }

    /// The counter of wrong passwords for this name.
    pub(super) fn password_counter(&self, tenant: &str, name: &str) -> Counter {
        Counter::new(self.sealer, AttemptKind::Password, &format!("{tenant}\n{name}"))
    }
}
