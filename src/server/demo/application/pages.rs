//! The application's pages. They share nothing with the provider's: it is a third party.

use askama::Template;
use axum::http::StatusCode;
use axum::http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY};
use axum::response::{Html, IntoResponse, Response};
use serde_json::Value;
use url::Url;

use crate::rp::{RelyingParty, RpError, Session, decoded};

/// The style sheet.
pub(super) const STYLE: &str = include_str!("../../../../templates/demo/style.css");

#[derive(Template)]
#[template(path = "demo/home.html")]
struct ShopHome<'a> {
    issuer: &'a str,
    signed_out: bool,
}

#[derive(Template)]
#[template(path = "demo/signed_in.html")]
struct ShopWelcome<'a> {
    issuer: &'a str,
    name: &'a str,
    claims: Vec<(String, String)>,
    userinfo: Vec<(String, String)>,
    tokens: [(&'static str, String, String); 2],
}

#[derive(Template)]
#[template(path = "demo/problem.html")]
struct ShopProblem<'a> {
    issuer: &'a str,
    reason: &'a str,
}

/// The page for a browser in which no user is signed in.
pub(super) fn home(party: &RelyingParty, signed_out: bool) -> Response {
    page(party, &ShopHome { issuer: party.issuer(), signed_out })
}

/// The page of a user who is signed in, with everything that the application learned.
pub(super) fn signed_in(party: &RelyingParty, session: &Session<'_>) -> Response {
    let tokens = session.tokens();
    let claim = |name: &str| tokens.userinfo.get(name).and_then(Value::as_str);
    let name = claim("name").or_else(|| claim("preferred_username")).unwrap_or("you");
    let (header, claims) = decoded(&tokens.id_token).unwrap_or_default();
    let (access_header, access_claims) = decoded(&tokens.access_token).unwrap_or_default();
    let welcome = ShopWelcome {
        issuer: party.issuer(),
        name,
        claims: rows(&claims),
        userinfo: rows(&tokens.userinfo),
        tokens: [
            ("ID token", pretty(&header), pretty(&claims)),
            ("Access token", pretty(&access_header), pretty(&access_claims)),
        ],
    };
    page(party, &welcome)
}

/// The page that names an error.
pub(super) fn problem(party: &RelyingParty, error: &RpError) -> Response {
    page(party, &ShopProblem { issuer: party.issuer(), reason: &error.to_string() })
}

fn page(party: &RelyingParty, template: &impl Template) -> Response {
    // Browsers hold redirects after a form to `form-action`, and both forms lead to the provider.
    let origin = Url::parse(party.issuer()).map(|issuer| issuer.origin().ascii_serialization());
    let origin = origin.unwrap_or_default();
    let security = format!(
        "default-src 'none'; style-src 'self'; form-action 'self' {origin}; base-uri 'none'; frame-ancestors 'none'"
    );
    match template.render() {
        Ok(html) => {
            let headers = [(CONTENT_SECURITY_POLICY, security), (CACHE_CONTROL, "no-store".to_owned())];
            (headers, Html(html)).into_response()
        }
        Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, error.to_string()).into_response(),
    }
}

/// Claims by name; texts without quotes.
fn rows(claims: &Value) -> Vec<(String, String)> {
    let shown = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let members = claims.as_object().into_iter().flatten();
    members.map(|(name, value)| (name.clone(), shown(value))).collect()
}

fn pretty(value: &Value) -> String {
    format!("{value:#}")
}
