//! Path 4: a user whose enrolment was reset begins anew, and the old authenticator is refused everywhere.

use std::time::Duration;

use vestibule::Help;
use vestibule::ext::Clock;
use vestibule::testing::{TestIdp, totp};

use crate::login::{DOMAIN, HOUSE, enter, open, shown_codes, shown_secret};

#[tokio::test]
async fn a_reset_enrolment_begins_with_the_desktop_and_ends_the_old_authenticator() {
    let policy = "[tenants.policy]\nmfa = \"required\"\nask_desktop_name = true\n";
    let named = "name = \"Example Works\"\n";
    let idp = TestIdp::with(&HOUSE.replacen(named, &format!("{named}{policy}"), 1)).await;
    let shop = idp.application("shop", "https://shop.test/callback");
    let mut browser = idp.browser();
    let desktop = enter(&mut browser, &shop, "bert").await;
    let qr = browser.submit(&desktop, &[("personal_desktop", "pc-bert")]).await;
    let old = shown_secret(&qr);
    let page = browser.submit(&qr, &[("code", &totp(&old, idp.clock().now()))]).await;
    let old_codes = shown_codes(&page);
    let back = browser.submit(&page, &[("stored", "yes")]).await;
    assert!(back.parameter("code").is_some(), "{}", back.body);

    idp.clock().advance(Duration::from_mins(1));
    idp.idp().help(DOMAIN, "bert", Help::ResetEnrolment).await.unwrap();
    let silent = open(&mut browser, &shop, &[("prompt", "none")]).await;
    assert_eq!(silent.parameter("error").as_deref(), Some("login_required"), "the session has ended");

    let mut browser = idp.browser();
    let desktop = enter(&mut browser, &shop, "bert").await;
    assert_eq!(desktop.step(), Some("desktop"), "{}", desktop.body);
    assert!(desktop.body.contains("value=\"pc-bert\""), "prefilled: {}", desktop.body);
    for page in ["second_factor", "recovery"] {
        let url = desktop.url.as_str().replace("/desktop", &format!("/{page}"));
        assert_eq!(
            browser.get(&url).await.step(),
            Some("desktop"),
            "{page}: nothing of the old is asked for"
        );
    }
    let qr = browser.submit(&desktop, &[]).await;
    assert_eq!(qr.step(), Some("enrol"));
    let new = shown_secret(&qr);
    assert_ne!(new, old);
    let refused = browser.submit(&qr, &[("code", &totp(&old, idp.clock().now()))]).await;
    assert_eq!(refused.step(), Some("enrol"), "the old authenticator confirms nothing");
    let page = browser.submit(&refused, &[("code", &totp(&new, idp.clock().now()))]).await;
    let back = browser.submit(&page, &[("stored", "yes")]).await;
    assert!(back.parameter("code").is_some(), "{}", back.body);

    idp.clock().advance(Duration::from_mins(1));
    let mut browser = idp.browser();
    let otp = enter(&mut browser, &shop, "bert").await;
    let refused = browser.submit(&otp, &[("code", &totp(&old, idp.clock().now()))]).await;
    assert_eq!(refused.step(), Some("second_factor"));
    let page = browser.get(&otp.url.as_str().replace("second_factor", "recovery")).await;
    let refused = browser.submit(&page, &[("code", &old_codes[0])]).await;
    assert_eq!(refused.step(), Some("recovery"), "the old recovery codes are void");
    let otp = browser.get(otp.url.as_str()).await;
    let back = browser.submit(&otp, &[("code", &totp(&new, idp.clock().now()))]).await;
    assert!(back.parameter("code").is_some(), "{}", back.body);
}
