//! Path 7: an administrator without a second factor, from the second on in which the duty begins; activation by mail.

use std::time::Duration;

use serde_json::json;
use vestibule::ext::Clock;
use vestibule::testing::{TestIdp, totp};

use super::shop::TWO;
use super::{PageRequest, Shop, identify, provider, told};
use crate::login::PASSWORD;
use crate::recovery::activation::{before_the_date, world};
use crate::recovery::{links, subjects};

const NEW: &str = "the stapler of a second horse";

told!(story);

async fn story(visitor: &mut impl PageRequest) {
    let idp = provider(&world("mail")).await;
    let shop = Shop::of(&idp).await;
    idp.clock().advance(before_the_date() + Duration::from_secs(1));
    shop.sign_in(visitor, "anna").await;
    assert_eq!(visitor.step().await, "blocked");
    visitor.look("07-1-blocked").await;
    let text = visitor.text().await;
    assert!(text.contains("a•••@example.test") && !text.contains("anna@example.test"), "{text}");
    visitor.submit(&[]).await;
    assert_eq!(visitor.step().await, "blocked");
    visitor.look("07-2-on-its-way").await;
    let text = visitor.text().await;
    assert!(text.contains("on its way to a•••@example.test"), "{text}");
    visitor.submit(&[]).await;
    let waiting = visitor.address().await;
    let links = links(&idp).await;
    assert_eq!(links.len(), 1, "within a minute one mail is sent");
    assert_eq!(subjects(&idp).await, ["Your account at Example Works"]);

    visitor.tab(1).await;
    visitor.open(&links[0]).await;
    let secret = activate(visitor, &idp).await;
    shop.send(visitor, &[("prompt", "none")]).await;
    assert_eq!(shop.error(visitor).await.as_deref(), Some("login_required"), "nobody is signed in by it");

    // The login that waited goes on.
    visitor.tab(0).await;
    visitor.open(&waiting).await;
    assert_eq!(visitor.step().await, "identify", "the password that was proved is not the password any more");
    identify(visitor, "anna", PASSWORD).await;
    identify(visitor, "anna", NEW).await;
    assert_eq!(visitor.step().await, "second_factor");
    visitor.submit(&[("code", &totp(&secret, idp.clock().now()))]).await;
    assert_eq!(visitor.step().await, "second_factor", "the code that confirmed is used up");
    idp.clock().advance(Duration::from_secs(30));
    visitor.submit(&[("code", &totp(&secret, idp.clock().now()))]).await;
    let token = shop.id_token(visitor).await;
    assert_eq!((&token["acr"], &token["amr"]), (&json!(TWO), &json!(["pwd", "otp", "mfa"])));
    let subjects = subjects(&idp).await;
    let tail: Vec<_> = subjects.iter().skip(1).map(String::as_str).collect();
    assert_eq!(
        tail,
        ["Example Works: your password was changed", "Example Works: a second factor was added"]
    );
}

/// From the link to the end of what it is for; gives the new authenticator's secret.
async fn activate(visitor: &mut impl PageRequest, idp: &TestIdp) -> String {
    assert_eq!(visitor.step().await, "new_password");
    assert!(!visitor.address().await.contains("link"), "the secret has left the address");
    visitor.look("07-3-new-password").await;
    let short = "xK7#q!zP2mv";
    visitor.submit(&[("new_password", short), ("new_password_again", short)]).await;
    assert!(visitor.text().await.contains("at least 12 characters"), "{}", visitor.text().await);
    visitor.submit(&[("new_password", NEW), ("new_password_again", "something else")]).await;
    assert_eq!(visitor.step().await, "new_password");
    visitor.look("07-4-different").await;
    visitor.submit(&[("new_password", NEW), ("new_password_again", NEW)]).await;
    assert_eq!(visitor.step().await, "enrol");
    assert!(!visitor.sees("skip").await, "an administrator cannot skip");
    visitor.look("07-5-enrol").await;
    let secret = visitor.secret().await;
    visitor.submit(&[("code", "000000")]).await;
    assert_eq!((visitor.step().await.as_str(), visitor.secret().await), ("enrol", secret.clone()));
    visitor.submit(&[("code", &totp(&secret, idp.clock().now()))]).await;
    let (page, codes) = (visitor.address().await, visitor.recovery_codes().await);
    assert_eq!((visitor.step().await.as_str(), codes.len()), ("recovery_codes", 10));
    visitor.open(&page).await;
    assert_eq!(visitor.recovery_codes().await, codes);
    visitor.submit(&[]).await;
    assert_eq!(visitor.step().await, "recovery_codes", "they must be stored");
    visitor.submit(&[("stored", "yes")]).await;
    assert_eq!(visitor.step().await, "reset_done");
    visitor.look("07-6-done").await;
    visitor.follow("/login/").await;
    assert_eq!(visitor.step().await, "identify", "to the login that waits");
    visitor.open(&page).await;
    assert!(!visitor.text().await.contains(&codes[0]), "and they are not shown again");
    secret
}
