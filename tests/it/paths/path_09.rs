//! Path 9: a linked administrator, the duty has begun, the upstream provider vouches for two factors. Let in, mapped to 2fa.

use serde_json::json;

use super::shop::TWO;
use super::{PageRequest, Shop, told};
use crate::upstream::{ALWAYS, World};

told!(story);

async fn story(visitor: &mut impl PageRequest) {
    let world = World::new(ALWAYS).await;
    let shop = Shop::of(&world.idp).await;
    shop.send(visitor, &[]).await;
    visitor.follow("/with/").await;
    world.present(visitor, "nora").await;
    let token = shop.id_token(visitor).await;
    assert_eq!((&token["sub"], &token["acr"]), (&json!("anna"), &json!(TWO)));
    assert_eq!(token["amr"], json!(["pwd", "otp", "mfa"]));
}
