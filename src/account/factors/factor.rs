//! What one kind of second factor must answer, and the claim that its codes become.

use std::fmt::Debug;
use std::sync::Arc;

use futures_util::future::BoxFuture;

use super::super::channels::Channels;
use super::super::{Account, Error};
use crate::domain::authenticator::{AuthenticatorKind, Method};
use crate::domain::fact::FactKind;
use crate::domain::ids::{AuthenticatorId, CeremonyId};
use crate::domain::message::{CodePurpose, Content, DeliveredCode};
use crate::domain::time::Time;
use crate::storage::attempts::AttemptKind as Guess;
use crate::storage::authenticators::StoredAuthenticator;
use crate::storage::{Result as Stores, Tx};

/// One kind of second factor.
pub(super) trait Factor: Sync {
    /// What users choose it by; `None` where administrators hand it out.
    fn enrols(&self) -> Option<Method>;

    /// Whether its codes can reach the user.
    fn has_way(&self, _: Channels<'_>) -> bool {
        true
    }

    /// Whether this authenticator is of its kind.
    fn serves(&self, kind: &AuthenticatorKind) -> bool;

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
    fn read(&self, account: &Account<'_>, entry: TypedCode<'_>) -> ClaimResult;

    /// Finds a device again by two codes that it has shown one after the other. `None`: they are wrong, or there is no
    /// device that could run away.
    fn resync(&self, _: &Account<'_>, _: &StoredAuthenticator, _: (&str, &str)) -> ClaimResult {
        Ok(None)
    }
}

/// How a factor sends its codes.
pub(super) trait Deliver {
    /// For how many minutes a code is good.
    fn minutes(&self) -> u32;

    /// The message with the code; `None`: this authenticator is of another kind. `host` is that of the page that asks.
    fn content(&self, kind: &AuthenticatorKind, code: DeliveredCode, host: &str) -> Option<Content>;
}

/// What was typed, and where.
#[derive(Clone, Copy, Debug)]
pub(super) struct TypedCode<'a> {
    /// The authenticator whose code it should be.
    pub(super) stored: &'a StoredAuthenticator,
    /// The ceremony that asks for it; `None`: it has sent no code.
    pub(super) ceremony: Option<&'a CeremonyId>,
    /// What the ceremony asks for it for.
    pub(super) purpose: CodePurpose,
    /// What was typed.
    pub(super) typed: &'a str,
}

/// What was typed, if it looks right.
pub(super) type ClaimResult = Result<Option<Arc<dyn Claim>>, Error>;

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
    pub(super) const fn of(won: bool) -> Self {
        if won { Self::Right } else { Self::Wrong }
    }
}
