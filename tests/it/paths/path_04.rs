//! Path 4: after "Reset enrolment" the user of path 1 enrols again, and the old authenticator is rejected everywhere.

use std::time::Duration;

use vestibule::SupportAction;
use vestibule::ext::Clock;
use vestibule::testing::totp;

use super::{PageRequest, Shop, house, provider, told};
use crate::login::DOMAIN;

told!(story);

async fn story(visitor: &mut impl PageRequest) {
    let idp = provider(&house("mfa = \"required\"\nask_desktop_name = true")).await;
    let shop = Shop::of(&idp).await;
    shop.sign_in(visitor, "bert").await;
    visitor.submit(&[("personal_desktop", "pc-bert")]).await;
    assert_eq!(visitor.step().await, "enrol", "the only method opens directly");
    let old = visitor.secret().await;
    visitor.submit(&[("code", &totp(&old, idp.clock().now()))]).await;
    let old_codes = visitor.recovery_codes().await;
    visitor.submit(&[("stored", "yes")]).await;
    shop.id_token(visitor).await;

    idp.clock().advance(Duration::from_mins(1));
    idp.idp().help(DOMAIN, "bert", SupportAction::ResetEnrolment).await.unwrap();
    shop.send(visitor, &[("prompt", "none")]).await;
    assert_eq!(shop.error(visitor).await.as_deref(), Some("login_required"), "the session has ended");

    visitor.elsewhere().await;
    shop.sign_in(visitor, "bert").await;
    assert_eq!(visitor.step().await, "desktop");
    assert_eq!(visitor.value("personal_desktop").await, "pc-bert", "prefilled");
    let desktop = visitor.address().await;
    for page in ["second_factor", "recovery"] {
        visitor.open(&desktop.replace("/desktop", &format!("/{page}"))).await;
        assert_eq!(visitor.step().await, "desktop", "{page}: nothing of the old is asked for");
    }
    visitor.submit(&[]).await;
    assert_eq!(visitor.step().await, "enrol");
    let new = visitor.secret().await;
    assert_ne!(new, old);
    visitor.submit(&[("code", &totp(&old, idp.clock().now()))]).await;
    assert_eq!(visitor.step().await, "enrol", "the old authenticator confirms nothing");
    visitor.submit(&[("code", &totp(&new, idp.clock().now()))]).await;
    visitor.submit(&[("stored", "yes")]).await;
    shop.id_token(visitor).await;

    idp.clock().advance(Duration::from_mins(1));
    visitor.elsewhere().await;
    shop.sign_in(visitor, "bert").await;
    let otp = visitor.address().await;
    visitor.submit(&[("code", &totp(&old, idp.clock().now()))]).await;
    assert_eq!(visitor.step().await, "second_factor");
    visitor.follow("/recovery").await;
    visitor.submit(&[("code", &old_codes[0])]).await;
    assert_eq!(visitor.step().await, "recovery", "the old recovery codes are void");
    visitor.open(&otp).await;
    visitor.submit(&[("code", &totp(&new, idp.clock().now()))]).await;
    shop.id_token(visitor).await;
}
