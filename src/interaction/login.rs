//! One request's view of a login in progress: what was asked, whose it is, what is proved, and what comes next.

mod facts;

use std::sync::Arc;

use axum::http::StatusCode;
use axum::http::header::SET_COOKIE;
use axum::response::Response;
use futures_util::FutureExt;
use futures_util::future::BoxFuture;

use super::finish::Outcome;
use super::person::LoginUser;
use super::visitor::{PageRequest, Reader};
use super::{reset, steps, trust, waiting};
use crate::crypto::random;
use crate::crypto::secret::{self, Secret};
use crate::domain::error::ErrorCode;
use crate::domain::event::Event;
use crate::domain::ids::{GrantId, Hash, InteractionId, Reference, UserId};
use crate::domain::interaction::{Interaction, Problem, Progress, Refusal};
use crate::domain::locale::Locale;
use crate::domain::policy::Need;
use crate::domain::request::AuthorizationRequest;
use crate::domain::session::Session;
use crate::domain::time::Time;
use crate::domain::trusted_browser::TrustedBrowser;
use crate::http::{ContentSecurity, Cookies, trace};
use crate::protocol::authorize::respond::with_query;
use crate::protocol::authorize::{self, AuthorizeError, Validated};
use crate::provider::{Idp, Internal};
use crate::storage::{self, Tx, interactions, sessions};
use crate::views::Body;

/// A login, as far as one request is concerned. It is handed on from step to step, so what is large is boxed.
#[derive(Clone)]
pub(super) struct Login {
    pub(super) visitor: Arc<PageRequest>,
    pub(super) validated: Arc<Validated>,
    pub(super) interaction: Box<Interaction>,
    /// The sealed request, where the addresses of the pages carry it.
    pub(super) carried: Option<Arc<str>>,
    /// Is there a row of it? A login that the session answers at once needs none.
    pub(super) stored: bool,
    /// The browser's session, whoever's it is.
    pub(super) session: Option<Box<Session>>,
    pub(super) person: Option<Box<LoginUser>>,
    /// The browser, if it is one that this person trusts.
    pub(super) browser: Option<TrustedBrowser>,
    /// What its new cookie holds, if it was trusted just now.
    pub(super) trusted: Option<Secret>,
    /// What its cookie holds by which it is known again, after a sign-in.
    pub(super) known: Option<Secret>,
    /// Was something dropped that another user, or one who is signed out by now, had done here?
    pub(super) dropped: bool,
    pub(super) now: Time,
    /// What the observer is told once everything is written.
    pub(super) events: Vec<Event>,
}

/// What comes next, owned.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Due {
    Ask(Need),
    Refuse(ErrorCode),
    Done,
}

impl Login {
    /// A login for a new request; nothing is stored yet.
    pub(super) async fn begin(visitor: PageRequest, validated: Validated) -> Result<Self, Internal> {
        let now = visitor.idp.now();
        let interaction = Interaction {
            id: InteractionId::new(Secret::generate().expose()),
            issuer: visitor.issuer.id.clone(),
            grant: GrantId::new(random::uuid()),
            request: validated.request().clone(),
            browser: None,
            network: None,
            carried: false,
            progress: Progress::default(),
            epoch: validated.client().epoch,
            requested_at: now,
            expires_at: now.plus(visitor.idp.settings().interaction_lifetime),
            version: 0,
        };
        let mut login = Self::assemble(visitor, validated, interaction, false).boxed().await?;
        waiting::begin(&mut login)?;
        Ok(login)
    }

    /// The login with this id; `None` if it is over. Whose browser it is, the caller decides.
    pub(super) async fn resume(visitor: PageRequest, id: &str) -> Result<Option<Self>, AuthorizeError> {
        let Some(id) = InteractionId::named(id) else { return Ok(None) };
        let (idp, now) = (visitor.idp.clone(), visitor.idp.now());
        let found = {
            let mut reader = idp.db().read();
            interactions::by_id(&mut reader.tx(), &id, &visitor.issuer.id, now)
                .await
                .map_err(Internal::from)?
        };
        let Some(mut interaction) = found else { return Ok(None) };
        let carried = waiting::carried_by(&visitor).filter(|_| interaction.carried);
        if interaction.carried {
            let request = carried.as_deref().and_then(|sealed| waiting::open(&visitor, &id, sealed));
            let Some(request) = request else { return Ok(None) };
            interaction.request = request;
        }
        let validated = authorize::resume(&idp, &visitor.issuer, interaction.request.clone()).await?;
        if interaction.epoch != validated.client().epoch {
            return Ok(None);
        }
        let mut login = Self::assemble(visitor, validated, interaction, true).boxed().await?;
        login.carried = carried.map(Arc::from);
        Ok(Some(login))
    }

    async fn assemble(
        visitor: PageRequest,
        validated: Validated,
        interaction: Interaction,
        stored: bool,
    ) -> Result<Self, Internal> {
        trace::login(&interaction.grant);
        let now = visitor.idp.now();
        let cookie = visitor.cookies().hash(Cookies::SESSION);
        let visitor = Arc::new(visitor);
        let mut login = Self {
            visitor,
            validated: Arc::new(validated),
            interaction: Box::new(interaction),
            carried: None,
            stored,
            session: None,
            person: None,
            browser: None,
            trusted: None,
            known: None,
            dropped: false,
            now,
            events: Vec::new(),
        };
        if cookie.is_none() && !login.interaction.progress.has_first_factor() {
            login.drop_facts_of_others();
            return Ok(login);
        }
        let (idp, issuer) = (login.idp().clone(), Arc::clone(&login.visitor.issuer));
        let mut reader = idp.db().read();
        let mut tx = reader.tx();
        if let Some(cookie) = cookie {
            login.session = sessions::by_cookie(&mut tx, &issuer.id, &cookie, now).await?.map(Box::new);
        }
        if let Some(id) = login.claimed_user() {
            let client = login.validated.client();
            login.person = LoginUser::load(&mut tx, &idp, &issuer, client, &id).await?.map(Box::new);
        }
        login.ask_whether_still().await?;
        // A session that lay idle too long signs its user in no longer.
        if !login.interaction.progress.has_first_factor() && login.own_session().is_none() {
            login.person = None;
        }
        login.drop_facts_of_others();
        login.recognise().await?;
        Ok(login)
    }

    /// Looks whether this browser is one that this person trusts.
    async fn recognise(&mut self) -> Result<(), Internal> {
        self.browser = match &self.person {
            Some(person) => trust::known(&self.visitor, person).await?,
            None => None,
        };
        Ok(())
    }

    /// Who comes from the host's directory is as the directory says now, or is nobody.
    async fn ask_whether_still(&mut self) -> Result<(), Internal> {
        if let Some(person) = self.person.take() {
            let user = self.idp().account().still(person.user.clone()).await?;
            self.person = user.map(|user| Box::new(LoginUser { user, ..*person }));
        }
        Ok(())
    }

    /// Learns who it is, when their password was right.
    pub(super) async fn identify(&mut self, user: &UserId) -> Result<(), Internal> {
        let idp = self.idp();
        let mut reader = idp.db().read();
        let issuer = &self.visitor.issuer;
        let found = LoginUser::load(&mut reader.tx(), idp, issuer, self.validated.client(), user).await?;
        self.person = found.map(Box::new);
        self.recognise().await
    }

    pub(super) fn idp(&self) -> &Idp {
        &self.visitor.idp
    }

    pub(super) fn request(&self) -> &AuthorizationRequest {
        self.validated.request()
    }

    /// Notes why the page is shown again. Who may quote a reference is given one.
    pub(super) fn refuse(&mut self, step: &str, problem: Problem, reference: Option<Reference>) {
        self.interaction.progress.refusal = Some(Refusal { step: step.to_owned(), problem, reference });
    }

    /// What codes that are sent for this login are bound to: also to the epoch of its user, so that a code of before an
    /// ending is void.
    pub(super) fn code_scope(&self) -> InteractionId {
        let epoch = self.interaction.progress.epoch.unwrap_or_default();
        InteractionId::new(format!("{}/{epoch}", self.interaction.id))
    }

    /// The row that recovery codes not yet stored are sealed for.
    pub(super) fn codes_row(&self) -> String {
        format!("interactions/{}", self.interaction.id)
    }

    /// What this step was answered last, if that still has to be shown.
    pub(super) fn refusal(&self, step: &str) -> Option<&Refusal> {
        self.interaction.progress.refusal.as_ref().filter(|refusal| refusal.step == step)
    }

    /// Tells the observer, once everything is written.
    pub(super) fn tell(&mut self, event: Event) {
        self.events.push(event);
    }

    /// The name of the page that comes next: the one that was just answered with a no or that the user has asked for, if
    /// it still will do.
    pub(super) fn current(&self) -> &'static str {
        let Due::Ask(need) = self.next() else { return steps::FIRST };
        let refused =
            self.interaction.progress.refusal.as_ref().and_then(|refusal| steps::named(&refusal.step));
        let wanted = self.interaction.progress.resync.then(|| steps::named(steps::resync::NAME)).flatten();
        refused
            .or(wanted)
            .filter(|step| step.meets(&need))
            .map_or_else(|| steps::asking(&need), |step| step.name())
    }

    /// The address of one of this login's pages. It names the client, so that the way back is known when all else is
    /// forgotten.
    pub(super) fn address(&self, step: &str) -> String {
        let client = [("client_id", self.validated.client().id.to_string())];
        let page = format!("{}/login/{}/{step}", self.visitor.issuer.url.path(), self.interaction.id);
        waiting::carrying(with_query(&page, client), self.carried.as_deref())
    }

    /// Where a forgotten password is replaced, and from where the way leads back here.
    pub(super) fn forgotten(&self) -> Option<String> {
        let offered = self.idp().account().mails_resets(self.visitor.tenant.as_deref());
        let from = (&self.interaction.id, &self.validated.client().id);
        let address = || reset::ask::address(&self.visitor, Some(from));
        offered.then(|| waiting::carrying(address(), self.carried.as_deref()))
    }

    /// The language of this login's pages.
    pub(super) fn locale(&self) -> Locale {
        let person = self.person.as_ref();
        let user = person.and_then(|person| person.user.locale());
        let tenant = person.map(|person| person.tenant.locale);
        self.visitor.locale(&self.request().ui_locales, user, tenant)
    }

    /// Draws a page of this login.
    pub(super) fn page(&self, status: StatusCode, body: Body, security: ContentSecurity) -> Response {
        let person = self.person.as_ref();
        let reader = Reader {
            locale: self.locale(),
            user: person.map(|person| &person.user),
            tenant: person.map(|person| person.tenant.as_ref()),
        };
        let mut page = self.visitor.page(status, &reader, body, security);
        let cookie = self.visitor.remember_locale(reader.locale);
        page.headers_mut().extend(cookie.map(|cookie| (SET_COOKIE, cookie)));
        page
    }

    /// The name under which the forms of this login are sealed: a page shown to one person is no one else's.
    pub(super) fn form_name(&self) -> String {
        let person = self.person.as_ref().map_or("", |person| person.user.id.as_str());
        format!("login {} {person}", self.interaction.id)
    }

    /// Is this the browser that the login is bound to?
    pub(super) fn is_of(&self, browser: Option<&Hash>) -> bool {
        let bound = self.interaction.browser.as_ref().zip(browser);
        bound.is_some_and(|(bound, browser)| secret::equal(bound, browser))
    }

    /// Stores the login as it is, or ends it if nothing is missing any more.
    pub(super) fn store(self) -> BoxFuture<'static, Result<(Self, Outcome), Internal>> {
        self.write(|login, _| async move { Ok(login) }.boxed())
    }

    /// Changes the login and stores it, in one write: with its end, if nothing is missing any more.
    ///
    /// The change may be made more than once, each time from the same state.
    pub(super) fn write<C>(self, change: C) -> BoxFuture<'static, Result<(Self, Outcome), Internal>>
    where
        C: for<'t, 'c> Fn(Self, &'t mut Tx<'c>) -> BoxFuture<'t, storage::Result<Self>>
            + Send
            + Sync
            + 'static,
    {
        let (db, change, before) = (self.idp().db().clone(), Arc::new(change), self.clone());
        async move {
            let written = db.write(move |tx| {
                let (login, change) = (self.clone(), Arc::clone(&change));
                async move { change(login, tx).await?.advance(tx).await }.boxed()
            });
            let (login, end) = match written.await {
                Err(storage::Error::Conflict) => return Ok((before, Outcome::Conflict)),
                written => written?,
            };
            login.events.iter().for_each(|event| login.idp().observe(event));
            Ok((login, end))
        }
        .boxed()
    }
}
