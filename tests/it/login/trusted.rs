//! Trusted browsers (see also path 18).

use std::time::Duration;

use serde_json::{Map, Value, json};
use vestibule::testing::{Answer, Application, Browser, TestIdp};

use super::{DOMAIN, PASSWORD, SECRET, code, enter, house, next_code, open};

const DAY: Duration = Duration::from_hours(24);
const TWO: &str = "urn:vestibule:acr:2fa";
const FIREFOX: &str = "Mozilla/5.0 (X11; Linux x86_64; rv:143.0) Gecko/20100101 Firefox/143.0";

/// A provider whose tenant lets users trust a browser for thirty days.
async fn trusting() -> (TestIdp, Application) {
    let (idp, shop) = house().await;
    apply(&idp, "days = 30").await;
    (idp, shop)
}

async fn apply(idp: &TestIdp, rules: &str) {
    let tenant = format!("[[tenants]]\ndomain = \"{DOMAIN}\"\n[tenants.policy.trusted_browsers]\n{rules}\n");
    idp.idp().apply(&tenant).await.unwrap();
}

async fn id_token(app: &Application, answer: &Answer) -> Map<String, Value> {
    app.redeem(answer).await.id_token
}

/// Signs Tina in with her code and the box ticked.
async fn trust(idp: &TestIdp, shop: &Application, browser: &mut Browser) -> Map<String, Value> {
    let page = enter(browser, shop, "tina").await;
    assert_eq!(page.step(), Some("second_factor"));
    assert!(page.body.contains("name=\"trust_browser\""), "{}", page.body);
    let back = browser.submit(&page, &[("code", &next_code(idp)), ("trust_browser", "yes")]).await;
    id_token(shop, &back).await
}

/// The same browser, signed out by its cookie being gone.
fn without_session(mut browser: Browser) -> Browser {
    browser.cookies().retain(|(_, name), _| name.contains("trusted"));
    browser
}

/// Does it skip the code?
async fn skips(shop: &Application, browser: &Browser) -> bool {
    let answer = enter(&mut without_session(browser.clone()), shop, "tina").await;
    match answer.step() {
        Some("second_factor") => false,
        Some(step) => panic!("{step}"),
        None => answer.parameter("code").is_some(),
    }
}

#[tokio::test]
async fn the_second_factor_is_skipped_where_the_browser_is_trusted() {
    let (idp, shop) = trusting().await;
    let mut browser = idp.browser().calling_itself(FIREFOX);
    let trusted = trust(&idp, &shop, &mut browser).await;
    assert_eq!(trusted["amr"], json!(["pwd", "otp", "mfa"]));

    let mut browser = without_session(browser);
    let back = enter(&mut browser, &shop, "tina").await;
    let skipped = id_token(&shop, &back).await;
    assert_eq!((&skipped["amr"], &skipped["acr"]), (&json!(["pwd", "rba"]), &json!("urn:vestibule:acr:1fa")));

    // The session goes on with it, silently too.
    for more in [&[][..], &[("prompt", "none")]] {
        let back = open(&mut browser, &shop, more).await;
        assert_eq!(id_token(&shop, &back).await["amr"], json!(["pwd", "rba"]), "{more:?}");
    }
}

/// A client that asks how its user was recognised gets no browser for an answer.
#[tokio::test]
async fn a_client_that_asks_for_two_factors_gets_them() {
    let (idp, shop) = trusting().await;
    let mut browser = idp.browser().calling_itself(FIREFOX);
    trust(&idp, &shop, &mut browser).await;
    let mut browser = without_session(browser);
    enter(&mut browser, &shop, "tina").await;
    let page = open(&mut browser, &shop, &[("acr_values", TWO)]).await;
    assert_eq!(page.step(), Some("second_factor"));
    let silent = open(&mut browser, &shop, &[("acr_values", TWO), ("prompt", "none")]).await;
    assert_eq!(silent.parameter("error").as_deref(), Some("interaction_required"));
    let back = browser.submit(&page, &[("code", &next_code(&idp))]).await;
    let raised = id_token(&shop, &back).await;
    assert_eq!((&raised["acr"], &raised["amr"]), (&json!(TWO), &json!(["pwd", "otp", "mfa"])));
}

/// The browser takes the place of the code, and not the age of an older one: the answer is as young as was asked.
#[tokio::test]
async fn an_old_code_is_not_claimed_where_it_is_too_old() {
    let (idp, shop) = trusting().await;
    let mut browser = idp.browser().calling_itself(FIREFOX);
    trust(&idp, &shop, &mut browser).await;
    idp.clock().advance(Duration::from_secs(61));
    let page = open(&mut browser, &shop, &[("max_age", "60")]).await;
    let back = super::sign_in(&mut browser, &page, "tina", PASSWORD).await;
    let token = id_token(&shop, &back).await;
    assert_eq!((&token["acr"], &token["amr"]), (&json!("urn:vestibule:acr:1fa"), &json!(["pwd", "rba"])));
    assert_eq!(token["auth_time"].as_i64(), Some(idp.idp().now().unix()));
    let again = open(&mut browser, &shop, &[]).await;
    assert_eq!(id_token(&shop, &again).await["acr"], TWO, "the session knows it still");
}

#[tokio::test]
async fn nothing_is_trusted_without_the_box_the_rule_or_the_code() {
    let (idp, shop) = trusting().await;
    // Not ticked.
    let mut browser = idp.browser().calling_itself(FIREFOX);
    let page = enter(&mut browser, &shop, "tina").await;
    browser.submit(&page, &[("code", &next_code(&idp))]).await;
    assert!(!skips(&shop, &browser).await);
    // Ticked beside a wrong code, and with the password.
    let mut browser = idp.browser().calling_itself(FIREFOX);
    let page = open(&mut browser, &shop, &[]).await;
    let typed = [("tenant", DOMAIN), ("username", "tina"), ("password", PASSWORD), ("trust_browser", "yes")];
    let page = browser.submit(&page, &typed).await;
    browser.submit(&page, &[("code", "000000"), ("trust_browser", "yes")]).await;
    assert!(!skips(&shop, &browser).await);
    // A tenant that does not let them.
    let (idp, shop) = house().await;
    let mut browser = idp.browser().calling_itself(FIREFOX);
    let page = enter(&mut browser, &shop, "tina").await;
    assert!(!page.body.contains("trust_browser"));
    browser.submit(&page, &[("code", &next_code(&idp)), ("trust_browser", "yes")]).await;
    assert!(!skips(&shop, &browser).await);
    apply(&idp, "days = 30").await;
    assert!(!skips(&shop, &browser).await);
}

#[tokio::test]
async fn administrators_always_prove_theirs() {
    let (idp, shop) = trusting().await;
    let mut browser = idp.browser().calling_itself(FIREFOX);
    trust(&idp, &shop, &mut browser).await;
    assert!(skips(&shop, &browser).await);
    let promoted = format!("[[users]]\ntenant = \"{DOMAIN}\"\nusername = \"tina\"\nroles = [\"admin\"]\n");
    idp.idp().apply(&promoted).await.unwrap();
    assert!(!skips(&shop, &browser).await);
    let page = enter(&mut without_session(browser), &shop, "tina").await;
    assert!(!page.body.contains("trust_browser"));
}

#[tokio::test]
async fn a_copied_cookie_in_another_browser_and_a_copied_browser_without_it_are_not_trusted() {
    let (idp, shop) = trusting().await;
    let mut browser = idp.browser().calling_itself(FIREFOX);
    trust(&idp, &shop, &mut browser).await;
    assert!(skips(&shop, &browser).await);
    let elsewhere = browser.clone().calling_itself(
        "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0 Safari/537.36",
    );
    assert!(!skips(&shop, &elsewhere).await, "another browser and another system");
    let mut lookalike = browser.clone();
    lookalike.cookies().clear();
    assert!(!skips(&shop, &lookalike).await, "no cookie");
    assert!(skips(&shop, &browser).await, "the right one still is");
}

/// Two people at one browser trust it each for themselves.
#[tokio::test]
async fn the_trust_is_one_users() {
    let (idp, shop) = trusting().await;
    let other = format!(
        "[[users]]\ntenant = \"{DOMAIN}\"\nusername = \"tom\"\npassword = \"{PASSWORD}\"\n[[users.authenticators]]\nkind = \"totp\"\nsecret = \"{SECRET}\"\n"
    );
    idp.idp().apply(&other).await.unwrap();
    let mut browser = idp.browser().calling_itself(FIREFOX);
    trust(&idp, &shop, &mut browser).await;
    let mut shared = without_session(browser);
    let page = enter(&mut shared, &shop, "tom").await;
    assert_eq!(page.step(), Some("second_factor"));
    // Tina's secret under Tom's name opens nothing either.
    let tinas = shared.cookies().iter().next().map(|(key, value)| (key.clone(), value.clone())).unwrap();
    let toms = shared.submit(&page, &[("code", &code(&idp)), ("trust_browser", "yes")]).await;
    assert!(toms.parameter("code").is_some());
    let mut forged = without_session(shared.clone());
    assert_eq!(forged.cookies().len(), 2, "one cookie each");
    for value in forged.cookies().values_mut() {
        value.clone_from(&tinas.1);
    }
    assert_eq!(enter(&mut forged, &shop, "tom").await.step(), Some("second_factor"));
    assert!(skips(&shop, &shared).await);
}

#[tokio::test]
async fn the_trust_ends_with_its_time() {
    let (idp, shop) = trusting().await;
    let mut browser = idp.browser().calling_itself(FIREFOX);
    trust(&idp, &shop, &mut browser).await;
    idp.clock().advance((30 * DAY).saturating_sub(Duration::from_secs(1)));
    assert!(skips(&shop, &browser).await);
    idp.clock().advance(Duration::from_secs(1));
    assert!(!skips(&shop, &browser).await);
}

#[tokio::test]
async fn a_new_password_or_authenticator_ends_the_trust_and_so_does_the_tenant() {
    for end in ["password", "rule", "authenticator"] {
        let (idp, shop) = trusting().await;
        let mut browser = idp.browser().calling_itself(FIREFOX);
        trust(&idp, &shop, &mut browser).await;
        // A session that relies on it is as good as the trust.
        let mut session = without_session(browser.clone());
        assert!(enter(&mut session, &shop, "tina").await.parameter("code").is_some());
        if end == "rule" {
            apply(&idp, "days = 0").await;
        } else if end == "authenticator" {
            let other = "JBSWY3DPEHPK3PXPJBSWY3DPAAAAAAAA";
            let user = format!(
                "[[users]]\ntenant = \"{DOMAIN}\"\nusername = \"tina\"\n[[users.authenticators]]\nkind = \"totp\"\nsecret = \"{other}\"\n"
            );
            idp.idp().apply(&user).await.unwrap();
        } else {
            for password in ["a new horse battery staple", PASSWORD] {
                let user = format!(
                    "[[users]]\ntenant = \"{DOMAIN}\"\nusername = \"tina\"\npassword = \"{password}\"\n"
                );
                idp.idp().apply(&user).await.unwrap();
            }
        }
        assert!(!skips(&shop, &browser).await, "{end}");
        let page = open(&mut session, &shop, &[]).await;
        assert!(matches!(page.step(), Some("identify" | "second_factor")), "{end}: {:?}", page.step());
    }
}

#[tokio::test]
async fn the_rules_are_checked_and_come_back() {
    let (idp, _) = trusting().await;
    for (rules, part) in
        [("days = 91", "trusted_browsers.days"), ("screen = \"heavy\"", "trusted_browsers.screen")]
    {
        let tenant =
            format!("[[tenants]]\ndomain = \"{DOMAIN}\"\n[tenants.policy.trusted_browsers]\n{rules}\n");
        let mistakes = idp.idp().apply(&tenant).await.unwrap_err().to_string();
        assert!(mistakes.contains(part), "{part}: {mistakes}");
    }
    let exported = idp.idp().export().await.unwrap();
    assert!(exported.contains("trusted_browsers") && exported.contains("days = 30"), "{exported}");
}
