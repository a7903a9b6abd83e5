//! Enrolment in two phases: an authenticator is stored as pending, and its first code makes it active.

use std::sync::Arc;

use zeroize::Zeroizing;

use super::super::authenticator_snapshot::AuthenticatorSnapshot;
use super::super::{Account, Error};
use super::factor::{Claim, Finding, TypedCode};
use super::factor_of;
use crate::crypto::otp::OtpSecret;
use crate::crypto::random;
use crate::domain::authenticator::{Authenticator, AuthenticatorKind, AuthenticatorState, TotpParameters};
use crate::domain::ceremony::Ceremony;
use crate::domain::fact::FactKind;
use crate::domain::ids::{AuthenticatorId, UserId};
use crate::domain::message::CodePurpose;
use crate::domain::time::Time;
use crate::storage::authenticators::StoredAuthenticator;
use crate::storage::{Result as Stores, Tx, authenticators, passkeys, trusted_browsers};

/// A new authenticator, to be stored as pending.
#[derive(Clone, Debug)]
pub(crate) struct EnrolmentStart {
    /// The new authenticator.
    pub(crate) authenticator: Authenticator,
    sealed_secret: Option<String>,
}

impl EnrolmentStart {
    /// Stores it; whatever the user began before and did not confirm is void, and its secret destroyed.
    pub(crate) async fn store(&self, tx: &mut Tx<'_>) -> Stores<()> {
        authenticators::remove_pending(tx, &self.authenticator.user).await?;
        authenticators::insert(tx, &self.authenticator, self.sealed_secret.as_deref()).await
    }
}

/// A pending authenticator.
#[derive(Debug)]
pub(crate) struct PendingAuthenticator {
    stored: StoredAuthenticator,
}

/// The secret of a pending authenticator, as its page shows it.
#[derive(Debug)]
pub(crate) struct EnrolmentSecret {
    parameters: TotpParameters,
    secret: OtpSecret,
}

impl EnrolmentSecret {
    /// The secret in groups of four.
    pub(crate) fn groups(&self) -> Vec<String> {
        self.secret.groups()
    }

    /// The `otpauth:` address.
    pub(crate) fn uri(&self, issuer: &str, account: &str) -> Option<Zeroizing<String>> {
        self.secret.otpauth_uri(issuer, account, &self.parameters)
    }
}

/// A first code that fits.
#[derive(Clone, Debug)]
pub(crate) struct Confirmation {
    /// The authenticator it is for.
    pub(crate) authenticator: Authenticator,
    /// What it proves.
    pub(crate) proves: FactKind,
    claim: Arc<dyn Claim>,
}

/// The result of checking an enrolment's first code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Confirmed {
    /// The authenticator is active.
    Yes,
    /// The code was wrong.
    Wrong,
    /// There was none that could be right.
    Expired,
    /// The enrolment is void: it is no longer pending, or the user holds something else by now.
    Void,
}

impl Confirmation {
    /// Makes the authenticator active, and the only one with codes; its first code is used up.
    pub(crate) async fn activate(
        &self,
        tx: &mut Tx<'_>,
        before: &AuthenticatorSnapshot,
        now: Time,
    ) -> Stores<Confirmed> {
        let (id, user) = (&self.authenticator.id, &self.authenticator.user);
        if !before.is_current(tx, user).await? {
            return Ok(Confirmed::Void);
        }
        match self.claim.confirm(tx, now).await? {
            Finding::Right => {}
            Finding::Wrong => return Ok(Confirmed::Wrong),
            Finding::Void => return Ok(Confirmed::Expired),
        }
        authenticators::revoke_others(tx, user, id).await?;
        if let Some(rp) = &before.lost {
            passkeys::remove_at(tx, user, rp).await?;
        }
        trusted_browsers::remove_all(tx, user).await?;
        Ok(Confirmed::Yes)
    }
}

impl PendingAuthenticator {
    /// The authenticator that waits for its first code.
    pub(crate) const fn authenticator(&self) -> &Authenticator {
        &self.stored.authenticator
    }
}

impl Account<'_> {
    /// A new authenticator of this kind for this user, to be stored; with a fresh secret where the kind has one.
    pub(crate) fn start_enrolment(
        &self,
        user: &UserId,
        kind: AuthenticatorKind,
    ) -> Result<EnrolmentStart, Error> {
        let id = AuthenticatorId::new(random::uuid());
        let authenticator = Authenticator::pending(id, user.clone(), kind, self.now());
        let sealed_secret = if authenticator.kind.has_secret() {
            Some(self.sealer.seal(OtpSecret::generate().as_bytes(), &authenticator.row())?)
        } else {
            None
        };
        Ok(EnrolmentStart { authenticator, sealed_secret })
    }

    /// The authenticator that this user enrols in a ceremony; `None` if it no longer waits, was confirmed or is void.
    pub(crate) async fn enrolment(
        &self,
        user: &UserId,
        ceremony: &Ceremony,
    ) -> Result<Option<PendingAuthenticator>, Error> {
        let begun = ceremony.enrolment.as_ref().filter(|begun| begun.waits(self.now()));
        let Some(begun) = begun else { return Ok(None) };
        let found = authenticators::by_id(&mut self.db.read().tx(), &begun.authenticator).await?;
        let pending = found.filter(|stored| {
            stored.authenticator.user == *user && stored.authenticator.state == AuthenticatorState::Pending
        });
        Ok(pending.map(|stored| PendingAuthenticator { stored }))
    }

    /// The secret that an application needs; `None` for what is no application.
    pub(crate) fn shown(&self, enrolment: &PendingAuthenticator) -> Result<Option<EnrolmentSecret>, Error> {
        let AuthenticatorKind::Totp { parameters, .. } = enrolment.stored.authenticator.kind else {
            return Ok(None);
        };
        let secret = self.secret(&enrolment.stored)?;
        Ok(Some(EnrolmentSecret { parameters, secret }))
    }

    /// A first code as it was typed, which activates the authenticator; `None` if it is wrong.
    pub(crate) fn confirmation(
        &self,
        enrolment: PendingAuthenticator,
        ceremony: &Ceremony,
        typed: &str,
    ) -> Result<Option<Confirmation>, Error> {
        let PendingAuthenticator { stored } = enrolment;
        let Some(factor) = factor_of(&stored.authenticator.kind) else { return Ok(None) };
        let ceremony = ceremony.id.as_ref();
        let entry = TypedCode { stored: &stored, ceremony, purpose: CodePurpose::Address, typed };
        let Some(claim) = factor.read(self, entry)? else { return Ok(None) };
        let authenticator = stored.authenticator;
        Ok(Some(Confirmation { proves: factor.proves(authenticator.id.clone()), authenticator, claim }))
    }
}
