//! Path 16: signed in with one factor, a client demands two, and there is an authenticator. The code alone is asked for.

use std::time::Duration;

use serde_json::json;

use super::shop::{ESSENTIAL, ONE, TWO};
use super::{PageRequest, Shop, provider, told};
use crate::login::{DOMAIN, HOUSE, SECRET, code};

told!(story);

/// Bert gets an authenticator in another place.
pub(super) fn authenticator() -> String {
    format!(
        "[[users]]\ntenant = \"{DOMAIN}\"\nusername = \"bert\"\n[[users.authenticators]]\nkind = \"totp\"\nsecret = \"{SECRET}\"\n"
    )
}

async fn story(visitor: &mut impl PageRequest) {
    let idp = provider(HOUSE).await;
    let shop = Shop::of(&idp).await;
    shop.sign_in(visitor, "bert").await;
    let before = shop.id_token(visitor).await;
    assert_eq!((&before["acr"], &before["amr"]), (&json!(ONE), &json!(["pwd"])));
    idp.clock().advance(Duration::from_secs(100));
    idp.idp().apply(&authenticator()).await.unwrap();

    shop.send(visitor, &[ESSENTIAL]).await;
    assert_eq!(visitor.step().await, "second_factor", "and no password");
    visitor.submit(&[("code", &code(&idp))]).await;
    let after = shop.id_token(visitor).await;
    assert_eq!((&after["acr"], &after["amr"]), (&json!(TWO), &json!(["pwd", "otp", "mfa"])));
    assert_eq!(after["auth_time"], before["auth_time"], "that of the password, the oldest factor relied on");
    assert_eq!(after["sid"], before["sid"]);
}
