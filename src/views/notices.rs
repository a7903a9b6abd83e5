//! The pages that say something and, at most, offer a way on.

use std::borrow::Cow;

use super::frame::WayBack;
use crate::domain::ids::Reference;
use crate::domain::time::Time;
use crate::i18n::machine;

/// The user was asked whether to sign out, and stays.
pub struct SignedInView {
    /// The user name that is signed in.
    pub account: String,
}

/// Signed out.
pub struct SignedOutView {
    /// The way back to the application.
    pub back: Option<WayBack>,
}

/// Too many attempts.
pub struct WaitView {
    /// When the next attempt counts again.
    pub until: Time,
    /// Now.
    pub now: Time,
    /// Where to try again.
    pub retry: Option<String>,
    /// What an administrator can explain.
    pub reference: Option<Reference>,
}

impl WaitView {
    /// The minutes left, rounded up; never none.
    pub fn minutes(&self) -> i64 {
        self.until.since(self.now).max(1).saturating_add(59) / 60
    }

    /// For `<time datetime>`.
    pub(super) fn machine_time(&self) -> String {
        machine(self.until)
    }
}

/// A login that is over: too old, finished already, or begun in another browser.
pub struct ExpiredView {
    /// The way back to the application, where a new login can begin.
    pub back: Option<WayBack>,
    /// What an administrator can explain.
    pub reference: Option<Reference>,
}

/// Something that cannot be done.
pub struct RefusedView {
    /// What happened, in the user's words.
    pub refusal: RefusalReason,
    /// For the application's developer: a fixed English phrase, for example `redirect_uri is not registered`.
    pub detail: Option<Cow<'static, str>>,
    /// What an administrator can explain.
    pub reference: Option<Reference>,
    /// The way back to the application, only where its address is proven.
    pub back: Option<WayBack>,
}

/// What happened, in the user's words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RefusalReason {
    /// The application's request is faulty; the user can do nothing about it.
    Request,
    /// The form did not come from a page of ours, or the browser keeps no cookies.
    Form,
    /// There is no such page.
    NotFound,
    /// A second factor is needed, but the tenant allows none to be enrolled: the user must ask an administrator.
    NoMethod,
    /// No mail can be sent, so no password can be replaced here: the user must ask an administrator.
    NoReset,
    /// A second factor is activated by mail, but no mail reaches the user: an administrator must help.
    NoActivation,
    /// Too many sign-ins of the network wait for an answer.
    TooManyWaiting,
    /// A fault of ours.
    Internal,
}

impl RefusalReason {
    pub(super) const fn title(self) -> &'static str {
        match self {
            Self::Request => "refused.request_title",
            Self::Form => "refused.form_title",
            Self::NotFound => "refused.not_found_title",
            Self::NoMethod => "refused.no_method_title",
            Self::NoReset => "refused.no_reset_title",
            Self::NoActivation => "refused.no_activation_title",
            Self::TooManyWaiting => "refused.too_many_waiting_title",
            Self::Internal => "refused.internal_title",
        }
    }

    pub(super) const fn text(self) -> &'static str {
        match self {
            Self::Request => "refused.request_text",
            Self::Form => "refused.form_text",
            Self::NotFound => "refused.not_found_text",
            Self::NoMethod => "refused.no_method_text",
            Self::NoReset => "refused.no_reset_text",
            Self::NoActivation => "refused.no_activation_text",
            Self::TooManyWaiting => "refused.too_many_waiting_text",
            Self::Internal => "refused.internal_text",
        }
    }
}

/// The answer to the application, posted by the browser (OAuth 2.0 Form Post Response Mode).
pub struct FormPostView {
    /// The application's name.
    pub application: String,
    /// The redirect URI.
    pub action: String,
    /// The parameters of the answer.
    pub fields: Vec<(Cow<'static, str>, String)>,
}

/// On to another site, in a navigation of its own (header `Refresh`): no redirect after a form leads there.
pub struct OnwardView {
    /// The name of the application, or of the provider to sign in at.
    pub application: String,
    /// Where it goes.
    pub address: String,
}

/// Come again in a moment (503).
pub struct BusyView {
    /// Where to try again.
    pub retry: Option<String>,
}
