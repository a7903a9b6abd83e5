//! Path 18: a browser that its user trusts. The code is skipped, and not where a client asks for two factors.

use std::time::Duration;

use serde_json::json;

use super::shop::{ONE, TWO};
use super::{PageRequest, Shop, house, provider, told};
use crate::login::{code, next_code};

told!(story);

async fn story(visitor: &mut impl PageRequest) {
    let idp = provider(&house("trusted_browsers = { days = 30 }")).await;
    let shop = Shop::of(&idp).await;
    shop.sign_in(visitor, "tina").await;
    assert_eq!(visitor.step().await, "second_factor");
    visitor.submit(&[("code", &code(&idp)), ("trust_browser", "yes")]).await;
    assert_eq!(shop.id_token(visitor).await["amr"], json!(["pwd", "otp", "mfa"]));

    // The session is over by then.
    idp.clock().advance(Duration::from_hours(24));
    shop.sign_in(visitor, "tina").await;
    let token = shop.id_token(visitor).await;
    assert_eq!((&token["acr"], &token["amr"]), (&json!(ONE), &json!(["pwd", "rba"])));

    shop.send(visitor, &[("acr_values", TWO)]).await;
    assert_eq!(visitor.step().await, "second_factor");
    visitor.submit(&[("code", &next_code(&idp))]).await;
    let token = shop.id_token(visitor).await;
    assert_eq!((&token["acr"], &token["amr"]), (&json!(TWO), &json!(["pwd", "otp", "mfa"])));

    visitor.elsewhere().await;
    shop.sign_in(visitor, "tina").await;
    assert_eq!(visitor.step().await, "second_factor", "another browser is not trusted");
}
