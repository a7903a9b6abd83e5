//! Path 3: a new user skips the office computer and enrols a telephone.

use std::time::Duration;

use serde_json::json;
use vestibule::domain::message::Channel;

use super::shop::TWO;
use super::{PageRequest, Shop, provider, sent_code, strict_house, told};

told!(story);

async fn story(visitor: &mut impl PageRequest) {
    let idp = provider(&strict_house()).await;
    let shop = Shop::of(&idp).await;
    shop.sign_in(visitor, "bert").await;
    visitor.submit(&[("skip", "yes")]).await;
    assert_eq!(visitor.step().await, "choose_method");
    visitor.submit(&[("method", "sms")]).await;
    assert_eq!(visitor.step().await, "phone");
    visitor.submit(&[("country", "DE"), ("phone_number", "0151 12345678")]).await;
    assert_eq!(visitor.step().await, "confirm_code");
    assert!(visitor.text().await.contains("+49 •••78"), "{}", visitor.text().await);
    assert_eq!(visitor.sees("resend").await, !visitor.runs_scripts(), "scripts show the button in its time");
    visitor.submit(&[("code", &sent_code(&idp, Channel::Sms).await)]).await;
    assert_eq!(visitor.step().await, "recovery_codes");
    visitor.submit(&[("stored", "yes")]).await;
    assert_eq!(visitor.complaints().await, Vec::<String>::new());
    let token = shop.id_token(visitor).await;
    assert_eq!((&token["amr"], &token["acr"]), (&json!(["pwd", "sms", "mfa", "mca"]), &json!(TWO)));

    idp.clock().advance(Duration::from_hours(24));
    shop.sign_in(visitor, "bert").await;
    assert_eq!(visitor.step().await, "second_factor", "no office computer: it was asked for");
    visitor.submit(&[("code", &sent_code(&idp, Channel::Sms).await)]).await;
    assert_eq!(shop.id_token(visitor).await["acr"], TWO);
}
