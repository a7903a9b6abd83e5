//! Path 1: a new user, where everybody needs a second factor, names the office computer and enrols an application.

use serde_json::json;
use vestibule::ext::Clock;
use vestibule::testing::{TestIdp, totp};

use super::shop::TWO;
use super::{PageRequest, Shop, provider, strict_house, told};

told!(story);

async fn story(visitor: &mut impl PageRequest) {
    let idp = provider(&strict_house()).await;
    let shop = Shop::of(&idp).await;
    enrol(visitor, &idp, &shop).await;
    assert_eq!(visitor.complaints().await, Vec::<String>::new());
    let token = shop.id_token(visitor).await;
    assert_eq!((&token["amr"], &token["acr"]), (&json!(["pwd", "otp", "mfa"]), &json!(TWO)));
    assert_eq!(token["personal_desktop"], "pc-bert.office");
}

/// Bert's first login, up to the application; gives his authenticator's secret.
pub(super) async fn enrol(visitor: &mut impl PageRequest, idp: &TestIdp, shop: &Shop) -> String {
    shop.sign_in(visitor, "bert").await;
    assert_eq!(visitor.step().await, "desktop");
    visitor.submit(&[("personal_desktop", " pc-bert.office ")]).await;
    assert_eq!(visitor.step().await, "choose_method");
    visitor.submit(&[("method", "totp")]).await;
    assert_eq!(visitor.step().await, "enrol");
    let secret = visitor.secret().await;
    visitor.submit(&[("code", &totp(&secret, idp.clock().now()))]).await;
    assert_eq!(visitor.step().await, "recovery_codes");
    assert_eq!(visitor.recovery_codes().await.len(), 10);
    visitor.submit(&[("stored", "yes")]).await;
    secret
}
