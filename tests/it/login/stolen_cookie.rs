//! A stolen session cookie changes no credential, and facts of one user do not count for another.

use std::time::Duration;

use vestibule::testing::{Answer, Application, Browser, TestIdp, totp};

use super::{
    DOMAIN, HOUSE, PASSWORD, SECRET, code, enter, house, next_code, open, shown_codes, shown_secret, sign_in,
};

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
    assert_eq!(next.step(), Some("identify"), "the code counts, and the password is asked for");
    let own = steal(&mut browser);
    plant(&mut browser, steal(&mut victim));
    let page = browser.get(next.url.as_str()).await;
    assert_eq!(page.step(), Some("second_factor"), "the victim has proved none: {}", page.body);
    plant(&mut browser, own);
    let page = browser.get(next.url.as_str()).await;
    assert_eq!(page.step(), Some("second_factor"), "what was proved before the change is dropped");
}

/// Pages on which a credential is changed.
pub(super) const CHANGES: [&str; 10] = [
    "desktop",
    "choose_method",
    "phone",
    "email",
    "confirm_code",
    "enrol",
    "enrol_passkey",
    "recovery_codes",
    "resync",
    "new_password",
];

/// Another browser with nothing but the session cookie of this one.
fn thief(idp: &TestIdp, victim: &mut Browser) -> Browser {
    let mut thief = idp.browser();
    plant(&mut thief, steal(victim));
    thief
}

/// A provider whose tenant has these rules.
async fn ruled(rules: &str) -> (TestIdp, Application) {
    let named = "name = \"Example Works\"\n";
    let idp = TestIdp::with(&HOUSE.replacen(named, &format!("{named}[tenants.policy]\n{rules}\n"), 1)).await;
    let shop = idp.application("shop", "https://shop.test/callback");
    (idp, shop)
}

/// No page of a change is reached, whatever is posted.
async fn changes_nothing(browser: &mut Browser, page: &Answer, due: &str) {
    assert_eq!(page.step(), Some(due), "{}", page.body);
    let fields = [("method", "totp"), ("code", "000000"), ("next_code", "111111"), ("stored", "yes")];
    for step in CHANGES {
        assert_eq!(browser.get(&at(page, step)).await.step(), Some(due), "{step}");
        assert_eq!(browser.post(&at(page, step), &fields).await.step(), Some(due), "{step}");
    }
}

#[tokio::test]
async fn a_session_cookie_enrols_nothing() {
    let (idp, shop) = ruled("methods = [\"totp\", \"passkey\"]").await;
    let phr = ESSENTIAL.1.replace("urn:vestibule:acr:2fa", "phr");
    let mut victim = idp.browser();
    enter(&mut victim, &shop, "bert").await;
    for claims in [ESSENTIAL.1, &phr] {
        let mut thief = thief(&idp, &mut victim);
        assert!(open(&mut thief, &shop, &[]).await.parameter("code").is_some(), "the cookie is alive");
        let page = open(&mut thief, &shop, &[("claims", claims)]).await;
        changes_nothing(&mut thief, &page, "identify").await;
    }
    // Both factors in the session are no more than one, and after the password the authenticator is asked for too.
    let mut victim = idp.browser();
    let page = enter(&mut victim, &shop, "tina").await;
    victim.submit(&page, &[("code", &code(&idp))]).await;
    let mut thief = thief(&idp, &mut victim);
    let page = open(&mut thief, &shop, &[("claims", &phr)]).await;
    changes_nothing(&mut thief, &page, "identify").await;
    let page = sign_in(&mut thief, &page, "tina", PASSWORD).await;
    changes_nothing(&mut thief, &page, "second_factor").await;
    let page = thief.submit(&page, &[("code", &next_code(&idp))]).await;
    assert_eq!(page.step(), Some("enrol_passkey"), "{}", page.body);
}

#[tokio::test]
async fn a_proof_counts_for_five_minutes() {
    let (idp, shop) = house().await;
    let mut browser = idp.browser();
    let page = open(&mut browser, &shop, &[ESSENTIAL]).await;
    let page = sign_in(&mut browser, &page, "bert", PASSWORD).await;
    let secret = shown_secret(&page);
    idp.clock().advance(Duration::from_mins(5));
    assert_eq!(browser.get(page.url.as_str()).await.step(), Some("enrol"));
    idp.clock().advance(Duration::from_secs(1));
    let late = browser.submit(&page, &[("code", &totp(&secret, idp.idp().now()))]).await;
    assert_eq!(late.step(), Some("identify"), "{}", late.body);
    let page = sign_in(&mut browser, &late, "bert", PASSWORD).await;
    assert_eq!(shown_secret(&page), secret, "the enrolment goes on");
    let codes = browser.submit(&page, &[("code", &totp(&secret, idp.idp().now()))]).await;
    assert_eq!(codes.step(), Some("recovery_codes"));
}

/// The device is found again by who has the password too.
#[tokio::test]
async fn a_session_cookie_resynchronises_nothing() {
    let (idp, shop) = ruled("resync = true").await;
    let mut browser = idp.browser();
    enter(&mut browser, &shop, "bert").await;
    equip(&idp, DOMAIN, "bert").await;
    let page = open(&mut browser, &shop, &[]).await;
    let page = browser.submit(&page, &[("code", "000000")]).await;
    assert!(page.body.contains("/resync?"), "{}", page.body);
    let slow = |seconds: u64| totp(SECRET, idp.idp().now().minus(Duration::from_secs(6 * 3600 + seconds)));
    let (first, second) = (slow(30), slow(0));
    let codes = [("code", first.as_str()), ("next_code", second.as_str())];
    let csrf = page.body.split("name=\"csrf\" value=\"").nth(1).unwrap().split('"').next().unwrap();
    let posted = [&[("csrf", csrf)], &codes[..]].concat();
    assert_eq!(browser.post(&at(&page, "resync"), &posted).await.step(), Some("second_factor"));
    let asked = browser.get(&at(&page, "resync")).await;
    assert_eq!(asked.step(), Some("identify"), "{}", asked.body);
    let resync = sign_in(&mut browser, &asked, "bert", PASSWORD).await;
    assert_eq!(resync.step(), Some("resync"), "{}", resync.body);
    let back = browser.submit(&resync, &codes).await;
    assert!(back.parameter("code").is_some(), "{}", back.body);
}

/// A recovery code enrols its replacement, and the replacement changes the password.
#[tokio::test]
async fn a_recovery_code_changes_no_password() {
    let (idp, shop) = house().await;
    let (_, codes) = half_with_codes(&idp, &shop).await;
    let document =
        format!("[[users]]\ntenant = \"{DOMAIN}\"\nusername = \"bert\"\nmust_change_password = true\n");
    idp.idp().apply(&document).await.unwrap();
    let mut browser = idp.browser();
    let page = enter(&mut browser, &shop, "bert").await;
    let page = browser.get(&at(&page, "recovery")).await;
    let page = browser.submit(&page, &[("code", &codes[0])]).await;
    assert_eq!(page.step(), Some("enrol"), "{}", page.body);
    assert_eq!(browser.get(&at(&page, "new_password")).await.step(), Some("enrol"));
    let page = browser.submit(&page, &[("code", &totp(&shown_secret(&page), idp.idp().now()))]).await;
    assert_eq!(page.step(), Some("new_password"), "{}", page.body);
}

/// A browser that its user trusts skips the second factor of a login, not that of a change.
#[tokio::test]
async fn a_trusted_browser_proves_nothing_for_a_change() {
    let (idp, shop) = ruled("[tenants.policy.trusted_browsers]\ndays = 30").await;
    let mut browser = idp.browser();
    let page = enter(&mut browser, &shop, "tina").await;
    browser.submit(&page, &[("code", &code(&idp)), ("trust_browser", "yes")]).await;
    browser.cookies().retain(|(_, name), _| name.contains("trusted"));
    assert!(enter(&mut browser.clone(), &shop, "tina").await.parameter("code").is_some(), "it is trusted");
    let document =
        format!("[[users]]\ntenant = \"{DOMAIN}\"\nusername = \"tina\"\nmust_change_password = true\n");
    idp.idp().apply(&document).await.unwrap();
    let page = enter(&mut browser, &shop, "tina").await;
    assert_eq!(page.step(), Some("second_factor"), "{}", page.body);
    let page = browser.submit(&page, &[("code", &next_code(&idp))]).await;
    assert_eq!(page.step(), Some("new_password"));
}
