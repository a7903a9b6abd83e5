//! Second factors, one file each behind the trait [`Factor`].
//!
//! What differs between them is small: whether a code is made by the device or sent, and how it is found right. So that
//! is all that the trait asks. Everything around it is here once: enrolment in two phases, the budget of guesses, and
//! the promise that a code counts once. That promise is a [`Claim`]: what a factor has found out beforehand, to be
//! settled by one conditional statement in the *caller's* transaction. The same code twice, at once or at two nodes,
//! wins once (functional specification 6.4).
//!
//! Of `acr` and `amr` nothing is said here: they follow from the fact that a factor [proves](Factor::proves), by the one
//! table in `domain::fact`.

mod totp;

use std::fmt::Debug;
use std::sync::Arc;

use futures_util::future::BoxFuture;
use zeroize::Zeroizing;

use super::attempts::{Allowance, Counter};
use super::{Account, Error};
use crate::crypto::otp::TotpSecret;
use crate::crypto::random;
use crate::crypto::seal::SealError;
use crate::domain::authenticator::{Authenticator, AuthenticatorState, Kind, Method, TotpParameters};
use crate::domain::fact::FactKind;
use crate::domain::ids::{AuthenticatorId, UserId};
use crate::domain::tenant::TenantPolicy;
use crate::domain::time::Time;
use crate::storage::attempts::Kind as Guess;
use crate::storage::authenticators::Stored;
use crate::storage::{Result as Stores, Tx, authenticators};

/// Every second factor that has codes.
static FACTORS: &[&dyn Factor] = &[&totp::Totp];

/// One kind of second factor.
pub(super) trait Factor: Sync {
    /// What users choose it by; `None` where administrators hand it out.
    fn enrols(&self) -> Option<Method>;

    /// Is this authenticator one of its kind?
    fn serves(&self, kind: &Kind) -> bool;

    /// What a right code of this authenticator proves.
    fn proves(&self, authenticator: AuthenticatorId) -> FactKind;

    /// Reads what was typed. `None`: it is wrong, whatever the store says.
    fn read<'a>(
        &'a self,
        account: &'a Account<'_>,
        stored: &'a Stored,
        typed: &'a str,
    ) -> BoxFuture<'a, Result<Option<Arc<dyn Claim>>, Error>>;
}

/// A code that looks right, to be used up.
pub(crate) trait Claim: Debug + Send + Sync {
    /// Uses it up for an active authenticator; of all who bring it, one gets `true`.
    fn accept<'t>(&'t self, tx: &'t mut Tx<'_>, now: Time) -> BoxFuture<'t, Stores<bool>>;

    /// Uses it up to make a pending authenticator active; one gets `true`.
    fn confirm<'t>(&'t self, tx: &'t mut Tx<'_>, now: Time) -> BoxFuture<'t, Stores<bool>>;
}

/// The factor of this kind. There is none for a kind that cannot be used yet.
fn factor(kind: &Kind) -> Option<&'static dyn Factor> {
    FACTORS.iter().copied().find(|factor| factor.serves(kind))
}

/// What a tenant's users may enrol, in the tenant's order: what it allows, as far as there is a factor for it.
pub(crate) fn methods(policy: &TenantPolicy) -> Vec<Method> {
    let works = |method: &Method| FACTORS.iter().any(|factor| factor.enrols() == Some(*method));
    policy.methods.iter().copied().filter(works).collect()
}

/// What became of a code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// It was right, and is used up.
    Right,
    /// It was wrong, too old, or used already; which of these is not said.
    Wrong,
    /// It was not looked at.
    Locked(Time),
}

/// A code that was typed for an active authenticator.
#[derive(Clone, Debug)]
pub(crate) struct Attempt {
    /// What it proves if it is right.
    pub(crate) proves: FactKind,
    claim: Option<Arc<dyn Claim>>,
    counter: Counter,
}

impl Attempt {
    /// Counts the try and uses the code up.
    pub(crate) async fn settle(&self, tx: &mut Tx<'_>, now: Time) -> Stores<Verdict> {
        if let Allowance::Locked(until) = self.counter.take(tx, now).await? {
            return Ok(Verdict::Locked(until));
        }
        let Some(claim) = &self.claim else { return Ok(Verdict::Wrong) };
        if !claim.accept(tx, now).await? {
            return Ok(Verdict::Wrong);
        }
        self.counter.clear(tx).await?;
        Ok(Verdict::Right)
    }
}

/// A new authenticator, to be stored as pending.
#[derive(Clone, Debug)]
pub(crate) struct Start {
    /// The new authenticator.
    pub(crate) authenticator: Authenticator,
    sealed_secret: Option<String>,
}

impl Start {
    /// Stores it; whatever the user began before and did not confirm is void, and its secret destroyed.
    pub(crate) async fn settle(&self, tx: &mut Tx<'_>) -> Stores<()> {
        authenticators::remove_pending(tx, &self.authenticator.user).await?;
        authenticators::insert(tx, &self.authenticator, self.sealed_secret.as_deref()).await
    }
}

/// A pending authenticator.
#[derive(Debug)]
pub(crate) struct Enrolment {
    stored: Stored,
}

/// The secret of a pending authenticator, as its page shows it.
#[derive(Debug)]
pub(crate) struct Shown {
    parameters: TotpParameters,
    secret: TotpSecret,
}

impl Shown {
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

/// What became of a first code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Confirmed {
    /// The authenticator is active.
    Yes,
    /// The code was wrong.
    Wrong,
    /// The enrolment is void: it is no longer pending, or the active authenticator is not the one it may replace.
    Void,
}

impl Confirmation {
    /// Makes the authenticator active, and the only one; its first code is used up.
    pub(crate) async fn settle(
        &self,
        tx: &mut Tx<'_>,
        replaced: Option<&AuthenticatorId>,
        now: Time,
    ) -> Stores<Confirmed> {
        let (id, user) = (&self.authenticator.id, &self.authenticator.user);
        let active = authenticators::active(tx, user).await?;
        if active.map(|active| active.authenticator.id).as_ref() != replaced {
            return Ok(Confirmed::Void);
        }
        if !self.claim.confirm(tx, now).await? {
            return Ok(Confirmed::Wrong);
        }
        authenticators::revoke_others(tx, user, id).await?;
        Ok(Confirmed::Yes)
    }
}

impl Account<'_> {
    /// A code for the user's active authenticator, to be settled; `None` if there is no such authenticator.
    pub(crate) async fn code_attempt(&self, user: &UserId, code: &str) -> Result<Option<Attempt>, Error> {
        let active = authenticators::active(&mut self.db.read().await?.tx(), user).await?;
        let Some(stored) = active else { return Ok(None) };
        let Some(factor) = factor(&stored.authenticator.kind) else { return Ok(None) };
        let claim = factor.read(self, &stored, code).await?;
        let counter = Counter::new(self.sealer, Guess::Otp, user.as_str());
        Ok(Some(Attempt { proves: factor.proves(stored.authenticator.id), claim, counter }))
    }

    /// A new authenticator of this kind for this user, to be settled; with a fresh secret where the kind has one.
    pub(crate) fn start_enrolment(&self, user: &UserId, kind: Kind) -> Result<Start, Error> {
        let id = AuthenticatorId::new(random::uuid());
        let authenticator = Authenticator::pending(id, user.clone(), kind, self.now());
        let sealed_secret = if authenticator.kind.has_secret() {
            Some(self.sealer.seal(TotpSecret::generate().as_bytes(), &authenticator.row())?)
        } else {
            None
        };
        Ok(Start { authenticator, sealed_secret })
    }

    /// The enrolment that this user has begun; `None` if it was confirmed or is void.
    pub(crate) async fn enrolment(
        &self,
        user: &UserId,
        id: &AuthenticatorId,
    ) -> Result<Option<Enrolment>, Error> {
        let found = authenticators::by_id(&mut self.db.read().await?.tx(), id).await?;
        let pending = found.filter(|stored| {
            stored.authenticator.user == *user && stored.authenticator.state == AuthenticatorState::Pending
        });
        Ok(pending.map(|stored| Enrolment { stored }))
    }

    /// The secret that an application needs; `None` for what is no application.
    pub(crate) fn shown(&self, enrolment: &Enrolment) -> Result<Option<Shown>, Error> {
        let Kind::Totp { parameters, .. } = enrolment.stored.authenticator.kind else { return Ok(None) };
        let secret = self.secret(&enrolment.stored)?;
        Ok(Some(Shown { parameters, secret }))
    }

    /// A first code, as typed, to be settled; `None` if it is wrong.
    pub(crate) async fn confirmation(
        &self,
        enrolment: Enrolment,
        code: &str,
    ) -> Result<Option<Confirmation>, Error> {
        let Enrolment { stored } = enrolment;
        let Some(factor) = factor(&stored.authenticator.kind) else { return Ok(None) };
        let Some(claim) = factor.read(self, &stored, code).await? else { return Ok(None) };
        let authenticator = stored.authenticator;
        Ok(Some(Confirmation { proves: factor.proves(authenticator.id.clone()), authenticator, claim }))
    }

    /// What a device and we share.
    fn secret(&self, stored: &Stored) -> Result<TotpSecret, SealError> {
        let sealed = stored.sealed_secret.as_deref().ok_or(SealError::Malformed)?;
        let bytes = self.sealer.open(sealed, &stored.authenticator.row())?;
        // Only secrets of ours and checked imports are ever sealed for this row.
        TotpSecret::from_bytes(&bytes).map_err(|_| SealError::Malformed)
    }
}
