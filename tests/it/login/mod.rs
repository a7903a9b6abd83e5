//! The hosted login, from the authorization request to the code.

mod browsers;
mod consent;
mod delivered;
mod devices;
mod enrolment;
mod imported;
mod mailbox;
mod meets;
mod named_sign_out;
pub(crate) mod passkey;
mod password;
mod pushed;
mod random;
mod second_factor;
mod session;
mod sign_out;
mod step_up;
mod steps;
mod stolen_cookie;
mod trusted;
mod waiting;

use std::time::Duration;

use vestibule::ext::Clock;
use vestibule::testing::{Answer, Application, Browser, TestIdp, totp};

/// A tenant whose administrators have needed a second factor since always, with one of each kind of user.
pub(crate) const HOUSE: &str = r#"
    [[tenants]]
    domain = "123456.sms"
    name = "Example Works"
    [[tenants]]
    domain = "other.sms"
    name = "Other Works"

    [[users]]
    tenant = "123456.sms"
    username = "anna"
    password = "correct horse battery staple"
    roles = ["admin"]
    [[users]]
    tenant = "123456.sms"
    username = "bert"
    password = "correct horse battery staple"
    email = "bert@example.test"
    [[users]]
    tenant = "123456.sms"
    username = "tina"
    password = "correct horse battery staple"
    [[users.authenticators]]
    kind = "totp"
    secret = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"
    [[users]]
    tenant = "other.sms"
    username = "bert"
    password = "another horse"

    [[clients]]
    client_id = "shop"
    client_name = "Shop"
    client_uri = "https://shop.test/"
    token_endpoint_auth_method = "none"
    redirect_uris = ["https://shop.test/callback"]
    post_logout_redirect_uris = ["https://shop.test/bye"]
    [[clients]]
    tenant = "123456.sms"
    client_id = "desk"
    token_endpoint_auth_method = "none"
    redirect_uris = ["https://desk.test/callback"]
    [[clients]]
    client_id = "careful"
    token_endpoint_auth_method = "none"
    redirect_uris = ["https://careful.test/callback"]
    require_consent = true
"#;

pub(crate) const DOMAIN: &str = "123456.sms";
pub(crate) const PASSWORD: &str = "correct horse battery staple";
/// Tina's authenticator.
pub(crate) const SECRET: &str = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP";

pub(crate) async fn house() -> (TestIdp, Application) {
    let idp = TestIdp::with(HOUSE).await;
    let shop = idp.application("shop", "https://shop.test/callback");
    (idp, shop)
}

/// Opens the login of an application with further parameters.
pub(crate) async fn open(browser: &mut Browser, app: &Application, more: &[(&str, &str)]) -> Answer {
    browser.get(&app.authorization_url_with("openid profile", more)).await
}

/// Types name and password into the page.
pub(crate) async fn sign_in(browser: &mut Browser, page: &Answer, username: &str, password: &str) -> Answer {
    let fields = [("tenant", DOMAIN), ("username", username), ("password", password)];
    browser.submit(page, &fields).await
}

/// Signs a user in from nothing, up to whatever comes after the password.
pub(crate) async fn enter(browser: &mut Browser, app: &Application, username: &str) -> Answer {
    let page = open(browser, app, &[]).await;
    sign_in(browser, &page, username, PASSWORD).await
}

/// The code that Tina's authenticator shows now.
pub(crate) fn code(idp: &TestIdp) -> String {
    totp(SECRET, idp.clock().now())
}

/// Lets the authenticator show its next code.
pub(crate) fn next_code(idp: &TestIdp) -> String {
    idp.clock().advance(Duration::from_secs(30));
    code(idp)
}

/// The secret that an enrolment page shows.
pub(crate) fn shown_secret(page: &Answer) -> String {
    let (_, rest) = page.body.split_once("secret=").expect(&page.body);
    rest.chars().take_while(char::is_ascii_alphanumeric).collect()
}

/// The recovery codes that a page shows.
pub(crate) fn shown_codes(page: &Answer) -> Vec<String> {
    let (_, list) = page.body.split_once("class=\"codes\"").expect(&page.body);
    let (list, _) = list.split_once("</ol>").expect(list);
    list.split("<code>").skip(1).map(|rest| rest.split('<').next().unwrap().to_owned()).collect()
}

/// The error that the application got.
pub(crate) fn error(answer: &Answer) -> Option<String> {
    answer.parameter("error")
}

/// The page without what differs between any two: the form's token, the login's id, the reference.
pub(crate) fn bare(answer: &Answer) -> String {
    let mut text = answer.body.clone();
    let differing =
        [("name=\"csrf\" value=\"", "\""), ("/login/", "/"), ("%2Flogin%2F", "%2F"), ("/reset?login=", "&")];
    for (before, after) in differing {
        let parts: Vec<_> = text.split(before).map(str::to_owned).collect();
        let kept = parts.iter().skip(1).map(|part| part.split_once(after).map_or("", |(_, rest)| rest));
        text = std::iter::once(parts[0].as_str()).chain(kept).collect::<Vec<_>>().join("~");
    }
    match text.split_once("<footer>") {
        Some((page, footer)) => {
            let after = footer.split_once("</p>").map_or(footer, |(_, rest)| rest);
            format!("{page}{after}")
        }
        None => text,
    }
}
