//! Passkeys and security keys: enrolled, as second factor and as the only one, and everything that an answer must not
//! be.

use serde_json::{Value, json};
use vestibule::SupportAction;
use vestibule::domain::event::Event;
use vestibule::testing::{Answer, Application, Browser, TestIdp};

use super::{PASSWORD, error, shown_codes};
use crate::support::passkey::{SoftKey, asked};

const WORLD: &str = r#"
    [[tenants]]
    domain = "one.test"
    name = "One"
    hosts = ["login.one.test"]
    [tenants.policy]
    mfa = "required"
    methods = ["totp", "passkey"]
    passkey_sign_in = true
    [[tenants]]
    domain = "two.test"
    name = "Two"
    [tenants.policy]
    methods = ["passkey"]
    [[users]]
    tenant = "one.test"
    username = "anna"
    name = "Anna Arndt"
    password = "correct horse battery staple"
    roles = ["admin"]
    [[users]]
    tenant = "one.test"
    username = "bert"
    password = "correct horse battery staple"
    [[users]]
    tenant = "two.test"
    username = "zoe"
    password = "correct horse battery staple"
    roles = ["admin"]
    [[clients]]
    client_id = "shop"
    token_endpoint_auth_method = "none"
    redirect_uris = ["https://shop.test/callback"]
    grant_types = ["authorization_code", "refresh_token"]
    [[clients]]
    tenant = "one.test"
    client_id = "desk"
    token_endpoint_auth_method = "none"
    redirect_uris = ["https://desk.test/callback"]
    [[clients]]
    tenant = "two.test"
    client_id = "desk"
    token_endpoint_auth_method = "none"
    redirect_uris = ["https://desk.test/callback"]
"#;

const ROOT: &str = TestIdp::ISSUER;
const HOST: &str = "https://login.one.test";

struct House {
    idp: TestIdp,
    shop: Application,
}

impl House {
    async fn new() -> Self {
        let idp = TestIdp::with(WORLD).await;
        let shop = idp.application("shop", "https://shop.test/callback");
        Self { idp, shop }
    }

    /// An application of a tenant, at one of its own issuers.
    fn desk(&self, issuer: &str) -> Application {
        Application::new(&self.idp, issuer, "desk", "https://desk.test/callback")
    }

    /// Up to what comes after the password, at the root issuer.
    async fn enter(&self, browser: &mut Browser, name: &str, tenant: &str) -> Answer {
        let page = browser.get(&self.shop.authorization_url("openid")).await;
        let typed = [("tenant", tenant), ("username", name), ("password", PASSWORD)];
        browser.submit(&page, &typed).await
    }

    /// The page that waits for a passkey, after the password.
    async fn at_passkey(&self, browser: &mut Browser, name: &str) -> Answer {
        let page = self.enter(browser, name, "one.test").await;
        assert_eq!(page.step(), Some("passkey"), "{}", page.body);
        page
    }

    /// Gives a user this key; tells the recovery codes and what the application got.
    async fn enrol(&self, name: &str, tenant: &str, key: &mut SoftKey) -> (Vec<String>, Answer) {
        let mut browser = self.idp.browser();
        let mut page = self.enter(&mut browser, name, tenant).await;
        if page.step() == Some("choose_method") {
            page = browser.submit(&page, &[("method", "passkey")]).await;
        }
        enrol_here(&mut browser, &page, key).await
    }

    fn events(&self) -> Vec<Event> {
        self.idp.events().all()
    }
}

pub(crate) async fn enrol_here(
    browser: &mut Browser,
    page: &Answer,
    key: &mut SoftKey,
) -> (Vec<String>, Answer) {
    assert_eq!(page.step(), Some("enrol_passkey"), "{}", page.body);
    let codes = browser.submit(page, &[("credential", &key.create(page))]).await;
    assert_eq!(codes.step(), Some("recovery_codes"), "{}", codes.body);
    let back = browser.submit(&codes, &[("stored", "yes")]).await;
    (shown_codes(&codes), back)
}

pub(crate) async fn answer(browser: &mut Browser, page: &Answer, credential: &str) -> Answer {
    browser.submit(page, &[("credential", credential)]).await
}

/// Posts the page's other form: signing in with a passkey.
pub(crate) async fn sign_in(browser: &mut Browser, page: &Answer, credential: &str) -> Answer {
    let (_, form) = page
        .body
        .split_once("data-offer")
        .map(|(before, _)| before.rsplit_once("action=\"").unwrap())
        .unwrap();
    let action = form.split('"').next().unwrap().replace("&#38;", "&");
    let (_, csrf) = page.body.split_once("name=\"csrf\" value=\"").unwrap();
    let csrf = csrf.split('"').next().unwrap();
    let url = page.url.join(&action).unwrap();
    browser.post(url.as_str(), &[("csrf", csrf), ("credential", credential)]).await
}

async fn is_in(app: &Application, answer: &Answer, acr: &str, amr: &Value) {
    assert!(answer.parameter("code").is_some(), "{} {}", answer.url, answer.body);
    let token = app.redeem(answer).await.id_token;
    assert_eq!((&token["acr"], &token["amr"]), (&json!(acr), amr));
}

#[tokio::test]
async fn a_passkey_is_enrolled_and_proves_the_second_factor() {
    let house = House::new().await;
    let mut phone = SoftKey::phone(ROOT, "phone");
    let (codes, back) = house.enrol("anna", "one.test", &mut phone).await;
    assert_eq!(codes.len(), 10);
    is_in(&house.shop, &back, "phr", &json!(["pwd", "swk", "user", "mfa"])).await;

    let mut browser = house.idp.browser();
    let page = house.at_passkey(&mut browser, "anna").await;
    let options = asked(&page);
    assert_eq!(
        (&options["rpId"], &options["allowCredentials"][0]["id"]),
        (&json!("id.test"), &json!(phone.id))
    );
    let back = answer(&mut browser, &page, &phone.get(&page)).await;
    is_in(&house.shop, &back, "phr", &json!(["pwd", "swk", "user", "mfa"])).await;
}

#[tokio::test]
async fn the_browser_is_told_who_it_is_for_but_no_names_that_are_keys() {
    let house = House::new().await;
    let mut browser = house.idp.browser();
    let page = house.enter(&mut browser, "anna", "one.test").await;
    let page = browser.submit(&page, &[("method", "passkey")]).await;
    let options = asked(&page);
    assert_eq!(options["rp"], json!({"id": "id.test", "name": "One"}));
    assert_eq!(options["user"]["name"], "anna@one.test");
    assert_eq!(options["user"]["displayName"], "Anna Arndt");
    assert_eq!(options["attestation"], "none");
    let selection = &options["authenticatorSelection"];
    assert_eq!(
        (&selection["residentKey"], &selection["userVerification"]),
        (&json!("preferred"), &json!("preferred"))
    );
    let reloaded = browser.get(page.url.as_str()).await;
    assert_eq!(asked(&reloaded), options, "a reload asks the same");
    let other = browser.submit(&reloaded, &[("another", "yes")]).await;
    assert_eq!(other.step(), Some("choose_method"));
}

#[tokio::test]
async fn a_security_key_without_a_pin_is_a_second_factor_and_no_more() {
    let house = House::new().await;
    let mut stick = SoftKey::stick(ROOT, "stick");
    let (_, back) = house.enrol("bert", "one.test", &mut stick).await;
    is_in(&house.shop, &back, "phr", &json!(["pwd", "hwk", "user", "mfa"])).await;
    let mut browser = house.idp.browser();
    let page = browser.get(&house.shop.authorization_url("openid")).await;
    let refused = sign_in(&mut browser, &page, &stick.get(&page)).await;
    assert_eq!(refused.step(), Some("identify"));
    assert!(refused.body.contains("This passkey cannot be used"), "{}", refused.body);
    let page = house.at_passkey(&mut browser, "bert").await;
    let back = answer(&mut browser, &page, &stick.get(&page)).await;
    is_in(&house.shop, &back, "phr", &json!(["pwd", "hwk", "user", "mfa"])).await;
}

#[tokio::test]
async fn a_passkey_signs_in_without_a_name() {
    let house = House::new().await;
    let mut phone = SoftKey::phone(ROOT, "phone");
    house.enrol("anna", "one.test", &mut phone).await;
    for app in [&house.shop, &house.desk("https://id.test/t/one.test")] {
        let mut browser = house.idp.browser();
        let page = browser.get(&app.authorization_url("openid")).await;
        assert!(page.body.contains("autocomplete=\"username webauthn\""), "{}", page.body);
        assert_eq!(asked(&page)["userVerification"], "required");
        let back = sign_in(&mut browser, &page, &phone.get(&page)).await;
        is_in(app, &back, "phr", &json!(["swk", "user", "mfa"])).await;
        let again = browser.get(&app.authorization_url("openid")).await;
        is_in(app, &again, "phr", &json!(["swk", "user", "mfa"])).await;
    }
}

#[tokio::test]
async fn whom_a_passkey_does_not_sign_in_is_told_nothing() {
    let house = House::new().await;
    let (mut anna, mut zoe) = (SoftKey::phone(ROOT, "anna"), SoftKey::phone(ROOT, "zoe"));
    house.enrol("anna", "one.test", &mut anna).await;
    house.enrol("zoe", "two.test", &mut zoe).await;
    let mut stranger = SoftKey::phone(ROOT, "stranger");
    stranger.user_handle.clone_from(&anna.user_handle);
    let mut nameless = SoftKey::phone(ROOT, "anna");
    nameless.user_handle = None;
    let mut bodies = Vec::new();
    for key in [&mut zoe, &mut stranger, &mut nameless] {
        let mut browser = house.idp.browser();
        let page = browser.get(&house.shop.authorization_url("openid")).await;
        let refused = sign_in(&mut browser, &page, &key.get(&page)).await;
        assert_eq!(refused.step(), Some("identify"));
        bodies.push(super::bare(&refused));
    }
    let disabled = r#"
        [[users]]
        tenant = "one.test"
        username = "anna"
        disabled = true
    "#;
    house.idp.idp().apply(disabled).await.unwrap();
    let mut browser = house.idp.browser();
    let page = browser.get(&house.shop.authorization_url("openid")).await;
    let refused = sign_in(&mut browser, &page, &anna.get(&page)).await;
    bodies.push(super::bare(&refused));
    let bare = |body: &String| body.split("data-passkey").next().unwrap().to_owned();
    assert!(bodies.iter().map(bare).all(|body| body == bare(&bodies[0])), "{bodies:#?}");
}

/// Web Authentication Level 3 §7.2: where the user is not known beforehand, the answer must name them.
#[tokio::test]
async fn a_sign_in_must_name_the_passkeys_own_user() {
    let house = House::new().await;
    let (mut anna, mut bert) = (SoftKey::phone(ROOT, "anna"), SoftKey::phone(ROOT, "bert"));
    house.enrol("anna", "one.test", &mut anna).await;
    house.enrol("bert", "one.test", &mut bert).await;
    let own = anna.user_handle.clone();
    for (handle, is_right) in
        [(None, false), (Some(String::new()), false), (bert.user_handle, false), (own, true)]
    {
        anna.user_handle.clone_from(&handle);
        let mut browser = house.idp.browser();
        let page = browser.get(&house.shop.authorization_url("openid")).await;
        let back = sign_in(&mut browser, &page, &anna.get(&page)).await;
        assert_eq!(back.parameter("code").is_some(), is_right, "{handle:?} {:?}", back.step());
    }
}

/// §7.2: where the user is known, the answer need not name them, and if it does it must name this one.
#[tokio::test]
async fn a_second_factor_that_names_a_user_must_name_this_one() {
    let house = House::new().await;
    let (mut anna, mut bert) = (SoftKey::phone(ROOT, "anna"), SoftKey::phone(ROOT, "bert"));
    house.enrol("anna", "one.test", &mut anna).await;
    house.enrol("bert", "one.test", &mut bert).await;
    let own = anna.user_handle.clone();
    let odd = Some("AAAA".to_owned());
    for (handle, is_right) in [(bert.user_handle, false), (odd, false), (None, true), (own, true)] {
        anna.user_handle.clone_from(&handle);
        let mut browser = house.idp.browser();
        let page = house.at_passkey(&mut browser, "anna").await;
        let back = answer(&mut browser, &page, &anna.get(&page)).await;
        assert_eq!(back.parameter("code").is_some(), is_right, "{handle:?} {:?}", back.step());
    }
}

#[tokio::test]
async fn a_tenant_that_does_not_allow_it_offers_no_sign_in() {
    let house = House::new().await;
    let mut zoe = SoftKey::phone(ROOT, "zoe");
    house.enrol("zoe", "two.test", &mut zoe).await;
    let mut browser = house.idp.browser();
    let page = browser.get(&house.desk("https://id.test/t/two.test").authorization_url("openid")).await;
    assert!(!page.body.contains("data-passkey") && !page.body.contains("webauthn"), "{}", page.body);
    let url = page.url.as_str().replace("/identify", "/passkey_sign_in");
    let (_, csrf) = page.body.split_once("name=\"csrf\" value=\"").unwrap();
    let csrf = csrf.split('"').next().unwrap();
    let root = browser.get(&house.shop.authorization_url("openid")).await;
    let guess = browser.post(&url, &[("csrf", csrf), ("credential", &zoe.get(&root))]).await;
    assert_eq!(guess.step(), Some("identify"));
}

#[tokio::test]
async fn an_answer_counts_once_and_only_for_its_login() {
    let house = House::new().await;
    let mut phone = SoftKey::phone(ROOT, "phone");
    house.enrol("anna", "one.test", &mut phone).await;
    let (mut one, mut two) = (house.idp.browser(), house.idp.browser());
    let (first, second) =
        (house.at_passkey(&mut one, "anna").await, house.at_passkey(&mut two, "anna").await);
    let given = phone.get(&first);
    let refused = answer(&mut two, &second, &given).await;
    assert_eq!(refused.step(), Some("passkey"), "another login's challenge");
    assert!(refused.body.contains("The passkey was not accepted"), "{}", refused.body);
    assert_ne!(asked(&refused)["challenge"], asked(&second)["challenge"], "a question is asked once");
    assert!(answer(&mut one, &first, &given).await.parameter("code").is_some());
    let third = house.at_passkey(&mut house.idp.browser(), "anna").await;
    assert_eq!(answer(&mut two, &refused, &given).await.step(), Some("passkey"), "a replay");
    drop(third);
    // A right answer to a question that a wrong answer has used up.
    let late = phone.get(&second);
    assert_eq!(answer(&mut two, &second, &late).await.step(), Some("passkey"));
}

#[tokio::test]
async fn an_answer_for_another_site_is_refused() {
    let house = House::new().await;
    let mut phone = SoftKey::phone(ROOT, "phone");
    house.enrol("anna", "one.test", &mut phone).await;
    let wrong: [fn(&mut SoftKey); 7] = [
        |key| key.origin = "https://id.test.evil.test".to_owned(),
        |key| key.origin = "https://evil.test".to_owned(),
        |key| key.origin = "https://sub.id.test".to_owned(),
        |key| key.origin = "https://badid.test".to_owned(),
        |key| key.origin = "https://id.test:8443".to_owned(),
        |key| key.rp_id = "evil.test".to_owned(),
        |key| key.verifies = false,
    ];
    for (attempt, spoil) in wrong.into_iter().enumerate() {
        house.idp.idp().help("one.test", "anna", SupportAction::Unlock).await.unwrap();
        let mut browser = house.idp.browser();
        let page = house.at_passkey(&mut browser, "anna").await;
        let good = (phone.origin.clone(), phone.rp_id.clone(), phone.verifies);
        spoil(&mut phone);
        let given = phone.get(&page);
        (phone.origin, phone.rp_id, phone.verifies) = good;
        assert_eq!(answer(&mut browser, &page, &given).await.step(), Some("passkey"), "{attempt}");
    }
    house.idp.idp().help("one.test", "anna", SupportAction::Unlock).await.unwrap();
    let mut browser = house.idp.browser();
    let page = house.at_passkey(&mut browser, "anna").await;
    let forged = SoftKey::phone(ROOT, "phone").get(&page);
    assert_eq!(answer(&mut browser, &page, &forged).await.step(), Some("passkey"), "another key");
    for odd in ["{}", "null", "[[[[", "\u{0}", &"x".repeat(10_000)] {
        let page = browser.get(page.url.as_str()).await;
        assert!(answer(&mut browser, &page, odd).await.step().is_some(), "{odd:.20}");
    }
}

#[tokio::test]
async fn a_counter_that_goes_back_is_refused_and_told() {
    let house = House::new().await;
    let mut stick = SoftKey::stick(ROOT, "stick");
    stick.counter = Some(40);
    house.enrol("bert", "one.test", &mut stick).await;
    let mut browser = house.idp.browser();
    let page = house.at_passkey(&mut browser, "bert").await;
    stick.counter = Some(7);
    let refused = answer(&mut browser, &page, &stick.get(&page)).await;
    assert_eq!(refused.step(), Some("passkey"));
    let told = |event: &Event| matches!(event, Event::PasskeyCounterWentBack { .. });
    assert_eq!(house.events().iter().filter(|event| told(event)).count(), 1);
    stick.counter = Some(41);
    assert!(answer(&mut browser, &refused, &stick.get(&refused)).await.parameter("code").is_some());
}

#[tokio::test]
async fn one_users_key_is_no_use_to_another() {
    let house = House::new().await;
    let (mut annas, mut berts) = (SoftKey::phone(ROOT, "annas"), SoftKey::phone(ROOT, "berts"));
    house.enrol("anna", "one.test", &mut annas).await;
    house.enrol("bert", "one.test", &mut berts).await;
    let mut browser = house.idp.browser();
    let page = house.at_passkey(&mut browser, "anna").await;
    assert_eq!(answer(&mut browser, &page, &berts.get(&page)).await.step(), Some("passkey"));
    // A registered credential cannot be registered by another user.
    let mut zoe = house.idp.browser();
    let page = house.enter(&mut zoe, "zoe", "two.test").await;
    let mut taken = SoftKey::phone(ROOT, "annas");
    let refused = zoe.submit(&page, &[("credential", &taken.create(&page))]).await;
    assert_eq!(refused.step(), Some("enrol_passkey"), "{}", refused.body);
    let mut own = SoftKey::phone(ROOT, "zoes");
    assert_eq!(enrol_here(&mut zoe, &refused, &mut own).await.0.len(), 10);
}

#[tokio::test]
async fn of_two_posts_of_one_answer_one_counts() {
    let house = House::new().await;
    for key in [SoftKey::phone(ROOT, "phone"), SoftKey::stick(ROOT, "stick")] {
        let mut key = key;
        let user = if key.verifies { "anna" } else { "bert" };
        house.enrol(user, "one.test", &mut key).await;
        let mut browser = house.idp.browser();
        let page = house.at_passkey(&mut browser, user).await;
        let given = key.get(&page);
        let posts = (0..8).map(|_| {
            let (mut browser, page, given) = (browser.clone(), page.clone(), given.clone());
            async move { answer(&mut browser, &page, &given).await }
        });
        let answers = futures_util::future::join_all(posts).await;
        let codes = answers.iter().filter(|answer| answer.parameter("code").is_some()).count();
        assert_eq!(codes, 1, "{user}");
    }
}

#[tokio::test]
async fn five_wrong_answers_begin_the_login_again() {
    let house = House::new().await;
    let mut phone = SoftKey::phone(ROOT, "phone");
    house.enrol("anna", "one.test", &mut phone).await;
    let mut browser = house.idp.browser();
    let mut page = house.at_passkey(&mut browser, "anna").await;
    for _ in 0..5 {
        assert_eq!(page.step(), Some("passkey"));
        let forged = SoftKey::phone(ROOT, "phone").get(&page);
        page = answer(&mut browser, &page, &forged).await;
    }
    assert_eq!(page.step(), Some("identify"));
    let page = house.at_passkey(&mut browser, "anna").await;
    let locked = answer(&mut browser, &page, &phone.get(&page)).await;
    assert_eq!(locked.step(), Some("wait"), "and the passkey is not looked at for a while");
}

#[tokio::test]
async fn without_a_script_the_page_says_so() {
    let house = House::new().await;
    let mut phone = SoftKey::phone(ROOT, "phone");
    house.enrol("anna", "one.test", &mut phone).await;
    let mut browser = house.idp.browser();
    let page = house.at_passkey(&mut browser, "anna").await;
    assert!(page.body.contains("<noscript>"));
    let told = answer(&mut browser, &page, "").await;
    assert_eq!(told.step(), Some("passkey"));
    assert!(told.body.contains("Switch it on and try again"), "{}", told.body);
    assert_eq!(asked(&told)["challenge"], asked(&page)["challenge"], "the question stands");
    assert!(answer(&mut browser, &told, &phone.get(&told)).await.parameter("code").is_some());
}

#[tokio::test]
async fn a_passkey_for_another_host_needs_a_recovery_code_there() {
    let house = House::new().await;
    let mut phone = SoftKey::phone(ROOT, "phone");
    let (codes, _) = house.enrol("anna", "one.test", &mut phone).await;
    let desk = house.desk(HOST);
    let mut browser = house.idp.browser();
    let page = browser.get(&desk.authorization_url("openid")).await;
    let named = [("username", "anna"), ("password", PASSWORD)];
    let page = browser.submit(&page, &named).await;
    assert_eq!(page.step(), Some("recovery"), "the password alone enrols nothing: {}", page.body);
    let page = browser.submit(&page, &[("code", &codes[0])]).await;
    let page = browser.submit(&page, &[("method", "passkey")]).await;
    let mut second = SoftKey::phone(HOST, "second");
    assert_eq!(asked(&page)["user"]["id"].as_str(), phone.user_handle.as_deref(), "one handle for one user");
    let (_, back) = enrol_here(&mut browser, &page, &mut second).await;
    is_in(&desk, &back, "phr", &json!(["pwd", "swk", "user", "mfa"])).await;
    // Both work, each at its host.
    let mut browser = house.idp.browser();
    let page = house.at_passkey(&mut browser, "anna").await;
    assert_eq!(asked(&page)["allowCredentials"].as_array().unwrap().len(), 1);
    assert!(answer(&mut browser, &page, &phone.get(&page)).await.parameter("code").is_some());
    let mut browser = house.idp.browser();
    let page = browser.get(&desk.authorization_url("openid")).await;
    let moved = sign_in(&mut browser, &page, &phone.get(&page)).await;
    assert_eq!(moved.step(), Some("identify"), "what was made for another host");
    let back = sign_in(&mut browser, &moved, &second.get(&moved)).await;
    is_in(&desk, &back, "phr", &json!(["swk", "user", "mfa"])).await;
}

#[tokio::test]
async fn after_a_recovery_code_the_lost_passkey_is_gone() {
    let house = House::new().await;
    let mut lost = SoftKey::phone(ROOT, "lost");
    let (codes, _) = house.enrol("anna", "one.test", &mut lost).await;
    let mut browser = house.idp.browser();
    let page = house.at_passkey(&mut browser, "anna").await;
    let page = browser.get(&page.url.as_str().replace("/passkey", "/recovery")).await;
    let page = browser.submit(&page, &[("code", &codes[3])]).await;
    let page = browser.submit(&page, &[("method", "passkey")]).await;
    assert_eq!(asked(&page)["excludeCredentials"], json!([]), "the lost one may be made anew where it is");
    let mut found = SoftKey::phone(ROOT, "found");
    enrol_here(&mut browser, &page, &mut found).await;
    let mut browser = house.idp.browser();
    let page = house.at_passkey(&mut browser, "anna").await;
    assert_eq!(asked(&page)["allowCredentials"][0]["id"], json!(found.id));
    assert_eq!(answer(&mut browser, &page, &lost.get(&page)).await.step(), Some("passkey"));
}

#[tokio::test]
async fn a_client_may_demand_a_passkey() {
    let house = House::new().await;
    let claims = r#"{"id_token":{"acr":{"essential":true,"value":"phr"}}}"#;
    let url = house.shop.authorization_url_with("openid", &[("claims", claims)]);
    let mut browser = house.idp.browser();
    let page = browser.get(&url).await;
    let named = [("tenant", "one.test"), ("username", "bert"), ("password", PASSWORD)];
    let page = browser.submit(&page, &named).await;
    let mut phone = SoftKey::phone(ROOT, "phone");
    let (_, back) = enrol_here(&mut browser, &page, &mut phone).await;
    is_in(&house.shop, &back, "phr", &json!(["pwd", "swk", "user", "mfa"])).await;
    let hardware = claims.replace("phr", "phrh");
    let refused = browser.get(&house.shop.authorization_url_with("openid", &[("claims", &hardware)])).await;
    assert_eq!(error(&refused).as_deref(), Some("unmet_authentication_requirements"));
}

#[tokio::test]
async fn an_export_brings_passkeys_back() {
    let house = House::new().await;
    let mut phone = SoftKey::phone(ROOT, "phone");
    house.enrol("anna", "one.test", &mut phone).await;
    let document = house.idp.idp().export().await.unwrap();
    let fresh = TestIdp::with(&document).await;
    assert_eq!(fresh.idp().export().await.unwrap(), document);
    assert_eq!(fresh.idp().apply(&document).await.unwrap().to_string(), "nothing changed");
    let shop = fresh.application("shop", "https://shop.test/callback");
    let mut browser = fresh.browser();
    let page = browser.get(&shop.authorization_url("openid")).await;
    let back = sign_in(&mut browser, &page, &phone.get(&page)).await;
    is_in(&shop, &back, "phr", &json!(["swk", "user", "mfa"])).await;

    let signed_in = [("prompt", "none")];
    let silent = browser.get(&shop.authorization_url_with("openid", &signed_in)).await;
    assert!(silent.parameter("code").is_some(), "{}", silent.url);

    let (_, stolen) = document.split_once("[[users.passkeys]]").unwrap();
    let stolen = stolen.split("[[").next().unwrap();
    let theft = format!("[[users]]\ntenant = \"two.test\"\nusername = \"zoe\"\n[[users.passkeys]]\n{stolen}");
    let refused = fresh.idp().apply(&theft).await.unwrap_err().to_string();
    assert!(refused.contains("users[0].passkeys[0]: is another user's"), "{refused}");
    let broken = theft.replace("\"id.test\"", "\"ID.test:80\"");
    let refused = fresh.idp().apply(&broken).await.unwrap_err().to_string();
    assert!(refused.contains("users[0].passkeys[0].rp_id: must be a host name"), "{refused}");
    let none = "[[users]]\ntenant = \"one.test\"\nusername = \"anna\"\npasskeys = []";
    assert_eq!(fresh.idp().apply(none).await.unwrap().to_string(), "changed user one.test/anna");
    let silent = browser.get(&shop.authorization_url_with("openid", &signed_in)).await;
    assert_eq!(error(&silent).as_deref(), Some("login_required"), "nothing else was proved in this session");
    let mut browser = fresh.browser();
    let page = browser.get(&shop.authorization_url("openid")).await;
    let gone = sign_in(&mut browser, &page, &phone.get(&page)).await;
    assert_eq!(gone.step(), Some("identify"));
}

/// The credential tells the tenant at the root issuer; a tenant's own issuer is for its own users.
#[tokio::test]
async fn a_passkey_signs_nobody_in_at_another_tenants_issuer() {
    let house = House::new().await;
    let mut zoe = SoftKey::phone(ROOT, "zoe");
    house.enrol("zoe", "two.test", &mut zoe).await;
    let allow = "[[tenants]]\ndomain = \"two.test\"\n[tenants.policy]\npasskey_sign_in = true";
    house.idp.idp().apply(allow).await.unwrap();
    let mut browser = house.idp.browser();
    let page = browser.get(&house.desk("https://id.test/t/one.test").authorization_url("openid")).await;
    let refused = sign_in(&mut browser, &page, &zoe.get(&page)).await;
    assert_eq!(refused.step(), Some("identify"));
    assert!(refused.body.contains("This passkey cannot be used"), "{}", refused.body);
    let page = browser.get(&house.shop.authorization_url("openid")).await;
    let back = sign_in(&mut browser, &page, &zoe.get(&page)).await;
    is_in(&house.shop, &back, "phr", &json!(["swk", "user", "mfa"])).await;
}

#[tokio::test]
async fn wrong_answers_lock_the_sign_in_with_a_passkey_too() {
    let house = House::new().await;
    let mut phone = SoftKey::phone(ROOT, "phone");
    house.enrol("anna", "one.test", &mut phone).await;
    let handle = phone.user_handle.clone();
    for _ in 0..5 {
        let mut browser = house.idp.browser();
        let page = browser.get(&house.shop.authorization_url("openid")).await;
        let mut forged = SoftKey::phone(ROOT, "phone");
        forged.user_handle.clone_from(&handle);
        assert_eq!(sign_in(&mut browser, &page, &forged.get(&page)).await.step(), Some("identify"));
    }
    let mut browser = house.idp.browser();
    let page = browser.get(&house.shop.authorization_url("openid")).await;
    assert_eq!(sign_in(&mut browser, &page, &phone.get(&page)).await.step(), Some("wait"));
    house.idp.clock().advance(std::time::Duration::from_mins(6));
    let page = browser.get(&house.shop.authorization_url("openid")).await;
    assert!(sign_in(&mut browser, &page, &phone.get(&page)).await.parameter("code").is_some());
}

#[tokio::test]
async fn who_has_an_application_too_may_choose() {
    let house = House::new().await;
    let mut phone = SoftKey::phone(ROOT, "phone");
    house.enrol("anna", "one.test", &mut phone).await;
    let application = r#"
        [[users]]
        tenant = "one.test"
        username = "anna"
        [[users.authenticators]]
        kind = "totp"
        secret = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"
    "#;
    house.idp.idp().apply(application).await.unwrap();
    let mut browser = house.idp.browser();
    let page = house.at_passkey(&mut browser, "anna").await;
    assert!(page.body.contains("Use a code instead"), "{}", page.body);
    let codes = browser.get(&page.url.as_str().replace("/passkey", "/second_factor")).await;
    assert_eq!(codes.step(), Some("second_factor"));
    assert!(codes.body.contains("Use a passkey"), "{}", codes.body);
    let code = vestibule::testing::totp("JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP", house.idp.idp().now());
    let back = browser.submit(&codes, &[("code", &code)]).await;
    is_in(&house.shop, &back, "urn:vestibule:acr:2fa", &json!(["pwd", "otp", "mfa"])).await;
    // Who demands more gets it, in one step.
    let claims = r#"{"id_token":{"acr":{"essential":true,"value":"phr"}}}"#;
    let up = browser.get(&house.shop.authorization_url_with("openid", &[("claims", claims)])).await;
    assert_eq!(up.step(), Some("passkey"));
    assert!(!up.body.contains("Use a code instead"), "{}", up.body);
    let back = answer(&mut browser, &up, &phone.get(&up)).await;
    is_in(&house.shop, &back, "phr", &json!(["pwd", "swk", "user", "mfa"])).await;
}

/// Of two who know the password, the one who is second must not add a passkey beside the first one's.
#[tokio::test]
async fn of_two_who_enrol_at_once_one_wins() {
    let house = House::new().await;
    let (mut one, mut two) = (house.idp.browser(), house.idp.browser());
    let (mut first, mut second) = (SoftKey::phone(ROOT, "first"), SoftKey::phone(ROOT, "second"));
    let mut pages = Vec::new();
    for browser in [&mut one, &mut two] {
        let page = house.enter(browser, "anna", "one.test").await;
        pages.push(browser.submit(&page, &[("method", "passkey")]).await);
    }
    enrol_here(&mut one, &pages[0], &mut first).await;
    let late = two.submit(&pages[1], &[("credential", &second.create(&pages[1]))]).await;
    assert_eq!(late.step(), Some("passkey"), "the first one's is asked for: {}", late.body);
}

/// An administrator's duty is fulfilled by a passkey, at the token endpoint too.
#[tokio::test]
async fn an_administrators_passkey_is_enough_for_refreshing() {
    let house = House::new().await;
    let mut phone = SoftKey::phone(ROOT, "phone");
    let (_, enrolled) = house.enrol("anna", "one.test", &mut phone).await;
    let mut browser = house.idp.browser();
    let page = browser.get(&house.shop.authorization_url("openid")).await;
    let signed_in = sign_in(&mut browser, &page, &phone.get(&page)).await;
    for back in [enrolled, signed_in] {
        let tokens = house.shop.redeem(&back).await;
        let token = tokens.response["refresh_token"].as_str().unwrap();
        let parameters = [("grant_type", "refresh_token"), ("refresh_token", token)];
        let refreshed = house.shop.token_with(&parameters).await;
        assert_eq!(refreshed.status.as_u16(), 200, "{}", refreshed.body);
    }
}

/// Core §5.5.1.1: an essential `acr` is answered by one of the classes that it names. A mere wish is told the truth.
#[tokio::test]
async fn who_demands_two_factors_and_knows_no_passkeys_is_told_of_two_factors() {
    let house = House::new().await;
    let mut phone = SoftKey::phone(ROOT, "phone");
    house.enrol("anna", "one.test", &mut phone).await;
    let (two, phr) = ("urn:vestibule:acr:2fa", "phr");
    let essential = |values: &[&str]| {
        let acr = json!({ "id_token": { "acr": { "essential": true, "values": values } } });
        vec![("claims".to_owned(), acr.to_string())]
    };
    let told = [
        (essential(&[two]), two),
        (essential(&["urn:vestibule:acr:1fa", two]), two),
        (essential(&[two, phr]), phr),
        (vec![("acr_values".to_owned(), two.to_owned())], phr),
    ];
    let mut browser = house.idp.browser();
    for (more, acr) in told {
        let more: Vec<_> = more.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        let mut back = browser.get(&house.shop.authorization_url_with("openid", &more)).await;
        if back.step().is_some() {
            back = sign_in(&mut browser, &back, &phone.get(&back)).await;
        }
        is_in(&house.shop, &back, acr, &json!(["swk", "user", "mfa"])).await;
    }
}

#[tokio::test]
async fn a_browser_is_trusted_after_a_passkey_as_after_a_code() {
    let house = House::new().await;
    let rules = "[[tenants]]\ndomain = \"one.test\"\n[tenants.policy.trusted_browsers]\ndays = 30\n";
    house.idp.idp().apply(rules).await.unwrap();
    let mut stick = SoftKey::stick(ROOT, "stick");
    house.enrol("bert", "one.test", &mut stick).await;
    let mut browser = house.idp.browser();
    let page = house.at_passkey(&mut browser, "bert").await;
    assert!(page.body.contains("name=\"trust_browser\""), "{}", page.body);
    let forged = SoftKey::stick(ROOT, "stick").get(&page);
    let ticked = |credential: &str| {
        [("credential".to_owned(), credential.to_owned()), ("trust_browser".to_owned(), "yes".to_owned())]
    };
    let post = async |browser: &mut Browser, page: &Answer, credential: &str| {
        let ticked = ticked(credential);
        let fields: Vec<_> = ticked.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        browser.submit(page, &fields).await
    };
    let trusts = |browser: &mut Browser| browser.cookies().keys().any(|(_, name)| name.contains("trusted"));
    let page = post(&mut browser, &page, &forged).await;
    assert!(!trusts(&mut browser), "a wrong answer makes nobody trusted");
    let back = post(&mut browser, &page, &stick.get(&page)).await;
    is_in(&house.shop, &back, "phr", &json!(["pwd", "hwk", "user", "mfa"])).await;
    assert!(trusts(&mut browser));
    browser.cookies().retain(|(_, name), _| name.contains("trusted"));
    let back = house.enter(&mut browser, "bert", "one.test").await;
    is_in(&house.shop, &back, "urn:vestibule:acr:1fa", &json!(["pwd", "rba"])).await;
    // Another passkey ends the trust: here by an export that brings none back.
    let none = "[[users]]\ntenant = \"one.test\"\nusername = \"bert\"\npasskeys = []";
    house.idp.idp().apply(none).await.unwrap();
    browser.cookies().retain(|(_, name), _| name.contains("trusted"));
    let page = house.enter(&mut browser, "bert", "one.test").await;
    assert_eq!(page.step(), Some("choose_method"), "there is nothing that the trust could stand for");
}

#[tokio::test]
async fn a_key_of_an_algorithm_that_was_not_asked_for_is_not_registered() {
    let house = House::new().await;
    let mut browser = house.idp.browser();
    let page = house.enter(&mut browser, "anna", "one.test").await;
    let mut page = browser.submit(&page, &[("method", "passkey")]).await;
    let offered: Vec<_> =
        asked(&page)["pubKeyCredParams"].as_array().unwrap().iter().map(|one| one["alg"].clone()).collect();
    assert!(!offered.contains(&json!(-8)) && offered.contains(&json!(-7)), "{offered:?}");
    // Ed25519 (RFC 9053 §7.2), and a P-256 key that claims to be for ECDH.
    let ed25519 = [&b"\xa4\x01\x01\x03\x27\x20\x06\x21\x58\x20"[..], &[9; 32]].concat();
    let own = SoftKey::phone(ROOT, "phone").cose_key();
    let ecdh = [&b"\xa5\x01\x02\x03\x38\x18"[..], &own[5..]].concat();
    for registers in [ed25519, ecdh] {
        let mut odd = SoftKey::phone(ROOT, "phone");
        odd.registers = Some(registers);
        page = browser.submit(&page, &[("credential", &odd.create(&page))]).await;
        assert_eq!(page.step(), Some("enrol_passkey"), "{}", page.body);
    }
    let mut good = SoftKey::phone(ROOT, "phone");
    assert_eq!(enrol_here(&mut browser, &page, &mut good).await.0.len(), 10);
}

#[tokio::test]
async fn a_fresh_login_asks_for_the_passkey_anew() {
    let house = House::new().await;
    let mut phone = SoftKey::phone(ROOT, "phone");
    house.enrol("anna", "one.test", &mut phone).await;
    let mut browser = house.idp.browser();
    let page = browser.get(&house.shop.authorization_url("openid")).await;
    sign_in(&mut browser, &page, &phone.get(&page)).await;
    for more in [("prompt", "login"), ("max_age", "0")] {
        let page = browser.get(&house.shop.authorization_url_with("openid", &[more])).await;
        assert_eq!(page.step(), Some("identify"), "{more:?}");
        let back = sign_in(&mut browser, &page, &phone.get(&page)).await;
        is_in(&house.shop, &back, "phr", &json!(["swk", "user", "mfa"])).await;
    }
}

#[tokio::test]
async fn a_password_that_must_not_be_kept_is_replaced_after_a_passkey_too() {
    let house = House::new().await;
    let mut phone = SoftKey::phone(ROOT, "phone");
    house.enrol("anna", "one.test", &mut phone).await;
    let must = "[[users]]\ntenant = \"one.test\"\nusername = \"anna\"\nmust_change_password = true";
    house.idp.idp().apply(must).await.unwrap();
    let mut browser = house.idp.browser();
    let page = browser.get(&house.shop.authorization_url("openid")).await;
    let page = sign_in(&mut browser, &page, &phone.get(&page)).await;
    assert_eq!(page.step(), Some("new_password"), "{}", page.body);
    let new = "a stapler for every second horse";
    let back = browser.submit(&page, &[("new_password", new), ("new_password_again", new)]).await;
    is_in(&house.shop, &back, "phr", &json!(["swk", "user", "mfa"])).await;
}

/// Who signs in at a host's address without a name has no passkeys there, and nothing says otherwise.
#[tokio::test]
async fn where_browsers_have_no_passkeys_none_is_spoken_of() {
    use vestibule::domain::issuer::IssuerUrl;
    use vestibule::domain::settings::Settings;

    let issuer = IssuerUrl::parse("http://127.0.0.1:8080").unwrap();
    let idp = TestIdp::with_settings(Settings::new(issuer.clone()), WORLD).await;
    let mut browser = idp.browser();
    let discovery = browser.get("http://127.0.0.1:8080/.well-known/openid-configuration").await.json();
    assert_eq!(discovery["acr_values_supported"], json!(["urn:vestibule:acr:1fa", "urn:vestibule:acr:2fa"]));
    let shop = Application::new(&idp, issuer.as_str(), "shop", "https://shop.test/callback");
    let page = browser.get(&shop.authorization_url("openid")).await;
    assert!(!page.body.contains("data-passkey"), "{}", page.body);
    let named = [("tenant", "one.test"), ("username", "anna"), ("password", PASSWORD)];
    let page = browser.submit(&page, &named).await;
    assert_eq!(page.step(), Some("enrol"), "of the two methods one is left: {}", page.body);
    let claims = r#"{"id_token":{"acr":{"essential":true,"value":"phr"}}}"#;
    let url = shop.authorization_url_with("openid", &[("claims", claims)]);
    let page = idp.browser().get(&url).await;
    let refused = idp.browser().submit(&page, &named).await;
    assert_ne!(refused.step(), Some("enrol_passkey"));
}
