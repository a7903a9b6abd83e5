//! A user with a browser, and the application he comes from: the authorization code flow, start to end.

use std::time::{SystemTime, UNIX_EPOCH};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;
use url::Url;
use vestibule::domain::time::Time;
use vestibule::testing::totp;

use crate::http::{Answer, Connection, form, get, post};
use crate::world::{PASSWORD, REDIRECT_URI, SECRET, TENANT, TOTP};

/// The example of RFC 7636, appendix B.
const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

/// Who signs in where.
pub(crate) struct Visit<'a> {
    pub(crate) username: &'a str,
    /// The client's id.
    pub(crate) client: &'a str,
    pub(crate) scope: &'a str,
}

/// The whole login: the token endpoint's answer.
pub(crate) fn sign_in(connection: &mut Connection, visit: &Visit<'_>) -> Value {
    let answered = to_code(connection, visit);
    let location = answered.header("location");
    let Some(back) = location.filter(|_| answered.status == 303).and_then(|to| Url::parse(to).ok()) else {
        panic!("{}: {}", answered.status, answered.text());
    };
    let (_, code) = back.query_pairs().find(|(name, _)| name == "code").unwrap();
    let parameters = form(&[
        ("grant_type", "authorization_code"),
        ("code", &code),
        ("redirect_uri", REDIRECT_URI),
        ("code_verifier", VERIFIER),
    ]);
    connection.ask(&post("/token", &basic(visit.client), &parameters)).json()
}

/// The browser's part: the last answer, which leads back to the application unless the provider is too busy.
pub(crate) fn to_code(connection: &mut Connection, visit: &Visit<'_>) -> Answer {
    let request = form(&[
        ("client_id", visit.client),
        ("redirect_uri", REDIRECT_URI),
        ("response_type", "code"),
        ("scope", visit.scope),
        ("state", "a-state"),
        ("nonce", "a-nonce"),
        ("code_challenge", CHALLENGE),
        ("code_challenge_method", "S256"),
    ]);
    let begun = connection.send(&get(&format!("/authorize?{request}"), ""));
    let cookie = begun.header("set-cookie").and_then(|cookie| cookie.split(';').next()).unwrap();
    let cookie = format!("Cookie: {cookie}\r\n");
    let page = connection.ask(&get(begun.header("location").unwrap(), &cookie));
    let typed = [("tenant", TENANT), ("username", visit.username), ("password", PASSWORD)];
    let answer = submit(connection, &page, &cookie, &typed);
    match answer.header("location") {
        Some(next) if next.starts_with('/') => second_factor(connection, next, &cookie),
        _ => answer,
    }
}

fn second_factor(connection: &mut Connection, next: &str, cookie: &str) -> Answer {
    let page = connection.ask(&get(next, cookie));
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    let code = totp(TOTP, Time::from_unix(now.try_into().unwrap()));
    submit(connection, &page, cookie, &[("code", &code)])
}

/// Fills in the page's form and sends it.
fn submit(connection: &mut Connection, page: &Answer, cookie: &str, typed: &[(&str, &str)]) -> Answer {
    let html = page.text();
    let action = between(html, "action=\"", "\"").replace("&#38;", "&");
    let csrf = between(html, "name=\"csrf\" value=\"", "\"");
    let fields = [&[("csrf", csrf)], typed].concat();
    connection.send(&post(&action, cookie, &form(&fields)))
}

fn between<'a>(text: &'a str, before: &str, after: &str) -> &'a str {
    let (_, rest) = text.split_once(before).unwrap_or_else(|| panic!("no {before} in {text}"));
    rest.split_once(after).unwrap().0
}

/// `client_secret_basic`
pub(crate) fn basic(client: &str) -> String {
    let credentials = format!("{client}:{}", SECRET.replace(' ', "+"));
    format!("Authorization: Basic {}\r\n", STANDARD.encode(credentials))
}
