//! The end of a login: session, consent, grant and code in one write.

use std::collections::BTreeSet;

use futures_util::FutureExt;

use super::{Due, Login, Outcome};
use crate::account;
use crate::account::sign_in_history::BrowserSighting;
use crate::crypto::random;
use crate::crypto::secret::Secret;
use crate::domain::error::ErrorCode;
use crate::domain::event::Event;
use crate::domain::fact::Facts;
use crate::domain::ids::SessionId;
use crate::domain::policy::Need;
use crate::domain::session::Session;
use crate::http::Cookies;
use crate::interaction::login_user::LoginUser;
use crate::protocol::authorize::{CompletedLogin, issue_code};
use crate::provider::Internal;
use crate::storage::{self, Tx, consents, ended_sessions, sessions};

impl Login {
    /// Ends the login with a code.
    pub(super) async fn complete(&mut self, tx: &mut Tx<'_>) -> storage::Result<Outcome> {
        let facts = self.facts().not_before(self.request().young_since(self.interaction.requested_at));
        // `next` says `Done` only for a user whose first factor is proved.
        let Some(login_user) = self.user.clone() else { return Err(storage::Error::Conflict) };
        let Some(mut context) = facts.context(login_user.two_factors()) else {
            return Err(storage::Error::Conflict);
        };
        context.acr = self.request().acr_to_tell(context.acr);
        self.close(tx)?;
        self.hold_epoch(tx, &login_user)?;
        let (session, cookie) = self.keep_session(tx, &login_user).await?;
        let (issuer, client) = (&self.interaction.issuer, &self.validated.client().id);
        if let Some(scope) = self.interaction.progress.facts.consent() {
            let all =
                login_user.consent.as_ref().map_or_else(|| scope.clone(), |earlier| earlier.union(scope));
            consents::record(tx, &login_user.user.id, issuer, client, &all).await?;
        }
        let epoch = login_user.epoch() + self.validated.client().epoch;
        let user = login_user.user.id;
        let session_idle = login_user.tenant.policy.session_idle();
        let session_ends = session.expires_at;
        let outcome = CompletedLogin {
            grant: self.interaction.grant.clone(),
            user: user.clone(),
            session: session.id,
            epoch,
            session_idle,
            session_ends,
            context,
        };
        let code = issue_code(self.idp().settings(), &self.validated, outcome, self.now);
        code.queue_insert(tx)?;
        let (issuer, client) = (issuer.clone(), client.clone());
        self.tell(Event::LoginCompleted { issuer, user, client });
        Ok(Outcome::Code(Box::new(code), cookie))
    }

    /// Keeps the session of this login. If it has a new cookie, the sign-in is noted for the browser.
    async fn keep_session(
        &mut self,
        tx: &mut Tx<'_>,
        login_user: &LoginUser,
    ) -> storage::Result<(Session, Option<Secret>)> {
        let (session, cookie) = self.renewed_session(tx, login_user).await?;
        if cookie.is_some() {
            self.known = Some(self.note_sign_in(tx, login_user).await?);
        }
        Ok((session, cookie))
    }

    /// The session that the code belongs to. If something was proved here, it gets a new cookie; the old one is void.
    async fn renewed_session(
        &self,
        tx: &mut Tx<'_>,
        login_user: &LoginUser,
    ) -> storage::Result<(Session, Option<Secret>)> {
        let learnt = self.proved(login_user).session_facts();
        let Some(own) = self.own_session() else { return self.new_session(tx, login_user, learnt).await };
        if learnt.is_empty() {
            // A conflict if the user has just signed out; a sign-out that is being written waits for this login.
            let used = self.used(own.clone());
            sessions::queue_touch(tx, &used)?;
            return Ok((used, None));
        }
        let cookie = Secret::generate();
        let known = own.facts.session_facts().without_future_factors(self.now);
        let facts = login_user.counted(&known.union(&learnt));
        let renewed = self.proved_by(Session { cookie: cookie.hash(), facts, ..own.clone() });
        if !sessions::replace_cookie(tx, &own.cookie, &renewed).await? {
            return Err(storage::Error::Conflict);
        }
        Ok((renewed, Some(cookie)))
    }

    /// A new session. The one that the browser had ends; if it was another user's, so does everything it gave.
    async fn new_session(
        &self,
        tx: &mut Tx<'_>,
        login_user: &LoginUser,
        facts: Facts,
    ) -> storage::Result<(Session, Option<Secret>)> {
        if let Some(old) = &self.session {
            if old.user == login_user.user.id {
                ended_sessions::end(tx, &old.id).await?;
            } else {
                account::sessions::sign_out(tx, &old.id, self.now).await?;
            }
        }
        let cookie = Secret::generate();
        let session = self.proved_by(Session {
            id: SessionId::new(random::uuid()),
            cookie: cookie.hash(),
            issuer: self.interaction.issuer.clone(),
            user: login_user.user.id.clone(),
            epoch: login_user.epoch(),
            facts,
            created_at: self.now,
            used_at: self.now,
            expires_at: self.now.plus(login_user.tenant.policy.session_max()),
            user_agent: None,
            address: None,
            clients: BTreeSet::new(),
        });
        sessions::queue_insert(tx, &session)?;
        Ok((session, Some(cookie)))
    }

    /// Notes in which browser the user signed in; a mail tells the user of one that is new.
    async fn note_sign_in(&self, tx: &mut Tx<'_>, login_user: &LoginUser) -> storage::Result<Secret> {
        let name = self.page_request.user_agent();
        let proved = self.proved(login_user).first_factor();
        let seen = BrowserSighting {
            cookie: self.page_request.cookies().value(Cookies::KNOWN),
            user_agent: name.as_deref(),
            epoch: proved.map(|_| login_user.epoch()),
        };
        self.idp().account().note_sign_in(tx, &login_user.user, &login_user.tenant, seen).await
    }

    /// The session, used now; by this login's client, unless the user denied it.
    fn used(&self, mut session: Session) -> Session {
        session.used_at = self.now;
        if matches!(self.next(), Due::Done) {
            session.clients.insert(self.validated.client().id.clone());
        }
        session
    }

    /// The session, whose factors were proved by this browser now.
    fn proved_by(&self, session: Session) -> Session {
        let (user_agent, address) = (self.page_request.user_agent(), self.page_request.network.clone());
        Session { user_agent, address, ..self.used(session) }
    }

    /// Ends the login without a code, because the user does not go on.
    pub(in crate::interaction) async fn give_up(self) -> Result<(Self, Outcome), Internal> {
        let before = self.clone();
        let closed = before.idp().db().write(move |tx| {
            let mut login = self.clone();
            async move {
                login.close(tx)?;
                let cookie = login.keep_signed_in(tx).await?;
                login.tell_refused(ErrorCode::AccessDenied);
                login.record(tx)?;
                Ok((login, Outcome::Denied(cookie)))
            }
            .boxed()
        });
        match closed.await {
            Err(storage::Error::Conflict) => Ok((before, Outcome::Conflict)),
            closed => {
                let (login, outcome) = closed?;
                Ok((login.queue_refusals(), outcome))
            }
        }
    }

    /// Where nothing but the consent is missing, the user has signed in: the session is kept for the next request.
    async fn keep_signed_in(&mut self, tx: &mut Tx<'_>) -> storage::Result<Option<Secret>> {
        let Due::Ask(Need::Consent(_)) = self.next() else { return Ok(None) };
        let Some(login_user) = self.user.clone() else { return Ok(None) };
        self.hold_epoch(tx, &login_user)?;
        Ok(self.keep_session(tx, &login_user).await?.1)
    }
}
