//! The hosted login, from the authorization request to the code.

mod password;

use vestibule::testing::{Answer, Application, Browser, TestIdp};

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
    browser.get(&app.authorization_url_with("openid", more)).await
}

/// Types name and password into the page.
pub(crate) async fn sign_in(browser: &mut Browser, page: &Answer, username: &str, password: &str) -> Answer {
    let fields = [("tenant", DOMAIN), ("username", username), ("password", password)];
    browser.submit(page, &fields).await
}
