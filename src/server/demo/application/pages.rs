//! The application's pages. They look like nobody else's: it is a stranger.

use askama::Template;
use axum::http::StatusCode;
use axum::http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY};
use axum::response::{Html, IntoResponse, Response};
use serde_json::Value;

use super::relying_party::{Decoded, Refusal, RelyingParty, SignedIn};

/// The style sheet.
pub(super) const STYLE: &str = include_str!("../../../../templates/demo/style.css");

#[derive(Template)]
#[template(path = "demo/home.html")]
struct Home<'a> {
    issuer: &'a str,
    signed_out: bool,
}

#[derive(Template)]
#[template(path = "demo/signed_in.html")]
struct Welcome<'a> {
    issuer: &'a str,
    name: &'a str,
    claims: Vec<(String, String)>,
    userinfo: Vec<(String, String)>,
    tokens: [(&'static str, String, String); 2],
}

#[derive(Template)]
#[template(path = "demo/problem.html")]
struct Problem<'a> {
    issuer: &'a str,
    reason: &'a str,
}

/// Nobody is signed in.
pub(super) fn home(provider: &RelyingParty, signed_out: bool) -> Response {
    page(provider, &Home { issuer: provider.issuer.as_str(), signed_out })
}

/// What was learned about the user.
pub(super) fn signed_in(provider: &RelyingParty, user: &SignedIn) -> Response {
    let claim = |name: &str| user.userinfo.get(name).and_then(Value::as_str);
    let name = claim("name").or_else(|| claim("preferred_username")).unwrap_or("you");
    let token = |title, token: &Decoded| (title, pretty(&token.header), pretty(&token.payload));
    let welcome = Welcome {
        issuer: provider.issuer.as_str(),
        name,
        claims: rows(&user.claims),
        userinfo: rows(&user.userinfo),
        tokens: [token("ID token", &user.id_token), token("Access token", &user.access_token)],
    };
    page(provider, &welcome)
}

/// Something did not fit.
pub(super) fn problem(provider: &RelyingParty, refusal: &Refusal) -> Response {
    page(provider, &Problem { issuer: provider.issuer.as_str(), reason: &refusal.to_string() })
}

fn page(provider: &RelyingParty, template: &impl Template) -> Response {
    // Browsers hold redirects after a form to `form-action`, and both forms lead to the provider.
    let origin = provider.issuer.url().origin().ascii_serialization();
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
