//! Path 17: signed in with one factor, a client demands two, and there is no authenticator. Where one may be enrolled it is,
//! after the password, for a session alone changes no credential; where not, the client is told that its demand cannot be
//! met.

use std::time::Duration;

use serde_json::json;
use vestibule::ext::Clock;
use vestibule::testing::totp;

use super::shop::{ESSENTIAL, ONE, TWO};
use super::{PageRequest, Shop, house, identify, provider, told};
use crate::login::{DOMAIN, PASSWORD};

told!(story);

async fn story(visitor: &mut impl PageRequest) {
    let idp = provider(&house("methods = []")).await;
    let shop = Shop::of(&idp).await;
    shop.sign_in(visitor, "bert").await;
    let before = shop.id_token(visitor).await;
    assert_eq!(before["acr"], ONE);
    for more in [&[ESSENTIAL][..], &[ESSENTIAL, ("prompt", "none")]] {
        shop.send(visitor, more).await;
        let error = shop.error(visitor).await;
        assert_eq!(error.as_deref(), Some("unmet_authentication_requirements"), "{more:?}");
    }

    let allowed =
        format!("[[tenants]]\ndomain = \"{DOMAIN}\"\n[tenants.policy]\nmethods = [\"totp\", \"sms\"]\n");
    idp.idp().apply(&allowed).await.unwrap();
    idp.clock().advance(Duration::from_secs(100));
    shop.send(visitor, &[ESSENTIAL]).await;
    assert_eq!(visitor.step().await, "identify", "the password first");
    identify(visitor, "bert", PASSWORD).await;
    assert_eq!(visitor.step().await, "choose_method");
    visitor.submit(&[("method", "totp")]).await;
    let confirming = totp(&visitor.secret().await, idp.clock().now());
    visitor.submit(&[("code", &confirming)]).await;
    visitor.submit(&[("stored", "yes")]).await;
    let after = shop.id_token(visitor).await;
    assert_eq!((&after["acr"], &after["amr"]), (&json!(TWO), &json!(["pwd", "otp", "mfa"])));
    assert_eq!(after["sid"], before["sid"]);
    assert_eq!(
        after["auth_time"].as_i64(),
        before["auth_time"].as_i64().map(|at| at + 100),
        "when it was typed"
    );
}
