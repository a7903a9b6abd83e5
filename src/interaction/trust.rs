//! The browser of a login, and whether its user trusts it: recognised after the password, trusted after the second factor.
//!
//! The answer of a request stands in the login's facts, so that a session goes on with it; the row stands behind it at
//! every request, so that the trust ends at once where it is taken away.

use std::time::Duration;

use axum::http::HeaderValue;
use axum::http::header::{ACCEPT_LANGUAGE, HeaderMap};

use super::login::Login;
use super::person::LoginUser;
use super::visitor::PageRequest;
use crate::account::trusted_browsers::{Shown, Trust};
use crate::crypto::secret::{self, Secret};
use crate::domain::ids::{TrustedBrowserId, UserId};
use crate::domain::trusted_browser::{TrustRules, TrustedBrowser};
use crate::http::{Cookies, cookies};
use crate::protocol::parameters::Parameters;
use crate::provider::Internal;
use crate::storage::{self, Tx};

/// The box on the pages of the second factor.
const TICKED: &str = "trust_browser";

/// The browser of this visitor, if this person may trust one and the cookie says that they do.
pub(super) async fn known(
    visitor: &PageRequest,
    person: &LoginUser,
) -> Result<Option<TrustedBrowser>, Internal> {
    let cookie = visitor.cookies().hash(&purpose(&person.user.id)).filter(|_| rules(person).is_some());
    let Some(cookie) = cookie else { return Ok(None) };
    Ok(visitor.idp.account().known_browser(&person.user.id, person.epoch(), &cookie).await?)
}

/// The browser that takes the place of a second factor in this login, given what was posted with the password.
pub(super) fn recognised(login: &Login, form: &Parameters) -> Option<TrustedBrowserId> {
    let person = login.person.as_ref().filter(|person| !person.held().is_empty())?;
    let (browser, rules) = (login.browser.as_ref()?, rules(person)?);
    let name = login.visitor.user_agent();
    let shown = shown(login, name.as_deref(), form);
    login.idp().account().trusts(browser, &shown, rules).then(|| browser.id.clone())
}

/// For how many days a page of the second factor offers to trust this browser.
pub(super) fn offered(person: &LoginUser) -> Option<u32> {
    rules(person).map(|rules| rules.days)
}

/// What is to be stored where the box was ticked.
pub(super) fn wanted(login: &Login, person: &LoginUser, form: &Parameters) -> Option<Trust> {
    let rules = rules(person).filter(|_| form.get(TICKED).is_some())?;
    let name = login.visitor.user_agent();
    let shown = shown(login, name.as_deref(), form);
    login.idp().account().trust(&person.user.id, person.epoch(), &shown, rules)
}

/// Stores it.
pub(super) async fn settle(login: &mut Login, tx: &mut Tx<'_>, wanted: Option<Trust>) -> storage::Result<()> {
    let Some(trust) = wanted else { return Ok(()) };
    trust.settle(tx).await?;
    login.trusted = Some(trust.secret);
    Ok(())
}

/// The cookie of a browser that was just trusted.
pub(super) fn cookie(login: &Login, secret: &Secret) -> Option<HeaderValue> {
    let person = login.person.as_ref()?;
    let lifetime: Duration = rules(person)?.lifetime()?;
    cookies::keep_secret(&login.visitor.issuer, &purpose(&person.user.id), secret, lifetime)
}

/// The rules, where there are any for this person: never for administrators.
fn rules(person: &LoginUser) -> Option<&TrustRules> {
    let rules = &person.tenant.policy.trusted_browsers;
    Some(rules).filter(|rules| rules.lifetime().is_some() && !person.user.is_admin())
}

fn purpose(user: &UserId) -> String {
    let hash = secret::hash(user.as_str());
    format!("{}-{}", Cookies::TRUSTED, hash.as_str().get(..8).unwrap_or_default())
}

fn shown<'a>(login: &'a Login, user_agent: Option<&'a str>, form: &'a Parameters) -> Shown<'a> {
    let headers: &HeaderMap = &login.visitor.headers;
    Shown {
        user_agent,
        languages: headers.get(ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok()),
        time_zone: form.get("time_zone"),
        screen: form.get("screen"),
    }
}
