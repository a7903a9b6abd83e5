//! Path 5: an enrolled user without applications. The empty list is the portal's, which does not exist yet: here the user
//! reaches the one client that needs no grant, with a code and nothing else asked, and its page answers 200.

use serde_json::json;

use super::shop::TWO;
use super::{PageRequest, Shop, provider, told};
use crate::login::{HOUSE, code};

told!(story);

async fn story(visitor: &mut impl PageRequest) {
    let idp = provider(HOUSE).await;
    let shop = Shop::of(&idp).await;
    shop.sign_in(visitor, "tina").await;
    assert_eq!(visitor.step().await, "second_factor");
    visitor.submit(&[("code", &code(&idp))]).await;
    assert!(visitor.text().await.contains("Arrived"), "{}", visitor.text().await);
    let token = shop.id_token(visitor).await;
    assert_eq!((&token["amr"], &token["acr"]), (&json!(["pwd", "otp", "mfa"]), &json!(TWO)));
}
