//! Help for a user who cannot get in, as the command line gives it and as a host's own help desk may.
//!
//! Whoever calls this has made sure that they may. Every act is told to the observer, and to the user by mail.

use std::sync::Arc;

use crate::account::delivery::SendOutcome;
use crate::account::ending::Spared;
use crate::account::resets::Home;
use crate::domain::event::{Event, ResetOutcome};
use crate::domain::ids::IssuerId;
use crate::domain::reset::Purpose;
use crate::domain::tenant::{Tenant, TenantDomain};
use crate::domain::time::Time;
use crate::domain::user::Username;
use crate::provider::{Idp, Internal};
use crate::storage::users::{self, Credentials};

/// What can be done for a user.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SupportAction {
    /// Revokes authenticators and recovery codes, and ends all sessions and grants: the next login enrols anew.
    ResetEnrolment,
    /// Mails a link to choose a new password. Who has a second factor will have to prove it.
    ResetPassword,
    /// Ends the locks that wrong passwords and wrong codes have led to.
    Unlock,
    /// Makes a link for somebody who has lost everything: for ten minutes it leads, once, to a new password; the second
    /// factor is revoked by it.
    BreakGlass,
}

/// What was done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SupportOutcome {
    /// It is done.
    Done,
    /// A mail to this address waits to be sent by housekeeping.
    Mailed(String),
    /// The link to hand over. It is kept nowhere.
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
    /// The user is switched off.
    #[error("the user is disabled")]
    UserDisabled,
    /// The tenant is switched off.
    #[error("the tenant is disabled")]
    TenantDisabled,
    /// The host's directory keeps the user's password.
    #[error("the host's directory keeps the user's password")]
    Elsewhere,
    /// No mail can be sent, or too much waits to be sent.
    #[error("no mail can be sent: the setting mail.smtp is missing, or too much waits")]
    NoMail,
    /// Too many mails were asked for; the next can be sent at this time.
    #[error("too many mails were asked for; the next can be sent from {}", crate::i18n::machine(*.0))]
    TooMany(Time),
    /// The store or the master key failed; the log has the reason under this reference.
    #[error("it could not be done; the log tells more under {0}")]
    Internal(crate::domain::ids::Reference),
}

impl<E: Into<Internal>> From<E> for SupportError {
    fn from(error: E) -> Self {
        Self::Internal(error.into().reference().clone())
    }
}

impl Idp {
    /// Helps the user with this name.
    pub async fn help(
        &self,
        tenant: &str,
        username: &str,
        with: SupportAction,
    ) -> Result<SupportOutcome, SupportError> {
        let (found, tenant) = self.to_be_helped(tenant, username).await?;
        match with {
            SupportAction::ResetEnrolment => self.reset_enrolment(&found, &tenant).await,
            SupportAction::ResetPassword => self.mail_reset(&found, &tenant).await,
            SupportAction::Unlock => self.unlock(&found, &tenant).await,
            SupportAction::BreakGlass => self.break_glass(&found, &tenant).await,
        }
    }

    async fn to_be_helped(
        &self,
        tenant: &str,
        username: &str,
    ) -> Result<(Credentials, Arc<Tenant>), SupportError> {
        let domain = TenantDomain::typed(tenant).map_err(|_| SupportError::NoTenant)?;
        let tenant = self.catalogue().tenant_by_domain(&domain).await?.ok_or(SupportError::NoTenant)?;
        let name = Username::parse(username).map_err(|_| SupportError::NoUser)?;
        let mut reader = self.db().read();
        let found = users::credentials(&mut reader.tx(), &tenant.id, Some(&name)).await?;
        Ok((found.ok_or(SupportError::NoUser)?, tenant))
    }

    async fn reset_enrolment(
        &self,
        found: &Credentials,
        tenant: &Tenant,
    ) -> Result<SupportOutcome, SupportError> {
        let reset = self.account().enrolment_reset(&found.user, tenant)?;
        let settled = self.db().write(move |tx| {
            let reset = reset.clone();
            Box::pin(async move { reset.settle(tx, Spared::default()).await })
        });
        settled.await?;
        self.observe(&Event::EnrolmentReset { user: found.user.id.clone() });
        Ok(SupportOutcome::Done)
    }

    async fn mail_reset(&self, found: &Credentials, tenant: &Tenant) -> Result<SupportOutcome, SupportError> {
        let link = self.account().new_link(found, tenant, self.home(), Purpose::Forgotten)?;
        let link = link.map_err(refusal)?;
        let settled = self.db().write(move |tx| {
            let link = link.clone();
            Box::pin(async move { link.settle(tx).await })
        });
        match settled.await? {
            SendOutcome::Queued(_) => {}
            SendOutcome::Wait(until) => return Err(SupportError::TooMany(until)),
            SendOutcome::Impossible => return Err(SupportError::NoMail),
        }
        let (tenant, user) = (Some(tenant.id.clone()), Some(found.user.id.clone()));
        self.observe(&Event::ResetRequested { tenant, user, outcome: ResetOutcome::Mailed });
        let address = found.user.address().map(|address| address.shown());
        Ok(SupportOutcome::Mailed(address.unwrap_or_default()))
    }

    async fn unlock(&self, found: &Credentials, tenant: &Tenant) -> Result<SupportOutcome, SupportError> {
        let unlocking = self.account().unlocking(&found.user, tenant).await?;
        let settled = self.db().write(move |tx| {
            let unlocking = unlocking.clone();
            Box::pin(async move { unlocking.settle(tx).await })
        });
        settled.await?;
        self.observe(&Event::Unlocked { user: found.user.id.clone() });
        Ok(SupportOutcome::Done)
    }

    async fn break_glass(
        &self,
        found: &Credentials,
        tenant: &Tenant,
    ) -> Result<SupportOutcome, SupportError> {
        let link = self.account().console_link(found, tenant, self.home()).await?.map_err(refusal)?;
        let address = link.address.clone();
        let settled = self.db().write(move |tx| {
            let link = link.clone();
            Box::pin(async move { link.settle(tx).await })
        });
        settled.await?;
        self.observe(&Event::EmergencyLinkIssued { user: found.user.id.clone() });
        Ok(SupportOutcome::Link(address))
    }

    /// The root issuer, which serves every tenant.
    fn home(&self) -> Home {
        Home { issuer: IssuerId::root(), url: self.settings().issuer.clone(), login: None, client: None }
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
