//! Ceremonies of a user's credentials: a second factor is proved, an authenticator enrolled with its recovery codes, a
//! password changed. The hosted login and a reset run them alike, and the account API will.
//!
//! The caller keeps the [`Ceremony`] in a row of its own, shows what it asks for, and brings back what was typed. Its write
//! first holds that row, then consumes what was proved and stores the ceremony as it is then, so that of two posts at once
//! one counts.
//!
//! What ends a user's things (`docs/ending.md`) ends the caller's row, and the ceremony with it. An ending that the ceremony
//! brings about itself spares that row ([`Spared`]); the codes that were sent before are void even then.

use super::authenticator_snapshot::AuthenticatorSnapshot;
use super::delivery::QueuedMessage;
use super::ending::{self, Spared};
use super::factors::attempt::{FactorAttempt, FactorVerdict};
use super::factors::enrolment::{Confirmation, Confirmed};
use super::new_password::NewPassword;
use super::participant::Participant;
use super::passkeys::{PasskeyAttempt, Registration, RegistrationOutcome, RelyingPartyContext};
use super::recovery::{NewCodes, RecoveryAttempt};
use super::resets::PasswordChange;
use super::{Account, Error};
use crate::domain::authenticator::Authenticator;
use crate::domain::ceremony::Ceremony;
use crate::domain::event::Event;
use crate::domain::fact::FactKind;
use crate::domain::ids::{IssuerId, Reference};
use crate::domain::message::AccountNotice;
use crate::domain::passkey::{Passkey, PasskeyChallenge};
use crate::domain::time::Time;
use crate::domain::user::User;
use crate::storage::{Result as Stores, Tx};

/// What a user brings as the second factor.
#[derive(Clone, Copy, Debug)]
pub(crate) enum SecondFactorProof<'a> {
    /// A code of the active authenticator, as it was typed.
    Code(&'a str),
    /// Two codes that the active authenticator has shown one after the other: they find it again if it has drifted.
    Resynchronisation(&'a str, &'a str),
    /// The browser's answer to this question.
    Passkey(&'a PasskeyChallenge, &'a str),
    /// A recovery code, as it was typed.
    RecoveryCode(&'a str),
}

/// A second factor that is tried, to be consumed.
#[derive(Clone, Debug)]
pub(crate) struct SecondFactorAttempt(ProofAttempt);

#[derive(Clone, Debug)]
enum ProofAttempt {
    Code(FactorAttempt),
    Passkey(PasskeyAttempt),
    RecoveryCode(RecoveryAttempt, Option<QueuedMessage>),
}

impl SecondFactorAttempt {
    /// Counts the try and uses up what was typed. A mail tells the user of a recovery code that was right.
    pub(crate) async fn consume(&self, tx: &mut Tx<'_>, now: Time) -> Stores<FactorVerdict> {
        match &self.0 {
            ProofAttempt::Code(attempt) => attempt.consume(tx, now).await,
            ProofAttempt::Passkey(attempt) => attempt.consume(tx, now).await,
            ProofAttempt::RecoveryCode(attempt, notice) => {
                let verdict = attempt.consume(tx, now).await?;
                if let (FactorVerdict::Right, Some(notice)) = (verdict, notice) {
                    notice.enqueue(tx).await?;
                }
                Ok(verdict)
            }
        }
    }

    /// What it proves if it is right.
    pub(crate) fn proves(&self) -> Option<FactKind> {
        match &self.0 {
            ProofAttempt::Code(attempt) => Some(attempt.proves.clone()),
            ProofAttempt::Passkey(attempt) => attempt.proves(),
            ProofAttempt::RecoveryCode(..) => Some(FactKind::RecoveryCode),
        }
    }

    /// Whether it says that the authenticator is lost.
    pub(crate) const fn is_recovery(&self) -> bool {
        matches!(self.0, ProofAttempt::RecoveryCode(..))
    }

    /// The events of this verdict.
    pub(crate) fn events(
        &self,
        verdict: FactorVerdict,
        issuer: &IssuerId,
        user: &User,
        reference: &Reference,
    ) -> Vec<Event> {
        let (issuer, user, reference) = (issuer.clone(), user.id.clone(), reference.clone());
        match verdict {
            FactorVerdict::Right if self.is_recovery() => vec![Event::RecoveryCodeUsed { user }],
            FactorVerdict::Wrong => vec![Event::SecondFactorFailed { issuer, user, reference }],
            FactorVerdict::Copied => vec![
                Event::PasskeyCounterWentBack {
                    issuer: issuer.clone(),
                    user: user.clone(),
                    reference: reference.clone(),
                },
                Event::SecondFactorFailed { issuer, user, reference },
            ],
            FactorVerdict::Right | FactorVerdict::Expired | FactorVerdict::Locked(_) => Vec::new(),
        }
    }
}

/// A new authenticator that has been proved, and the recovery codes that come with it; to be stored.
#[derive(Clone, Debug)]
pub(crate) struct NewAuthenticator {
    proved: Proved,
    /// What the user holds until then.
    pub(crate) before: AuthenticatorSnapshot,
    codes: NewCodes,
    /// Whether it takes the place of one: then everything ends that the old one had opened.
    pub(crate) supersedes: bool,
}

/// What was enrolled.
#[derive(Clone, Debug)]
pub(crate) enum Proved {
    /// An authenticator with codes, by its first code.
    Code(Confirmation),
    /// A passkey, by its registration.
    Passkey(Registration),
}

/// The result of an enrolment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum EnrolmentOutcome {
    /// The authenticator is active, and the ceremony holds the recovery codes.
    Enrolled,
    /// The first code was wrong.
    WrongCode,
    /// There was no code that could be right.
    CodeExpired,
    /// The authenticator no longer waits, or the user holds something else by now.
    Void,
    /// The passkey is registered already, or the user holds something else by now.
    PasskeyRefused,
}

impl NewAuthenticator {
    /// Activates it, replaces the recovery codes, and ends what a superseded authenticator had opened.
    pub(crate) async fn activate(
        &self,
        tx: &mut Tx<'_>,
        ceremony: &mut Ceremony,
        spared: Spared<'_>,
        now: Time,
    ) -> Stores<EnrolmentOutcome> {
        match &self.proved {
            Proved::Code(confirmation) => match confirmation.activate(tx, &self.before, now).await? {
                Confirmed::Yes => {}
                Confirmed::Wrong => return Ok(EnrolmentOutcome::WrongCode),
                Confirmed::Expired => return Ok(EnrolmentOutcome::CodeExpired),
                Confirmed::Void => return Ok(EnrolmentOutcome::Void),
            },
            Proved::Passkey(registration) => match registration.store(tx, &self.before).await? {
                RegistrationOutcome::Stored => {}
                RegistrationOutcome::Known | RegistrationOutcome::Void => {
                    return Ok(EnrolmentOutcome::PasskeyRefused);
                }
            },
        }
        self.codes.replace(tx).await?;
        if self.supersedes {
            ending::end(tx, self.codes.user(), spared).await?;
            ceremony.renew();
        }
        (ceremony.enrolment, ceremony.recovery_codes) = (None, Some(self.codes.sealed.clone()));
        Ok(EnrolmentOutcome::Enrolled)
    }

    /// What its proof says of the user.
    pub(crate) const fn proves(&self) -> &FactKind {
        match &self.proved {
            Proved::Code(confirmation) => &confirmation.proves,
            Proved::Passkey(registration) => &registration.proves,
        }
    }

    /// Updates what was read of the user's authenticators before it was activated.
    pub(crate) fn update(self, authenticator: &mut Option<Authenticator>, passkeys: &mut Vec<Passkey>) {
        if let Some(lost) = &self.before.lost {
            *authenticator = None;
            passkeys.retain(|passkey| passkey.rp != *lost);
        }
        match self.proved {
            Proved::Code(confirmation) => *authenticator = Some(confirmation.authenticator),
            Proved::Passkey(registration) => passkeys.push(registration.passkey),
        }
    }
}

impl Account<'_> {
    /// What was brought as the second factor, to be consumed; `None` if nothing of the kind is asked for.
    pub(crate) async fn second_factor_attempt(
        &self,
        participant: &Participant<'_>,
        ceremony: &Ceremony,
        proof: SecondFactorProof<'_>,
    ) -> Result<Option<SecondFactorAttempt>, Error> {
        let Participant { user, tenant, issuer, passkeys, .. } = *participant;
        let tried = match proof {
            SecondFactorProof::Code(typed) => {
                self.code_attempt(&user.id, ceremony, typed).await?.map(ProofAttempt::Code)
            }
            SecondFactorProof::Resynchronisation(first, second) => {
                self.resync_attempt(&user.id, first, second).await?.map(ProofAttempt::Code)
            }
            SecondFactorProof::Passkey(challenge, answer) => match RelyingPartyContext::of(issuer) {
                Some(context) => {
                    let attempt = self.passkey_attempt(&context, &user.id, passkeys, challenge, answer)?;
                    Some(ProofAttempt::Passkey(attempt))
                }
                None => None,
            },
            SecondFactorProof::RecoveryCode(typed) => {
                let notice = self.notice(user, tenant, AccountNotice::RecoveryCodeUsed)?;
                Some(ProofAttempt::RecoveryCode(self.recovery_attempt(&user.id, typed), notice))
            }
        };
        Ok(tried.map(SecondFactorAttempt))
    }

    /// A new authenticator of this user, to be activated; `row` keeps the recovery codes until they are stored.
    pub(crate) fn new_authenticator(
        &self,
        participant: &Participant<'_>,
        proved: Proved,
        before: AuthenticatorSnapshot,
        supersedes: bool,
        row: &str,
    ) -> Result<NewAuthenticator, Error> {
        let codes = self.new_recovery_codes(participant.user, participant.tenant, row)?;
        Ok(NewAuthenticator { proved, before, codes, supersedes })
    }

    /// The change of this user's password to the one that was chosen, to be applied.
    pub(crate) async fn new_password(
        &self,
        participant: &Participant<'_>,
        chosen: &NewPassword,
    ) -> Result<PasswordChange, Error> {
        let hash = self.hash_new(chosen).await?;
        self.password_change(participant.user, participant.tenant, hash)
    }
}
