//! One request's view of a login in progress: what was asked, whose it is, what is proved, and what comes next.
//!
//! Reading order: `load` (from rows), `facts` (what counts, what is needed), `write` (the write closure of a step), `finish`
//! (a login becomes a code), `answer` (the response to the browser). `carried`, `input`, `trust` and `upstreams` each hold
//! one concern of it. A login names no step: the steps stand above it.

mod answer;
mod carried;
mod facts;
mod finish;
mod input;
mod load;
mod trail;
pub(super) mod trust;
mod upstreams;
mod write;

use std::sync::Arc;

use super::login_user::LoginUser;
use super::page_request::PageRequest;
use crate::account::participant::Participant;
use crate::audit::Entry;
use crate::crypto::secret::{self, Secret};
use crate::domain::ceremony::Ceremony;
use crate::domain::error::ErrorCode;
use crate::domain::event::Event;
use crate::domain::ids::{Hash, Reference};
use crate::domain::interaction::{Interaction, Refusal, RefusalCause};
use crate::domain::locale::Locale;
use crate::domain::policy::Need;
use crate::domain::request::AuthorizationRequest;
use crate::domain::session::Session;
use crate::domain::time::Time;
use crate::domain::trusted_browser::TrustedBrowser;
use crate::protocol::authorize::{NewCode, Validated};
use crate::provider::Idp;

/// A login, as far as one request is concerned. It is handed on from step to step, so what is large is boxed.
#[derive(Clone)]
pub(super) struct Login {
    pub(super) page_request: Arc<PageRequest>,
    pub(super) validated: Arc<Validated>,
    pub(super) interaction: Box<Interaction>,
    /// The sealed request, where the addresses of the pages carry it.
    pub(super) carried: Option<Arc<str>>,
    /// Whether there is a row of it. A login that the session answers at once needs none.
    pub(super) stored: bool,
    /// The browser's session, of whichever user.
    pub(super) session: Option<Box<Session>>,
    pub(super) user: Option<Box<LoginUser>>,
    /// The browser, if it is one that this user trusts.
    pub(super) browser: Option<TrustedBrowser>,
    /// The secret of the trusted-browser cookie, if the browser was trusted just now.
    pub(super) trusted: Option<Secret>,
    /// The secret of the cookie by which the browser is known again, after a sign-in.
    pub(super) known: Option<Secret>,
    /// Whether something was dropped that another user, or one who is signed out by now, had done here.
    pub(super) dropped: bool,
    pub(super) now: Time,
    /// What happened in this request and is not recorded yet.
    events: Vec<Event>,
    /// Entries about refusals of a request that proved nothing, to be queued after the commit.
    refusals: Vec<Entry>,
    /// The name that was typed, as a keyed hash.
    pub(super) typed: Option<Hash>,
}

/// The engine's answer, owned.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Due {
    /// A page must ask for this.
    Ask(Need),
    /// The client gets an error.
    Refuse(ErrorCode),
    /// A code may be issued.
    Done,
}

/// The result of a write.
pub(super) enum Outcome {
    /// Another page comes next.
    NextStep,
    /// The login is complete: its code, and the cookie of a session that is new or knows more.
    Code(Box<NewCode>, Option<Secret>),
    /// The client gets an error.
    Refused(ErrorCode),
    /// The user has said no; the cookie of the session that was proved before that, if it is new or knows more.
    Denied(Option<Secret>),
    /// The write lost a race: against another tab, a second click, a sign-out.
    Conflict,
    /// The browser is sent to this address of ours, which leads to another provider.
    RedirectUpstream(String),
}

impl Login {
    pub(super) fn idp(&self) -> &Idp {
        &self.page_request.idp
    }

    pub(super) fn request(&self) -> &AuthorizationRequest {
        self.validated.request()
    }

    /// Notes why the page is shown again. A refusal that is recorded has a reference for the user to quote.
    pub(super) fn refuse(
        &mut self,
        step: &str,
        cause: impl Into<RefusalCause>,
        reference: Option<Reference>,
    ) {
        self.interaction.progress.refusal =
            Some(Refusal { step: step.to_owned(), cause: cause.into(), reference });
    }

    /// The answer to the last post of this step, if it still has to be shown.
    pub(super) fn refusal(&self, step: &str) -> Option<&Refusal> {
        self.interaction.progress.refusal.as_ref().filter(|refusal| refusal.step == step)
    }

    /// Notes what is recorded in the write that ends this step.
    pub(super) fn tell(&mut self, event: Event) {
        self.events.push(event);
    }

    /// The ceremony of the user's credentials.
    pub(super) fn ceremony(&self) -> &Ceremony {
        &self.interaction.progress.ceremony
    }

    /// The user as a ceremony's participant.
    pub(super) fn participant<'a>(&'a self, login_user: &'a LoginUser) -> Participant<'a> {
        Participant {
            user: &login_user.user,
            tenant: &login_user.tenant,
            issuer: &self.page_request.issuer,
            passkeys: &login_user.passkeys,
            locale: self.locale(),
        }
    }

    /// The row that recovery codes not yet stored are sealed for.
    pub(super) fn codes_row(&self) -> String {
        format!("interactions/{}", self.interaction.id)
    }

    /// The language of this login's pages.
    pub(super) fn locale(&self) -> Locale {
        let login_user = self.user.as_ref();
        let user = login_user.and_then(|login_user| login_user.user.locale());
        let tenant = login_user.map(|login_user| login_user.tenant.locale);
        self.page_request.locale(&self.request().ui_locales, user, tenant)
    }

    /// The name under which the forms of this login are sealed: a page shown to one user is no other user's.
    pub(super) fn form_name(&self) -> String {
        let user = self.user.as_ref().map_or("", |login_user| login_user.user.id.as_str());
        format!("login {} {user}", self.interaction.id)
    }

    /// Whether this is the browser that the login is bound to.
    pub(super) fn is_of(&self, browser: Option<&Hash>) -> bool {
        let bound = self.interaction.browser.as_ref().zip(browser);
        bound.is_some_and(|(bound, browser)| secret::equal(bound, browser))
    }
}
