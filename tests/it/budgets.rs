//! What the hot requests cost: their statements and writes, counted (architecture, "count statements").
//!
//! Everything that rarely changes is cached by then, and the clock stands still, so the catalogue's revision is not
//! read unless a test says so: the numbers are exact, and the same on both databases.

use std::time::Duration;

use vestibule::testing::{Answer, Application, Browser, Cost, TestIdp, Tokens, totp};

const SECRET: &str = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP";

const WORLD: &str = r#"
    [[tenants]]
    domain = "one.test"
    name = "One"
    [[users]]
    tenant = "one.test"
    username = "bert"
    password = "correct horse battery staple"
    [[users]]
    tenant = "one.test"
    username = "anna"
    password = "correct horse battery staple"
    roles = ["admin"]
    [[users.authenticators]]
    kind = "totp"
    secret = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"
    [[clients]]
    client_id = "shop"
    token_endpoint_auth_method = "none"
    redirect_uris = ["https://shop.test/callback"]
    [[clients]]
    client_id = "veiled"
    client_secret = "a secret of at least 32 characters"
    redirect_uris = ["https://veiled.test/callback"]
    access_token_format = "opaque"
"#;

const DISCOVERY: &str = "/.well-known/openid-configuration";

struct House {
    idp: TestIdp,
    shop: Application,
}

impl House {
    /// A provider that has seen every kind of request once.
    async fn warm() -> Self {
        let idp = TestIdp::with(WORLD).await;
        let shop = idp.application("shop", "https://shop.test/callback");
        let house = Self { idp, shop };
        house.document("/jwks").await;
        house.document(DISCOVERY).await;
        let (_, tokens) = house.signed_in().await;
        house.shop.userinfo(&tokens.access_token).await;
        house
    }

    fn browser(&self) -> Browser {
        self.idp.browser().from_address(([192, 0, 2, 1], 4711).into())
    }

    async fn document(&self, path: &str) -> Answer {
        let answer = self.idp.browser().get(&format!("{}{path}", TestIdp::ISSUER)).await;
        assert_eq!(answer.status, 200, "{path}");
        answer
    }

    /// The first page of a login.
    async fn open(&self, browser: &mut Browser) -> Answer {
        let page = browser.get(&self.shop.authorization_url("openid profile")).await;
        assert_eq!(page.step(), Some("identify"));
        page
    }

    async fn signed_in(&self) -> (Browser, Tokens) {
        let mut browser = self.browser();
        let page = self.open(&mut browser).await;
        let back = browser.submit(&page, &typed("bert")).await;
        (browser, self.shop.redeem(&back).await)
    }

    async fn cost<T>(&self, request: impl Future<Output = T>) -> (T, Cost) {
        let before = self.idp.cost();
        let answer = request.await;
        (answer, self.idp.cost() - before)
    }
}

const fn typed(username: &str) -> [(&str, &str); 3] {
    [("tenant", "one.test"), ("username", username), ("password", "correct horse battery staple")]
}

const fn cost(statements: u64, writes: u64) -> Cost {
    Cost { statements, writes }
}

#[tokio::test]
async fn documents_cost_nothing() {
    let house = House::warm().await;
    for path in [DISCOVERY, "/jwks"] {
        let (_, spent) = house.cost(house.document(path)).await;
        assert_eq!(spent, cost(0, 0), "{path}");
        house.idp.clock().advance(Duration::from_millis(250));
        let (_, spent) = house.cost(house.document(path)).await;
        assert_eq!(spent, cost(1, 0), "{path}: one look at the revision");
    }
}

#[tokio::test]
async fn userinfo_is_one_read() {
    let house = House::warm().await;
    let (_, tokens) = house.signed_in().await;
    let (answer, spent) = house.cost(house.shop.userinfo(&tokens.access_token)).await;
    assert_eq!((answer.status.as_u16(), spent), (200, cost(1, 0)));
}

/// An opaque token is stored when it is issued, in one more write, and looked up in one read.
#[tokio::test]
async fn an_opaque_token_is_one_write_and_one_read() {
    let house = House::warm().await;
    let secret = "a secret of at least 32 characters";
    let veiled = house.idp.application("veiled", "https://veiled.test/callback").secret(secret);
    let mut browser = house.browser();
    let page = browser.get(&veiled.authorization_url("openid")).await;
    let back = browser.submit(&page, &typed("bert")).await;
    let (tokens, redeemed) = house.cost(veiled.redeem(&back)).await;
    assert_eq!(redeemed, cost(3, 2));
    let (answer, spent) = house.cost(veiled.userinfo(&tokens.access_token)).await;
    assert_eq!((answer.status.as_u16(), spent), (200, cost(1, 0)));
}

/// At most four closures: the request, the try, the end of the login, the code.
#[tokio::test]
async fn a_login_is_four_writes() {
    let house = House::warm().await;
    let mut browser = house.browser();
    let (page, opened) = house.cost(house.open(&mut browser)).await;
    assert_eq!(opened, cost(2, 1), "stored by /authorize, read by the page");
    let (back, answered) = house.cost(browser.submit(&page, &typed("bert"))).await;
    assert_eq!(answered, cost(15, 2), "the try is counted before the password is looked at");
    let (tokens, redeemed) = house.cost(house.shop.redeem(&back)).await;
    assert_eq!(redeemed, cost(2, 1), "used up, and the grant read with its user");
    assert_eq!(tokens.id_token["acr"], "urn:vestibule:acr:1fa");
}

/// A browser in which the user has signed in before is looked up with the try, and prolonged with the session.
#[tokio::test]
async fn a_login_in_a_known_browser_is_as_many_writes() {
    let house = House::warm().await;
    let (mut browser, _) = house.signed_in().await;
    browser.cookies().retain(|(_, name), _| !name.contains("session"));
    let page = house.open(&mut browser).await;
    let (back, answered) = house.cost(browser.submit(&page, &typed("bert"))).await;
    assert!(back.parameter("code").is_some(), "{}", back.body);
    assert_eq!(answered, cost(13, 2));
}

/// The code of the authenticator is one more step, and so one more write.
#[tokio::test]
async fn an_administrators_login_is_five_writes() {
    let house = House::warm().await;
    let mut browser = house.browser();
    let page = house.open(&mut browser).await;
    let (page, answered) = house.cost(browser.submit(&page, &typed("anna"))).await;
    assert_eq!(page.step(), Some("second_factor"));
    assert_eq!(answered, cost(13, 2), "with the page that asks for the code");
    let code = totp(SECRET, house.idp.idp().now());
    let (back, proved) = house.cost(browser.submit(&page, &[("code", &code)])).await;
    assert_eq!(proved, cost(15, 1));
    let (tokens, redeemed) = house.cost(house.shop.redeem(&back)).await;
    assert_eq!(redeemed, cost(2, 1));
    assert_eq!(tokens.id_token["acr"], "urn:vestibule:acr:2fa");
}

#[tokio::test]
async fn a_wrong_password_is_two_writes() {
    let house = House::warm().await;
    let mut browser = house.browser();
    let page = house.open(&mut browser).await;
    let mut fields = typed("bert");
    fields[2].1 = "wrong";
    let (page, spent) = house.cost(browser.submit(&page, &fields)).await;
    assert_eq!((page.step(), spent), (Some("identify"), cost(6, 2)), "with the page that says so");
}

#[tokio::test]
async fn a_session_answers_in_one_write() {
    let house = House::warm().await;
    let (mut browser, _) = house.signed_in().await;
    let url = house.shop.authorization_url("openid profile");
    let (back, spent) = house.cost(browser.get(&url)).await;
    assert!(back.parameter("code").is_some(), "{}", back.url);
    assert_eq!(spent, cost(6, 1));
    house.idp.clock().advance(Duration::from_mins(1));
    let (back, spent) = house.cost(browser.get(&url)).await;
    assert!(back.parameter("code").is_some(), "{}", back.url);
    assert_eq!(spent, cost(7, 1), "with a look at the revision");
}

/// A code that comes a second time ends its grant, in the one write too.
#[tokio::test]
async fn a_code_used_twice_is_one_write() {
    let house = House::warm().await;
    let mut browser = house.browser();
    let page = house.open(&mut browser).await;
    let code = browser.submit(&page, &typed("bert")).await.parameter("code").unwrap();
    house.shop.token(&code).await;
    let (answer, spent) = house.cost(house.shop.token(&code)).await;
    assert_eq!((answer.status.as_u16(), spent), (400, cost(4, 1)));
}
