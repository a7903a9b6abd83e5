//! Sign-out by `client_id`, without an ID token: who is asked, where it leads, and in which language.

use axum::http::StatusCode;
use vestibule::domain::settings::Settings;
use vestibule::testing::{Answer, Application, Browser, TestIdp};

use super::{HOUSE, enter, error, open};

const MORE: &str = r#"
    [[clients]]
    client_id = "plain"
    client_name = "Plain"
    token_endpoint_auth_method = "none"
    redirect_uris = ["https://plain.test/callback"]
    [[clients]]
    client_id = "gone"
    token_endpoint_auth_method = "none"
    redirect_uris = ["https://gone.test/callback"]
    post_logout_redirect_uris = ["https://gone.test/bye"]
    disabled = true
    [[clients]]
    tenant = "123456.sms"
    client_id = "inner"
    token_endpoint_auth_method = "none"
    redirect_uris = ["https://inner.test/callback"]
    post_logout_redirect_uris = ["https://inner.test/bye"]
    [[clients]]
    client_id = "native"
    token_endpoint_auth_method = "none"
    redirect_uris = ["com.example.app:/callback"]
    post_logout_redirect_uris = ["com.example.app:/bye?from=here"]
"#;

const BYE: [(&str, &str); 2] = [("client_id", "shop"), ("post_logout_redirect_uri", "https://shop.test/bye")];

struct SignedIn {
    idp: TestIdp,
    shop: Application,
    browser: Browser,
}

impl SignedIn {
    async fn new() -> Self {
        let idp = TestIdp::with(&format!("{HOUSE}{MORE}")).await;
        let shop = idp.application("shop", "https://shop.test/callback");
        let mut browser = idp.browser();
        assert!(enter(&mut browser, &shop, "bert").await.parameter("code").is_some());
        Self { idp, shop, browser }
    }

    async fn holds(&mut self) -> bool {
        error(&open(&mut self.browser, &self.shop, &[("prompt", "none")]).await).is_none()
    }

    async fn get(&mut self, parameters: &[(&str, &str)]) -> Answer {
        self.browser.get(&logout(parameters)).await
    }
}

fn logout(parameters: &[(&str, &str)]) -> String {
    url::Url::parse_with_params(&format!("{}/logout", TestIdp::ISSUER), parameters).unwrap().into()
}

fn csrf(page: &Answer) -> &str {
    page.body.split("name=\"csrf\" value=\"").nth(1).unwrap().split('"').next().unwrap()
}

fn with<'a>(more: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    [&BYE[..], more].concat()
}

#[tokio::test]
async fn after_the_users_click_it_leads_back() {
    let mut house = SignedIn::new().await;
    let state = "s&p=\u{e4} ".repeat(400);
    assert!((2000..4096).contains(&state.len()));
    let asked = house.get(&with(&[("state", &state)])).await;
    assert_eq!((asked.status, asked.step()), (StatusCode::OK, Some("confirm_sign_out")));
    assert!(asked.body.contains("Shop"), "the page names who asks: {}", asked.body);
    // Browsers apply `form-action` to the redirect that follows, too.
    assert!(!asked.headers["content-security-policy"].to_str().unwrap().contains("form-action"));
    assert!(house.holds().await, "asking changes nothing");
    let left = house.browser.submit(&asked, &[]).await;
    assert_eq!(&left.url[..url::Position::AfterPath], "https://shop.test/bye");
    assert_eq!(left.parameter("state").as_deref(), Some(state.as_str()));
    assert_eq!(left.status, StatusCode::SEE_OTHER);
    assert!(!house.holds().await);
    let twice = house.browser.submit(&asked, &[]).await;
    assert_eq!(&twice.url[..url::Position::AfterPath], "https://shop.test/bye", "a second click is as good");
}

#[tokio::test]
async fn where_nobody_is_signed_in_it_leads_back_at_once() {
    let house = SignedIn::new().await;
    let answer = house.idp.browser().get(&logout(&with(&[("state", "x y")]))).await;
    assert_eq!(
        (answer.status, answer.url.as_str()),
        (StatusCode::SEE_OTHER, "https://shop.test/bye?state=x+y")
    );
    let answer = house.idp.browser().post(&logout(&[]), &BYE).await;
    assert_eq!(answer.url.as_str(), "https://shop.test/bye", "a form of the application's page");
    let native = [("client_id", "native"), ("post_logout_redirect_uri", "com.example.app:/bye?from=here")];
    let answer = house.idp.browser().get(&logout(&[&native[..], &[("state", "1")]].concat())).await;
    assert_eq!(answer.url.as_str(), "com.example.app:/bye?from=here&state=1");
    let answer = house.idp.browser().get(&logout(&BYE[..1])).await;
    assert_eq!(answer.step(), Some("signed_out"), "without an address it stays here");
    assert!(answer.body.contains("href=\"https://shop.test/\""), "{}", answer.body);
}

/// An address that is not registered for this client at this issuer is not redirected to, signed in or not, asked or
/// clicked.
#[tokio::test]
async fn it_never_leads_to_an_address_that_is_not_registered_for_this_client() {
    let mut house = SignedIn::new().await;
    let (bye, inner) = ("https://shop.test/bye", "https://inner.test/bye");
    for (client, address) in [
        ("shop", "https://evil.test/"),
        ("shop", "https://shop.test/bye/"),
        ("shop", "https://shop.test/bye?x=1"),
        ("shop", "https://shop.test/bye#x"),
        ("shop", "HTTPS://shop.test/bye"),
        ("shop", "https://shop.test:443/bye"),
        ("shop", "https://shop.test/callback"),
        ("shop", "//shop.test/bye"),
        ("shop", "javascript:alert(1)"),
        ("shop", inner),
        ("plain", bye),
        ("gone", "https://gone.test/bye"),
        ("inner", inner),
        ("nobody", bye),
        ("", bye),
        ("Shop", bye),
    ] {
        let request = [("client_id", client), ("post_logout_redirect_uri", address), ("state", "x")];
        for mut browser in [house.browser.clone(), house.idp.browser()] {
            let page = browser.get(&logout(&request)).await;
            assert!(!page.status.is_redirection() && !page.headers.contains_key("location"), "{request:?}");
            assert!(page.headers.get("refresh").is_none() && !page.body.contains(address), "{request:?}");
        }
        let page = house.get(&BYE).await;
        let mut clicked = house.browser.clone();
        let done = clicked.post_once(&logout(&request), &[("csrf", csrf(&page)), ("confirm", "yes")]).await;
        assert_eq!((done.status, done.step()), (StatusCode::OK, Some("signed_out")), "{request:?}");
        assert!(enter(&mut house.browser, &house.shop, "bert").await.parameter("code").is_some());
    }
    assert!(house.holds().await);
    // Another issuer's client is its client there.
    let there = format!("{}/t/123456.sms/logout", TestIdp::ISSUER);
    let request = [("client_id", "inner"), ("post_logout_redirect_uri", inner)];
    let address = url::Url::parse_with_params(&there, &request).unwrap();
    assert_eq!(house.idp.browser().get(address.as_str()).await.url.as_str(), inner);
    let address = url::Url::parse_with_params(&there, &BYE).unwrap();
    assert_eq!(house.idp.browser().get(address.as_str()).await.step(), Some("signed_out"));
}

#[tokio::test]
async fn doubled_and_endless_parameters_are_refused() {
    let mut house = SignedIn::new().await;
    let endless = "x".repeat(4097);
    for more in
        [&[("client_id", "shop")][..], &[BYE[1]], &[("state", "a"), ("state", "b")], &[("state", &endless)]]
    {
        let page = house.get(&with(more)).await;
        assert_eq!((page.status, page.step()), (StatusCode::BAD_REQUEST, Some("refused")));
    }
    let asked = house.get(&BYE).await;
    let doubled = [("csrf", csrf(&asked)), ("csrf", csrf(&asked)), ("confirm", "yes")];
    assert_eq!(house.browser.post(&logout(&BYE), &doubled).await.status, StatusCode::BAD_REQUEST);
    assert!(house.holds().await);
}

#[tokio::test]
async fn a_registration_that_is_gone_at_the_click_only_costs_the_way_back() {
    for change in ["disabled = true", "state = \"absent\"", "post_logout_redirect_uris = []"] {
        let mut house = SignedIn::new().await;
        let asked = house.get(&BYE).await;
        let change = format!("[[clients]]\nclient_id = \"shop\"\n{change}");
        house.idp.idp().apply(&change).await.unwrap();
        let done = house.browser.submit(&asked, &[]).await;
        assert_eq!((done.status, done.step()), (StatusCode::OK, Some("signed_out")), "{change}");
        assert!(!done.body.contains("https://shop.test/bye"), "{change}: {}", done.body);
        let plain = house.idp.application("plain", "https://plain.test/callback");
        let silent = open(&mut house.browser, &plain, &[("prompt", "none")]).await;
        assert_eq!(error(&silent).as_deref(), Some("login_required"), "{change}");
    }
}

#[tokio::test]
async fn a_foreign_or_stale_form_ends_nothing_and_leads_nowhere() {
    let mut house = SignedIn::new().await;
    let fields = [("csrf", "x"), ("confirm", "yes")];
    let form = [("content-type", "application/x-www-form-urlencoded"), ("origin", "https://evil.test")];
    let body = Some("csrf=x&confirm=yes".to_owned());
    let foreign = house.browser.send(axum::http::Method::POST, &logout(&BYE), &form, body).await;
    assert_eq!(foreign.status, StatusCode::FORBIDDEN);
    let stale = house.browser.post(&logout(&with(&[("state", "1")])), &fields).await;
    assert_eq!((stale.status, stale.step()), (StatusCode::FORBIDDEN, Some("confirm_sign_out")));
    assert!(house.holds().await);
    let left = house.browser.submit(&stale, &[]).await;
    assert_eq!(left.url.as_str(), "https://shop.test/bye?state=1", "the page shown again goes on");
}

#[tokio::test]
async fn beside_a_hint_it_must_name_the_same_client() {
    let mut house = SignedIn::new().await;
    let back = open(&mut house.browser, &house.shop, &[]).await;
    let hint = house.shop.redeem(&back).await.response["id_token"].as_str().unwrap().to_owned();
    let hinted = with(&[("id_token_hint", hint.as_str()), ("state", "1")]);
    let other = [("id_token_hint", hint.as_str()), ("client_id", "plain"), BYE[1]];
    let page = house.get(&other).await;
    assert_eq!((page.status, page.step()), (StatusCode::BAD_REQUEST, Some("refused")));
    assert!(house.holds().await);
    // No user is signed in in another browser, and a later session of this one is not the hint's.
    let elsewhere = house.idp.browser().get(&logout(&hinted)).await;
    assert_eq!(elsewhere.url.as_str(), "https://shop.test/bye?state=1");
    let mut later = house.idp.browser();
    enter(&mut later, &house.shop, "bert").await;
    let asked = later.get(&logout(&hinted)).await;
    assert_eq!(asked.step(), Some("confirm_sign_out"));
    let action = asked.body.split("action=\"").nth(1).unwrap().split('"').next().unwrap();
    assert!(action.contains("client_id=shop") && !action.contains("hint"), "{action}");
    assert_eq!(later.submit(&asked, &[]).await.url.as_str(), "https://shop.test/bye?state=1");
    assert!(house.holds().await);
    assert_eq!(house.get(&hinted).await.url.as_str(), "https://shop.test/bye?state=1");
    assert!(!house.holds().await);
}

fn language(answer: &Answer) -> &str {
    answer.headers["content-language"].to_str().unwrap()
}

#[tokio::test]
async fn its_pages_are_in_the_language_asked_for() {
    let mut house = SignedIn::new().await;
    let asked = house.get(&with(&[("ui_locales", "xx fr-CA de")])).await;
    assert_eq!(language(&asked), "fr");
    let stay = [("csrf", csrf(&asked)), ("cancel", "yes")];
    let stay = house.browser.post(&logout(&with(&[("ui_locales", "fr")])), &stay).await;
    assert_eq!((language(&stay), stay.step()), ("fr", Some("signed_in")));
    let refused = house.get(&[("ui_locales", "de"), ("id_token_hint", "x")]).await;
    assert_eq!((language(&refused), refused.status), ("de", StatusCode::BAD_REQUEST));
    assert_eq!(language(&house.get(&[("ui_locales", "xx")]).await), "en");
    let nobody = house.idp.browser().get(&logout(&[("ui_locales", "de")])).await;
    assert_eq!((language(&nobody), nobody.step()), ("de", Some("signed_out")));
    assert!(house.holds().await);
}

/// Whatever the language of the login came from: the request, the tenant, the switch.
#[tokio::test]
async fn else_in_the_language_that_this_browsers_pages_had() {
    let house = SignedIn::new().await;
    let mut browser = house.idp.browser();
    let page = open(&mut browser, &house.shop, &[("ui_locales", "de")]).await;
    assert_eq!(language(&page), "de");
    super::sign_in(&mut browser, &page, "bert", super::PASSWORD).await;
    assert_eq!(language(&browser.get(&logout(&BYE)).await), "de");
    assert_eq!(language(&browser.get(&logout(&[("ui_locales", "fr")])).await), "fr");
    assert_eq!(
        language(&open(&mut browser, &house.shop, &[("prompt", "login")]).await),
        "en",
        "a login's own"
    );
    // The switch on the page itself.
    let switch = format!("{}/language?to=fr&back=/logout", TestIdp::ISSUER);
    let asked = browser.get(&switch).await;
    assert_eq!(language(&asked), "fr");
    assert_eq!(language(&browser.submit(&asked, &[]).await), "fr");

    let locale = "[[tenants]]\ndomain = \"123456.sms\"\nlocale = \"de\"";
    house.idp.idp().apply(locale).await.unwrap();
    let mut browser = house.idp.browser().speaking("tlh");
    enter(&mut browser, &house.shop, "bert").await;
    let asked = browser.get(&logout(&BYE[..1])).await;
    assert_eq!(language(&asked), "en", "its page came before the tenant was known");
}

#[tokio::test]
async fn a_provider_below_a_path_posts_its_form_there() {
    let issuer = vestibule::domain::issuer::IssuerUrl::parse("https://id.test/a/b").unwrap();
    let idp = TestIdp::with_settings(Settings::new(issuer), HOUSE).await;
    let shop = idp.application("shop", "https://shop.test/callback");
    let mut browser = idp.browser();
    enter(&mut browser, &shop, "bert").await;
    let address = url::Url::parse_with_params("https://id.test/a/b/logout", BYE).unwrap();
    let asked = browser.get(address.as_str()).await;
    assert_eq!(browser.submit(&asked, &[]).await.url.as_str(), "https://shop.test/bye");
}
