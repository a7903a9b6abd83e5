//! What the hosted login does where no page can be looked at from outside.

use crate::domain::ids::{InteractionId, IssuerId};
use crate::domain::issuer::IssuerUrl;
use crate::domain::settings::Settings;
use crate::storage::interactions;
use crate::testing::TestIdp;

const WORLD: &str = r#"
    [[tenants]]
    domain = "one.test"
    name = "One"
    [[users]]
    tenant = "one.test"
    username = "anna"
    password = "correct horse battery staple"
    [[clients]]
    client_id = "shop"
    token_endpoint_auth_method = "none"
    redirect_uris = ["https://shop.test/callback"]
"#;

#[tokio::test]
async fn who_finds_no_place_is_told_before_anything_is_read() {
    let mut settings = Settings::new(IssuerUrl::parse(TestIdp::ISSUER).unwrap());
    (settings.hash_permits, settings.hash_queue) = (1, 0);
    let idp = TestIdp::with_settings(settings, WORLD).await;
    let shop = idp.application("shop", "https://shop.test/callback");
    let mut browser = idp.browser();
    let page = browser.get(&shop.authorization_url("openid")).await;
    let fields = [("tenant", "one.test"), ("username", "anna"), ("password", "correct horse battery staple")];
    let Ok(place) = idp.idp().hasher().acquire() else { panic!("nobody else is there") };
    let before = idp.cost();
    let refused = browser.submit(&page, &fields).await;
    let spent = idp.cost() - before;
    assert_eq!((refused.status.as_u16(), refused.headers.contains_key("retry-after")), (503, true));
    assert_eq!((spent.statements, spent.writes), (0, 0));
    drop(place);
    assert!(browser.submit(&page, &fields).await.parameter("code").is_some());
}

/// A user may type the password into the field for the name, or send the form before the password is typed.
#[tokio::test]
async fn what_was_typed_for_a_name_is_not_stored_in_clear() {
    const SECRET: &str = "a password in the wrong field";
    let idp = TestIdp::with(WORLD).await;
    let shop = idp.application("shop", "https://shop.test/callback");
    let mut browser = idp.browser();
    let page = browser.get(&shop.authorization_url("openid")).await;
    let id = page.url.path().split('/').nth(2).and_then(InteractionId::named).unwrap();
    for (tenant, password) in [("one.test", "x"), ("one.test", ""), (SECRET, "x")] {
        let refused =
            browser.submit(&page, &[("tenant", tenant), ("username", SECRET), ("password", password)]).await;
        assert!(refused.body.contains(&format!("value=\"{SECRET}\"")), "need not be typed again");
        let mut reader = idp.idp().db().read();
        let row = interactions::by_id(&mut reader.tx(), &id, &IssuerId::root(), idp.idp().now()).await;
        let state = serde_json::to_string(&row.unwrap().unwrap()).unwrap();
        assert!(!state.contains(SECRET) && !state.contains("wrong field"), "{state}");
    }
}
