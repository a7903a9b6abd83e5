//! Path 2: the user of path 1, the next day. A code, and no office computer.

use std::time::Duration;

use serde_json::json;
use vestibule::ext::Clock;
use vestibule::testing::totp;

use super::path_01::enrol;
use super::{PageRequest, Shop, provider, strict_house, told};

told!(story);

async fn story(visitor: &mut impl PageRequest) {
    let idp = provider(&strict_house()).await;
    let shop = Shop::of(&idp).await;
    let secret = enrol(visitor, &idp, &shop).await;
    idp.clock().advance(Duration::from_hours(24));
    shop.sign_in(visitor, "bert").await;
    assert_eq!(visitor.step().await, "second_factor");
    visitor.submit(&[("code", &totp(&secret, idp.clock().now()))]).await;
    let token = shop.id_token(visitor).await;
    assert_eq!(token["amr"], json!(["pwd", "otp", "mfa"]));
    assert_eq!(token["auth_time"].as_i64(), Some(idp.clock().now().unix()));
}
