//! Enrolment, codes, recovery codes, and the administrators' duty.

use std::time::Duration;

use axum::http::StatusCode;
use vestibule::ext::Clock;
use vestibule::testing::{Answer, Browser, TestIdp, totp};

use super::{
    HOUSE, PASSWORD, code, enter, error, house, next_code, open, shown_codes, shown_secret, sign_in,
};

/// Confirms the enrolment on this page and stores the recovery codes.
async fn enrol(idp: &TestIdp, browser: &mut Browser, page: &Answer) -> (String, Vec<String>, Answer) {
    assert_eq!(page.step(), Some("enrol"), "{}", page.body);
    let secret = shown_secret(page);
    let codes = browser.submit(page, &[("code", &totp(&secret, idp.clock().now()))]).await;
    assert_eq!(codes.step(), Some("recovery_codes"), "{}", codes.body);
    let back = browser.submit(&codes, &[("stored", "yes")]).await;
    (secret, shown_codes(&codes), back)
}

#[tokio::test]
async fn an_administrator_enrols_inside_the_login() {
    let (idp, shop) = house().await;
    let mut browser = idp.browser();
    let page = enter(&mut browser, &shop, "anna").await;
    let (secret, codes, back) = enrol(&idp, &mut browser, &page).await;
    assert_eq!(codes.len(), 10);
    let token = shop.redeem(&back).await.id_token;
    assert_eq!(token["acr"], "urn:vestibule:acr:2fa");
    assert_eq!(token["amr"], serde_json::json!(["pwd", "otp", "mfa"]));

    let mut next = idp.browser();
    let otp = enter(&mut next, &shop, "anna").await;
    assert_eq!(otp.step(), Some("second_factor"));
    let replay = next.submit(&otp, &[("code", &totp(&secret, idp.clock().now()))]).await;
    assert_eq!(replay.step(), Some("second_factor"), "the confirming code is used up");
    idp.clock().advance(Duration::from_secs(30));
    let now = totp(&secret, idp.clock().now());
    let spaced = format!(" {} {} ", &now[..3], &now[3..]);
    assert!(next.submit(&replay, &[("code", &spaced)]).await.parameter("code").is_some());
}

#[tokio::test]
async fn recovery_codes_are_shown_until_they_are_stored() {
    let (idp, shop) = house().await;
    let mut browser = idp.browser();
    let page = enter(&mut browser, &shop, "anna").await;
    let secret = shown_secret(&page);
    assert_eq!(shown_secret(&browser.get(page.url.as_str()).await), secret, "a reload shows the same secret");
    let wrong = browser.submit(&page, &[("code", "000000")]).await;
    assert_eq!((wrong.step(), shown_secret(&wrong)), (Some("enrol"), secret.clone()));
    let codes = browser.submit(&wrong, &[("code", &totp(&secret, idp.clock().now()))]).await;
    let shown = shown_codes(&codes);
    let reloaded = browser.get(codes.url.as_str()).await;
    assert_eq!(shown_codes(&reloaded), shown);
    assert!(!reloaded.body.contains(&secret), "the secret is never shown again");
    let unticked = browser.submit(&codes, &[]).await;
    assert_eq!(unticked.step(), Some("recovery_codes"));
    let silent = open(&mut browser, &shop, &[("prompt", "none")]).await;
    assert_eq!(error(&silent).as_deref(), Some("login_required"), "not signed in before they are stored");
    assert!(browser.submit(&unticked, &[("stored", "yes")]).await.parameter("code").is_some());
}

#[tokio::test]
async fn ten_wrong_codes_or_another_tab_void_a_secret() {
    let (idp, shop) = house().await;
    let mut browser = idp.browser();
    let mut page = enter(&mut browser, &shop, "anna").await;
    let secret = shown_secret(&page);
    for _ in 0..10 {
        assert_eq!(shown_secret(&page), secret);
        page = browser.submit(&page, &[("code", "000000")]).await;
    }
    let renewed = shown_secret(&page);
    assert_ne!(renewed, secret);
    let mut other = idp.browser();
    let winner = enter(&mut other, &shop, "anna").await;
    let late = browser.submit(&page, &[("code", &totp(&renewed, idp.clock().now()))]).await;
    assert_eq!(late.step(), Some("enrol"), "another tab began a newer one");
    let again = browser.submit(&late, &[("code", &totp(&shown_secret(&late), idp.clock().now()))]).await;
    assert_eq!(again.step(), Some("recovery_codes"));
    let lost = other.submit(&winner, &[("code", &totp(&shown_secret(&winner), idp.clock().now()))]).await;
    assert_eq!(lost.step(), Some("second_factor"), "by now the user has an authenticator");
}

#[tokio::test]
async fn a_code_counts_once() {
    let (idp, shop) = house().await;
    let (mut one, mut two) = (idp.browser(), idp.browser());
    let (first, second) = (enter(&mut one, &shop, "tina").await, enter(&mut two, &shop, "tina").await);
    let now = code(&idp);
    let fields = [("code", now.as_str())];
    let (a, b) = tokio::join!(one.submit(&first, &fields), two.submit(&second, &fields));
    let codes = [&a, &b].into_iter().filter(|answer| answer.parameter("code").is_some()).count();
    assert_eq!(codes, 1, "{} {}", a.url, b.url);
}

#[tokio::test]
async fn five_wrong_codes_start_the_login_again() {
    let (idp, shop) = house().await;
    let mut browser = idp.browser();
    let mut page = enter(&mut browser, &shop, "tina").await;
    for _ in 0..4 {
        page = browser.submit(&page, &[("code", "000000")]).await;
        assert_eq!(page.step(), Some("second_factor"));
    }
    let page = browser.submit(&page, &[("code", "000000")]).await;
    assert_eq!(page.step(), Some("identify"));
    assert!(page.body.contains("value=\"tina\""));
    let locked = sign_in(&mut browser, &page, "tina", PASSWORD).await;
    let locked = browser.submit(&locked, &[("code", &code(&idp))]).await;
    assert_eq!((locked.step(), locked.status), (Some("wait"), StatusCode::TOO_MANY_REQUESTS));
    idp.clock().advance(Duration::from_mins(5));
    let page = browser.get(locked.url.as_str()).await;
    assert_eq!(page.step(), Some("second_factor"));
    assert!(browser.submit(&page, &[("code", &code(&idp))]).await.parameter("code").is_some());
}

#[tokio::test]
async fn a_recovery_code_opens_once_and_forces_a_new_authenticator() {
    let (idp, shop) = house().await;
    let mut browser = idp.browser();
    let page = enter(&mut browser, &shop, "anna").await;
    let (old, codes, _) = enrol(&idp, &mut browser, &page).await;
    idp.clock().advance(Duration::from_mins(1));

    let mut next = idp.browser();
    let otp = enter(&mut next, &shop, "anna").await;
    let page = next.get(&otp.url.as_str().replace("second_factor", "recovery")).await;
    assert_eq!(page.step(), Some("recovery"));
    let wrong = next.submit(&page, &[("code", "00000-00000")]).await;
    assert_eq!(wrong.step(), Some("recovery"));
    let page = next.submit(&wrong, &[("code", &codes[0].to_lowercase())]).await;
    let (new, fresh, back) = enrol(&idp, &mut next, &page).await;
    assert_eq!(shop.redeem(&back).await.id_token["acr"], "urn:vestibule:acr:2fa");
    assert!(fresh.iter().all(|code| !codes.contains(code)));
    idp.clock().advance(Duration::from_mins(1));

    let mut third = idp.browser();
    let otp = enter(&mut third, &shop, "anna").await;
    let refused = third.submit(&otp, &[("code", &totp(&old, idp.clock().now()))]).await;
    assert_eq!(refused.step(), Some("second_factor"), "the old authenticator is gone");
    let page = third.get(&otp.url.as_str().replace("second_factor", "recovery")).await;
    let refused = third.submit(&page, &[("code", &codes[1])]).await;
    assert_eq!(refused.step(), Some("recovery"), "the old codes are void");
    let otp = third.get(otp.url.as_str()).await;
    assert!(
        third.submit(&otp, &[("code", &totp(&new, idp.clock().now()))]).await.parameter("code").is_some()
    );
}

/// 2026-03-02 13:00:00 UTC is an hour after the clock starts.
fn announced() -> String {
    let policy = "[tenants.policy]\nadmin_mfa_enforced_from = \"2026-03-02T13:00:00Z\"\n";
    HOUSE.replacen("name = \"Example Works\"\n", &format!("name = \"Example Works\"\n{policy}"), 1)
}

#[tokio::test]
async fn the_duty_is_announced_and_begins_at_its_second() {
    let idp = TestIdp::with(&announced()).await;
    let shop = idp.application("shop", "https://shop.test/callback");
    let mut browser = idp.browser();
    let page = enter(&mut browser, &shop, "anna").await;
    assert_eq!(page.step(), Some("notice"), "{}", page.body);
    let back = browser.submit(&page, &[("skip", "yes")]).await;
    assert!(back.parameter("code").is_some(), "{}", back.body);
    assert!(open(&mut browser, &shop, &[]).await.parameter("code").is_some(), "once in a session");
    // Three times twenty minutes less a second, and two seconds: one is missing to the hour.
    for seconds in [1199, 1199, 1199, 2] {
        idp.clock().advance(Duration::from_secs(seconds));
        let silent = open(&mut browser, &shop, &[("prompt", "none")]).await;
        assert_eq!(error(&silent), None, "the announcement is no interaction");
    }
    idp.clock().advance(Duration::from_secs(1));
    let silent = open(&mut browser, &shop, &[("prompt", "none")]).await;
    assert_eq!(error(&silent).as_deref(), Some("interaction_required"));
    let page = open(&mut browser, &shop, &[]).await;
    assert_eq!(page.step(), Some("identify"), "the session no longer suffices");
    assert_eq!(sign_in(&mut browser, &page, "anna", PASSWORD).await.step(), Some("enrol"));
    let bert = enter(&mut idp.browser(), &shop, "bert").await;
    assert!(bert.parameter("code").is_some(), "others are unaffected");
}

#[tokio::test]
async fn the_announcement_offers_to_enrol_at_once() {
    let idp = TestIdp::with(&announced()).await;
    let shop = idp.application("shop", "https://shop.test/callback");
    let mut browser = idp.browser();
    let notice = enter(&mut browser, &shop, "anna").await;
    let page = browser.submit(&notice, &[("enable", "yes")]).await;
    assert_eq!(page.step(), Some("enrol"));
    let back = browser.submit(&page, &[("skip", "yes")]).await;
    assert!(back.parameter("code").is_some(), "it may still be put off");
    let mut browser = idp.browser();
    let notice = enter(&mut browser, &shop, "anna").await;
    let page = browser.submit(&notice, &[("enable", "yes")]).await;
    let (_, _, back) = enrol(&idp, &mut browser, &page).await;
    assert_eq!(shop.redeem(&back).await.id_token["acr"], "urn:vestibule:acr:2fa");
}

#[tokio::test]
async fn an_administrator_cannot_skip() {
    let (idp, shop) = house().await;
    let mut browser = idp.browser();
    let page = enter(&mut browser, &shop, "anna").await;
    assert_eq!(browser.submit(&page, &[("skip", "yes")]).await.step(), Some("enrol"));
}

#[tokio::test]
async fn a_tenant_may_want_it_of_everybody() {
    let policy = "[tenants.policy]\nmfa = \"required\"\n";
    let world =
        HOUSE.replacen("name = \"Example Works\"\n", &format!("name = \"Example Works\"\n{policy}"), 1);
    let idp = TestIdp::with(&world).await;
    let shop = idp.application("shop", "https://shop.test/callback");
    let mut browser = idp.browser();
    let page = enter(&mut browser, &shop, "bert").await;
    let (_, _, back) = enrol(&idp, &mut browser, &page).await;
    assert!(back.parameter("code").is_some());
}

#[tokio::test]
async fn an_application_may_insist_on_two_factors() {
    let (idp, shop) = house().await;
    let essential = r#"{"id_token":{"acr":{"essential":true,"value":"urn:vestibule:acr:2fa"}}}"#;
    let mut browser = idp.browser();
    enter(&mut browser, &shop, "bert").await;
    idp.clock().advance(Duration::from_secs(5));
    let page = open(&mut browser, &shop, &[("claims", essential)]).await;
    let page = sign_in(&mut browser, &page, "bert", PASSWORD).await;
    let (_, _, back) = enrol(&idp, &mut browser, &page).await;
    let token = shop.redeem(&back).await.id_token;
    assert_eq!(token["acr"], "urn:vestibule:acr:2fa");
    let unknown = essential.replace("2fa", "9fa");
    let refused = open(&mut browser, &shop, &[("claims", &unknown)]).await;
    assert_eq!(error(&refused).as_deref(), Some("unmet_authentication_requirements"));
    let wished = open(&mut idp.browser(), &shop, &[("acr_values", "urn:vestibule:acr:2fa")]).await;
    assert_eq!(wished.step(), Some("identify"));
}

#[tokio::test]
async fn the_second_page_has_no_hint_who_it_is() {
    let (idp, shop) = house().await;
    let mut browser = idp.browser();
    let otp = enter(&mut browser, &shop, "tina").await;
    assert!(!otp.body.contains("tina"));
    let back = browser.submit(&otp, &[("code", &next_code(&idp))]).await;
    assert_eq!(shop.redeem(&back).await.id_token["acr"], "urn:vestibule:acr:2fa");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_sixteen_who_bring_one_code_at_once_one_gets_in() {
    let (idp, shop) = house().await;
    let mut ready = Vec::new();
    for _ in 0..16 {
        let mut browser = idp.browser();
        let page = enter(&mut browser, &shop, "tina").await;
        ready.push((browser, page));
    }
    let now = code(&idp);
    let posts = ready.into_iter().map(|(mut browser, page)| {
        let now = now.clone();
        tokio::spawn(async move { browser.submit(&page, &[("code", &now)]).await })
    });
    let mut winners = 0;
    for post in posts.collect::<Vec<_>>() {
        let answer = post.await.unwrap();
        assert!(!answer.status.is_server_error(), "{}", answer.body);
        winners += usize::from(answer.parameter("code").is_some());
    }
    assert_eq!(winners, 1);
}
