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
    let tokens = to_code(connection, visit).and_then(|back| redeem(connection, visit, &back));
    tokens.unwrap_or_else(|answer| panic!("{}: {}", answer.status, answer.text())).json()
}

/// The whole login at the peer, whose pages have other paths and no secret of their own.
pub(crate) fn sign_in_at_peer(connection: &mut Connection, visit: &Visit<'_>) -> Value {
    let tokens = to_peers_code(connection, visit).and_then(|back| redeem(connection, visit, &back));
    tokens.unwrap_or_else(|answer| panic!("{}: {}", answer.status, answer.text())).json()
}

fn to_peers_code(connection: &mut Connection, visit: &Visit<'_>) -> Result<Answer, Answer> {
    let begun = redirect(connection.send(&get(&authorize("/auth", visit), "")))?;
    let (page, cookies) = (begun.header("location").unwrap(), begun.cookies());
    connection.ask(&get(page, &cookies));
    let typed = form(&[("username", visit.username), ("password", PASSWORD)]);
    let signed_in = redirect(connection.send(&post(page, &cookies, &typed)))?;
    let onward = Url::parse(signed_in.header("location").unwrap()).unwrap();
    redirect(connection.send(&get(onward.path(), &cookies)))
}

/// The same by the session that a login left in this browser; what is not a success is the error.
pub(crate) fn sign_in_again(
    connection: &mut Connection,
    visit: &Visit<'_>,
    cookies: &str,
) -> Result<Answer, Answer> {
    let back = redirect(connection.send(&get(&authorize("/authorize", visit), cookies)))?;
    redeem(connection, visit, &back)
}

/// Redeems the code that the browser brings back: the token endpoint's answer; what is not a success is the error.
pub(crate) fn redeem(
    connection: &mut Connection,
    visit: &Visit<'_>,
    back: &Answer,
) -> Result<Answer, Answer> {
    let back = Url::parse(back.header("location").unwrap()).unwrap();
    let (_, code) = back.query_pairs().find(|(name, _)| name == "code").unwrap();
    let parameters = form(&[
        ("grant_type", "authorization_code"),
        ("code", &code),
        ("redirect_uri", REDIRECT_URI),
        ("code_verifier", VERIFIER),
    ]);
    let answer = connection.send(&post("/token", &basic(visit.client), &parameters));
    if answer.status == 200 { Ok(answer) } else { Err(answer) }
}

fn authorize(path: &str, visit: &Visit<'_>) -> String {
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
    format!("{path}?{request}")
}

fn redirect(answer: Answer) -> Result<Answer, Answer> {
    if answer.status == 303 { Ok(answer) } else { Err(answer) }
}

/// The browser's part: the answer that leads back to the application; what is not a success is the error.
pub(crate) fn to_code(connection: &mut Connection, visit: &Visit<'_>) -> Result<Answer, Answer> {
    let (page, cookies) = open(connection, visit)?;
    enter(connection, visit, &page, &cookies)
}

/// The sign-in page, and the browser's cookies.
pub(crate) fn open(connection: &mut Connection, visit: &Visit<'_>) -> Result<(Answer, String), Answer> {
    let begun = redirect(connection.send(&get(&authorize("/authorize", visit), "")))?;
    let cookies = begun.cookies();
    let page = connection.send(&get(begun.header("location").unwrap(), &cookies));
    if page.status == 200 { Ok((page, cookies)) } else { Err(page) }
}

/// Name and password, and what the next page asks for.
pub(crate) fn enter(
    connection: &mut Connection,
    visit: &Visit<'_>,
    page: &Answer,
    cookies: &str,
) -> Result<Answer, Answer> {
    let typed = [("tenant", TENANT), ("username", visit.username), ("password", PASSWORD)];
    let answer = redirect(submit(connection, page, cookies, &typed))?;
    match answer.header("location") {
        Some(next) if next.starts_with('/') => redirect(second_factor(connection, next, cookies)),
        _ => Ok(answer),
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
