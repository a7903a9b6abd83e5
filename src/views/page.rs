//! A page before and after it is drawn.

use super::body::Body;
use super::frame::Frame;
use super::login::{RefusalReason, RefusedView};
use crate::domain::locale::Locale;
use crate::domain::zone::Zone;

/// A page: its surroundings and its content.
pub struct Page {
    /// Language, addresses and the tenant's name and colours.
    pub frame: Frame,
    /// The content.
    pub body: Body,
}

impl Page {
    /// The page for an address that does not exist.
    pub fn not_found(locale: Locale, base: impl Into<String>) -> Self {
        let base = base.into();
        let here = format!("{base}/");
        let refused =
            RefusedView { refusal: RefusalReason::NotFound, detail: None, reference: None, back: None };
        Self {
            frame: Frame { locale, zone: Zone::default(), base, here, tenant: None },
            body: Body::Refused(refused),
        }
    }
}

/// HTML that is safe to send: made by a template that escapes, or vouched for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Html(String);

impl Html {
    /// Vouches for HTML made by hand: everything in it that a user, a tenant or a client chose is escaped.
    pub fn trusted(html: impl Into<String>) -> Self {
        Self(html.into())
    }

    /// The document.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The document, owned.
    pub fn into_string(self) -> String {
        self.0
    }
}
