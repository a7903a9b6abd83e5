//! What counts in a login: whose it is, what the browser's session and the login itself have proved, and what is needed.

use super::{Due, Login};
use crate::domain::authenticator::FactorStrength;
use crate::domain::ceremony::PendingEnrolment;
use crate::domain::credential_change::CredentialChange;
use crate::domain::error::ErrorCode;
use crate::domain::fact::{FactKind, Facts};
use crate::domain::ids::{SessionId, UserId};
use crate::domain::policy::{self, Circumstances, ConsentRule, Enrolling, Need};
use crate::domain::session::Session;
use crate::domain::time::Time;
use crate::interaction::engine::{self, Next};
use crate::interaction::login_user::LoginUser;
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
        self.dropped = match &self.user {
            Some(login_user) => progress.belong_to(&login_user.user.id, login_user.epoch()),
            None => progress.leave_session(),
        };
    }

    /// The session, if it is this user's and may answer for them here.
    pub(in crate::interaction) fn own_session(&self) -> Option<&Session> {
        let login_user = self.user.as_ref().filter(|_| !self.interaction.progress.alone)?;
        self.session.as_deref().filter(|session| login_user.holds(session, self.now))
    }

    /// The facts that count: those of the session, unless everything must be proved again, and those proved here. Empty
    /// without a user, who may be disabled in the middle of a login.
    pub(in crate::interaction) fn facts(&self) -> Facts {
        let Some(login_user) = &self.user else { return Facts::default() };
        let trusted = self.browser.as_ref().map(|browser| &browser.id);
        let own = self.own_session().filter(|_| !self.request().is_fresh());
        let known = own.map(|session| session.facts_for(self.request(), self.now)).unwrap_or_default();
        login_user.counted(&known.union(&self.proved(login_user))).for_browser(trusted)
    }

    /// Of everything that counts, what was proved in this login.
    pub(in crate::interaction) fn facts_proved_here(&self) -> Facts {
        self.user
            .as_ref()
            .map_or_else(Facts::default, |login_user| login_user.counted(&self.proved(login_user)))
    }

    /// Makes the write that changes a credential a conflict unless the engine's answer still holds inside it: what the
    /// change needs was proved in this login, and nothing has ended it since.
    pub(in crate::interaction) fn authorise(
        &self,
        tx: &mut Tx<'_>,
        change: CredentialChange,
    ) -> storage::Result<()> {
        let Some(login_user) = &self.user else { return Err(storage::Error::Conflict) };
        if !change.is_allowed(&self.facts_proved_here(), &login_user.held(), self.now) {
            return Err(storage::Error::Conflict);
        }
        match change {
            // That write compares the epoch itself, and raises it.
            CredentialChange::Password => Ok(()),
            CredentialChange::Enrolment(_) | CredentialChange::Resynchronisation => {
                self.hold_epoch(tx, login_user)
            }
        }
    }

    /// What this user proved here, at a time that the clock has reached.
    pub(in crate::interaction) fn proved(&self, login_user: &LoginUser) -> Facts {
        let progress = &self.interaction.progress;
        let facts = progress.facts.for_user(&login_user.user.id);
        let counts = progress.epoch == Some(login_user.epoch());
        if counts { facts.without_future_factors(self.now) } else { Facts::default() }
    }

    /// Carries this login over an ending that it has brought about, with the session that was spared, if any.
    pub(in crate::interaction) fn carry_over(&mut self, spared: Option<&SessionId>) {
        let Some(login_user) = &mut self.user else { return };
        login_user.user.epoch = login_user.user.epoch.next();
        self.interaction.progress.epoch = Some(login_user.epoch());
        self.interaction.progress.ceremony.renew();
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
        let Some(login_user) = &self.user else { return policy::needs(self.request(), None) };
        let progress = &self.interaction.progress;
        let methods = self.idp().account().methods(&login_user.tenant.policy, login_user.rp.is_some());
        let held = login_user.held();
        let chosen = |method| Enrolling { method, begun: false };
        let begun = |begun: &PendingEnrolment| Enrolling { method: begun.method, begun: true };
        let circumstances = Circumstances {
            tenant: &login_user.tenant.policy,
            user: &login_user.user.id,
            from_session: !progress.has_first_factor(),
            is_upstream: login_user.user.upstream.is_some(),
            is_admin: login_user.user.is_admin(),
            held: &held,
            methods: &methods,
            enrolling: progress.ceremony.enrolment.as_ref().map(begun).or(progress.method.map(chosen)),
            must_change_password: login_user.must_change_password,
            desktop_unasked: login_user.desktop_unasked,
            facts,
            here,
            resynchronises: progress.resync && self.may_resynchronise(),
            codes_to_store: progress.ceremony.recovery_codes.is_some(),
            consent: if self.validated.client().metadata.require_consent {
                ConsentRule::Asked(login_user.consent.as_ref())
            } else {
                ConsentRule::Unasked
            },
            requested_at: self.interaction.requested_at,
            now: self.now,
        };
        policy::needs(self.request(), Some(&circumstances))
    }

    /// Whether this login may resynchronise the user's device.
    pub(in crate::interaction) fn may_resynchronise(&self) -> bool {
        let progress = &self.interaction.progress;
        let wanted = progress.ceremony.wrong_codes > 0 || progress.resync;
        self.user.as_ref().is_some_and(|login_user| {
            let drifts = login_user.authenticator.as_ref().is_some_and(|device| device.kind.has_secret());
            wanted && drifts && login_user.tenant.policy.resync
        })
    }

    /// Notes what the user of this login has just answered.
    pub(in crate::interaction) fn learn(&mut self, kind: FactKind) {
        if let Some(login_user) = &self.user {
            self.interaction.progress.learn(&login_user.user.id, login_user.epoch(), kind, self.now);
        }
    }

    /// Notes a factor that this user has just proved.
    pub(in crate::interaction) fn learn_at(&mut self, user: &UserId, kind: FactKind, at: Time) {
        if let Some(login_user) = &self.user {
            self.interaction.progress.learn(user, login_user.epoch(), kind, at);
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
