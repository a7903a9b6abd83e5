//! Path 9: a linked administrator, the duty has begun, the upstream provider vouches for two factors. Let in, mapped to 2fa.

use crate::support::network;
use crate::upstream::{ALWAYS, World};

#[tokio::test]
async fn a_linked_administrator_with_a_second_factor_upstream_has_two_here() {
    let world = World::new(ALWAYS).await;
    let back = world.enter(&mut network::browser(), "nora").await;
    let token = world.shop.redeem(&back).await.id_token;
    assert_eq!((token["sub"].as_str(), token["acr"].as_str()), (Some("anna"), Some("urn:vestibule:acr:2fa")));
    assert_eq!(token["amr"], serde_json::json!(["pwd", "otp", "mfa"]));
}
