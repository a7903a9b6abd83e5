//! A portal in the provider's process: its requests go through the router, its sessions lie in the provider's database.

mod back_channel;
mod calls;
mod sessions;

use axum::extract::Query;
use url::Url;

use super::{RelyingParty, RpSettings, Session, SignInResponse};
use crate::domain::scope::ACCOUNT_SESSIONS;
use crate::testing::{Answer, Browser, TestIdp};

const WORLD: &str = r#"
    [[tenants]]
    domain = "one.test"
    name = "One"
    [[users]]
    tenant = "one.test"
    username = "anna"
    password = "correct horse battery staple"
    name = "Anna Example"
    [[users]]
    tenant = "one.test"
    username = "ben"
    password = "correct horse battery staple"
    [[clients]]
    client_id = "portal"
    client_name = "Portal"
    client_secret = "a-secret-of-at-least-32-characters-of-it"
    redirect_uris = ["https://portal.test/callback"]
    post_logout_redirect_uris = ["https://portal.test/signed-out"]
    grant_types = ["authorization_code", "refresh_token"]
    scope = "openid profile account:sessions"
    [[clients]]
    client_id = "office"
    client_secret = "another-secret-of-at-least-32-characters"
    redirect_uris = ["https://portal.test/callback"]
"#;

async fn world() -> TestIdp {
    TestIdp::with(WORLD).await
}

/// The portal, as a node of the provider runs it.
fn portal(idp: &TestIdp) -> RelyingParty {
    party(idp, "portal", "a-secret-of-at-least-32-characters-of-it", &["profile", ACCOUNT_SESSIONS])
}

fn party(idp: &TestIdp, client_id: &str, client_secret: &str, scopes: &[&str]) -> RelyingParty {
    let settings = RpSettings {
        issuer: TestIdp::ISSUER.to_owned(),
        client_id: client_id.to_owned(),
        client_secret: client_secret.to_owned(),
        redirect_uri: "https://portal.test/callback".to_owned(),
        post_logout_redirect_uri: "https://portal.test/signed-out".to_owned(),
        scopes: scopes.iter().map(|&scope| scope.to_owned()).collect(),
        session_lifetime: std::time::Duration::from_hours(8),
    };
    RelyingParty::new(idp.idp().relying_party_handle(), settings)
}

/// Signs in at the provider with a password; returns the address that the browser is sent back to.
async fn log_in(browser: &mut Browser, url: &Url, username: &str) -> Url {
    let login = browser.get(url.as_str()).await;
    if login.step().is_none() {
        return login.url;
    }
    let fields =
        [("tenant", "one.test"), ("username", username), ("password", "correct horse battery staple")];
    let back: Answer = browser.submit(&login, &fields).await;
    assert!(back.url.as_str().starts_with("https://portal.test/callback"), "{} {}", back.url, back.body);
    back.url
}

fn response(callback: &Url) -> SignInResponse {
    let Query(response) = Query::try_from_uri(&callback.as_str().parse().unwrap()).unwrap();
    response
}

/// The cookie of a user who has just signed in at the portal.
async fn sign_in(party: &RelyingParty, browser: &mut Browser, username: &str) -> String {
    let (url, cookie) = party.begin_sign_in(None).await.unwrap();
    let back = log_in(browser, &url, username).await;
    party.complete_sign_in(Some(&cookie), &response(&back)).await.unwrap()
}

async fn session<'p>(party: &'p RelyingParty, cookie: &str) -> Option<Session<'p>> {
    party.session(Some(cookie)).await.unwrap()
}
