//! The provider inside a host application: beside another one, below a path, on tenants' own host names, with the
//! host's own look and ears.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use axum::Router;
use axum::routing::get;
use serde_json::{Map, Value};
use vestibule::Idp;
use vestibule::domain::event::Event;
use vestibule::domain::ids::ClientId;
use vestibule::domain::issuer::IssuerUrl;
use vestibule::domain::scope::Scope;
use vestibule::domain::settings::Settings;
use vestibule::domain::user::User;
use vestibule::ext::{BoxFuture, ClaimSource, OwnClaims, Unavailable};
use vestibule::testing::{Answer, Application, Browser, Recorder, TestIdp};
use vestibule::views::{Body, DefaultTheme, Html, Page, Theme};

const WORLD: &str = r#"
    [[tenants]]
    domain = "one.test"
    name = "One"
    hosts = ["login.one.test"]
    [[tenants]]
    domain = "two.test"
    name = "Two"
    [[users]]
    tenant = "one.test"
    username = "bert"
    password = "correct horse battery staple"
    [[users]]
    tenant = "two.test"
    username = "bert"
    password = "another horse"
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
"#;

const PASSWORD: &str = "correct horse battery staple";

fn settings(issuer: &str) -> Settings {
    Settings::new(IssuerUrl::parse(issuer).unwrap())
}

fn shop(idp: &TestIdp) -> Application {
    idp.application("shop", "https://shop.test/callback")
}

async fn sign_in(browser: &mut Browser, page: &Answer, tenant: &str, password: &str) -> Answer {
    browser.submit(page, &[("tenant", tenant), ("username", "bert"), ("password", password)]).await
}

async fn key_ids(browser: &mut Browser, issuer: &str) -> Vec<Value> {
    let keys = browser.get(&format!("{issuer}/jwks")).await.json();
    keys["keys"].as_array().unwrap().iter().map(|key| key["kid"].clone()).collect()
}

/// Two providers in one process, below one host and so in one cookie jar, with the same users and clients by name.
struct Neighbours {
    one: TestIdp,
    two: TestIdp,
    browser: Browser,
}

impl Neighbours {
    async fn new() -> Self {
        let one = TestIdp::with_settings(settings("https://host.test/one"), WORLD).await;
        let two = TestIdp::with_settings(settings("https://host.test/two"), WORLD).await;
        let host = Router::new()
            .route("/", get(|| async { "The host application" }))
            .nest("/one", one.idp().router())
            .nest("/two", two.idp().router())
            .merge(one.idp().well_known())
            .merge(two.idp().well_known());
        Self { one, two, browser: Browser::new(host) }
    }

    /// Signs Bert in at both.
    async fn signed_in(&mut self) -> [Answer; 2] {
        let mut answers = Vec::new();
        for idp in [&self.one, &self.two] {
            let page = self.browser.get(&shop(idp).authorization_url("openid profile")).await;
            assert_eq!(page.step(), Some("identify"), "a session of one is none of the other's");
            answers.push(sign_in(&mut self.browser, &page, "one.test", PASSWORD).await);
        }
        answers.try_into().unwrap()
    }
}

#[tokio::test]
async fn two_providers_below_one_host_describe_themselves() {
    let mut house = Neighbours::new().await;
    let browser = &mut house.browser;
    for path in ["/one", "/two", "/one/t/one.test"] {
        let issuer = format!("https://host.test{path}");
        for document in [
            format!("{issuer}/.well-known/openid-configuration"),
            format!("https://host.test/.well-known/oauth-authorization-server{path}"),
        ] {
            let metadata = browser.get(&document).await.json();
            assert_eq!(metadata["issuer"], issuer, "{document}");
            assert_eq!(metadata["token_endpoint"], format!("{issuer}/token"), "{document}");
        }
    }
    assert_eq!(browser.get("https://host.test/").await.body, "The host application");
    let (one, two) =
        (key_ids(browser, "https://host.test/one").await, key_ids(browser, "https://host.test/two").await);
    assert!(!one.is_empty() && !one.iter().any(|key| two.contains(key)), "{one:?} {two:?}");
}

#[tokio::test]
async fn signing_in_at_one_provider_leaves_the_other_alone() {
    let mut house = Neighbours::new().await;
    let [at_one, at_two] = house.signed_in().await;
    let (one, two) = (shop(&house.one).redeem(&at_one).await, shop(&house.two).redeem(&at_two).await);
    assert_ne!(one.id_token["sub"], two.id_token["sub"]);
    for (idp, tokens) in [(&house.one, one), (&house.two, two)] {
        let silent = shop(idp).authorization_url_with("openid profile", &[("prompt", "none")]);
        let again = house.browser.get(&silent).await;
        assert_eq!(shop(idp).redeem(&again).await.id_token["sub"], tokens.id_token["sub"]);
        let others = house.browser.cookies().keys().filter(|(_, name)| name.contains("session")).count();
        assert_eq!(others, 2, "one for each provider");
    }
}

#[tokio::test]
async fn what_one_provider_gives_the_other_refuses() {
    let mut house = Neighbours::new().await;
    let [at_one, _] = house.signed_in().await;
    let (one, two) = (shop(&house.one), shop(&house.two));
    let refused = two.token(&at_one.parameter("code").unwrap()).await;
    assert_eq!((refused.status.as_u16(), &refused.json()["error"]), (400, &"invalid_grant".into()));
    let tokens = one.redeem(&at_one).await;
    assert_eq!(one.userinfo(&tokens.access_token).await.status, 200);
    assert_eq!(two.userinfo(&tokens.access_token).await.status, 401);
}

/// On a tenant's host name no tenant field is needed, and sending one has no effect.
#[tokio::test]
async fn a_host_name_stands_for_its_tenant() {
    let idp = TestIdp::with(WORLD).await;
    let desk = Application::new(&idp, "https://login.one.test", "desk", "https://desk.test/callback");
    let mut browser = idp.browser();
    let page = browser.get(&desk.authorization_url("openid profile")).await;
    assert_eq!(page.step(), Some("identify"), "{} {}", page.status, page.body);
    assert!(!page.body.contains("name=\"tenant\""), "{}", page.body);
    let stranger = sign_in(&mut browser, &page, "two.test", "another horse").await;
    assert_eq!(stranger.step(), Some("identify"), "the other tenant's Bert is nobody here");
    let tokens = desk.redeem(&sign_in(&mut browser, &stranger, "two.test", PASSWORD).await).await;
    assert_eq!(tokens.id_token["tenant"], "one.test");
    assert_eq!(tokens.id_token["iss"], "https://login.one.test");
    assert_eq!(desk.userinfo(&tokens.access_token).await.status, 200);
    let home = Application::new(&idp, "https://id.test/t/one.test", "desk", "https://desk.test/callback");
    assert_eq!(home.userinfo(&tokens.access_token).await.status, 401, "another issuer's token");
}

/// A theme with a login page of its own and the default for all other pages.
struct OwnLook;

impl Theme for OwnLook {
    fn render(&self, page: &Page) -> Html {
        let Body::Identify(identify) = &page.body else { return DefaultTheme.render(page) };
        let form = &identify.form;
        let action = form.action.replace('&', "&amp;");
        Html::trusted(format!(
            "<!doctype html><title>Own look</title><form method=\"post\" action=\"{action}\">\
             <input type=\"hidden\" name=\"csrf\" value=\"{}\"><input name=\"tenant\"><input name=\"username\">\
             <input name=\"password\" type=\"password\"><button>In</button></form>",
            form.csrf
        ))
    }
}

#[tokio::test]
async fn a_host_brings_its_own_look_and_ears() {
    let heard = Recorder::default();
    let (settings, ears) = (settings(TestIdp::ISSUER), heard.clone());
    let idp = TestIdp::with_parts(settings, WORLD, |parts| parts.theme(OwnLook).observer(ears)).await;
    let mut browser = idp.browser();
    let page = browser.get(&shop(&idp).authorization_url("openid profile")).await;
    assert!(page.body.contains("<title>Own look</title>"), "{}", page.body);
    let wrong = sign_in(&mut browser, &page, "one.test", "wrong").await;
    assert!(wrong.body.contains("<title>Own look</title>"), "{}", wrong.body);
    shop(&idp).redeem(&sign_in(&mut browser, &wrong, "one.test", PASSWORD).await).await;
    let heard = heard.all();
    assert!(
        matches!(heard.as_slice(), [Event::LoginFailed { .. }, Event::LoginCompleted { .. }]),
        "{heard:?}"
    );
    let nowhere = browser.get(&format!("{}/t/three.test/authorize", TestIdp::ISSUER)).await;
    assert!(nowhere.body.contains("data-step=\"refused\""), "{}", nowhere.body);
}

/// A host's claim source that says more than it may, or nothing at all.
struct Braggart {
    declared: Vec<OwnClaims>,
    fails: Arc<AtomicBool>,
}

impl Braggart {
    fn declaring(scope: &str, names: &[&str]) -> Self {
        let names = names.iter().map(|&name| name.to_owned()).collect();
        let declared = vec![OwnClaims { scope: scope.to_owned(), names, in_id_token: true }];
        Self { declared, fails: Arc::default() }
    }
}

impl ClaimSource for Braggart {
    fn declared(&self) -> Vec<OwnClaims> {
        self.declared.clone()
    }

    fn claims<'a>(
        &'a self,
        _: &'a User,
        _: &'a ClientId,
        _: &'a Scope,
    ) -> BoxFuture<'a, Result<Map<String, Value>, Unavailable>> {
        let told =
            [("team", "north"), ("sub", "root"), ("aud", "all"), ("email", "a@evil.test"), ("other", "x")];
        let told = told.map(|(name, value)| (name.to_owned(), value.into())).into_iter().collect();
        let fails = self.fails.load(Ordering::SeqCst);
        Box::pin(async move { if fails { Err(Unavailable::new("away")) } else { Ok(told) } })
    }
}

#[tokio::test]
async fn a_hosts_claims_add_and_never_replace() {
    let source = Braggart::declaring("team", &["team"]);
    let fails = Arc::clone(&source.fails);
    let idp = TestIdp::with_parts(settings(TestIdp::ISSUER), WORLD, |parts| parts.claims(source)).await;
    let mut browser = idp.browser();
    let page = browser.get(&shop(&idp).authorization_url("openid team")).await;
    let back = sign_in(&mut browser, &page, "one.test", PASSWORD).await;
    let code = back.parameter("code").unwrap();
    fails.store(true, Ordering::SeqCst);
    let busy = shop(&idp).token(&code).await;
    assert_eq!((busy.status.as_u16(), busy.headers.contains_key("retry-after")), (503, true));
    fails.store(false, Ordering::SeqCst);
    let tokens = shop(&idp).redeem(&back).await;
    let told = shop(&idp).userinfo(&tokens.access_token).await.json();
    assert_eq!((&tokens.id_token["team"], &told["team"]), (&"north".into(), &"north".into()));
    assert_eq!((&tokens.id_token["aud"], &told["sub"]), (&"shop".into(), &tokens.id_token["sub"]));
    assert_ne!(told["sub"], "root");
    assert_eq!((told.get("email"), told.get("other"), tokens.id_token.get("other")), (None, None, None));
    fails.store(true, Ordering::SeqCst);
    assert_eq!(shop(&idp).userinfo(&tokens.access_token).await.status, 503);
    let token = tokens.response["refresh_token"].as_str().unwrap();
    let refreshed = shop(&idp).token_with(&[("grant_type", "refresh_token"), ("refresh_token", token)]).await;
    assert_eq!(
        (refreshed.status.as_u16(), refreshed.json().get("id_token")),
        (200, None),
        "{}",
        refreshed.body
    );
}

/// A claim that is meant for UserInfo alone reaches the ID token of a client that never asks there.
#[tokio::test]
async fn id_token_claims_hold_the_hosts_claims_too() {
    for (registered, expected) in [(false, None), (true, Some("north"))] {
        let mut source = Braggart::declaring("team", &["team"]);
        source.declared[0].in_id_token = false;
        let idp = TestIdp::with_parts(settings(TestIdp::ISSUER), WORLD, |parts| parts.claims(source)).await;
        let client = format!("[[clients]]\nclient_id = \"shop\"\nid_token_claims = {registered}");
        idp.idp().apply(&client).await.unwrap();
        let mut browser = idp.browser();
        let page = browser.get(&shop(&idp).authorization_url("openid team")).await;
        let back = sign_in(&mut browser, &page, "one.test", PASSWORD).await;
        let tokens = shop(&idp).redeem(&back).await;
        assert_eq!(tokens.id_token.get("team").and_then(|team| team.as_str()), expected);
    }
}

#[tokio::test]
async fn a_claim_of_the_providers_cannot_be_declared() {
    for (scope, name) in [
        ("team", "sub"),
        ("team", "acr"),
        ("team", "jti"),
        ("team", "email"),
        ("team", "tenant"),
        ("openid", "team"),
        ("offline_access", "team"),
        ("account:sessions", "team"),
        ("two words", "team"),
        ("", "team"),
    ] {
        let source = Braggart::declaring(scope, &[name]);
        let built = Idp::builder(settings(TestIdp::ISSUER))
            .database("mysql://no.such.store")
            .master_key("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=")
            .claims(source)
            .build();
        let problems = built.await.err().unwrap().problems;
        assert!(
            problems.iter().any(|problem| problem.starts_with("claims: ")),
            "{scope} {name}: {problems:?}"
        );
    }
}
