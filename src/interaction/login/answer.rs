//! The response to the browser: a page, the next page, or the way back to the client.

use axum::http::header::{REFRESH, SET_COOKIE};
use axum::http::{HeaderValue, StatusCode};
use axum::response::Response;

use super::{Login, Outcome, trust};
use crate::account::sign_in_history::KNOWN;
use crate::crypto::secret::Secret;
use crate::domain::error::{ErrorCode, OAuthError};
use crate::http::{ContentSecurity, Cookies, cookies, see_other};
use crate::interaction::addresses::carrying;
use crate::interaction::page_request::PageReader;
use crate::protocol::authorize::{AuthorizationResponse, ResponseDelivery, ResponseTarget};
use crate::views::{Body, FormPostView, OnwardView};

impl Login {
    /// The address of one of this login's pages.
    pub(in crate::interaction) fn address(&self, step: &str) -> String {
        let client = &self.validated.client().id;
        self.page_request.login_address(&self.interaction.id, client, step, self.carried.as_deref())
    }

    /// The address of the page for a forgotten password, which leads back here; `None` where no mail can be sent.
    pub(in crate::interaction) fn forgotten(&self) -> Option<String> {
        let offered = self.idp().account().mails_resets(self.page_request.tenant.as_deref());
        let from = (&self.interaction.id, &self.validated.client().id);
        let address = || self.page_request.forgotten_address(Some(from));
        offered.then(|| carrying(address(), self.carried.as_deref()))
    }

    /// Draws a page of this login.
    pub(in crate::interaction) fn page(
        &self,
        status: StatusCode,
        body: Body,
        security: ContentSecurity,
    ) -> Response {
        let login_user = self.user.as_ref();
        let reader = PageReader {
            locale: self.locale(),
            user: login_user.map(|login_user| &login_user.user),
            tenant: login_user.map(|login_user| login_user.tenant.as_ref()),
        };
        let mut page = self.page_request.page(status, &reader, body, security);
        let cookie = self.page_request.remember_locale(reader.locale);
        page.headers_mut().extend(cookie.map(|cookie| (SET_COOKIE, cookie)));
        page
    }

    /// The answer to the browser. `step` is the page that a login leads to which goes on.
    pub(in crate::interaction) fn respond(&self, outcome: Outcome, step: &str) -> Response {
        let mut response = self.answer(outcome, step);
        let trusted = self.trusted.as_ref().and_then(|secret| trust::cookie(self, secret));
        let issuer = &self.page_request.issuer;
        let known = self.known.as_ref();
        let known = known.and_then(|secret| cookies::keep_secret(issuer, Cookies::KNOWN, secret, KNOWN));
        response.headers_mut().extend(trusted.into_iter().chain(known).map(|cookie| (SET_COOKIE, cookie)));
        response
    }

    fn answer(&self, outcome: Outcome, step: &str) -> Response {
        match outcome {
            Outcome::NextStep => {
                tracing::info!(step, "the login goes on");
                see_other(&self.address(step))
            }
            Outcome::Conflict => see_other(&self.address(step)),
            Outcome::RedirectUpstream(address) => see_other(&address),
            Outcome::Code(code, cookie) => {
                let target = ResponseTarget::from(self.request());
                let answer = AuthorizationResponse::code(&self.page_request.issuer, target, code.value());
                let mut response = self.deliver(answer.deliver());
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
        let cookie =
            cookie.and_then(|secret| cookies::set(&self.page_request.issuer, Cookies::SESSION, secret));
        response.headers_mut().extend(cookie.map(|cookie| (SET_COOKIE, cookie)));
    }

    /// A page that goes on by itself.
    pub(in crate::interaction) fn apart(&self, address: String, application: String) -> Response {
        let refresh = HeaderValue::try_from(format!("0; url={address}"));
        let body = Body::Onward(OnwardView { application, address });
        let mut page = self.page(StatusCode::OK, body, ContentSecurity::Own);
        page.headers_mut().extend(refresh.ok().map(|refresh| (REFRESH, refresh)));
        page
    }

    /// Who signed in here with a password is not led elsewhere first the next time.
    fn forgotten_upstream(&self) -> Option<HeaderValue> {
        let chosen = self.page_request.cookies().value(Cookies::UPSTREAM).is_some();
        let here = chosen && self.interaction.progress.facts.has_password();
        here.then(|| cookies::remove(&self.page_request.issuer, Cookies::UPSTREAM)).flatten()
    }

    fn error(&self, code: ErrorCode) -> ResponseDelivery {
        let description = match code {
            ErrorCode::AccessDenied => "the user did not go on",
            ErrorCode::LoginRequired => "the user must sign in",
            ErrorCode::ConsentRequired => "the user must be asked",
            ErrorCode::UnmetAuthenticationRequirements => "the acr asked for cannot be reached",
            _ => "the user must do something on a page",
        };
        let target = ResponseTarget::from(self.request());
        let error = OAuthError::new(code, description);
        AuthorizationResponse::error(&self.page_request.issuer, target, &error).deliver()
    }

    /// Sends the browser on to the client.
    fn deliver(&self, delivery: ResponseDelivery) -> Response {
        match delivery {
            ResponseDelivery::Redirect(address) => see_other(&address),
            ResponseDelivery::FormPost { action, fields } => {
                let application = self.validated.client().name_in(self.locale()).to_owned();
                let fields = fields.into_iter().map(|(name, value)| (name.into(), value)).collect();
                let body = Body::FormPost(FormPostView { application, action, fields });
                self.page(StatusCode::OK, body, ContentSecurity::Leaving)
            }
        }
    }
}
