//! The link in the mail: one use, one browser after it, and never a way around the second factor.

use std::time::Duration;

use axum::http::Method;
use vestibule::ext::Clock;
use vestibule::testing::{Answer, Browser, TestIdp, totp};

use super::{NEW, choose, link, subjects};
use crate::login::{
    DOMAIN, HOUSE, PASSWORD, code, enter, house, next_code, open, shown_codes, shown_secret, sign_in,
};

/// Tina has an address too.
const TINA: &str = r#"
    [[users]]
    tenant = "123456.sms"
    username = "tina"
    email = "tina@example.test"
"#;

async fn tinas_house() -> TestIdp {
    let idp = TestIdp::with(HOUSE).await;
    idp.idp().apply(TINA).await.unwrap();
    idp
}

/// Tries a user's password: the step that follows, or `None` with a code.
async fn try_password(idp: &TestIdp, username: &str, password: &str) -> Option<String> {
    let shop = idp.application("shop", "https://shop.test/callback");
    let mut browser = idp.browser();
    let page = open(&mut browser, &shop, &[]).await;
    let answer = sign_in(&mut browser, &page, username, password).await;
    if answer.parameter("code").is_some() { None } else { answer.step().map(str::to_owned) }
}

fn is_void(answer: &Answer) -> bool {
    answer.step() == Some("reset_void") && answer.status.as_u16() == 410
}

/// Without what differs between any two: the reference.
fn bare_void(answer: &Answer) -> String {
    let (before, after) = answer.body.split_once("<footer>").unwrap();
    format!("{before}{}", after.split_once("</p>").unwrap().1)
}

#[tokio::test]
async fn a_link_leads_to_a_new_password_and_nowhere_else() {
    let (idp, shop) = house().await;
    let link = link(&idp, "bert").await;
    let mut browser = idp.browser();
    let page = browser.get(&link).await;
    assert_eq!((page.step(), page.url.path()), (Some("new_password"), "/reset/password"));
    assert!(
        page.body.contains("at least 8") || page.body.contains("At least 8"),
        "the rules stand there beforehand"
    );
    let done = choose(&mut browser, &page, NEW).await;
    assert_eq!(done.step(), Some("reset_done"), "{}", done.body);
    let silent = browser.get(&shop.authorization_url_with("openid", &[("prompt", "none")])).await;
    assert_eq!(silent.parameter("error").as_deref(), Some("login_required"), "nobody is signed in by it");
    assert_eq!(try_password(&idp, "bert", PASSWORD).await.as_deref(), Some("identify"));
    assert_eq!(try_password(&idp, "bert", NEW).await, None);
    let subjects = subjects(&idp).await;
    assert_eq!(subjects.last().unwrap(), "Example Works: your password was changed");
}

/// Mail scanners that open links before the user does consume nothing.
#[tokio::test]
async fn looking_at_a_link_changes_nothing() {
    let (idp, _) = house().await;
    let link = link(&idp, "bert").await;
    for _ in 0..3 {
        let mut scanner = idp.browser();
        let before = idp.cost();
        scanner.send(Method::GET, &link, &[], None).await;
        assert_eq!((idp.cost() - before).writes, 0);
        let page = scanner.get(&link).await;
        assert_eq!(page.step(), Some("new_password"));
        assert_eq!((idp.cost() - before).writes, 0);
        let asked = scanner.send(Method::HEAD, &link, &[], None).await;
        assert_eq!((asked.status.as_u16(), asked.headers.get("set-cookie")), (303, None));
        assert_eq!((idp.cost() - before).writes, 0);
    }
    let mut browser = idp.browser();
    let page = browser.get(&link).await;
    assert_eq!(choose(&mut browser, &page, NEW).await.step(), Some("reset_done"));
}

/// The secret leaves the URL at once, and no page or header contains it.
#[tokio::test]
async fn the_secret_is_in_no_page() {
    let (idp, _) = house().await;
    let link = link(&idp, "bert").await;
    let secret = link.rsplit('/').next().unwrap();
    let mut browser = idp.browser();
    let opened = browser.send(Method::GET, &link, &[], None).await;
    assert_eq!(opened.redirect().unwrap().path(), "/reset/password");
    assert_eq!(opened.headers["referrer-policy"], "no-referrer");
    assert_eq!(opened.headers["cache-control"], "no-store");
    let page = browser.get(&link).await;
    assert!(!page.body.contains(secret) && !page.url.as_str().contains(secret));
    let policy = page.headers["content-security-policy"].to_str().unwrap();
    assert!(policy.contains("default-src 'none'"), "nothing is loaded from elsewhere: {policy}");
}

/// Expired, used, replaced, forged links and those of another issuer give the same page.
#[tokio::test]
async fn links_that_do_not_count_are_all_answered_alike() {
    let (idp, _) = house().await;
    let (first, second) = (link(&idp, "bert").await, {
        idp.clock().advance(Duration::from_secs(61));
        link(&idp, "bert").await
    });
    let replaced = idp.browser().get(&first).await;
    assert!(is_void(&replaced), "{}", replaced.body);
    let mut browser = idp.browser();
    let page = browser.get(&second).await;
    choose(&mut browser, &page, NEW).await;
    let used = idp.browser().get(&second).await;
    idp.clock().advance(Duration::from_secs(3700));
    let third = link(&idp, "bert").await;
    let elsewhere = third.replace("/reset/", "/t/123456.sms/reset/");
    let elsewhere = idp.browser().get(&elsewhere).await;
    idp.clock().advance(Duration::from_mins(30) - Duration::from_secs(1));
    assert_eq!(idp.browser().get(&third).await.step(), Some("new_password"));
    idp.clock().advance(Duration::from_secs(1));
    let expired = idp.browser().get(&third).await;
    let forged = idp.browser().get(&format!("{}/reset/link/{}", TestIdp::ISSUER, "A".repeat(43))).await;
    let odd = idp.browser().get(&format!("{}/reset/link/x", TestIdp::ISSUER)).await;
    let bare = idp.browser().get(&format!("{}/reset/password", TestIdp::ISSUER)).await;
    for answer in [&used, &expired, &forged, &odd, &bare] {
        assert!(is_void(answer), "{}", answer.body);
        let other = bare_void(answer).replace(answer.url.path(), "");
        let encoded = |text: &str| text.replace("%2Freset%2Flink%2Fx", "%2Freset%2Fpassword");
        assert_eq!(
            encoded(&other.replace("/reset/link/x", "")),
            bare_void(&replaced).replace(replaced.url.path(), "")
        );
    }
    assert!(is_void(&elsewhere), "{}", elsewhere.body);
}

/// The link is void when what it was sent for is no longer so.
#[tokio::test]
async fn a_link_ends_with_its_password_its_address_and_its_user() {
    let changes =
        ["password = \"another password of his\"", "email = \"bert@elsewhere.test\"", "disabled = true"];
    for change in changes {
        let (idp, _) = house().await;
        let link = link(&idp, "bert").await;
        let mut browser = idp.browser();
        let page = browser.get(&link).await;
        let document = format!("[[users]]\ntenant = \"{DOMAIN}\"\nusername = \"bert\"\n{change}\n");
        idp.idp().apply(&document).await.unwrap();
        assert!(is_void(&choose(&mut browser, &page, NEW).await), "{change}");
        assert!(is_void(&browser.get(&link).await), "{change}");
    }
}

/// Of sixteen concurrent uses one wins.
#[tokio::test]
async fn of_many_who_use_a_link_at_once_one_wins() {
    let (idp, _) = house().await;
    let nodes = [idp.node().await, idp.node().await];
    let link = link(&idp, "bert").await;
    let mut waiting = Vec::new();
    for at in 0..16_usize {
        let mut browser = idp.browser().moved_to(nodes[at % 2].router());
        let page = browser.get(&link).await;
        waiting.push((browser, page, format!("{NEW} number {at}")));
    }
    let posts = waiting.iter_mut().map(|(browser, page, password)| choose(browser, page, password));
    let answers = futures_util::future::join_all(posts).await;
    let won: Vec<_> = (0..16).filter(|&at| answers[at].step() == Some("reset_done")).collect();
    assert_eq!(won.len(), 1);
    assert_eq!(answers.iter().filter(|answer| is_void(answer)).count(), 15);
    for (at, (_, _, password)) in waiting.iter().enumerate() {
        let right = try_password(&idp, "bert", password).await.is_none();
        assert_eq!(right, at == won[0]);
        idp.clock().advance(Duration::from_hours(2));
    }
}

/// The mailbox alone never replaces the second factor, in any browser.
#[tokio::test]
async fn who_has_a_second_factor_proves_it_before_the_password_counts() {
    let idp = tinas_house().await;
    let link = link(&idp, "tina").await;
    let mut browser = idp.browser();
    let page = browser.get(&link).await;
    let asked = choose(&mut browser, &page, NEW).await;
    assert_eq!(asked.step(), Some("second_factor"), "{}", asked.body);
    assert_eq!(
        try_password(&idp, "tina", PASSWORD).await.as_deref(),
        Some("second_factor"),
        "the old one holds"
    );
    assert_eq!(try_password(&idp, "tina", NEW).await.as_deref(), Some("identify"));
    for step in ["done", "password"] {
        let page = browser.get(&format!("{}/reset/{step}", TestIdp::ISSUER)).await;
        assert_eq!(page.step(), Some("second_factor"), "{step}");
    }
    let mut reader = idp.browser();
    assert!(is_void(&reader.get(&link).await), "who reads the mail now finds nothing");
    let wrong = browser.submit(&asked, &[("code", "000000")]).await;
    assert_eq!(wrong.step(), Some("second_factor"));
    assert!(wrong.body.contains("id=\"code-error\""));
    let done = browser.submit(&wrong, &[("code", &code(&idp))]).await;
    assert_eq!(done.step(), Some("reset_done"), "{}", done.body);
    assert_eq!(try_password(&idp, "tina", PASSWORD).await.as_deref(), Some("identify"));
    assert_eq!(
        try_password(&idp, "tina", NEW).await.as_deref(),
        Some("second_factor"),
        "it is asked for still"
    );
    let shop = idp.application("shop", "https://shop.test/callback");
    let mut login = idp.browser();
    let page = open(&mut login, &shop, &[]).await;
    let page = sign_in(&mut login, &page, "tina", NEW).await;
    let replayed = login.submit(&page, &[("code", &code(&idp))]).await;
    assert_eq!(replayed.step(), Some("second_factor"), "the code of the reset is used up");
    assert!(login.submit(&replayed, &[("code", &next_code(&idp))]).await.parameter("code").is_some());
}

#[tokio::test]
async fn five_wrong_codes_end_it_and_nothing_has_changed() {
    let idp = tinas_house().await;
    let link = link(&idp, "tina").await;
    let mut browser = idp.browser();
    let page = browser.get(&link).await;
    let mut page = choose(&mut browser, &page, NEW).await;
    for _ in 0..4 {
        page = browser.submit(&page, &[("code", "000000")]).await;
        assert_eq!(page.step(), Some("second_factor"));
    }
    assert!(is_void(&browser.submit(&page, &[("code", "000000")]).await));
    assert!(is_void(&browser.get(page.url.as_str()).await));
    idp.clock().advance(Duration::from_mins(5));
    assert_eq!(try_password(&idp, "tina", PASSWORD).await.as_deref(), Some("second_factor"));
}

/// The authenticator is lost as well: a recovery code proves that, and a new authenticator takes its place.
#[tokio::test]
async fn a_recovery_code_does_too_and_a_new_authenticator_follows() {
    let (idp, shop) = house().await;
    let address =
        format!("[[users]]\ntenant = \"{DOMAIN}\"\nusername = \"anna\"\nemail = \"anna@example.test\"\n");
    idp.idp().apply(&address).await.unwrap();
    let mut browser = idp.browser();
    let qr = enter(&mut browser, &shop, "anna").await;
    let lost = shown_secret(&qr);
    let page = browser.submit(&qr, &[("code", &totp(&lost, idp.clock().now()))]).await;
    let codes = shown_codes(&page);
    browser.submit(&page, &[("stored", "yes")]).await;
    idp.clock().advance(Duration::from_mins(1));
    let link = link(&idp, "anna").await;
    let mut browser = idp.browser();
    let page = browser.get(&link).await;
    let asked = choose(&mut browser, &page, NEW).await;
    assert_eq!(asked.step(), Some("second_factor"));
    let page = browser.get(&format!("{}/reset/recovery", TestIdp::ISSUER)).await;
    assert_eq!(page.step(), Some("recovery"));
    let wrong = browser.submit(&page, &[("code", "00000-00000")]).await;
    assert!(wrong.body.contains("id=\"code-error\""), "{}", wrong.body);
    let qr = browser.submit(&wrong, &[("code", &codes[0])]).await;
    assert_eq!(qr.step(), Some("enrol"), "{}", qr.body);
    let secret = shown_secret(&qr);
    assert_ne!(secret, lost);
    let page = browser.submit(&qr, &[("code", &totp(&secret, idp.clock().now()))]).await;
    assert_eq!(browser.submit(&page, &[("stored", "yes")]).await.step(), Some("reset_done"));
    idp.clock().advance(Duration::from_secs(30));
    let mut browser = idp.browser();
    let page = open(&mut browser, &shop, &[]).await;
    let otp = sign_in(&mut browser, &page, "anna", NEW).await;
    let refused = browser.submit(&otp, &[("code", &totp(&lost, idp.clock().now()))]).await;
    assert_eq!(refused.step(), Some("second_factor"), "the lost one is revoked");
    let back = browser.submit(&refused, &[("code", &totp(&secret, idp.clock().now()))]).await;
    assert!(back.parameter("code").is_some(), "{}", back.body);
    let told = subjects(&idp).await;
    for subject in ["a recovery code was used", "your password was changed", "a second factor was added"] {
        assert!(told.iter().any(|told| told.contains(subject)), "{subject}: {told:?}");
    }
}

/// A code by SMS is sent by the page that asks for it, once, and counts here and nowhere else.
#[tokio::test]
async fn a_code_that_is_sent_counts_on_this_way_only() {
    let policy = "name = \"Example Works\"\n[tenants.policy]\nmethods = [\"sms\"]\nmfa = \"required\"\n";
    let idp = TestIdp::with(&HOUSE.replacen("name = \"Example Works\"\n", policy, 1)).await;
    let shop = idp.application("shop", "https://shop.test/callback");
    let mut browser = idp.browser();
    let page = enter(&mut browser, &shop, "bert").await;
    let page = browser.submit(&page, &[("country", "DE"), ("phone_number", "0151 12345678")]).await;
    let codes = async || {
        let sent = idp.mailbox().await;
        sent.iter().filter_map(|sent| sent.code().map(str::to_owned)).collect::<Vec<_>>()
    };
    let page = browser.submit(&page, &[("code", codes().await.last().unwrap())]).await;
    browser.submit(&page, &[("stored", "yes")]).await;
    idp.clock().advance(Duration::from_hours(24));
    let link = link(&idp, "bert").await;
    let mut browser = idp.browser();
    let page = browser.get(&link).await;
    let asked = choose(&mut browser, &page, NEW).await;
    assert_eq!(asked.step(), Some("second_factor"));
    assert!(asked.body.contains("name=\"resend\""), "{}", asked.body);
    browser.get(asked.url.as_str()).await;
    assert_eq!(codes().await.len(), 2, "one at the enrolment, one here");
    let mut login = idp.browser();
    let elsewhere = enter(&mut login, &shop, "bert").await;
    let refused = login.submit(&elsewhere, &[("code", &codes().await[1])]).await;
    assert_eq!(refused.step(), Some("second_factor"), "a login knows nothing of it");
    let done = browser.submit(&asked, &[("code", &codes().await[1])]).await;
    assert_eq!(done.step(), Some("reset_done"), "{}", done.body);
}

/// A new password ends everything issued under the old one.
#[tokio::test]
async fn what_the_old_password_opened_ends() {
    let (idp, shop) = house().await;
    let mut browser = idp.browser();
    let back = enter(&mut browser, &shop, "bert").await;
    shop.redeem(&back).await;
    let silent = [("prompt", "none")];
    let before = browser.get(&shop.authorization_url_with("openid", &silent)).await;
    assert!(before.parameter("code").is_some());
    let link = link(&idp, "bert").await;
    let mut other = idp.browser();
    let page = other.get(&link).await;
    choose(&mut other, &page, NEW).await;
    let after = browser.get(&shop.authorization_url_with("openid", &silent)).await;
    assert_eq!(after.parameter("error").as_deref(), Some("login_required"));
}

#[tokio::test]
async fn a_password_that_will_not_do_is_refused_at_its_field_and_uses_nothing_up() {
    let (idp, _) = house().await;
    let link = link(&idp, "bert").await;
    let mut browser = idp.browser();
    let page = browser.get(&link).await;
    let cases = [
        ("short", "short", "new_password-error"),
        ("password1", "password1", "new_password-error"),
        (NEW, "something else", "new_password_again-error"),
        ("", "", "new_password-error"),
    ];
    for (new, again, error) in cases {
        let fields = [("new_password", new), ("new_password_again", again)];
        let answer = browser.submit(&page, &fields).await;
        assert_eq!(answer.step(), Some("new_password"));
        assert!(answer.body.contains(error), "{new}");
        assert!(!answer.body.contains(NEW), "what was typed is not shown again");
    }
    assert_eq!(choose(&mut browser, &page, NEW).await.step(), Some("reset_done"));
}

/// A lock on the password ends with a new one.
#[tokio::test]
async fn a_new_password_ends_the_lock() {
    let (idp, _) = house().await;
    for _ in 0..5 {
        try_password(&idp, "bert", "wrong").await;
    }
    assert_eq!(try_password(&idp, "bert", PASSWORD).await.as_deref(), Some("wait"));
    let link = link(&idp, "bert").await;
    let mut browser = idp.browser();
    let page = browser.get(&link).await;
    choose(&mut browser, &page, NEW).await;
    assert_eq!(try_password(&idp, "bert", NEW).await, None);
}

/// A page that was opened with one link does nothing with another's.
#[tokio::test]
async fn a_form_belongs_to_its_link() {
    let idp = tinas_house().await;
    let (berts, tinas) = (link(&idp, "bert").await, link(&idp, "tina").await);
    let mut browser = idp.browser();
    let of_bert = browser.get(&berts).await;
    let _of_tina: Answer = browser.get(&tinas).await;
    let stale = choose(&mut browser, &of_bert, NEW).await;
    assert_eq!((stale.status.as_u16(), stale.step()), (403, Some("new_password")));
    assert!(stale.body.contains("account tina"), "and says whose it would be: {}", stale.body);
    assert_eq!(try_password(&idp, "tina", NEW).await.as_deref(), Some("identify"));
}

/// The login that waits goes on, in the browser where it began.
#[tokio::test]
async fn the_waiting_login_goes_on() {
    let (idp, shop) = house().await;
    let mut browser = idp.browser();
    let login = open(&mut browser, &shop, &[]).await;
    let href = login.body.split("href=\"/reset").nth(1).and_then(|rest| rest.split('"').next()).unwrap();
    let page = browser.get(&format!("{}/reset{}", TestIdp::ISSUER, href.replace("&#38;", "&"))).await;
    browser.submit(&page, &[("tenant", DOMAIN), ("username", "bert")]).await;
    let link = super::links(&idp).await.remove(0);
    let page = browser.get(&link).await;
    let done = choose(&mut browser, &page, NEW).await;
    let back =
        done.body.split("class=\"button\" href=\"").nth(1).and_then(|rest| rest.split('"').next()).unwrap();
    let login = browser.get(&format!("{}{}", TestIdp::ISSUER, back.replace("&#38;", "&"))).await;
    assert_eq!(login.step(), Some("identify"));
    assert!(sign_in(&mut browser, &login, "bert", NEW).await.parameter("code").is_some());
}

/// Elsewhere the way leads back to the application.
#[tokio::test]
async fn in_another_browser_the_application_is_named() {
    let (idp, shop) = house().await;
    let mut browser = idp.browser();
    let login = open(&mut browser, &shop, &[]).await;
    let href = login.body.split("href=\"/reset").nth(1).and_then(|rest| rest.split('"').next()).unwrap();
    let page = browser.get(&format!("{}/reset{}", TestIdp::ISSUER, href.replace("&#38;", "&"))).await;
    browser.submit(&page, &[("tenant", DOMAIN), ("username", "bert")]).await;
    let link = super::links(&idp).await.remove(0);
    let mut other: Browser = idp.browser();
    let page = other.get(&link).await;
    let done = choose(&mut other, &page, NEW).await;
    assert!(done.body.contains("https://shop.test/") && !done.body.contains("/login/"), "{}", done.body);
}
