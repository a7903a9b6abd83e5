//! The browser of a login, and whether its user trusts it: recognised after the password, trusted after the second factor.
//!
//! The result is a fact of the login, so that a session keeps it; the row is read again in every request, so that a
//! removed trust ends at once.

use std::time::Duration;

use axum::http::HeaderValue;
use axum::http::header::{ACCEPT_LANGUAGE, HeaderMap};

use super::Login;
use crate::account::trusted_browsers::{BrowserTraits, Trust};
use crate::crypto::secret::{self, Secret};
use crate::domain::event::Event;
use crate::domain::ids::{TrustedBrowserId, UserId};
use crate::domain::trusted_browser::{TrustRules, TrustedBrowser};
use crate::http::{Cookies, cookies};
use crate::interaction::login_user::LoginUser;
use crate::interaction::page_request::PageRequest;
use crate::protocol::parameters::Parameters;
use crate::provider::Internal;
use crate::storage::{self, Tx};

/// The box on the pages of the second factor.
const TICKED: &str = "trust_browser";

/// The browser of this request, if its user may trust browsers and its cookie says that they do.
pub(in crate::interaction) async fn known(
    page_request: &PageRequest,
    login_user: &LoginUser,
) -> Result<Option<TrustedBrowser>, Internal> {
    let cookie =
        page_request.cookies().hash(&purpose(&login_user.user.id)).filter(|_| rules(login_user).is_some());
    let Some(cookie) = cookie else { return Ok(None) };
    Ok(page_request.idp.account().known_browser(&login_user.user.id, login_user.epoch(), &cookie).await?)
}

/// The browser that takes the place of a second factor in this login, given what was posted with the password.
pub(in crate::interaction) fn recognised(login: &Login, form: &Parameters) -> Option<TrustedBrowserId> {
    let login_user = login.user.as_ref().filter(|login_user| !login_user.held().is_empty())?;
    let (browser, rules) = (login.browser.as_ref()?, rules(login_user)?);
    let name = login.page_request.user_agent();
    let shown = shown(login, name.as_deref(), form);
    login.idp().account().trusts(browser, &shown, rules).then(|| browser.id.clone())
}

/// For how many days a page of the second factor offers to trust this browser.
pub(in crate::interaction) fn offered(login_user: &LoginUser) -> Option<u32> {
    rules(login_user).map(|rules| rules.days)
}

/// The trust to store, if the box was ticked.
pub(in crate::interaction) fn wanted(
    login: &Login,
    login_user: &LoginUser,
    form: &Parameters,
) -> Option<Trust> {
    let rules = rules(login_user).filter(|_| form.get(TICKED).is_some())?;
    let name = login.page_request.user_agent();
    let shown = shown(login, name.as_deref(), form);
    login.idp().account().trust(&login_user.user.id, login_user.epoch(), &shown, rules)
}

/// Stores the trust in this browser.
pub(in crate::interaction) async fn remember(
    login: &mut Login,
    tx: &mut Tx<'_>,
    wanted: Option<Trust>,
) -> storage::Result<()> {
    let Some(trust) = wanted else { return Ok(()) };
    trust.store(tx).await?;
    if let Some(user) = login.user.as_ref().map(|login_user| login_user.user.id.clone()) {
        login.tell(Event::UserChanged { user, change: "trusted_browser" });
    }
    login.trusted = Some(trust.secret);
    Ok(())
}

/// The cookie of a browser that was just trusted.
pub(in crate::interaction) fn cookie(login: &Login, secret: &Secret) -> Option<HeaderValue> {
    let login_user = login.user.as_ref()?;
    let lifetime: Duration = rules(login_user)?.lifetime()?;
    cookies::keep_secret(&login.page_request.issuer, &purpose(&login_user.user.id), secret, lifetime)
}

/// The rules for this user; `None` where no browser is trusted, and for administrators.
fn rules(login_user: &LoginUser) -> Option<&TrustRules> {
    let rules = &login_user.tenant.policy.trusted_browsers;
    Some(rules).filter(|rules| rules.lifetime().is_some() && !login_user.user.is_admin())
}

fn purpose(user: &UserId) -> String {
    let hash = secret::hash(user.as_str());
    format!("{}-{}", Cookies::TRUSTED, hash.as_str().get(..8).unwrap_or_default())
}

fn shown<'a>(login: &'a Login, user_agent: Option<&'a str>, form: &'a Parameters) -> BrowserTraits<'a> {
    let headers: &HeaderMap = &login.page_request.headers;
    BrowserTraits {
        user_agent,
        languages: headers.get(ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok()),
        time_zone: form.get("time_zone"),
        screen: form.get("screen"),
    }
}
