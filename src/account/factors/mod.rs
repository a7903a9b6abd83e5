//! Second factors, one file each behind the trait [`Factor`].
//!
//! What differs between them is small: whether a code is made by the device or sent, and how it is found right. So that
//! is all that the traits ask. Everything around it is here once: enrolment in two phases, the budget of guesses, and
//! the promise that a code counts once. That promise is a [`Claim`]: what a factor has found out beforehand, to be
//! settled by one conditional statement in the *caller's* transaction. The same code twice, at once or at two nodes,
//! wins once (functional specification 6.4).
//!
//! Of `acr` and `amr` nothing is said here: they follow from the fact that a factor [proves](Factor::proves), by the one
//! table in `domain::fact`.

mod attempt;
mod delivered;
mod hotp;
mod mail;
mod oath;
mod pin;
mod sms;
mod totp;

use std::fmt::Debug;
use std::sync::Arc;

use futures_util::future::BoxFuture;
use zeroize::Zeroizing;

pub(crate) use self::attempt::{FactorAttempt, Verdict};
pub(crate) use self::delivered::CodeRequest;
use super::authenticator_snapshot::AuthenticatorSnapshot;
use super::delivery::Channels;
use super::{Account, Error};
use crate::crypto::otp::OtpSecret;
use crate::crypto::random;
use crate::domain::authenticator::{Authenticator, AuthenticatorState, Kind, Method, TotpParameters};
use crate::domain::fact::FactKind;
use crate::domain::ids::{AuthenticatorId, InteractionId, UserId};
use crate::domain::interaction::Enrolment as Begun;
use crate::domain::message::{Code, Content, Purpose};
use crate::domain::tenant::TenantPolicy;
use crate::domain::time::Time;
use crate::storage::attempts::Kind as Guess;
use crate::storage::authenticators::Stored;
use crate::storage::{Result as Stores, Tx, authenticators, passkeys, trusted_browsers};

/// Every second factor that has codes.
static FACTORS: &[&dyn Factor] = &[&totp::Totp, &hotp::Hotp, &sms::Sms, &mail::Mail];

/// One kind of second factor.
pub(super) trait Factor: Sync {
    /// What users choose it by; `None` where administrators hand it out.
    fn enrols(&self) -> Option<Method>;

    /// Is there a way for its codes to reach the user?
    fn has_way(&self, _: Channels<'_>) -> bool {
        true
    }

    /// Is this authenticator one of its kind?
    fn serves(&self, kind: &Kind) -> bool;

    /// What a right code of this authenticator proves.
    fn proves(&self, authenticator: AuthenticatorId) -> FactKind;

    /// Which tries its codes take from.
    fn budget(&self) -> Guess {
        if self.delivers().is_some() { Guess::Delivered } else { Guess::Otp }
    }

    /// How its codes are sent; `None` where a device makes them.
    fn delivers(&self) -> Option<&dyn Deliver> {
        None
    }

    /// Reads what was typed. `None`: it is wrong, whatever the store says.
    fn read(&self, account: &Account<'_>, entry: TypedCode<'_>) -> Claimed;

    /// Finds a device again by two codes that it has shown one after the other. `None`: they are wrong, or there is no
    /// device that could run away.
    fn resync(&self, _: &Account<'_>, _: &Stored, _: (&str, &str)) -> Claimed {
        Ok(None)
    }
}

/// How a factor sends its codes.
pub(super) trait Deliver {
    /// For how many minutes a code is good.
    fn minutes(&self) -> u32;

    /// The message with the code; `None`: this authenticator is of another kind. `host` is that of the page that asks.
    fn content(&self, kind: &Kind, code: Code, host: &str) -> Option<Content>;
}

/// What was typed, and where.
#[derive(Clone, Copy, Debug)]
pub(super) struct TypedCode<'a> {
    /// The authenticator whose code it should be.
    stored: &'a Stored,
    /// The login that asked for it.
    login: &'a InteractionId,
    /// What the login asked for it for.
    purpose: Purpose,
    /// What was typed.
    typed: &'a str,
}

/// What was typed, if it looks right.
type Claimed = Result<Option<Arc<dyn Claim>>, Error>;

/// A code that looks right, to be used up.
pub(crate) trait Claim: Debug + Send + Sync {
    /// Uses it up for an active authenticator; of all who bring it, one is right.
    fn accept<'t>(&'t self, tx: &'t mut Tx<'_>, now: Time) -> BoxFuture<'t, Stores<Finding>>;

    /// Uses it up to make a pending authenticator active; one is right.
    fn confirm<'t>(&'t self, tx: &'t mut Tx<'_>, now: Time) -> BoxFuture<'t, Stores<Finding>>;
}

/// What the store found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Finding {
    /// It was right, and is used up.
    Right,
    /// It was not, or was used already.
    Wrong,
    /// No code could be right: none was sent, or it is void. So this was no guess.
    Void,
}

impl Finding {
    /// Of a statement that uses a code up.
    const fn of(won: bool) -> Self {
        if won { Self::Right } else { Self::Wrong }
    }
}

/// The factor of this kind. There is none for a kind that cannot be used yet.
fn factor(kind: &Kind) -> Option<&'static dyn Factor> {
    FACTORS.iter().copied().find(|factor| factor.serves(kind))
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

/// What became of a first code.
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
    pub(crate) async fn settle(
        &self,
        tx: &mut Tx<'_>,
        before: &AuthenticatorSnapshot,
        now: Time,
    ) -> Stores<Confirmed> {
        let (id, user) = (&self.authenticator.id, &self.authenticator.user);
        if !before.are_still(tx, user).await? {
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

impl Enrolment {
    /// The authenticator that waits for its first code.
    pub(crate) const fn authenticator(&self) -> &Authenticator {
        &self.stored.authenticator
    }
}

impl Account<'_> {
    /// What a tenant's users may enrol, in the tenant's order: what it allows, as far as there is a factor for it and a
    /// way for its codes. Whether there can be passkeys, the issuer decides.
    pub(crate) fn methods(&self, policy: &TenantPolicy, passkeys: bool) -> Vec<Method> {
        let works =
            |factor: &&dyn Factor, method| factor.enrols() == Some(method) && factor.has_way(self.ways);
        let possible = |method: &Method| match method {
            Method::Passkey => passkeys,
            other => FACTORS.iter().any(|factor| works(factor, *other)),
        };
        policy.methods.iter().copied().filter(possible).collect()
    }

    /// A new authenticator of this kind for this user, to be settled; with a fresh secret where the kind has one.
    pub(crate) fn start_enrolment(&self, user: &UserId, kind: Kind) -> Result<Start, Error> {
        let id = AuthenticatorId::new(random::uuid());
        let authenticator = Authenticator::pending(id, user.clone(), kind, self.now());
        let sealed_secret = if authenticator.kind.has_secret() {
            Some(self.sealer.seal(OtpSecret::generate().as_bytes(), &authenticator.row())?)
        } else {
            None
        };
        Ok(Start { authenticator, sealed_secret })
    }

    /// The enrolment that this user has begun, as it was noted; `None` if it waits no more, was confirmed or is void.
    pub(crate) async fn enrolment(
        &self,
        user: &UserId,
        begun: Option<&Begun>,
        now: Time,
    ) -> Result<Option<Enrolment>, Error> {
        let Some(begun) = begun.filter(|begun| begun.waits(now)) else { return Ok(None) };
        let found = authenticators::by_id(&mut self.db.read().tx(), &begun.authenticator).await?;
        let pending = found.filter(|stored| {
            stored.authenticator.user == *user && stored.authenticator.state == AuthenticatorState::Pending
        });
        Ok(pending.map(|stored| Enrolment { stored }))
    }

    /// The secret that an application needs; `None` for what is no application.
    pub(crate) fn shown(&self, enrolment: &Enrolment) -> Result<Option<EnrolmentSecret>, Error> {
        let Kind::Totp { parameters, .. } = enrolment.stored.authenticator.kind else { return Ok(None) };
        let secret = self.secret(&enrolment.stored)?;
        Ok(Some(EnrolmentSecret { parameters, secret }))
    }

    /// A first code, as typed, to be settled; `None` if it is wrong.
    pub(crate) fn confirmation(
        &self,
        enrolment: Enrolment,
        login: &InteractionId,
        typed: &str,
    ) -> Result<Option<Confirmation>, Error> {
        let Enrolment { stored } = enrolment;
        let Some(factor) = factor(&stored.authenticator.kind) else { return Ok(None) };
        let entry = TypedCode { stored: &stored, login, purpose: Purpose::Address, typed };
        let Some(claim) = factor.read(self, entry)? else { return Ok(None) };
        let authenticator = stored.authenticator;
        Ok(Some(Confirmation { proves: factor.proves(authenticator.id.clone()), authenticator, claim }))
    }
}
