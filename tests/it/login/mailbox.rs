//! A mailbox as the second factor, told twice: enrolled inside a login, with the address mended on the way, and asked for
//! the next day.

use std::time::Duration;

use serde_json::json;
use vestibule::domain::message::Channel;

use crate::paths::{PageRequest, Shop, house, provider, sent_code, told};

told!(story);

async fn story(visitor: &mut impl PageRequest) {
    let idp = provider(&house("mfa = \"required\"\nmethods = [\"mail\"]")).await;
    let shop = Shop::of(&idp).await;
    shop.sign_in(visitor, "bert").await;
    assert_eq!(visitor.step().await, "email", "the only method opens directly");
    assert_eq!(visitor.value("email").await, "bert@example.test", "the profile's address");
    visitor.look("mailbox-1-email").await;
    visitor.submit(&[("email", "bert@")]).await;
    assert_eq!(visitor.value("email").await, "bert@", "what was typed stays");
    assert!(visitor.text().await.contains("We cannot send mail to this address"), "{}", visitor.text().await);
    visitor.submit(&[("email", "bert@mistyped.test")]).await;
    assert_eq!(visitor.step().await, "confirm_code");
    let void = sent_code(&idp, Channel::Mail).await;
    visitor.submit(&[("change", "yes")]).await;
    assert_eq!(visitor.step().await, "email");
    visitor.submit(&[("email", "bert@post.test")]).await;
    assert!(visitor.text().await.contains("b•••@post.test"), "{}", visitor.text().await);
    visitor.look("mailbox-2-code").await;
    visitor.submit(&[("code", &void)]).await;
    assert_eq!(visitor.step().await, "confirm_code", "the code that went elsewhere is void");
    visitor.submit(&[("code", &sent_code(&idp, Channel::Mail).await)]).await;
    assert_eq!(visitor.step().await, "recovery_codes");
    visitor.submit(&[("stored", "yes")]).await;
    assert_eq!(visitor.complaints().await, Vec::<String>::new());
    assert_eq!(shop.id_token(visitor).await["amr"], json!(["pwd", "otp", "mca"]));

    idp.clock().advance(Duration::from_hours(24));
    shop.sign_in(visitor, "bert").await;
    assert_eq!(visitor.step().await, "second_factor");
    visitor.look("mailbox-3-second-factor").await;
    visitor.submit(&[("code", &sent_code(&idp, Channel::Mail).await)]).await;
    assert_eq!(shop.id_token(visitor).await["amr"], json!(["pwd", "otp", "mca"]));
}
