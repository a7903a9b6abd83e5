//! What an administrator can do for a user who cannot get in: reset the enrolment, end a lock, open the way for one
//! who has lost everything.
//!
//! The caller has been authorised elsewhere: an administrator by the API, an operator by access to the console of the
//! machine. A mail tells the user in either case.

use super::attempts::Counter;
use super::delivery::QueuedMessage;
use super::ending::{self, Spared};
use super::resets::Home;
use super::{Account, Error};
use crate::crypto::secret::Secret;
use crate::domain::event::ResetOutcome;
use crate::domain::ids::UserId;
use crate::domain::message::AccountNotice;
use crate::domain::reset::{self, Reset, ResetProgress, ResetPurpose};
use crate::domain::tenant::Tenant;
use crate::domain::user::User;
use crate::storage::attempts::{self, AttemptKind};
use crate::storage::users::{self, UserCredentials};
use crate::storage::{self, Tx, authenticators, passkeys, recovery_codes, resets};

/// A reset of a user's enrolment, to be applied.
#[derive(Clone, Debug)]
pub(crate) struct EnrolmentReset {
    user: UserId,
    notice: Option<QueuedMessage>,
}

impl EnrolmentReset {
    /// Revokes every authenticator and recovery code; what they had opened ends. The password stays. The next login asks
    /// for the office computer again, as a first one does.
    pub(crate) async fn apply(&self, tx: &mut Tx<'_>, spared: Spared<'_>) -> storage::Result<()> {
        users::begin_enrolment(tx, &self.user).await?;
        authenticators::remove_all(tx, &self.user).await?;
        passkeys::remove_all(tx, &self.user).await?;
        recovery_codes::replace(tx, &self.user, &[]).await?;
        ending::end(tx, &self.user, spared).await?;
        if let Some(notice) = &self.notice {
            notice.enqueue(tx).await?;
        }
        Ok(())
    }
}

/// A user's locks, to be ended.
#[derive(Clone, Debug)]
pub(crate) struct Unlocking {
    user: UserId,
    counters: Vec<Counter>,
}

impl Unlocking {
    /// Queues the reset of all counters: wrong passwords, wrong codes of every kind, wrong PINs, wrong recovery codes, wrong answers of
    /// passkeys.
    pub(crate) fn queue(&self, tx: &mut Tx<'_>) -> storage::Result<()> {
        for counter in &self.counters {
            counter.queue_clear(tx)?;
        }
        attempts::queue_forget_known_browsers(tx, &self.user)
    }
}

/// A link for an operator at the console, to be activated.
#[derive(Clone, Debug)]
pub(crate) struct ConsoleLink {
    /// Its address: shown once, and nowhere else.
    pub(crate) address: String,
    reset: Reset,
    unlocking: Unlocking,
}

impl ConsoleLink {
    /// Makes the link good; every other link and ticket of the user's is void, and so are the locks.
    pub(crate) async fn activate(&self, tx: &mut Tx<'_>) -> storage::Result<()> {
        self.unlocking.queue(tx)?;
        resets::remove_all(tx, &self.reset.user).await?;
        resets::replace(tx, &self.reset).await
    }
}

impl Account<'_> {
    /// A reset of this user's enrolment, to be applied.
    pub(crate) fn enrolment_reset(&self, user: &User, tenant: &Tenant) -> Result<EnrolmentReset, Error> {
        let notice = self.notice(user, tenant, AccountNotice::SecondFactorReset)?;
        Ok(EnrolmentReset { user: user.id.clone(), notice })
    }

    /// The end of this user's locks, to be applied.
    pub(crate) async fn unlocking(&self, user: &User, tenant: &Tenant) -> storage::Result<Unlocking> {
        let kinds = [
            AttemptKind::Otp,
            AttemptKind::Delivered,
            AttemptKind::Pin,
            AttemptKind::Resync,
            AttemptKind::Recovery,
            AttemptKind::Passkey,
        ];
        let passkeys = passkeys::of_user(&mut self.db.read().tx(), &user.id).await?;
        let mut counters = vec![self.password_counter(tenant.domain.as_str(), &user.username.key())];
        counters.extend(kinds.map(|kind| Counter::new(self.sealer, kind, user.id.as_str())));
        counters.extend(passkeys.iter().map(|passkey| self.sign_in_counter(&passkey.credential_id)));
        Ok(Unlocking { user: user.id.clone(), counters })
    }

    /// A link for a user who has lost password and second factor, to be activated: it asks for neither. Who stands at the
    /// console could write into the database anyway; this leaves a trace, and ends by itself after ten minutes.
    pub(crate) async fn console_link(
        &self,
        found: &UserCredentials,
        tenant: &Tenant,
        home: Home,
    ) -> storage::Result<Result<ConsoleLink, ResetOutcome>> {
        if let Err(refused) = self.own_password(&found.user, tenant) {
            return Ok(Err(refused));
        }
        let secret = Secret::generate();
        let reset = Reset {
            link: secret.hash(),
            ticket: None,
            issuer: home.issuer,
            user: found.user.id.clone(),
            purpose: ResetPurpose::Console,
            epoch: found.user.epoch + tenant.epoch,
            progress: ResetProgress::default(),
            expires_at: self.now().plus(reset::CONSOLE),
            version: 0,
        };
        let address = home.url.at(&format!("/reset/link/{}", secret.expose()));
        let unlocking = self.unlocking(&found.user, tenant).await?;
        Ok(Ok(ConsoleLink { address, reset, unlocking }))
    }
}
