//! A provider for tests: with its own store, a clock controlled by the test, and a browser without a network.
//!
//! ```
//! use vestibule::testing::TestIdp;
//!
//! # #[tokio::main] async fn main() {
//! let idp = TestIdp::with(r#"
//!     [[tenants]]
//!     domain = "123456.sms"
//!     name = "Example Works"
//!     [[users]]
//!     tenant = "123456.sms"
//!     username = "anna"
//!     password = "correct horse battery staple"
//!     [[clients]]
//!     client_id = "shop"
//!     token_endpoint_auth_method = "none"
//!     redirect_uris = ["https://shop.test/callback"]
//! "#).await;
//! let shop = idp.application("shop", "https://shop.test/callback");
//! let mut browser = idp.browser();
//! let login = browser.get(&shop.authorization_url("openid profile")).await;
//! let back = browser.submit(&login, &[("tenant", "123456.sms"), ("username", "anna"),
//!     ("password", "correct horse battery staple")]).await;
//! let tokens = shop.redeem(&back).await;
//! assert_eq!(tokens.id_token["tenant"], "123456.sms");
//! # }
//! ```
//!
//! Every failure is a failed test, so these functions panic instead of returning errors.

#![expect(clippy::panic, clippy::missing_panics_doc, reason = "a test kit fails by panicking")]

mod application;
mod browser;
mod clock;
mod form;
mod gate;
mod place;
mod provider;

pub use crate::notify::{Mailbox, Sent};
pub use application::{Application, Tokens};
pub use browser::{Answer, Browser};
pub use clock::TestClock;
pub use provider::{Cost, Recorder, TestIdp};

use crate::crypto::otp::{self, OtpSecret, SecretEncoding};
use crate::domain::authenticator::TotpParameters;
use crate::domain::time::Time;
use crate::views::{Body, Brand, Frame, Page, samples};

/// Every page in every state, by name, in this frame, for hosts to check a theme of their own.
pub fn sample_pages(frame: &Frame) -> Vec<(&'static str, Page)> {
    let page = |(name, body)| (name, Page { frame: frame.clone(), body });
    Body::samples().into_iter().map(page).collect()
}

/// A tenant with a logo, for [`sample_pages`].
pub fn sample_tenant() -> Brand {
    samples::tenant()
}

/// The code that an authenticator application with this secret (base32) shows at this time.
pub fn totp(secret: &str, now: Time) -> String {
    let parameters = TotpParameters::default();
    let secret = OtpSecret::import(secret, SecretEncoding::Base32, true)
        .unwrap_or_else(|error| panic!("not a secret: {error}"));
    let code = otp::step_at(&parameters, now).and_then(|step| otp::code_at(&parameters, &secret, step));
    code.unwrap_or_else(|| panic!("no code at {now:?}"))
}
