//! Passkeys: registered, used as a second factor, and used to sign in without a name.
//!
//! An answer of a browser is checked beforehand, against the challenge that the login in progress was waiting for. What it
//! changes is consumed in the caller's write: the signature counter goes forward by one conditional statement, and the
//! challenge is gone from the login, so that of one answer sent twice one counts.
//!
//! A counter that does not go forward tells of a copied key (Web Authentication §6.1.1). That use is refused and the
//! observer told; the passkey stays, because otherwise the holder of the copy could lock its user out.

use super::attempts::{Allowance, Counter, Try};
use super::authenticator_snapshot::AuthenticatorSnapshot;
use super::factors::attempt::FactorVerdict;
use super::{Account, Error};
use crate::crypto::random;
use crate::crypto::webauthn::{
    CeremonyError, CeremonyUnavailable, Discovered, Registered, Registrant, Used, WebauthnRelyingParty,
};
use crate::domain::epoch::Epoch;
use crate::domain::event::LoginFailure;
use crate::domain::fact::FactKind;
use crate::domain::ids::{AuthenticatorId, CredentialId, Hash, UserHandle, UserId};
use crate::domain::issuer::{Issuer, IssuerUrl};
use crate::domain::passkey::{Passkey, PasskeyChallenge, RpId};
use crate::domain::tenant::Tenant;
use crate::domain::time::Time;
use crate::domain::user::User;
use crate::storage::attempts::AttemptKind as Guess;
use crate::storage::{Result as Stores, Tx, authenticators, passkeys, trusted_browsers, users};

/// The relying party for which passkeys are asked for, and the issuer whose pages ask.
#[derive(Clone, Debug)]
pub(crate) struct RelyingPartyContext<'a> {
    rp: RpId,
    issuer: &'a IssuerUrl,
}

impl<'a> RelyingPartyContext<'a> {
    /// An issuer. `None`: browsers have no passkeys there.
    pub(crate) fn of(issuer: &'a Issuer) -> Option<Self> {
        RpId::of(&issuer.url).map(|rp| Self { rp, issuer: &issuer.url })
    }

    /// Asks the browser for a new passkey of this user, who holds `known`. An authenticator that has one of them makes no
    /// other, unless those of here are taken for lost.
    pub(crate) fn ask_for_new_passkey(
        &self,
        user: &User,
        tenant: &Tenant,
        known: &[Passkey],
        lost: bool,
    ) -> Result<PasskeyChallenge, Error> {
        let handle = known.first().map(|passkey| passkey.user_handle.clone());
        let handle = handle.unwrap_or_else(|| UserHandle::new(random::uuid()));
        // The authenticator shows this where a user has accounts with several tenants.
        let account = format!("{}@{}", user.username, tenant.domain);
        let name = user.profile.name.as_deref().unwrap_or(user.username.as_str());
        let who = Registrant { handle: &handle, account: &account, name };
        let beside = if lost { Vec::new() } else { self.here(known) };
        Ok(self.party(&tenant.name)?.register(&who, &beside)?)
    }

    /// Asks the browser for one of these passkeys.
    pub(crate) fn ask_for_passkey(&self, known: &[Passkey]) -> Result<PasskeyChallenge, Error> {
        Ok(self.party(self.rp.as_str())?.prove(&self.here(known))?)
    }

    /// Asks the browser for any passkey that signs a user in, by this challenge.
    pub(crate) fn ask_who_it_is(&self, challenge: &Hash) -> Result<PasskeyChallenge, Error> {
        Ok(self.party(self.rp.as_str())?.sign_in(challenge)?)
    }

    /// Whether any of these can be used here.
    pub(crate) fn has_any(&self, passkeys: &[Passkey]) -> bool {
        passkeys.iter().any(|passkey| passkey.rp == self.rp)
    }

    fn party(&self, name: &str) -> Result<WebauthnRelyingParty, CeremonyUnavailable> {
        WebauthnRelyingParty::new(&self.rp, self.issuer, name)
    }

    /// Those that can be used here.
    fn here(&self, passkeys: &[Passkey]) -> Vec<Passkey> {
        passkeys.iter().filter(|passkey| passkey.rp == self.rp).cloned().collect()
    }
}

/// A new passkey, to be stored.
#[derive(Clone, Debug)]
pub(crate) struct Registration {
    /// The passkey.
    pub(crate) passkey: Passkey,
    /// What its registration proves.
    pub(crate) proves: FactKind,
}

/// What became of a registration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum RegistrationOutcome {
    /// The passkey is there.
    Stored,
    /// It is registered already, for this user or another.
    Known,
    /// The user has got or lost another authenticator meanwhile: of two who enrol at once, one wins.
    Void,
}

impl Registration {
    /// Stores it, unless the user holds something else than `before`.
    pub(crate) async fn store(
        &self,
        tx: &mut Tx<'_>,
        before: &AuthenticatorSnapshot,
    ) -> Stores<RegistrationOutcome> {
        let user = &self.passkey.user;
        if !before.is_current(tx, user).await? {
            return Ok(RegistrationOutcome::Void);
        }
        if !passkeys::insert(tx, &self.passkey).await? {
            return Ok(RegistrationOutcome::Known);
        }
        trusted_browsers::remove_all(tx, user).await?;
        if before.lost.is_some() {
            authenticators::remove_all(tx, user).await?;
            passkeys::remove_others_at(tx, &self.passkey).await?;
        }
        Ok(RegistrationOutcome::Stored)
    }
}

/// An answer that should prove a known user's second factor.
#[derive(Clone, Debug)]
pub(crate) struct PasskeyAttempt {
    counter: Counter,
    /// The answer, or what is wrong with it.
    answer: Result<PasskeyProof, FactorVerdict>,
}

/// An answer that is right, to be used up.
#[derive(Clone, Debug)]
struct PasskeyProof {
    id: AuthenticatorId,
    used: Used,
}

impl PasskeyProof {
    /// Raises the counter.
    async fn accept(&self, tx: &mut Tx<'_>, now: Time) -> Stores<bool> {
        passkeys::accept(tx, &self.id, self.used.counter, now).await
    }
}

impl PasskeyAttempt {
    /// Counts the try and uses the answer up.
    pub(crate) async fn consume(&self, tx: &mut Tx<'_>, now: Time) -> Stores<FactorVerdict> {
        if let Allowance::Locked(until) = self.counter.take(tx, now).await? {
            return Ok(FactorVerdict::Locked(until));
        }
        let proof = match &self.answer {
            Ok(proof) => proof,
            Err(verdict) => return Ok(*verdict),
        };
        if !proof.accept(tx, now).await? {
            return Ok(FactorVerdict::Copied);
        }
        self.counter.queue_clear(tx)?;
        Ok(FactorVerdict::Right)
    }

    /// What it proves if it is right.
    pub(crate) fn proves(&self) -> Option<FactKind> {
        let proof = self.answer.as_ref().ok()?;
        Some(FactKind::Passkey { id: proof.id.clone(), custody: proof.used.custody })
    }
}

/// The result of signing in with a passkey.
#[derive(Clone, Debug)]
pub(crate) enum SignedIn {
    /// This user.
    Right(Box<PasskeyLogin>),
    /// The sign-in is refused.
    Wrong(LoginFailure),
    /// Refused: the counter of this user's passkey went back.
    CounterWentBack(UserId),
    /// It was not looked at.
    Locked(Time),
}

/// A sign-in that is right, to be consumed.
#[derive(Clone, Debug)]
pub(crate) struct PasskeyLogin {
    /// Whose.
    pub(crate) user: UserId,
    /// That of user and tenant.
    pub(crate) epoch: Epoch,
    /// What it proves.
    pub(crate) proves: FactKind,
    proof: PasskeyProof,
    tried: Try,
}

impl PasskeyLogin {
    /// Refunds the attempt and consumes the answer; `false` if it lost a race against another use of the passkey.
    pub(crate) async fn consume(&self, tx: &mut Tx<'_>, now: Time) -> Stores<bool> {
        if !self.proof.accept(tx, now).await? {
            return Ok(false);
        }
        self.tried.queue_success(tx)?;
        Ok(true)
    }
}

impl Account<'_> {
    /// The passkey that the browser made, to be stored; or the reason why it is refused.
    pub(crate) fn new_passkey(
        &self,
        context: &RelyingPartyContext<'_>,
        user: &UserId,
        challenge: &PasskeyChallenge,
        answer: &str,
    ) -> Result<Result<Registration, CeremonyError>, Error> {
        let Registered { user_handle, credential_id, credential, counter, custody } =
            match context.party(context.rp.as_str())?.registered(challenge, answer) {
                Ok(registered) => registered,
                Err(refused) => return Ok(Err(refused)),
            };
        let id = AuthenticatorId::new(random::uuid());
        let proves = FactKind::Passkey { id: id.clone(), custody };
        let passkey = Passkey {
            id,
            user: user.clone(),
            user_handle,
            credential_id,
            rp: context.rp.clone(),
            credential,
            counter,
            created_at: self.now(),
            last_used_at: None,
        };
        Ok(Ok(Registration { passkey, proves }))
    }

    /// What the browser answered to [`RelyingPartyContext::ask_for_passkey`], to be consumed.
    pub(crate) fn passkey_attempt(
        &self,
        context: &RelyingPartyContext<'_>,
        user: &UserId,
        known: &[Passkey],
        challenge: &PasskeyChallenge,
        answer: &str,
    ) -> Result<PasskeyAttempt, Error> {
        let counter = Counter::new(self.sealer, Guess::Passkey, user.as_str());
        let proved = context.party(context.rp.as_str())?.proved(challenge, answer);
        let answer = proved.map_err(|refused| verdict(&refused)).and_then(|used| {
            // Web Authentication Level 3 §7.2: an answer that names a user must name this one.
            let named =
                |passkey: &Passkey| used.user_handle.as_ref().is_none_or(|it| *it == passkey.user_handle);
            let is_used = |passkey: &&Passkey| passkey.credential_id == used.credential_id && named(passkey);
            let passkey = known.iter().find(is_used);
            passkey.map(|passkey| PasskeyProof { id: passkey.id.clone(), used }).ok_or(FactorVerdict::Wrong)
        });
        Ok(PasskeyAttempt { counter, answer })
    }

    /// What the browser answered to [`RelyingPartyContext::ask_who_it_is`]. Every try is counted as a failure until it is
    /// consumed:
    /// against the passkey that it names, whether or not there is such a one, and against the network.
    pub(crate) async fn passkey_sign_in(
        &self,
        context: &RelyingPartyContext<'_>,
        fixed: Option<&Tenant>,
        network: Option<&str>,
        challenge: &PasskeyChallenge,
        answer: &str,
    ) -> Result<SignedIn, Error> {
        let answer = Discovered::read(answer);
        let nameless = CredentialId::new(String::new());
        let counter = self.sign_in_counter(answer.as_ref().map_or(&nameless, |answer| &answer.credential_id));
        let tried = match self.try_once(self.budgets(counter, network)).await? {
            Ok(tried) => tried,
            Err(until) => return Ok(SignedIn::Locked(until)),
        };
        let Ok(answer) = answer else { return Ok(SignedIn::Wrong(LoginFailure::PasskeyWrong)) };
        let found = self.passkey_of(context, &answer.credential_id).await?;
        // §7.2: the user is not known beforehand, so the answer must name them.
        let Some(passkey) = found.filter(|found| Some(&found.user_handle) == answer.user_handle.as_ref())
        else {
            return Ok(SignedIn::Wrong(LoginFailure::PasskeyUnknown));
        };
        let used = match context.party(context.rp.as_str())?.signed_in(challenge, &answer, &passkey) {
            Ok(used) => used,
            Err(CeremonyError::CounterWentBack) => return Ok(SignedIn::CounterWentBack(passkey.user)),
            Err(refused) => {
                tracing::info!(%refused, "a passkey was refused");
                return Ok(SignedIn::Wrong(LoginFailure::PasskeyWrong));
            }
        };
        match self.owner(&passkey.user, fixed).await {
            Ok(Ok((owner, epoch))) => {
                let proves = FactKind::PasskeySignIn { id: passkey.id.clone(), custody: used.custody };
                let proof = PasskeyProof { id: passkey.id, used };
                Ok(SignedIn::Right(Box::new(PasskeyLogin { user: owner, epoch, proves, proof, tried })))
            }
            Ok(Err(failure)) => Ok(SignedIn::Wrong(failure)),
            Err(error) => {
                self.give_back(tried).await?;
                Err(error)
            }
        }
    }

    /// What counts the tries at signing in with this passkey.
    pub(super) fn sign_in_counter(&self, id: &CredentialId) -> Counter {
        Counter::new(self.sealer, Guess::Passkey, id.as_str())
    }

    async fn passkey_of(
        &self,
        context: &RelyingPartyContext<'_>,
        id: &CredentialId,
    ) -> Result<Option<Passkey>, Error> {
        let found = passkeys::by_credential(&mut self.db.read().tx(), id).await?;
        Ok(found.filter(|passkey| passkey.rp == context.rp))
    }

    /// The user with their epoch and the tenant's, if they may sign in here by passkey alone.
    async fn owner(
        &self,
        id: &UserId,
        fixed: Option<&Tenant>,
    ) -> Result<Result<(UserId, Epoch), LoginFailure>, Error> {
        let found = users::by_id(&mut self.db.read().tx(), id).await?;
        let Some(found) = found else { return Ok(Err(LoginFailure::UserUnknown)) };
        let tenant = self.catalogue.tenant(&found.tenant).await?;
        let here = |tenant: &Tenant| fixed.is_none_or(|fixed| fixed.id == tenant.id);
        let Some(tenant) = tenant.filter(|tenant| here(tenant)) else {
            return Ok(Err(LoginFailure::TenantUnknown));
        };
        if tenant.disabled {
            return Ok(Err(LoginFailure::TenantDisabled));
        }
        if !tenant.policy.passkey_sign_in {
            return Ok(Err(LoginFailure::PasskeySignInOff));
        }
        if found.upstream.is_some() {
            return Ok(Err(LoginFailure::SignsInUpstream));
        }
        match self.recheck_directory(found).await? {
            Some(user) if !user.disabled => Ok(Ok((user.id, user.epoch + tenant.epoch))),
            _ => Ok(Err(LoginFailure::UserDisabled)),
        }
    }
}

fn verdict(refused: &CeremonyError) -> FactorVerdict {
    tracing::info!(%refused, "a passkey was refused");
    match refused {
        CeremonyError::CounterWentBack => FactorVerdict::Copied,
        CeremonyError::Malformed(_) | CeremonyError::Wrong(_) => FactorVerdict::Wrong,
    }
}
