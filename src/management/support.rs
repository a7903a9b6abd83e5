//! Help for a user who cannot sign in, as the command line and a host's help desk give it.
//!
//! The caller has made sure that it may do this. The user is told by mail.

use std::sync::Arc;

use super::context::Management;
use crate::account;
use crate::account::delivery::SendOutcome;
use crate::account::ending::Spared;
use crate::account::resets::Home;
use crate::audit::{self, Entry};
use crate::domain::audit::Actor;
use crate::domain::event::{Event, ResetOutcome};
use crate::domain::ids::IssuerId;
use crate::domain::reset::ResetPurpose;
use crate::domain::tenant::{Tenant, TenantDomain};
use crate::domain::time::Time;
use crate::domain::user::Username;
use crate::storage;
use crate::storage::users::{self, UserCredentials};

/// What can be done for a user.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SupportAction {
    /// Revokes authenticators and recovery codes, and ends all sessions and grants: the next login enrols again.
    ResetEnrolment,
    /// Mails a link to choose a new password. A user with a second factor has to prove it there.
    ResetPassword,
    /// Ends the locks that follow wrong passwords and wrong codes.
    Unlock,
    /// Makes a link for a user who has lost everything: for ten minutes it leads, once, to a new password; the second
    /// factor is revoked by it.
    BreakGlass,
}

/// What was done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SupportOutcome {
    /// The action was completed.
    Done,
    /// A mail to this address is queued; housekeeping sends it.
    Mailed(String),
    /// The link to hand over. It is not stored.
    Link(String),
}

/// Why nothing was done.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SupportError {
    /// No such tenant domain.
    #[error("there is no such tenant")]
    NoTenant,
    /// No such user in the tenant.
    #[error("the tenant has no such user")]
    NoUser,
    /// The user has no address that mail can be sent to.
    #[error("the user has no email address that mail can be sent to; `vestibule apply` can set one")]
    NoAddress,
    /// The user is disabled.
    #[error("the user is disabled")]
    UserDisabled,
    /// The tenant is disabled.
    #[error("the tenant is disabled")]
    TenantDisabled,
    /// The host's directory keeps the user's password.
    #[error("the host's directory keeps the user's password")]
    Elsewhere,
    /// No mail can be sent, or too much waits to be sent.
    #[error("no mail can be sent: the setting mail.smtp is missing, or too much waits")]
    NoMail,
    /// Too many mails were requested; the next can be sent at this time.
    #[error("too many mails were asked for; the next can be sent from {}", crate::i18n::machine(*.0))]
    TooMany(Time),
    /// The store or the master key failed; the log has the reason under this reference.
    #[error("it could not be done; the log tells more under {0}")]
    Internal(crate::domain::ids::Reference),
}

/// Why a support action was not completed.
#[derive(Debug)]
pub(crate) enum SupportFailure {
    /// It cannot be done for this user.
    Refused(SupportError),
    /// The store or the master key failed.
    Failed(account::Error),
}

impl From<SupportError> for SupportFailure {
    fn from(error: SupportError) -> Self {
        Self::Refused(error)
    }
}

impl From<account::Error> for SupportFailure {
    fn from(error: account::Error) -> Self {
        Self::Failed(error)
    }
}

impl From<storage::Error> for SupportFailure {
    fn from(error: storage::Error) -> Self {
        Self::Failed(error.into())
    }
}

/// What was done, and is recorded.
type Supported = Result<SupportOutcome, SupportFailure>;

impl Management<'_> {
    /// Helps the user of this name in the tenant of this domain.
    pub(crate) async fn support(&self, tenant: &str, username: &str, action: SupportAction) -> Supported {
        let (found, tenant) = self.supported_user(tenant, username).await?;
        match action {
            SupportAction::ResetEnrolment => self.reset_enrolment(&found, &tenant).await,
            SupportAction::ResetPassword => self.mail_reset(&found, &tenant).await,
            SupportAction::Unlock => self.unlock(&found, &tenant).await,
            SupportAction::BreakGlass => self.break_glass(&found, &tenant).await,
        }
    }

    async fn supported_user(
        &self,
        tenant: &str,
        username: &str,
    ) -> Result<(UserCredentials, Arc<Tenant>), SupportFailure> {
        let domain = TenantDomain::typed(tenant).map_err(|_| SupportError::NoTenant)?;
        let tenant = self.catalogue.tenant_by_domain(&domain).await?.ok_or(SupportError::NoTenant)?;
        let name = Username::parse(username).map_err(|_| SupportError::NoUser)?;
        let mut reader = self.db.read();
        let found = users::credentials(&mut reader.tx(), &tenant.id, Some(&name)).await?;
        Ok((found.ok_or(SupportError::NoUser)?, tenant))
    }

    async fn reset_enrolment(&self, found: &UserCredentials, tenant: &Tenant) -> Supported {
        let reset = self.account.enrolment_reset(&found.user, tenant)?;
        let entry = self.by_console(tenant, Event::EnrolmentReset { user: found.user.id.clone() });
        let settled = self.db.write(move |tx| {
            let (reset, entry) = (reset.clone(), entry.clone());
            Box::pin(async move {
                reset.apply(tx, Spared::default()).await?;
                audit::record(tx, entry)
            })
        });
        settled.await?;
        Ok(SupportOutcome::Done)
    }

    async fn mail_reset(&self, found: &UserCredentials, tenant: &Tenant) -> Supported {
        let link = self.account.new_link(found, tenant, self.home(), ResetPurpose::Forgotten)?;
        let link = link.map_err(refusal)?;
        let (asked, user) = (Some(tenant.id.clone()), Some(found.user.id.clone()));
        let event = Event::ResetRequested { tenant: asked, user, outcome: ResetOutcome::Mailed };
        let entry = self.by_console(tenant, event);
        let settled = self.db.write(move |tx| {
            let (link, entry) = (link.clone(), entry.clone());
            Box::pin(async move {
                let sent = link.enqueue(tx).await?;
                if matches!(sent, SendOutcome::Queued(_)) {
                    audit::record(tx, entry)?;
                }
                Ok(sent)
            })
        });
        match settled.await? {
            SendOutcome::Queued(_) => {}
            SendOutcome::Wait(until) => return Err(SupportError::TooMany(until).into()),
            SendOutcome::Impossible => return Err(SupportError::NoMail.into()),
        }
        let address = found.user.address().map(|address| address.shown());
        Ok(SupportOutcome::Mailed(address.unwrap_or_default()))
    }

    /// The entry about what the command line or the host application does to a user of this tenant.
    fn by_console(&self, tenant: &Tenant, event: Event) -> Entry {
        Entry::new(self.now(), Actor::Console, event).of_tenant(&tenant.id)
    }

    async fn unlock(&self, found: &UserCredentials, tenant: &Tenant) -> Supported {
        let unlocking = self.account.unlocking(&found.user, tenant).await?;
        let entry = self.by_console(tenant, Event::Unlocked { user: found.user.id.clone() });
        let settled = self.db.write(move |tx| {
            let (unlocking, entry) = (unlocking.clone(), entry.clone());
            Box::pin(async move {
                unlocking.queue(tx)?;
                audit::record(tx, entry)
            })
        });
        settled.await?;
        Ok(SupportOutcome::Done)
    }

    async fn break_glass(&self, found: &UserCredentials, tenant: &Tenant) -> Supported {
        let link = self.account.console_link(found, tenant, self.home()).await?.map_err(refusal)?;
        let address = link.address.clone();
        let entry = self.by_console(tenant, Event::EmergencyLinkIssued { user: found.user.id.clone() });
        let settled = self.db.write(move |tx| {
            let (link, entry) = (link.clone(), entry.clone());
            Box::pin(async move {
                link.activate(tx).await?;
                audit::record(tx, entry)
            })
        });
        settled.await?;
        Ok(SupportOutcome::Link(address))
    }

    /// The root issuer, which serves every tenant.
    fn home(&self) -> Home {
        Home { issuer: IssuerId::root(), url: self.issuer.clone(), login: None, client: None }
    }
}

const fn refusal(outcome: ResetOutcome) -> SupportError {
    match outcome {
        ResetOutcome::NoAddress => SupportError::NoAddress,
        ResetOutcome::UserDisabled => SupportError::UserDisabled,
        ResetOutcome::TenantDisabled => SupportError::TenantDisabled,
        ResetOutcome::Elsewhere => SupportError::Elsewhere,
        _ => SupportError::NoMail,
    }
}
