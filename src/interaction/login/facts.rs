//! What counts in a login: whose it is, what the browser's session and the login itself have proved, and what is needed.

use super::{Due, Login};
use crate::domain::authenticator::FactorStrength;
use crate::domain::credential_change::CredentialChange;
use crate::domain::error::ErrorCode;
use crate::domain::fact::{FactKind, Facts};
use crate::domain::ids::{SessionId, UserId};
use crate::domain::interaction::Enrolment;
use crate::domain::policy::{self, Circumstances, ConsentRule, Enrolling, Need};
use crate::domain::session::Session;
use crate::domain::time::Time;
use crate::interaction::engine::{self, Next};
use crate::interaction::person::LoginUser;
use crate::interaction::steps;
use crate::storage::{self, Tx};

impl Login {
    /// The user whose first factor was proved here, otherwise the user who is signed in, if they may answer this request.
    pub(super) fn claimed_user(&self) -> Option<UserId> {
        let progress = &self.interaction.progress;
        if progress.has_first_factor() {
            return progress.facts.user().cloned();
        }
        let user = &self.session.as_ref().filter(|_| !progress.alone)?.user;
        let expected = self.request().expected_sub.as_deref();
        expected.is_none_or(|sub| sub == user.as_str()).then(|| user.clone())
    }

    /// Keeps what was done here only for the user who did it, and only until something ends what that user was given: the
    /// browser's session may be another one by now, or over.
    pub(super) fn drop_facts_of_others(&mut self) {
        let progress = &mut self.interaction.progress;
        self.dropped = match &self.person {
            Some(person) => progress.belong_to(&person.user.id, person.epoch()),
            None => progress.leave_session(),
        };
    }

    /// The session, if it is this person's and may answer for them here.
    pub(in crate::interaction) fn own_session(&self) -> Option<&Session> {
        let person = self.person.as_ref().filter(|_| !self.interaction.progress.alone)?;
        self.session.as_deref().filter(|session| person.holds(session, self.now))
    }

    /// The facts that count: those of the session, unless everything must be proved again, and those proved here. Without a
    /// user there are none; a user may be disabled in the middle of a login.
    pub(in crate::interaction) fn facts(&self) -> Facts {
        let Some(person) = &self.person else { return Facts::default() };
        let trusted = self.browser.as_ref().map(|browser| &browser.id);
        let own = self.own_session().filter(|_| !self.request().is_fresh());
        let known = own.map(|session| session.facts_for(self.request(), self.now)).unwrap_or_default();
        person.counted(&known.union(&self.proved(person))).for_browser(trusted)
    }

    /// Of everything that counts, what was proved in this login.
    pub(in crate::interaction) fn facts_proved_here(&self) -> Facts {
        self.person.as_ref().map_or_else(Facts::default, |person| person.counted(&self.proved(person)))
    }

    /// Makes the write that changes a credential a conflict unless the engine's answer still holds inside it: what the
    /// change needs was proved in this login, and nothing has ended it since.
    pub(in crate::interaction) async fn authorise(
        &self,
        tx: &mut Tx<'_>,
        change: CredentialChange,
    ) -> storage::Result<()> {
        let Some(person) = &self.person else { return Err(storage::Error::Conflict) };
        if !change.is_allowed(&self.facts_proved_here(), &person.held(), self.now) {
            return Err(storage::Error::Conflict);
        }
        match change {
            // That write compares the epoch itself, and raises it.
            CredentialChange::Password => Ok(()),
            CredentialChange::Enrolment(_) | CredentialChange::Resynchronisation => {
                self.hold_epoch(tx, person).await
            }
        }
    }

    /// What this person proved here, at a time that the clock has reached.
    pub(in crate::interaction) fn proved(&self, person: &LoginUser) -> Facts {
        let progress = &self.interaction.progress;
        let facts = progress.facts.for_user(&person.user.id);
        let counts = progress.epoch == Some(person.epoch());
        if counts { facts.without_future_factors(self.now) } else { Facts::default() }
    }

    /// Carries this login over an ending that it has brought about, with the session that was spared, if any.
    pub(in crate::interaction) fn carry_over(&mut self, spared: Option<&SessionId>) {
        let Some(person) = &mut self.person else { return };
        person.user.epoch = person.user.epoch.next();
        self.interaction.progress.epoch = Some(person.epoch());
        if let Some(session) = self.session.as_mut().filter(|session| spared == Some(&session.id)) {
            session.epoch = session.epoch.next();
        }
    }

    /// What comes next.
    pub(in crate::interaction) fn next(&self) -> Due {
        let (facts, here) = (self.facts(), self.facts_proved_here());
        let needs = match self.needs(&facts, &here) {
            Ok(needs) => needs,
            Err(code) => return Due::Refuse(code),
        };
        match engine::next(&needs, &facts, &here, self.request().prompt) {
            Next::Ask(need) => Due::Ask(need.clone()),
            Next::Refuse(code) => Due::Refuse(code),
            Next::Done => Due::Done,
        }
    }

    fn needs(&self, facts: &Facts, here: &Facts) -> Result<Vec<Need>, ErrorCode> {
        let Some(person) = &self.person else { return policy::needs(self.request(), None) };
        let progress = &self.interaction.progress;
        let methods = self.idp().account().methods(&person.tenant.policy, person.rp.is_some());
        let held = person.held();
        let chosen = |method| Enrolling { method, begun: false };
        let begun = |begun: &Enrolment| Enrolling { method: begun.method, begun: true };
        let circumstances = Circumstances {
            tenant: &person.tenant.policy,
            user: &person.user.id,
            from_session: !progress.has_first_factor(),
            is_upstream: person.user.upstream.is_some(),
            is_admin: person.user.is_admin(),
            held: &held,
            methods: &methods,
            enrolling: progress.enrolment.as_ref().map(begun).or(progress.method.map(chosen)),
            must_change_password: person.must_change_password,
            desktop_unasked: person.desktop_unasked,
            facts,
            here,
            resynchronises: progress.resync && steps::resync::is_offered(self),
            codes_to_store: progress.recovery_codes.is_some(),
            consent: if self.validated.client().metadata.require_consent {
                ConsentRule::Asked(person.consent.as_ref())
            } else {
                ConsentRule::Unasked
            },
            requested_at: self.interaction.requested_at,
            now: self.now,
        };
        policy::needs(self.request(), Some(&circumstances))
    }

    /// Notes what the user of this login has just answered.
    pub(in crate::interaction) fn learn(&mut self, kind: FactKind) {
        if let Some(person) = &self.person {
            self.interaction.progress.learn(&person.user.id, person.epoch(), kind, self.now);
        }
    }

    /// Notes a factor that this user has just proved.
    pub(in crate::interaction) fn learn_at(&mut self, user: &UserId, kind: FactKind, at: Time) {
        if let Some(person) = &self.person {
            self.interaction.progress.learn(user, person.epoch(), kind, at);
        }
    }

    /// The time of a factor proved now. Who proves the same factors twice within one second gets the next second, for
    /// a new login's `auth_time` lies strictly after the old one's.
    pub(in crate::interaction) fn proof_time(&self, user: &UserId) -> Time {
        let mine = self.session.as_ref().filter(|session| session.user == *user);
        let context = mine.and_then(|session| session.facts.context(FactorStrength::Mail));
        let before = context.map(|context| context.auth_time).filter(|before| !before.is_ahead_of(self.now));
        let next = self.now.plus(std::time::Duration::from_secs(1));
        if before.is_some_and(|before| before >= self.now) { next } else { self.now }
    }
}
