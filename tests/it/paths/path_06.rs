//! Path 6: an administrator without a second factor, one second before the duty begins: a banner, and on to the client.

use serde_json::json;

use super::shop::ONE;
use super::{PageRequest, Shop, provider, told};
use crate::login::DOMAIN;
use crate::recovery::activation::{before_the_date, world};

told!(story);

async fn story(visitor: &mut impl PageRequest) {
    for activation in ["inline", "mail"] {
        let idp = provider(&world(activation)).await;
        let shop = Shop::of(&idp).await;
        idp.clock().advance(before_the_date());
        shop.sign_in(visitor, "anna").await;
        assert_eq!(visitor.step().await, "notice", "{activation}");
        assert!(visitor.text().await.contains("2 March 2026"), "{}", visitor.text().await);
        visitor.submit(&[("skip", "yes")]).await;
        let token = shop.id_token(visitor).await;
        assert_eq!((&token["acr"], &token["amr"]), (&json!(ONE), &json!(["pwd"])), "{activation}");
        visitor.elsewhere().await;
        shop.sign_in(visitor, "bert").await;
        shop.id_token(visitor).await;
        visitor.elsewhere().await;
    }
}

/// The banner shows the date in its reader's time zone: it is 13:00 UTC.
#[tokio::test]
async fn the_date_is_told_in_the_zone_of_its_reader() {
    let idp = provider(&world("inline")).await;
    let shop = Shop::of(&idp).await;
    let tenant = |zone: &str| format!("[[tenants]]\ndomain = \"{DOMAIN}\"\ntime_zone = \"{zone}\"\n");
    let anna = |zone: &str| {
        format!("[[users]]\ntenant = \"{DOMAIN}\"\nusername = \"anna\"\nzoneinfo = \"{zone}\"\n")
    };
    let far = "Pacific/Kiritimati"; // UTC+14
    for (change, date) in [
        (tenant(far), "3 March 2026"),
        (anna("Europe/Berlin"), "2 March 2026"),
        (tenant("Europe/Berlin"), "2 March 2026"),
        (anna(far), "3 March 2026"),
        (anna("Nowhere/At_All"), "2 March 2026"),
    ] {
        idp.idp().apply(&change).await.unwrap();
        let mut visitor = super::Plain::new();
        shop.sign_in(&mut visitor, "anna").await;
        assert!(visitor.text().await.contains(date), "{change}: {}", visitor.text().await);
    }
    let mistake = idp.idp().apply(&tenant("Berlin")).await.unwrap_err().to_string();
    assert!(mistake.starts_with("tenants[0].time_zone: must be the name of a time zone"), "{mistake}");
}
