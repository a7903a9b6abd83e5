//! The end of a login: session, grant and code in one write, then the answer on its way to the client.

use std::collections::BTreeSet;

use axum::http::header::{LOCATION, REFRESH, SET_COOKIE};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use futures_util::FutureExt;

use super::login::{Due, Login};
use super::person::LoginUser;
use super::steps;
use super::{trust, waiting};
use crate::account;
use crate::account::known_browsers::{KNOWN, Seen};
use crate::crypto::random;
use crate::crypto::secret::Secret;
use crate::domain::error::{ErrorCode, OAuthError};
use crate::domain::event::Event;
use crate::domain::fact::Facts;
use crate::domain::ids::SessionId;
use crate::domain::interaction::Interaction;
use crate::domain::policy::Need;
use crate::domain::session::Session;
use crate::http::{ContentSecurity, Cookies, cookies};
use crate::protocol::authorize::{self, Delivery, NewCode, Target, issue_code, respond};
use crate::provider::Internal;
use crate::storage::{self, Tx, consents, interactions, pushed_requests, sessions, users};
use crate::views::{Body, FormPost, Onward};

/// What a write came to.
pub(super) enum Outcome {
    /// Another page comes next.
    NextStep,
    /// Everything is there: the code, and the cookie of a session that is new or knows more.
    Code(Box<NewCode>, Option<Secret>),
    /// The client gets an error.
    Refused(ErrorCode),
    /// The user has said no; the cookie of the session that was proved before that, if it is new or knows more.
    Denied(Option<Secret>),
    /// Somebody was quicker: another tab, a second click, a sign-out.
    Conflict,
    /// To this address of ours, which leads to another provider.
    RedirectUpstream(String),
}

impl Login {
    /// Stores the login's next state, or ends it. [`storage::Error::Conflict`] undoes an end that came too late.
    pub(super) async fn advance(mut self, tx: &mut Tx<'_>) -> storage::Result<(Self, Outcome)> {
        if !self.stored {
            self.spend(tx).await?;
        } else if self.interaction.progress.has_first_factor() {
            waiting::end(&mut self);
        }
        let end = match self.next() {
            Due::Ask(_) if !self.stored => {
                interactions::queue_insert(tx, &self.interaction)?;
                self.stored = true;
                Outcome::NextStep
            }
            Due::Ask(_) if interactions::save(tx, &self.interaction).await? => Outcome::NextStep,
            Due::Ask(_) => Outcome::Conflict,
            Due::Refuse(code) => {
                self.close(tx).await?;
                Outcome::Refused(code)
            }
            Due::Done => self.complete(tx).await?,
        };
        Ok((self, end))
    }

    /// Uses up the pushed request that a login begins with; of two at once, one may.
    pub(super) async fn spend(&self, tx: &mut Tx<'_>) -> storage::Result<()> {
        let Some(hash) = self.validated.pushed() else { return Ok(()) };
        let Interaction { id, expires_at, .. } = &*self.interaction;
        let ours = pushed_requests::claim(tx, hash, id, *expires_at, self.now).await?;
        if ours { Ok(()) } else { Err(storage::Error::Conflict) }
    }

    /// Takes the login out of the world; of two at once, one may answer.
    async fn close(&self, tx: &mut Tx<'_>) -> storage::Result<()> {
        if self.stored { interactions::queue_remove(tx, &self.interaction.id) } else { Ok(()) }
    }

    async fn complete(&mut self, tx: &mut Tx<'_>) -> storage::Result<Outcome> {
        let facts = self.facts().not_before(self.request().young_since(self.interaction.requested_at));
        // `next` says `Done` only for a person whose first factor is proved.
        let Some(person) = self.person.clone() else { return Err(storage::Error::Conflict) };
        let Some(mut context) = facts.context(person.two_factors()) else {
            return Err(storage::Error::Conflict);
        };
        context.acr = self.request().acr_to_tell(context.acr);
        self.close(tx).await?;
        self.hold_epoch(tx, &person).await?;
        let (session, cookie) = self.keep_session(tx, &person).await?;
        if cookie.is_some() {
            self.known = Some(self.know_browser(tx, &person).await?);
        }
        let (issuer, client) = (&self.interaction.issuer, &self.validated.client().id);
        if let Some(scope) = self.interaction.progress.facts.consent() {
            let all = person.consent.as_ref().map_or_else(|| scope.clone(), |earlier| earlier.union(scope));
            consents::record(tx, &person.user.id, issuer, client, &all).await?;
        }
        let epoch = person.epoch() + self.validated.client().epoch;
        let user = person.user.id;
        let session_idle = person.tenant.policy.session_idle();
        let session_ends = session.expires_at;
        let outcome = authorize::Login {
            grant: self.interaction.grant.clone(),
            user: user.clone(),
            session: session.id,
            epoch,
            session_idle,
            session_ends,
            context,
        };
        let code = issue_code(self.idp().settings(), &self.validated, outcome, self.now);
        code.insert(tx).await?;
        let (issuer, client) = (issuer.clone(), client.clone());
        self.tell(Event::LoginCompleted { issuer, user, client });
        Ok(Outcome::Code(Box::new(code), cookie))
    }

    /// What is ended in the very moment of the login does not open it. Where a session answers, its client would learn
    /// so from the code, which is as good as none.
    pub(super) async fn hold_epoch(&self, tx: &mut Tx<'_>, person: &LoginUser) -> storage::Result<()> {
        if self.interaction.progress.has_first_factor() {
            users::queue_epoch_check(tx, &person.user.id, person.user.epoch)?;
        }
        Ok(())
    }

    /// The session that the code belongs to. Whatever was proved here gives it a new cookie; the old one is dead.
    async fn keep_session(
        &self,
        tx: &mut Tx<'_>,
        person: &LoginUser,
    ) -> storage::Result<(Session, Option<Secret>)> {
        let learnt = self.proved(person).session_facts();
        let Some(own) = self.own_session() else { return self.new_session(tx, person, learnt).await };
        if learnt.is_empty() {
            // Signed out a moment ago? Then this login came too late. A sign-out that is being written waits for it.
            let used = self.used(own.clone());
            sessions::queue_touch(tx, &used)?;
            return Ok((used, None));
        }
        let cookie = Secret::generate();
        let known = own.facts.session_facts().without_future_factors(self.now);
        let facts = person.counted(&known.union(&learnt));
        let renewed = self.proved_by(Session { cookie: cookie.hash(), facts, ..own.clone() });
        if !sessions::replace_cookie(tx, &own.cookie, &renewed).await? {
            return Err(storage::Error::Conflict);
        }
        Ok((renewed, Some(cookie)))
    }

    /// A session of its own. The one that the browser had is over, and if it was somebody else's, so is all it gave.
    async fn new_session(
        &self,
        tx: &mut Tx<'_>,
        person: &LoginUser,
        facts: Facts,
    ) -> storage::Result<(Session, Option<Secret>)> {
        if let Some(old) = &self.session {
            if old.user == person.user.id {
                sessions::end(tx, &old.id).await?;
            } else {
                account::sessions::sign_out(tx, &old.id, self.now).await?;
            }
        }
        let cookie = Secret::generate();
        let session = self.proved_by(Session {
            id: SessionId::new(random::uuid()),
            cookie: cookie.hash(),
            issuer: self.interaction.issuer.clone(),
            user: person.user.id.clone(),
            epoch: person.epoch(),
            facts,
            created_at: self.now,
            used_at: self.now,
            expires_at: self.now.plus(person.tenant.policy.session_max()),
            user_agent: None,
            address: None,
            clients: BTreeSet::new(),
        });
        sessions::queue_insert(tx, &session)?;
        Ok((session, Some(cookie)))
    }

    /// Notes in which browser the user signed in; a mail tells the user of one that is new.
    async fn know_browser(&self, tx: &mut Tx<'_>, person: &LoginUser) -> storage::Result<Secret> {
        let name = self.visitor.user_agent();
        let proved = self.proved(person).first_factor();
        let seen = Seen {
            cookie: self.visitor.cookies().value(Cookies::KNOWN),
            user_agent: name.as_deref(),
            epoch: proved.map(|_| person.epoch()),
        };
        self.idp().account().know_browser(tx, &person.user, &person.tenant, seen).await
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
        let (user_agent, address) = (self.visitor.user_agent(), self.visitor.network.clone());
        Session { user_agent, address, ..self.used(session) }
    }

    /// Ends the login without a code, because the user does not go on.
    pub(super) async fn give_up(self) -> Result<(Self, Outcome), Internal> {
        let before = self.clone();
        let closed = before.idp().db().write(move |tx| {
            let mut login = self.clone();
            async move {
                login.close(tx).await?;
                let cookie = login.keep_signed_in(tx).await?;
                Ok((login, Outcome::Denied(cookie)))
            }
            .boxed()
        });
        match closed.await {
            Err(storage::Error::Conflict) => Ok((before, Outcome::Conflict)),
            closed => Ok(closed?),
        }
    }

    /// Where nothing but the consent is missing, the user has signed in: the session is kept for the next request.
    async fn keep_signed_in(&mut self, tx: &mut Tx<'_>) -> storage::Result<Option<Secret>> {
        let Due::Ask(Need::Consent(_)) = self.next() else { return Ok(None) };
        let Some(person) = self.person.clone() else { return Ok(None) };
        self.hold_epoch(tx, &person).await?;
        let (_, cookie) = self.keep_session(tx, &person).await?;
        if cookie.is_some() {
            self.known = Some(self.know_browser(tx, &person).await?);
        }
        Ok(cookie)
    }

    /// The answer to the browser.
    pub(super) fn respond(&self, end: Outcome) -> Response {
        let mut response = self.answer(end);
        let trusted = self.trusted.as_ref().and_then(|secret| trust::cookie(self, secret));
        let issuer = &self.visitor.issuer;
        let known = self.known.as_ref();
        let known = known.and_then(|secret| cookies::keep_secret(issuer, Cookies::KNOWN, secret, KNOWN));
        response.headers_mut().extend(trusted.into_iter().chain(known).map(|cookie| (SET_COOKIE, cookie)));
        response
    }

    fn answer(&self, end: Outcome) -> Response {
        match end {
            Outcome::NextStep => {
                let step = self.current();
                tracing::info!(step, "the login goes on");
                see_other(&self.address(step))
            }
            // Whatever happened meanwhile, the page that comes next knows.
            Outcome::Conflict => see_other(&self.address(steps::FIRST)),
            Outcome::RedirectUpstream(address) => see_other(&address),
            Outcome::Code(code, cookie) => {
                let target = Target::from(self.request());
                let mut response = self.deliver(respond::code(&self.visitor.issuer, &target, code.value()));
                self.hand_out(&mut response, cookie.as_ref());
                response.headers_mut().extend(self.forgotten_upstream().map(|cookie| (SET_COOKIE, cookie)));
                response
            }
            Outcome::Refused(code) => self.refused(code),
            Outcome::Denied(cookie) => {
                let mut response = self.refused(ErrorCode::AccessDenied);
                self.hand_out(&mut response, cookie.as_ref());
                response
            }
        }
    }

    fn refused(&self, code: ErrorCode) -> Response {
        tracing::info!(error = code.as_str(), "the login ended without a code");
        self.deliver(self.error(code))
    }

    /// Gives the browser the session's cookie.
    fn hand_out(&self, response: &mut Response, cookie: Option<&Secret>) {
        let cookie = cookie.and_then(|secret| cookies::set(&self.visitor.issuer, Cookies::SESSION, secret));
        response.headers_mut().extend(cookie.map(|cookie| (SET_COOKIE, cookie)));
    }

    /// A page that goes on by itself.
    pub(super) fn apart(&self, address: String, application: String) -> Response {
        let refresh = HeaderValue::try_from(format!("0; url={address}"));
        let body = Body::Onward(Onward { application, address });
        let mut page = self.page(StatusCode::OK, body, ContentSecurity::Own);
        page.headers_mut().extend(refresh.ok().map(|refresh| (REFRESH, refresh)));
        page
    }

    /// Who signed in here with a password is not led elsewhere first the next time.
    fn forgotten_upstream(&self) -> Option<HeaderValue> {
        let chosen = self.visitor.cookies().value(Cookies::UPSTREAM).is_some();
        let here = chosen && self.interaction.progress.facts.has_password();
        here.then(|| cookies::remove(&self.visitor.issuer, Cookies::UPSTREAM)).flatten()
    }

    fn error(&self, code: ErrorCode) -> Delivery {
        let description = match code {
            ErrorCode::AccessDenied => "the user did not go on",
            ErrorCode::LoginRequired => "the user must sign in",
            ErrorCode::ConsentRequired => "the user must be asked",
            ErrorCode::UnmetAuthenticationRequirements => "the acr asked for cannot be reached",
            _ => "the user must do something on a page",
        };
        let target = Target::from(self.request());
        respond::error(&self.visitor.issuer, &target, &OAuthError::new(code, description))
    }

    /// Sends the browser on to the client.
    pub(super) fn deliver(&self, delivery: Delivery) -> Response {
        match delivery {
            Delivery::Redirect(address) => see_other(&address),
            Delivery::FormPost { action, fields } => {
                let application = self.validated.client().name_in(self.locale()).to_owned();
                let fields = fields.into_iter().map(|(name, value)| (name.into(), value)).collect();
                let body = Body::FormPost(FormPost { application, action, fields });
                self.page(StatusCode::OK, body, ContentSecurity::Leaving)
            }
        }
    }
}

/// 303: never the same method and body again (RFC 9700 §4.12).
pub(super) fn see_other(address: &str) -> Response {
    match HeaderValue::try_from(address) {
        Ok(address) => (StatusCode::SEE_OTHER, [(LOCATION, address)]).into_response(),
        // Redirect URIs are checked when they are registered, and everything else in the address is encoded.
        Err(_) => StatusCode::BAD_REQUEST.into_response(),
    }
}
