//! The host's own user store behind the login: its users are users here, as long as the host reports them.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::json;
use vestibule::domain::event::{Event, LoginFailure};
use vestibule::domain::ids::DirectoryKey;
use vestibule::domain::issuer::IssuerUrl;
use vestibule::domain::settings::Settings;
use vestibule::domain::tenant::TenantDomain;
use vestibule::domain::user::{Role, Username};
use vestibule::ext::{BoxFuture, Directory, DirectoryUser, Unavailable};
use vestibule::testing::{Answer, Application, Browser, TestIdp, totp};

use crate::login::{error, shown_secret};

const WORLD: &str = r#"
    [[tenants]]
    domain = "host.test"
    name = "The host's"
    [[tenants]]
    domain = "own.test"
    name = "The provider's"
    [[users]]
    tenant = "own.test"
    username = "anna"
    password = "the provider's own"
    [[users]]
    tenant = "host.test"
    username = "bert"
    password = "from before the directory"
    [[clients]]
    client_id = "shop"
    token_endpoint_auth_method = "none"
    redirect_uris = ["https://shop.test/callback"]
    grant_types = ["authorization_code", "refresh_token"]
"#;

/// How the host is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Mood {
    #[default]
    Well,
    Failing,
    Silent,
}

#[derive(Default)]
struct Table {
    people: Vec<(DirectoryUser, &'static str)>,
    mood: Mood,
}

/// The host's table, shared with the test.
#[derive(Clone, Default)]
struct Host(Arc<Mutex<Table>>);

impl Host {
    fn change(&self, change: impl FnOnce(&mut Table)) {
        change(&mut self.0.lock().unwrap());
    }

    fn person(&self, name: &str, change: impl FnOnce(&mut DirectoryUser)) {
        self.change(|table| {
            let (person, _) = table.people.iter_mut().find(|(p, _)| p.username.as_str() == name).unwrap();
            change(person);
        });
    }

    fn answer<T: Send + 'static>(
        &self,
        find: impl FnOnce(&[(DirectoryUser, &'static str)]) -> T,
    ) -> BoxFuture<'static, Result<T, Unavailable>> {
        let table = self.0.lock().unwrap();
        let (mood, found) = (table.mood, find(&table.people));
        Box::pin(async move {
            match mood {
                Mood::Well => Ok(found),
                Mood::Failing => Err(Unavailable::new("the host's database is away")),
                Mood::Silent => std::future::pending().await,
            }
        })
    }
}

impl Directory for Host {
    fn holds(&self, tenant: &TenantDomain) -> bool {
        tenant.as_str() == "host.test"
    }

    fn find<'a>(
        &'a self,
        _: &'a TenantDomain,
        username: &'a Username,
    ) -> BoxFuture<'a, Result<Option<DirectoryUser>, Unavailable>> {
        let has_name = |(person, _): &&(DirectoryUser, &str)| person.username.key() == username.key();
        self.answer(|people| people.iter().find(has_name).map(|(person, _)| person.clone()))
    }

    fn check_password<'a>(
        &'a self,
        _: &'a TenantDomain,
        key: Option<&'a DirectoryKey>,
        password: &'a str,
    ) -> BoxFuture<'a, Result<bool, Unavailable>> {
        self.answer(|people| people.iter().any(|(p, right)| Some(&p.key) == key && *right == password))
    }

    fn by_key<'a>(
        &'a self,
        _: &'a TenantDomain,
        key: &'a DirectoryKey,
    ) -> BoxFuture<'a, Result<Option<DirectoryUser>, Unavailable>> {
        self.answer(|people| people.iter().find(|(p, _)| p.key == *key).map(|(person, _)| person.clone()))
    }
}

struct House {
    host: Host,
    idp: TestIdp,
    shop: Application,
}

impl House {
    async fn new() -> Self {
        let host = Host::default();
        let mut anna = DirectoryUser::new("7", Username::parse("anna").unwrap());
        anna.profile.email = Some("anna@host.test".to_owned());
        host.change(|table| table.people.push((anna, "the host's")));
        let mut settings = Settings::new(IssuerUrl::parse(TestIdp::ISSUER).unwrap());
        settings.host_deadline = Duration::from_millis(50);
        let directory = host.clone();
        let idp = TestIdp::with_parts(settings, WORLD, |parts| parts.directory(directory)).await;
        let shop = idp.application("shop", "https://shop.test/callback");
        Self { host, idp, shop }
    }

    async fn open(&self, browser: &mut Browser, more: &[(&str, &str)]) -> Answer {
        browser.get(&self.shop.authorization_url_with("openid email profile", more)).await
    }

    async fn enter(&self, browser: &mut Browser, tenant: &str, name: &str, password: &str) -> Answer {
        let page = self.open(browser, &[]).await;
        browser.submit(&page, &[("tenant", tenant), ("username", name), ("password", password)]).await
    }

    async fn refresh(&self, tokens: &serde_json::Value) -> Answer {
        let token = tokens["refresh_token"].as_str().expect("a refresh token");
        self.shop.token_with(&[("grant_type", "refresh_token"), ("refresh_token", token)]).await
    }

    async fn anna(&self) -> Browser {
        let mut browser = self.idp.browser();
        let back = self.enter(&mut browser, "host.test", "anna", "the host's").await;
        assert!(back.parameter("code").is_some(), "{} {}", back.url, back.body);
        browser
    }
}

const SILENT: [(&str, &str); 1] = [("prompt", "none")];

#[tokio::test]
async fn the_directory_alone_answers_for_its_tenant() {
    let house = House::new().await;
    let mut browser = house.idp.browser();
    let back = house.enter(&mut browser, "HOST.test", "ANNA", "the host's").await;
    let tokens = house.shop.redeem(&back).await;
    assert_eq!(tokens.id_token["tenant"], "host.test");
    let told = house.shop.userinfo(&tokens.access_token).await.json();
    assert_eq!((&told["email"], &told["preferred_username"]), (&json!("anna@host.test"), &json!("anna")));

    let again = house.enter(&mut house.idp.browser(), "host.test", "anna", "the host's").await;
    assert_eq!(
        house.shop.redeem(&again).await.id_token["sub"],
        tokens.id_token["sub"],
        "one person, one sub"
    );
    let own = house.enter(&mut house.idp.browser(), "own.test", "anna", "the provider's own").await;
    assert_ne!(house.shop.redeem(&own).await.id_token["sub"], tokens.id_token["sub"]);
    for (tenant, name, password) in [
        ("host.test", "anna", "the provider's own"),
        ("own.test", "anna", "the host's"),
        ("host.test", "bert", "from before the directory"),
        ("host.test", "not a name", "the host's"),
    ] {
        let refused = house.enter(&mut house.idp.browser(), tenant, name, password).await;
        assert_eq!(refused.step(), Some("identify"), "{tenant} {name} {password}");
    }
}

/// The host's no looks like the provider's, and is counted in the same budget.
#[tokio::test]
async fn every_no_is_neutral_and_counted() {
    let house = House::new().await;
    house.host.change(|table| {
        let mut gone = DirectoryUser::new("8", Username::parse("gone").unwrap());
        gone.disabled = true;
        table.people.push((gone, "right"));
    });
    let mut pages = Vec::new();
    for (tenant, name, password) in
        [("host.test", "anna", "x"), ("host.test", "nobody", "x"), ("host.test", "gone", "right")]
    {
        let page = house.enter(&mut house.idp.browser(), tenant, name, password).await;
        pages.push((page.status, crate::login::bare(&page).replace(name, "~")));
    }
    pages.dedup();
    assert_eq!(pages.len(), 1, "{pages:?}");
    let reasons = house.idp.events().all().into_iter().filter_map(|event| match event {
        Event::LoginFailed { reason, .. } => Some(reason),
        _ => None,
    });
    assert_eq!(
        reasons.collect::<Vec<_>>(),
        [LoginFailure::WrongPassword, LoginFailure::UserUnknown, LoginFailure::UserDisabled]
    );
    for _ in 0..4 {
        house.enter(&mut house.idp.browser(), "host.test", "anna", "x").await;
    }
    let locked = house.enter(&mut house.idp.browser(), "host.test", "anna", "the host's").await;
    assert_eq!(locked.status, 429, "{}", locked.body);
}

#[tokio::test]
async fn who_is_gone_or_disabled_at_the_host_is_nobody_here_at_once() {
    for leave in [
        (|table: &mut Table| table.people.clear()) as fn(&mut Table),
        |table| table.people[0].0.disabled = true,
        |table| table.people[0].0.key = DirectoryKey::new("another person of that name"),
    ] {
        let house = House::new().await;
        let mut browser = house.idp.browser();
        let back = house.enter(&mut browser, "host.test", "anna", "the host's").await;
        let tokens = house.shop.redeem(&back).await;
        let code = house.open(&mut browser, &SILENT).await.parameter("code").unwrap();
        house.host.change(leave);
        assert_eq!(house.shop.token(&code).await.json()["error"], "invalid_grant");
        assert_eq!(house.refresh(&tokens.response).await.json()["error"], "invalid_grant");
        assert_eq!(house.shop.userinfo(&tokens.access_token).await.status, 401);
        assert_eq!(error(&house.open(&mut browser, &SILENT).await).as_deref(), Some("login_required"));
    }
}

/// Whichever request the host is asked for: what it has said ends what the user was given, also if it changes its mind.
#[tokio::test]
async fn who_comes_back_at_the_host_has_nothing_of_before() {
    for leave in [(|table: &mut Table| table.people.clear()) as fn(&mut Table), |table| {
        table.people[0].0.disabled = true;
    }] {
        for asked in 0..3 {
            let house = House::new().await;
            let mut browser = house.idp.browser();
            let back = house.enter(&mut browser, "host.test", "anna", "the host's").await;
            let tokens = house.shop.redeem(&back).await;
            let code = house.open(&mut browser, &SILENT).await.parameter("code").unwrap();
            let before: Vec<_> = house.host.0.lock().unwrap().people.clone();
            house.host.change(leave);
            match asked {
                0 => assert_eq!(house.shop.userinfo(&tokens.access_token).await.status, 401),
                1 => assert_eq!(
                    error(&house.open(&mut browser, &SILENT).await).as_deref(),
                    Some("login_required")
                ),
                _ => assert_eq!(house.refresh(&tokens.response).await.json()["error"], "invalid_grant"),
            }
            house.host.change(|table| table.people = before);
            assert_eq!(house.shop.userinfo(&tokens.access_token).await.status, 401, "{asked}");
            assert_eq!(house.refresh(&tokens.response).await.json()["error"], "invalid_grant", "{asked}");
            assert_eq!(house.shop.token(&code).await.json()["error"], "invalid_grant", "{asked}");
            assert_eq!(error(&house.open(&mut browser, &SILENT).await).as_deref(), Some("login_required"));
            let again = house.enter(&mut browser, "host.test", "anna", "the host's").await;
            assert_eq!(house.shop.redeem(&again).await.id_token["sub"], tokens.id_token["sub"]);
        }
    }
}

#[tokio::test]
async fn what_the_host_knows_now_is_what_claims_say() {
    let house = House::new().await;
    let mut browser = house.anna().await;
    let tokens = house.shop.redeem(&house.open(&mut browser, &SILENT).await).await;
    house.idp.clock().advance(Duration::from_secs(9));
    house.host.person("anna", |person| {
        person.username = Username::parse("anna.b").unwrap();
        person.profile.email = Some("anna.b@host.test".to_owned());
    });
    let told = house.shop.userinfo(&tokens.access_token).await.json();
    assert_eq!((&told["email"], &told["preferred_username"]), (&json!("anna.b@host.test"), &json!("anna.b")));
    assert_eq!(told["updated_at"], house.idp.idp().now().unix());
    assert_eq!(told["sub"], tokens.id_token["sub"], "a new name, the same person");
}

/// A name may be reassigned: its new owner is another user and gets nothing of the first one.
#[tokio::test]
async fn a_name_that_passes_on_is_another_user() {
    let house = House::new().await;
    let mut first = house.anna().await;
    let before = house.shop.redeem(&house.open(&mut first, &SILENT).await).await;
    house.host.person("anna", |person| person.username = Username::parse("anna.b").unwrap());
    house.host.change(|table| {
        table.people.push((DirectoryUser::new("9", Username::parse("anna").unwrap()), "mine now"));
    });
    let other = house.enter(&mut house.idp.browser(), "host.test", "anna", "mine now").await;
    let other = house.shop.redeem(&other).await;
    assert_ne!(other.id_token["sub"], before.id_token["sub"]);
    let again = house.shop.redeem(&house.open(&mut first, &SILENT).await).await;
    assert_eq!(again.id_token["sub"], before.id_token["sub"]);
    let renamed = house.enter(&mut house.idp.browser(), "host.test", "anna.b", "the host's").await;
    assert_eq!(house.shop.redeem(&renamed).await.id_token["sub"], before.id_token["sub"]);
}

#[tokio::test]
async fn the_hosts_administrators_need_a_second_factor_of_ours() {
    let house = House::new().await;
    house.host.person("anna", |person| person.roles = vec![Role::Admin]);
    let mut browser = house.idp.browser();
    let page = house.enter(&mut browser, "host.test", "anna", "the host's").await;
    assert_eq!(page.step(), Some("enrol"));
    let code = totp(&shown_secret(&page), house.idp.idp().now());
    let codes = browser.submit(&page, &[("code", &code)]).await;
    let back = browser.submit(&codes, &[("stored", "1")]).await;
    assert_eq!(house.shop.redeem(&back).await.id_token["acr"], "urn:vestibule:acr:2fa");
    let next = house.enter(&mut house.idp.browser(), "host.test", "anna", "the host's").await;
    assert_eq!(next.step(), Some("second_factor"));
}

/// A host that does not answer is no fault of the provider's, and decides nothing.
#[tokio::test]
async fn a_host_that_fails_or_hangs_is_busy() {
    let house = House::new().await;
    let mut browser = house.anna().await;
    let mut tokens = house.shop.redeem(&house.open(&mut browser, &SILENT).await).await;
    for mood in [Mood::Failing, Mood::Silent] {
        let code = house.open(&mut browser, &SILENT).await.parameter("code").unwrap();
        house.host.change(|table| table.mood = mood);
        let mut stranger = house.idp.browser();
        let page = house.open(&mut stranger, &[]).await;
        let fields = [("tenant", "host.test"), ("username", "anna"), ("password", "the host's")];
        for answer in [
            stranger.submit(&page, &fields).await,
            house.open(&mut browser, &SILENT).await,
            house.shop.userinfo(&tokens.access_token).await,
            house.shop.token(&code).await,
            house.refresh(&tokens.response).await,
        ] {
            assert_eq!(answer.status, 503, "{mood:?} {}", answer.url);
            assert!(answer.headers.contains_key("retry-after"), "{mood:?} {}", answer.url);
        }
        let own = house.enter(&mut house.idp.browser(), "own.test", "anna", "the provider's own").await;
        assert!(own.parameter("code").is_some(), "its tenants alone feel it");
        // Longer than a refresh token that was rotated gives its successor once more.
        house.idp.clock().advance(Duration::from_secs(30));
        house.host.change(|table| table.mood = Mood::Well);
        let refreshed = house.refresh(&tokens.response).await;
        assert_eq!(refreshed.status, 200, "{mood:?}: {}", refreshed.body);
        tokens.response = refreshed.json();
        assert_eq!(house.shop.userinfo(&tokens.access_token).await.status, 200);
        assert!(house.open(&mut browser, &SILENT).await.parameter("code").is_some(), "still signed in");
        assert_eq!(house.shop.token(&code).await.status, 200, "{mood:?}: nor is a code used up");
        assert_eq!(house.shop.token(&code).await.status, 400, "but once it is, it is");
        let back = stranger.submit(&page, &fields).await;
        assert!(back.parameter("code").is_some(), "{mood:?}: what could not be checked was not counted");
    }
}
