//! The first enrolment inside a login: the office computer, then a method, then on (reference paths 1 and 2 are
//! its story).

use serde_json::json;
use vestibule::ext::Clock;
use vestibule::testing::{Application, TestIdp, totp};

use super::{DOMAIN, HOUSE, PASSWORD, enter, open, shown_secret, sign_in};

/// A tenant that wants a second factor of everybody, and asks for the office computer.
async fn house() -> (TestIdp, Application) {
    let policy = "[tenants.policy]\nmfa = \"required\"\nask_desktop_name = true\n";
    let named = "name = \"Example Works\"\n";
    let idp = TestIdp::with(&HOUSE.replacen(named, &format!("{named}{policy}"), 1)).await;
    let shop = idp.application("shop", "https://shop.test/callback");
    (idp, shop)
}

#[tokio::test]
async fn the_only_method_opens_directly_and_the_name_of_the_desktop_becomes_a_claim() {
    let (idp, shop) = house().await;
    let mut browser = idp.browser();
    let desktop = enter(&mut browser, &shop, "bert").await;
    assert_eq!(desktop.step(), Some("desktop"), "{}", desktop.body);
    let qr = browser.submit(&desktop, &[("personal_desktop", " pc-bert.office ")]).await;
    assert_eq!(qr.step(), Some("enrol"), "the only method opens directly");
    assert!(!qr.body.contains("name=\"another\""), "and there is no other");
    let secret = shown_secret(&qr);
    let codes = browser.submit(&qr, &[("code", &totp(&secret, idp.clock().now()))]).await;
    let back = browser.submit(&codes, &[("stored", "yes")]).await;
    let tokens = shop.redeem(&back).await;
    assert_eq!(tokens.id_token["amr"], json!(["pwd", "otp", "mfa"]));
    assert_eq!(tokens.id_token["acr"], "urn:vestibule:acr:2fa");
    assert_eq!(tokens.id_token["personal_desktop"], "pc-bert.office");
    let claims = shop.userinfo(&tokens.access_token).await.json();
    assert_eq!(claims["personal_desktop"], "pc-bert.office");
}

#[tokio::test]
async fn the_desktop_may_be_skipped_whatever_is_typed_and_is_asked_for_once() {
    let (idp, shop) = house().await;
    let mut browser = idp.browser();
    let page = enter(&mut browser, &shop, "bert").await;
    let empty = browser.submit(&page, &[("personal_desktop", " ")]).await;
    assert_eq!(empty.step(), Some("desktop"));
    assert!(empty.body.contains("personal_desktop-error"));
    let wrong = browser.submit(&empty, &[("personal_desktop", "no such <name>")]).await;
    assert_eq!(wrong.step(), Some("desktop"));
    assert!(wrong.body.contains("value=\"no such &#60;name&#62;\""), "what was typed is kept");
    let second_tab = idp.browser();
    let skipped = browser.submit(&wrong, &[("personal_desktop", "-still wrong-"), ("skip", "yes")]).await;
    assert_eq!(skipped.step(), Some("enrol"));
    assert_eq!(browser.get(page.url.as_str()).await.step(), Some("enrol"), "Back does not lead to it");
    // The browser is closed here, before anything is enrolled.
    let mut other = second_tab;
    assert_eq!(enter(&mut other, &shop, "bert").await.step(), Some("enrol"), "resumed behind it");
    let export = idp.idp().export().await.unwrap();
    assert!(!export.contains("personal_desktop"), "nothing is stored: {export}");
}

#[tokio::test]
async fn a_desktop_that_an_administrator_set_stands_in_the_field() {
    let (idp, shop) = house().await;
    let user = |name: &str| {
        format!("[[users]]\ntenant = \"{DOMAIN}\"\nusername = \"bert\"\npersonal_desktop = \"{name}\"\n")
    };
    idp.idp().apply(&user("pc-old")).await.unwrap();
    assert!(idp.idp().apply(&user("pc-old")).await.unwrap().is_nothing());
    let page = enter(&mut idp.browser(), &shop, "bert").await;
    assert!(page.body.contains("value=\"pc-old\""), "{}", page.body);
    let mistake = idp.idp().apply(&user("pc old")).await.unwrap_err().to_string();
    assert!(mistake.starts_with("users[0].personal_desktop: must be the name of a computer"), "{mistake}");
    idp.idp().apply(&user("")).await.unwrap();
    assert!(!idp.idp().export().await.unwrap().contains("personal_desktop"));
}

/// Opening another page does not skip the enrolment.
#[tokio::test]
async fn nothing_is_reached_before_a_method_is_confirmed() {
    let (idp, shop) = house().await;
    let mut browser = idp.browser();
    let desktop = enter(&mut browser, &shop, "bert").await;
    for guess in ["choose_method", "enrol", "recovery_codes", "consent", "second_factor"] {
        let url = desktop.url.as_str().replace("/desktop", &format!("/{guess}"));
        assert_eq!(browser.get(&url).await.step(), Some("desktop"), "{guess}");
        let fields = [("stored", "yes"), ("skip", "yes"), ("method", "totp"), ("another", "yes")];
        assert_eq!(browser.post(&url, &fields).await.step(), Some("desktop"), "{guess}");
    }
    let silent = open(&mut browser, &shop, &[("prompt", "none")]).await;
    assert_eq!(super::error(&silent).as_deref(), Some("login_required"));
}

#[tokio::test]
async fn where_nothing_may_be_enrolled_the_user_is_sent_to_the_administrator() {
    let (idp, shop) = house().await;
    let none = format!("[[tenants]]\ndomain = \"{DOMAIN}\"\n[tenants.policy]\nmethods = []\n");
    idp.idp().apply(&none).await.unwrap();
    let mut browser = idp.browser();
    let page = open(&mut browser, &shop, &[]).await;
    let refused = sign_in(&mut browser, &page, "bert", PASSWORD).await;
    assert_eq!((refused.step(), refused.status.as_u16()), (Some("refused"), 403));
}
