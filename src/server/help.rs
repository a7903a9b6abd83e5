//! Help for a user who cannot get in, as the command line gives it and as a host's own help desk may.
//!
//! Whoever calls this has made sure that they may. Every act is told to the observer, and to the user by mail.

use std::sync::Arc;

use crate::account::delivery::Posted;
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
pub enum Help {
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
pub enum Helped {
    /// It is done.
    Done,
    /// A mail to this address waits to be sent by housekeeping.
    Mailed(String),
    /// The link to hand over. It is kept nowhere.
    Link(String),
}

/// Why nothing was done.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HelpFailed {
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

impl<E: Into<Internal>> From<E> for HelpFailed {
    fn from(error: E) -> Self {
        Self::Internal(error.into().reference().clone())
    }
}

impl Idp {
    /// Helps the user with this name.
    pub async fn help(&self, tenant: &str, username: &str, with: Help) -> Result<Helped, HelpFailed> {
        let (found, tenant) = self.to_be_helped(tenant, username).await?;
        match with {
            Help::ResetEnrolment => self.reset_enrolment(&found, &tenant).await,
            Help::ResetPassword => self.mail_reset(&found, &tenant).await,
            Help::Unlock => self.unlock(&found, &tenant).await,
            Help::BreakGlass => self.break_glass(&found, &tenant).await,
        }
    }

    async fn to_be_helped(
        &self,
        tenant: &str,
        username: &str,
    ) -> Result<(Credentials, Arc<Tenant>), HelpFailed> {
        let domain = TenantDomain::typed(tenant).map_err(|_| HelpFailed::NoTenant)?;
        let tenant = self.catalogue().tenant_by_domain(&domain).await?.ok_or(HelpFailed::NoTenant)?;
        let name = Username::parse(username).map_err(|_| HelpFailed::NoUser)?;
        let mut reader = self.db().read();
        let found = users::credentials(&mut reader.tx(), &tenant.id, Some(&name)).await?;
        Ok((found.ok_or(HelpFailed::NoUser)?, tenant))
    }

    async fn reset_enrolment(&self, found: &Credentials, tenant: &Tenant) -> Result<Helped, HelpFailed> {
        let reset = self.account().enrolment_reset(&found.user, tenant)?;
        let settled = self.db().write(move |tx| {
            let reset = reset.clone();
            Box::pin(async move { reset.settle(tx, Spared::default()).await })
        });
        settled.await?;
        self.observe(&Event::EnrolmentReset { user: found.user.id.clone() });
        Ok(Helped::Done)
    }

    async fn mail_reset(&self, found: &Credentials, tenant: &Tenant) -> Result<Helped, HelpFailed> {
        let link = self.account().new_link(found, tenant, self.home(), Purpose::Forgotten)?;
        let link = link.map_err(refusal)?;
        let settled = self.db().write(move |tx| {
            let link = link.clone();
            Box::pin(async move { link.settle(tx).await })
        });
        match settled.await? {
            Posted::Queued(_) => {}
            Posted::Wait(until) => return Err(HelpFailed::TooMany(until)),
            Posted::Impossible => return Err(HelpFailed::NoMail),
        }
        let (tenant, user) = (Some(tenant.id.clone()), Some(found.user.id.clone()));
        self.observe(&Event::ResetRequested { tenant, user, outcome: ResetOutcome::Mailed });
        let address = found.user.address().map(|address| address.shown());
        Ok(Helped::Mailed(address.unwrap_or_default()))
    }

    async fn unlock(&self, found: &Credentials, tenant: &Tenant) -> Result<Helped, HelpFailed> {
        let unlocking = self.account().unlocking(&found.user, tenant).await?;
        let settled = self.db().write(move |tx| {
            let unlocking = unlocking.clone();
            Box::pin(async move { unlocking.settle(tx).await })
        });
        settled.await?;
        self.observe(&Event::Unlocked { user: found.user.id.clone() });
        Ok(Helped::Done)
    }

    async fn break_glass(&self, found: &Credentials, tenant: &Tenant) -> Result<Helped, HelpFailed> {
        let link = self.account().console_link(found, tenant, self.home()).await?.map_err(refusal)?;
        let address = link.address.clone();
        let settled = self.db().write(move |tx| {
            let link = link.clone();
            Box::pin(async move { link.settle(tx).await })
        });
        settled.await?;
        self.observe(&Event::GlassBroken { user: found.user.id.clone() });
        Ok(Helped::Link(address))
    }

    /// The root issuer, which serves every tenant.
    fn home(&self) -> Home {
        Home { issuer: IssuerId::root(), url: self.settings().issuer.clone(), login: None, client: None }
    }
}

const fn refusal(outcome: ResetOutcome) -> HelpFailed {
    match outcome {
        ResetOutcome::NoAddress => HelpFailed::NoAddress,
        ResetOutcome::UserDisabled => HelpFailed::UserDisabled,
        ResetOutcome::TenantDisabled => HelpFailed::TenantDisabled,
        ResetOutcome::Elsewhere => HelpFailed::Elsewhere,
        _ => HelpFailed::NoMail,
    }
}
