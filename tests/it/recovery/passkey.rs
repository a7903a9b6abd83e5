//! Passkeys where something is lost: the password, the passkey itself, or everything.

use std::time::Duration;

use vestibule::SupportAction;
use vestibule::domain::event::Event;
use vestibule::ext::Clock;
use vestibule::testing::{Answer, Application, Browser, TestIdp, totp};

use super::{NEW, choose, link, links};
use crate::login::passkey::{answer, enrol_here, sign_in};
use crate::login::{DOMAIN, enter, house, open, shown_secret};
use crate::support::passkey::{SoftKey, asked};

/// Bert has an address and a password; his tenant lets him have passkeys.
const POLICY: &str = r#"
    [[tenants]]
    domain = "123456.sms"
    hosts = ["login.one.test"]
    [tenants.policy]
    mfa = "required"
    methods = ["totp", "passkey"]
    passkey_sign_in = true
"#;

pub(crate) async fn passkey_house() -> (TestIdp, Application, SoftKey, Vec<String>) {
    let (idp, shop) = house().await;
    idp.idp().apply(POLICY).await.unwrap();
    let mut key = SoftKey::stick(TestIdp::ISSUER, "bert");
    key.verifies = true;
    let mut browser = idp.browser();
    let page = enter(&mut browser, &shop, "bert").await;
    let page = browser.submit(&page, &[("method", "passkey")]).await;
    let (codes, _) = enrol_here(&mut browser, &page, &mut key).await;
    (idp, shop, key, codes)
}

/// A new password is chosen behind a link that was mailed.
async fn renew(idp: &TestIdp, browser: &mut Browser) -> Answer {
    idp.clock().advance(Duration::from_mins(2));
    let link = link(idp, "bert").await;
    let page = browser.get(&link).await;
    choose(browser, &page, NEW).await
}

async fn counts(idp: &TestIdp, shop: &Application, password: &str) -> bool {
    let mut browser = idp.browser();
    let page = open(&mut browser, shop, &[]).await;
    let page = crate::login::sign_in(&mut browser, &page, "bert", password).await;
    page.step() != Some("identify")
}

/// The mailbox alone does not replace a passkey as the second factor.
#[tokio::test]
async fn the_mailbox_alone_defeats_no_passkey() {
    let (idp, shop, mut key, _) = passkey_house().await;
    let mut browser = idp.browser();
    let page = renew(&idp, &mut browser).await;
    assert_eq!(page.step(), Some("passkey"), "{}", page.body);
    assert_eq!(asked(&page)["allowCredentials"][0]["id"], key.id.as_str());
    assert!(!page.body.contains("Use a code instead") && page.body.contains("Use a recovery code"));
    assert!(!counts(&idp, &shop, NEW).await, "nothing has changed yet");
    let reloaded = browser.get(page.url.as_str()).await;
    assert_eq!(asked(&reloaded), asked(&page), "a reload asks the same");
    let without_script = answer(&mut browser, &page, "").await;
    assert!(without_script.body.contains("Switch it on and try again"), "{}", without_script.body);

    let forged = SoftKey::phone(TestIdp::ISSUER, "bert").get(&page);
    let wrong = answer(&mut browser, &page, &forged).await;
    assert_eq!(wrong.step(), Some("passkey"));
    assert!(wrong.body.contains("The passkey was not accepted"), "{}", wrong.body);
    assert_ne!(asked(&wrong)["challenge"], asked(&page)["challenge"], "a question is asked once");
    let late = key.get(&page);
    let wrong = answer(&mut browser, &wrong, &late).await;
    assert_eq!(wrong.step(), Some("passkey"), "an answer to a question that is used up");
    let done = answer(&mut browser, &wrong, &key.get(&wrong)).await;
    assert_eq!(done.step(), Some("reset_done"), "{}", done.body);
    assert!(counts(&idp, &shop, NEW).await);
}

#[tokio::test]
async fn what_a_login_asks_a_passkey_for_proves_nothing_here() {
    let (idp, shop, mut key, _) = passkey_house().await;
    let login = enter(&mut idp.browser(), &shop, "bert").await;
    let mut browser = idp.browser();
    let page = renew(&idp, &mut browser).await;
    let moved = answer(&mut browser, &page, &key.get(&login)).await;
    assert_eq!(moved.step(), Some("passkey"));
    assert!(!counts(&idp, &shop, NEW).await);
}

#[tokio::test]
async fn of_many_posts_of_one_answer_one_changes_the_password() {
    let (idp, shop, mut key, _) = passkey_house().await;
    let mut browser = idp.browser();
    let page = renew(&idp, &mut browser).await;
    let given = key.get(&page);
    let posts = (0..8).map(|_| {
        let (mut browser, page, given) = (browser.clone(), page.clone(), given.clone());
        async move { answer(&mut browser, &page, &given).await }
    });
    futures_util::future::join_all(posts).await;
    let changed = |event: &Event| matches!(event, Event::PasswordChanged { .. });
    assert_eq!(idp.events().all().iter().filter(|event| changed(event)).count(), 1);
    assert!(counts(&idp, &shop, NEW).await);
}

#[tokio::test]
async fn five_wrong_answers_end_the_reset_and_a_copy_is_told() {
    let (idp, shop, mut key, _) = passkey_house().await;
    let mut browser = idp.browser();
    let mut page = renew(&idp, &mut browser).await;
    key.counter = Some(0);
    // The first use raised it to 1; a copy that was made before goes on from there.
    let used = enter(&mut idp.browser(), &shop, "bert").await;
    assert_eq!(used.step(), Some("passkey"));
    let mut elsewhere = idp.browser();
    let there = enter(&mut elsewhere, &shop, "bert").await;
    key.counter = Some(50);
    assert!(answer(&mut elsewhere, &there, &key.get(&there)).await.parameter("code").is_some());
    key.counter = Some(7);
    for _ in 0..5 {
        assert_eq!(page.step(), Some("passkey"));
        page = answer(&mut browser, &page, &key.get(&page)).await;
    }
    assert_eq!(page.step(), Some("reset_void"));
    let copied = |event: &Event| matches!(event, Event::PasskeyCounterWentBack { .. });
    assert_eq!(idp.events().all().iter().filter(|event| copied(event)).count(), 5);
    assert!(!counts(&idp, &shop, NEW).await);
}

/// The passkey is lost as well: a recovery code says so, and what comes after takes its place.
#[tokio::test]
async fn a_recovery_code_takes_the_lost_passkey_away() {
    let (idp, shop, mut key, codes) = passkey_house().await;
    let mut browser = idp.browser();
    renew(&idp, &mut browser).await;
    let page = browser.get(&format!("{}/reset/recovery", TestIdp::ISSUER)).await;
    let qr = browser.submit(&page, &[("code", &codes[0])]).await;
    assert_eq!(qr.step(), Some("enrol"), "{}", qr.body);
    let code = totp(&shown_secret(&qr), idp.clock().now());
    let stored = browser.submit(&qr, &[("code", &code)]).await;
    assert_eq!(browser.submit(&stored, &[("stored", "yes")]).await.step(), Some("reset_done"));
    let mut browser = idp.browser();
    let page = open(&mut browser, &shop, &[]).await;
    let asked = crate::login::sign_in(&mut browser, &page, "bert", NEW).await;
    assert_eq!(asked.step(), Some("second_factor"));
    assert!(!asked.body.contains("Use a passkey"), "{}", asked.body);
    let page = open(&mut browser, &shop, &[]).await;
    assert_eq!(sign_in(&mut browser, &page, &key.get(&page)).await.step(), Some("identify"));
}

/// At a host name of the tenant's own browsers do not know the passkey, but the mailbox is not enough there either.
#[tokio::test]
async fn where_the_passkey_cannot_be_used_a_recovery_code_is_asked_for() {
    let (idp, _, _, _) = passkey_house().await;
    let mut browser = idp.browser();
    let page = browser.get("https://login.one.test/reset").await;
    browser.submit(&page, &[("username", "bert")]).await;
    let link = links(&idp).await.pop().unwrap();
    let page = browser.get(&link).await;
    let page = choose(&mut browser, &page, NEW).await;
    assert_eq!(page.step(), Some("recovery"), "{}", page.body);
    for step in ["passkey", "second_factor"] {
        let page = browser.get(&format!("https://login.one.test/reset/{step}")).await;
        assert_eq!(page.step(), Some("recovery"), "{step}");
    }
}

#[tokio::test]
async fn a_reset_enrolment_takes_passkeys_too() {
    let (idp, shop, mut key, _) = passkey_house().await;
    let mut signed_in = idp.browser();
    let page = open(&mut signed_in, &shop, &[]).await;
    assert!(sign_in(&mut signed_in, &page, &key.get(&page)).await.parameter("code").is_some());
    idp.idp().help(DOMAIN, "bert", SupportAction::ResetEnrolment).await.unwrap();
    let silent = open(&mut signed_in, &shop, &[("prompt", "none")]).await;
    assert_eq!(silent.parameter("error").as_deref(), Some("login_required"), "its session has ended");
    let page = open(&mut signed_in, &shop, &[]).await;
    assert_eq!(sign_in(&mut signed_in, &page, &key.get(&page)).await.step(), Some("identify"));
    let page = enter(&mut idp.browser(), &shop, "bert").await;
    assert_eq!(page.step(), Some("choose_method"), "{}", page.body);
}

#[tokio::test]
async fn unlocking_ends_the_locks_of_passkeys() {
    let (idp, shop, mut key, _) = passkey_house().await;
    let forged = || SoftKey::phone(TestIdp::ISSUER, "bert");
    let mut browser = idp.browser();
    let mut page = enter(&mut browser, &shop, "bert").await;
    for _ in 0..5 {
        page = answer(&mut browser, &page, &forged().get(&page)).await;
        let mut other = idp.browser();
        let start = open(&mut other, &shop, &[]).await;
        sign_in(&mut other, &start, &forged().get(&start)).await;
    }
    let at_the_door = async |key: &mut SoftKey| {
        let mut browser = idp.browser();
        let page = open(&mut browser, &shop, &[]).await;
        sign_in(&mut browser, &page, &key.get(&page)).await
    };
    let after_the_password = async |key: &mut SoftKey| {
        let mut browser = idp.browser();
        let page = enter(&mut browser, &shop, "bert").await;
        answer(&mut browser, &page, &key.get(&page)).await
    };
    assert_eq!(at_the_door(&mut key).await.step(), Some("wait"));
    assert_eq!(after_the_password(&mut key).await.step(), Some("wait"));
    idp.idp().help(DOMAIN, "bert", SupportAction::Unlock).await.unwrap();
    assert!(at_the_door(&mut key).await.parameter("code").is_some());
    assert!(after_the_password(&mut key).await.parameter("code").is_some());
}

#[tokio::test]
async fn who_breaks_the_glass_needs_no_passkey_and_has_none_afterwards() {
    let (idp, shop, mut key, codes) = passkey_house().await;
    let vestibule::SupportOutcome::Link(link) =
        idp.idp().help(DOMAIN, "bert", SupportAction::BreakGlass).await.unwrap()
    else {
        panic!("a link is shown");
    };
    let mut console = idp.browser();
    let page = console.get(&link).await;
    let done = choose(&mut console, &page, NEW).await;
    assert_eq!(done.step(), Some("reset_done"), "{}", done.body);
    let mut browser = idp.browser();
    let page = open(&mut browser, &shop, &[]).await;
    let refused = sign_in(&mut browser, &page, &key.get(&page)).await;
    assert_eq!(refused.step(), Some("identify"));
    let page = crate::login::sign_in(&mut browser, &refused, "bert", NEW).await;
    assert_eq!(page.step(), Some("choose_method"), "{}", page.body);
    let recovery = browser.get(&page.url.as_str().replace("choose_method", "recovery")).await;
    assert_ne!(recovery.step(), Some("recovery"), "{codes:?}");
}
