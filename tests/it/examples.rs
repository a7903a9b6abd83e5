//! Signs a user in with each of the examples, because hosts copy them.

#[path = "../../examples/claims.rs"]
#[expect(
    dead_code,
    unreachable_pub,
    reason = "its main is not run here, and it shows what a host would publish"
)]
mod claims;
#[path = "../../examples/directory.rs"]
#[expect(
    dead_code,
    unreachable_pub,
    reason = "its main is not run here, and it shows what a host would publish"
)]
mod directory;
#[path = "../../examples/observer.rs"]
#[expect(
    dead_code,
    unreachable_pub,
    reason = "its main is not run here, and it shows what a host would publish"
)]
mod observer;
#[path = "../../examples/theme.rs"]
#[expect(
    dead_code,
    unreachable_pub,
    reason = "its main is not run here, and it shows what a host would publish"
)]
mod theme;

use std::collections::BTreeMap;

use serde_json::json;
use vestibule::IdpBuilder;
use vestibule::domain::issuer::IssuerUrl;
use vestibule::domain::settings::Settings;
use vestibule::testing::{Answer, Application, Browser, TestIdp};

use self::claims::Company;
use self::directory::People;
use self::observer::Tally;
use self::theme::HouseStyle;

const WORLD: &str = r#"
    [[tenants]]
    domain = "people.example"
    name = "Our people"
    [[clients]]
    client_id = "shop"
    client_name = "Shop & <Sons>"
    token_endpoint_auth_method = "none"
    redirect_uris = ["https://shop.test/callback"]
"#;
const PASSWORD: &str = "correct horse battery staple";

async fn host(parts: impl FnOnce(IdpBuilder) -> IdpBuilder) -> (TestIdp, Application) {
    let settings = Settings::new(IssuerUrl::parse(TestIdp::ISSUER).unwrap());
    let idp = TestIdp::with_parts(settings, WORLD, parts).await;
    let shop = idp.application("shop", "https://shop.test/callback");
    (idp, shop)
}

/// Anna, where the provider holds its users itself.
async fn anna(idp: &TestIdp) {
    let user =
        format!("[[users]]\ntenant = \"people.example\"\nusername = \"anna\"\npassword = \"{PASSWORD}\"\n");
    idp.idp().apply(&user).await.unwrap();
}

async fn sign_in(browser: &mut Browser, page: &Answer, password: &str) -> Answer {
    let fields = [("tenant", "people.example"), ("username", "anna"), ("password", password)];
    browser.submit(page, &fields).await
}

#[tokio::test]
async fn a_house_style_shows_its_own_login_page() {
    let (idp, shop) = host(|parts| parts.theme(HouseStyle)).await;
    anna(&idp).await;
    let mut browser = idp.browser();
    let page = browser.get(&shop.authorization_url("openid")).await;
    assert!(page.body.contains("<h1>Welcome to Shop &amp; &lt;Sons&gt;</h1>"), "{}", page.body);
    let wrong = sign_in(&mut browser, &page, "wrong").await;
    assert!(wrong.body.contains("role=\"alert\"") && wrong.body.contains("value=\"anna\""), "{}", wrong.body);
    shop.redeem(&sign_in(&mut browser, &wrong, PASSWORD).await).await;
}

#[tokio::test]
async fn a_tally_counts_what_happens_at_the_door() {
    let tally = Tally::default();
    let ears = tally.clone();
    let (idp, shop) = host(|parts| parts.observer(ears)).await;
    anna(&idp).await;
    let mut browser = idp.browser();
    let mut page = browser.get(&shop.authorization_url("openid")).await;
    for _ in 0..2 {
        page = sign_in(&mut browser, &page, "wrong").await;
    }
    shop.redeem(&sign_in(&mut browser, &page, PASSWORD).await).await;
    assert_eq!(tally.report(), "refused, WrongPassword: 2\nsigned in: 1");
}

#[tokio::test]
async fn a_company_tells_departments() {
    let sales = ("Sales".to_owned(), vec!["North".to_owned()]);
    let company = Company(BTreeMap::from([("anna".to_owned(), sales)]));
    let (idp, shop) = host(|parts| parts.claims(company)).await;
    anna(&idp).await;
    let mut browser = idp.browser();
    let page = browser.get(&shop.authorization_url("openid company")).await;
    let tokens = shop.redeem(&sign_in(&mut browser, &page, PASSWORD).await).await;
    assert_eq!(
        (&tokens.id_token["department"], &tokens.id_token["teams"]),
        (&json!("Sales"), &json!(["North"]))
    );
    let told = shop.userinfo(&tokens.access_token).await.json();
    assert_eq!((&told["department"], &told["sub"]), (&json!("Sales"), &tokens.id_token["sub"]));

    let less = browser.get(&shop.authorization_url("openid profile")).await;
    let less = shop.redeem(&less).await;
    assert_eq!(less.id_token.get("department"), None, "only for the scope");
    assert_eq!(shop.userinfo(&less.access_token).await.json().get("teams"), None);
    let metadata = browser.get(&format!("{}/.well-known/openid-configuration", TestIdp::ISSUER)).await.json();
    let says = |list: &str, word: &str| metadata[list].as_array().unwrap().contains(&json!(word));
    assert!(says("scopes_supported", "company") && says("claims_supported", "teams"), "{metadata}");
}

#[tokio::test]
async fn people_of_the_hosts_table_sign_in() {
    let folder = std::env::temp_dir().join(format!("people-{}.db", std::process::id()));
    drop(std::fs::remove_file(&folder));
    let people = People::open(&format!("sqlite://{}?mode=rwc", folder.display())).await.unwrap();
    people.add("Anna", "anna@people.example", PASSWORD).await.unwrap();
    let (idp, shop) = host(|parts| parts.directory(people)).await;
    let mut browser = idp.browser();
    let page = browser.get(&shop.authorization_url("openid email")).await;
    let wrong = sign_in(&mut browser, &page, "wrong").await;
    assert_eq!(wrong.step(), Some("identify"));
    let tokens = shop.redeem(&sign_in(&mut browser, &wrong, PASSWORD).await).await;
    let told = shop.userinfo(&tokens.access_token).await.json();
    assert_eq!(told["email"], "anna@people.example");
    drop(std::fs::remove_file(&folder));
}
