//! Facts: what a browser has proved or a user has answered, each with its time.
//!
//! The engine compares facts with needs and nothing else. A fact is only ever added by the code that checked it.

use serde::{Deserialize, Serialize};

use super::acr::{Acr, AuthContext};
use super::ids::AuthenticatorId;
use super::scope::Scope;
use super::time::Time;

/// One fact.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fact {
    /// What.
    pub kind: FactKind,
    /// When.
    pub at: Time,
}

/// What was proved or answered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FactKind {
    /// The password was right.
    Password,
    /// A code of this authenticator was right, and is used up.
    Otp(AuthenticatorId),
    /// A recovery code was right, and is used up. A new authenticator must follow.
    RecoveryCode,
    /// The recovery codes were shown and the user said that they are stored.
    RecoveryCodesStored,
    /// The announcement of the second-factor duty was seen.
    NoticeSeen,
    /// The user chose to go on with the account signed in.
    AccountChosen,
    /// The user allowed these scopes.
    Consent(Scope),
}

/// The facts of a session or of a login in progress.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Facts(Vec<Fact>);

impl Facts {
    /// Adds a fact; a newer one of the same kind takes the older one's place.
    pub fn add(&mut self, kind: FactKind, at: Time) {
        self.0.retain(|fact| std::mem::discriminant(&fact.kind) != std::mem::discriminant(&kind));
        self.0.push(Fact { kind, at });
    }

    /// The facts of both; where both have one of a kind, the newer.
    #[must_use]
    pub fn union(&self, other: &Self) -> Self {
        let mut all = self.clone();
        for fact in &other.0 {
            if all.at(&fact.kind).is_none_or(|at| at <= fact.at) {
                all.add(fact.kind.clone(), fact.at);
            }
        }
        all
    }

    /// What a session keeps: the factors that were proved, not the answers given on the way.
    #[must_use]
    pub fn factors(&self) -> Self {
        let is_factor = |fact: &&Fact| {
            matches!(fact.kind, FactKind::Password | FactKind::Otp(_) | FactKind::RecoveryCode)
        };
        Self(self.0.iter().filter(is_factor).cloned().collect())
    }

    /// The facts in the order they were learnt.
    pub fn iter(&self) -> impl Iterator<Item = &Fact> {
        self.0.iter()
    }

    /// When a fact of the same kind was learnt, whatever its content.
    pub fn at(&self, kind: &FactKind) -> Option<Time> {
        self.0
            .iter()
            .find(|fact| std::mem::discriminant(&fact.kind) == std::mem::discriminant(kind))
            .map(|fact| fact.at)
    }

    /// When the password was proved.
    pub fn password(&self) -> Option<Time> {
        self.at(&FactKind::Password)
    }

    /// When a second factor was proved, by authenticator or by recovery code.
    pub fn second_factor(&self) -> Option<Time> {
        let is_second = |fact: &&Fact| matches!(fact.kind, FactKind::Otp(_) | FactKind::RecoveryCode);
        self.0.iter().filter(is_second).map(|fact| fact.at).max()
    }

    /// `auth_time`, `acr` and `amr` for these facts; `None` before the first factor.
    ///
    /// `auth_time` is that of the *oldest* factor relied on, so that it never overstates freshness.
    pub fn context(&self) -> Option<AuthContext> {
        let password = self.password()?;
        let amr = |words: &[&str]| words.iter().map(|&word| word.to_owned()).collect();
        Some(match self.second_factor() {
            Some(otp) => AuthContext {
                auth_time: password.min(otp),
                acr: Acr::TwoFactors,
                amr: amr(&["pwd", "otp", "mfa"]),
            },
            None => AuthContext { auth_time: password, acr: Acr::OneFactor, amr: amr(&["pwd"]) },
        })
    }
}
