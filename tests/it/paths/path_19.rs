//! Path 19: `prompt=none`. No session, a session that is not enough, a session that is.

use super::path_16::authenticator;
use super::shop::TWO;
use super::{PageRequest, Shop, provider, told};
use crate::login::{HOUSE, code};

told!(story);

async fn story(visitor: &mut impl PageRequest) {
    let idp = provider(HOUSE).await;
    let shop = Shop::of(&idp).await;
    let silent = [("prompt", "none")];
    shop.send(visitor, &silent).await;
    assert_eq!(shop.error(visitor).await.as_deref(), Some("login_required"));

    shop.sign_in(visitor, "bert").await;
    shop.id_token(visitor).await;
    shop.send(visitor, &silent).await;
    shop.id_token(visitor).await;

    // Who has an authenticator is asked for it.
    idp.idp().apply(&authenticator()).await.unwrap();
    shop.send(visitor, &silent).await;
    assert_eq!(shop.error(visitor).await.as_deref(), Some("interaction_required"));

    shop.send(visitor, &[]).await;
    visitor.submit(&[("code", &code(&idp))]).await;
    shop.id_token(visitor).await;
    shop.send(visitor, &silent).await;
    assert_eq!(shop.id_token(visitor).await["acr"], TWO);
}
