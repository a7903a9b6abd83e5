//! The pages at which a login ends without an answer.

use std::borrow::Cow;

use crate::domain::ids::Reference;
use crate::views::frame::WayBack;
use crate::views::samples;
use crate::views::view::View;

/// Says that the login is over: too old, finished already, or begun in another browser.
pub struct ExpiredView {
    /// The way back to the application, where a new login can begin.
    pub back: Option<WayBack>,
    /// The reference code under which an administrator finds the page explained.
    pub reference: Option<Reference>,
}

impl View for ExpiredView {
    fn step(&self) -> &'static str {
        "expired"
    }

    fn title(&self) -> &'static str {
        "expired.title"
    }

    fn reference(&self) -> Option<&Reference> {
        self.reference.as_ref()
    }

    fn samples() -> Vec<(&'static str, Self)> {
        vec![
            ("expired", Self { back: Some(samples::back()), reference: None }),
            ("expired-lost", Self { back: None, reference: Some(samples::reference()) }),
        ]
    }
}

/// Says why something cannot be done.
pub struct RefusedView {
    /// The reason, as the user reads it.
    pub refusal: RefusalReason,
    /// A fixed English phrase for the application's developer, for example `redirect_uri is not registered`.
    pub detail: Option<Cow<'static, str>>,
    /// The reference code under which an administrator finds the page explained.
    pub reference: Option<Reference>,
    /// The way back to the application, only if its address is proven.
    pub back: Option<WayBack>,
}

/// Why something cannot be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RefusalReason {
    /// The application's request is faulty; the user can do nothing about it.
    Request,
    /// The form did not come from a page of this provider, or the browser keeps no cookies.
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
    /// An internal error.
    Internal,
}

impl RefusalReason {
    const fn title(self) -> &'static str {
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

    /// The key of the text.
    pub(in crate::views) const fn text(self) -> &'static str {
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

impl View for RefusedView {
    fn step(&self) -> &'static str {
        "refused"
    }

    fn title(&self) -> &'static str {
        self.refusal.title()
    }

    fn reference(&self) -> Option<&Reference> {
        self.reference.as_ref()
    }

    fn samples() -> Vec<(&'static str, Self)> {
        let refused = |refusal, detail: Option<&'static str>| Self {
            refusal,
            detail: detail.map(Into::into),
            reference: Some(samples::reference()),
            back: None,
        };
        vec![
            ("refused", refused(RefusalReason::Request, Some("redirect_uri is not registered"))),
            ("refused-form", refused(RefusalReason::Form, None)),
            ("refused-not-found", refused(RefusalReason::NotFound, None)),
            ("refused-no-method", refused(RefusalReason::NoMethod, None)),
            ("refused-no-reset", refused(RefusalReason::NoReset, None)),
            ("refused-no-activation", refused(RefusalReason::NoActivation, None)),
            ("refused-too-many-waiting", refused(RefusalReason::TooManyWaiting, None)),
            ("refused-internal", refused(RefusalReason::Internal, None)),
        ]
    }
}
