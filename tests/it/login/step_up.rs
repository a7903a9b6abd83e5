//! Step-up: only the missing factors are asked for, and the session keeps them.

use std::time::Duration;

use serde_json::{Map, Value, json};
use vestibule::testing::{Answer, Application, Browser, TestIdp};

use super::session::session;
use super::{
    DOMAIN, PASSWORD, SECRET, code, enter, error, house, next_code, open, shown_codes, shown_secret, sign_in,
};

const ONE: &str = "urn:vestibule:acr:1fa";
const TWO: &str = "urn:vestibule:acr:2fa";
const ESSENTIAL: (&str, &str) =
    ("claims", r#"{"id_token":{"acr":{"essential":true,"value":"urn:vestibule:acr:2fa"}}}"#);

async fn id_token(app: &Application, answer: &Answer) -> Map<String, Value> {
    app.redeem(answer).await.id_token
}

/// Bert, who signed in with his password alone and got an authenticator in another place since.
async fn half(idp: &TestIdp, shop: &Application) -> (Browser, Map<String, Value>) {
    let mut browser = idp.browser();
    let back = enter(&mut browser, shop, "bert").await;
    let before = id_token(shop, &back).await;
    assert_eq!((&before["acr"], &before["amr"]), (&json!(ONE), &json!(["pwd"])));
    idp.clock().advance(Duration::from_secs(100));
    (browser, before)
}

async fn gets_authenticator(idp: &TestIdp) {
    let user = format!(
        "[[users]]\ntenant = \"{DOMAIN}\"\nusername = \"bert\"\n[[users.authenticators]]\nkind = \"totp\"\nsecret = \"{SECRET}\"\n"
    );
    idp.idp().apply(&user).await.unwrap();
}

#[tokio::test]
async fn only_the_missing_factor_is_asked_and_the_session_learns_it() {
    for more in [&[][..], &[ESSENTIAL], &[("acr_values", TWO)], &[("acr_values", TWO), ("max_age", "1000")]] {
        let (idp, shop) = house().await;
        let (mut browser, before) = half(&idp, &shop).await;
        gets_authenticator(&idp).await;
        let mut stale = browser.clone();
        let cookie = session(&mut browser).unwrap();

        let page = open(&mut browser, &shop, more).await;
        assert_eq!(page.step(), Some("second_factor"), "{more:?}");
        let raised = id_token(&shop, &browser.submit(&page, &[("code", &code(&idp))]).await).await;
        assert_eq!(
            (&raised["acr"], &raised["amr"]),
            (&json!(TWO), &json!(["pwd", "otp", "mfa"])),
            "{more:?}"
        );
        assert_eq!(raised["auth_time"], before["auth_time"], "that of the oldest factor relied on");
        assert_eq!((&raised["sid"], &raised["sub"]), (&before["sid"], &before["sub"]));

        assert_ne!(session(&mut browser), Some(cookie), "a new cookie");
        assert_eq!(open(&mut stale, &shop, &[]).await.step(), Some("identify"), "and the old one is dead");
        let silent = open(&mut browser, &shop, &[("prompt", "none"), ESSENTIAL]).await;
        assert_eq!(id_token(&shop, &silent).await["acr"], TWO, "learnt for good");
    }
}

#[tokio::test]
async fn a_silent_request_learns_what_is_missing() {
    let (idp, shop) = house().await;
    let (mut browser, _) = half(&idp, &shop).await;
    gets_authenticator(&idp).await;
    for more in [&[("prompt", "none")][..], &[("prompt", "none"), ESSENTIAL]] {
        let refused = open(&mut browser, &shop, more).await;
        assert_eq!(error(&refused).as_deref(), Some("interaction_required"), "{more:?}");
    }
}

#[tokio::test]
async fn each_factor_is_as_young_as_max_age_wants() {
    let (idp, shop) = house().await;
    let (mut browser, before) = half(&idp, &shop).await;
    gets_authenticator(&idp).await;
    // The password is 100 seconds old.
    let page = open(&mut browser, &shop, &[("max_age", "99")]).await;
    assert_eq!(page.step(), Some("identify"));
    let otp = sign_in(&mut browser, &page, "bert", PASSWORD).await;
    let both = id_token(&shop, &browser.submit(&otp, &[("code", &code(&idp))]).await).await;
    assert!(both["auth_time"].as_i64() > before["auth_time"].as_i64());
    idp.clock().advance(Duration::from_mins(1));
    let young = open(&mut browser, &shop, &[("max_age", "60")]).await;
    assert_eq!(id_token(&shop, &young).await["auth_time"], both["auth_time"]);
    idp.clock().advance(Duration::from_secs(1));
    let page = open(&mut browser, &shop, &[("max_age", "60")]).await;
    let otp = sign_in(&mut browser, &page, "bert", PASSWORD).await;
    assert_eq!(otp.step(), Some("second_factor"), "an old code does not make up for it");
}

#[tokio::test]
async fn a_step_up_half_done_raises_nothing() {
    let (idp, shop) = house().await;
    let (mut browser, _) = half(&idp, &shop).await;
    gets_authenticator(&idp).await;
    let cookie = session(&mut browser);
    let page = open(&mut browser, &shop, &[ESSENTIAL]).await;
    let again = browser.submit(&page, &[("code", "000000")]).await;
    assert_eq!(again.step(), Some("second_factor"));
    assert_eq!(session(&mut browser), cookie, "a wrong code changes no session");
    let refused = open(&mut browser, &shop, &[("prompt", "none")]).await;
    assert_eq!(error(&refused).as_deref(), Some("interaction_required"));
}

/// Who has no second factor enrols one inside the step-up, after the password: a session alone enrols nothing.
#[tokio::test]
async fn an_essential_second_factor_is_enrolled_first() {
    let (idp, shop) = house().await;
    let (mut browser, before) = half(&idp, &shop).await;
    let wish = open(&mut browser, &shop, &[("acr_values", TWO)]).await;
    assert_eq!(id_token(&shop, &wish).await["acr"], ONE, "a wish that is out of reach is no condition");
    let cookie = session(&mut browser);
    let page = open(&mut browser, &shop, &[ESSENTIAL]).await;
    assert_eq!(page.step(), Some("identify"));
    let page = sign_in(&mut browser, &page, "bert", PASSWORD).await;
    assert_eq!(page.step(), Some("enrol"));
    let confirmed = vestibule::testing::totp(&shown_secret(&page), idp.idp().now());
    let codes = browser.submit(&page, &[("code", &confirmed)]).await;
    assert_eq!(codes.step(), Some("recovery_codes"));
    assert!(!shown_codes(&codes).is_empty());
    let raised = id_token(&shop, &browser.submit(&codes, &[("stored", "1")]).await).await;
    assert_eq!((&raised["acr"], &raised["sid"]), (&json!(TWO), &before["sid"]));
    assert_eq!(raised["auth_time"], idp.idp().now().unix(), "the password was proved again");
    assert_ne!(session(&mut browser), cookie);
}

#[tokio::test]
async fn where_none_can_be_enrolled_the_application_is_told() {
    let (idp, shop) = house().await;
    idp.idp()
        .apply(&format!("[[tenants]]\ndomain = \"{DOMAIN}\"\n[tenants.policy]\nmethods = []\n"))
        .await
        .unwrap();
    let (mut browser, _) = half(&idp, &shop).await;
    for more in [&[ESSENTIAL][..], &[("prompt", "none"), ESSENTIAL]] {
        let refused = open(&mut browser, &shop, more).await;
        assert_eq!(error(&refused).as_deref(), Some("unmet_authentication_requirements"), "{more:?}");
    }
    assert!(open(&mut browser, &shop, &[]).await.parameter("code").is_some(), "the session stands");
}

/// The whole list that discovery gives, weakest first, sent back: the first that is reached will do.
#[tokio::test]
async fn a_stronger_session_is_never_weakened() {
    let (idp, shop) = house().await;
    let mut browser = idp.browser();
    let otp = enter(&mut browser, &shop, "tina").await;
    browser.submit(&otp, &[("code", &code(&idp))]).await;
    let both = format!("{ONE} {TWO}");
    for wish in [ONE, &both, "urn:unknown"] {
        let back = open(&mut browser, &shop, &[("acr_values", wish)]).await;
        assert_eq!(id_token(&shop, &back).await["acr"], TWO, "{wish}");
    }
    let page = open(&mut browser, &shop, &[("prompt", "login"), ("acr_values", ONE)]).await;
    let otp = sign_in(&mut browser, &page, "tina", PASSWORD).await;
    assert_eq!(otp.step(), Some("second_factor"), "a weaker wish takes no factor away");
    let back = browser.submit(&otp, &[("code", &next_code(&idp))]).await;
    assert_eq!(id_token(&shop, &back).await["acr"], TWO);
}
