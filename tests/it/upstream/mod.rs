//! Signing in at an upstream provider, over real HTTP: a second provider of ours is the upstream.

mod evil;
mod failures;
mod linking;
mod setup;
mod sign_in;
mod story;

use std::time::Duration;

use axum::http::StatusCode;
use serde_json::{Value, json};
use url::Url;
use vestibule::domain::issuer::IssuerUrl;
use vestibule::domain::outbound::AllowedHost;
use vestibule::domain::settings::Settings;
use vestibule::testing::{Answer, Application, Browser, TestIdp, totp};

use crate::paths::PageRequest;
use crate::support::{listen, network, serve};

pub(crate) const DOMAIN: &str = "123456.sms";
pub(crate) const PASSWORD: &str = "correct horse battery staple";
pub(crate) const SECRET: &str = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP";
const CLIENT_SECRET: &str = "a secret of at least 32 characters";
const TWO: &str = "urn:vestibule:acr:2fa";

/// The reseller's provider, ours, and an application of ours. Everybody's clock starts at the same moment.
pub(crate) struct World {
    pub(crate) north: TestIdp,
    pub(crate) idp: TestIdp,
    pub(crate) url: String,
    pub(crate) north_url: String,
    pub(crate) shop: Application,
}

/// The people of the reseller: Nora has a second factor there, Nick has none.
fn north(url: &str) -> String {
    format!(
        r#"
        [[tenants]]
        domain = "north.sms"
        name = "North Systems"
        [[users]]
        tenant = "north.sms"
        username = "nora"
        sub = "nora-of-north"
        password = "{PASSWORD}"
        email = "anna@example.test"
        [[users.authenticators]]
        kind = "totp"
        secret = "{SECRET}"
        [[users]]
        tenant = "north.sms"
        username = "nick"
        sub = "nick-of-north"
        password = "{PASSWORD}"
        email = "bert@example.test"
        [[clients]]
        client_id = "vestibule"
        client_secret = "{CLIENT_SECRET}"
        redirect_uris = ["{url}/login/from/north-login", "{url}/t/{DOMAIN}/login/from/north-login"]
        "#
    )
}

/// Anna and Nick's counterpart sign in upstream, Bert here. Administrators need a second factor from `enforced_from`
/// on.
pub(crate) fn house(north_url: &str, enforced_from: &str) -> String {
    format!(
        r#"
        [[resellers]]
        name = "north"
        title = "North Systems"
        [[tenants]]
        domain = "{DOMAIN}"
        name = "Example Works"
        reseller = "north"
        [tenants.policy]
        admin_mfa_enforced_from = "{enforced_from}"
        [[tenants]]
        domain = "other.sms"
        name = "Other Works"
        [[upstreams]]
        reseller = "north"
        name = "north-login"
        title = "North Systems account"
        issuer = "{north_url}"
        client_id = "vestibule"
        client_secret = "{CLIENT_SECRET}"
        mfa_acr = ["{TWO}"]
        activation_url = "https://portal.north.test/2fa"
        [[users]]
        tenant = "{DOMAIN}"
        username = "anna"
        sub = "anna"
        roles = ["admin"]
        email = "anna@example.test"
        upstream = "north-login"
        upstream_subject = "nora-of-north"
        [[users]]
        tenant = "{DOMAIN}"
        username = "nils"
        roles = ["admin"]
        email = "nils@example.test"
        upstream = "north-login"
        upstream_subject = "nick-of-north"
        [[users]]
        tenant = "{DOMAIN}"
        username = "bert"
        password = "{PASSWORD}"
        email = "bert@example.test"
        [[clients]]
        client_id = "shop"
        client_name = "Shop"
        token_endpoint_auth_method = "none"
        redirect_uris = ["https://shop.test/callback"]
        "#
    )
}

/// The duty lies a century ahead.
pub(crate) const NEVER: &str = "2126-01-01T00:00:00Z";
/// It began before the clocks did.
pub(crate) const ALWAYS: &str = "2026-01-01T00:00:00Z";

impl World {
    pub(crate) async fn new(enforced_from: &str) -> Self {
        let (listener, north_url) = listen().await;
        let (our_listener, url) = listen().await;
        let issuer = IssuerUrl::parse(&north_url).unwrap();
        let north = TestIdp::with_settings(Settings::new(issuer), &north(&url)).await;
        serve(listener, north.router());
        let idp = provider(&url, &north_url, &house(&north_url, enforced_from)).await;
        serve(our_listener, idp.router());
        let shop = idp.application("shop", "https://shop.test/callback");
        Self { north, idp, url, north_url, shop }
    }

    /// Both clocks go on.
    pub(crate) fn advance(&self, by: Duration) {
        self.north.clock().advance(by);
        self.idp.clock().advance(by);
    }

    pub(crate) async fn open(&self, browser: &mut Browser, more: &[(&str, &str)]) -> Answer {
        open(browser, &self.shop, more).await
    }

    /// From our first page to the upstream provider's.
    pub(crate) async fn depart(&self, browser: &mut Browser, page: &Answer) -> Answer {
        let there = match page.step() {
            Some("upstream_proof") => browser.submit(page, &[]).await,
            _ => browser.get(&way(page)).await,
        };
        travel(browser, there).await
    }

    /// Types a name there, and the code if it is asked for; then back to whatever comes.
    pub(crate) async fn vouch(&self, browser: &mut Browser, page: &Answer, username: &str) -> Answer {
        assert!(page.url.as_str().starts_with(&self.north_url), "{} {}", page.url, page.body);
        let fields = [("tenant", "north.sms"), ("username", username), ("password", PASSWORD)];
        let answer = browser.submit(page, &fields).await;
        let answer = travel(browser, answer).await;
        if answer.step() != Some("second_factor") {
            return answer;
        }
        let code = totp(SECRET, self.north.idp().now());
        let answer = browser.submit(&answer, &[("code", &code)]).await;
        travel(browser, answer).await
    }

    /// The same for a signed-in upstream user.
    pub(crate) async fn present(&self, visitor: &mut impl PageRequest, username: &str) {
        assert!(visitor.address().await.starts_with(&self.north_url), "{}", visitor.address().await);
        visitor.submit(&[("tenant", "north.sms"), ("username", username), ("password", PASSWORD)]).await;
        if visitor.step().await == "second_factor" {
            let code = totp(SECRET, self.north.idp().now());
            visitor.submit(&[("code", &code)]).await;
        }
    }

    /// All of it, for a browser that was never here.
    pub(crate) async fn enter(&self, browser: &mut Browser, username: &str) -> Answer {
        let page = self.open(browser, &[]).await;
        let there = self.depart(browser, &page).await;
        self.vouch(browser, &there, username).await
    }
}

/// A provider that may ask this address, although it is inside.
pub(crate) async fn provider(url: &str, upstream: &str, document: &str) -> TestIdp {
    TestIdp::with_settings(settings(url, upstream), document).await
}

fn settings(url: &str, upstream: &str) -> Settings {
    let mut settings = Settings::new(IssuerUrl::parse(url).unwrap());
    let upstream = Url::parse(upstream).unwrap();
    let host = format!("{}:{}", upstream.host_str().unwrap(), upstream.port().unwrap());
    settings.outbound.allow = vec![AllowedHost::parse(&host).unwrap()];
    settings
}

pub(crate) async fn open(browser: &mut Browser, shop: &Application, more: &[(&str, &str)]) -> Answer {
    let answer = browser.get(&shop.authorization_url_with("openid profile", more)).await;
    travel(browser, answer).await
}

/// The link to the upstream provider on a page.
pub(crate) fn way(page: &Answer) -> String {
    let links = page.body.split("href=\"").skip(1).map(|rest| rest.split('"').next().unwrap());
    let mut ways = links.filter(|link| link.contains("/with/"));
    let way = ways.next().unwrap_or_else(|| panic!("no way upstream: {} {}", page.url, page.body));
    page.url.join(&way.replace("&#38;", "&")).unwrap().to_string()
}

/// Goes on from host to host until there is a page, or the application's address.
pub(crate) async fn travel(browser: &mut Browser, mut answer: Answer) -> Answer {
    while answer.status.is_redirection() && answer.url.host_str() == Some("127.0.0.1") {
        answer = browser.get(answer.url.as_str()).await;
    }
    answer
}
