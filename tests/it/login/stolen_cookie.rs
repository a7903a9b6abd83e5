//! A session cookie in the wrong browser: what one user proved counts for no other (attack 142).

use vestibule::testing::{Answer, Application, Browser, TestIdp, totp};

use super::{PASSWORD, SECRET, house, open, shown_codes, shown_secret, sign_in};

const ESSENTIAL: (&str, &str) =
    ("claims", r#"{"id_token":{"acr":{"essential":true,"value":"urn:vestibule:acr:2fa"}}}"#);

/// The session cookie of a browser.
type Cookie = ((String, String), String);

fn steal(browser: &mut Browser) -> Cookie {
    let cookie = browser.cookies().iter().find(|((_, name), _)| name.contains("session"));
    cookie.map(|(key, value)| (key.clone(), value.clone())).unwrap()
}

fn plant(browser: &mut Browser, (key, value): Cookie) {
    browser.cookies().insert(key, value);
}

fn at(page: &Answer, step: &str) -> String {
    page.url.as_str().replace(page.step().unwrap(), step)
}

/// Gives a user an authenticator, as an operator does.
async fn equip(idp: &TestIdp, tenant: &str, name: &str) {
    let user = format!(
        "[[users]]\ntenant = \"{tenant}\"\nusername = \"{name}\"\n[[users.authenticators]]\nkind = \"totp\"\nsecret = \"{SECRET}\"\n"
    );
    idp.idp().apply(&user).await.unwrap();
}

/// Signs Bert in with his password alone, then lets him enrol in another browser. Returns the first browser and the
/// recovery codes.
async fn half_with_codes(idp: &TestIdp, shop: &Application) -> (Browser, Vec<String>) {
    let (mut first, mut second) = (idp.browser(), idp.browser());
    let page = open(&mut first, shop, &[]).await;
    assert!(sign_in(&mut first, &page, "bert", PASSWORD).await.parameter("code").is_some());
    let page = open(&mut second, shop, &[ESSENTIAL]).await;
    let page = sign_in(&mut second, &page, "bert", PASSWORD).await;
    let codes = second.submit(&page, &[("code", &totp(&shown_secret(&page), idp.idp().now()))]).await;
    (first, shown_codes(&codes))
}

#[tokio::test]
async fn a_recovery_code_counts_for_its_user_alone() {
    let (idp, shop) = house().await;
    let (mut browser, codes) = half_with_codes(&idp, &shop).await;
    // The victim is signed in with a password alone and has got an authenticator since.
    let mut victim = idp.browser();
    let page = open(&mut victim, &shop, &[]).await;
    let typed = [("tenant", "other.sms"), ("username", "bert"), ("password", "another horse")];
    assert!(victim.submit(&page, &typed).await.parameter("code").is_some());
    equip(&idp, "other.sms", "bert").await;

    let page = open(&mut browser, &shop, &[ESSENTIAL]).await;
    let page = browser.get(&at(&page, "recovery")).await;
    let next = browser.submit(&page, &[("code", &codes[0])]).await;
    assert_eq!(next.step(), Some("enrol"));
    let own = steal(&mut browser);
    plant(&mut browser, steal(&mut victim));
    let page = browser.get(next.url.as_str()).await;
    assert_eq!(page.step(), Some("second_factor"), "the victim has proved none: {}", page.body);
    plant(&mut browser, own);
    let page = browser.get(next.url.as_str()).await;
    assert_eq!(page.step(), Some("second_factor"), "what was proved before the change is dropped");
}
